"""JSON schemas from files: what an answer must be, checked by `jsonschema`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, cast

from attrs import frozen

from .._core.schema import Schema, SchemaError
from ..errors import ConfigurationError


@frozen
class FileSchema(Schema):
    """A JSON schema that stands for itself instead of a Python type.

    Attributes:
        validator: checks values against the schema.
    """

    validator: Any

    def structure(self, value: object) -> Any:
        """Return a JSON value that matches the schema.

        Raises:
            SchemaError: the value does not match.
        """
        problems = tuple(
            f"{error.json_path}: {error.message}" for error in self.validator.iter_errors(value)
        )
        if problems:
            raise SchemaError(problems)
        return value


def read_schema(path: str) -> FileSchema:
    """Read a JSON schema from a file.

    Raises:
        ConfigurationError: the file is not a JSON schema, or the package that checks values is
            missing.
    """
    try:
        from jsonschema.exceptions import SchemaError as InvalidSchema
        from jsonschema.validators import Draft202012Validator, validator_for
    except ImportError as error:
        raise ConfigurationError(
            '--schema needs jsonschema: pip install "autonomousai-sdk[cli]"'
        ) from error
    try:
        given: Any = json.loads(Path(path).read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise ConfigurationError(f"--schema: {error}.") from error
    except ValueError as error:
        raise ConfigurationError(f"--schema: {path} is not JSON: {error}.") from error
    if not isinstance(given, dict):
        raise ConfigurationError(f"--schema: {path} is not a JSON object.")
    schema = cast("dict[str, Any]", given)
    validator = validator_for(schema, default=Draft202012Validator)
    try:
        validator.check_schema(schema)
    except InvalidSchema as error:
        raise ConfigurationError(
            f"--schema: {path} is not a JSON schema: {error.json_path}: {error.message}."
        ) from error
    return FileSchema(Path(path).stem, schema, validator(schema))
