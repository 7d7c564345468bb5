"""Faults that a client has to survive, and the server that makes them."""
