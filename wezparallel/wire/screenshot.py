"""The picture of a terminal's screen (emulator.py): as text, with colours for another terminal, as SVG. Pure."""

from __future__ import annotations

from html import escape

from wezparallel.wire import colours
from wezparallel.wire.grid import BOLD, DEFAULT, DIM, HIDDEN, ITALIC, PLAIN, REVERSE, STRIKE, UNDERLINE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wezparallel.types import JsonObject
    from wezparallel.wire.drawing import Drawing
    from wezparallel.wire.grid import Style

    Span = tuple[int, int, str, Style]
    """First column, columns, text, style."""

CELL = (8.4, 18)  # pixels of a cell in an SVG
FONT = 14
_TEXT, _BEHIND = "#d4d4d4", "#1e1e1e"
_SEEN = REVERSE | UNDERLINE | STRIKE
_ODD: dict[int, str] = dict.fromkeys((*range(32), *range(127, 160), 0xFFFE, 0xFFFF), "\N{REPLACEMENT CHARACTER}") | {
    32: "\N{NO-BREAK SPACE}"  # which no reader of XML joins with the next one
}


def spans(terminal: Drawing) -> list[list[Span]]:
    """Return, row by row, text with its style; what is empty at a row's end is left out."""
    return [_spans(texts, styles) for texts, styles in zip(terminal.grid.texts, terminal.grid.styles, strict=True)]


def _spans(texts: list[str], styles: list[Style]) -> list[Span]:
    end = len(texts)
    while end and texts[end - 1] == " " and styles[end - 1][1] == DEFAULT and not styles[end - 1][2] & _SEEN:
        end -= 1
    found: list[Span] = []
    at = 0
    while at < end:
        style = styles[at]
        begin = at
        while at < end and styles[at] == style:
            at += 1
        found.append((begin, at - begin, "".join(texts[begin:at]), style))
    return found


def text(terminal: Drawing) -> str:
    """Return the text alone, a line a row."""
    return "\n".join("".join(words for _, _, words, _ in row).rstrip() for row in spans(terminal)).rstrip("\n") + "\n"


def ansi(terminal: Drawing) -> str:
    """Return the rows with what gives a terminal their colours; each row ends without any."""
    rows = []
    for row in spans(terminal):
        parts = [
            words if style == PLAIN else f"{colours.sequence(style)}{words}\x1b[0m" for _, _, words, style in row
        ]
        rows.append("".join(parts))
    return "\n".join(rows).rstrip("\n") + "\n"


def lines(terminal: Drawing) -> list[list[JsonObject]]:
    """Return the rows as JSON: of a span its text, and of its style what is not the usual."""
    return [[_told(words, style) for _, _, words, style in row] for row in spans(terminal)]


def _told(words: str, style: Style) -> JsonObject:
    told: JsonObject = {"text": words}
    for name, colour in (("fg", style[0]), ("bg", style[1])):
        if colour != DEFAULT:
            told[name] = colours.name(colour)
    if style[2]:
        told["attributes"] = colours.flag_names(style[2])
    return told


def svg(terminal: Drawing) -> str:
    """Return a picture that any browser shows."""
    wide, high = CELL
    size = (terminal.columns * wide + 2 * wide, terminal.rows * high + high)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{size[0]:.0f}" height="{size[1]:.0f}" '
        f'viewBox="0 0 {size[0]:.1f} {size[1]:.0f}">\n<title>{escape(terminal.title.translate(_ODD))}</title>\n'
        f'<rect width="100%" height="100%" fill="{_BEHIND}"/>\n'
        f'<g transform="translate({wide},{high / 2})" font-family="monospace" font-size="{FONT}">\n'
    ]
    for y, drawn in enumerate(spans(terminal)):
        parts += [_drawn(y, *span) for span in drawn]
    if terminal.cursor_visible:
        row, column = terminal.cursor
        parts.append(
            f'<rect x="{column * wide:.1f}" y="{row * high}" width="{wide}" height="{high}" fill="{_TEXT}" '
            'fill-opacity="0.5"/>\n'
        )
    return "".join(parts) + "</g>\n</svg>\n"


def _drawn(y: int, x: int, columns: int, words: str, style: Style) -> str:
    wide, high = CELL
    front = _TEXT if style[0] == DEFAULT else colours.hexadecimal(style[0])
    behind = _BEHIND if style[1] == DEFAULT else colours.hexadecimal(style[1])
    flags = style[2]
    if flags & REVERSE:
        front, behind = behind, front
    left, length = f"{x * wide:.1f}", f"{columns * wide:.1f}"
    out = ""
    if behind != _BEHIND:
        out = f'<rect x="{left}" y="{y * high}" width="{length}" height="{high}" fill="{behind}"/>\n'
    if flags & HIDDEN or not (words.strip() or flags & _SEEN):
        return out
    how = {
        "font-weight": "bold" if flags & BOLD else "",
        "font-style": "italic" if flags & ITALIC else "",
        "opacity": "0.6" if flags & DIM else "",
        "text-decoration": " ".join(
            word for flag, word in ((UNDERLINE, "underline"), (STRIKE, "line-through")) if flags & flag
        ),
    }
    said = "".join(f' {name}="{value}"' for name, value in how.items() if value)
    return (
        f'{out}<text x="{left}" y="{y * high + FONT - 0.5}" fill="{front}"{said} textLength="{length}" '
        f'lengthAdjust="spacingAndGlyphs">{escape(words.translate(_ODD))}</text>\n'
    )
