"""Which proxy a request goes through."""

from __future__ import annotations

import pytest

from autonomousai_sdk.transports._proxy import proxy_for

VARIABLES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")


@pytest.fixture(autouse=True)
def _no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.mark.parametrize(
    ("environment", "url", "proxy"),
    [
        ({}, "https://example.com/x", None),
        ({"HTTPS_PROXY": "http://p:1"}, "https://example.com/x", "http://p:1"),
        ({"https_proxy": "p:1"}, "https://example.com/x", "http://p:1"),
        ({"HTTP_PROXY": "http://p:1"}, "https://example.com/x", None),
        ({"ALL_PROXY": "socks5://p:1"}, "https://example.com/x", "socks5://p:1"),
        ({"HTTPS_PROXY": "http://p:1", "NO_PROXY": "example.com"}, "https://example.com/", None),
        ({"HTTPS_PROXY": "http://p:1", "NO_PROXY": "*"}, "https://example.com/", None),
        ({"HTTP_PROXY": "http://p:1"}, "http://127.0.0.1:8000/", None),
        ({"HTTP_PROXY": "http://p:1"}, "http://localhost:8000/", None),
        ({"HTTP_PROXY": "http://p:1"}, "http://[::1]:8000/", None),
        ({"ALL_PROXY": "http://p:1"}, "http://app.localhost/", None),
    ],
)
def test_the_environment_s_proxy(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], url: str, proxy: str | None
) -> None:
    """The usual variables are read, and none of them applies to loopback."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert proxy_for(url, None) == proxy


def test_a_given_proxy_applies_to_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the caller names goes over the environment, for loopback too."""
    monkeypatch.setenv("NO_PROXY", "*")
    assert proxy_for("http://127.0.0.1/", "http://p:1") == "http://p:1"
