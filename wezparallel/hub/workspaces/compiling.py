"""Compiles a template with what lies around it: other templates, files of variables, the settings, an environment.

Above: the handlers. Below: `templates`, which is pure; `discovery` and the pool's `filling`, which read files.
"""

from __future__ import annotations

import os
import pwd
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from wezparallel.errors import RequestError
from wezparallel.hub import config_templates
from wezparallel.hub.pool import filling
from wezparallel.hub.workspaces import discovery, process_files
from wezparallel.hub.workspaces.extends import Reader, follow
from wezparallel.hub.workspaces.fields import Fields
from wezparallel.hub.workspaces.source import Source, fold, known, nearest, printable, quoted
from wezparallel.hub.workspaces.templates import Compiled, Given, compile_process, compile_template, shown

if TYPE_CHECKING:
    from wezparallel.hub.settings import Settings
    from wezparallel.hub.workspaces.process_files import ProcessFile
    from wezparallel.protocol.process import ProcessSettings

_SUFFIXES = (".yaml", ".yml")


def compile_with(
    source: str,
    path: str,
    root: str,
    *,
    shell: str,
    settings: Settings,
    variables: Mapping[str, str] | None = None,
    environment: Mapping[str, str] | None = None,
) -> Compiled:
    """Compile a template. Raises RequestError `template.*`."""
    given = _given(root, settings, variables or {}, environment or {})
    return compile_template(source, path, root, shell, os.path.expanduser("~"), given)


def process_with(
    path: str | None,
    root: str,
    name: str,
    template: str,
    *,
    shell: str,
    settings: Settings,
    variables: Mapping[str, str],
    environment: Mapping[str, str],
) -> ProcessSettings:
    """Compile one process from a definition of a template, or of the configuration. Raises RequestError `template.*`.

    Args:
        path: The template that may have the definition; None: only the configuration may.
        root: Folder that it is compiled for.
        name: What the process is called.
        template: Name of the definition.
        shell: The user's.
        settings: The daemon's.
        variables: Values for its `${NAME}`.
        environment: To look further in.
    """
    home = os.path.expanduser("~")
    text = (
        Source("configuration", "{}") if path is None else Source(path, discovery.read(path), shown(path, root, home))
    )
    given = _given(root, settings, variables, environment)
    return compile_process(text, name, template, (root, shell, home), given)


def _given(root: str, settings: Settings, variables: Mapping[str, str], environment: Mapping[str, str]) -> Given:
    programs = {kind: one.command for kind, one in settings.processes.items() if one.command}
    return Given(
        variables=variables, environment=environment, reader=base_reader(root, os.path.expanduser("~")),
        env_file=filling.read_file, programs=programs, default_layout=settings.workspaces.default_layout,
        process_templates=config_templates.process_templates(), process_file=process_reader(root),
    )  # fmt: skip


def process_file(path: str, root: str, text: str | None = None) -> ProcessFile:
    """Read a template of one process. Raises RequestError `template.*`."""
    text = discovery.read(path) if text is None else text
    stem = os.path.splitext(os.path.basename(path))[0]
    return process_files.parse(Source(path, text, shown(path, root, os.path.expanduser("~"))), stem)


def process_reader(root: str) -> Callable[[str], ProcessFile | None]:
    """Return what finds a template of one process by its name."""

    def read(name: str) -> ProcessFile | None:
        path = next((one.path for one in discovery.candidates(root, "process") if fold(one.name) == fold(name)), None)
        return None if path is None else process_file(path, root)

    return read


def process_of_file(
    found: ProcessFile,
    root: str,
    name: str,
    *,
    shell: str,
    settings: Settings,
    variables: Mapping[str, str],
    environment: Mapping[str, str],
) -> ProcessSettings:
    """Compile one process from a file of its own. Raises RequestError `template.*`, `process.bad_*`."""
    given = replace(
        _given(root, settings, variables, environment),
        process_templates={fold(found.name): (found.key, found.definition(variables))},
    )
    text = Source(found.source.path, "{}", found.source.shown_path)
    return compile_process(text, name, found.name, (root, shell, os.path.expanduser("~")), given)


def defines(path: str | None, root: str, name: str) -> bool:
    """Tell whether a template, or the configuration, has a definition of that name. Raises `template.*`."""
    names = list(config_templates.process_templates())
    if path is not None:
        home = os.path.expanduser("~")
        text = Source(path, discovery.read(path), shown(path, root, home))
        chain = follow(text, base_reader(root, home))
        names += [key.text for key, _ in Fields(text, chain.tree, "a template").children("process_templates")]
    return fold(name) in map(fold, names)


def users_shell() -> str:
    """Return the shell that commands written as a string run in."""
    shell = os.environ.get("SHELL", "")
    return shell if os.access(shell, os.X_OK) else pwd.getpwuid(os.getuid()).pw_shell or "/bin/sh"


def base_reader(root: str, home: str) -> Reader:
    """Return what reads the templates that one extends.

    A path is relative to the file that names it. A name is looked for as everywhere; a file that extends its own name
    means the next one of it, so that a folder's `web_dev` can begin with ours.
    """

    def read(name: str, path: str, open_: frozenset[str]) -> Source:
        if "/" in name or name.endswith(_SUFFIXES):
            folder = os.path.dirname(path) if os.path.isabs(path) else root
            found = os.path.normpath(os.path.join(folder, os.path.expanduser(name)))
            if not os.path.isfile(found):
                raise RequestError(
                    "template.not_found", f"there is no file {printable(found)}; check the path", path=found
                )
        else:
            found = _by_name(name, path, root)
        if found in open_:
            return Source(found, "", "")
        return Source(found, discovery.read(found), shown(found, root, home))

    return read


def _by_name(name: str, path: str, root: str) -> str:
    every = [one for one in discovery.every(root) if one.kind == "workspace"]
    same = [one.path for one in every if fold(one.name) == fold(name)]
    if path in same:
        same = same[same.index(path) + 1 :] or [path]
    if same:
        return same[0]
    names = list(dict.fromkeys(one.name for one in every))
    near = nearest(fold(name), [fold(one) for one in names])
    meant = next((one for one in names if fold(one) == near), None)
    hint = f"did you mean {quoted(meant)}? " if meant else ""
    raise RequestError(
        "template.not_found", f"there is no template {quoted(printable(name))}; {hint}{known(names)}",
        nearest=meant, known=names,
    )  # fmt: skip
