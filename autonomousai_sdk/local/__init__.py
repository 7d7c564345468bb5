"""A local server that speaks AutonomousAI's protocol in front of a real model.

    from autonomousai_sdk import Client
    from autonomousai_sdk.local import LocalServer

    with LocalServer() as server, Client(base_url=server.base_url) as client:
        print(client.chat.create("Why is the sky blue?").text)

Needs the extra `[server]`; the engines that run a model here need `[local]`.
"""

from __future__ import annotations

from .server import LocalServer

__all__ = ["LocalServer"]
