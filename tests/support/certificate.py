"""The self-signed certificate of the fault servers, for `localhost`."""

from __future__ import annotations

import ssl
from pathlib import Path

FOLDER = Path(__file__).parent.parent / "data" / "tls"
CERTIFICATE = FOLDER / "localhost.pem"


def server_context() -> ssl.SSLContext:
    """Return a server's TLS context with this certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE, FOLDER / "localhost.key")
    return context
