"""Handlers of the configuration's commands. The pure ones answer without a hub, too (`offline.py`)."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from wezparallel.errors import RequestError
from wezparallel.hub import configuration, options, reloading
from wezparallel.protocol import config as words
from wezparallel.protocol.masking import masked

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from wezparallel.hub.app import Hub
    from wezparallel.hub.comms.dispatch import Accepted
    from wezparallel.hub.config_variables import Problem
    from wezparallel.hub.configuration import Configuration


def get(hub: Hub, _command: words.ConfigGet) -> words.Config:
    """Return what holds."""
    return shown(hub.configuration)


def shown(read: Configuration) -> words.Config:
    """Return what holds, without secrets."""
    return words.Config(
        path=read.path, values=list(_values(read)), templates=list(read.templates),
        errors=_problems(read.errors), warnings=_problems(read.warnings), notes=_problems(read.notes),
    )  # fmt: skip


def check(_hub: Hub | None, command: words.ConfigCheck) -> words.ConfigChecked:
    """Read a configuration, and say what there is to say."""
    if command.path is not None and not command.path.startswith("/"):
        raise RequestError("command.bad_value", "ConfigCheck.path is not absolute; give the whole path", field="path")
    if command.source is not None:
        path = command.path or f"text.{command.format or 'yaml'}"
        toml = None if command.format is None else command.format == "toml"
        read = configuration.read(command.source, path, os.environ, toml=toml)
    else:
        read = configuration.load(path=command.path)
    return words.ConfigChecked(
        path=read.path, options=sum(origin.kind == "file" for origin in read.origins.values()),
        templates=list(read.templates), errors=_problems(read.errors), warnings=_problems(read.warnings),
        notes=_problems(read.notes),
    )  # fmt: skip


def reload(hub: Hub, _command: words.ConfigReload) -> Accepted:
    """Read it again and have it act."""
    return {"changed": reloading.reload(hub)}


async def reloaded(hub: Hub, _command: words.ConfigReload, accepted: Accepted) -> words.ConfigReloaded:
    """Answer: all of it acts already."""
    read = hub.configuration
    return words.ConfigReloaded(path=read.path, changed=accepted["changed"], warnings=_problems(read.warnings))


def _values(read: Configuration) -> Iterator[words.ConfigValue]:
    for path, option in options.every(read.settings):
        value = reloading.value(read.settings, path)
        if option.is_map and isinstance(value, dict) and value:
            for name, inner in value.items():
                yield _value(read, (*path, name), masked(name, inner), None, option)
        else:
            yield _value(read, path, value, options.default(path), option)
    said = read.settings.notifications
    for name, channel in said.channels.items():
        yield _named(read, ("notifications", "channels"), name, channel.shown)
    for name, rule in said.rules.items():
        yield _named(read, ("notifications", "rules"), name, rule.model_dump(exclude_defaults=True))


def _named(read: Configuration, path: options.Path, name: str, value: Any) -> words.ConfigValue:
    """Return a channel or a rule; it comes from a file."""
    origin = read.origin(path)
    return words.ConfigValue(
        option=".".join((*path, name)), value=value, default=None, origin=origin.kind, where=origin.where, unit="",
        text="",
    )  # fmt: skip


def _value(
    read: Configuration, path: options.Path, value: Any, default: Any, option: options.Option
) -> words.ConfigValue:
    origin = read.origin(path)
    return words.ConfigValue(
        option=".".join(path), value=masked(path[-1], value) if isinstance(value, str) else value, default=default,
        origin=origin.kind, where=origin.where, unit=option.unit, text=option.text,
    )  # fmt: skip


def _problems(problems: Iterable[Problem]) -> list[words.ConfigProblem]:
    return [
        words.ConfigProblem(message=one.message, file=one.file, line=one.line, column=one.column) for one in problems
    ]
