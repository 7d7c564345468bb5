"""`Message` as users write it: the generated class, with constructors.

The one place below the command line that reads a file: an image a caller names by path.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence
from os import PathLike, fspath
from pathlib import Path
from stat import S_ISDIR, S_ISREG

from attrs import frozen, resolve_types

from ._core.display import MAX_LENGTH, display
from ._generated import models
from ._generated.models import ImagePart, ImageURL, TextPart
from .errors import ConfigurationError

Image = str | bytes | bytearray | memoryview | PathLike[str]
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

    Attributes:
        role: the author's role: `system`, `user`, `assistant`, `tool`, or another that the engine
            accepts.
        content: the text, or a list of `TextPart` and `ImagePart`.
        name: the author's name, to tell apart several authors of one role.
        tool_call_id: the id of the tool call that the message answers.
        tool_calls: the calls of tools that the model asked for.

    Examples:
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
            ConfigurationError: a file cannot be read or is not an image, or `images` is
                a single image instead of a list.

        Examples:
            >>> Message.user("What is this?", images=["cat.png", "https://example.com/dog.jpg"])
        """
        if isinstance(images, (str, bytes, bytearray, memoryview, PathLike)):
            raise ConfigurationError("images= is a list: put the one image in brackets.")
        if not isinstance(images, Iterable):
            raise ConfigurationError(f"images= is a list, not {type(images).__name__}.")
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

        Examples:
            >>> messages += [completion.message, Message.tool(call.id, "21 °C")]
        """
        return cls(role="tool", tool_call_id=call_id, content=text)


def image_url(image: Image) -> str:
    """The URL of an image: its own, or a `data:` URL (RFC 2397) with its bytes.

    Raises:
        ConfigurationError: a file that cannot be read, or bytes that are not an image.
    """
    if isinstance(image, str) and image[:8].lower().startswith(_URL_SCHEMES):
        return image
    if isinstance(image, (bytes, bytearray, memoryview)):
        data, source = bytes(image), "The image"
    elif isinstance(image, (str, PathLike)):
        data, source = _read(image), f"The image {display(fspath(image))}"
    else:
        raise ConfigurationError(f"{_FORMS}, not {type(image).__name__}.{_hint(image)}")
    if not data:
        raise ConfigurationError(f"{source} is empty. {_FORMS}.")
    media_type = _media_type(data)
    if media_type is None:
        raise ConfigurationError(
            f"{source} is not in a known image format (PNG, JPEG, GIF, WebP, BMP, TIFF, AVIF, "
            "HEIC). Pass the path or the bytes of an image file."
        )
    return f"data:{media_type};base64,{base64.b64encode(data).decode('ascii')}"


_FORMS = "An image is a path, the bytes of an image file, or a URL (https:, http: or data:)"


def _read(image: str | PathLike[str]) -> bytes:
    """The bytes of an image file.

    Raises:
        ConfigurationError: the file cannot be read; the message says what was passed instead of
            a path, where that can be told.
    """
    path = fspath(image)
    if not isinstance(path, str):
        raise ConfigurationError(f"The path of an image is a string, not {type(path).__name__}.")
    if not path:
        raise ConfigurationError(f"The path of an image is empty. {_FORMS}.")
    name = display(path)
    if _is_base64_image(path):
        raise ConfigurationError(
            f"The image {name} is base64 text, not a path. Pass the decoded bytes, or a URL: "
            "'data:image/png;base64,' and the text."
        )
    if path[:5].lower() == "file:":
        raise ConfigurationError(f"The image {name} is a file URL. Pass the file's path instead.")
    if "\0" in path:
        raise ConfigurationError(f"The image {name} is not a path: it contains a NUL character.")
    try:
        mode = Path(path).stat().st_mode
        if not (S_ISREG(mode) or S_ISDIR(mode)):  # such as /dev/zero, which never ends
            raise ConfigurationError(f"The image {name} is a device or a pipe. {_FORMS}.")
        return Path(path).read_bytes()
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        expand = " A '~' is not expanded: use Path.expanduser()." if path.startswith("~") else ""
        raise ConfigurationError(
            f"The image {name} cannot be read: {reason or error}.{expand} {_FORMS}."
        ) from (error if len(path) <= MAX_LENGTH else None)


def _is_base64_image(text: str) -> bool:
    """Whether a text is an image file in base64, by its first bytes."""
    start = "".join(text[:80].split())[:32]
    try:
        data = base64.b64decode(start.replace("-", "+").replace("_", "/"), validate=True)
    except ValueError:
        return False
    return len(start) == 32 and _media_type(data) is not None


def _hint(image: object) -> str:
    """How to pass an image that came in another form."""
    if hasattr(image, "read"):
        return " Pass what its read() returns."
    if hasattr(image, "save") and hasattr(image, "tobytes"):
        return " Save it to an io.BytesIO and pass getvalue()."
    return ""


def _media_type(data: bytes) -> str | None:
    return next((kind for start, mark, kind in _SIGNATURES if data.startswith(mark, start)), None)
