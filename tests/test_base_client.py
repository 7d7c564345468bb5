"""What both clients share, in each flavour: copies, pickles, subclasses, and patching in tests."""

from __future__ import annotations

import copy
import pickle
import threading
from collections.abc import Callable
from contextlib import aclosing
from typing import Any, cast
from unittest import mock

import httpx
import pytest

from autonomousai_sdk import AsyncChat, AsyncClient, Chat, Client, ConfigurationError, StreamError
from tests.support.backends import awaiting, on_each_backend
from tests.support.client_under_test import SDK, Options
from tests.support.fault_server import FaultServer
from tests.support.wire import document

KEY = "sk-sesame"

AnyClient = Client | AsyncClient
CLIENTS = pytest.mark.parametrize("cls", [Client, AsyncClient])


class TenantClient(Client):
    """A user's subclass, whose constructor takes arguments of its own."""

    def __init__(self, tenant: str, **options: Any) -> None:
        super().__init__(**options)
        self.tenant = tenant


class AsyncTenantClient(AsyncClient):
    """The same of the async client."""

    def __init__(self, tenant: str, **options: Any) -> None:
        super().__init__(**options)
        self.tenant = tenant


TENANTS = pytest.mark.parametrize("cls", [TenantClient, AsyncTenantClient])

COPIES: dict[str, Callable[[Any], Any]] = {
    "with_options": lambda client: client.with_options(),
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
    "deepcopy-in-a-list": lambda client: copy.deepcopy([client, client])[1],
}


@CLIENTS
def test_a_type_error_names_the_client(cls: type[AnyClient]) -> None:
    """A wrong argument of the constructor or of a method raises a TypeError that names the client.

    The generated base class defines these methods.
    """
    anything: Any = cls
    with pytest.raises(TypeError, match=rf"^{cls.__name__}\.__init__\(\) got an unexpected"):
        anything(bogus=1)
    with pytest.raises(TypeError, match=rf"^{cls.__name__}\.with_options\(\) takes 1"):
        anything().with_options({"timeout": 5})


@pytest.mark.parametrize("copied", COPIES.values(), ids=COPIES)
@pytest.mark.parametrize("given", ["nothing", "http_client", "transport"])
@CLIENTS
def test_a_copy_is_what_with_options_returns(
    cls: type[Any], given: str, copied: Callable[[Any], Any]
) -> None:
    """A copy has the client's options, its key included, and shares its connections."""
    own: dict[str, Any] = {}
    if given == "transport":
        own[given] = mock.Mock()
    elif given == "http_client":
        own[given] = httpx.Client() if cls is Client else httpx.AsyncClient()
    client: Any = cls(api_key=KEY, headers={"authorization": "Bearer x"}, timeout=5, **own)
    made: Any = copied(client)
    assert type(made) is cls
    assert made is not client
    assert made._options == client._options
    assert made._runner.settings.api_key.reveal() == KEY
    assert made._runner.connections is client._runner.connections
    assert made._runner.policy is client._runner.policy


@on_each_backend
async def test_closing_a_copy_leaves_the_client_open(client_under_test: SDK) -> None:
    """The connections belong to the client that opened them."""
    with FaultServer(document("a"), document("b")) as server:
        made = client_under_test.make(server.url, Options())
        copied = copy.deepcopy(made)
        assert (await client_under_test.calls(copied).chat.create("Hello")).text == "a"
        await client_under_test.close(copied)
        assert (await client_under_test.calls(made).chat.create("Hello")).text == "b"
        await client_under_test.close(made)
        with pytest.raises(ConfigurationError, match="closed"):
            await client_under_test.calls(copied).chat.create("Hello")
    assert len(server.connections) == 1


@CLIENTS
def test_a_resource_can_be_copied_deeply(cls: Any) -> None:
    """A deep copy of `client.chat` makes its calls on the client's connections."""
    client = cls(api_key=KEY)
    assert copy.deepcopy(client.chat)._runner is client._runner


@TENANTS
def test_a_copy_of_a_subclass_is_of_the_subclass(cls: type[Any]) -> None:
    """Copies and pickles keep the class and its attributes, and do not call its constructor."""
    client = cls("acme", model="vision", base_url="http://127.0.0.1:1")
    _ = client.chat, client.models
    for made in (
        client.with_options(timeout=5),
        copy.copy(client),
        copy.deepcopy(client),
        pickle.loads(pickle.dumps(client)),
    ):
        assert type(made) is cls
        assert made.tenant == "acme"
        assert made._options.model == "vision"
        assert made.chat is not client.chat
        assert made.models is not client.models


@CLIENTS
def test_a_pickled_client_has_its_options_and_other_connections(cls: type[Any]) -> None:
    """A pickle brings back the options; the connections stay where they are."""
    client = cls(model="hermes", headers={"x-team": "a"})
    made = pickle.loads(pickle.dumps(client))
    assert made._options == client._options
    assert made._runner.connections is not client._runner.connections
    with pytest.raises(ConfigurationError, match="cannot be pickled"):
        pickle.dumps(cls(transport=mock.Mock()))


@TENANTS
def test_a_client_shows_its_class_and_address_and_no_key(cls: Any) -> None:
    """The repr names the class, also of a subclass, and of a client that is not set up."""
    client = cls("acme", base_url="http://127.0.0.1:1/api", api_key=KEY)
    shown = "base_url='http://127.0.0.1:1/api' protocol='autonomousai' model='llama'"
    assert repr(client) == f"<{cls.__name__} {shown}>"
    assert repr(cls.__new__(cls)) == f"<{cls.__name__} not set up>"


@CLIENTS
def test_a_resource_is_one_object(cls: type[AnyClient]) -> None:
    """`client.chat` and `client.models` are the same object each time, from any thread."""
    for name in ("chat", "models"):
        client, found, start = cls(), set[int](), threading.Barrier(16)

        def look(
            client: AnyClient = client,
            found: set[int] = found,
            start: threading.Barrier = start,
            name: str = name,
        ) -> None:
            start.wait()
            found.add(id(getattr(client, name)))

        threads = [threading.Thread(target=look) for _ in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert found == {id(getattr(client, name))}


def answered(*arguments: object) -> str:
    """Return the last argument, in the place of a method that makes a call."""
    return f"patched: {arguments[-1]}"


@CLIENTS
def test_methods_can_be_patched(cls: type[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """A user's test replaces `create` on a client, on the class, or `chat` as a whole."""
    client = cls()
    with monkeypatch.context() as patch:
        patch.setattr(client.chat, "create", answered)
        assert client.chat.create("Hello") == "patched: Hello"
    assert "create" not in vars(client.chat)
    with mock.patch.object(client.chat, "stream", autospec=True) as stream:
        client.chat.stream("Hello", model="hermes")
    stream.assert_called_once_with("Hello", model="hermes")
    with mock.patch.object(Chat if cls is Client else AsyncChat, "create", answered):
        assert client.chat.create("Hello") == cls().chat.create("Hello") == "patched: Hello"
    with monkeypatch.context() as patch:
        patch.setattr(client, "chat", "other")
        assert client.chat == "other"
    assert mock.Mock(spec=cls).chat is not None


@awaiting
async def test_async_clients_and_streams_close_by_either_name(client_under_test: SDK) -> None:
    """`close` is the name of both clients; `aclose` is there for `contextlib.aclosing`."""
    with FaultServer(document("a")) as server:
        for name in ("close", "aclose"):
            client = AsyncClient(base_url=server.url)
            assert (await client.chat.create("Hello")).text == "a"
            stream = client.chat.stream("Hello")
            await getattr(stream, name)()
            with pytest.raises(StreamError, match="closed"):
                await stream.__anext__()
            await getattr(client, name)()
            with pytest.raises(ConfigurationError, match="closed"):
                await client.chat.create("Hello")
        async with aclosing(AsyncClient()) as client, aclosing(client.chat.stream("Hello")):
            pass


@CLIENTS
def test_options_are_checked_by_name(cls: type[Any]) -> None:
    """An option that does not exist is a TypeError, and one that a copy cannot change an error."""
    with pytest.raises(TypeError, match="'modle'"):
        cls(modle="llama")
    with pytest.raises(ConfigurationError, match="cannot change 'proxy'"):
        cls().with_options(**cast("Any", {"proxy": "http://x"}))
