"""What both clients share: their options, copies and pickles.

The generated classes below `Client` and `AsyncClient` add the constructor and the attributes that
make calls; `Client` and `AsyncClient` add what is blocking or awaited.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cached_property
from importlib import import_module
from random import random
from typing import Any, ClassVar, Self, TypeVar

from ._core.catalog import Catalog
from ._core.codec import converter
from ._core.flow import RetryPolicy
from ._core.log import configure_logging
from ._core.protocol import Protocols
from ._core.retry import RetryBudget
from ._core.settings import Environment, Options, PickledOptions, pickled, resolve
from .errors import ConfigurationError
from .transports._proxy import proxy_for

ResourceT = TypeVar("ResourceT")


class BaseClient:
    """The base of both clients."""

    _catalog: ClassVar[Catalog]
    _protocols: ClassVar[Protocols]
    _default_model: ClassVar[str | None]
    _new_runner: ClassVar[Any]
    """The class of the driver that makes the calls."""

    _options: Options
    _is_copy: bool
    _runner: Any

    def _connect(self, options: Options, http_client: Any, transport: Any) -> Any:
        """Return the connections of a new client: its own, or the caller's."""
        raise NotImplementedError

    def _set_up(
        self, options: Options, connections: Any, policy: RetryPolicy | None = None
    ) -> None:
        """Resolve the options; a copy shares the policy, and with it the retry budget."""
        environ = Environment(os.environ)
        configure_logging(environ)
        try:
            settings = resolve(
                options,
                environ=environ,
                catalog=self._catalog,
                protocols=self._protocols,
                default_model=self._default_model,
            )
            if connections.own and options.proxy is None:
                proxy_for(settings.base_url, None, environ)  # raises if it cannot be parsed
        except ConfigurationError as error:
            # The frames below hold the refused value: perhaps a key, or a proxy's password.
            raise error.with_traceback(None)  # noqa: B904  # keeps the cause that it has
        self._options = options
        self._is_copy = policy is not None
        if policy is None:
            policy = RetryPolicy(budget=RetryBudget(), random=random)
        self._runner = self._new_runner(settings, connections, policy)

    def _copied(self, changes: Mapping[str, Any]) -> Self:
        options = self._options.changed(changes)
        copy = self._bare(self._attributes())
        copy._set_up(  # noqa: SLF001  # an object of this class
            options, self._runner.connections, self._runner.policy
        )
        return copy

    @classmethod
    def _bare(cls, attributes: Mapping[str, object]) -> Self:
        """Return a client to be set up, without calling a constructor that may be a subclass's."""
        client = cls.__new__(cls)
        vars(client).update(attributes)
        return client

    @classmethod
    def _unpickled(cls, saved: PickledOptions, attributes: Mapping[str, object]) -> Self:
        options = saved.restored(Environment(os.environ))
        client = cls._bare(attributes)
        client._set_up(options, client._connect(options, None, None))  # noqa: SLF001  # as above
        return client

    def _load(self) -> None:
        """Import what the first call would."""
        converter()
        if self._runner.connections.own:
            import_module("autonomousai_sdk.transports.httpx")

    def _attributes(self) -> dict[str, object]:
        """The attributes that a subclass has added: without the options and the resources."""
        return {
            name: value
            for name, value in vars(self).items()
            if name not in BaseClient.__annotations__
            and not isinstance(getattr(type(self), name, None), cached_property)
        }

    def _resource(self, name: str, new: ResourceT) -> ResourceT:
        """Return the one object of a resource, also to threads that ask at the same time."""
        resource: ResourceT = self.__dict__.setdefault(name, new)
        return resource

    def __copy__(self) -> Self:
        return self._copied({})

    def __deepcopy__(self, memo: dict[int, object]) -> Self:
        copy = memo[id(self)] = self._copied({})
        return copy

    def __reduce__(self) -> tuple[object, ...]:
        saved = pickled(self._options, own_connections=self._runner.connections.own)
        return self._unpickled, (saved, self._attributes())

    def __repr__(self) -> str:
        # A traceback with locals may show a client whose options were refused.
        runner = getattr(self, "_runner", None)
        status = "not set up" if runner is None else runner.settings.summary
        return f"<{type(self).__name__} {status}>"
