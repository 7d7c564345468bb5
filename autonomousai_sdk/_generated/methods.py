# Generated from spec/autonomousai.yaml by `python -m spec.generator`.
# Do not edit: change the spec and run the command again; `--check` finds edits.

"""The methods of `Client`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any, Literal, Self, Unpack

from .. import transports
from .._base_client import BaseClient
from .._core.catalog import Catalog, CatalogMethods
from .._core.raw_response import raw
from .._core.settings import CallOptions, Options
from .._core.sse import MAX_EVENT_BYTES
from .._core.timeout import Timeout
from .._core.verify import Verify
from .._drivers.blocking import CallRunner, Stream
from ..transports import Transport
from . import models
from .catalog import DEFAULT_MODEL, MODELS, PROTOCOLS
from .operations import CHAT_CREATE, EMBEDDINGS_CREATE, MODELS_FETCH
from .options import ClientOptions
from .params import Messages, ModelName


class ChatStream(Stream[models.ChatCompletionChunk, models.ChatCompletion]):
    """A response that arrives in chunks, each a `ChatCompletionChunk`.

    Examples:
        >>> with client.chat.stream("Tell me a story.", model="hermes") as stream:
        ...     for text in stream.text:
        ...         print(text, end="", flush=True)
        >>> stream.completion.finish_reason
        'stop'
    """


class ChatWithRawResponse:
    """The methods of `client.chat`, which return the raw response."""

    def __init__(self, runner: CallRunner) -> None:
        methods = Chat(runner.raw())
        self.create = raw(methods.create)


class Chat:
    """Answers to conversations."""

    def __init__(self, runner: CallRunner) -> None:
        self._runner = runner

    def create(
        self,
        messages: Messages,
        *,
        model: ModelName | str | None = None,
        thread_id: str | None = None,
        user_id: str | None = None,
        use_tool: bool | None = None,
        max_tokens: int | None = None,
        temperature: float | None = None,
        top_p: float | None = None,
        stop: str | Sequence[str] | None = None,
        seed: int | None = None,
        frequency_penalty: float | None = None,
        presence_penalty: float | None = None,
        response_format: Mapping[str, object] | None = None,
        tools: Sequence[Callable[..., Any] | Mapping[str, Any]] | None = None,
        tool_choice: Literal["none", "auto", "required"] | Mapping[str, object] | None = None,
        parallel_tool_calls: bool | None = None,
        n: int | None = None,
        logprobs: bool | None = None,
        top_logprobs: int | None = None,
        reasoning_effort: Literal["none", "minimal", "low", "medium", "high"] | str | None = None,
        headers: Mapping[str, str | None] | None = None,
        extra_body: Mapping[str, object] | None = None,
        timeout: Timeout | float | None = None,
        max_retries: int | None = None,
    ) -> models.ChatCompletion:
        """Ask for an answer and wait until it is whole.

        Args:
            messages: a string, which is one user message, or a list of `Message` objects
                and `{"role", "content"}` mappings.
            model: the model: a name or an alias of the model table, or a name given to the
                client. Without one, the client's own.
            thread_id: the conversation's id. Without one, the model's name. Only for the
                protocol `autonomousai`.
            user_id: the caller's id, a UUID. Only for the protocol `autonomousai`.
            use_tool: whether the service may use tools; false wherever it was seen. Only
                for the protocol `autonomousai`.
            max_tokens: the most tokens that the model may generate.
            temperature: how random the answer is; 0 is the most likely answer.
            top_p: choose from the most likely tokens that have this probability together.
            stop: one or several texts at which the answer ends; it does not include them.
            seed: makes the answer repeatable, as far as the engine supports it.
            frequency_penalty: how much to avoid tokens by how often they occurred.
            presence_penalty: how much to avoid tokens that occurred at all.
            response_format: the form of the answer: `{"type": "json_object"}`, or `{"type":
                "json_schema", "json_schema": {"name": …, "schema": …}}`.
            tools: the functions that the model may call: Python functions, or definitions
                as mappings.
            tool_choice: whether the model calls tools, or the definition of the one that it
                calls.
            parallel_tool_calls: whether the model may call several tools at once.
            n: how many answers to generate; each is one of the choices.
            logprobs: whether to return the log probabilities of the tokens.
            top_logprobs: how many alternatives to return for each token; needs `logprobs`.
            reasoning_effort: how much the model reasons before it answers.
            headers: sent with this call, over the client's; None leaves a header out.
            extra_body: fields merged into the request body, last.
            timeout: seconds this call may take, or a `Timeout`, instead of the client's.
            max_retries: the maximum number of retries of this call, instead of the
                client's.

        Returns:
            A whole answer.

        Raises:
            ConfigurationError: an argument is invalid; nothing was sent.
            APIStatusError: the server returned an error status.
            APIConnectionError: the connection failed or timed out.
            APIResponseError: the response does not match the spec.

        Examples:
            >>> client.chat.create("Why is the sky blue?").text
        """
        return self._runner.call(
            CHAT_CREATE,
            {
                "messages": messages,
                "model": model,
                "thread_id": thread_id,
                "user_id": user_id,
                "use_tool": use_tool,
                "max_tokens": max_tokens,
                "temperature": temperature,
                "top_p": top_p,
                "stop": stop,
                "seed": seed,
                "frequency_penalty": frequency_penalty,
                "presence_penalty": presence_penalty,
                "response_format": response_format,
                "tools": tools,
                "tool_choice": tool_choice,
                "parallel_tool_calls": parallel_tool_calls,
                "n": n,
                "logprobs": logprobs,
                "top_logprobs": top_logprobs,
                "reasoning_effort": reasoning_effort,
            },
            CallOptions(
                headers=headers, extra_body=extra_body, timeout=timeout, max_retries=max_retries
            ),
        )

    def stream(
        self,
        messages: Messages,
        *,
        model: ModelName | str | None = None,
        thread_id: str | None = None,
        user_id: str | None = None,
        use_tool: bool | None = None,
        max_tokens: int | None = None,
        temperature: float | None = None,
        top_p: float | None = None,
        stop: str | Sequence[str] | None = None,
        seed: int | None = None,
        frequency_penalty: float | None = None,
        presence_penalty: float | None = None,
        response_format: Mapping[str, object] | None = None,
        tools: Sequence[Callable[..., Any] | Mapping[str, Any]] | None = None,
        tool_choice: Literal["none", "auto", "required"] | Mapping[str, object] | None = None,
        parallel_tool_calls: bool | None = None,
        n: int | None = None,
        logprobs: bool | None = None,
        top_logprobs: int | None = None,
        reasoning_effort: Literal["none", "minimal", "low", "medium", "high"] | str | None = None,
        headers: Mapping[str, str | None] | None = None,
        extra_body: Mapping[str, object] | None = None,
        timeout: Timeout | float | None = None,
        max_retries: int | None = None,
    ) -> ChatStream:
        """Ask for an answer and read it as it is written.

        Args:
            messages: a string, which is one user message, or a list of `Message` objects
                and `{"role", "content"}` mappings.
            model: the model: a name or an alias of the model table, or a name given to the
                client. Without one, the client's own.
            thread_id: the conversation's id. Without one, the model's name. Only for the
                protocol `autonomousai`.
            user_id: the caller's id, a UUID. Only for the protocol `autonomousai`.
            use_tool: whether the service may use tools; false wherever it was seen. Only
                for the protocol `autonomousai`.
            max_tokens: the most tokens that the model may generate.
            temperature: how random the answer is; 0 is the most likely answer.
            top_p: choose from the most likely tokens that have this probability together.
            stop: one or several texts at which the answer ends; it does not include them.
            seed: makes the answer repeatable, as far as the engine supports it.
            frequency_penalty: how much to avoid tokens by how often they occurred.
            presence_penalty: how much to avoid tokens that occurred at all.
            response_format: the form of the answer: `{"type": "json_object"}`, or `{"type":
                "json_schema", "json_schema": {"name": …, "schema": …}}`.
            tools: the functions that the model may call: Python functions, or definitions
                as mappings.
            tool_choice: whether the model calls tools, or the definition of the one that it
                calls.
            parallel_tool_calls: whether the model may call several tools at once.
            n: how many answers to generate; each is one of the choices.
            logprobs: whether to return the log probabilities of the tokens.
            top_logprobs: how many alternatives to return for each token; needs `logprobs`.
            reasoning_effort: how much the model reasons before it answers.
            headers: sent with this call, over the client's; None leaves a header out.
            extra_body: fields merged into the request body, last.
            timeout: seconds this call may take, or a `Timeout`, instead of the client's.
            max_retries: the maximum number of retries of this call, instead of the
                client's.

        Returns:
            The stream. The request goes out on entering it, or at the first step of a loop.

        Raises:
            ConfigurationError: an argument is invalid; nothing was sent.
            AutonomousAIError: the call failed, on entering or iterating the stream.

        Examples:
            >>> with client.chat.stream("Tell me a story.", model="hermes") as stream:
            ...     for text in stream.text:
            ...         print(text, end="", flush=True)
            >>> stream.completion.finish_reason
            'stop'
        """
        return self._runner.stream(
            ChatStream,
            CHAT_CREATE,
            {
                "messages": messages,
                "model": model,
                "thread_id": thread_id,
                "user_id": user_id,
                "use_tool": use_tool,
                "max_tokens": max_tokens,
                "temperature": temperature,
                "top_p": top_p,
                "stop": stop,
                "seed": seed,
                "frequency_penalty": frequency_penalty,
                "presence_penalty": presence_penalty,
                "response_format": response_format,
                "tools": tools,
                "tool_choice": tool_choice,
                "parallel_tool_calls": parallel_tool_calls,
                "n": n,
                "logprobs": logprobs,
                "top_logprobs": top_logprobs,
                "reasoning_effort": reasoning_effort,
            },
            CallOptions(
                headers=headers, extra_body=extra_body, timeout=timeout, max_retries=max_retries
            ),
        )

    @cached_property
    def with_raw_response(self) -> ChatWithRawResponse:
        """The same methods, which return the raw response."""
        return ChatWithRawResponse(self._runner)


class EmbeddingsWithRawResponse:
    """The methods of `client.embeddings`, which return the raw response."""

    def __init__(self, runner: CallRunner) -> None:
        methods = Embeddings(runner.raw())
        self.create = raw(methods.create)


class Embeddings:
    """Texts as vectors of numbers."""

    def __init__(self, runner: CallRunner) -> None:
        self._runner = runner

    def create(
        self,
        input: str | Sequence[str] | Sequence[int] | Sequence[Sequence[int]],
        *,
        model: str,
        encoding_format: Literal["float", "base64"] | None = None,
        dimensions: int | None = None,
        headers: Mapping[str, str | None] | None = None,
        extra_body: Mapping[str, object] | None = None,
        timeout: Timeout | float | None = None,
        max_retries: int | None = None,
    ) -> models.EmbeddingList:
        """Turn texts into vectors.

        Args:
            input: a text, several texts, or tokens.
            model: the model's name.
            encoding_format: how the server encodes the numbers; `vector` has them decoded.
            dimensions: how many numbers a vector has, for models that support several
                sizes.
            headers: sent with this call, over the client's; None leaves a header out.
            extra_body: fields merged into the request body, last.
            timeout: seconds this call may take, or a `Timeout`, instead of the client's.
            max_retries: the maximum number of retries of this call, instead of the
                client's.

        Returns:
            The vectors of all inputs.

        Raises:
            ConfigurationError: an argument is invalid; nothing was sent.
            APIStatusError: the server returned an error status.
            APIConnectionError: the connection failed or timed out.
            APIResponseError: the response does not match the spec.

        Examples:
            >>> client.embeddings.create("Hello", model="nomic-embed-text").vectors
        """
        return self._runner.call(
            EMBEDDINGS_CREATE,
            {
                "input": input,
                "model": model,
                "encoding_format": encoding_format,
                "dimensions": dimensions,
            },
            CallOptions(
                headers=headers, extra_body=extra_body, timeout=timeout, max_retries=max_retries
            ),
        )

    @cached_property
    def with_raw_response(self) -> EmbeddingsWithRawResponse:
        """The same methods, which return the raw response."""
        return EmbeddingsWithRawResponse(self._runner)


class ModelsWithRawResponse:
    """The methods of `client.models`, which return the raw response."""

    def __init__(self, runner: CallRunner) -> None:
        methods = Models(runner.raw())
        self.fetch = raw(methods.fetch)


class Models(CatalogMethods):
    """The models that the client knows, and those that the server lists."""

    _runner: CallRunner

    def __init__(self, runner: CallRunner) -> None:
        self._runner = runner

    def fetch(
        self,
        *,
        headers: Mapping[str, str | None] | None = None,
        timeout: Timeout | float | None = None,
        max_retries: int | None = None,
    ) -> models.ModelList:
        """Ask the server for its models.

        Args:
            headers: sent with this call, over the client's; None leaves a header out.
            timeout: seconds this call may take, or a `Timeout`, instead of the client's.
            max_retries: the maximum number of retries of this call, instead of the
                client's.

        Returns:
            The models that a server lists.

        Raises:
            ConfigurationError: an argument is invalid; nothing was sent.
            APIStatusError: the server returned an error status.
            APIConnectionError: the connection failed or timed out.
            APIResponseError: the response does not match the spec.

        Examples:
            >>> [model.id for model in client.models.fetch()]
            ['Auto-AI']
        """
        return self._runner.call(
            MODELS_FETCH, {}, CallOptions(headers=headers, timeout=timeout, max_retries=max_retries)
        )

    @cached_property
    def with_raw_response(self) -> ModelsWithRawResponse:
        """The same methods, which return the raw response."""
        return ModelsWithRawResponse(self._runner)


class Client(BaseClient):
    """The constructor of `Client`, and its attributes that make calls."""

    _runner: CallRunner
    _catalog = Catalog(MODELS)
    _protocols = PROTOCOLS
    _default_model = DEFAULT_MODEL

    def __init__(
        self,
        *,
        base_url: str | None = None,
        api_key: str | None = None,
        protocol: Literal["autonomousai", "openai"] | None = None,
        model: str | None = None,
        timeout: Timeout | float | None = None,
        max_retries: int = 2,
        headers: Mapping[str, str] | None = None,
        country_code: str = "US",
        time_zone: str = "America/New_York",
        models: Mapping[str, str] | None = None,
        proxy: str | None = None,
        verify: Verify = True,
        max_event_bytes: int = MAX_EVENT_BYTES,
        allow_http_key: bool = False,
        http_client: transports.HTTPClient | None = None,
        transport: Transport | None = None,
    ) -> None:
        """Check the options; connections are opened when a call first needs one.

        Args:
            base_url: URL of the service. Default: `AUTONOMOUSAI_BASE_URL`, else the hosted
                service.
            api_key: sent as `authorization: Bearer`. Default: `AUTONOMOUSAI_API_KEY`, else
                no key. Over plain http, the key is sent to loopback addresses only.
            protocol: the wire protocol. Default: `AUTONOMOUSAI_PROTOCOL`, else `openai` for
                a base URL whose path ends with `/v1`, and `autonomousai` for any other.
            model: the model of calls that name none. Default: `AUTONOMOUSAI_MODEL`, else
                `llama`, or with the `openai` protocol the only model that the server lists.
            timeout: seconds that a whole call may take, or a `Timeout` with a limit for
                each phase.
            max_retries: how often to retry a call that failed in a way that a retry may
                fix.
            headers: sent with every request; they replace the SDK's own headers of the same
                name.
            country_code: your country, as ISO 3166-1 alpha-2; sent as `country-code`.
            time_zone: your time zone, by its IANA name; sent as `time-zone`.
            models: models that the spec does not list, as names to paths: `{"qwen3:8b":
                "/chat"}`.
            proxy: URL of a proxy. Default: the proxy of the environment, which never
                applies to loopback.
            verify: certificates to trust. True: certifi's, or those of `SSL_CERT_FILE` and
                `SSL_CERT_DIR`. A path: a CA bundle or a directory of certificates.
                "system": the operating system's (extra `[truststore]`). Or an
                `ssl.SSLContext`.
            max_event_bytes: limit on one line, event or document of a response, in bytes,
                after decompression.
            allow_http_key: allow the key to be sent over plain http to another machine.
            http_client: your own `httpx.Client`, which the SDK never closes.
            transport: your own `Transport`, which the SDK never closes.

        Raises:
            ConfigurationError: an option or environment variable is invalid.
        """
        options = Options(
            base_url=base_url,
            api_key=api_key,
            protocol=protocol,
            model=model,
            timeout=timeout,
            max_retries=max_retries,
            headers=headers,
            country_code=country_code,
            time_zone=time_zone,
            models=models,
            proxy=proxy,
            verify=verify,
            max_event_bytes=max_event_bytes,
            allow_http_key=allow_http_key,
        )
        # A traceback that shows local variables would show these from here on.
        del base_url, api_key, headers, proxy
        self._set_up(options, self._connect(options, http_client, transport))

    def with_options(self, **changes: Unpack[ClientOptions]) -> Self:
        """Return a copy with some options changed, which shares this client's connections.

        Args:
            **changes: options of the constructor, except `proxy`, `verify`, `http_client`
                and `transport`.

        Returns:
            The copy. Closing it does nothing: the connections belong to this client.

        Raises:
            ConfigurationError: an option does not exist, is invalid or is fixed.

        Examples:
            >>> client.with_options(timeout=5, max_retries=0).chat.create("Quick!")
        """
        return self._copied(changes)

    @cached_property
    def chat(self) -> Chat:
        """Answers to conversations."""
        return self._resource("chat", Chat(self._runner))

    @cached_property
    def embeddings(self) -> Embeddings:
        """Texts as vectors of numbers."""
        return self._resource("embeddings", Embeddings(self._runner))

    @cached_property
    def models(self) -> Models:
        """The models that the client knows, and those that the server lists."""
        return self._resource("models", Models(self._runner))
