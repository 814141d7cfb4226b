"""Layouts in box characters, each pane's name in its upper edge. Pure.

Above: templates. Below: `layouts`, which knows where each pane lies.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence

from wezparallel.hub.workspaces.layouts import Layout, Picture, compile_picture, rectangles
from wezparallel.hub.workspaces.source import cells, clip, printable

_UP, _DOWN, _LEFT, _RIGHT = 1, 2, 4, 8
_BOX = {
    0: " ", _UP | _DOWN: "│", _LEFT | _RIGHT: "─", _DOWN | _RIGHT: "┌", _DOWN | _LEFT: "┐", _UP | _RIGHT: "└",
    _UP | _LEFT: "┘", _UP | _DOWN | _RIGHT: "├", _UP | _DOWN | _LEFT: "┤", _DOWN | _LEFT | _RIGHT: "┬",
    _UP | _LEFT | _RIGHT: "┴", _UP | _DOWN | _LEFT | _RIGHT: "┼",
}  # fmt: skip


def draw(layout: Layout | Picture, labels: Mapping[str, str], width: int = 60) -> str:
    """Return the layout in box characters, each pane's name in its upper edge and its label below.

    `labels` maps panes to what runs in them; `width` is in cells, and grows where the panes would not fit.
    """
    found = rectangles(layout if isinstance(layout, Layout) else compile_picture(layout))
    xs = sorted({round(edge, 9) for box in found.values() for edge in (box[0], box[2])})
    ys = sorted({round(edge, 9) for box in found.values() for edge in (box[1], box[3])})
    across = _positions(xs, max(width - 1, 4 * (len(xs) - 1)), 4)
    down = _positions(ys, max(4, 2 * (len(ys) - 1)), 2)
    canvas = [[0] * (across[-1] + 1) for _ in range(down[-1] + 1)]
    texts: list[tuple[int, int, str]] = []
    for name, (left, top, right, bottom) in found.items():
        x0, x1 = (across[bisect_left(xs, round(edge, 9))] for edge in (left, right))
        y0, y1 = (down[bisect_left(ys, round(edge, 9))] for edge in (top, bottom))
        _frame(canvas, x0, y0, x1, y1)
        if x1 - x0 > 4:
            texts.append((x0 + 1, y0, f" {clip(printable(name), x1 - x0 - 4)} "))
        texts.append((x0 + 2, y0 + 1, clip(printable(labels.get(name, "")), x1 - x0 - 3)))
    return _render(canvas, texts)


def _positions(edges: Sequence[float], length: int, gap: int) -> list[int]:
    """Return edges as whole cells, at least `gap` apart, in the same order."""
    last = len(edges) - 1
    found = [0]
    for index in range(1, last + 1):
        low, high = found[-1] + gap, length - gap * (last - index)
        found.append(min(max(round(edges[index] * length), low), high))
    return found


def _frame(canvas: list[list[int]], x0: int, y0: int, x1: int, y1: int) -> None:
    for y in (y0, y1):
        for x in range(x0, x1 + 1):
            canvas[y][x] |= (_LEFT if x > x0 else 0) | (_RIGHT if x < x1 else 0)
    for x in (x0, x1):
        for y in range(y0, y1 + 1):
            canvas[y][x] |= (_UP if y > y0 else 0) | (_DOWN if y < y1 else 0)


def _render(canvas: Sequence[Sequence[int]], texts: Sequence[tuple[int, int, str]]) -> str:
    drawn = [[_BOX[bits] for bits in line] for line in canvas]
    for x, y, text in texts:
        at = x
        for char in text:
            width = cells(char)
            if not width:
                drawn[y][at - 1 if drawn[y][at - 1] else at - 2] += char
                continue
            drawn[y][at] = char
            if width == 2:
                drawn[y][at + 1] = ""
            at += width
    return "\n".join("".join(line) for line in drawn)
