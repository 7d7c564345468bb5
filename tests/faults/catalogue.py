"""The faults by number: what the server does, and what the client owes its user."""

from __future__ import annotations

from attrs import frozen

from tests.support.case import Case

from . import bounds, dialects, keys, pools, retries, roads, sharing, streams, timing


@frozen
class Fault:
    """One fault."""

    id: str
    name: str
    done: str
    owed: str


GROUPS = {
    "S": "Stream integrity",
    "T": "Time",
    "R": "Retries",
    "P": "Connections and concurrency",
    "K": "Secrets and addresses",
    "M": "Resource bounds",
    "D": "Dialects of engines",
    "C": "Closing and sharing",
    "N": "Proxies, names and certificates",
}

CASES: tuple[Case, ...] = tuple(
    each
    for module in (streams, timing, retries, pools, keys, bounds, dialects, sharing, roads)
    for each in module.GROUP.cases
)

FAULTS = tuple(
    Fault(*fault)
    for fault in (
        (
            "S1",
            "cut, then ended properly",
            "two deltas, then the zero chunk, and no terminal event",
            "`StreamInterrupted` with the text so far",
        ),
        ("S2", "cut by closing", "close-delimited, FIN after two deltas", "the same"),
        (
            "S3",
            "cut inside an event",
            "FIN inside a data line",
            "the same; the half event is never delivered",
        ),
        (
            "S4",
            "broken connection",
            "FIN inside a chunk, RST mid-stream",
            "an error of the SDK, with the text so far",
        ),
        (
            "S5",
            "error event",
            "`event: error` inside a 200",
            "the matching API error, with type and message",
        ),
        ("S6", "error as data", '`data: {"error": …}` without a name', "the same"),
        ("S7", "error on a bare line", "an error object on a line without a field", "the same"),
        (
            "S8",
            "wrong kind of answer",
            "JSON or HTML for a stream, or the reverse",
            "`APIResponseError` with status and an excerpt",
        ),
        ("S9", "malformed event", "`data: {not json}`", "`StreamDecodeError` with the bytes"),
        ("S10", "invalid UTF-8", r"`data: \xff\xfe`", "the same"),
        ("S11", "no object", "`data: null`, `[]`, `5`", "the same"),
        (
            "S12",
            "socket left open",
            "a terminal event, and a body that never ends",
            "the stream ends at once; its connection is not used again",
        ),
        ("S13", "end marker cut", "`data: [DONE]` without a blank line", "success"),
        ("S14", "iterated twice", "a finished stream is iterated again", "an error"),
        ("S15", "event-stream corpus", "77 cases by the WHATWG rules, 3 splits", "all"),
        (
            "S16",
            "long lines",
            "16 MiB in one line; 80,000 comment lines",
            "time in proportion to the length",
        ),
        (
            "S17",
            "endless line",
            "300 MB without an end, bound 8 MiB",
            "an error at the bound; memory ≤ 4 times the bound",
        ),
        ("T1", "pings forever", "only keep-alives", "`APITimeoutError` by the idle limit"),
        ("T2", "drip", "a byte now and then", "`APITimeoutError` by the total limit"),
        (
            "T3",
            "slow to answer",
            "dripped head, no connection, no reading, slow tries",
            "one limit covers it all; the error names it",
        ),
        (
            "T4",
            "hostile Retry-After",
            "waits over the cap",
            "raised at once, with `retry_after`",
        ),
        (
            "T5",
            "nonsensical Retry-After",
            "-1, nan, inf, empty, past dates, two values",
            "the client's own back-off",
        ),
        (
            "T6",
            "cancelled between tries",
            "the task is cancelled while it waits",
            "returns at once, no further request",
        ),
        (
            "R1",
            "hang-up after POST",
            "the request is read, the connection closed",
            "`max_retries` + 1 tries under one idempotency key",
        ),
        (
            "R2",
            "broken after the first event",
            "RST once an event was handed over",
            "one try, and an error",
        ),
        ("R3", "refusals", "400, 401, 403, 404, 413, 422", "one request each"),
        ("R4", "retry budget", "failures without end", "retries stop when the budget is spent"),
        (
            "R5",
            "the caller's mistake",
            "a header or URL that cannot be",
            "`ConfigurationError` that names it; no request",
        ),
        (
            "P1",
            "slot kept",
            "a stream left open on a pool of one",
            "the next call works, or names the stream",
        ),
        (
            "P2",
            "cancel storm",
            "240 tasks cancelled at random, pool of four",
            "no connection left; the next call works",
        ),
        ("P3", "abandoned stream", "`break`, then garbage collection", "nothing on stderr"),
        (
            "P4",
            "dropped client",
            "an open client dropped in another loop",
            "one `ResourceWarning`, nothing else",
        ),
        ("P5", "several event loops", "one client in three loops", "works in all"),
        (
            "P6",
            "another task closes",
            "a stream closed from another task",
            "an error for its reader, no scope error",
        ),
        ("P7", "fork", "a client used in four forks", "works in all, on own sockets"),
        ("P8", "threads", "32 threads or tasks, 10 streams each", "320 right answers"),
        (
            "P9",
            "leaving",
            "close, cancel, exception, Ctrl-C mid-stream",
            "the server sees it at once; descriptors stay flat",
        ),
        (
            "K1",
            "redirect",
            "301, 302, 303, 307, 308 to another port",
            "an error that names the target; nothing goes there",
        ),
        (
            "K2",
            "unsafe scheme",
            "https to http, unknown certificate, key over http",
            "refused before anything is sent",
        ),
        (
            "K3",
            "key in objects",
            "repr, vars, pickle, traceback with locals",
            "the key is in none",
        ),
        ("K4", "key echoed", "the answer repeats the key", "redacted everywhere"),
        ("K5", "debug logs", "DEBUG on every logger", "neither key nor prompt"),
        (
            "K6",
            "header injection",
            "CR, LF, NUL, space, non-ASCII, empty",
            "refused when the client is made",
        ),
        (
            "K7",
            "ambient configuration",
            "proxies, .netrc, certificates of the environment",
            "loopback goes direct; .netrc is not read",
        ),
        (
            "K8",
            "base URLs",
            "slashes, query, fragment, user, IPv6",
            "the right path, or refused",
        ),
        (
            "K9",
            "path parameters",
            "`../x`, `a/b`, `%2e%2e`, empty",
            "one encoded segment, or refused",
        ),
        (
            "M1",
            "decompression bomb",
            "1 MB of gzip becomes 1 GB; six codings",
            "an error; memory < 100 MB",
        ),
        (
            "M2",
            "huge error body",
            "400 with 300 MB",
            "reads ≤ 1 MiB, says ≤ 2 KiB",
        ),
        (
            "M3",
            "hostile JSON",
            "100,000 levels, 5,000 digits, NaN",
            "an answer or an error of the SDK",
        ),
        (
            "D1",
            "reason in every chunk",
            'finish reason "stop", "null" or "" in each chunk, then a cut or a pause of 7 s',
            "`StreamInterrupted`; after the pause, the rest is read",
        ),
        (
            "D2",
            "null for a default",
            "null, no key, whole floats and digits in quotes",
            "the default, or the number; wrong content is an error",
        ),
        (
            "D3",
            "blanks around the end marker",
            "`[DONE] `, empty `data:`",
            "the end; a keep-alive",
        ),
        (
            "D4",
            "error in a choice",
            "`choices[0].error`, streamed and whole; errors without `error`",
            "the matching API error, with the text so far",
        ),
        (
            "D5",
            "other names for the text",
            "`reasoning`, `reasoning_content`, refusals, parts, `message` for `delta`",
            "`.reasoning`, `.refusal` and `.text`; nothing lost",
        ),
        (
            "D6",
            "answer as history",
            "an answer without a role, passed back",
            "sent as the assistant's, under the names it came with",
        ),
        (
            "D7",
            "error with a wrong coding",
            "401, 429, 503 with an unknown, false or cut content coding",
            "the status's own error, retried as such",
        ),
        (
            "D8",
            "forms of tool calls",
            "deltas without index or id, whole or in pieces, in parallel",
            "the same calls",
        ),
        (
            "C1",
            "closed while waiting",
            "client or stream closed while another thread or task waits",
            "it wakes at once with `StreamError`, or an error that says it was closed",
        ),
        (
            "C2",
            "HTTP/2 neighbours",
            "one of three streams on one connection left, dropped, timed out, closed elsewhere",
            "the server is told at once; the other two go on",
        ),
        (
            "C3",
            "settings of a caller's client",
            "its headers, cookies, params, hooks, `raise_for_status`",
            "merged beneath the call's; the right error, as many tries",
        ),
        (
            "N1",
            "silent before the head",
            "SOCKS, CONNECT, TLS, lookup, addresses that stall or drip",
            "`APITimeoutError` by the connect or total limit",
        ),
        (
            "N2",
            "proxy's URL",
            "bad port, `#` or `%` in a password, `[`, white space; argument and environment",
            "`ConfigurationError` that names it, without the password",
        ),
        (
            "N3",
            "NO_PROXY",
            "names, suffixes, ports, IPv6, networks",
            "an excluded host never reaches the proxy",
        ),
        (
            "N4",
            "certificates",
            "SSL_CERT_FILE, SSL_CERT_DIR, verify= without certificates",
            "`ConfigurationError` that names it and the path; no retry",
        ),
        (
            "C4",
            "cancel sweep",
            "a call cancelled at each of 40 checkpoints, pool of one",
            "the next call works, no socket is left",
        ),
        (
            "C5",
            "many proxies",
            "the original interface with 60 proxies; connections that nobody uses",
            "at most 8 clients; idle connections close in time",
        ),
        (
            "C6",
            "early 413",
            "413 during an upload of 6 MB, then closed, drained or no longer read (also with TLS)",
            "that error, once; the event loop is silent",
        ),
    )
)
