"""A call as a flow, driven by hand: no clock, no socket, no sleep."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Generator
from itertools import count
from typing import Any, TypeVar

import pytest
from attrs import define, field

from autonomousai_sdk._core import log
from autonomousai_sdk._core.exchange import (
    ErrorKind,
    Failure,
    Outcome,
    Reply,
    Request,
    TransportError,
)
from autonomousai_sdk._core.flow import Attempt, RetryPolicy, attempts
from autonomousai_sdk._core.headers import Headers
from autonomousai_sdk._core.prepared_call import PreparedCall, prepare_call
from autonomousai_sdk._core.response import ResponseReader
from autonomousai_sdk._core.retry import Backoff, RetryBudget
from autonomousai_sdk._core.settings import CallOptions
from autonomousai_sdk._core.stream import StreamState
from autonomousai_sdk.errors import (
    APIConnectionError,
    APIResponseError,
    APIStatusError,
    APITimeoutError,
    AuthenticationError,
    AutonomousAIError,
    ConfigurationError,
    NotFoundError,
    RateLimitError,
    StreamDecodeError,
    StreamInterrupted,
)
from tests.support.sample_operation import (
    CHAT,
    DONE,
    HELLO,
    KEY,
    PLAIN_URL,
    SHAPE,
    Completion,
    chunk,
    event,
    settings,
)

T = TypeVar("T")

WHOLE = json.dumps(
    {"choices": [{"message": {"content": "Hello"}, "finish_reason": "stop"}]}
).encode()
BUSY = event({"error": {"message": "busy", "code": 429}})


@define
class Answered:
    """An answer that a scripted service gives to one try."""

    status: int = 200
    body: bytes = WHOLE
    kind: str = "application/json"
    headers: dict[str, str] = field(factory=dict[str, str])
    elapsed: float = 1.0


@define
class Failed:
    """A try that a scripted transport fails, after a part of an answer if there is one."""

    kind: ErrorKind = "connect"
    limit: str = "read"
    answer: Answered | None = None
    elapsed: float = 1.0


def streamed(body: bytes, **headers: str) -> Answered:
    """A stream's answer."""
    return Answered(body=body, kind="text/event-stream", headers=headers)


OK = Answered()
NOW = 1_800_000_000.0


class Driver:
    """Runs flows against a script, and keeps what they asked for."""

    def __init__(self, *script: Answered | Failed) -> None:
        self.script = list(script)
        self.attempts: list[Attempt] = []

    @property
    def delays(self) -> list[float]:
        """The waits before each try."""
        return [attempt.delay for attempt in self.attempts]

    @property
    def requests(self) -> list[Request]:
        """What was sent, by each try."""
        return [attempt.request for attempt in self.attempts]

    def run(self, flow: Generator[Attempt, Outcome, T]) -> T:
        """Run a flow to its end, as a driver does: next, then send what came of each try."""
        try:
            attempt = next(flow)
            while True:
                self.attempts.append(attempt)
                attempt = flow.send(self._make(attempt, self.script.pop(0)))
        except StopIteration as stop:
            assert not self.script, "tries that nobody made"
            result: T = stop.value
            return result

    def _make(self, attempt: Attempt, step: Answered | Failed) -> Outcome:
        answer = step.answer if isinstance(step, Failed) else step
        reader = attempt.reader
        if answer is not None:
            pairs = [("content-type", answer.kind), *answer.headers.items()]
            reader.start(answer.status, Headers(pairs))
            pieces = [answer.body] if answer.body else []
            if isinstance(step, Answered):
                pieces.append(b"")
            while pieces and not reader.satisfied:
                reader.feed(pieces.pop(0))
        if isinstance(step, Failed):
            return Failure(
                error=TransportError(step.kind, "it failed"),
                limit=step.limit,
                seconds=3.0,
                elapsed=step.elapsed,
                duration=0.5,
            )
        return Reply(elapsed=step.elapsed, duration=0.5, date=NOW)


def policy(**budget: int) -> RetryPolicy:
    """A policy without chance: the waits are 0.5, 1, 2, 4, 8 and 8 seconds."""
    return RetryPolicy(budget=RetryBudget(**budget), random=lambda: 0.0)


def plan(*, stream: bool = False, key: str | None = None, **call: Any) -> PreparedCall[Completion]:
    """A call's plan; keys are counted, so that a second one would show."""
    keys = count(1)
    return prepare_call(
        settings(api_key=key),
        CHAT,
        {"messages": "hi"},
        CallOptions(**call),
        shape=SHAPE if stream else None,
        new_key=lambda: f"key-{next(keys)}",
    )


def test_a_call_that_succeeds_makes_one_try() -> None:
    """At once, with the plan's request."""
    driver, made = Driver(OK), plan()
    result = driver.run(attempts(made, policy()))
    assert result.document(Completion).text == "Hello"
    assert driver.requests == [made.request]
    assert driver.delays == [0.0]
    assert result.context.attempt == 1


@pytest.mark.parametrize(
    "bad",
    [
        *[Answered(status) for status in (408, 409, 429, 500, 502, 503, 504, 529)],
        Answered(400, headers={"x-should-retry": "true"}),
        Failed("connect"),
        Failed("broken"),
        Failed("broken", answer=Answered(body=WHOLE[:9])),
        *[Failed("timeout", limit) for limit in ("connect", "read", "write")],
    ],
    ids=str,
)
def test_what_may_pass_is_tried_again(bad: Answered | Failed) -> None:
    """Twice more by default, after waits that double; the third try may still succeed."""
    driver = Driver(bad, bad, OK)
    reader = driver.run(attempts(plan(), policy()))
    assert reader.document(Completion).text == "Hello"
    assert driver.delays == [0.0, 0.5, 1.0]
    assert [attempt.reader.context.attempt for attempt in driver.attempts] == [1, 2, 3]

    driver = Driver(bad, bad, bad)
    with pytest.raises(AutonomousAIError) as caught:
        driver.run(attempts(plan(), policy()))
    assert caught.value.attempt == 3
    assert len(driver.attempts) == 3


@pytest.mark.parametrize(
    ("bad", "cls"),
    [
        *[(Answered(status), APIStatusError) for status in (301, 400, 401, 403, 404, 413, 422)],
        (Answered(503, headers={"x-should-retry": "false"}), APIStatusError),
        (Answered(kind="text/event-stream"), APIResponseError),
        (Answered(body=b"no JSON"), APIResponseError),
        (Answered(body=b'{"error": {"code": 500}}'), APIStatusError),
        (Answered(headers={"content-encoding": "br"}), APIResponseError),
        (Failed("tls"), APIConnectionError),
        (Failed("request"), ConfigurationError),
        *[(Failed("timeout", limit), APITimeoutError) for limit in ("pool", "total", "idle")],
    ],
    ids=str,
)
def test_what_will_not_pass_is_not_tried_again(
    bad: Answered | Failed, cls: type[AutonomousAIError]
) -> None:
    """One try, and its error."""
    driver = Driver(bad)
    with pytest.raises(cls) as caught:
        driver.run(attempts(plan(), policy())).document(Completion)
    assert len(driver.attempts) == 1
    assert caught.value.attempt == (None if cls is ConfigurationError else 1)
    assert caught.value.endpoint == "POST https://service.example/api/chat"


@pytest.mark.parametrize("retries", [0, 1, 5])
def test_a_call_has_as_many_tries_as_it_asks_for(retries: int) -> None:
    """One more than `max_retries`; waits grow to eight seconds and no further."""
    driver = Driver(*[Failed()] * (retries + 1))
    with pytest.raises(APIConnectionError):
        driver.run(attempts(plan(max_retries=retries), policy()))
    assert driver.delays == [0.0, 0.5, 1.0, 2.0, 4.0, 8.0][: retries + 1]


def test_every_try_sends_the_same_request() -> None:
    """The idempotency key above all, so that a service may tell a retry from a second call."""
    driver = Driver(Failed(), Answered(500), OK)
    driver.run(attempts(plan(), policy()))
    first = driver.requests[0]
    assert all(request is first for request in driver.requests)
    assert dict(first.headers)["idempotency-key"] == "key-1"


def test_chance_shortens_waits() -> None:
    """By up to a quarter."""
    driver = Driver(Failed(), Failed(), OK)
    backoff = Backoff(initial=4, longest=100, jitter=0.25)
    chances = iter([0.5, 1.0])
    driver.run(
        attempts(
            plan(),
            RetryPolicy(budget=RetryBudget(), random=lambda: next(chances), backoff=backoff),
        )
    )
    assert driver.delays == [0.0, 3.5, 6.0]


@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": "60"}, 60.0),
        ({"retry-after-ms": "1500", "retry-after": "7"}, 1.5),
        ({"retry-after": "Fri, 15 Jan 2027 08:00:09 GMT"}, 9.0),
        ({"retry-after": "nonsense"}, 0.5),
        ({"retry-after": "0"}, 0.5),
        ({"retry-after": "-1"}, 0.5),
    ],
)
def test_the_services_own_wait_is_obeyed(headers: dict[str, str], wait: float) -> None:
    """In any of its forms; nonsense leaves the usual wait."""
    driver = Driver(Answered(503, headers=headers), OK)
    driver.run(attempts(plan(), policy()))
    assert driver.delays == [0.0, wait]


@pytest.mark.parametrize("status", [429, 503])
def test_a_wait_beyond_the_cap_is_raised_at_once(status: int) -> None:
    """With the seconds on the error, for the caller to decide."""
    driver = Driver(Answered(status, headers={"retry-after": "61"}))
    with pytest.raises(APIStatusError) as caught:
        driver.run(attempts(plan(), policy()))
    assert caught.value.retry_after == 61
    assert len(driver.attempts) == 1


def test_every_status_error_has_the_wait_that_was_asked_for() -> None:
    """Also at the last try, and where none was to follow; None when nothing was asked."""
    driver = Driver(Answered(429), Answered(429, headers={"retry-after": "7"}))
    with pytest.raises(RateLimitError) as caught:
        driver.run(attempts(plan(max_retries=1), policy()))
    assert caught.value.retry_after == 7
    with pytest.raises(APIStatusError) as other:
        Driver(Answered(404, headers={"retry-after": "3600"})).run(attempts(plan(), policy()))
    assert other.value.retry_after == 3600
    with pytest.raises(APIStatusError) as none:
        Driver(Answered(404)).run(attempts(plan(), policy()))
    assert none.value.retry_after is None


def test_the_total_leaves_no_room_for_a_wait_that_is_longer() -> None:
    """The last error is raised rather than slept towards a timeout."""
    for elapsed, tries in ((8.4, 2), (8.5, 2), (9.4, 2), (9.5, 1), (11.0, 1)):
        driver = Driver(*[Failed(elapsed=elapsed), Failed(elapsed=9.9)][:tries])
        with pytest.raises(APIConnectionError) as caught:
            driver.run(attempts(plan(timeout=10), policy()))
        assert type(caught.value) is APIConnectionError
        assert len(driver.attempts) == tries
    driver = Driver(Answered(503, headers={"retry-after": "9"}))
    with pytest.raises(APIStatusError):
        driver.run(attempts(plan(timeout=10), policy()))


def test_a_spent_budget_makes_the_first_error_final() -> None:
    """All calls of a client share it, so a failing service is not hammered."""
    shared = policy(capacity=10)
    driver = Driver(Failed(), Failed(), Failed())
    with pytest.raises(APIConnectionError):
        driver.run(attempts(plan(), shared))
    assert shared.budget.tokens == 0
    driver = Driver(Failed())
    with pytest.raises(APIConnectionError):
        driver.run(attempts(plan(), shared))
    Driver(OK).run(attempts(plan(), shared))
    assert shared.budget.tokens == 1


def test_a_success_refills_the_budget() -> None:
    """By what the last retry cost."""
    shared = policy(capacity=100)
    Driver(Failed(), Failed(), OK).run(attempts(plan(), shared))
    assert shared.budget.tokens == 95


def test_what_is_not_retried_costs_nothing() -> None:
    """Neither a final error, nor the last try's, nor a wait that is too long."""
    shared = policy(capacity=100)
    for failing, made in (
        (Answered(400), plan()),
        (Failed(), plan(max_retries=0)),
        (Answered(503, headers={"retry-after": "99"}), plan()),
        (Failed(elapsed=99), plan(timeout=10)),
    ):
        with pytest.raises(AutonomousAIError):
            Driver(failing).run(attempts(made, shared))
    assert shared.budget.tokens == 100


def state(reader: ResponseReader) -> StreamState[Any, Any]:
    """The state of the stream that a flow returned."""
    assert reader.stream is not None
    return reader.stream


def test_a_stream_is_returned_at_its_first_chunk() -> None:
    """The flow of a stream returns when the first chunk is ready, and the driver reads on."""
    reader = Driver(streamed(event(chunk("Hel")))).run(attempts(plan(stream=True), policy()))
    assert [piece.choices[0].delta.content for piece in state(reader).ready] == ["Hel"]
    assert not state(reader).ended
    assert not reader.ended


@pytest.mark.parametrize(
    "bad",
    [
        streamed(b""),
        streamed(b": ping\n\n"),
        streamed(b"data: {"),
        streamed(BUSY),
        streamed(event({"error": {"type": "overloaded_error"}})),
        streamed(b'{"error": {"code": 503}}\n'),
        streamed(event({"error": {"code": 400}}), **{"x-should-retry": "true"}),
        Answered(503),
        Failed("connect"),
        Failed("broken", answer=streamed(b": ping\n\n")),
        Failed("timeout", "read", answer=streamed(b"")),
        Failed("timeout", "read"),
    ],
    ids=str,
)
def test_a_stream_is_tried_again_before_its_first_event(bad: Answered | Failed) -> None:
    """When it was not opened, ended too early, or began with an error that may pass."""
    driver = Driver(bad, streamed(HELLO))
    result = driver.run(attempts(plan(stream=True), policy()))
    assert len(driver.attempts) == 2
    assert state(result).completion().text == "Hello"
    assert state(result).context.attempt == 2


@pytest.mark.parametrize(
    ("bad", "cls"),
    [
        (streamed(event({"error": {"code": 400}})), APIStatusError),
        (streamed(event({"error": "unknown"})), AutonomousAIError),
        (streamed(BUSY, **{"x-should-retry": "false"}), RateLimitError),
        (streamed(b"data: x\n\n"), StreamDecodeError),
        (Answered(), APIResponseError),
        (Answered(400), APIStatusError),
        (Failed("tls"), APIConnectionError),
        (Failed("timeout", "idle", answer=streamed(b": ping\n\n")), APITimeoutError),
        (Failed("timeout", "total", answer=streamed(b"")), APITimeoutError),
    ],
    ids=str,
)
def test_a_stream_that_cannot_begin_is_an_error(
    bad: Answered | Failed, cls: type[AutonomousAIError]
) -> None:
    """One try, and the error of its kind."""
    driver = Driver(bad)
    with pytest.raises(cls) as caught:
        driver.run(attempts(plan(stream=True), policy()))
    assert type(caught.value) is cls or cls is APIStatusError
    assert len(driver.attempts) == 1


def test_a_stream_that_broke_before_its_first_event_says_so() -> None:
    """When no try is left."""
    driver = Driver(Failed("broken", answer=streamed(b": ping\n\n")))
    with pytest.raises(StreamInterrupted, match="it failed"):
        driver.run(attempts(plan(stream=True, max_retries=0), policy()))


@pytest.mark.parametrize("rest", [b"", BUSY, b"data: x\n\n"])
def test_a_stream_that_began_is_not_tried_again(rest: bytes) -> None:
    """Whatever happens to it: the caller has its first event."""
    driver = Driver(streamed(event(chunk("Hel")) + rest))
    result = driver.run(attempts(plan(stream=True), policy()))
    assert len(driver.attempts) == 1
    assert len(state(result).ready) == 1


def test_a_stream_that_fails_after_its_first_event_was_begun() -> None:
    """A read that brought an event and then failed is the stream's matter, not the call's."""
    driver = Driver(Failed("broken", answer=streamed(event(chunk("Hel")))))
    result = driver.run(attempts(plan(stream=True), policy()))
    assert len(driver.attempts) == 1
    assert isinstance(state(result).error, StreamInterrupted)


def test_an_empty_stream_that_is_complete_succeeds() -> None:
    """The end mark alone is an answer."""
    result = Driver(streamed(DONE)).run(attempts(plan(stream=True), policy()))
    assert state(result).completion() == Completion(choices=())


class Kept(logging.Handler):
    """Keeps the lines it is given, each with its level."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a line."""
        self.lines.append(f"{record.levelname} {record.getMessage()}")


@pytest.fixture
def logger(monkeypatch: pytest.MonkeyPatch) -> logging.Logger:
    """The SDK's logger, in a tree of its own, at debug."""
    tree = logging.Manager(logging.RootLogger(logging.WARNING))
    fresh = tree.getLogger(log.logger.name)
    fresh.setLevel(logging.DEBUG)
    monkeypatch.setattr("autonomousai_sdk._core.flow.logger", fresh)
    return fresh


@pytest.fixture
def lines(logger: logging.Logger) -> list[str]:
    """What is logged."""
    handler = Kept()
    logger.addHandler(handler)
    return handler.lines


def test_each_try_is_logged_without_a_secret(lines: list[str]) -> None:
    """Method, URL, status, try, duration, request id and error; never a body, a header or a key."""
    driver = Driver(
        Answered(
            400,
            b"wrong key " + KEY.encode(),
            headers={"x-request-id": KEY, "x-should-retry": "true"},
        ),
        Failed("broken"),
        Answered(headers={"request-id": "req-9"}),
    )
    driver.run(attempts(plan(key=KEY), policy()))
    where, took = "POST https://service.example/api/chat", "duration=0.500"
    debug = [line for line in lines if line.startswith("DEBUG")]
    assert debug == [
        f"DEBUG {where} status=400 attempt=1 {took} request_id=********** error=BadRequestError",
        f"DEBUG {where} status=- attempt=2 {took} request_id=- error=APIConnectionError",
        f"DEBUG {where} status=200 attempt=3 {took} request_id=req-9",
    ]
    retries = [line for line in lines if line not in debug]
    assert len(retries) == 2
    assert all(re.search(r"attempt \d.* 0\.500 s|attempt \d.* 1\.000 s", line) for line in retries)
    assert "sesame" not in "".join(lines)
    assert "hi" not in re.findall(r"\w+", "".join(lines))


def test_a_level_above_keeps_it_quiet(logger: logging.Logger, lines: list[str]) -> None:
    """Retries are told at info, tries at debug, and nothing above."""
    logger.setLevel(logging.INFO)
    Driver(Failed(), OK).run(attempts(plan(), policy()))
    assert len(lines) == 1
    logger.setLevel(logging.WARNING)
    Driver(Failed(), OK).run(attempts(plan(), policy()))
    assert len(lines) == 1


MODELS = {"data": [{"id": "only"}]}
UNSUPPORTED = b'{"error": {"message": "Use \'max_new_tokens\' instead of \'max_tokens\'."}}'
NO_OPTIONS = b'{"detail": "extra field: stream_options"}'


def plain(*, stream: bool = False, model: str | None = None, **more: Any) -> Any:
    """A call through the protocol that sends any model's name."""
    options = {name: more.pop(name) for name in ("timeout", "max_retries") if name in more}
    keys = count(1)
    return prepare_call(
        settings(base_url=PLAIN_URL),
        CHAT,
        {"messages": "hi", "model": model, **more},
        CallOptions(**options),
        shape=SHAPE if stream else None,
        new_key=lambda: f"key-{next(keys)}",
    )


def document(value: object) -> Answered:
    """A response with a JSON document."""
    return Answered(body=json.dumps(value).encode())


def bodies(driver: Driver) -> list[Any]:
    """The JSON bodies of the requests, None for a request without one."""
    return [json.loads(each.content) if each.content else None for each in driver.requests]


def test_the_only_listed_model_is_used_and_remembered() -> None:
    """A call without a model asks for the list once; later calls of the client do not."""
    shared = policy()
    first, second = Driver(document(MODELS), OK), Driver(streamed(HELLO))
    assert first.run(attempts(plain(), shared)).document(Completion).text == "Hello"
    second.run(attempts(plain(stream=True), shared))
    listing, *calls = bodies(first) + bodies(second)
    assert listing is None
    assert [call["model"] for call in calls] == ["only", "only"]
    assert first.delays == [0.0, 0.0]


def test_listing_the_models_is_retried_within_the_same_limits() -> None:
    """The request for the list has the retries of the call, and counts towards its total."""
    driver = Driver(Answered(503), document(MODELS), Answered(503), OK)
    assert driver.run(attempts(plain(), policy())).document(Completion).text == "Hello"
    assert driver.delays == [0.0, 0.5, 0.0, 0.5]
    driver = Driver(Answered(503, elapsed=2.6))
    with pytest.raises(APIStatusError) as caught:
        driver.run(attempts(plain(timeout=3), policy()))
    assert caught.value.endpoint == f"GET {PLAIN_URL}/models"


@pytest.mark.parametrize(
    ("names", "said"),
    [
        ([], "it lists none"),
        (["a", "b"], r"it lists 'a', 'b' \(GET "),
        ([f"m{number}" for number in range(30)], r"'m19' and 10 more \(GET "),
    ],
)
def test_a_list_without_exactly_one_model_is_an_error(names: list[str], said: str) -> None:
    """The prompt is not sent if the server lists no model or several, which the error names."""
    driver = Driver(document({"data": [{"id": name} for name in names]}))
    with pytest.raises(ConfigurationError, match=said) as caught:
        driver.run(attempts(plain(), policy()))
    assert caught.value.endpoint == f"GET {PLAIN_URL}/models"
    assert "model= is required" in str(caught.value)


@pytest.mark.parametrize("status", [404, 405, 501])
def test_a_server_without_a_list_needs_a_model(status: int) -> None:
    """If the server has no list of models, the error says to pass a model."""
    driver = Driver(Answered(status))
    with pytest.raises(ConfigurationError, match="model= is required.*does not list") as caught:
        driver.run(attempts(plain(max_retries=0), policy()))
    assert isinstance(caught.value.__cause__, APIStatusError)


def test_another_failure_to_list_the_models_is_raised_as_it_is() -> None:
    """A key that the server refuses is that error, not a missing model."""
    with pytest.raises(AuthenticationError):
        Driver(Answered(401)).run(attempts(plain(), policy()))


def test_a_model_that_the_server_no_longer_has_is_forgotten() -> None:
    """After a 404 for the remembered model, the next call asks for the list again."""
    shared = policy()
    with pytest.raises(NotFoundError):
        Driver(document(MODELS), Answered(404)).run(attempts(plain(), shared))
    driver = Driver(document({"data": [{"id": "new"}]}), OK)
    driver.run(attempts(plain(), shared))
    assert bodies(driver)[1]["model"] == "new"


def test_a_refused_field_is_sent_under_its_other_name_and_remembered() -> None:
    """A 400 that names the other field repeats the call at once, even without retries."""
    shared = policy()
    first, second = Driver(Answered(400, UNSUPPORTED), OK), Driver(OK)
    call = plain(model="m", max_tokens=5, max_retries=0)
    assert first.run(attempts(call, shared)).document(Completion).text == "Hello"
    assert second.run(attempts(call, shared)).document(Completion).text == "Hello"
    sent = bodies(first) + bodies(second)
    assert ["max_new_tokens" in body for body in sent] == [False, True, True]
    assert first.delays == [0.0, 0.0]


def test_a_fallback_does_not_count_as_a_retry() -> None:
    """After a fallback, the call still has all its retries."""
    driver = Driver(Answered(400, UNSUPPORTED), Answered(503), Answered(503), OK)
    driver.run(attempts(plain(model="m", max_tokens=5), policy()))
    assert driver.delays == [0.0, 0.0, 0.5, 1.0]


def test_a_fallback_that_does_not_help_is_not_remembered() -> None:
    """If the server refuses the changed request too, that error is raised."""
    shared = policy()
    driver = Driver(Answered(400, UNSUPPORTED), Answered(400, UNSUPPORTED))
    with pytest.raises(APIStatusError) as caught:
        driver.run(attempts(plain(model="m", max_tokens=5), shared))
    assert caught.value.attempt == 2
    driver = Driver(OK)
    driver.run(attempts(plain(model="m", max_tokens=5), shared))
    assert "max_tokens" in bodies(driver)[0]


def test_a_stream_falls_back_as_well() -> None:
    """A stream whose options the server refuses is requested without them."""
    driver = Driver(Answered(422, NO_OPTIONS), streamed(HELLO))
    driver.run(attempts(plain(stream=True, model="m"), policy()))
    assert ["stream_options" in body for body in bodies(driver)] == [True, False]
