"""What went wrong, as the error a caller gets, with every secret taken out."""

from __future__ import annotations

import json
import pickle
from typing import Any, get_args

import pytest

from autonomousai_sdk import errors
from autonomousai_sdk._core.exchange import ErrorKind, Failure, TransportError
from autonomousai_sdk._core.failure import (
    CLASS_BY_STATUS,
    EXCERPT,
    KEPT_BYTES,
    STATUS_BY_CODE,
    TIMEOUT_MESSAGES,
    Context,
    closed_error,
    connection_error,
    error_in,
    event_error,
    interrupted_error,
    response_error,
    status_error,
    stream_decode_error,
    without_errors,
)
from autonomousai_sdk._core.headers import Headers
from autonomousai_sdk._core.protocol import Advice
from autonomousai_sdk._core.secret import HIDDEN, Secret
from autonomousai_sdk._core.timeout import LIMITS
from autonomousai_sdk.errors import (
    APIConnectionError,
    APIStatusError,
    APITimeoutError,
    AutonomousAIError,
    ConfigurationError,
    InternalServerError,
    RateLimitError,
    StreamError,
)

KEY = "sk-sesame/1"
CONTEXT = Context("POST https://service.example/chat", 2, Secret(KEY))
NO_KEY = Context("POST https://service.example/chat", 1, None)
HEADERS = Headers([("x-request-id", "req-7"), ("x-echo", KEY)])
ANSWERED = CONTEXT.answered("req-7")


def failure(kind: ErrorKind, message: str = "said so", limit: str = "read") -> Failure:
    """A try that failed."""
    return Failure(
        error=TransportError(kind, message), limit=limit, seconds=2.5, elapsed=3.0, duration=2.5
    )


def status(code: int, body: object = "", headers: Headers = HEADERS) -> APIStatusError:
    """The error for an answer; a body that is no text is sent as JSON."""
    text = body if isinstance(body, str) else json.dumps(body)
    return status_error(ANSWERED, code, headers, text.encode())


def texts_of(error: BaseException) -> str:
    """All that an error shows or holds, and all that caused it."""
    shown: list[str] = []
    seen: BaseException | None = error
    while seen is not None:
        shown += [str(seen), repr(seen), repr(vars(seen)), str(seen.__traceback__ is not None)]
        seen = seen.__cause__ or seen.__context__
    return "\n".join(shown)


def test_a_context_takes_the_request_id_of_the_response() -> None:
    """The context of a response has its request id, without the key if the server repeats it."""
    assert CONTEXT.request_id is None
    assert CONTEXT.answered("req-7").request_id == "req-7"
    assert CONTEXT.answered("req-7").attempt == 2
    assert NO_KEY.answered("req-7").request_id == "req-7"
    assert CONTEXT.answered(KEY).request_id == HIDDEN


def test_without_a_key_nothing_is_redacted() -> None:
    """There is nothing to look for."""
    assert NO_KEY.redact(KEY) == KEY
    assert NO_KEY.redact_bytes(KEY.encode()) == KEY.encode()
    assert NO_KEY.redact_headers(HEADERS) == HEADERS
    assert CONTEXT.redact_headers(HEADERS)["x-echo"] == HIDDEN


@pytest.mark.parametrize(
    ("kind", "cls", "said"),
    [
        ("connect", APIConnectionError, "No connection could be made: said so."),
        ("tls", APIConnectionError, "TLS verification is on, and no secure connection could"),
        ("broken", APIConnectionError, "The connection broke before a response arrived: said so."),
        ("timeout", APITimeoutError, r"No data received for 2\.5 s \(timeout: read\)"),
        ("request", ConfigurationError, "The request cannot be sent: said so."),
    ],
)
def test_a_failure_becomes_the_error_of_its_kind(
    kind: ErrorKind, cls: type[AutonomousAIError], said: str
) -> None:
    """With the transport's own error as its cause, the endpoint, and the try."""
    given = failure(kind)
    error = connection_error(given, CONTEXT)
    assert type(error) is cls
    with pytest.raises(cls, match=said):
        raise error
    assert error.__cause__ is given.error
    assert error.endpoint == CONTEXT.endpoint
    assert error.attempt == (None if kind == "request" else 2)


def test_every_fault_has_its_words() -> None:
    """Whatever a transport may say becomes an error and never a KeyError."""
    for kind in get_args(ErrorKind):
        assert connection_error(failure(kind), NO_KEY).message


@pytest.mark.parametrize("limit", LIMITS)
def test_an_expired_limit_is_named_with_its_length(limit: str) -> None:
    """The message has the name to set in `Timeout`, and so has the error."""
    error = connection_error(failure("timeout", limit=limit), CONTEXT)
    assert isinstance(error, APITimeoutError)
    assert (error.limit, error.seconds) == (limit, 2.5)
    assert f"2.5 s (timeout: {limit})" in error.message
    assert ("said so" in error.message) is (limit == "pool")  # which streams hold the pool
    assert set(TIMEOUT_MESSAGES) == set(LIMITS)


@pytest.mark.parametrize("kind", get_args(ErrorKind))
def test_the_frames_of_a_cause_are_dropped(kind: ErrorKind) -> None:
    """They hold the request as it went out, key included."""

    def fails(authorization: str) -> None:
        try:
            raise ValueError("inner")
        except ValueError as inner:
            raise TransportError(kind, "outer") from inner

    with pytest.raises(TransportError) as caught:
        fails(f"Bearer {KEY}")
    given = Failure(error=caught.value, limit="read", seconds=1, elapsed=1, duration=1)
    error = connection_error(given, CONTEXT)
    outer = error.__cause__
    assert isinstance(outer, TransportError)
    assert outer is caught.value
    inner = outer.__cause__
    assert isinstance(inner, ValueError)
    assert outer.__traceback__ is inner.__traceback__ is None


def test_a_cause_that_repeats_the_key_is_no_cause() -> None:
    """Nor is what caused it; what stands before it stays."""
    error = connection_error(failure("broken", f"refused {KEY}"), CONTEXT)
    assert KEY not in texts_of(error)
    assert error.message.endswith(f"refused {HIDDEN}.")
    assert error.__cause__ is None

    inner = ValueError(f"header Bearer {KEY}")
    outer = TransportError("broken", "outer")
    for chained in (True, False):
        outer.__cause__ = inner if chained else None
        outer.__context__ = inner
        given = Failure(error=outer, limit="read", seconds=1, elapsed=1, duration=1)
        error = connection_error(given, CONTEXT)
        assert error.__cause__ is outer
        assert KEY not in texts_of(error)


@pytest.mark.parametrize("code", [*CLASS_BY_STATUS, 500, 502, 529, 599, 402, 418, 700, 304])
def test_a_status_has_its_class(code: int) -> None:
    """By the table; 5xx is the service's failure, and anything else just has its status."""
    error = status(code, {"error": {"message": "no", "code": "c-1"}})
    usual = InternalServerError if code >= 500 else APIStatusError
    assert type(error) is CLASS_BY_STATUS.get(code, usual)
    assert (error.status, error.code, error.request_id) == (code, "c-1", "req-7")
    assert (error.endpoint, error.attempt) == (CONTEXT.endpoint, 2)
    assert error.headers == {"x-request-id": "req-7", "x-echo": HIDDEN}


def test_the_classes_are_the_contracts() -> None:
    """Each class's docstring begins with its status."""
    for code, cls in CLASS_BY_STATUS.items():
        assert (cls.__doc__ or "").startswith(f"{code}:")


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"error": {"message": "Too long", "type": "x"}}, "400 Bad Request: Too long"),
        ({"error": "Too long"}, "400 Bad Request: Too long"),
        ({"message": "Too long"}, "400 Bad Request: Too long"),
        ({"detail": "Too long"}, "400 Bad Request: Too long"),
        ({"detail": [{"msg": "Too long"}]}, "400 Bad Request: [{'msg': 'Too long'}]"),
        ({"error": {"detail": {"message": "Deep"}}}, "400 Bad Request: Deep"),
        ({"error": {}, "message": "Beside"}, "400 Bad Request: Beside"),
        ({"error": {"odd": 1}}, "400 Bad Request: {'odd': 1}"),
        ({"odd": 1}, '400 Bad Request: {"odd": 1}'),
        ('"just text"', "400 Bad Request: just text"),
        ("  plain text\n", "400 Bad Request: plain text"),
        ("null", "400 Bad Request: null"),
        ("[1]", "400 Bad Request: [1]"),
        ("", "400 Bad Request"),
        ("<html><title> 502 nginx </title><p>x", "400 Bad Request: an HTML page, '502 nginx'"),
        ("<!DOCTYPE html>\n<p>x", "400 Bad Request: an HTML page"),
        (" <head><title></title>", "400 Bad Request: an HTML page"),
        ("<p>no page</p>", "400 Bad Request: <p>no page</p>"),
    ],
)
def test_the_message_is_found_wherever_a_service_puts_it(body: object, said: str) -> None:
    """In each of the forms that are known, in plain text, and in a proxy's HTML."""
    assert status(400, body).message == said


def test_a_status_without_a_name_is_a_number() -> None:
    """Proxies have statuses of their own."""
    assert status(599, "x").message == "599: x"


def test_a_body_is_parsed_or_text() -> None:
    """What is JSON can be looked into; what is not is there to read."""
    assert status(400, {"error": {"a": [1, {"b": None}]}}).body == {
        "error": {"a": [1, {"b": None}]}
    }
    assert status(400, "nothing").body == "nothing"
    assert status(400, "null").body == "null"
    assert status_error(CONTEXT, 400, HEADERS, b"\xff{").body == "\ufffd{"


def test_a_message_is_short_whatever_the_body_is() -> None:
    """It says how long the body was, and the body is kept as it came."""
    error = status(500, "x" * 5000)
    assert len(error.message) < EXCERPT + 100
    assert error.message.endswith("… (5027 characters)")
    assert error.body == "x" * 5000


@pytest.mark.parametrize("depth", [50, 300, 490, 900, 3000, 100_000])
@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"error": ', "}")])
def test_a_body_nested_ever_so_deeply_is_an_error_like_any_other(
    depth: int, opening: str, closing: str
) -> None:
    """Nothing that a service sends can exhaust the stack here."""
    error = status(503, f"{opening * depth}1{closing * depth}")
    assert isinstance(error, InternalServerError)
    assert len(str(error)) < 2 * EXCERPT


def test_an_error_object_nested_too_deeply_is_told_to_be() -> None:
    """The same inside an answer, where it comes parsed."""
    deep: Any = "end"
    for _ in range(5000):
        deep = [deep]
    error = event_error(CONTEXT, HEADERS, {"error": deep})
    assert "nested too deeply to look into" in error.message


def test_a_redirect_names_its_target_and_is_not_followed() -> None:
    """Without the credentials that may be in it, and whatever it looks like."""
    moved = status(301, "", Headers([("location", "https://me:pw@elsewhere.example/chat?a=1")]))
    assert moved.message == (
        "301 Moved Permanently: a redirect to https://elsewhere.example/chat?a=1, which is not "
        "followed: set base_url to where it leads"
    )
    assert type(moved) is APIStatusError
    assert "redirect to nowhere" in status(302, "", Headers()).message
    assert "http://[bad" in status(302, "", Headers([("location", "http://me@[bad")])).message


@pytest.mark.parametrize(
    ("document", "code"),
    [
        ({"error": {"code": "c", "type": "t"}}, "c"),
        ({"error": {"code": None, "type": "t"}}, "t"),
        ({"error": {"code": "", "type": "t"}}, "t"),
        ({"error": {"code": 400}}, "400"),
        ({"error": {"code": True}}, None),
        ({"error": "text", "code": "beside"}, "beside"),
        ({"code": 7}, "7"),
        ({"error": {"code": {"a": 1}}}, None),
        ([], None),
    ],
)
def test_the_code_is_the_services_own(document: object, code: str | None) -> None:
    """Its code, else its type, as text."""
    assert status(400, document).code == code


@pytest.mark.parametrize(
    ("body", "seen"),
    [
        (f"wrong key {KEY}", f"wrong key {HIDDEN}"),
        ({"error": {"message": f"wrong key {KEY}", "code": KEY, KEY: [KEY]}}, "wrong key"),
        ('{"error": "wrong key sk-sesame\\/1"}', f"wrong key {HIDDEN}"),
        ('{"error": "wrong key \\u0073k-sesame/1"}', f"wrong key {HIDDEN}"),
        (f"<html><title>{KEY}</title>", HIDDEN),
    ],
)
def test_a_key_that_comes_back_shows_nowhere(body: object, seen: str) -> None:
    """In the message, the body, the code, the headers or the request id; however it is spelled."""
    error = status(401, body, Headers([("x-request-id", KEY), ("location", KEY)]))
    assert KEY not in texts_of(error)
    assert "sk-sesame" not in texts_of(error)
    assert KEY.encode() not in pickle.dumps(error)
    assert seen in error.message
    assert "sk-sesame" not in texts_of(status(302, "", Headers([("location", f"/{KEY}")])))
    assert KEY not in texts_of(status(401, body, Headers([(KEY, "as a name")])))


@pytest.mark.parametrize(
    ("document", "found"),
    [
        ({"error": {"message": "x"}}, {"error": {"message": "x"}}),
        ({"error": "x", "code": 500}, {"error": "x", "code": 500}),
        ({"choices": [{}, {"error": {"code": 502}}]}, {"error": {"code": 502}}),
        ({"choices": [{"error": dict[str, Any]()}, "odd"]}, None),
        (
            {"choices": [{"finish_reason": "error"}]},
            {"error": "the finish reason is 'error', without details"},
        ),
        ({"choices": [{"finish_reason": "stop"}], "message": "x"}, None),
        ({"object": "error", "message": "x"}, {"object": "error", "message": "x"}),
        ({"type": "error"}, {"type": "error"}),
        ({"detail": "x"}, {"detail": "x"}),
        ({"msg": "x", "code": 429}, {"msg": "x", "code": 429}),
        ({"message": "x", "choices": []}, None),
        ({"message": "x", "usage": {"prompt_tokens": 1}}, None),
        ({"message": ""}, None),
        ({"error": None}, None),
        ({"error": {}}, None),
        ({"choices": []}, None),
        ([{"error": "x"}], None),
        ([{"error": dict[str, Any]()}, {"error": {"code": 1}}], {"error": {"code": 1}}),
        ({"message": {"role": "assistant"}}, None),
        ({"message": {"code": 429}}, {"message": {"code": 429}}),
        ({"choices": {"finish_reason": "stop"}, "message": "x"}, None),
        ({"choices": {"error": "x"}}, {"error": "x"}),
        ("error", None),
    ],
)
def test_an_error_object_is_told_from_an_answer(document: object, found: object) -> None:
    """An error is reported at the top, in a choice, or by a document without an answer."""
    assert error_in(document) == found


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        *[({"error": {"type": code}}, status) for code, status in STATUS_BY_CODE.items()],
        ({"error": {"code": 429}}, 429),
        ({"error": {"code": "503"}}, 503),
        ({"error": {"code": "RATE_LIMIT_EXCEEDED"}}, 429),
        ({"error": {"status": 418, "code": 429}}, 418),
        ({"error": {"status": 200, "code": 429}}, 429),
        ({"error": {"code": "odd", "type": "server_error"}}, 500),
        ({"code": 400, "message": "no"}, 400),
    ],
)
def test_an_error_events_code_stands_for_a_status(document: object, expected: int) -> None:
    """It has no status of its own, and callers catch classes."""
    error = event_error(ANSWERED, HEADERS, document)
    assert isinstance(error, APIStatusError)
    usual = InternalServerError if expected >= 500 else APIStatusError
    assert type(error) is CLASS_BY_STATUS.get(expected, usual)
    assert error.status == expected
    assert error.body == document
    assert error.request_id == "req-7"
    assert f"The server reported an error ({expected})" in error.message


@pytest.mark.parametrize(
    "document",
    [
        {"error": {"message": "boom"}},
        {"error": "boom"},
        "boom",
        {"error": {"message": "boom", "code": 200}},
        {"error": {"message": "boom", "code": "\uff14\uff12\uff19"}},
        {"error": {"message": "boom", "code": True, "type": ["x"]}},
    ],
)
def test_an_unknown_code_is_the_base_of_all_errors(document: object) -> None:
    """Nothing is claimed that the service did not say."""
    error = event_error(CONTEXT, HEADERS, document)
    assert type(error) is AutonomousAIError
    assert error.message == "The server reported an error: boom"
    assert (error.endpoint, error.attempt) == (CONTEXT.endpoint, 2)


def test_an_error_event_does_not_show_the_key() -> None:
    """By either class."""
    for code in (429, None):
        document = {"error": {"message": f"wrong {KEY}", "code": code}}
        error = event_error(CONTEXT, HEADERS, document)
        assert KEY not in texts_of(error)
        assert f"wrong {HIDDEN}" in error.message
        assert isinstance(error, RateLimitError) is (code is not None)


def test_an_error_event_without_words_shows_itself() -> None:
    """The whole object is better than nothing, cut to size."""
    assert "{'odd': 1}" in event_error(CONTEXT, HEADERS, {"odd": 1}).message
    assert len(event_error(CONTEXT, HEADERS, {"odd": "x" * 9000}).message) < EXCERPT + 100


def test_an_interrupted_stream_says_why() -> None:
    """In the transport's words, which become its cause."""
    cause = TransportError("broken", "reset")
    error = interrupted_error(ANSWERED, f"the peer said {KEY}", cause)
    assert error.message == (f"The stream ended before it was complete: the peer said {HIDDEN}.")
    assert error.__cause__ is cause
    assert (error.request_id, error.endpoint, error.attempt) == ("req-7", CONTEXT.endpoint, 2)
    assert interrupted_error(CONTEXT, "it ended", None).__cause__ is None


@pytest.mark.parametrize("make", ["undecodable", "unexpected"])
def test_bytes_that_make_no_sense_are_quoted_and_kept(make: str) -> None:
    """A piece of them in the message, up to a mebibyte on the error, neither with the key."""

    def error_for(data: bytes, cause: BaseException | None = None) -> Any:
        context = ANSWERED
        if make == "undecodable":
            return stream_decode_error(context, f"bad {KEY}", data, cause)
        return response_error(context, 200, HEADERS, data, f"bad {KEY}", cause)

    cause = ValueError("why")
    error = error_for(b"<\xff>" + KEY.encode(), cause)
    kept = error.data if make == "undecodable" else error.body
    assert kept == b"<\xff>" + HIDDEN.encode()
    assert error.message.endswith(f": bad {HIDDEN}: '<\ufffd>{HIDDEN}'")
    assert (error.request_id, error.endpoint, error.attempt) == ("req-7", CONTEXT.endpoint, 2)
    assert error.__cause__ is cause
    if make == "unexpected":
        assert (error.status, error.headers["x-echo"]) == (200, HIDDEN)
        assert "(status 200)" in error.message

    assert error_for(b"").message.endswith(f"bad {HIDDEN}.")
    large = error_for(b"x" * (KEPT_BYTES + 1))
    assert len(large.data if make == "undecodable" else large.body) == KEPT_BYTES
    assert len(large.message) < 2 * EXCERPT


def test_every_error_is_one_of_the_sdks() -> None:
    """What this module makes can be caught by its base."""
    for error in (
        connection_error(failure("broken"), CONTEXT),
        status(400),
        event_error(CONTEXT, HEADERS, "x"),
        interrupted_error(CONTEXT, "x", None),
        stream_decode_error(CONTEXT, "x", b""),
        response_error(CONTEXT, 200, HEADERS, b"", "x"),
    ):
        assert isinstance(error, AutonomousAIError)
        assert type(error).__name__ in errors.__all__


@pytest.mark.parametrize(("streaming", "kind"), [(True, StreamError), (False, APIConnectionError)])
def test_a_call_whose_client_was_closed_says_so(
    streaming: bool, kind: type[AutonomousAIError]
) -> None:
    """Closing a client during a call is a StreamError for a stream, else a connection error."""
    error = closed_error(CONTEXT, streaming=streaming)
    assert type(error) is kind
    assert error.message.startswith("The client was closed ")
    assert (error.endpoint, error.attempt) == (CONTEXT.endpoint, 2)


ADVISED = Context(
    "POST http://h/chat",
    1,
    None,
    advice=Advice(not_found="Use /v1.", unreachable="Use another server."),
)


@pytest.mark.parametrize(
    ("code", "body", "said"),
    [
        (404, "Not Found", "404 Not Found: Not Found. Use /v1."),
        (404, "", "404 Not Found: Use /v1."),
        (405, '{"detail": "No such method."}', "405 Method Not Allowed: No such method. Use /v1."),
        (404, '{"error": {"message": "Model x not found"}}', "404 Not Found: Model x not found"),
        (400, "Not so", "400 Bad Request: Not so"),
    ],
)
def test_a_missing_endpoint_gets_advice(code: int, body: str, said: str) -> None:
    """A 404 or 405 that does not speak of a model ends with the context's advice."""
    error = status_error(ADVISED, code, Headers(), body.encode())
    assert error.message == said
    assert "Use /v1" not in status_error(NO_KEY, code, Headers(), body.encode()).message


@pytest.mark.parametrize(
    ("kind", "limit", "advised"),
    [
        ("connect", "read", True),
        ("tls", "read", True),
        ("timeout", "connect", True),
        ("timeout", "read", False),
        ("broken", "connect", False),
    ],
)
def test_an_unreachable_server_gets_advice(kind: ErrorKind, limit: str, advised: bool) -> None:
    """An error without a connection ends with the context's advice, and no other error does."""
    said = str(connection_error(failure(kind, limit=limit), ADVISED))
    assert ("Use another server." in said) == advised
    assert "Use another server" not in str(connection_error(failure(kind, limit=limit), NO_KEY))


def test_an_answer_is_separated_from_its_error() -> None:
    """Errors and the reasons that go with them are taken out; the text beside them stays."""
    failed = {"index": 0, "delta": {"content": "a"}, "finish_reason": "error", "error": "lost"}
    document = {"id": "x", "choices": [failed, "odd"], "error": {"code": 500}}
    assert without_errors(document) == {
        "id": "x",
        "choices": [{"index": 0, "delta": {"content": "a"}}],
        "error": None,
    }
    assert without_errors({"choices": None}) == {"choices": [], "error": None}
