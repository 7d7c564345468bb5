"""Protocols: the choice by name or base URL, and base URLs that cannot work."""

from __future__ import annotations

import pytest

from autonomousai_sdk._core.protocol import Advice, Protocol, Protocols
from autonomousai_sdk.errors import ConfigurationError

ORIGINAL = Protocol(name="original", paths=("/chat", "/chat-vision"), has_catalog=True)
OTHER = Protocol(
    name="other", base_path="/v1", paths=("/chat/completions", "/models", "/embeddings")
)
PROTOCOLS = Protocols((ORIGINAL, OTHER), "https://service.example/api/v1/ai")


@pytest.mark.parametrize(
    ("base_url", "protocol"),
    [
        ("http://h", ORIGINAL),
        ("http://h/v1", OTHER),
        ("http://h/openai/v1", OTHER),
        ("http://v1", ORIGINAL),
        ("http://h/v1beta", ORIGINAL),
        ("http://h/v11", ORIGINAL),
        ("http://h/api/v1/ai", ORIGINAL),
        ("http://h/api/v1/ai/v1", OTHER),
    ],
)
def test_the_end_of_the_base_url_selects_the_protocol(base_url: str, protocol: Protocol) -> None:
    """Without a name, a path that ends with a protocol's base path selects that protocol."""
    assert PROTOCOLS.choose(None, base_url) is protocol


@pytest.mark.parametrize("protocol", [ORIGINAL, OTHER])
@pytest.mark.parametrize("base_url", ["http://h", "http://h/v1"])
def test_a_name_takes_precedence_over_the_base_url(protocol: Protocol, base_url: str) -> None:
    """A protocol chosen by name is used whatever the base URL."""
    assert PROTOCOLS.choose(protocol.name, base_url) is protocol


@pytest.mark.parametrize(
    ("name", "given"), [("grpc", "'grpc'"), ("", "''"), (5, "int"), (OTHER, "Protocol")]
)
def test_an_unknown_protocol_is_refused(name: object, given: str) -> None:
    """The error for an unknown protocol lists the protocols."""
    with pytest.raises(ConfigurationError) as caught:
        PROTOCOLS.choose(name, "http://h", source="AUTONOMOUSAI_PROTOCOL")
    assert str(caught.value) == (
        f"AUTONOMOUSAI_PROTOCOL must be 'original' or 'other', not {given}."
    )


@pytest.mark.parametrize(
    ("protocol", "base_url"),
    [
        (OTHER, "http://h/v1"),
        (OTHER, "http://h/api/v1/ai/v1"),
        (OTHER, "https://h/v1beta/openai"),
        (OTHER, "https://azure.example/models"),
        (OTHER, "https://h/api/paas/v4"),
        (OTHER, "http://h/chat"),
        (OTHER, "http://v1/v1"),
        (ORIGINAL, "http://h"),
        (ORIGINAL, "http://h/v1"),
        (ORIGINAL, "http://h/models"),
        (ORIGINAL, "http://h/api/v1/ai"),
    ],
)
def test_a_usable_base_url_is_accepted(protocol: Protocol, base_url: str) -> None:
    """A base URL that a server may really have is not refused."""
    PROTOCOLS.check(protocol, base_url)


@pytest.mark.parametrize(
    ("protocol", "base_url", "problem", "right"),
    [
        (OTHER, "http://h:11434", "lacks /v1", "http://h:11434/v1"),
        (OTHER, "http://h/api/v1/ai", "lacks /v1", "http://h/api/v1/ai/v1"),
        (OTHER, "http://h/v1/v1", "ends with /v1 twice", "http://h/v1"),
        (ORIGINAL, "http://h/v1/v1/v1", "ends with /v1 twice", "http://h/v1"),
        (OTHER, "http://h/v1/chat/completions", "ends with /chat/completions", "http://h/v1"),
        (ORIGINAL, "http://h/v1/chat/completions", "ends with /chat/comp", "http://h/v1"),
        (ORIGINAL, "http://h/v4/chat/completions", "ends with /chat/comp", "http://h/v4"),
        (ORIGINAL, "http://h/chat/completions", "ends with /chat/comp", "http://h/v1"),
        (OTHER, "http://h/v1/models", "ends with /models", "http://h/v1"),
        (ORIGINAL, "http://h/v1/embeddings", "ends with /embeddings", "http://h/v1"),
        (ORIGINAL, "http://h/api/v1/ai/chat", "ends with /chat,", "http://h/api/v1/ai"),
        (ORIGINAL, "http://h/chat-vision", "ends with /chat-vision", "http://h"),
        (OTHER, "http://h/api/v1/ai/chat", "ends with /chat,", "http://h/api/v1/ai/v1"),
    ],
)
def test_an_unusable_base_url_is_refused_with_the_right_one(
    protocol: Protocol, base_url: str, problem: str, right: str
) -> None:
    """A base URL that ends with an endpoint, or lacks or repeats `/v1`, is refused."""
    with pytest.raises(ConfigurationError) as caught:
        PROTOCOLS.check(protocol, base_url, source="AUTONOMOUSAI_BASE_URL")
    said = str(caught.value)
    assert said.startswith(f"AUTONOMOUSAI_BASE_URL '{base_url}' {problem}")
    assert said.endswith(f": use '{right}'.")
    PROTOCOLS.check(PROTOCOLS.choose(None, right), right)


def test_advice_for_an_endpoint_that_does_not_exist_has_the_likely_base_url() -> None:
    """If no protocol's base path ends the base URL, the advice names the URL with it."""
    assert PROTOCOLS.advice("http://h").not_found == (
        "For the 'other' protocol, the base URL usually ends with /v1: base_url='http://h/v1'."
    )
    assert PROTOCOLS.advice("http://h/v1") == Advice()


def test_advice_for_the_hosted_service_names_the_alternatives() -> None:
    """Only a client of the hosted service is advised to use another server."""
    protocols = Protocols(PROTOCOLS.each, "https://hosted.example/api", ("https://new.example/v1",))
    said = protocols.advice("https://hosted.example/api").unreachable
    for alternative in ("LocalServer", "--local", "https://new.example/v1", "/v1' for Ollama"):
        assert alternative in said
    assert protocols.advice("http://h").unreachable == ""


def test_a_server_of_the_vendor_without_its_base_path_is_refused() -> None:
    """The base URL of a known server that lacks the protocol's base path is refused."""
    protocols = Protocols((ORIGINAL, OTHER), "https://a.example/ai", ("https://b.example/ai/v1",))
    protocols.check(ORIGINAL, "https://a.example/ai")
    protocols.check(OTHER, "https://b.example/ai/v1")
    for protocol in (ORIGINAL, OTHER):
        with pytest.raises(ConfigurationError, match="lacks /v1.*: use 'https://b.example/ai/v1'"):
            protocols.check(protocol, "https://b.example/ai")
