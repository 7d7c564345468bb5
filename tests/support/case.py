"""A case: one fault in one variant, and the check of the required behaviour."""

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
        variant: the name of the variant.
        check: raises `FaultNotHandled`, or any error, unless the client behaves as required.
        arguments: the check's arguments after the client under test.
        backends: the backends it applies to.
        transports: the transports it applies to; None for all.
        peers: whether it applies to peers.
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
        """Return whether the case applies to a client under test."""
        return (
            client_under_test.backend in self.backends
            and (self.peers or not client_under_test.is_peer)
            and client_under_test.applies(self.fault, str(self))
            and (
                self.transports is None
                or client_under_test.is_peer
                or client_under_test.transport in self.transports
            )
        )

    def run(self, client_under_test: ClientUnderTest) -> None:
        """Run the case."""
        client_under_test.run(lambda: self.check(client_under_test, *self.arguments))


@frozen
class Group:
    """The cases of one group of faults, in the order of definition."""

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
        """Register a check as a case; with `over`, as one case per entry, its argument."""

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
    """The outcome of a call.

    Attributes:
        text: the delivered text.
        error: the exception, or None.
        completion: the completion, if there was no error.
        seconds: the duration.
    """

    text: str
    error: Exception | None
    completion: Any
    seconds: float


async def streamed(client_under_test: ClientUnderTest, client: Client, **options: Any) -> Outcome:
    """Read a stream to its end or error."""
    texts: list[str] = []
    completion: Any = None
    caught: Exception | None = None
    began = monotonic()
    try:
        async with client.chat.stream("Hello", **options) as stream:
            async for chunk in stream:
                texts.append(client_under_test.text(chunk))
            completion = stream.completion
    except Exception as error:  # noqa: BLE001  # the case checks the exception
        caught = error
    return Outcome(
        text="".join(texts), error=caught, completion=completion, seconds=monotonic() - began
    )


async def created(client_under_test: ClientUnderTest, client: Client, **options: Any) -> Outcome:
    """Request a whole completion."""
    completion: Any = None
    caught: Exception | None = None
    began = monotonic()
    try:
        completion = await client.chat.create("Hello", **options)
    except Exception as error:  # noqa: BLE001  # the case checks the exception
        caught = error
    return Outcome(
        text="" if completion is None else client_under_test.answer(completion),
        error=caught,
        completion=completion,
        seconds=monotonic() - began,
    )


WAYS = {"create": created, "stream": streamed}
"""The two kinds of call."""


def owed(
    outcome: Outcome, kind: type[Exception] | tuple[type[Exception], ...], *texts: str
) -> Exception:
    """Return the outcome's error after checking its class and texts."""
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
    """Check that the call returned the text without an error."""
    if outcome.error is not None:
        raise FaultNotHandled(
            f"raised {named(outcome.error)}: {str(outcome.error)[:200]}"
        ) from outcome.error
    expect(outcome.text == text, f"delivered {outcome.text[:80]!r} instead of {text[:80]!r}")


def expect(condition: bool, otherwise: str) -> None:
    """Raise `FaultNotHandled` unless the condition holds."""
    if not condition:
        raise FaultNotHandled(otherwise)


def within(seconds: float, limit: float, what: str) -> None:
    """Raise `FaultNotHandled` if something took longer than the limit."""
    expect(seconds <= limit, f"{what} took {seconds:.2f} s")


def named(error: BaseException) -> str:
    """Return the name of an error's class with its library."""
    kind = type(error)
    return f"{kind.__module__.partition('.')[0]}.{kind.__name__}"
