"""Other people's clients, each against the local server: `python -m tests.clients`."""
