"""The one table of commands and events. What is not here does not exist on the socket."""

from __future__ import annotations

import difflib
from typing import Any

from wezparallel.errors import RequestError
from wezparallel.protocol import (
    alert,
    config,
    direct,
    environment,
    history,
    hub,
    keyboard,
    log,
    metric,
    notification,
    process,
    screen,
    snapshot,
    template,
    view,
    waiting,
    workspace,
    worktree,
)
from wezparallel.protocol.command import Command, Mutation, Record, Reply

NOUNS = (
    hub,
    workspace,
    process,
    keyboard,
    waiting,
    direct,
    view,
    environment,
    template,
    worktree,
    log,
    screen,
    config,
    metric,
    history,
    alert,
    notification,
    snapshot,
)

COMMANDS: dict[str, type[Command[Reply]]] = {command.__name__: command for noun in NOUNS for command in noun.COMMANDS}
EVENTS: dict[str, type[Record]] = {name: data for noun in NOUNS for name, data in noun.EVENTS.items()}


def find(name: str) -> type[Command[Reply]]:
    """Return the command of that name. Raises RequestError `command.unknown`, with the nearest name."""
    command = COMMANDS.get(name)
    if command is None:
        near = difflib.get_close_matches(name, COMMANDS, n=1)
        hint = f"did you mean {near[0]}?" if near else "Describe lists them all"
        raise RequestError(
            "command.unknown", f"there is no command {name!r}; {hint}", nearest=near[0] if near else None
        )
    return command


def describe(only: str | None = None) -> dict[str, dict[str, Any]]:
    """Return name -> {effect, since, doc, request, reply_tag, reply}, schemas as JSON Schema."""
    commands = {only: find(only)} if only else COMMANDS
    return {
        name: {
            "effect": command.EFFECT,
            "since": command.SINCE,
            "mutation": issubclass(command, Mutation),
            "doc": " ".join((command.__doc__ or "").split()),
            "request": command.model_json_schema(),
            "reply_tag": command.REPLY.TAG,
            "reply": command.REPLY.model_json_schema(mode="serialization"),
        }
        for name, command in commands.items()
    }


def describe_events() -> dict[str, dict[str, Any]]:
    """Return name -> JSON Schema of an event's data."""
    return {name: data.model_json_schema(mode="serialization") for name, data in EVENTS.items()}
