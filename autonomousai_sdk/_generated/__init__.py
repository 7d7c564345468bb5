# Written from spec/autonomousai.yaml by `python -m spec.generator`.
# Edit the spec and run that again; `--check` finds whatever is edited here.
"""The typed layer: what the endpoint spec says, as Python."""
