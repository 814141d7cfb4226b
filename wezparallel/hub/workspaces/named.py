"""Layouts that are only named, and the words for their places. Pure.

`three_pane_horizontal` is `left center right`; the seeds' files write it so, with `position: left` at each pane.
Above: templates, older. Below: pictures.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from wezparallel.hub.workspaces.layouts import Picture
from wezparallel.hub.workspaces.source import Mark, Source, did_you_mean, fold, quoted
from wezparallel.hub.workspaces.yaml_lines import Scalar

Grid = tuple[tuple[str, ...], ...]

LAYOUTS: Mapping[str, Grid] = {
    "single": (("full",),),
    "two_pane_horizontal": (("left", "right"),),
    "two_pane_vertical": (("top",), ("bottom",)),
    "three_pane_horizontal": (("left", "center", "right"),),
    "three_pane_vertical": (("top",), ("center",), ("bottom",)),
    "four_pane_grid": (("top_left", "top_right"), ("bottom_left", "bottom_right")),
}
ALIASES = {
    "three_pane": "three_pane_horizontal", "two_pane": "two_pane_horizontal", "four_pane": "four_pane_grid",
    "horizontal_split": "two_pane_horizontal", "vertical_split": "two_pane_vertical",
}  # fmt: skip
_PLACES = {"middle": "center", "main": "full"}


def layout(name: str) -> str | None:
    """Return the canonical name of a layout, or None. `ThreePaneHorizontal` is one of them."""
    word = fold(re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name.strip())).lower()
    word = ALIASES.get(word, word)
    return word if word in LAYOUTS else None


def places(name: str) -> list[str]:
    """Return the places of a layout in reading order."""
    return list(dict.fromkeys(place for row in LAYOUTS[name] for place in row))


def fitting(positions: Sequence[str], count: int) -> str | None:
    """Return the layout that has so many places, and all of these."""
    return next((name for name in LAYOUTS if len(places(name)) == count and has_places(name, positions)), None)


def has_places(name: str, positions: Sequence[str]) -> bool:
    """Tell whether a layout has all these places."""
    return {_place(one) for one in positions} <= set(places(name))


def picture(name: str, panes: Sequence[str], positions: Mapping[str, Scalar], source: Source, where: Mark) -> Picture:
    """Return the picture of a named layout. Panes without a position take the free places in order.

    Raises `template.layout`.
    """
    free = places(name)
    spoken = ", ".join(one.replace("_", "-") for one in free)
    if len(panes) != len(free):
        told, needs = f"{len(panes)} pane{'s' * (len(panes) != 1)}", f"{len(free)} place{'s' * (len(free) != 1)}"
        raise source.error(
            "template.layout", f"{quoted(name)} has {needs} ({spoken}), and there {_are(len(panes))} {told}", where,
            "Draw the picture instead: one line for each row, with the names of the panes.",
        )  # fmt: skip
    taken: dict[str, str] = {}
    for pane in panes:
        word = positions.get(pane)
        if word is None:
            continue
        place = _place(word.text)
        if place not in free:
            raise source.error(
                "template.layout", f"{quoted(name)} has no place {quoted(word.text)}", word.mark,
                did_you_mean(place, [one.replace("_", "-") for one in free]),
            )  # fmt: skip
        if place in taken:
            first = positions[taken[place]]
            raise source.error(
                "template.layout", f"two panes are at {quoted(word.text)}", [first.mark, word.mark],
                f"The places of {quoted(name)} are: {spoken}.",
            )  # fmt: skip
        taken[place] = pane
    rest = iter(pane for pane in panes if pane not in taken.values())
    for place in free:
        if place not in taken:
            taken[place] = next(rest)
    grid = tuple(tuple(taken[place] for place in row) for row in LAYOUTS[name])
    marks = tuple(tuple(where for _ in row) for row in grid)
    return Picture(grid, source=source, marks=marks, where=where)


def _place(word: str) -> str:
    folded = fold(word.strip()).lower().replace(" ", "_")
    return _PLACES.get(folded, folded)


def _are(count: int) -> str:
    return "is" if count == 1 else "are"
