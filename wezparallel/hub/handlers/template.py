"""Handlers of the template commands."""

from __future__ import annotations

import os
import pwd
from typing import TYPE_CHECKING

from wezparallel.hub.workspaces import detect, discovery
from wezparallel.hub.workspaces.templates import Compiled, compile_template
from wezparallel.protocol import template as words
from wezparallel.protocol.template import TemplateRecord

if TYPE_CHECKING:
    from wezparallel.hub.app import Hub


def compiled_for(name: str | None, source: str | None, root: str) -> Compiled:
    """Compile YAML, a named template, or what the folder itself suggests. Raises RequestError `template.*`."""
    if source is not None:
        return _compile(source, "template", root)
    if name is None:
        own = discovery.own_template(root)
        if own is None:
            return _compile(detect.detect(root)[0], "detected", root)
        return _compile(discovery.read(own), own, root)
    path = discovery.find(name, root)
    return _compile(discovery.read(path), path, root)


def list_(_hub: Hub, command: words.TemplateList) -> words.Templates:
    """Return what can be opened from a folder."""
    return words.Templates(templates=discovery.list_templates(command.root or os.path.expanduser("~")))


def get(_hub: Hub, command: words.TemplateGet) -> words.TemplateReply:
    """Return one template, compiled."""
    root = command.root or os.path.expanduser("~")
    found: list[str] = []
    path = discovery.find(command.name, root) if command.name is not None else discovery.own_template(root)
    if path is None:
        source, found = detect.detect(root)
        compiled, origin = _compile(source, "detected", root), "detected"
    else:
        source = discovery.read(path)
        compiled, origin = _compile(source, path, root), discovery.origin(path, root)
    record = TemplateRecord(
        name=compiled.name or os.path.basename(root), description=compiled.description, path=path or "detected",
        origin=origin, processes=len(compiled.settings),
    )  # fmt: skip
    return words.TemplateReply(
        template=record, source=source, picture=compiled.picture, found=found,
        plan=compiled.plan_for(record.name), settings=compiled.settings,
    )  # fmt: skip


def check(_hub: Hub, command: words.TemplateCheck) -> words.TemplateChecked:
    """Compile and throw away."""
    compiled = _compile(command.source, "template", command.root or os.path.expanduser("~"))
    return words.TemplateChecked(picture=compiled.picture, plan=compiled.plan_for("workspace"))


def _compile(source: str, path: str, root: str) -> Compiled:
    return compile_template(source, path, root, _shell(), os.path.expanduser("~"))


def _shell() -> str:
    shell = os.environ.get("SHELL", "")
    return shell if os.access(shell, os.X_OK) else pwd.getpwuid(os.getuid()).pw_shell or "/bin/sh"
