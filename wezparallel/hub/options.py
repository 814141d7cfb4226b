"""Which options there are, and what a word in a file or a variable means for one. Pure, but for `~`.

Above: `configuration.py`, which knows files, variables and flags. Below: `settings.py`, where each stands
once.
"""

from __future__ import annotations

import os
import types
import typing
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from pydantic import ValidationError
from pydantic.fields import FieldInfo

from wezparallel.hub.settings import DEFAULT_KINDS, FREE, KindSettings, Section, Settings
from wezparallel.hub.workspaces.source import did_you_mean, fold, quoted
from wezparallel.protocol.masking import masked

Path = tuple[str, ...]
_RAW = frozenset(tuple(name.split(".")) for name in FREE if name != "processes")
_UNIT_S = {"ms": 0.001, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "d": 86400.0}
_PATHS = ("command", "socket_path")
_LEVELS = {"warning": "warn", "err": "error", "critical": "error", "fatal": "error", "notice": "info"}


@dataclass(frozen=True, slots=True)
class Option:
    """One option of a section. For processes its section is a kind's."""

    section: type[Section]
    name: str

    @property
    def info(self) -> FieldInfo:
        """What pydantic knows of it."""
        return self.section.model_fields[self.name]

    @property
    def unit(self) -> str:
        """What its number counts."""
        extra = self.info.json_schema_extra
        return str(extra.get("x-unit", "")) if isinstance(extra, dict) else ""

    @property
    def text(self) -> str:
        """What it is for."""
        return self.info.description or ""

    @property
    def is_map(self) -> bool:
        """Tell whether its value is a map whose names are the user's."""
        return typing.get_origin(self.info.annotation) is dict

    @property
    def words(self) -> tuple[str, ...]:
        """The words that it can be, if these are few."""
        return tuple(word for part in _parts(self.info.annotation) for word in _literals(part))


class BadValueError(Exception):
    """A value that an option cannot have; `hint` says what it can."""

    def __init__(self, sentence: str, hint: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.hint = hint


@cache
def sections() -> dict[str, type[Section]]:
    """Return the sections by name; without `processes`, whose kinds are the user's, and raw ones."""
    found = {name: info.annotation for name, info in Settings.model_fields.items()}
    return {name: one for name, one in found.items() if isinstance(one, type) and issubclass(one, Section)}


def find(path: Path) -> Option | None:
    """Return the option of that name."""
    if len(path) == 2 and path[0] in sections() and path not in _RAW:
        section = sections()[path[0]]
        return Option(section, path[1]) if path[1] in section.model_fields else None
    if len(path) == 3 and path[0] == "processes" and path[2] in KindSettings.model_fields:
        return Option(KindSettings, path[2])
    return None


def is_section(path: Path) -> bool:
    """Tell whether options stand below that name: a section, `processes`, one of its kinds."""
    return (len(path) == 1 and path[0] in ("processes", *sections())) or (len(path) == 2 and path[0] == "processes")


def is_raw(path: Path) -> bool:
    """Tell whether something else reads what stands there."""
    return path in _RAW


def every(settings: Settings) -> Iterator[tuple[Path, Option]]:
    """Yield all options, those of each kind that is named."""
    for name in Settings.model_fields:
        if name == "processes":
            for kind in settings.processes:
                for option in KindSettings.model_fields:
                    yield (name, kind, option), Option(KindSettings, option)
        elif name in sections():
            for option in sections()[name].model_fields:
                if (name, option) not in _RAW:
                    yield (name, option), Option(sections()[name], option)


def default(path: Path) -> Any:
    """Return the default of an option; of an entry in a map there is none."""
    option = find(path)
    if option is None:
        return None
    known = DEFAULT_KINDS.get(path[1], {}) if path[0] == "processes" else {}
    return known.get(option.name, option.info.get_default(call_default_factory=True))


def siblings(path: Path) -> list[str]:
    """Return the names that could stand where the last part of a path stands."""
    if len(path) == 1:
        return list(Settings.model_fields)
    if path[0] == "processes" and len(path) == 3:
        return list(KindSettings.model_fields)
    return list(sections()[path[0]].model_fields) if path[0] in sections() and len(path) == 2 else []


def value_of(path: Path, option: Option, value: Any, text: str) -> Any:
    """Return what a value means for an option; `text` is how it was written. Raises BadValueError."""
    failure: ValidationError | None = None
    for candidate in _candidates(option, value, text):
        try:
            made = option.section.model_validate({option.name: candidate})
        except ValidationError as error:
            failure = failure or error
            continue
        return _at_home(option, getattr(made, option.name))
    name = ".".join(path)
    why = _why(failure) if failure else "a truth value says nothing here"
    raise BadValueError(f"`{name}` cannot be {quoted(masked(path[-1], text))}: {why}", _hint(path, option, text))


def _at_home(option: Option, value: Any) -> Any:
    """Return a path with the home folder in the place of its `~`; nothing below knows that sign."""
    if option.name in _PATHS and isinstance(value, str) and value.startswith("~/"):
        return os.path.expanduser(value)
    return value


def _candidates(option: Option, value: Any, text: str) -> Iterator[Any]:
    """Yield what it may mean, the likeliest first."""
    if not isinstance(value, bool) or bool in _parts(option.info.annotation):
        yield value
    if isinstance(value, list | dict):
        return
    yield text
    if option.words:
        word = fold(text.strip()).lower()
        yield word
        yield _LEVELS.get(word, word)
    number = text.strip().lower().rstrip("abcdefghijklmnopqrstuvwxyz ")
    unit = text.strip().lower()[len(number) :].strip()
    if option.unit in ("seconds", "milliseconds", "days") and unit in _UNIT_S:
        per = {"seconds": 1.0, "milliseconds": 0.001, "days": 86400.0}[option.unit]
        try:
            yield round(float(number) * _UNIT_S[unit] / per, 6)
        except ValueError:
            return


def _why(failure: ValidationError) -> str:
    first = failure.errors(include_url=False, include_context=False)[0]
    said = str(first["msg"]).removeprefix("Value error, ").replace("Input should", "it should")
    return said.partition(", unable to")[0]


def _hint(path: Path, option: Option, text: str) -> str:
    if option.words:
        return did_you_mean(fold(text), option.words)
    usual = default(path)
    if usual in (None, {}, ""):
        return option.text
    said = f"{usual:g}" if isinstance(usual, int | float) and not isinstance(usual, bool) else str(usual).lower()
    return f"{option.text} The default is {said}{' ' + option.unit if option.unit else ''}."


def _parts(annotation: Any) -> tuple[Any, ...]:
    if typing.get_origin(annotation) in (typing.Union, types.UnionType):
        return tuple(part for one in typing.get_args(annotation) for part in _parts(one))
    return (annotation,)


def _literals(annotation: Any) -> tuple[str, ...]:
    return typing.get_args(annotation) if typing.get_origin(annotation) is typing.Literal else ()
