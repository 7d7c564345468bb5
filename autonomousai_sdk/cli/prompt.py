"""The prompt line of a conversation: lines in, answers out, until Ctrl-D."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from prompt_toolkit import PromptSession
from prompt_toolkit.completion import CompleteEvent, Completer, Completion, PathCompleter
from prompt_toolkit.document import Document
from prompt_toolkit.history import FileHistory, History, InMemoryHistory
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent

from .._generated.catalog import MODELS
from .._generated.option_table import CHAT_OPTIONS
from ..errors import AutonomousAIError
from .answer import show_stream, show_text
from .exit_code import print_failure
from .options import Target
from .session import Session
from .slash import COMMANDS, run_line
from .terminal import Progress, put, without_controls
from .tools import load_tools

if TYPE_CHECKING:
    from .._generated.methods import ChatStream
    from .._generated.models import ChatCompletion

_FILE_COMMANDS = ("image", "load", "save", "tools")
_MODEL_NAMES = [name for model in MODELS for name in (model.id, *model.aliases)]
_VALUES = {option.name: option.values for option in CHAT_OPTIONS}


def converse(
    target: Target,
    system: str | None,
    images: tuple[str, ...],
    tools: str | None,
    options: dict[str, Any],
) -> None:
    """Hold a conversation on the terminal until Ctrl-D."""
    functions = [] if tools is None else load_tools(tools)
    with Progress() as progress, target.client(progress) as client:
        screen = TerminalScreen(progress)
        conversation = client.conversation(model=target.model, system=system)
        session = Session(client, conversation, screen, dict(options), list(images), functions)
        screen.say("/help lists the commands; Ctrl-D leaves.")
        line: PromptSession[str] = PromptSession(
            history=_history(),
            completer=_Commands(),
            complete_while_typing=True,
            key_bindings=_bindings(),
            multiline=True,
            enable_suspend=True,
            prompt_continuation="... ",
        )
        while True:
            try:
                text = line.prompt(">>> ")
            except KeyboardInterrupt:
                continue
            except EOFError:
                return
            try:
                run_line(session, text)
            except KeyboardInterrupt:
                screen.say("(Stopped. The conversation is as it was before this message.)")
            except AutonomousAIError as error:
                progress.done()
                print_failure(error)
            finally:
                progress.done()


class TerminalScreen:
    """Shows on the terminal what happens in a session."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress

    def say(self, text: str) -> None:
        """Show a line about the session."""
        self._progress.done()
        put(f"{without_controls(text)}\n")

    def wait(self, text: str) -> None:
        """Show a spinner until the next output."""
        self._progress.wait(text)

    def show(self, stream: ChatStream) -> ChatCompletion:
        """Show an answer as it arrives, and return its completion."""
        return show_stream(stream, self._progress)

    def show_text(self, text: str) -> None:
        """Show an answer that is complete."""
        self._progress.done()
        show_text(text)


def _history() -> History:
    """Return the lines of earlier conversations, in a file that its owner alone can read."""
    folder = os.environ.get("XDG_STATE_HOME") or os.environ.get("LOCALAPPDATA")
    path = Path(folder or Path.home() / ".local" / "state", "autonomousai", "history")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.touch(mode=0o600)
    except OSError:
        return InMemoryHistory()
    return FileHistory(str(path))


def _bindings() -> KeyBindings:
    bindings = KeyBindings()

    @bindings.add("enter")
    def send(event: KeyPressEvent) -> None:
        event.current_buffer.validate_and_handle()

    @bindings.add("escape", "enter")
    def break_line(event: KeyPressEvent) -> None:
        event.current_buffer.insert_text("\n")

    return bindings


class _Commands(Completer):
    """Completes commands, and their models, options and files."""

    def __init__(self) -> None:
        self._paths = PathCompleter(expanduser=True)

    def get_completions(
        self, document: Document, complete_event: CompleteEvent
    ) -> Iterable[Completion]:
        """Complete the word before the cursor."""
        text = document.text_before_cursor
        if not text.startswith("/") or "\n" in text:
            return
        name, space, rest = text[1:].partition(" ")
        if not space:
            for each, command in COMMANDS.items():
                if each.startswith(name):
                    yield Completion(each, -len(name), display_meta=command.description)
        elif name in _FILE_COMMANDS:
            last = Document(rest.rpartition(" ")[2])
            yield from self._paths.get_completions(last, complete_event)
        elif name == "model":
            yield from _starting(_MODEL_NAMES, rest)
        elif name == "set":
            option, space, value = rest.partition(" ")
            words = _VALUES.get(option, ()) if space else tuple(_VALUES)
            yield from _starting(words, value if space else option)


def _starting(words: Iterable[str], text: str) -> Iterable[Completion]:
    return [Completion(word, -len(text)) for word in words if word.startswith(text)]
