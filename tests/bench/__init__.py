"""The benchmark: this SDK and its peers, measured in one run.

`python -m tests.bench --help` prints the usage; `docs/performance.md` has the results.

    __main__   the command line
    run        interleaved rounds, one process per measurement
    worker     one such process: creates a client and measures it
    measures   what is measured, and how
    columns    the clients that are measured
    clients    the same few calls, written for each library as its users would
    server     the server process, which sends prepared bytes
    wire       those bytes
    targets    the promised ratios
    report     tables, as text and as Markdown
    plot       the chart
    original   the original provider's own environment
    profiling  the cost of each layer
"""
