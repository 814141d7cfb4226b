"""The templates that stand in the configuration file, each as a text of its own for the template compiler.

A text has its lines and columns where the file has them, so that an error points into the file. They are read at each
use, as those in files of their own are. Above: discovery. Below: `config_files`.
"""

from __future__ import annotations

import os
from dataclasses import replace
from typing import Any

import yaml

from wezparallel.errors import RequestError
from wezparallel.hub import config_files
from wezparallel.hub.config_files import bare, plain
from wezparallel.hub.workspaces.source import Source
from wezparallel.hub.workspaces.yaml_lines import Mapping, Node, Scalar, load

BEHIND = "#"
"""Stands between the file's path and the template's name."""


def found() -> dict[str, str]:
    """Return the path of each template, by name; none of a file that cannot be read, which `doctor` tells."""
    file, nodes = _nodes()
    return {name: f"{file}{BEHIND}{name}" for name in nodes}


def read(path: str) -> str | None:
    """Return the YAML of the template of that path; None if it is no such path, or not there any more."""
    file, nodes = _nodes() if BEHIND in path else ("", {})
    node = nodes.get(path[len(file) + 1 :]) if path.startswith(file + BEHIND) else None
    return None if node is None else text_of(node)


def process_templates() -> dict[str, tuple[Scalar, Node]]:
    """Return the definitions of `process_templates`, which every template may name, by name."""
    file, entries = _section("process_templates")
    return {key.text: (_apart(key, key, file), _apart(key, value, file)) for key, value in entries}


def _apart(key: Scalar, node: Node, file: str) -> Any:
    """Return a value whose errors draw nothing of the file but itself: the rest may hold secrets."""
    if isinstance(node, Scalar):
        mark = node.mark
        text = "\n" * (mark.line - 1) + " " * (mark.column - 1) + node.text.split("\n")[0]
        return replace(node, mark=replace(bare(mark), source=Source(file, text)))
    return load(Source(f"{file}{BEHIND}{key.text}", text_of(node), file))


def _nodes() -> tuple[str, dict[str, Node]]:
    file, entries = _section("workspaces")
    return file, _entries({key.text: value for key, value in entries}.get("templates"))


def _section(name: str) -> tuple[str, list[tuple[Scalar, Node]]]:
    """Return the file's path, and what stands in one of its sections."""
    file = config_files.find(os.environ).path
    if file is None:
        return "", []
    try:
        _, tree = config_files.parse(config_files.read(file), file)
    except RequestError:
        return file, []
    node = _entries(tree).get(name)
    return file, list(node.entries) if isinstance(node, Mapping) else []


def _entries(node: Node | None) -> dict[str, Node]:
    """Return what stands in a map."""
    return {key.text: value for key, value in node.entries} if isinstance(node, Mapping) else {}


def text_of(node: Node) -> str:
    """Return the YAML of one value, in its place; where it cannot be cut out, written anew."""
    meant = plain(node)
    cut = _cut(node)
    if cut is not None:
        try:
            if plain(load(Source("cut", cut))) == meant:
                return cut
        except RequestError:
            pass  # it names an anchor of another place, or shares its line with others
    return str(yaml.safe_dump(meant, sort_keys=False, allow_unicode=True))


def _cut(node: Node) -> str | None:
    """Return the file with nothing in it but the lines of this value; an indented map is a document, too."""
    source = node.mark.source
    if source is None or not isinstance(node, Mapping):
        return None
    lines = source.lines
    first = node.mark.line - 1
    before = lines[first][: node.mark.column - 1]
    indent = len(before) - len(before.lstrip(" "))  # of the key, where it stands in the same line
    inside = not before.strip()
    kept = [" " * len(before) + lines[first][node.mark.column - 1 :]]
    for line in lines[first + 1 :]:
        own = len(line) - len(line.lstrip(" "))
        if line.strip() and not line.lstrip().startswith("#") and (own < indent if inside else own <= indent):
            break
        kept.append(line)
    return "\n" * first + "\n".join(kept) + "\n"
