"""The httpx transport by itself, with httpx's answers scripted: what it sends, and its errors."""

from __future__ import annotations

import httpx
import pytest
from pytest_httpx import HTTPXMock

from autonomousai_sdk import AsyncHTTPXTransport, HTTPXTransport, Timeout, TransportError
from autonomousai_sdk._core.exchange import ErrorKind, Request

REQUEST = Request(
    method="POST",
    url="http://127.0.0.1:1/api/chat",
    headers=(("content-type", "application/json"), ("x-twice", "1")),
    content=b"{}",
)

FAULTS: list[tuple[Exception, ErrorKind, str]] = [
    (httpx.ConnectTimeout("slow"), "timeout", "connect"),
    (httpx.ReadTimeout("slow"), "timeout", "read"),
    (httpx.WriteTimeout("slow"), "timeout", "write"),
    (httpx.PoolTimeout("slow"), "timeout", "pool"),
    (httpx.ConnectError("refused"), "connect", "connect"),
    (httpx.ProxyError("403"), "connect", "connect"),
    (httpx.ReadError(""), "broken", "read"),
    (httpx.WriteError(""), "broken", "write"),
    (httpx.RemoteProtocolError("bad"), "broken", "read"),
    (httpx.LocalProtocolError("bad"), "request", "write"),
    (httpx.UnsupportedProtocol("ftp"), "request", "connect"),
    (OSError("unforeseen"), "broken", "read"),
]


@pytest.fixture(params=["own", "given"])
def transport(request: pytest.FixtureRequest) -> HTTPXTransport:
    """The transport on connections of its own, and on a caller's client."""
    return HTTPXTransport(client=httpx.Client() if request.param == "given" else None)


@pytest.fixture(params=["own", "given"])
def async_transport(request: pytest.FixtureRequest) -> AsyncHTTPXTransport:
    """The awaiting transport on connections of its own, and on a caller's client."""
    return AsyncHTTPXTransport(client=httpx.AsyncClient() if request.param == "given" else None)


def test_sends_the_request_as_it_is(httpx_mock: HTTPXMock, transport: HTTPXTransport) -> None:
    """Method, URL, headers and content go out unchanged; status, headers and body come back."""
    httpx_mock.add_response(status_code=201, headers=[("x-a", "1"), ("x-a", "2")], content=b"ok")
    response = transport.send(REQUEST, Timeout())
    assert response.status == 201
    assert [value for name, value in response.headers if name.lower() == "x-a"] == ["1", "2"]
    assert response.read(1) == b"ok"
    assert response.read(None) == b""
    response.close()
    sent = httpx_mock.get_request()
    assert sent is not None
    assert (sent.method, str(sent.url), sent.content) == (REQUEST.method, REQUEST.url, b"{}")
    assert sent.headers["x-twice"] == "1"


@pytest.mark.anyio
async def test_sends_the_request_as_it_is_awaiting(
    httpx_mock: HTTPXMock, async_transport: AsyncHTTPXTransport
) -> None:
    """The awaiting twin does the same."""
    httpx_mock.add_response(status_code=201, headers=[("x-a", "1"), ("x-a", "2")], content=b"ok")
    response = await async_transport.send(REQUEST, Timeout())
    assert response.status == 201
    assert [value for name, value in response.headers if name.lower() == "x-a"] == ["1", "2"]
    assert await response.read(1) == b"ok"
    assert await response.read(None) == b""
    await response.aclose()
    sent = httpx_mock.get_request()
    assert sent is not None
    assert (sent.method, str(sent.url), sent.content) == (REQUEST.method, REQUEST.url, b"{}")


def test_redirects_are_handed_over(httpx_mock: HTTPXMock) -> None:
    """A redirect is an answer like any other, even if the caller's client would follow it."""
    httpx_mock.add_response(status_code=307, headers={"location": "http://127.0.0.1:2/"})
    with httpx.Client(follow_redirects=True) as client:
        assert HTTPXTransport(client=client).send(REQUEST, Timeout()).status == 307
    assert len(httpx_mock.get_requests()) == 1


@pytest.mark.parametrize(("error", "kind", "phase"), FAULTS, ids=lambda value: repr(value)[:30])
def test_errors_say_what_kind_they_are(
    httpx_mock: HTTPXMock,
    transport: HTTPXTransport,
    error: Exception,
    kind: ErrorKind,
    phase: str,
) -> None:
    """Each error of httpx is a `TransportError` of its kind, with a message and its cause."""
    httpx_mock.add_exception(error)
    with pytest.raises(TransportError) as caught:
        transport.send(REQUEST, Timeout())
    assert (caught.value.kind, caught.value.phase) == (kind, phase)
    assert caught.value.message
    assert caught.value.__cause__ is error


@pytest.mark.anyio
async def test_errors_say_what_kind_they_are_awaiting(
    httpx_mock: HTTPXMock, async_transport: AsyncHTTPXTransport
) -> None:
    """The awaiting twin uses the same table."""
    httpx_mock.add_exception(httpx.ReadError(""))
    with pytest.raises(TransportError) as caught:
        await async_transport.send(REQUEST, Timeout())
    assert (caught.value.kind, caught.value.phase) == ("broken", "read")


def test_a_given_client_is_never_closed() -> None:
    """Closing the transport leaves the caller's client open."""
    with httpx.Client() as client:
        HTTPXTransport(client=client).close()
        assert not client.is_closed
