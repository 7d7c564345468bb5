"""`Message` as users write it: the generated class, with constructors.

The one place below the command line that reads a file: an image a caller names by path.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from os import PathLike, fspath
from pathlib import Path

from attrs import frozen, resolve_types

from ._generated import models
from ._generated.models import ImagePart, ImageURL, TextPart
from .errors import ConfigurationError

Image = str | bytes | PathLike[str]
"""An image: a path, the bytes of a file, or a URL (`https:`, `http:` or `data:`)."""

_SIGNATURES: tuple[tuple[int, bytes, str], ...] = (
    # Offset, bytes, media type: WHATWG MIME Sniffing, section 6.1, and ISO 23008-12 brands.
    (0, b"\x89PNG\r\n\x1a\n", "image/png"),
    (0, b"\xff\xd8\xff", "image/jpeg"),
    (0, b"GIF87a", "image/gif"),
    (0, b"GIF89a", "image/gif"),
    (8, b"WEBPVP", "image/webp"),
    (0, b"BM", "image/bmp"),
    (0, b"II*\x00", "image/tiff"),
    (0, b"MM\x00*", "image/tiff"),
    (4, b"ftypavif", "image/avif"),
    (4, b"ftypheic", "image/heic"),
)
_URL_SCHEMES = ("https://", "http://", "data:")

# A constructor that attrs writes has its fields' annotations as they stand: as strings, these
# would be looked up in this module.
resolve_types(models.Message)


@frozen
class Message(models.Message):
    """One message of a conversation.

    Args:
        role: the author's role: `system`, `user`, `assistant`, `tool`, or another that the engine
            accepts.
        content: the text, or a list of `TextPart` and `ImagePart`.
        name: the author's name, to tell apart several authors of one role.
        tool_call_id: the id of the tool call that the message answers.
        tool_calls: the calls of tools that the model asked for.

    Example:
        >>> client.chat.create([
        ...     Message.system("Be brief."),
        ...     Message.user("What is this?", images=["cat.png"]),
        ... ], model="vision")
    """

    @classmethod
    def system(cls, text: str) -> Message:
        """A message that tells the model how to behave."""
        return cls(role="system", content=text)

    @classmethod
    def user(cls, text: str, *, images: Sequence[Image] = ()) -> Message:
        """A message from the person, with images if the model takes them.

        Args:
            text: what they say.
            images: each a path, the bytes of an image file, or a URL. A file is read now,
                and becomes a `data:` URL of the media type its first bytes show.

        Raises:
            ConfigurationError: a file that cannot be read or is no image, or a single
                image where a list belongs.

        Example:
            >>> Message.user("What is this?", images=["cat.png", "https://example.com/dog.jpg"])
        """
        if isinstance(images, (str, bytes, PathLike)):
            raise ConfigurationError("images= is a list: put the one image in brackets.")
        if not images:
            return cls(role="user", content=text)
        parts = [ImagePart(image_url=ImageURL(url=image_url(image))) for image in images]
        return cls(role="user", content=(TextPart(text=text), *parts))

    @classmethod
    def assistant(cls, text: str) -> Message:
        """A message from the model: an earlier answer, given back as history."""
        return cls(role="assistant", content=text)

    @classmethod
    def tool(cls, call_id: str, text: str) -> Message:
        """The result of a tool call.

        Args:
            call_id: the `id` of the call, from `completion.tool_calls`.
            text: the result.

        Example:
            >>> messages += [completion.message, Message.tool(call.id, "21 °C")]
        """
        return cls(role="tool", tool_call_id=call_id, content=text)


def image_url(image: Image) -> str:
    """The URL an image goes by: its own, or a `data:` URL (RFC 2397) with its bytes.

    Raises:
        ConfigurationError: a file that cannot be read, or bytes that are no image.
    """
    if isinstance(image, str) and image.startswith(_URL_SCHEMES):
        return image
    if isinstance(image, bytes):
        data, source = image, "these bytes"
    elif isinstance(image, (str, PathLike)):
        source = fspath(image)
        try:
            data = Path(source).read_bytes()
        except OSError as error:
            raise ConfigurationError(
                f"The image {source!r} cannot be read: {error.strerror or error}. An image is a "
                "path, the bytes of an image file, or a URL (https:, http: or data:)."
            ) from error
    else:
        raise ConfigurationError(f"An image is a path, bytes or a URL, not {type(image).__name__}.")
    media_type = _media_type(data)
    if media_type is None:
        raise ConfigurationError(
            f"The image {source!r} is of no known kind (PNG, JPEG, GIF, WebP, BMP, TIFF, AVIF, "
            "HEIC): give the path or the bytes of an image file."
        )
    return f"data:{media_type};base64,{base64.b64encode(data).decode('ascii')}"


def _media_type(data: bytes) -> str | None:
    return next((kind for start, mark, kind in _SIGNATURES if data.startswith(mark, start)), None)
