"""The seeds' ways to write a template, turned into ours. Pure.

Panes as a list of maps (`- { position: left, command: htop }`) become a map of names. The grid files (`layout:` with
`panes` at rows and columns, `workspace:` with processes) become panes, processes and a picture. What has no meaning
here is taken out and noted. Every node keeps its place, so that errors point at what was written. Above: templates.
"""

from __future__ import annotations

import re
from collections.abc import Mapping as Map
from dataclasses import dataclass, field, replace

from wezparallel.hub.workspaces import commands
from wezparallel.hub.workspaces.fields import ALIASES, Fields, text_of
from wezparallel.hub.workspaces.layouts import MAX_SIDE, Picture
from wezparallel.hub.workspaces.source import Mark, Source, fold, quoted
from wezparallel.hub.workspaces.yaml_lines import Mapping, Node, Scalar, Sequence

SILENT = ("version", "author", "created")  # about the file, not about what it opens
NO_MEANING = (
    "options", "suggested_keybindings", "keybindings", "usage_examples", "related_templates", "changelog",
    "web_config", "rust_config", "research_config", "framework_configs", "project_types", "dependency_management",
    "performance_monitoring", "research_tools", "automation", "required_tools", "startup_script", "theme",
)  # fmt: skip
GRID_PANE = ("id", "position", "size", "title", "command", "cwd", "env", "description", "focus", "auto_start")
_PLACE = ("row", "col", "span_rows", "span_cols")
WORKSPACE_PROCESS = ("name", "command", "auto_start", "cwd", "env", "description")
GRID_WORKSPACE = ("name", "description", "auto_start", "processes")
_WORKSPACE_FLAG = re.compile(r"--workspace[= ]([A-Za-z0-9][\w.-]{0,50})")


@dataclass(slots=True)
class Older:
    """A template in our form."""

    tree: Mapping
    picture: Picture | None = None
    """Of a grid file; else the tree says how it looks."""
    notes: list[str] = field(default_factory=list)


def translate(source: Source, tree: Mapping) -> Older:
    """Turn older forms into ours; a tree that has none comes back as it is. Raises RequestError `template.*`."""
    done = Older(tree)
    entries = {ALIASES.get(fold(key.text), fold(key.text)): (key, value) for key, value in tree.entries}
    if len(entries) != len(tree.entries):
        return done  # a key stands twice; who reads the keys says so
    for name in list(entries):
        if name in SILENT or name in NO_MEANING:
            key, _ = entries.pop(name)
            if name in NO_MEANING:
                done.notes.append(f"line {key.mark.line}: {quoted(key.text)} has no meaning here and is passed over")
    layout = entries.get("layout")
    if layout is not None and isinstance(layout[1], Mapping) and _has(layout[1], "panes"):
        _grid(source, entries, layout[1], done)
    elif "workspace" in entries:
        raise source.error(
            "template.syntax", "`workspace` belongs to a layout that lists its panes", entries["workspace"][0].mark,
            "Write `processes:` for what runs without a pane.",
        )  # fmt: skip
    panes = entries.get("panes")
    if panes is not None and isinstance(panes[1], Sequence) and any(isinstance(i, Mapping) for i in panes[1].items):
        entries["panes"] = (panes[0], _named(source, panes[1]))
    done.tree = replace(tree, entries=tuple(entries.values()))
    return done


def _named(source: Source, panes: Sequence) -> Mapping:
    """Return a list of panes as a map; a pane is called what it says, else like its command."""
    taken: dict[str, Mark] = {}
    entries: list[tuple[Scalar, Node]] = []
    for item in panes.items:
        value: Node = item
        told = None
        command: Node | None = item
        if isinstance(item, Mapping):
            told = _get(item, "name") or _get(item, "id")
            command = _get(item, "command")
            value = replace(item, entries=tuple(e for e in item.entries if fold(e[0].text) not in ("name", "id")))
            agent = _get(item, "agent")
            command = agent if command is None else command
        name = text_of(source, told, "a pane's name") if told is not None else _derived(command, taken)
        mark = told.mark if told is not None else item.mark
        if fold(name) in taken and told is not None:
            raise source.error("template.syntax", f"two panes are called {quoted(name)}", [taken[fold(name)], mark])
        taken[fold(name)] = mark
        entries.append((Scalar(name, name, mark, "", mark.line), value))
    return Mapping(tuple(entries), panes.mark)


def _derived(command: Node | None, taken: Map[str, Mark]) -> str:
    if isinstance(command, Scalar):
        text = command.text
    elif isinstance(command, Sequence):
        text = " ".join(item.text for item in command.items if isinstance(item, Scalar))
    else:
        text = "shell"
    found = _WORKSPACE_FLAG.search(text)
    return commands.derived_name(found[1] if found else text or "pane", taken)


def _grid(source: Source, entries: dict[str, tuple[Scalar, Node]], layout: Mapping, done: Older) -> None:
    """Turn `layout: {panes: […]}` and `workspace: {…}` into panes, processes and a picture."""
    told = Fields(source, layout, "`layout`")
    told.allow(("type", "description", "panes"))
    node = told.raw("panes")
    if not isinstance(node, Sequence) or not node.items:
        raise told.error("`panes` of a grid has to be a list", told.key_mark("panes"))
    if "panes" in entries:
        raise source.error("template.syntax", "the panes stand in `layout` already", entries["panes"][0].mark)
    cells: list[_Cell] = []
    panes: list[tuple[Scalar, Node]] = []
    for item in node.items:
        fields = Fields(source, item, "a pane of a grid")
        fields.allow(GRID_PANE)
        name = fields.raw("id")
        if name is None:
            raise fields.error("a pane of a grid needs `id`, its name", fields.mark)
        text = text_of(source, name, "`id`")
        cells.append(_cell(fields, text))
        own = tuple(
            (key, value) for key, value in item.entries  # type: ignore[union-attr]  # Fields refused all but a map
            if fold(key.text) not in ("id", "position", "size", "description")
        )  # fmt: skip
        panes.append((Scalar(text, text, name.mark, "", name.mark.line), Mapping(own, item.mark)))
    done.picture = _picture(source, cells, node.mark)
    del entries["layout"]
    processes = _processes(source, entries, panes)
    entries["panes"] = (Scalar("panes", "panes", node.mark, "", node.mark.line), Mapping(tuple(panes), node.mark))
    if processes is not None:
        entries["processes"] = processes


@dataclass(frozen=True, slots=True)
class _Cell:
    name: str
    mark: Mark
    row: int
    column: int
    rows: int
    columns: int
    size: float | None

    @property
    def covered(self) -> list[tuple[int, int]]:
        return [
            (row, column)
            for row in range(self.row, self.row + self.rows)
            for column in range(self.column, self.column + self.columns)
        ]


def _cell(fields: Fields, name: str) -> _Cell:
    place = fields.below("position", _PLACE)
    if place is None:
        raise fields.error(
            f"the pane {quoted(name)} has no `position`", fields.mark, "For example { row: 0, col: 1 }."
        )
    size = fields.raw("size")
    share: float | None = None
    if size is not None:
        value = size.value if isinstance(size, Scalar) else None
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= 100:
            raise fields.error("`size` has to be the pane's share of the window, up to 1", size.mark)
        share = float(value)
    return _Cell(
        name, place.mark, place.whole("row", 0, 0, MAX_SIDE - 1), place.whole("col", 0, 0, MAX_SIDE - 1),
        place.whole("span_rows", 1, 1, MAX_SIDE), place.whole("span_cols", 1, 1, MAX_SIDE), share,
    )  # fmt: skip


def _picture(source: Source, cells: list[_Cell], where: Mark) -> Picture:
    top, left = min(cell.row for cell in cells), min(cell.column for cell in cells)
    height = max(cell.row + cell.rows for cell in cells) - top
    width = max(cell.column + cell.columns for cell in cells) - left
    if height > MAX_SIDE or width > MAX_SIDE:
        raise source.error("template.layout", f"a grid has at most {MAX_SIDE} rows and {MAX_SIDE} columns", where)
    grid = [["."] * width for _ in range(height)]
    marks = [[where] * width for _ in range(height)]
    for cell in cells:
        for row, column in cell.covered:
            other = grid[row - top][column - left]
            if other != ".":
                raise source.error(
                    "template.layout", f"{quoted(cell.name)} lies over {quoted(other)}",
                    [marks[row - top][column - left], cell.mark],
                    f"Both are at row {row}, col {column}.",
                )  # fmt: skip
            grid[row - top][column - left] = cell.name
            marks[row - top][column - left] = cell.mark
    columns, rows = _weights(cells, height, width, top, left)
    return Picture(tuple(map(tuple, grid)), columns, rows, source=source, marks=tuple(map(tuple, marks)), where=where)


def _weights(
    cells: list[_Cell], height: int, width: int, top: int, left: int
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Return how large columns and rows are, if every pane says what share of the window it has."""
    columns, rows = [0.0] * width, [0.0] * height
    for cell in cells:
        if cell.size is None:
            return (), ()
        for row, column in cell.covered:
            share = cell.size / (cell.rows * cell.columns)
            columns[column - left] += share
            rows[row - top] += share
    if min(columns) <= 0 or min(rows) <= 0:
        return (), ()
    return tuple(columns), tuple(rows)


def _processes(
    source: Source, entries: dict[str, tuple[Scalar, Node]], panes: list[tuple[Scalar, Node]]
) -> tuple[Scalar, Mapping] | None:
    """Return what `workspace:` runs without a pane. A process that is called like a pane is what runs in it."""
    if "workspace" not in entries:
        return None
    key, value = entries.pop("workspace")
    fields = Fields(source, value, "`workspace`")
    fields.allow(GRID_WORKSPACE)
    if "description" not in entries and fields.raw("description") is not None:
        entries["description"] = next(e for e in value.entries if fold(e[0].text) == "description")  # type: ignore[union-attr]
    flag = fields.raw("auto_start")
    if flag is not None:
        entries.setdefault("auto_start_processes", (replace(key, text="auto_start_processes"), flag))
    listed = fields.raw("processes")
    if listed is None:
        return None
    if not isinstance(listed, Sequence):
        raise fields.error("`processes` of a workspace has to be a list", listed.mark)
    at = {fold(name.text): number for number, (name, _) in enumerate(panes)}
    found: list[tuple[Scalar, Node]] = []
    for item in listed.items:
        one = Fields(source, item, "a process of a workspace")
        one.allow(WORKSPACE_PROCESS)
        name = one.raw("name")
        if name is None:
            raise one.error("a process of a workspace needs `name`", one.mark)
        text = text_of(source, name, "`name`")
        own = tuple(e for e in item.entries if fold(e[0].text) not in ("name", "description"))  # type: ignore[union-attr]
        if fold(text) in at:
            pane, shown = panes[at[fold(text)]]
            has = {fold(k.text) for k, _ in shown.entries}  # type: ignore[union-attr]
            added = tuple(e for e in own if fold(e[0].text) not in has)
            panes[at[fold(text)]] = (pane, replace(shown, entries=(*shown.entries, *added)))  # type: ignore[union-attr, arg-type]
        else:
            found.append((Scalar(text, text, name.mark, "", name.mark.line), Mapping(own, item.mark)))
    if not found:
        return None
    return Scalar("processes", "processes", listed.mark, "", listed.mark.line), Mapping(tuple(found), listed.mark)


def _has(node: Mapping, name: str) -> bool:
    return any(fold(key.text) == name for key, _ in node.entries)


def _get(node: Mapping, name: str) -> Node | None:
    found = next((value for key, value in node.entries if fold(key.text) == name), None)
    return None if isinstance(found, Scalar) and found.value is None else found
