"""The transport-agnostic core: what a call is, with no I/O in it.

Nothing below this package opens a socket, reads a clock, sleeps or looks at the
environment: those arrive as arguments, from the drivers. Linting enforces it.
"""
