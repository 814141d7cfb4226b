"""A picture of panes, compiled to an ordered list of straight cuts. Pure.

A picture is a grid of names; equal names that touch are one area, and an area is a rectangle. A terminal can only be
cut in two, again and again, so a picture is possible exactly if each part of it has a line from edge to edge that
crosses no area, down to the single areas. `compile_picture` finds these lines; `redraw` goes the other way, and the
tests hold the two against each other. Above: templates. Below: the text and its marks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from wezparallel.errors import RequestError
from wezparallel.hub.workspaces.source import (
    START,
    Mark,
    Source,
    did_you_mean,
    fold,
    known,
    printable,
    quoted,
)
from wezparallel.protocol.workspace import Split

MAX_SIDE = 64  # columns and rows of a picture
MAX_AREAS = 64  # panes of one tab; more could not be read on any screen

Grid = tuple[tuple[str, ...], ...]
Rectangle = tuple[float, float, float, float]
"""Left, top, right, bottom; the whole is 0, 0, 1, 1."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A grid of names, with what is needed to point at each of them.

    `marks` has the place of every cell, row by row; without it (a picture that nobody wrote) errors are bare
    sentences. `where` is the place of the picture as a whole.
    """

    grid: Grid
    columns: tuple[float, ...] = ()
    """Weights of the columns; empty: all 1."""
    rows: tuple[float, ...] = ()
    source: Source | None = None
    marks: tuple[tuple[Mark, ...], ...] = ()
    where: Mark = START

    def error(self, sentence: str, wrong: Sequence[tuple[int, int]], hint: str) -> RequestError:
        """Return a `template.layout` error that marks these cells (row, column)."""
        if self.source is None:
            return RequestError("template.layout", f"{sentence}. {hint}")
        marks = [self.marks[row][column] for row, column in wrong] or [self.where]
        return self.source.error("template.layout", sentence, marks, hint)


@dataclass(frozen=True, slots=True)
class Layout:
    """What a picture compiles to: the first pane, then cuts in order."""

    first: str
    splits: tuple[Split, ...]

    @property
    def panes(self) -> tuple[str, ...]:
        """Return the panes in the order in which they appear."""
        return (self.first, *(split.pane for split in self.splits))


@dataclass(frozen=True, slots=True)
class _Region:
    top: int
    bottom: int
    left: int
    right: int


def read_picture(
    rows: Sequence[tuple[str, Mark]],
    source: Source | None = None,
    where: Mark = START,
) -> Picture:
    """Read lines of names. Each comes with the place of its first character.

    Blank lines are passed over. Raises `template.layout` for an empty or ragged picture, and for one too large.
    """
    grid: list[tuple[str, ...]] = []
    marks: list[tuple[Mark, ...]] = []
    for text, start in rows:
        found = _words(text, start)
        if found:
            grid.append(tuple(name for name, _ in found))
            marks.append(tuple(mark for _, mark in found))
    picture = Picture(tuple(grid), source=source, marks=tuple(marks), where=where)
    _check_shape(picture)
    return picture


def compile_picture(picture: Picture) -> Layout:
    """Return the cuts that make the picture. Raises `template.layout` if no sequence of cuts can.

    Columns are cut before rows where both are possible. A cut takes everything right of (below) the line away from
    the pane at the top left, so that shares never have to be corrected later.
    """
    _check_shape(picture)
    _check_gaps(picture)
    grid = picture.grid
    boxes = _check_rectangles(picture)
    columns = picture.columns or (1.0,) * len(grid[0])
    rows = picture.rows or (1.0,) * len(grid)
    splits: list[Split] = []

    def cut(region: _Region) -> None:
        if boxes[grid[region.top][region.left]] == region:
            return
        line, direction = _find_cut(picture, boxes, region)
        if direction == "right":
            near = _Region(region.top, region.bottom, region.left, line)
            far = _Region(region.top, region.bottom, line, region.right)
            share = sum(columns[line : region.right]) / sum(columns[region.left : region.right])
        else:
            near = _Region(region.top, line, region.left, region.right)
            far = _Region(line, region.bottom, region.left, region.right)
            share = sum(rows[line : region.bottom]) / sum(rows[region.top : region.bottom])
        of, pane = grid[near.top][near.left], grid[far.top][far.left]
        splits.append(Split(of=of, pane=pane, direction=direction, share=share))
        cut(near)
        cut(far)

    cut(_Region(0, len(grid), 0, len(grid[0])))
    return Layout(grid[0][0], tuple(splits))


def with_weights(picture: Picture, columns: tuple[float, ...], rows: tuple[float, ...]) -> Picture:
    """Return the picture with these weights; empty means all 1."""
    return replace(picture, columns=columns, rows=rows)


def match_names(picture: Picture, panes: Sequence[str]) -> Picture:
    """Return the picture in the panes' own spelling. Raises `template.layout` for an area that is no pane."""
    spelling = {fold(pane): pane for pane in panes}
    for row, line in enumerate(picture.grid):
        for column, name in enumerate(line):
            if fold(name) not in spelling and name.strip("."):
                same = [(r, c) for r, c in _places(picture.grid) if picture.grid[r][c] == name and r == row]
                raise picture.error(
                    f"no pane is called {quoted(name)}", same or [(row, column)], did_you_mean(name, panes)
                )
    grid = tuple(tuple(spelling.get(fold(name), name) for name in line) for line in picture.grid)
    return replace(picture, grid=grid)


def tile(panes: Sequence[str]) -> Picture:
    """Return a sensible picture for panes that nobody drew.

    One fills the window, two stand side by side, three are one left and two right, more are a grid whose left
    columns have the fewer panes. At most `MAX_AREAS`, at least one.
    """
    count = len(panes)
    width = next(side for side in range(1, count + 1) if side * side >= count) if count != 2 else 2
    sizes = [count // width + (1 if column >= width - count % width else 0) for column in range(width)]
    height = sizes[0] if sizes[0] == sizes[-1] else sizes[0] * sizes[-1]
    stacks: list[list[str]] = []
    taken = 0
    for size in sizes:
        column = panes[taken : taken + size]
        stacks.append([name for name in column for _ in range(height // size)])
        taken += size
    return Picture(tuple(tuple(stack[row] for stack in stacks) for row in range(height)))


def tile_within(layout: Layout, groups: Mapping[str, Sequence[str]]) -> Layout:
    """Return the layout with the areas of replicas cut further, one pane for each of them."""
    found = rectangles(layout)
    first, splits = layout.first, list(layout.splits)
    for name, members in groups.items():
        if name not in found or len(members) < 2:
            continue
        left, top, right, bottom = found[name]
        picture = _tile_in_shape(members, (right - left) / (bottom - top))
        inner = compile_picture(picture)
        first = inner.first if first == name else first
        # What is cut from the area comes before: cuts go on from the pane at the top left.
        splits = [_renamed(split, name, inner.first) for split in splits] + list(inner.splits)
    return Layout(first, tuple(splits))


def _renamed(split: Split, name: str, to: str) -> Split:
    of, pane = (to if one == name else one for one in (split.of, split.pane))
    return Split(of=of, pane=pane, direction=split.direction, share=split.share)


def _tile_in_shape(panes: Sequence[str], shape: float) -> Picture:
    """Return a picture for an area that is `shape` times as wide as it is high, measured in windows."""
    if len(panes) <= 4 and shape <= 0.77:
        return Picture(tuple((pane,) for pane in panes))
    if len(panes) <= 4 and shape >= 1.3:
        return Picture((tuple(panes),))
    return tile(panes)


def rectangles(layout: Layout) -> dict[str, Rectangle]:
    """Return where each pane lies after all cuts, as parts of the whole."""
    found: dict[str, Rectangle] = {layout.first: (0.0, 0.0, 1.0, 1.0)}
    for split in layout.splits:
        left, top, right, bottom = found[split.of]
        if split.direction == "right":
            line = right - (right - left) * split.share
            found[split.of], found[split.pane] = (left, top, line, bottom), (line, top, right, bottom)
        else:
            line = bottom - (bottom - top) * split.share
            found[split.of], found[split.pane] = (left, top, right, line), (left, line, right, bottom)
    return found


def redraw(layout: Layout, columns: Sequence[float], rows: Sequence[float]) -> Grid:
    """Return the grid that the cuts make, looked at through cells of these weights."""
    found = rectangles(layout)

    def at(x: float, y: float) -> str:
        return next(name for name, (x0, y0, x1, y1) in found.items() if x0 <= x < x1 and y0 <= y < y1)

    return tuple(tuple(at(x, y) for x in _centres(columns)) for y in _centres(rows))


def _words(text: str, start: Mark) -> list[tuple[str, Mark]]:
    found: list[tuple[str, Mark]] = []
    at = 0
    for word in text.split():
        at = text.index(word, at)
        found.append((word, start.moved(at, len(word))))
        at += len(word)
    return found


def _places(grid: Grid) -> list[tuple[int, int]]:
    return [(row, column) for row, line in enumerate(grid) for column in range(len(line))]


def _check_shape(picture: Picture) -> None:
    grid = picture.grid
    if not grid:
        raise picture.error("the picture is empty", [], "Write the names of the panes where they should be.")
    width = len(grid[0])
    for row, line in enumerate(grid):
        if len(line) != width:
            has, first = _count(len(line), "column"), _count(width, "column")
            raise picture.error(
                f"this row has {has}, the first has {first}",
                [(row, column) for column in range(len(line))],
                "Every row needs a name in every column; repeat a name to make its pane larger.",
            )
    if width > MAX_SIDE or len(grid) > MAX_SIDE or len({name for line in grid for name in line}) > MAX_AREAS:
        raise picture.error(
            "the picture is too large",
            [],
            f"A picture has at most {MAX_SIDE} columns, {MAX_SIDE} rows and {MAX_AREAS} panes.",
        )
    for what, weights, count in (("column", picture.columns, width), ("row", picture.rows, len(grid))):
        if weights and len(weights) != count:
            raise picture.error(
                f"`{what}s` has {_count(len(weights), 'weight')}, the picture has {_count(count, what)}",
                [(0, column) for column in range(width)] if what == "column" else [(row, 0) for row in range(count)],
                f"Give one weight for each {what}, or leave `{what}s` out.",
            )


def _check_gaps(picture: Picture) -> None:
    gaps = [(row, column) for row, column in _places(picture.grid) if not picture.grid[row][column].strip(".")]
    if gaps:
        raise picture.error(
            "the picture has a gap",
            gaps,
            f"A window has no empty places. Write the name of a pane instead; {known(_names(picture.grid))}.",
        )


def _names(grid: Grid) -> list[str]:
    return [name for name in dict.fromkeys(name for line in grid for name in line) if name.strip(".")]


def _check_rectangles(picture: Picture) -> dict[str, _Region]:
    """Return the box of each area. Pieces that do not touch are told before areas with a corner missing."""
    grid = picture.grid
    places: dict[str, list[tuple[int, int]]] = {}
    for row, column in _places(grid):
        places.setdefault(grid[row][column], []).append((row, column))
    boxes: dict[str, _Region] = {}
    torn: list[tuple[bool, str]] = []
    for name, own in places.items():
        rows, columns = [row for row, _ in own], [column for _, column in own]
        box = _Region(min(rows), max(rows) + 1, min(columns), max(columns) + 1)
        boxes[name] = box
        if (box.bottom - box.top) * (box.right - box.left) != len(own):
            torn.append((_is_connected(own), name))
    if torn:
        connected, name = min(torn, key=lambda found: found[0])
        shape = "is not a rectangle" if connected else "is not one block"
        other = f"{printable(name)}-2"
        raise picture.error(
            f"the area {quoted(name)} {shape}",
            places[name],
            f"An area has to be a rectangle. Two panes that run the same need two names, such as {quoted(name)} and "
            f"{quoted(other)}; {known(places)}.",
        )
    return boxes


def _is_connected(places: Sequence[tuple[int, int]]) -> bool:
    left = set(places)
    edge = [left.pop()]
    while edge:
        row, column = edge.pop()
        for place in ((row + 1, column), (row - 1, column), (row, column + 1), (row, column - 1)):
            if place in left:
                left.remove(place)
                edge.append(place)
    return not left


def _find_cut(picture: Picture, boxes: Mapping[str, _Region], region: _Region) -> tuple[int, str]:
    grid = picture.grid
    inside = {grid[r][c] for r in range(region.top, region.bottom) for c in range(region.left, region.right)}
    for line in range(region.left + 1, region.right):
        if not any(boxes[name].left < line < boxes[name].right for name in inside):
            return line, "right"
    for line in range(region.top + 1, region.bottom):
        if not any(boxes[name].top < line < boxes[name].bottom for name in inside):
            return line, "down"
    listed = ", ".join(quoted(name) for name in _names(grid) if name in inside)
    raise picture.error(
        f"no straight cut can part {listed}",
        [(r, c) for r in range(region.top, region.bottom) for c in range(region.left, region.right)],
        "Panes are made by cutting the window in two, again and again. Here every line from edge to edge crosses a "
        "pane: make one of them longer or shorter, so that one line goes through.",
    )


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _centres(weights: Sequence[float]) -> list[float]:
    total = sum(weights)
    return [(sum(weights[:index]) + weight / 2) / total for index, weight in enumerate(weights)]
