"""A case: one fault in one variant, and the check of what a client owes its user then."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from time import monotonic
from typing import Any

from attrs import frozen

from .client_under_test import BACKENDS, Backend, Client, ClientUnderTest, FaultNotHandled

Check = Callable[..., Coroutine[Any, Any, None]]


@frozen(kw_only=True)
class Case:
    """One fault in one variant.

    Attributes:
        fault: the id in the table of faults.
        variant: which form of it.
        check: raises `NotSurvived`, or any error, unless the client behaves as owed.
        arguments: what the check gets besides the subject.
        colours: the colours it makes sense for.
        transports: the transports it makes sense for; None for all.
        peers: whether a peer can be put to it.
    """

    fault: str
    variant: str
    check: Check
    arguments: tuple[Any, ...] = ()
    backends: tuple[Backend, ...] = BACKENDS
    transports: tuple[str, ...] | None = None
    peers: bool = True

    def __str__(self) -> str:
        return f"{self.fault}-{self.variant}"

    def suits(self, client_under_test: ClientUnderTest) -> bool:
        """Whether it makes sense for a subject."""
        return (
            client_under_test.backend in self.backends
            and (self.peers or not client_under_test.is_peer)
            and (
                self.transports is None
                or client_under_test.is_peer
                or client_under_test.transport in self.transports
            )
        )

    def run(self, client_under_test: ClientUnderTest) -> None:
        """Put the subject to it."""
        client_under_test.run(lambda: self.check(client_under_test, *self.arguments))


@frozen
class Group:
    """The cases of one group of faults, in the order they are written."""

    cases: list[Case]

    def case(
        self,
        fault: str,
        *variants: str,
        over: Mapping[str, Any] | None = None,
        backends: tuple[Backend, ...] = BACKENDS,
        transports: tuple[str, ...] | None = None,
        peers: bool = True,
    ) -> Callable[[Check], Check]:
        """Make a check a case; with `over`, one for each entry, which it gets as an argument."""

        def made(check: Check) -> Check:
            arguments: Mapping[str, tuple[Any, ...]] = (
                dict.fromkeys(variants, ())
                if over is None
                else {name: (value,) for name, value in over.items()}
            )
            self.cases.extend(
                Case(
                    fault=fault,
                    variant=variant,
                    check=check,
                    arguments=values,
                    backends=backends,
                    transports=transports,
                    peers=peers,
                )
                for variant, values in arguments.items()
            )
            return check

        return made


@frozen(kw_only=True)
class Outcome:
    """What came of a call.

    Attributes:
        text: what was delivered.
        error: what was raised, or None.
        completion: the whole answer, if there was no error.
        seconds: how long it took.
    """

    text: str
    error: Exception | None
    completion: Any
    seconds: float


async def streamed(client_under_test: ClientUnderTest, client: Client, **options: Any) -> Outcome:
    """Read a stream to its end, whatever that is."""
    texts: list[str] = []
    completion: Any = None
    caught: Exception | None = None
    began = monotonic()
    try:
        async with client.chat.stream("Hello", **options) as stream:
            async for chunk in stream:
                texts.append(client_under_test.text(chunk))
            completion = stream.completion
    except Exception as error:  # noqa: BLE001  # whatever comes is judged by the case
        caught = error
    return Outcome(
        text="".join(texts), error=caught, completion=completion, seconds=monotonic() - began
    )


async def created(client_under_test: ClientUnderTest, client: Client, **options: Any) -> Outcome:
    """Ask for a whole answer."""
    completion: Any = None
    caught: Exception | None = None
    began = monotonic()
    try:
        completion = await client.chat.create("Hello", **options)
    except Exception as error:  # noqa: BLE001  # whatever comes is judged by the case
        caught = error
    return Outcome(
        text="" if completion is None else client_under_test.answer(completion),
        error=caught,
        completion=completion,
        seconds=monotonic() - began,
    )


WAYS = {"create": created, "stream": streamed}
"""The two ways to call, for faults that both can meet."""


def owed(
    outcome: Outcome, kind: type[Exception] | tuple[type[Exception], ...], *texts: str
) -> Exception:
    """The outcome's error, if it is of that kind and says those texts."""
    error = outcome.error
    if error is None:
        raise FaultNotHandled(f"no error; {outcome.text[:60]!r} passed for the whole answer")
    if not isinstance(error, kind):
        raise FaultNotHandled(f"raised {named(error)}: {str(error)[:200]}") from error
    for text in texts:
        if text not in str(error):
            raise FaultNotHandled(f"the error does not say {text!r}: {str(error)[:300]}") from error
    return error


def fine(outcome: Outcome, text: str) -> None:
    """The call gave that text and no error."""
    if outcome.error is not None:
        raise FaultNotHandled(
            f"raised {named(outcome.error)}: {str(outcome.error)[:200]}"
        ) from outcome.error
    expect(outcome.text == text, f"delivered {outcome.text[:80]!r} instead of {text[:80]!r}")


def expect(condition: bool, otherwise: str) -> None:
    """Raise `NotSurvived` unless the condition holds."""
    if not condition:
        raise FaultNotHandled(otherwise)


def within(seconds: float, limit: float, what: str) -> None:
    """Raise `NotSurvived` if something took longer than that."""
    expect(seconds <= limit, f"{what} took {seconds:.2f} s")


def named(error: BaseException) -> str:
    """The name of an error's class, with its library's."""
    kind = type(error)
    return f"{kind.__module__.partition('.')[0]}.{kind.__name__}"
