"""The benchmark: this SDK beside what else one would use, all measured in one run.

`python -m tests.bench --help` says how to run it; `docs/performance.md` holds its results.

    __main__   the command line
    run        rounds, interleaved; a process for each measurement
    worker     one such process: makes one client and measures it
    measures   what is measured, and how
    columns    who is measured
    clients    the same few calls, written for each library as its users write them
    server     the other side: a process that sends bytes made beforehand
    wire       those bytes
    targets    the ratios that are promised
    report     tables, as text and as Markdown
    plot       the picture beside them
    original   the original provider's own environment
    profiling  where a chunk's microseconds go
"""
