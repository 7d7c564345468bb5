"""Writes the typed layer, `autonomousai_sdk/_generated`, from the endpoint spec.

    python -m spec.generator            write it
    python -m spec.generator --check    say whether what is there is what would be written

Four steps, a module each: `load` reads the spec, `model` finds in it what the client needs,
`render` writes that as Python, and `write` formats it and puts it in place or compares it.
Whatever the generator does not know is an error that names its place, never passed over.
"""
