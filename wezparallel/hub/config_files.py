"""Finds the configuration file and reads it as values that remember their line and column.

YAML goes through `workspaces/yaml_lines`; TOML through tomllib, and its lines are looked up afterwards. Above:
`configuration.py`. Errors are `config.bad_value`, and what they draw of a file shows no secret.
"""

from __future__ import annotations

import errno
import os
import re
import stat
from collections.abc import Mapping as Mapped
from dataclasses import dataclass
from typing import Any

from wezparallel import paths, regular
from wezparallel.errors import RequestError
from wezparallel.hub.workspaces.source import START, Mark, Source, printable
from wezparallel.hub.workspaces.yaml_lines import MAX_BYTES, Mapping, Node, Scalar, Sequence, load
from wezparallel.protocol.masking import masked_text

VARIABLE = "WEZPARALLEL_CONFIG"
NAMES = ("config.yaml", "config.yml", "config.toml")
"""In this order the first one wins."""
_PLACE = re.compile(r"\s*\(at (?:line (\d+), column (\d+)|end of document)\)")
_TABLE = re.compile(r"\s*\[\[?\s*([^\[\]]+?)\s*\]\]?\s*(?:#.*)?$")
_KEY = re.compile(r"""\s*((?:"[^"]*"|'[^']*'|[\w-]+)(?:\s*\.\s*(?:"[^"]*"|'[^']*'|[\w-]+))*)\s*=""")
_PART = re.compile(r""""([^"]*)"|'([^']*)'|([\w-]+)""")


@dataclass(frozen=True, slots=True)
class Found:
    """The file that is read, and those that lie beside it and are not."""

    path: str | None
    passed_over: tuple[str, ...] = ()


def find(environment: Mapped[str, str], folder: str | None = None) -> Found:
    """Return the configuration file: the one that WEZPARALLEL_CONFIG names, else the user's own, else none."""
    named = environment.get(VARIABLE)
    if named:
        return Found(os.path.abspath(os.path.expanduser(named)))
    there = [path for path in (os.path.join(folder or paths.config_dir(), name) for name in NAMES) if _is_there(path)]
    return Found(there[0], tuple(there[1:])) if there else Found(None)


def read(path: str) -> str:
    """Return a file's text. Raises `config.bad_value` if it is none, too large, or not UTF-8."""
    try:
        data = regular.read(path, MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise RequestError(
            "config.bad_value", f"the configuration {printable(path)} cannot be read: {why}; check the path",
            file=path,
        ) from None  # fmt: skip
    if len(data) > MAX_BYTES:
        raise RequestError(
            "config.bad_value", f"{printable(path)} is larger than {MAX_BYTES // 1024} KiB; cut it down", file=path
        )
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise RequestError(
            "config.bad_value", f"{printable(path)}:{line}: this is not UTF-8; save the file as UTF-8",
            file=path, line=line,
        ) from None  # fmt: skip


def parse(text: str, path: str, shown: str = "", *, toml: bool | None = None) -> tuple[Source, Mapping]:
    """Return what a text says, and the text as errors may draw it. Raises `config.bad_value`."""
    shown_text = Source(path, masked_text(text), shown)
    is_toml = path.endswith(".toml") if toml is None else toml
    tree = _toml(text, shown_text) if is_toml else _yaml(text, shown_text)
    if not isinstance(tree, Mapping):
        raise shown_text.error(
            "config.bad_value", "a configuration is a map of sections", bare(tree.mark), "For example framework: {}."
        )
    return shown_text, tree


def plain(node: Node) -> Any:
    """Return a value without its lines."""
    if isinstance(node, Scalar):
        return node.value
    if isinstance(node, Sequence):
        return [plain(item) for item in node.items]
    return {key.text: plain(value) for key, value in node.entries}


def bare(mark: Mark) -> Mark:
    """Return a place without its text, so that an error draws the one whose secrets are covered."""
    return Mark(mark.line, mark.column, mark.length)


def _is_there(path: str) -> bool:
    try:
        return not stat.S_ISDIR(os.stat(path).st_mode)
    except OSError as error:
        return error.errno not in (errno.ENOENT, errno.ENOTDIR)  # what may not be read is there, and is to be said


def _yaml(text: str, shown: Source) -> Node:
    if all(not line.strip() or line.lstrip().startswith(("#", "---", "\ufeff#")) for line in text.splitlines()):
        return Mapping((), START)  # all of it is comment: nothing is said, which is no mistake
    try:
        return load(Source(shown.path, text, shown.shown_path))
    except RequestError as error:
        said = error.data
        sentence = str(said.get("sentence", error.message))
        sentence = sentence.replace("a template is one document", "a configuration is one document")
        sentence = sentence.replace("may not stand in a template", "may not stand here")
        hint = str(said.get("hint", ""))
        raise shown.error(
            "config.bad_value", sentence, Mark(_int(said.get("line")), _int(said.get("column"))),
            "" if "panes:" in hint else hint,
        ) from None  # fmt: skip


def _int(value: object) -> int:
    return value if isinstance(value, int) else 1


def _toml(text: str, shown: Source) -> Node:
    import tomllib  # noqa: PLC0415  few have such a file, and memory is a feature

    try:
        document = tomllib.loads(text.removeprefix("\ufeff"))
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        said = str(error) or "it is nested too deep"
        place = _PLACE.search(said)
        mark = Mark(int(place[1]), int(place[2])) if place and place[1] else Mark(max(1, len(shown.lines) - 1), 1)
        raise shown.error("config.bad_value", f"this is not TOML: {_PLACE.sub('', said)}", mark) from None
    return _node(document, (), _lines_of(text), START)


def _lines_of(text: str) -> dict[tuple[str, ...], Mark]:
    """Return where each key stands; tomllib does not tell. Of a key in a text of several lines it may be wrong."""
    found: dict[tuple[str, ...], Mark] = {}
    table: tuple[str, ...] = ()
    for number, line in enumerate(text.split("\n"), 1):
        header = _TABLE.match(line)
        if header:
            table = _parts(header[1])
            found.setdefault(table, Mark(number, line.index("[") + 1, len(line.strip())))
            continue
        key = _KEY.match(line)
        if key:
            mark = Mark(number, key.start(1) + 1, len(key[1]))
            name = _parts(key[1])
            for length in range(1, len(name) + 1):
                found.setdefault((*table, *name[:length]), mark)
    return found


def _parts(text: str) -> tuple[str, ...]:
    return tuple(one or two or three for one, two, three in _PART.findall(text))


def _node(value: Any, path: tuple[str, ...], marks: dict[tuple[str, ...], Mark], above: Mark) -> Node:
    mark = marks.get(path, above)
    if isinstance(value, dict):
        entries = []
        for key, inner in value.items():
            node = _node(inner, (*path, key), marks, mark)
            entries.append((Scalar(key, key, node.mark, "", node.mark.line), node))
        return Mapping(tuple(entries), mark)
    if isinstance(value, list):
        return Sequence(tuple(_node(item, path, marks, mark) for item in value), mark)
    text = str(value).lower() if isinstance(value, bool) else str(value)
    if not isinstance(value, bool | int | float | str):
        value = text  # a date
    return Scalar(value, text, mark, "'" if isinstance(value, str) else "", mark.line)
