"""Writes the typed layer, `autonomousai_sdk/_generated`, from the endpoint spec.

    python -m spec.generator            write it
    python -m spec.generator --check    check that it is what the spec gives

The steps, a module each:

    load         reads YAML: values, each with its JSON pointer
    schemas      reads schemas as types
    classes      objects as classes
    operations   operations as methods
    document     the rest: servers, protocols, models, resources
    render       writes all of it as Python
    verify       checks the files by ruff and by importing them
    write        puts them in place, or compares them with what is there

Whatever the generator does not support is a `SpecError`: the JSON pointer, what is wrong, and what
can be there instead. Nothing is written then.
"""
