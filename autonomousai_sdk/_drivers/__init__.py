"""The two drivers, which run the core's flows and read its streams: blocking and awaiting.

They differ in `await`, `async` and names. They read clocks, sleep and use transports; the core
decides about retries, errors and the meaning of a stream's bytes.
"""
