# Written from spec/autonomousai.yaml by `python -m spec.generator`.
# Edit the spec and run that again; `--check` finds whatever is edited here.

"""What callers may pass: mappings where they do not want objects."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, NotRequired, TypedDict

from . import models


class ImageURLParam(TypedDict):
    """Where an image is. As a mapping."""

    url: str
    """An `https:` URL, or a `data:` URL that holds the image itself."""
    detail: NotRequired[str]
    """How closely to look, for engines that know the setting."""


class TextPartParam(TypedDict):
    """A piece of text in a message. As a mapping."""

    text: str
    """The text."""
    type: Literal["text"]
    """The kind of part."""


class ImagePartParam(TypedDict):
    """An image in a message. As a mapping."""

    image_url: models.ImageURL | ImageURLParam
    """Where an image is."""
    type: Literal["image_url"]
    """The kind of part."""


class MessageParam(TypedDict):
    """One message of a conversation. As a mapping."""

    role: Literal["system", "user", "assistant"] | str
    """Who speaks."""
    content: str | Sequence[models.TextPart | TextPartParam | models.ImagePart | ImagePartParam]
    """The text, or parts of text and images."""


Messages = str | Sequence[models.Message | MessageParam | models.ChatMessage | Mapping[str, object]]
"""A conversation: one user message as a string, or a sequence of messages.

`MessageParam` is for dicts written in place, `Mapping[str, object]` for dicts that
are built in a variable, whose type has no keys.
"""
