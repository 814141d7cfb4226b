"""The pictures of a template: one, several as tabs, a name in the place of one, or none. Pure.

Above: templates. Below: `layouts` (pictures to cuts), `named`.
"""

from __future__ import annotations

from collections.abc import Sequence as Seq
from dataclasses import dataclass

from wezparallel.hub.workspaces import language, layouts, named
from wezparallel.hub.workspaces.fields import Fields, text_of
from wezparallel.hub.workspaces.layouts import Layout, Picture
from wezparallel.hub.workspaces.processes import Made
from wezparallel.hub.workspaces.source import Mark, Source, fold, quoted
from wezparallel.hub.workspaces.yaml_lines import Mapping, Node, Scalar, Sequence

MAX_TABS = 32


@dataclass(frozen=True, slots=True)
class CompiledTab:
    """One tab."""

    title: str
    """Empty for the only tab of a template that names none."""
    layout: Layout


@dataclass(slots=True)
class _Panes:
    """The panes of a template, in the order of the file."""

    source: Source
    made: list[Made]

    @property
    def written(self) -> list[str]:
        return list(dict.fromkeys(one.written for one in self.made))

    @property
    def names(self) -> list[str]:
        return [one.settings.name for one in self.made]

    @property
    def groups(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for one in self.made:
            found.setdefault(one.written, []).append(one.settings.name)
        return found

    @property
    def positions(self) -> dict[str, Scalar]:
        return {one.written: one.position for one in self.made if one.position is not None}


def compile_tabs(
    top: Fields, made: list[Made], picture: Picture | None, default_layout: str | None
) -> tuple[CompiledTab, ...]:
    """Return a template's tabs; none if nothing has a pane. `picture` is one that was drawn already.

    Raises `template.syntax`, `template.layout`.
    """
    panes = _Panes(top.source, made)
    node, tabs = top.raw("layout"), top.raw("tabs")
    if node is not None and tabs is not None:
        raise top.error(
            "a template has `layout` or `tabs`", [top.key_mark("layout"), top.key_mark("tabs")],
            "With `tabs`, each tab has its own `layout`.",
        )  # fmt: skip
    if tabs is not None:
        return _tabs(top, tabs, panes)
    if picture is None and node is None:
        layout = _undrawn(top, panes, default_layout)
        return (CompiledTab("", layout),) if layout is not None else ()
    picture = picture or _picture(top.source, node, panes, top) if node is not None else picture
    assert picture is not None
    layout, _ = _compiled(picture, panes)
    _check_all_shown(panes, [layout])
    return (CompiledTab("", layout),)


def _tabs(top: Fields, node: Node, panes: _Panes) -> tuple[CompiledTab, ...]:
    found: list[CompiledTab] = []
    places: dict[str, Mark] = {}
    if not isinstance(node, Mapping) or not node.entries:
        raise top.error(
            "`tabs` has to be a map of names", node.mark, "For example tabs: { work: { layout: a b }, logs: log }."
        )
    if len(node.entries) > MAX_TABS:
        raise top.error(f"a template has at most {MAX_TABS} tabs", top.key_mark("tabs"))
    for key, value in node.entries:
        what = f"tab {quoted(key.text)}"
        drawn: Node = value
        title = key.text
        if isinstance(value, Mapping) and {fold(k.text) for k, _ in value.entries} & {"layout", "title"}:
            fields = Fields(top.source, value, what, top.scope)
            fields.allow(language.names(language.TAB))
            told = fields.raw("layout")
            if told is None:
                raise fields.error(f"{what} needs `layout`, its picture", fields.mark)
            drawn, title = told, fields.text("title") or title
        if not title.strip() or not title.isprintable():
            raise top.error(f"{quoted(title)} cannot be the title of a tab", key.mark)
        picture = _picture(top.source, drawn, panes, top, what)
        layout, marks = _compiled(picture, panes)
        for name, mark in marks.items():
            if name in places:
                raise top.source.error(
                    "template.layout", f"the pane {quoted(name)} stands in two tabs", [places[name], mark],
                    "A pane is shown once; a second one that runs the same needs a name of its own.",
                )  # fmt: skip
            places[name] = mark
        found.append(CompiledTab(title, layout))
    _check_all_shown(panes, [tab.layout for tab in found])
    return tuple(found)


def _undrawn(top: Fields, panes: _Panes, default_layout: str | None) -> Layout | None:
    """Return the layout of a template that draws none."""
    count = len(panes.written)
    if not count:
        return None
    if len(panes.names) > layouts.MAX_AREAS:
        raise top.error(f"a tab has at most {layouts.MAX_AREAS} panes", top.key_mark("panes"))
    positions = panes.positions
    default = named.layout(default_layout or "")
    told = [one.text for one in positions.values()]
    if default is not None and len(named.places(default)) == count and named.has_places(default, told):
        picture = named.picture(default, panes.written, positions, panes.source, top.key_mark("panes"))
        return _compiled(picture, panes)[0]
    if not positions:
        return layouts.compile_picture(layouts.tile(panes.names))
    fitting = named.fitting(told, count)
    if fitting is None:
        raise panes.source.error(
            "template.layout", "no layout has these positions, and as many places as there are panes",
            [one.mark for one in positions.values()], f"Known are: {', '.join(named.LAYOUTS)}.",
        )  # fmt: skip
    return _compiled(named.picture(fitting, panes.written, positions, panes.source, top.key_mark("panes")), panes)[0]


def _picture(source: Source, node: Node, panes: _Panes, top: Fields, what: str = "`layout`") -> Picture:
    columns: tuple[float, ...] = ()
    rows: tuple[float, ...] = ()
    areas = node
    if isinstance(node, Mapping):
        fields = Fields(source, node, what, top.scope)
        fields.allow(language.names(language.LAYOUT))
        columns, rows = fields.weights("columns"), fields.weights("rows")
        told, kind = fields.raw("areas"), fields.raw("type")
        if told is not None and kind is not None:
            raise fields.error("a layout is drawn, or named", [fields.key_mark("areas"), fields.key_mark("type")])
        if told is None and kind is None:
            raise fields.error(f"{what} needs `areas`, the picture", fields.mark)
        areas = told if told is not None else kind  # type: ignore[assignment]  # one of them is there
    name = named.layout(areas.text) if isinstance(areas, Scalar) else None
    if name is not None and fold(areas.text) not in {fold(one) for one in panes.written}:  # type: ignore[union-attr]
        picture = named.picture(name, panes.written, panes.positions, source, areas.mark)
        return layouts.with_weights(picture, columns, rows)
    for position in panes.positions.values():
        raise source.error(
            "template.layout", "`position` belongs to a layout that is only named", position.mark,
            f"Take it out, or write a name: {', '.join(named.LAYOUTS)}.",
        )  # fmt: skip
    picture = layouts.read_picture(_lines(source, areas), source, areas.mark)
    return layouts.with_weights(picture, columns, rows)


def _compiled(picture: Picture, panes: _Panes) -> tuple[Layout, dict[str, Mark]]:
    """Return a picture's cuts, replicas tiled in their areas, and where each pane stands in it."""
    groups = panes.groups
    picture = layouts.match_names(picture, list(dict.fromkeys([*groups, *panes.names])))
    layout = layouts.compile_picture(picture)
    marks: dict[str, Mark] = {}
    for row, line in enumerate(picture.grid):
        for column, name in enumerate(line):
            mark = picture.marks[row][column] if picture.marks else picture.where
            for member in groups.get(name, [name]):
                marks.setdefault(member, mark)
    for name, members in groups.items():
        both = [member for member in members if member != name and member in layout.panes]
        if len(members) > 1 and name in layout.panes and both:
            raise panes.source.error(
                "template.layout", f"the picture has an area {quoted(name)} for all, and one for {quoted(both[0])}",
                marks[both[0]], "Draw one area for all replicas, or one for each.",
            )  # fmt: skip
    if len(marks) > layouts.MAX_AREAS:
        raise panes.source.error("template.layout", f"a tab has at most {layouts.MAX_AREAS} panes", picture.where)
    return layouts.tile_within(layout, groups), marks


def _check_all_shown(panes: _Panes, drawn: Seq[Layout]) -> None:
    shown = {name for layout in drawn for name in layout.panes}
    for one in panes.made:
        if one.settings.name not in shown:
            raise panes.source.error(
                "template.layout", f"the pane {quoted(one.settings.name)} has no area in the picture", one.mark,
                "Write its name into `layout`, or move it to `processes:` if it needs no pane.",
            )  # fmt: skip


def _lines(source: Source, areas: Node) -> list[tuple[str, Mark]]:
    """Return a picture's lines with the place of each."""
    if isinstance(areas, Sequence):
        return [
            (text_of(source, item, "a row of the picture"), item.mark.moved(_quote(item), 1)) for item in areas.items
        ]
    if not isinstance(areas, Scalar):
        raise source.error("template.layout", "a picture is text, one line for each row", areas.mark)
    if areas.style == "|":
        lines = (areas.mark.source or source).lines
        found: list[tuple[str, Mark]] = []
        for number, text in enumerate(areas.text.split("\n"), areas.mark.line + 1):
            own = lines[number - 1] if number <= len(lines) else ""
            column = len(own) - len(text) + 1 if own.endswith(text) else 1
            found.append((text, Mark(number, column, 1, areas.mark.source)))
        return found
    if areas.last_line > areas.mark.line:
        raise source.error(
            "template.layout", "this picture would become one line", areas.mark,
            "Write `|` after the colon; then its lines stay lines.",
        )  # fmt: skip
    return [(text, areas.mark.moved(_quote(areas), 1)) for text in areas.text.split("\n")]


def _quote(node: Node) -> int:
    return 1 if isinstance(node, Scalar) and node.style else 0
