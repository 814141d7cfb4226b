"""The registry, the table of handlers and the vocabulary of the socket agree."""

from __future__ import annotations

import ast
import inspect
import re
from pathlib import Path

import pytest

from wezparallel.client import sync
from wezparallel.errors import RequestError
from wezparallel.hub.comms.dispatch import LateRead, Read, Stream, Write
from wezparallel.hub.handlers.table import ROWS, Handlers
from wezparallel.protocol import registry
from wezparallel.protocol.command import Command, Mutation, Record, Reply

SOURCE = Path(__file__).parents[2] / "wezparallel"

CODES = frozenset([
    "wire.too_long", "wire.not_json", "wire.not_utf8", "wire.version",
    "command.unknown", "command.unknown_field", "command.bad_value", "command.key_reused",
    "workspace.exists", "workspace.not_found", "workspace.limit",
    "process.not_found", "process.not_running", "process.bad_state", "process.no_binary", "process.no_directory",
    "process.bad_command", "process.bad_directory", "process.limit", "process.stop_timeout", "process.superseded",
    "template.not_found", "template.syntax", "template.layout", "template.untrusted", "template.variable_unset",
    "log.expired",
    "agent.not_delivered", "agent.not_waiting", "agent.kind_unknown",
    "caller.agent_not_allowed", "caller.other_user",
    "config.bad_value",
    "store.read_only", "store.newer",
    "disk.full",
    "hub.restarting", "hub.busy",
    "internal.bug",
])  # fmt: skip
"""Every code of the protocol's vocabulary. A new one is a change of the protocol."""

ODD_REPLIES = {"Shutdown": "ShuttingDown"}
"""Its answer comes before the deed, because nobody is there afterwards."""

PRIVATE_CODES = {"keeper": {"run.exists"}}
"""What keeper and hub say to each other only."""

HANDLERS = Handlers(ROWS)


@pytest.mark.parametrize("name", sorted(registry.COMMANDS))
def test_a_command_is_whole(name: str) -> None:
    command = registry.COMMANDS[name]
    assert re.fullmatch(r"[A-Z][a-z]+([A-Z][a-z]+)*", name)
    assert issubclass(command, Command)
    assert command.__doc__ not in {None, Command.__doc__, Mutation.__doc__}
    assert str(command.__doc__).strip().split("\n")[0].endswith(".")
    assert issubclass(command.REPLY, Reply)
    assert re.fullmatch(r"[A-Z][A-Za-z]+", command.REPLY.TAG)
    assert command.EFFECT in {"read", "write", "destroy"}
    assert command.SINCE >= 1


@pytest.mark.parametrize("name", sorted(registry.COMMANDS))
def test_a_command_has_one_handler_of_its_kind(name: str) -> None:
    handler = HANDLERS[name]
    if isinstance(handler, Write):
        assert issubclass(registry.COMMANDS[name], Mutation)
        assert not inspect.iscoroutinefunction(handler.accept)
        assert inspect.iscoroutinefunction(handler.finish)
    else:
        assert isinstance(handler, Read | LateRead | Stream)
        assert not issubclass(registry.COMMANDS[name], Mutation)
        assert inspect.iscoroutinefunction(handler.run) == isinstance(handler, LateRead)


@pytest.mark.parametrize("name", sorted(registry.COMMANDS))
def test_a_handler_returns_the_reply_that_its_command_declares(name: str) -> None:
    handler = HANDLERS[name]
    if isinstance(handler, Stream):
        return
    function = handler.finish if isinstance(handler, Write) else handler.run
    declared = inspect.signature(function).return_annotation
    assert declared.rpartition(".")[2] == registry.COMMANDS[name].REPLY.__name__


@pytest.mark.parametrize("name", sorted(registry.COMMANDS))
def test_a_command_and_its_reply_have_a_schema(name: str) -> None:
    facts = registry.describe(name)[name]
    assert facts["request"]["type"] == facts["reply"]["type"] == "object"


def test_no_handler_is_left_without_a_command() -> None:
    assert set(HANDLERS) == set(registry.COMMANDS)


def test_nothing_is_loaded_of_a_version_that_was_installed_meanwhile() -> None:
    replaced = []
    handlers = Handlers(ROWS, lambda: replaced.append(True), started=0.0)
    with pytest.raises(RequestError) as refused:
        handlers["ViewList"]
    assert refused.value.code == "hub.restarting"
    assert replaced == [True]


@pytest.mark.parametrize("name", ODD_REPLIES)
def test_an_odd_reply_is_the_one_that_is_written_down(name: str) -> None:
    assert ODD_REPLIES[name] == registry.COMMANDS[name].REPLY.TAG


def test_no_two_commands_share_a_name() -> None:
    names = [command.__name__ for noun in registry.NOUNS for command in noun.COMMANDS]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("name", sorted(registry.COMMANDS))
def test_a_mutations_reply_is_tagged_with_the_past_form(name: str) -> None:
    command = registry.COMMANDS[name]
    if not issubclass(command, Mutation) or name in ODD_REPLIES:
        return
    tag, noun = command.REPLY.TAG, re.match(r"[A-Z][a-z]+", name)
    assert noun is not None
    assert tag.startswith(noun[0])
    assert re.search(r"(ed|en|et|nd|pt)$", tag)


@pytest.mark.parametrize("name", sorted(registry.EVENTS))
def test_an_event_has_a_name_and_a_model_of_its_data(name: str) -> None:
    assert re.fullmatch(r"[a-z]+\.[a-z]+(_[a-z]+)*", name)
    data = registry.EVENTS[name]
    assert issubclass(data, Record)
    assert data.__doc__ not in {None, Record.__doc__}


def test_the_blocking_client_knows_which_commands_take_no_key() -> None:
    mutations = {name for name, command in registry.COMMANDS.items() if issubclass(command, Mutation)}
    assert set(registry.COMMANDS) - mutations == sync.READS


def codes_in(path: Path) -> set[str]:
    """Return the literals of a module that stand where a code stands: first of RequestError, or `code=`."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if not isinstance(node, ast.Call):
            continue
        places = [keyword.value for keyword in node.keywords if keyword.arg == "code"]
        if getattr(node.func, "id", "") == "RequestError" and node.args:
            places.append(node.args[0])
        found |= {place.value for place in places if isinstance(place, ast.Constant) and isinstance(place.value, str)}
    return found


@pytest.mark.parametrize("path", sorted(str(path.relative_to(SOURCE)) for path in SOURCE.rglob("*.py")))
def test_errors_use_codes_of_the_vocabulary_only(path: str) -> None:
    assert codes_in(SOURCE / path) <= CODES | PRIVATE_CODES.get(path.partition("/")[0], set())
