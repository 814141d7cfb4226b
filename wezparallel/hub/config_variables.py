"""What variables and flags say: `WEZPARALLEL_SECTION_OPTION`, the names of other programs, `--set a.b=c`. Pure.

Above: `configuration.py`. Below: `options.py`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from wezparallel.errors import RequestError
from wezparallel.hub import options
from wezparallel.hub.options import BadValueError, Path
from wezparallel.hub.settings import KindSettings
from wezparallel.hub.workspaces.source import nearest, quoted

PREFIX = "WEZPARALLEL_"
ALIASES: tuple[tuple[str, Path], ...] = (
    ("RUST_LOG", ("framework", "log_level")),
    ("WEZTERM_MULTI_DEV_LOG_LEVEL", ("framework", "log_level")),
    ("WEZTERM_MULTI_DEV_SOCKET_PATH", ("communication", "socket_path")),
    ("WEZTERM_MULTI_DEV_MAX_WORKSPACES", ("workspaces", "max_workspaces")),
    ("WEZTERM_MULTI_DEV_MAX_PROCESSES", ("workspaces", "max_processes")),
    ("VANTAGE_AUTO_EXPORT_INTERVAL", ("workspaces", "auto_save_interval")),
    ("CLAUDE_CODE_BINARY", ("processes", "claude_code", "command")),
)
"""Names that other programs use, the weakest first; ours goes before all of them."""
_OF_A_KIND = re.compile(rf"{PREFIX}PROCESSES_(.+)_({'|'.join(sorted(KindSettings.model_fields, key=len)).upper()})\Z")


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that is wrong with what was said, or good to know."""

    message: str
    """What a person reads; of a file with its place and its lines."""
    file: str | None = None
    line: int | None = None
    column: int | None = None

    @property
    def summary(self) -> str:
        """Its first line, which says place and fault."""
        return self.message.partition("\n")[0]

    @classmethod
    def of(cls, error: RequestError) -> Problem:
        """Return what an error says."""
        place = {name: error.data.get(name) for name in ("line", "column")}
        file = error.data.get("file")
        return cls(
            error.message, str(file) if file else None,
            *(value if isinstance(value, int) else None for value in place.values()),
        )  # fmt: skip


@dataclass
class Given:
    """What variables or flags say."""

    values: dict[Path, tuple[Any, str]] = field(default_factory=dict)
    """Option → value, and the name of the variable or the flag."""
    errors: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)
    notes: list[Problem] = field(default_factory=list)

    def take(self, path: Path, text: str, where: str) -> None:
        """Take one value as it was written."""
        option = options.find(path)
        assert option is not None
        try:
            self.values[path] = (options.value_of(path, option, text, text), where)
        except BadValueError as error:
            self.errors.append(Problem(f"{where}: {error.sentence}; {error.hint or 'take it away'}"))


def from_environment(environment: Mapping[str, str]) -> Given:
    """Return what the environment says; an empty variable says nothing."""
    given = Given()
    for name, path in ALIASES:
        text = environment.get(name, "").strip()
        if not text:
            continue
        if name == "RUST_LOG":
            level = _rust_level(text)
            if level is None:  # it is there for somebody else
                given.notes.append(Problem(f"RUST_LOG={quoted(text)} names no level for us"))
                continue
            text = level
        given.take(path, text, name)
    names = _names()
    for name in sorted(environment):
        text = environment[name].strip()
        if not text or not name.startswith(PREFIX):
            continue
        of_kind = _OF_A_KIND.match(name)
        known = names.get(name) or (("processes", of_kind[1].lower(), of_kind[2].lower()) if of_kind else None)
        if known is not None and not _is_map(known):
            given.take(known, text, name)
        elif name.startswith(tuple(f"{PREFIX}{section.upper()}_" for section in (*options.sections(), "processes"))):
            given.warnings.append(_unknown(name, names))
    return given


def from_flags(words: list[str]) -> Given:
    """Return what `--set SECTION.OPTION=VALUE` says."""
    given = Given()
    for word in words:
        name, equals, text = word.partition("=")
        path = tuple(name.strip().split("."))
        option = options.find(path)
        if option is None or not equals or option.is_map:
            near = nearest(name, [".".join(one) for one in _names().values()])
            hint = f"did you mean {near}=VALUE?" if near else "write --set SECTION.OPTION=VALUE"
            given.errors.append(Problem(f"--set {word.partition('=')[0]}: there is no such option; {hint}"))
            continue
        given.take(path, text.strip(), f"--set {name.strip()}")
    return given


def variable(path: Path) -> str:
    """Return the variable that says an option; empty for a map."""
    return "" if _is_map(path) else PREFIX + "_".join(path).upper()


def _names() -> dict[str, Path]:
    return {
        PREFIX + f"{section}_{option}".upper(): (section, option)
        for section, model in options.sections().items()
        for option in model.model_fields
        if options.find((section, option)) is not None
    }


def _is_map(path: Path) -> bool:
    option = options.find(path)
    return option is None or option.is_map


def _unknown(name: str, names: Mapping[str, Path]) -> Problem:
    near = nearest(name, names)
    hint = f"did you mean {near}?" if near else "`wezparallel config schema` lists all options"
    return Problem(f"the variable {name} says no option; {hint}")


def _rust_level(text: str) -> str | None:
    """Return the level of a `RUST_LOG` directive: the bare one, else the one that names us."""
    bare = None
    for part in text.split(","):
        target, equals, level = part.strip().partition("=")
        if not equals and target.lower() in ("trace", "debug", "info", "warn", "error"):
            bare = target.lower()
        elif equals and target.replace("_", "-").startswith(("wezparallel", "wezterm-parallel")):
            return level.lower()
    return bare
