"""tmux's layouts, by name or as the line that `list-windows` prints, drawn as rows of pane names. Pure.

Above: tmuxp.py. Below: writing.py, which writes pictures.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise

from wezparallel.frontends.cli.importers.writing import Tab, tiled

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

RAW = re.compile(r"([0-9a-fA-F]{4}),([0-9]+x[0-9]+,[0-9]+,[0-9]+.*)\Z")
_CELL = re.compile(r"([0-9]+)x([0-9]+),([0-9]+),([0-9]+)")
_NUMBER = re.compile(r",[0-9]+")
NAMED = (
    "even-horizontal", "even-vertical", "main-horizontal", "main-vertical", "main-horizontal-mirrored",
    "main-vertical-mirrored", "tiled",
)  # fmt: skip


class WrongLayoutError(Exception):
    """A layout that tmux would refuse; its text says why."""


@dataclass(frozen=True, slots=True)
class _Leaf:
    x: int
    y: int
    width: int
    height: int


def named(name: str, title: str, names: Sequence[str], main: int | None = None) -> Tab:
    """Return the picture of a layout that is named; `main` is the percentage of its main pane."""
    first, rest = names[0], list(names[1:])
    if not rest or name in ("even-vertical", "even-horizontal"):
        rows = [[one] for one in names] if name == "even-vertical" else [list(names)]
        return Tab(title, rows)
    if name.startswith("main-vertical"):
        flips = name.endswith("-mirrored")
        weights = _shares(main)
        return Tab(
            title, [[one, first] if flips else [first, one] for one in rest],
            column_weights=weights[::-1] if flips else weights,
        )  # fmt: skip
    if name.startswith("main-horizontal"):
        flips = name.endswith("-mirrored")
        weights = _shares(main)
        rows = [[first] * len(rest), rest]
        return Tab(title, rows[::-1] if flips else rows, row_weights=weights[::-1] if flips else weights)
    return Tab(title, tiled(names))


def raw(line: str, title: str, names: Sequence[str]) -> Tab:
    """Return the picture of a layout as tmux prints it. Raises WrongLayoutError."""
    found = RAW.match(line.strip())
    if not found:
        raise WrongLayoutError("it is no layout of tmux")
    if int(found[1], 16) != checksum(found[2]):
        raise WrongLayoutError("its checksum is wrong, so tmux refuses it too")
    leaves, rest = _parse(found[2], 0)
    if rest:
        raise WrongLayoutError("something stands behind its end")
    if len(leaves) != len(names):
        raise WrongLayoutError(f"it has {len(leaves)} panes, and the window has {len(names)}")
    # A border of one cell lies between two panes: the next pane begins behind it.
    columns = sorted({leaf.x for leaf in leaves} | {max(leaf.x + leaf.width + 1 for leaf in leaves)})
    rows = sorted({leaf.y for leaf in leaves} | {max(leaf.y + leaf.height + 1 for leaf in leaves)})
    drawn: list[list[str]] = []
    for y in rows[:-1]:
        row = [
            next((name for leaf, name in zip(leaves, names, strict=True) if _covers(leaf, x, y)), "")
            for x in columns[:-1]
        ]
        if "" in row:
            raise WrongLayoutError("its panes leave a gap")
        drawn.append(row)
    return Tab(title, drawn, _weights(rows), _weights(columns))


def checksum(layout: str) -> int:
    """Return tmux's checksum of a layout."""
    value = 0
    for sign in layout:
        value = ((value >> 1) + ((value & 1) << 15) + ord(sign)) & 0xFFFF
    return value


def _parse(text: str, depth: int) -> tuple[list[_Leaf], str]:
    found = _CELL.match(text)
    if not found or depth > 30:
        raise WrongLayoutError("it cannot be read")
    width, height, x, y = map(int, found.groups())
    rest = text[found.end() :]
    if rest[:1] not in ("{", "["):
        number = _NUMBER.match(rest)
        # `,5` is the number of the pane; `,5x3,0,0` would be the next cell.
        if number and not _CELL.match(rest[1:]):
            rest = rest[number.end() :]
        return [_Leaf(x, y, width, height)], rest
    end = {"{": "}", "[": "]"}[rest[0]]
    leaves: list[_Leaf] = []
    rest = rest[1:]
    while True:
        below, rest = _parse(rest, depth + 1)
        leaves += below
        if rest[:1] == end:
            return leaves, rest[1:]
        if rest[:1] != ",":
            raise WrongLayoutError("it cannot be read")
        rest = rest[1:]


def _covers(leaf: _Leaf, x: int, y: int) -> bool:
    return leaf.x <= x <= leaf.x + leaf.width and leaf.y <= y <= leaf.y + leaf.height


def _weights(cuts: Sequence[int]) -> list[int]:
    parts = [after - before for before, after in pairwise(cuts)]
    return parts if len(parts) > 1 else []


def _shares(main: int | None) -> list[int]:
    return [] if main is None else [main, 100 - main]
