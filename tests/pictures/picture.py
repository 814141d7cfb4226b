"""What a terminal shows at one moment, and in what two such pictures differ."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from pyte.screens import Char


@dataclass(frozen=True)
class Picture:
    """Everything that a person, or a key that is pressed, can tell about a terminal."""

    cells: tuple[tuple[Char, ...], ...]
    cursor: tuple[int, int] | None
    """Column and row; None while it is hidden."""
    modes: tuple[tuple[str, Any], ...]
    """Name and value of what differs from a terminal after its reset."""

    @property
    def text(self) -> str:
        """The screen's text."""
        return "\n".join("".join(cell.data for cell in row).rstrip() for row in self.cells)

    def mode(self, name: str) -> Any:
        """Return a mode's value, None if it is as after a reset."""
        return dict(self.modes).get(name)

    def untitled(self) -> Picture:
        """Return the same without a title."""
        return replace(self, modes=tuple(mode for mode in self.modes if mode[0] != "title"))

    def differences(self, other: Picture) -> list[str]:
        """Say in what another picture differs; at most ten cells are named."""
        said = [f"{name}: {getattr(self, name)} and {getattr(other, name)}" for name in ("cursor", "modes")
                if getattr(self, name) != getattr(other, name)]  # fmt: skip
        size, other_size = ((len(one.cells), len(one.cells[0])) for one in (self, other))
        if size != other_size:
            return [*said, f"size: {size} and {other_size}"]
        cells = [
            f"row {y} column {x}: {_named(mine)} and {_named(theirs)}"
            for y, (row, other_row) in enumerate(zip(self.cells, other.cells, strict=True))
            for x, (mine, theirs) in enumerate(zip(row, other_row, strict=True))
            if mine != theirs
        ]
        return said + cells[:10] + ([f"and {len(cells) - 10} more cells"] if len(cells) > 10 else [])


def _named(cell: Char) -> str:
    """Say what a cell is, without what it is not."""
    return f"{cell.data!r} {' '.join(str(value) for value in cell[1:3])} " + " ".join(
        name for name, value in zip(cell._fields[3:], cell[3:], strict=True) if value
    )


def seen(cell: Char) -> Char:
    """Return a cell without what nobody sees: the colour of a space."""
    if cell.data == " " and not cell.underscore and not cell.reverse and not cell.strikethrough:
        return Char(" ", bg=cell.bg)
    return cell
