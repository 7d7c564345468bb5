"""`verify=`, SSL_CERT_FILE and SSL_CERT_DIR: what is trusted, and what is refused beforehand."""

from __future__ import annotations

import os
import shutil
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import autonomousai_sdk as sdk
from autonomousai_sdk.transports import _tls
from autonomousai_sdk.transports._tls import context_factory
from tests.support.backends import put_to
from tests.support.certificate import CERTIFICATE, server_context
from tests.support.client_under_test import SDK, clients_under_test, settled
from tests.support.fault_server import FaultServer
from tests.support.wire import document

HASH_NAME = "ce275665.0"
"""What `openssl rehash` calls the certificate: `openssl x509 -subject_hash`."""


@pytest.fixture(autouse=True)
def _no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR"):
        monkeypatch.delenv(name, raising=False)


each_client = put_to(list(clients_under_test()))


def rubbish(folder: Path, source: str) -> dict[str, Path]:
    """Paths that name no certificates, by what they are."""
    paths = {
        "missing": folder / "missing.pem",
        "in-a-file": folder / "empty.pem" / "ca.pem",
        "empty": folder / "empty.pem",
        "text": folder / "text.pem",
        "der": folder / "der.pem",
        "key": CERTIFICATE.with_name("localhost.key"),
        "empty-folder": folder / "empty-folder",
        "unhashed-folder": folder / "unhashed-folder",
        "device": Path("/dev/null"),
        "other-kind": folder if source == "SSL_CERT_FILE" else CERTIFICATE,
        "long": folder / ("x" * 5000),
    }
    paths["empty"].write_bytes(b"")
    paths["text"].write_text("-----BEGIN CERTIFICATE-----\nrubbish\n-----END CERTIFICATE-----\n")
    paths["der"].write_bytes(ssl.PEM_cert_to_DER_cert(CERTIFICATE.read_text()))
    paths["empty-folder"].mkdir()
    paths["unhashed-folder"].mkdir()
    shutil.copy(CERTIFICATE, paths["unhashed-folder"] / "ca.pem")
    return paths


REFUSED = [
    (source, kind)
    for source in ("SSL_CERT_FILE", "SSL_CERT_DIR", "verify=")
    for kind in (
        "missing",
        "in-a-file",
        "empty",
        "text",
        "der",
        "key",
        "empty-folder",
        "unhashed-folder",
        "device",
        "other-kind",
        "long",
    )
    if (source, kind) != ("verify=", "other-kind")  # it takes both kinds
]


def hashed(folder: Path) -> Path:
    """A directory with the certificate under its hash name."""
    path = folder / "hashed"
    path.mkdir()
    shutil.copy(CERTIFICATE, path / HASH_NAME)
    return path


async def ask(client_under_test: SDK, url: str, **arguments: Any) -> str:
    """Ask for a completion with a client on the transport's own connections; its text."""
    if client_under_test.transport == "httpx":
        cls = sdk.Client if client_under_test.backend == "sync" else sdk.AsyncClient
        made: Any = cls(base_url=url, timeout=15, **arguments)
        transport: Any = None
    else:
        transport = type(client_under_test.new_transport())(**arguments)
        cls = sdk.Client if client_under_test.backend == "sync" else sdk.AsyncClient
        made = cls(base_url=url, timeout=15, transport=transport)
    try:
        completion = await client_under_test.calls(made).chat.create("Hello")
        return client_under_test.answer(completion)
    finally:
        for each in (made, transport):
            if each is not None:
                await settled(each.aclose() if hasattr(each, "aclose") else each.close())


@each_client
@pytest.mark.parametrize(("source", "kind"), REFUSED)
async def test_no_certificates(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    client_under_test: SDK,
    kind: str,
    source: str,
) -> None:
    """A path without certificates is an error with its source and itself; nothing is sent."""
    path = rubbish(tmp_path, source)[kind]
    arguments: dict[str, Any] = {}
    if source == "verify=":
        arguments["verify"] = path
    else:
        monkeypatch.setenv(source, str(path))
    with FaultServer(document(), tls=server_context()) as server:
        with pytest.raises(sdk.ConfigurationError) as caught:
            await ask(client_under_test, server.url, **arguments)
        assert not server.connections
    assert str(caught.value).startswith(f"{source}: ")
    assert str(path)[:100] in str(caught.value)
    assert len(str(caught.value)) < 600


def certificate_file(folder: Path) -> object:
    """The certificate's path."""
    return CERTIFICATE


def certificate_text(folder: Path) -> object:
    """The certificate's path, as text."""
    return str(CERTIFICATE)


def context(folder: Path) -> object:
    """A context of the caller's that trusts the certificate."""
    return ssl.create_default_context(cafile=CERTIFICATE)


@each_client
@pytest.mark.parametrize("verify", [certificate_file, certificate_text, hashed, context])
async def test_trusted_by_argument(
    tmp_path: Path, client_under_test: SDK, verify: Callable[[Path], object]
) -> None:
    """A file, a directory and a context of the caller's decide which certificates are trusted."""
    with FaultServer(document(), tls=server_context()) as server:
        assert await ask(client_under_test, server.url, verify=verify(tmp_path)) == "Hello world"


@each_client
@pytest.mark.parametrize("name", ["SSL_CERT_FILE", "SSL_CERT_DIR"])
async def test_trusted_by_environment(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, client_under_test: SDK, name: str
) -> None:
    """SSL_CERT_FILE and SSL_CERT_DIR decide which certificates the default trusts."""
    path = CERTIFICATE if name == "SSL_CERT_FILE" else hashed(tmp_path)
    monkeypatch.setenv(name, str(path))
    with FaultServer(document(), tls=server_context()) as server:
        assert await ask(client_under_test, server.url) == "Hello world"


@each_client
async def test_system(monkeypatch: pytest.MonkeyPatch, client_under_test: SDK) -> None:
    """`verify="system"` trusts what the system trusts: on Linux, what OpenSSL is told to."""
    pytest.importorskip("truststore")
    with FaultServer(document(), tls=server_context()) as server:
        with pytest.raises(sdk.APIConnectionError, match="TLS"):
            await ask(client_under_test, server.url, verify="system")
        monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATE))
        assert await ask(client_under_test, server.url, verify="system") == "Hello world"


@each_client
async def test_default_trusts_no_stranger(client_under_test: SDK) -> None:
    """The default does not trust a certificate that no authority has signed."""
    with FaultServer(document(), tls=server_context()) as server:
        with pytest.raises(sdk.APIConnectionError, match="TLS"):
            await ask(client_under_test, server.url)
        assert not server.requests


@pytest.mark.parametrize("client", [sdk.Client, sdk.AsyncClient])
@pytest.mark.parametrize(
    ("verify", "said"),
    [
        (False, r"verify=False is not supported: .*ssl\.SSLContext"),
        (None, "verify= is True, 'system', the path .* not NoneType"),
        (5, "not int"),
        (b"ca.pem", "not bytes"),
        ("", "verify= is empty"),
        ("a\x00b", r"verify=: 'a\\x00b' cannot be read: .*null"),
        (ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), "is an ssl.SSLContext for servers"),
    ],
)
def test_argument_of_another_kind(client: Any, verify: object, said: str) -> None:
    """What is neither a path nor a context is refused when the client is made."""
    with pytest.raises(sdk.ConfigurationError, match=said):
        client(verify=verify)


def test_long_path_is_cut() -> None:
    """Certificates passed as a path are not repeated in the error, nor in its cause."""
    pem = "-----BEGIN CERTIFICATE-----\n" + "A" * 5_000_000
    with pytest.raises(sdk.ConfigurationError, match="File name too long") as caught:
        sdk.Client(verify=pem)
    assert len(str(caught.value)) < 2048
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


def test_bytes_path_is_refused() -> None:
    """A path-like object whose path is bytes is refused."""

    class Bytes(os.PathLike[bytes]):
        def __fspath__(self) -> bytes:
            return b"ca.pem"

    with pytest.raises(sdk.ConfigurationError, match="type str, not bytes"):
        context_factory(Bytes(), {})


def _find_nothing(name: str) -> None:
    """Find no package."""


def test_system_without_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    """`verify="system"` without truststore is refused with what to install."""
    monkeypatch.setattr(_tls, "find_spec", _find_nothing)
    with pytest.raises(
        sdk.ConfigurationError, match=r'pip install "autonomousai-sdk\[truststore\]"'
    ):
        sdk.Client(verify="system")


@pytest.mark.parametrize("client", [sdk.Client, sdk.AsyncClient])
@pytest.mark.parametrize("name", ["http_client", "transport"])
@pytest.mark.parametrize("option", [{"verify": "ca.pem"}, {"verify": False}, {"proxy": "http://p"}])
def test_not_beside_the_callers_connections(
    client: Any, name: str, option: dict[str, object]
) -> None:
    """`verify=` and `proxy=` beside `http_client=` or `transport=` are refused."""
    with pytest.raises(sdk.ConfigurationError, match=f"{next(iter(option))}= and {name}= were bot"):
        client(**{name: object()}, **option)


def test_not_beside_a_transports_client() -> None:
    """A transport on a caller's client refuses `verify=` and `proxy=` of its own."""
    import httpx

    options: list[dict[str, Any]] = [{"verify": CERTIFICATE}, {"proxy": "http://proxy"}]
    with httpx.Client() as client:
        for option in options:
            with pytest.raises(sdk.ConfigurationError, match="set it on that client"):
                sdk.HTTPXTransport(client=client, **option)


def test_default_context_is_made_once_and_late(monkeypatch: pytest.MonkeyPatch) -> None:
    """The default certificates are loaded when TLS is first used, and only then."""
    environ = {"SSL_CERT_FILE": "/missing.pem"}
    new_context = context_factory(True, environ)
    with pytest.raises(sdk.ConfigurationError, match=r"SSL_CERT_FILE: '/missing\.pem' cannot be "):
        new_context()
    environ["SSL_CERT_FILE"] = ""
    assert new_context() is new_context()


def test_every_directory_of_a_list_is_checked(tmp_path: Path) -> None:
    """SSL_CERT_DIR may list directories, and each of them has to be one."""
    listed = os.pathsep.join([str(hashed(tmp_path)), str(tmp_path / "missing")])
    with pytest.raises(sdk.ConfigurationError, match="SSL_CERT_DIR: .*missing' cannot be read"):
        context_factory(True, {"SSL_CERT_DIR": listed})()
    context_factory(True, {"SSL_CERT_DIR": str(tmp_path / "hashed")})()


def test_both_variables(tmp_path: Path) -> None:
    """SSL_CERT_FILE and SSL_CERT_DIR apply together, and both are checked."""
    environ = {"SSL_CERT_FILE": str(CERTIFICATE), "SSL_CERT_DIR": str(hashed(tmp_path))}
    context_factory(True, environ)()
    for name in environ:
        with pytest.raises(sdk.ConfigurationError, match=f"{name}: '/missing' cannot be read"):
            context_factory(True, {**environ, name: "/missing"})()


def test_folder_that_cannot_be_listed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A directory that may not be listed is an error with the system's reason."""

    def refuse(path: Path) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "iterdir", refuse)  # root may list everything
    with pytest.raises(sdk.ConfigurationError, match="verify=: .* cannot be read: Permission den"):
        context_factory(tmp_path, {})


def test_file_that_cannot_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that may not be read is an error with the system's reason."""

    def refuse(**where: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(ssl, "create_default_context", refuse)  # root may read everything
    with pytest.raises(sdk.ConfigurationError, match="verify=: .* cannot be read: Permission den"):
        context_factory(CERTIFICATE, {})
