"""The endpoint spec and its generator: development only, never in the wheel."""
