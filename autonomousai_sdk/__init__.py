"""The Python SDK for AutonomousAI: one client for its models and for local ones.

    from autonomousai_sdk import Client

    with Client() as client:
        print(client.chat.create("Why is the sky blue?").text)

Each name is loaded on first use, so importing the package takes almost no time.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from ._version import __version__

if TYPE_CHECKING:
    from ._async_chat import AsyncChat as AsyncChat
    from ._async_client import AsyncClient as AsyncClient
    from ._async_conversation import AsyncConversation as AsyncConversation
    from ._chat import Chat as Chat
    from ._client import Client as Client
    from ._core.catalog import Model as Model
    from ._core.parse_attempt import ParseAttempt as ParseAttempt
    from ._core.raw_response import RawResponse as RawResponse
    from ._core.served_model import ServedModel as ServedModel
    from ._core.sse import ServerSentEvent as ServerSentEvent
    from ._core.sse import SSEDecoder as SSEDecoder
    from ._core.timeout import Timeout as Timeout
    from ._generated.async_methods import AsyncChatStream as AsyncChatStream
    from ._generated.async_methods import AsyncEmbeddings as AsyncEmbeddings
    from ._generated.async_methods import AsyncModels as AsyncModels
    from ._generated.methods import ChatStream as ChatStream
    from ._generated.methods import Embeddings as Embeddings
    from ._generated.methods import Models as Models
    from ._generated.models import ChatCompletion as ChatCompletion
    from ._generated.models import ChatCompletionChunk as ChatCompletionChunk
    from ._generated.models import ChatMessage as ChatMessage
    from ._generated.models import Choice as Choice
    from ._generated.models import ChoiceDelta as ChoiceDelta
    from ._generated.models import ChunkChoice as ChunkChoice
    from ._generated.models import Embedding as Embedding
    from ._generated.models import EmbeddingList as EmbeddingList
    from ._generated.models import ImagePart as ImagePart
    from ._generated.models import ImageURL as ImageURL
    from ._generated.models import ModelList as ModelList
    from ._generated.models import TextPart as TextPart
    from ._generated.models import ToolCall as ToolCall
    from ._generated.models import Usage as Usage
    from ._generated.params import ImagePartParam as ImagePartParam
    from ._generated.params import MessageParam as MessageParam
    from ._generated.params import Messages as Messages
    from ._generated.params import TextPartParam as TextPartParam
    from ._message import Message as Message
    from ._results import Parsed as Parsed
    from ._results import Result as Result
    from ._results import ToolRun as ToolRun
    from .conversation import Conversation as Conversation
    from .errors import AnswerParseError as AnswerParseError
    from .errors import APIConnectionError as APIConnectionError
    from .errors import APIResponseError as APIResponseError
    from .errors import APIStatusError as APIStatusError
    from .errors import APITimeoutError as APITimeoutError
    from .errors import AuthenticationError as AuthenticationError
    from .errors import AutonomousAIError as AutonomousAIError
    from .errors import BadRequestError as BadRequestError
    from .errors import BatchError as BatchError
    from .errors import ConfigurationError as ConfigurationError
    from .errors import ConflictError as ConflictError
    from .errors import InternalServerError as InternalServerError
    from .errors import NotFoundError as NotFoundError
    from .errors import PermissionDeniedError as PermissionDeniedError
    from .errors import RateLimitError as RateLimitError
    from .errors import RequestTimeoutError as RequestTimeoutError
    from .errors import RequestTooLargeError as RequestTooLargeError
    from .errors import StreamDecodeError as StreamDecodeError
    from .errors import StreamError as StreamError
    from .errors import StreamInterrupted as StreamInterrupted
    from .errors import ToolLoopError as ToolLoopError
    from .errors import UnprocessableEntityError as UnprocessableEntityError
    from .provider import AutonomousAI as AutonomousAI
    from .provider import FinishReason as FinishReason
    from .transports import AsyncTransport as AsyncTransport
    from .transports import AsyncTransportResponse as AsyncTransportResponse
    from .transports import Transport as Transport
    from .transports import TransportError as TransportError
    from .transports import TransportResponse as TransportResponse
    from .transports.httpx import AsyncHTTPXTransport as AsyncHTTPXTransport
    from .transports.httpx import HTTPXTransport as HTTPXTransport

_MODULES = {
    "_async_chat": ("AsyncChat",),
    "_async_conversation": ("AsyncConversation",),
    "_chat": ("Chat",),
    "conversation": ("Conversation",),
    "_results": ("Parsed", "Result", "ToolRun"),
    "_async_client": ("AsyncClient",),
    "_client": ("Client",),
    "_core.catalog": ("Model",),
    "_core.parse_attempt": ("ParseAttempt",),
    "_core.raw_response": ("RawResponse",),
    "_core.served_model": ("ServedModel",),
    "_core.sse": ("SSEDecoder", "ServerSentEvent"),
    "_core.timeout": ("Timeout",),
    "_generated.async_methods": ("AsyncChatStream", "AsyncEmbeddings", "AsyncModels"),
    "_generated.methods": ("ChatStream", "Embeddings", "Models"),
    "_generated.models": (
        "ChatCompletion",
        "ChatCompletionChunk",
        "ChatMessage",
        "Choice",
        "ChoiceDelta",
        "ChunkChoice",
        "Embedding",
        "EmbeddingList",
        "ImagePart",
        "ImageURL",
        "ModelList",
        "TextPart",
        "ToolCall",
        "Usage",
    ),
    "_generated.params": ("ImagePartParam", "MessageParam", "Messages", "TextPartParam"),
    "_message": ("Message",),
    "errors": (
        "APIConnectionError",
        "APIResponseError",
        "APIStatusError",
        "APITimeoutError",
        "AnswerParseError",
        "AuthenticationError",
        "AutonomousAIError",
        "BadRequestError",
        "BatchError",
        "ConfigurationError",
        "ConflictError",
        "InternalServerError",
        "NotFoundError",
        "PermissionDeniedError",
        "RateLimitError",
        "RequestTimeoutError",
        "RequestTooLargeError",
        "StreamDecodeError",
        "StreamError",
        "StreamInterrupted",
        "ToolLoopError",
        "UnprocessableEntityError",
    ),
    "provider": ("AutonomousAI", "FinishReason"),
    "transports": (
        "AsyncTransport",
        "AsyncTransportResponse",
        "Transport",
        "TransportError",
        "TransportResponse",
    ),
    "transports.httpx": ("AsyncHTTPXTransport", "HTTPXTransport"),
}
"""The module of each public name. A test compares it with the imports above."""

_HOMES = {name: module for module, names in _MODULES.items() for name in names}

__all__ = [
    "APIConnectionError",
    "APIResponseError",
    "APIStatusError",
    "APITimeoutError",
    "AnswerParseError",
    "AsyncChat",
    "AsyncChatStream",
    "AsyncClient",
    "AsyncConversation",
    "AsyncEmbeddings",
    "AsyncHTTPXTransport",
    "AsyncModels",
    "AsyncTransport",
    "AsyncTransportResponse",
    "AuthenticationError",
    "AutonomousAI",
    "AutonomousAIError",
    "BadRequestError",
    "BatchError",
    "Chat",
    "ChatCompletion",
    "ChatCompletionChunk",
    "ChatMessage",
    "ChatStream",
    "Choice",
    "ChoiceDelta",
    "ChunkChoice",
    "Client",
    "ConfigurationError",
    "ConflictError",
    "Conversation",
    "Embedding",
    "EmbeddingList",
    "Embeddings",
    "FinishReason",
    "HTTPXTransport",
    "ImagePart",
    "ImagePartParam",
    "ImageURL",
    "InternalServerError",
    "Message",
    "MessageParam",
    "Messages",
    "Model",
    "ModelList",
    "Models",
    "NotFoundError",
    "ParseAttempt",
    "Parsed",
    "PermissionDeniedError",
    "RateLimitError",
    "RawResponse",
    "RequestTimeoutError",
    "RequestTooLargeError",
    "Result",
    "SSEDecoder",
    "ServedModel",
    "ServerSentEvent",
    "StreamDecodeError",
    "StreamError",
    "StreamInterrupted",
    "TextPart",
    "TextPartParam",
    "Timeout",
    "ToolCall",
    "ToolLoopError",
    "ToolRun",
    "Transport",
    "TransportError",
    "TransportResponse",
    "UnprocessableEntityError",
    "Usage",
    "__version__",
]


def __getattr__(name: str) -> object:
    """Load a public name on first use (PEP 562)."""
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(import_module(f".{home}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
