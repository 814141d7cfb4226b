"""The configuration: flags over environment over file over defaults, and where each value came from.

Above: the hub (`reloading.py`, `handlers/config.py`), and `offline.py` where no hub runs. Below: `config_files.py`
(finding, reading), `options.py` (what a value means), `foreign_settings.py` (other programs' names). A bad value in
the file makes nothing of the file hold: half a file is what nobody wrote.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping as Mapped
from dataclasses import dataclass, field
from typing import Any

from wezparallel import paths
from wezparallel.errors import RequestError
from wezparallel.hub import config_files, foreign_settings, options
from wezparallel.hub.config_files import bare, plain
from wezparallel.hub.config_notifications import TOLD_BY_ITSELF, Notifications
from wezparallel.hub.config_variables import Problem, from_environment, from_flags
from wezparallel.hub.expansion import expand
from wezparallel.hub.gui import keys
from wezparallel.hub.options import BadValueError, Option, Path
from wezparallel.hub.settings import Settings
from wezparallel.hub.workspaces.source import Mark, Source, fold, nearest, quoted
from wezparallel.hub.workspaces.yaml_lines import Mapping, Node, Scalar

FLAGS = "WEZPARALLEL_SET"
"""Carries `--set SECTION.OPTION=VALUE` of `daemon start` to the hub: a JSON list."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a value came from."""

    kind: str
    """`flag`, `environment`, `file` or `default`"""
    where: str = ""
    """The flag, the variable's name, `file:line`."""


DEFAULT = Origin("default")
Layer = dict[Path, tuple[Any, Origin]]


@dataclass(frozen=True)
class Configuration:
    """What holds, and what was wrong with what was said."""

    settings: Settings = field(default_factory=Settings)
    path: str | None = None
    """The file that was read; None if there is none."""
    origins: dict[Path, Origin] = field(default_factory=dict)
    """Of every value that is no default; of each entry of a map."""
    errors: tuple[Problem, ...] = ()
    warnings: tuple[Problem, ...] = ()
    notes: tuple[Problem, ...] = ()
    """What was understood in another way than it was written."""
    source: Source | None = None
    """The file's text; nodes below carry their own, because what they are is not secret."""
    templates: dict[str, Node] = field(default_factory=dict)
    """`workspaces.templates` by name, unread."""
    process_templates: dict[str, Node] = field(default_factory=dict)
    """`process_templates` by name, unread."""

    def origin(self, path: Path) -> Origin:
        """Return where a value came from."""
        return self.origins.get(path, DEFAULT)


def load(environment: Mapped[str, str] | None = None, path: str | None = None) -> Configuration:
    """Read everything that is said.

    Args:
        environment: The variables; else those of this program.
        path: The file in the place of the one that would be found.
    """
    env = os.environ if environment is None else environment
    found = config_files.find(env) if path is None else config_files.Found(os.path.abspath(path))
    beside = tuple(
        Problem(
            f"{_shown(other)} is not read, because {_shown(found.path or '')} lies beside it; remove one of them",
            other,
        )
        for other in found.passed_over
    )
    if found.path is None:
        return _composed(_File(), env, beside, None)
    try:
        return read(config_files.read(found.path), found.path, env, beside)
    except RequestError as error:
        return _composed(_File(errors=[Problem.of(error)]), env, beside, found.path)


def read(
    text: str, path: str, environment: Mapped[str, str], before: tuple[Problem, ...] = (), toml: bool | None = None
) -> Configuration:
    """Read a file's text, and the environment over it."""
    try:
        source, tree = config_files.parse(text, path, _shown(path), toml=toml)
    except RequestError as error:
        return _composed(_File(errors=[Problem.of(error)]), environment, before, path)
    said = _File(source)
    _Walk(said, source, environment).sections(tree)
    return _composed(said, environment, before, path)


def merge(*layers: Layer) -> Layer:
    """Return what holds of several layers, the weakest first. An entry of a map stands for itself."""
    merged: Layer = {}
    for layer in layers:
        merged.update(layer)
    return merged


def assemble(layer: Layer) -> Settings:
    """Return the settings that a layer makes of the defaults."""
    tree: dict[str, Any] = {}
    for path, (value, _) in layer.items():
        at = tree
        for part in path[:-1]:
            at = at.setdefault(part, {})
        at[path[-1]] = value
    return Settings.model_validate(tree)


def flags_of(environment: Mapped[str, str]) -> list[str]:
    """Return the `--set` words that the daemon was started with."""
    try:
        words = json.loads(environment.get(FLAGS) or "[]")
    except ValueError:
        return []
    return [str(word) for word in words] if isinstance(words, list) else []


@dataclass
class _File:
    """What a file says."""

    source: Source | None = None
    layer: Layer = field(default_factory=dict)
    errors: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)
    notes: list[Problem] = field(default_factory=list)
    raw: dict[Path, dict[str, Node]] = field(default_factory=dict)


def _composed(
    said: _File, environment: Mapped[str, str], before: tuple[Problem, ...], path: str | None
) -> Configuration:
    variables, flags = from_environment(environment), from_flags(flags_of(environment))
    layers: list[Layer] = [{} if said.errors else said.layer]
    for given, kind in ((variables, "environment"), (flags, "flag")):
        layers.append({name: (value, Origin(kind, where)) for name, (value, where) in given.values.items()})
    merged = merge(*layers)
    raw = {} if said.errors else said.raw
    for name, nodes in raw.items():
        merged[name] = ({key: plain(node) for key, node in nodes.items()}, Origin("file", _shown(path or "")))
    return Configuration(
        settings=assemble(merged), path=path, origins={name: origin for name, (_, origin) in merged.items()},
        errors=(*said.errors, *variables.errors, *flags.errors),
        warnings=(*before, *said.warnings, *variables.warnings, *flags.warnings),
        notes=(*said.notes, *variables.notes), source=said.source,
        templates=raw.get(("workspaces", "templates"), {}), process_templates=raw.get(("process_templates",), {}),
    )  # fmt: skip


class _Walk:
    """Goes through a file, and sorts what it says."""

    def __init__(self, said: _File, source: Source, environment: Mapped[str, str]) -> None:
        self._said = said
        self._source = source
        self._environment = environment
        self._notifications = Notifications(environment)

    def sections(self, tree: Mapping) -> None:
        """Take the file."""
        for key, node in tree.entries:
            self._take((_own_name(key.text, options.siblings(("",))),), key, node)
        for wrong in self._notifications.finish():
            self._error(*wrong)
        for what, made in self._notifications.made.items():
            assert self._notifications.first is not None
            self._said.layer["notifications", what] = (made, self._origin(self._notifications.first))

    def _take(self, path: Path, key: Scalar, node: Node) -> None:
        if isinstance(node, Scalar) and node.value is None:
            return  # a heading whose lines are all comments; or no value, which is the default
        option = options.find(path)
        if options.is_raw(path):
            self._raw(path, node)
        elif option is not None and not (isinstance(node, Mapping) and not option.is_map):
            self._option(path, option, key, node)
        elif options.is_section(path):
            self._section(path, key, node)
        else:
            self._foreign(path, key, node)

    def _section(self, path: Path, key: Scalar, node: Node) -> None:
        if not isinstance(node, Mapping):
            self._error(f"`{'.'.join(path)}` has to be a map of options", node.mark, f"It stands as `{key.text}:`.")
            return
        for inner, value in node.entries:
            self._take((*path, _own_name(inner.text, options.siblings((*path, "")))), inner, value)

    def _raw(self, path: Path, node: Node) -> None:
        if isinstance(node, Mapping) and path[0] == "notifications":
            self._notifications.read(path, node)
        elif isinstance(node, Mapping):
            self._said.raw[path] = {key.text: value for key, value in node.entries}
        else:
            self._error(f"`{'.'.join(path)}` has to be a map of names", node.mark, "")

    def _option(self, path: Path, option: Option, key: Scalar, node: Node) -> None:
        if option.is_map:
            self._map(path, node)
            return
        if not isinstance(node, Scalar):
            self._error(f"`{'.'.join(path)}` has to be one value, not a list", node.mark, option.text)
            return
        value, text = node.value, node.text
        if isinstance(value, str) and "$" in value:
            value, missing = expand(value, self._environment)
            text = value
            if missing:
                hint = f"Set it before the daemon starts, or write ${{{missing[0]}:-VALUE}}."
                self._error(f"the variable {missing[0]} is not set", node.mark, hint)
                return
        try:
            made = options.value_of(path, option, value, text)
        except BadValueError as error:
            self._error(error.sentence, node.mark, error.hint)
            return
        self._said.layer[path] = (made, self._origin(key.mark))

    def _map(self, path: Path, node: Node) -> None:
        if not isinstance(node, Mapping):
            self._error(f"`{'.'.join(path)}` has to be a map", node.mark, "For example { NAME: value }.")
            return
        for key, value in node.entries:
            foreign = foreign_settings.meaning((*path, key.text))
            if isinstance(foreign, str):
                self._meaningless((*path, key.text), foreign, key.mark)
            elif not isinstance(value, Scalar):
                self._error(f"`{'.'.join((*path, key.text))}` has to be one value", value.mark, "")
            elif path[-1] == "environment" and (not key.text or "=" in key.text or not key.text.isprintable()):
                self._error(f"{quoted(key.text)} is not the name of a variable", key.mark, "")
            elif "\0" in value.text:
                self._error(f"`{'.'.join((*path, key.text))}` contains a NUL", value.mark, "")
            elif value.value is not None:
                wrong = keys.problem(key.text, value.text) if path == ("ui", "keybindings") else None
                if wrong is not None:
                    self._said.warnings.append(self._problem(wrong[0], key.mark, wrong[1]))
                self._said.layer[(*path, key.text)] = (value.text, self._origin(key.mark))

    def _foreign(self, path: Path, key: Scalar, node: Node) -> None:
        seed = self._notifications.seed(path[-1], node) if path[:-1] == ("notifications",) else None
        if seed is not None:
            self._said.notes.append(self._problem(f"`{'.'.join(path)}` is {seed}", key.mark, ""))
            if path[-1] == "push_notifications" and isinstance(node, Scalar) and node.value is False:
                for kind in TOLD_BY_ITSELF:
                    self._said.layer.setdefault(("notifications", f"tell_{kind}"), (False, self._origin(key.mark)))
            return
        meaning = foreign_settings.meaning(path)
        if isinstance(meaning, foreign_settings.Ours):
            self._mapped(path, meaning, key, node)
        elif isinstance(node, Mapping) and foreign_settings.is_section(path):
            for inner, value in node.entries:
                self._take((*path, fold(inner.text)), inner, value)
        elif meaning is not None:
            self._meaningless(path, meaning, key.mark)
        else:
            near = nearest(fold(path[-1]), options.siblings(path))
            hint = f"Did you mean {quoted(near)}?" if near else "`wezparallel config schema` lists all options."
            self._said.warnings.append(self._problem(f"`{'.'.join(path)}` is no option", key.mark, hint))

    def _meaningless(self, path: Path, why: str, mark: Mark) -> None:
        self._said.notes.append(self._problem(f"`{'.'.join(path)}` has no meaning here: {why}", mark, ""))

    def _mapped(self, path: Path, meaning: foreign_settings.Ours, key: Scalar, node: Node) -> None:
        ours = tuple(meaning.option.split("."))
        option = options.find(ours)
        assert option is not None
        if meaning.convert is not None and isinstance(node, Scalar):
            made = meaning.convert(node.value)
            node = Scalar(made, str(made), node.mark, node.style, node.last_line)
        if ours in self._said.layer:
            sentence = f"`{'.'.join(path)}` is `{meaning.option}` here, which stands in the file already"
            self._said.notes.append(self._problem(sentence, key.mark, ""))
            return
        self._said.notes.append(self._problem(f"`{'.'.join(path)}` is `{meaning.option}` here", key.mark, ""))
        self._option(ours, option, key, node)

    def _origin(self, mark: Mark) -> Origin:
        return Origin("file", f"{self._source.shown_path or self._source.path}:{mark.line}")

    def _error(self, sentence: str, mark: Mark, hint: str) -> None:
        self._said.errors.append(self._problem(sentence, mark, hint))

    def _problem(self, sentence: str, mark: Mark, hint: str) -> Problem:
        return Problem.of(self._source.error("config.bad_value", sentence, bare(mark), hint))


def _own_name(text: str, known: list[str]) -> str:
    """Return a key as the settings write it: `-` equals `_`, in the names of kinds too; an unknown one stays."""
    return fold(text) if fold(text) in known or not known else text


def _shown(path: str) -> str:
    home = os.path.expanduser("~")
    return "~" + path[len(home) :] if home != "/" and path.startswith(home + "/") else path


def usual_path() -> str:
    """Return the path that a new file gets."""
    return os.path.join(paths.config_dir(), config_files.NAMES[0])
