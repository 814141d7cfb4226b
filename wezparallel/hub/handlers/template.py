"""Handlers of the template commands."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from wezparallel.errors import RequestError
from wezparallel.hub.handlers import process_templates
from wezparallel.hub.pool import kinds
from wezparallel.hub.workspaces import detect, discovery, own_templates, process_files
from wezparallel.hub.workspaces.compiling import compile_with, users_shell
from wezparallel.hub.workspaces.templates import Compiled
from wezparallel.hub.workspaces.trust import fingerprint, only_people, shown
from wezparallel.protocol import template as words
from wezparallel.protocol.template import TemplateEvent, TemplateRecord
from wezparallel.protocol.workspace import Plan

if TYPE_CHECKING:
    from wezparallel.hub.app import Hub
    from wezparallel.hub.comms.dispatch import Accepted


@dataclass(frozen=True, slots=True)
class With:
    """What a caller gives along: values for `${NAME}`, and the environment to look further in."""

    variables: dict[str, str] = field(default_factory=dict)
    environment: dict[str, str] | None = field(default=None, repr=False)
    env_id: str = ""
    """Of a workspace that has one already."""


@dataclass(frozen=True, slots=True)
class Found:
    """A template that was looked up and compiled."""

    compiled: Compiled
    source: str
    path: str
    """Its file; `template` for text that was given, `detected` for what was drawn."""
    origin: str
    """`folder`, `user`, `config`, `built-in`, `detected` or `given`."""
    drawn_from: list[str] = field(default_factory=list)


def look_up(hub: Hub, name: str | None, source: str | None, root: str, with_: With | None = None) -> Found:
    """Compile YAML, a named template, or what the folder itself suggests. Raises RequestError `template.*`."""
    if source is not None:
        return Found(_compile(hub, source, "template", root, with_), source, "template", "given")
    path = discovery.find(name, root) if name is not None else discovery.own_template(root)
    usual = hub.settings.workspaces.default_template
    if path is None and usual:
        path = discovery.find(usual, root)
    if path is None:
        drawn, found = detect.detect(root)
        return Found(_compile(hub, drawn, "detected", root, with_), drawn, "detected", "detected", found)
    text = discovery.read(path)
    return Found(_compile(hub, text, path, root, with_), text, path, discovery.origin(path, root))


def compiled_for(hub: Hub, name: str | None, source: str | None, root: str, with_: With | None = None) -> Compiled:
    """Return what may be opened. Raises RequestError `template.*`, `template.untrusted` where nobody accepted it.

    What somebody gives as text was accepted by giving it: whoever may open a workspace may also add its processes.
    """
    found = look_up(hub, name, source, root, with_)
    if found.origin != "given":
        hub.trust.check(found.path, found.origin, found.compiled, root, users_shell())
    settings = [kinds.with_defaults(one, hub.settings) for one in found.compiled.settings]
    return replace(found.compiled, settings=settings)


def list_(hub: Hub, command: words.TemplateList) -> words.Templates:
    """Return what can be opened from a folder."""
    root = command.root or os.path.expanduser("~")
    if command.kind == "process":
        return words.Templates(templates=process_templates.listed(hub, root))
    return words.Templates(templates=[_record_of(hub, one, root) for one in discovery.candidates(root)])


def get(hub: Hub, command: words.TemplateGet) -> words.TemplateReply:
    """Return one template, compiled."""
    root = command.root or os.path.expanduser("~")
    if process_templates.is_meant(command.name, root, command.kind):
        return process_templates.told(hub, process_templates.look_up(_named(command.name), root), command, root)
    found = look_up(hub, command.name, None, root, With(command.variables, command.environment))
    compiled, shell = found.compiled, users_shell()
    sha256 = fingerprint(compiled)
    record = TemplateRecord(
        name=compiled.name or os.path.basename(root), description=compiled.description, path=found.path,
        origin=found.origin, processes=len(compiled.settings),
        trusted=hub.trust.accepts(found.path, found.origin, sha256),
    )  # fmt: skip
    return words.TemplateReply(
        template=record, source=found.source, picture=compiled.picture, found=found.drawn_from,
        plan=compiled.plan_for(record.name), sha256=sha256,
        settings=[kinds.with_defaults(one, hub.settings) for one in compiled.settings],
        commands=shown(compiled, root, shell), notes=compiled.notes,
    )  # fmt: skip


def check(hub: Hub, command: words.TemplateCheck) -> words.TemplateChecked:
    """Compile and throw away."""
    root = command.root or os.path.expanduser("~")
    if process_files.is_process(command.source):
        process_templates.check(hub, command.source, "template", root, command.variables)
        return words.TemplateChecked(picture="", plan=Plan(tabs=[]), kind="process")
    compiled = _compile(hub, command.source, "template", root, With(command.variables, command.environment))
    plan = compiled.plan_for("workspace")
    return words.TemplateChecked(picture=compiled.picture, plan=plan, notes=compiled.notes)


def trust(hub: Hub, command: words.TemplateTrust) -> Accepted:
    """Keep that a person accepted what a template runs, if it still is what was shown."""
    only_people(hub, "TemplateTrust")
    root = command.root or os.path.expanduser("~")
    told = get(hub, words.TemplateGet(
        name=command.name, root=root, variables=command.variables, environment=command.environment
    ))  # fmt: skip
    record, sha256 = told.template, told.sha256
    if sha256 != command.sha256:
        raise RequestError(
            "template.untrusted",
            f"{record.path} is not what was shown any more; look at its commands again",
            path=record.path, root=root, sha256=sha256, commands=told.commands, changes=None,
        )  # fmt: skip
    if not record.trusted:
        hub.trust.accept(record.path, record.name, sha256, told.commands)
    return {"path": record.path, "sha256": sha256}


async def trusted(_hub: Hub, _command: words.TemplateTrust, accepted: Accepted) -> words.TemplateTrusted:
    """Answer once it is written down."""
    return words.TemplateTrusted(**accepted)


def create(hub: Hub, command: words.TemplateCreate) -> Accepted:
    """Write a new template of the user's."""
    only_people(hub, "TemplateCreate")
    path = own_templates.path_of(command.name)
    source = _checked(hub, command.source, path, command.kind)
    if own_templates.create(command.name, source):
        _tell(hub, command.name, path, "created")
    return {"name": command.name, "path": path}


async def created(_hub: Hub, _command: words.TemplateCreate, accepted: Accepted) -> words.TemplateCreated:
    """Answer once it is told."""
    return words.TemplateCreated(**accepted)


def update(hub: Hub, command: words.TemplateUpdate) -> Accepted:
    """Replace one of the user's templates."""
    only_people(hub, "TemplateUpdate")
    path = own_templates.existing(command.name, command.kind)
    source = _checked(hub, command.source, path, command.kind)
    own_templates.replace(path, source, command.was)
    _tell(hub, command.name, path, "updated")
    return {"name": command.name, "path": path}


async def updated(_hub: Hub, _command: words.TemplateUpdate, accepted: Accepted) -> words.TemplateUpdated:
    """Answer once it is told."""
    return words.TemplateUpdated(**accepted)


def delete(hub: Hub, command: words.TemplateDelete) -> Accepted:
    """Delete one of the user's templates."""
    only_people(hub, "TemplateDelete")
    path = own_templates.existing(command.name, command.kind)
    own_templates.delete(path)
    _tell(hub, command.name, path, "deleted")
    return {"name": command.name, "path": path}


async def deleted(_hub: Hub, _command: words.TemplateDelete, accepted: Accepted) -> words.TemplateDeleted:
    """Answer once it is told."""
    return words.TemplateDeleted(**accepted)


def _record_of(hub: Hub, one: discovery.Candidate, root: str) -> TemplateRecord:
    """Return what a list says of a template. One that does not compile is listed and says why."""
    try:
        compiled = _compile(hub, discovery.read(one.path), one.path, root)
    except RequestError as error:
        why = f"does not compile: {error.message.splitlines()[0]}"
        if error.code == "template.variable_unset":
            why = f"needs a value: --var {error.data['name']}=…"
        return TemplateRecord(name=one.name, description=why, path=one.path, origin=one.origin, processes=0)
    return TemplateRecord(
        name=one.name, description=compiled.description, path=one.path, origin=one.origin,
        processes=len(compiled.settings),
        trusted=hub.trust.accepts(one.path, one.origin, fingerprint(compiled)),
    )  # fmt: skip


def _named(name: str | None) -> str:
    if name is None:
        raise RequestError("command.bad_value", "a template of one process is asked for by its name", field="name")
    return name


def _checked(hub: Hub, source: str, path: str, kind: str | None) -> str:
    """Return a template's text as it is written down. Raises RequestError where it does not compile."""
    home = os.path.expanduser("~")
    if kind == "process" or process_files.is_process(source):
        source = process_files.with_kind(source)
        if kind == "workspace":
            raise RequestError(
                "command.bad_value", "this text is of a process (`kind: process`), and not of a workspace; give that "
                "kind, or take the line out", field="kind",
            )  # fmt: skip
        process_templates.check(hub, source, path, home, {})
    else:
        _compile(hub, source, path, home)
    return source


def _tell(hub: Hub, name: str, path: str, change: str) -> None:
    hub.bus.publish("template.changed", TemplateEvent(name=name, path=path, change=change).model_dump())


def _compile(hub: Hub, source: str, path: str, root: str, with_: With | None = None) -> Compiled:
    with_ = with_ or With()
    return compile_with(
        source, path, root, shell=users_shell(), settings=hub.settings, variables=with_.variables,
        environment=hub.environments.at_hand(with_.environment, with_.env_id),
    )  # fmt: skip
