"""The certificate that fault servers speak TLS with: for `localhost`, signed by itself."""

from __future__ import annotations

import ssl
from pathlib import Path

FOLDER = Path(__file__).parent.parent / "data" / "tls"
CERTIFICATE = FOLDER / "localhost.pem"


def server_context() -> ssl.SSLContext:
    """What a server needs to speak TLS with it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE, FOLDER / "localhost.key")
    return context
