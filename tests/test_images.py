"""What `images=` takes, and the errors for what it does not."""

from __future__ import annotations

import array
import base64
import io
from pathlib import Path
from typing import Any

import pytest

from autonomousai_sdk import ConfigurationError, Message

PNG = b"\x89PNG\r\n\x1a\n" + bytes(100)
JPEG = b"\xff\xd8\xff\xe0" + bytes(2**20)
URL = f"data:image/png;base64,{base64.b64encode(PNG).decode()}"


def url_of(image: Any) -> str:
    """The URL that an image becomes in a message."""
    message: Any = Message.user("What is this?", images=[image])
    url: str = message.content[1].image_url.url
    return url


@pytest.mark.parametrize("image", [PNG, bytearray(PNG), memoryview(PNG)])
def test_bytes_of_any_kind_become_a_data_url(image: Any) -> None:
    """Bytes, a bytearray and a memoryview are sent as the same image."""
    assert url_of(image) == URL


def test_a_file_becomes_a_data_url(tmp_path: Path) -> None:
    """A path may be a string or a path object, and its name does not matter."""
    path = tmp_path / "é no extension"
    path.write_bytes(PNG)
    assert url_of(path) == url_of(str(path)) == URL


@pytest.mark.parametrize("scheme", ["https://", "HTTPS://", "Http://", "data:", "DATA:"])
def test_a_url_is_sent_as_it_is(scheme: str) -> None:
    """The scheme's case does not matter, as RFC 3986 says."""
    assert url_of(f"{scheme}example.com/cat.png") == f"{scheme}example.com/cat.png"


@pytest.mark.parametrize("image", [PNG, JPEG])
@pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode, base64.encodebytes])
def test_base64_in_place_of_a_path_is_named(image: bytes, encode: Any) -> None:
    """Base64 text gets a short error that says what it is and how to pass it."""
    with pytest.raises(ConfigurationError, match="is base64 text, not a path") as caught:
        url_of(encode(image).decode())
    assert len(str(caught.value)) < 500


@pytest.mark.parametrize(
    ("image", "said"),
    [
        ("", "The path of an image is empty"),
        (b"", "The image is empty"),
        ("a\0b", r"'a\\x00b' is not a path: it contains a NUL character"),
        ("file:///tmp/cat.png", "is a file URL. Pass the file's path instead"),
        ("~/no such cat.png", r"cannot be read: No such file.*'~' is not expanded"),
        ("no such cat.png", "'no such cat.png' cannot be read: No such file or directory"),
        ("x" * 5000, "cannot be read: File name too long"),
        ("ftp://example.com/cat.png", "cannot be read"),
        (b"no image", "The image is not in a known image format"),
        (5, "An image is a path, the bytes .*, not int"),
        (None, "not NoneType"),
        (io.BytesIO(PNG), r"not BytesIO. Pass what its read\(\) returns"),
        (array.array("B", PNG), "not array"),
    ],
)
def test_what_is_not_an_image_is_refused(image: Any, said: str) -> None:
    """The error names the reason and is short, whatever was passed."""
    with pytest.raises(ConfigurationError, match=said) as caught:
        url_of(image)
    assert len(str(caught.value)) < 600


def test_an_image_object_is_refused_with_a_hint() -> None:
    """An object of an imaging library has to be saved first."""

    class Picture:
        save = tobytes = lambda: None

    with pytest.raises(ConfigurationError, match=r"to an io\.BytesIO and pass getvalue\(\)"):
        url_of(Picture())


def test_paths_that_are_not_image_files_are_refused(tmp_path: Path) -> None:
    """A directory, an empty file and a text file are each named."""
    empty, text = tmp_path / "empty.png", tmp_path / "text.png"
    empty.write_bytes(b"")
    text.write_text("not an image")
    for path, said in (
        (tmp_path, "cannot be read: Is a directory"),
        (empty, r"empty\.png' is empty"),
        (Path("/dev/zero"), "'/dev/zero' is a device or a pipe"),
        (Path("x" * 5000), "cannot be read: File name too long"),
        (text, r"text\.png' is not in a known image format"),
    ):
        with pytest.raises(ConfigurationError, match=said) as caught:
            url_of(path)
        assert len(repr(caught.value.__cause__)) < 2048


def test_a_path_of_bytes_is_refused() -> None:
    """A path object whose path is bytes cannot be told from an image's bytes."""

    class BytesPath:
        def __fspath__(self) -> bytes:
            return b"cat.png"

    with pytest.raises(ConfigurationError, match="The path of an image is a string, not bytes"):
        url_of(BytesPath())


@pytest.mark.parametrize("images", ["cat.png", PNG, bytearray(PNG), Path("cat.png"), 5])
def test_images_are_a_list(images: Any) -> None:
    """A single image, or what is not a list, is refused."""
    with pytest.raises(ConfigurationError, match="images= is a list"):
        Message.user("What is this?", images=images)
