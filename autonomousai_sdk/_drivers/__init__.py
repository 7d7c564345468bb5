"""The drivers: what runs the core's flows and pumps its streams, blocking and awaiting.

The two differ in `await`, `async` and names. They read clocks, sleep and use transports;
they decide nothing: retries, errors and what a stream's bytes mean are the core's.
"""
