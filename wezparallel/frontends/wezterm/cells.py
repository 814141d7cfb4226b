"""How many cells each cut of a tab gives to the new pane. Pure.

WezTerm draws a divider of one cell between two panes. So a tab of W columns is thought of as W + 1, of which each
pane owns its own and the divider behind it; each line of the picture is rounded by itself, to the nearest cell of the
whole tab. So errors never add up, and lines that are one in the picture are one on the screen. The plugin has the
same rule (`lua/wezparallel/cuts.lua`); docs/explanation/panes.md has it once for both.
"""

from __future__ import annotations

from wezparallel.errors import RequestError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import TypeAlias, TypeVar

    from wezparallel.types import JsonObject

    T = TypeVar("T")
    Size: TypeAlias = tuple[int, int]
    """Columns, rows."""
    Span: TypeAlias = tuple[float, float]
    """Where a side begins and ends, as parts of the whole tab."""

_COLUMNS, _ROWS = 0, 1


class _Region:
    """A pane, or two regions beside each other; `near` is left of or above `far`."""

    __slots__ = ("axis", "far", "far_cells", "near", "share", "size")

    def __init__(self) -> None:
        self.near: _Region | None = None
        self.far: _Region | None = None
        self.axis = _COLUMNS
        self.share = 0.0
        self.far_cells = 0
        self.size: Size = (0, 0)

    def needs(self) -> Size:
        """Return the smallest size that has a cell for every pane."""
        if self.near is None or self.far is None:
            return 1, 1
        near, far = self.near.needs(), self.far.needs()
        sizes = [max(near[_COLUMNS], far[_COLUMNS]), max(near[_ROWS], far[_ROWS])]
        sizes[self.axis] = near[self.axis] + 1 + far[self.axis]
        return sizes[_COLUMNS], sizes[_ROWS]

    def place(self, whole: Size, starts: Size, sizes: Size, spans: tuple[Span, Span]) -> None:
        """Give this region its cells; each cut learns those of its far side."""
        self.size = sizes
        if self.near is None or self.far is None:
            return
        axis = self.axis
        begin, end = spans[axis]
        line = end - (end - begin) * self.share
        wanted = int(line * (whole[axis] + 1) + 0.5) - 1 - starts[axis]
        near = max(self.near.needs()[axis], min(wanted, sizes[axis] - 1 - self.far.needs()[axis]))
        self.far_cells = sizes[axis] - 1 - near
        self.near.place(whole, starts, _with(sizes, axis, near), _with(spans, axis, (begin, line)))
        self.far.place(
            whole, _with(starts, axis, starts[axis] + near + 1), _with(sizes, axis, self.far_cells),
            _with(spans, axis, (line, end)),
        )  # fmt: skip


def arrange(first: str, splits: Sequence[JsonObject], size: Size) -> tuple[list[int], dict[str, Size]]:
    """Return how many cells the new pane of each cut gets in a tab of that size, and what each pane has in the end.

    Raises RequestError `template.layout` where a pane would have no room.
    """
    root = _Region()
    panes = {first: root}
    cuts = []
    for split in splits:
        cut = panes[split["of"]]
        cut.near, cut.far = _Region(), _Region()
        cut.axis = _COLUMNS if split["direction"] == "right" else _ROWS
        cut.share = split["share"]
        panes[split["of"]], panes[split["pane"]] = cut.near, cut.far
        cuts.append(cut)
    needed = root.needs()
    if size[_COLUMNS] < needed[_COLUMNS] or size[_ROWS] < needed[_ROWS]:
        raise RequestError(
            "template.layout",
            f"the tab of {first} needs {needed[_COLUMNS]} columns and {needed[_ROWS]} rows, and the window has "
            f"{size[_COLUMNS]} and {size[_ROWS]}; make it larger, or spread the panes over more tabs",
            columns=size[_COLUMNS], rows=size[_ROWS],
        )  # fmt: skip
    root.place(size, (0, 0), size, ((0.0, 1.0), (0.0, 1.0)))
    return [cut.far_cells for cut in cuts], {name: pane.size for name, pane in panes.items()}


def _with(pair: tuple[T, T], at: int, value: T) -> tuple[T, T]:
    return (value, pair[1]) if at == 0 else (pair[0], value)
