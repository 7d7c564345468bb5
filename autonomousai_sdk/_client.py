"""The blocking client: its lifecycle, and nothing else.

The twin of `_async_client`. The methods that make calls are generated from the endpoint
spec (`_generated.methods`); how a call is made is the core's and the drivers' affair.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Self

from ._core.catalog import Catalog, Model
from ._core.flow import RetryPolicy
from ._core.log import configure_logging
from ._core.settings import ClientOptions, Environment, Options, PickledOptions, pickled, resolve
from ._core.sse import MAX_EVENT_BYTES
from ._core.timeout import Timeout
from ._drivers.blocking import CallRunner, Connections, new_policy
from ._generated.catalog import BASE_URL, DEFAULT_MODEL, MODELS
from ._generated.methods import Resources
from .errors import ConfigurationError
from .transports import Transport
from .transports._select import new_transport

if TYPE_CHECKING:
    import httpx
    from typing_extensions import Unpack


class Models:
    """The models a client can name; asking costs no request."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog

    def list(self) -> tuple[Model, ...]:
        """Every model, in the spec's order, then those of `Client(models=…)`.

        Example:
            >>> [model.id for model in client.models.list()]
            ['llama', 'qwen_coder', 'hermes', 'vision', 'summary']
        """
        return self._catalog.models

    def get(self, name: str) -> Model:
        """The model of that name or alias.

        Raises:
            ConfigurationError: there is none; the message lists those that exist.

        Example:
            >>> client.models.get("hermes-3").path
            '/chat-hermes'
        """
        return self._catalog.get(name)


class Client(Resources):
    """A client for AutonomousAI and whatever speaks its protocol, blocking.

    Safe to use from many threads at once. Connections are opened when they are first
    needed, kept, and closed by `close` or at the end of a `with` block.

    Args:
        base_url: where the service is. Without it, the environment's
            `AUTONOMOUSAI_BASE_URL`, else the hosted service.
        api_key: sent as `authorization: Bearer`. Without it, `AUTONOMOUSAI_API_KEY`, else
            none. Over plain http a key goes to loopback only.
        model: the model of calls that name none. Without it, `AUTONOMOUSAI_MODEL`, else
            `llama`.
        timeout: seconds a whole call may take, or a `Timeout` with a limit for each phase.
        max_retries: how many more tries a call gets that failed in a way worth retrying.
        headers: sent with every request, over the SDK's own.
        country_code: the caller's country, as ISO 3166-1 alpha-2, sent as `country-code`.
        time_zone: the caller's time zone, by its IANA name, sent as `time-zone`.
        models: models the spec does not know, as names to paths:
            `{"qwen3:8b": "/chat"}`.
        proxy: a proxy's URL. Without it, the environment's, which never applies to loopback.
        max_event_bytes: the bound on one line or event of a stream and on one document,
            in bytes, after decompression.
        http_client: your own `httpx.Client`, which the SDK never closes.
        transport: your own `Transport`, which the SDK never closes.
        allow_http_key: let the key travel over plain http to another machine.

    Raises:
        ConfigurationError: an argument or an environment variable that cannot work.

    Example:
        >>> with Client() as client:
        ...     print(client.chat.create("Why is the sky blue?").text)
    """

    def __init__(
        self,
        *,
        base_url: str | None = None,
        api_key: str | None = None,
        model: str | None = None,
        timeout: Timeout | float | None = None,
        max_retries: int = 2,
        headers: Mapping[str, str] | None = None,
        country_code: str = "US",
        time_zone: str = "America/New_York",
        models: Mapping[str, str] | None = None,
        proxy: str | None = None,
        max_event_bytes: int = MAX_EVENT_BYTES,
        http_client: httpx.Client | None = None,
        transport: Transport | None = None,
        allow_http_key: bool = False,
    ) -> None:
        options = Options(
            base_url=base_url,
            api_key=api_key,
            model=model,
            timeout=timeout,
            max_retries=max_retries,
            headers=headers,
            country_code=country_code,
            time_zone=time_zone,
            models=models,
            proxy=proxy,
            max_event_bytes=max_event_bytes,
            allow_http_key=allow_http_key,
        )
        # A traceback that shows local variables would show these from here on.
        del api_key, base_url, headers, proxy
        connections = Connections(
            new_transport(http_client, transport, options.proxy),
            own=http_client is None and transport is None,
        )
        self._set_up(options, connections, None)

    @property
    def models(self) -> Models:
        """The models this client can name."""
        return Models(self._runner.settings.catalog)

    def with_options(self, **changes: Unpack[ClientOptions]) -> Client:
        """A copy with some options changed, which shares this client's connections.

        Args:
            **changes: any of the constructor's arguments, but for those that say how to
                connect (`proxy`, `http_client`, `transport`).

        Returns:
            The copy. Closing it does nothing: the connections are this client's to close.

        Raises:
            ConfigurationError: an option that does not exist or cannot work.

        Example:
            >>> client.with_options(timeout=5, max_retries=0).chat.create("Quick!")
        """
        return _made(self._options.changed(changes), self._runner.connections, self._runner.policy)

    def close(self) -> None:
        """Close every connection that is the client's own, streams included.

        A client that was closed makes no more calls.
        """
        if not self._is_copy:
            self._runner.connections.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        # A traceback with locals may show a client whose arguments were refused.
        caller = getattr(self, "_caller", None)
        return f"<Client {'not set up' if caller is None else caller.settings.summary}>"

    def __reduce__(self) -> tuple[object, ...]:
        return _unpickled, (pickled(self._options, own_connections=self._runner.connections.own),)

    def _set_up(
        self, options: Options, connections: Connections, policy: RetryPolicy | None
    ) -> None:
        """Resolve the options; a copy shares the policy, and so the retry budget, too."""
        environ = Environment(os.environ)
        configure_logging(environ)
        try:
            settings = resolve(
                options,
                environ=environ,
                catalog=Catalog(MODELS),
                default_base_url=BASE_URL,
                default_model=DEFAULT_MODEL,
            )
        except ConfigurationError as error:
            # The frames below hold what was refused: perhaps a key, or a proxy's password.
            raise error.with_traceback(None)  # noqa: B904  # the cause it has is the one
        self._options = options
        self._is_copy = policy is not None
        self._runner = CallRunner(settings, connections, policy or new_policy())


def _made(options: Options, connections: Connections, policy: RetryPolicy | None) -> Client:
    client = Client.__new__(Client)
    client._set_up(options, connections, policy)  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]  # the class's other constructor
    return client


def _unpickled(saved: PickledOptions) -> Client:
    options = saved.restored(Environment(os.environ))
    return _made(options, Connections(new_transport(None, None, options.proxy), own=True), None)
