"""What a client remembers of the servers that it calls.

A client and its copies share one memory, so that each fact costs one request.
"""

from __future__ import annotations

from attrs import define, field

from .operation import ResultT
from .prepared_call import Fallback, PreparedCall


@define
class ServerMemory:
    """Facts about servers: their only model, and what they refuse in a request.

    Threads may share it: every change is one operation on a dict or a set.
    """

    _models: dict[str, str] = field(init=False, factory=dict[str, str])
    _without_schema: set[tuple[str, str | None]] = field(
        init=False, factory=set[tuple[str, str | None]]
    )
    _fallbacks: dict[tuple[str, object], tuple[Fallback, ...]] = field(
        init=False, factory=dict[tuple[str, object], tuple[Fallback, ...]]
    )

    def model(self, url: str) -> str | None:
        """The only model that the list at this URL has, if known."""
        return self._models.get(url)

    def remember_model(self, url: str, name: str) -> None:
        self._models[url] = name

    def forget_model(self, url: str) -> None:
        """Forget a model that the server no longer has."""
        self._models.pop(url, None)

    def refuses_schema(self, base_url: str, model: str | None) -> bool:
        """Whether a model of a server is known to refuse a schema as its response format."""
        return (base_url, model) in self._without_schema

    def remember_refused_schema(self, base_url: str, model: str | None) -> None:
        self._without_schema.add((base_url, model))

    def adapted(self, call: PreparedCall[ResultT]) -> PreparedCall[ResultT]:
        """A call without the fields that its server is known to refuse for its model."""
        for fallback in self._fallbacks.get(_key(call), ()):
            if fallback in call.fallbacks:
                call = call.with_fallback(fallback)
        return call

    def remember_fallbacks(self, call: PreparedCall[ResultT]) -> None:
        """Remember the fallbacks of a call that succeeded with them."""
        if call.applied:
            key = _key(call)
            self._fallbacks[key] = tuple(
                dict.fromkeys((*self._fallbacks.get(key, ()), *call.applied))
            )


def _key(call: PreparedCall[ResultT]) -> tuple[str, object]:
    """Servers treat models differently, so the key has the model as well."""
    model = call.body.get(call.model_wire or "")
    return call.request.url, model if isinstance(model, str) else None
