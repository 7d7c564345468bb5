"""The lines of a conversation: messages, and commands that begin with a slash."""

from __future__ import annotations

import json
import os
import re
import shlex
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

from attrs import frozen

from .._core.call_option import CallOption
from .._core.display import display
from .._generated.models import Usage
from .._generated.operations import CHAT_CREATE
from .._generated.option_table import CHAT_OPTIONS
from .._message import Message
from ..conversation import Conversation
from ..errors import ConfigurationError
from .session import Session
from .tools import load_tools

# A path such as /etc/hosts is not a command: it has a second slash.
_COMMAND = re.compile(r"/(\w+)(?:\s+(.*))?", re.DOTALL)

REMOVE = "-"
"""The argument that removes what a command has set."""

_OPTIONS = {option.name: option for option in CHAT_OPTIONS}


def run_line(session: Session, line: str) -> None:
    """Run a command or, for any other text, take a turn.

    Raises:
        AutonomousAIError: the command or the turn failed; the conversation is as it was.
    """
    command = _COMMAND.fullmatch(line.rstrip())
    if command is None:
        if line.strip():
            session.send(Message.user(line.strip(), images=session.images))
        return
    found = COMMANDS.get(command[1])
    if found is None:
        raise ConfigurationError(
            f"Unknown command /{command[1]}. /help lists the commands; a space before the slash "
            "sends it as text."
        )
    found.run(session, (command[2] or "").strip())


def _model(session: Session, name: str) -> None:
    if not name:
        shown = session.conversation.model or "the client's default"
        session.screen.say(f"Model: {shown}")
        return
    if session.client.chat.has_threads:
        session.client.models.get(name)
    session.conversation.model = name
    session.screen.say(f"Model: {name}")


def _system(session: Session, text: str) -> None:
    messages = session.conversation.messages
    has_system = bool(messages) and messages[0].role == "system"
    if not text:
        shown = messages[0].content if has_system else "none"
        session.screen.say(f"System prompt: {shown}")
        return
    others = messages[1:] if has_system else messages
    session.replace(others if text == REMOVE else (Message.system(text), *others))
    session.screen.say("System prompt removed." if text == REMOVE else "System prompt set.")


def _image(session: Session, text: str) -> None:
    if text == REMOVE:
        session.images.clear()
    else:
        paths = _words(text)
        Message.user("", images=paths)  # raises if one cannot be sent
        session.images.extend(paths)
    shown = ", ".join(session.images) or "none"
    session.screen.say(f"Images of the next message: {shown}")


def _set(session: Session, text: str) -> None:
    name, _, value = text.partition(" ")
    if not name:
        shown = [f"{name} = {value!r}" for name, value in session.options.items()]
        session.screen.say("\n".join(shown) or "No options are set. Example: /set temperature 0.2")
        return
    option = _option(session, name.replace("-", "_"))
    value = value.strip()
    if value == REMOVE:
        session.options.pop(option.name, None)
    elif value:
        session.options[option.name] = _checked(session, option, value)
    if option.name in session.options:
        session.screen.say(f"{option.name} = {session.options[option.name]!r}")
    else:
        session.screen.say(f"{option.name} is not set: {option.description}")


def _option(session: Session, name: str) -> CallOption:
    protocol = _protocol(session)
    known = [each.name for each in CHAT_OPTIONS if protocol in each.protocols]
    if name not in known:
        raise ConfigurationError(f"Unknown option {display(name)}. Options: {', '.join(known)}.")
    return _OPTIONS[name]


def _checked(session: Session, option: CallOption, text: str) -> Any:
    """Return the value of an option, checked against the bounds of the spec."""
    value = option.parse(text)
    for argument in CHAT_CREATE.routes[_protocol(session)].arguments:
        if argument.name == option.name:
            argument.check.encode(value, option.name)
    return value


def _protocol(session: Session) -> str:
    # Threads are a feature of the original protocol.
    return "autonomousai" if session.client.chat.has_threads else "openai"


def _tools(session: Session, path: str) -> None:
    if path == REMOVE:
        session.tools.clear()
    elif path:
        session.tools[:] = load_tools(_word(path))
    names = ", ".join(function.__name__ for function in session.tools)
    session.screen.say(f"Tools: {names or 'none. /tools FILE.py loads the functions of a file.'}")


def _save(session: Session, text: str) -> None:
    path = Path(_word(text)).expanduser() if text else session.file
    if path is None:
        raise ConfigurationError("/save needs a file. Example: /save chat.json")
    if path.exists() and path != session.file:
        raise ConfigurationError(f"{path} exists: choose another name.")
    document = json.dumps(session.conversation.to_dict(), ensure_ascii=False, indent=2)
    try:
        _write(path, document)
    except OSError as error:
        raise ConfigurationError(f"Cannot save to {path}: {error.strerror}.") from error
    session.file = path
    session.screen.say(f"Saved {_count(session.conversation)} to {path}")


def _write(path: Path, text: str) -> None:
    """Write a file that is complete or absent, readable by its owner only."""
    with NamedTemporaryFile(
        "w", encoding="utf-8", dir=path.parent, prefix=f".{path.name}.", delete=False
    ) as file:
        try:
            file.write(text + "\n")
            file.flush()
            os.fsync(file.fileno())
            file.close()
            os.replace(file.name, path)  # noqa: PTH105  # the name is a string
        except BaseException:
            file.close()
            Path(file.name).unlink(missing_ok=True)
            raise


def _load(session: Session, text: str) -> None:
    if not text:
        raise ConfigurationError("/load needs a file. Example: /load chat.json")
    path = Path(_word(text)).expanduser()
    try:
        data: Any = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigurationError(f"Cannot load {path}: {error.strerror}.") from error
    except ValueError as error:
        raise ConfigurationError(f"{path} is not JSON: {error}.") from error
    conversation = Conversation.from_dict(data, session.client)
    if conversation.model is not None and session.client.chat.has_threads:
        session.client.models.get(conversation.model)
    session.conversation = conversation
    session.file = path
    session.failed = None
    session.usages.clear()
    session.screen.say(f"Loaded {_count(conversation)} from {path}")


def _retry(session: Session, _: str) -> None:
    if session.failed is not None:
        session.send(session.failed)
        return
    before = session.conversation
    messages = before.messages
    last = max((n for n, each in enumerate(messages) if each.role == "user"), default=None)
    if last is None:
        raise ConfigurationError("There is no message to send again.")
    session.replace(messages[:last])
    try:
        session.send(messages[last])
    except BaseException:
        session.conversation, session.failed = before, None
        raise


def _tokens(session: Session, _: str) -> None:
    if not session.usages:
        session.screen.say("No answers yet.")
        return
    last = session.usages[-1]
    session.screen.say(f"Last answer: {_usage([last])}\nAll answers: {_usage(session.usages)}")


def _usage(usages: Sequence[Usage | None]) -> str:
    """Return the sums of token counts; a sum with an unknown count is unknown."""
    sums: list[str] = []
    for name, noun in (("prompt_tokens", "in"), ("completion_tokens", "out")):
        counts = [None if usage is None else getattr(usage, name) for usage in usages]
        total = "unknown" if None in counts else f"{sum(filter(None, counts)):,}"
        sums.append(f"{total} {noun}")
    return ", ".join(sums) + " (tokens)"


def _help(session: Session, _: str) -> None:
    lines = [(f"/{name} {command.argument}".strip(), command) for name, command in COMMANDS.items()]
    width = max(len(line) for line, _ in lines)
    shown = [f"{line.ljust(width)}  {command.description}" for line, command in lines]
    session.screen.say("\n".join([*shown, "", *_KEYS]))


def _word(text: str) -> str:
    """Return the one file that an argument names; quotes are optional."""
    words = _words(text)
    return words[0] if len(words) == 1 else text


def _words(text: str) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError as error:
        raise ConfigurationError(f"{display(text)}: {error}.") from None


def _count(conversation: Conversation) -> str:
    count = len(conversation.messages)
    return f"{count} {'message' if count == 1 else 'messages'}"


@frozen
class Command:
    """A command of a session.

    Attributes:
        argument: what follows its name, for help.
        description: what it does.
        run: runs it, with the session and the text after its name.
    """

    argument: str
    description: str
    run: Callable[[Session, str], None]


COMMANDS: Mapping[str, Command] = {
    "model": Command("[NAME]", "Show or change the model.", _model),
    "system": Command("[TEXT]", "Show or change the system prompt; - removes it.", _system),
    "image": Command("[FILE…]", "Add images to the next message; - removes them.", _image),
    "set": Command("[NAME VALUE]", "Show or set options of the answers; - unsets one.", _set),
    "tools": Command("[FILE.py]", "Let the model call the file's functions; - stops it.", _tools),
    "save": Command("[FILE]", "Save the conversation.", _save),
    "load": Command("FILE", "Continue a saved conversation.", _load),
    "retry": Command("", "Send the last message again.", _retry),
    "tokens": Command("", "Show how many tokens the answers took.", _tokens),
    "help": Command("", "Show this help.", _help),
}

_KEYS = (
    "Enter sends, Alt-Enter starts a new line, Tab completes.",
    "Ctrl-C stops the answer, Ctrl-D leaves.",
)
