"""The templates that stand in the configuration file, each as a text of its own for the template compiler. Pure.

A text has its lines and columns where the file has them, so that an error points into the file. Above: discovery.
Below: `configuration.py`, which keeps them unread.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import yaml

from wezparallel.errors import RequestError
from wezparallel.hub.config_files import plain
from wezparallel.hub.workspaces.source import Source
from wezparallel.hub.workspaces.yaml_lines import Mapping, Node, load

if TYPE_CHECKING:
    from wezparallel.hub.configuration import Configuration


def texts(read: Configuration) -> dict[str, str]:
    """Return the YAML of each template in `workspaces.templates`, by name."""
    return {name: text_of(node) for name, node in read.templates.items()}


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
