"""The `verify=` argument: which certificate authorities a connection trusts.

    True        certifi's, or those of SSL_CERT_FILE and SSL_CERT_DIR
    a path      a file of PEM certificates, or a directory that `openssl rehash` has indexed
    "system"    the operating system's, by the package truststore
    an SSLContext of the caller's, used as it is

OpenSSL ignores a directory that does not exist, and reports a missing file without its name.
So both are checked here first, and every error names the argument or variable and the path.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from importlib.util import find_spec
from pathlib import Path
from stat import S_ISDIR, S_ISREG
from typing import TYPE_CHECKING, cast

from ..errors import ConfigurationError

if TYPE_CHECKING:
    import ssl

_HASH_NAME = re.compile(r"[0-9a-f]{8}\.\d+", re.ASCII)
_SHOWN = 200
"""Characters of a path that an error repeats."""


def context_factory(verify: object, environ: Mapping[str, str]) -> Callable[[], ssl.SSLContext]:
    """Check `verify=`; return a function that makes the TLS context, once.

    The default context is made by the first call of that function, because loading its
    certificates takes longer than a request. Every other is made here, so that an argument
    that cannot work fails where it is passed.

    Args:
        verify: the argument, a bool, path, `ssl.SSLContext` or "system".
        environ: the environment variables.

    Raises:
        ConfigurationError: the argument cannot work.
    """
    if verify is True:
        return _Once(environ)
    context = _given_context(verify)
    return lambda: context


class _Once:
    """Makes the default context when it is first called."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self._context: ssl.SSLContext | None = None

    def __call__(self) -> ssl.SSLContext:
        if self._context is None:
            self._context = _default_context(self._environ)
        return self._context


def _default_context(environ: Mapping[str, str]) -> ssl.SSLContext:
    """The context of `verify=True`.

    Raises:
        ConfigurationError: SSL_CERT_FILE or SSL_CERT_DIR names no certificates.
    """
    file = environ.get("SSL_CERT_FILE") or None
    folders = environ.get("SSL_CERT_DIR") or None
    if file is not None:
        _check_file(file, "SSL_CERT_FILE")
    for folder in () if folders is None else folders.split(os.pathsep):  # as OpenSSL does
        _check_folder(folder, "SSL_CERT_DIR")
    if file is not None:
        return _loaded("SSL_CERT_FILE", file, cafile=file, capath=folders)
    if folders is not None:
        return _loaded("SSL_CERT_DIR", folders, capath=folders)
    import certifi

    return _loaded("certifi", certifi.where(), cafile=certifi.where())


def _given_context(verify: object) -> ssl.SSLContext:
    if verify is False:
        raise ConfigurationError(
            "verify=False is not supported: without verification anyone on the way can read "
            "the key and the prompts. Pass the path of the server's CA certificate, "
            "verify='ca.pem', or an ssl.SSLContext of your own."
        )
    if verify == "system":
        return _system_context()
    if isinstance(verify, (str, os.PathLike)):
        path: object = os.fspath(cast("str | os.PathLike[str]", verify))
        if not isinstance(path, str):
            raise ConfigurationError("verify= is a path of type str, not bytes.")
        if not path:
            raise ConfigurationError("verify= is empty; pass a path, or True for the default.")
        if not _is_directory(path, "verify="):
            return _loaded("verify=", path, cafile=path)
        _check_folder(path, "verify=")
        return _loaded("verify=", path, capath=path)
    import ssl

    if not isinstance(verify, ssl.SSLContext):
        raise ConfigurationError(
            "verify= is True, 'system', the path of a CA bundle or directory, or an "
            f"ssl.SSLContext, not {type(verify).__name__}."
        )
    if verify.protocol is ssl.PROTOCOL_TLS_SERVER:
        raise ConfigurationError(
            "verify= is an ssl.SSLContext for servers; make one for clients with "
            "ssl.create_default_context()."
        )
    return verify


def _system_context() -> ssl.SSLContext:
    if find_spec("truststore") is None:
        raise ConfigurationError(
            "verify='system' needs the package truststore: "
            'pip install "autonomousai-sdk[truststore]". '
            "(A file named system is verify='./system'.)"
        )
    import ssl

    import truststore

    return truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def _check_file(path: str, source: str) -> None:
    """Check that a path is a file."""
    if _is_directory(path, source):
        raise ConfigurationError(
            f"{source}: {_shown(path)} is a directory; name a file of PEM certificates, or set "
            "SSL_CERT_DIR instead."
        )


def _loaded(
    source: str, path: str, *, cafile: str | None = None, capath: str | None = None
) -> ssl.SSLContext:
    import ssl

    try:
        return ssl.create_default_context(cafile=cafile, capath=capath)
    except ssl.SSLError as error:
        raise ConfigurationError(
            f"{source}: {_shown(path)} cannot be loaded as certificates in PEM form: "
            f"{error.reason or error}."
        ) from error
    except OSError as error:
        raise _unusable(source, path, error) from error


def _is_directory(path: str, source: str) -> bool:
    """Whether a path is a directory and not a file.

    Raises:
        ConfigurationError: it is neither, or cannot be looked at.
    """
    try:
        mode = Path(path).stat().st_mode
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        raise _unusable(source, path, error) from (error if len(path) <= _SHOWN else None)
    if not (S_ISDIR(mode) or S_ISREG(mode)):
        raise ConfigurationError(f"{source}: {_shown(path)} is neither a file nor a directory.")
    return S_ISDIR(mode)


def _check_folder(path: str, source: str) -> None:
    """Check that a directory has certificates where OpenSSL looks for them."""
    if not _is_directory(path, source):
        raise ConfigurationError(
            f"{source}: {_shown(path)} is a file; name a directory, or set SSL_CERT_FILE instead."
        )
    try:
        names = [each.name for each in Path(path).iterdir()]
    except OSError as error:
        raise _unusable(source, path, error) from error
    if not any(map(_HASH_NAME.fullmatch, names)):
        raise ConfigurationError(
            f"{source}: the directory {_shown(path)} has no certificates under the names that "
            "OpenSSL looks for, such as 9d66eef0.0; run: openssl rehash DIRECTORY."
        )


def _unusable(source: str, path: str, error: Exception) -> ConfigurationError:
    reason = getattr(error, "strerror", None) or error
    return ConfigurationError(f"{source}: {_shown(path)} cannot be read: {reason}.")


def _shown(path: str) -> str:
    return repr(path if len(path) <= _SHOWN else f"{path[:_SHOWN]}…")
