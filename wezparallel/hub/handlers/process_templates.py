"""Templates of one process (`kind: process`), as the template commands handle them. Reads files.

Above: the handlers of the template commands and of `ProcessAdd`. Below: `process_files`, which reads one, and
`compiling`, which makes a process of it.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from wezparallel.errors import RequestError
from wezparallel.hub.pool import kinds
from wezparallel.hub.workspaces import compiling, discovery
from wezparallel.hub.workspaces.compiling import process_file, users_shell
from wezparallel.hub.workspaces.templates import Compiled
from wezparallel.hub.workspaces.trust import shown
from wezparallel.protocol import template as words
from wezparallel.protocol.workspace import Plan

if TYPE_CHECKING:
    from collections.abc import Mapping

    from wezparallel.hub.app import Hub
    from wezparallel.hub.workspaces.process_files import ProcessFile
    from wezparallel.protocol.process import ProcessSettings


@dataclass(frozen=True, slots=True)
class Found:
    """A process template that was looked up."""

    file: ProcessFile
    path: str
    origin: str


def look_up(name: str, root: str) -> Found:
    """Return a process template by name or path. Raises RequestError `template.*`."""
    path = discovery.find(name, root, "process")
    return Found(process_file(path, root), path, discovery.origin(path, root))


def is_meant(name: str | None, root: str, kind: str | None) -> bool:
    """Tell whether a name means a process template: it was said, or no workspace's has that name."""
    if kind is not None or name is None:
        return kind == "process"
    if "/" in name or name.endswith((".yaml", ".yml")):
        return discovery.kind_of(os.path.join(root, name)) == "process"
    try:
        discovery.find(name, root)
    except RequestError:
        try:
            discovery.find(name, root, "process")
        except RequestError:
            return False
        return True
    return False


def settings_of(
    hub: Hub, found: Found, root: str, name: str, variables: Mapping[str, str], environment: Mapping[str, str]
) -> ProcessSettings:
    """Make a process of a template, nothing of a repository's before it was accepted. Raises RequestError."""
    made = compiling.process_of_file(
        found.file, root, name, shell=users_shell(), settings=hub.settings, variables=variables,
        environment=environment,
    )  # fmt: skip
    compiled = _compiled(found.file, root, [made])
    hub.trust.check(found.path, found.origin, compiled, root, users_shell())
    return made


def listed(hub: Hub, root: str) -> list[words.TemplateRecord]:
    """Return what a list says of each; one that cannot be read is listed and says why."""
    records = []
    for one in discovery.candidates(root, "process"):
        try:
            records.append(record(hub, Found(process_file(one.path, root), one.path, one.origin)))
        except RequestError as error:
            why = f"does not compile: {error.message.splitlines()[0]}"
            records.append(
                words.TemplateRecord(
                    name=one.name, description=why, path=one.path, origin=one.origin, processes=0, kind="process"
                )
            )
    return records


def record(hub: Hub, found: Found) -> words.TemplateRecord:
    """Return what clients see of one."""
    file = found.file
    return words.TemplateRecord(
        name=os.path.splitext(os.path.basename(found.path))[0], description=file.description, path=found.path,
        origin=found.origin, processes=1, trusted=hub.trust.accepts(found.path, found.origin, file.digest),
        kind="process", category=file.category, tags=file.tags,
        variables=[
            words.TemplateVariable(
                name=one.name, description=one.description, default=one.default, required=one.required,
                type=one.type, example=one.example,
            )
            for one in file.variables.values()
        ],
    )  # fmt: skip


def told(hub: Hub, found: Found, command: words.TemplateGet, root: str) -> words.TemplateReply:
    """Return one, compiled if it has all the values that it needs."""
    file, settings, notes = found.file, [], []
    missing = file.missing(command.variables)
    commands = [line for line in file.source.lines if line.strip() and not line.lstrip().startswith("#")]
    if missing:
        notes = [f"it needs a value for {', '.join(missing)}"]
    else:
        environment = hub.environments.at_hand(command.environment)
        made = compiling.process_of_file(
            file, root, file.name, shell=users_shell(), settings=hub.settings, variables=command.variables,
            environment=environment,
        )  # fmt: skip
        settings = [kinds.with_defaults(made, hub.settings)]
        commands = shown(_compiled(file, root, [made]), root, users_shell())
    return words.TemplateReply(
        template=record(hub, found), source=file.source.text, picture="", found=[], plan=Plan(tabs=[]),
        settings=settings, notes=notes, commands=commands, sha256=file.digest,
    )  # fmt: skip


def check(hub: Hub, source: str, path: str, root: str, variables: Mapping[str, str]) -> None:
    """Refuse a text that could make no process: with the values given, else with defaults and examples.

    Raises RequestError `template.*`.
    """
    file = process_file(path, root, source)
    values = {one.name: one.example for one in file.variables.values() if one.example} | dict(variables)
    if not file.missing(values):
        compiling.process_of_file(
            file, root, "process", shell=users_shell(), settings=hub.settings, variables=values,
            environment=hub.environments.at_hand(None),
        )  # fmt: skip


def _compiled(file: ProcessFile, root: str, settings: list[ProcessSettings]) -> Compiled:
    return Compiled(
        file.name, file.description, root, settings, (), None, [], {file.source.path: file.source.text}, file.digest
    )
