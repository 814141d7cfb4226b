"""Colours and attributes of text: read out of `CSI … m`, and as names, hexadecimals and sequences again. Pure."""

from __future__ import annotations

from wezparallel.wire.grid import (
    BLINK,
    BOLD,
    DEFAULT,
    DIM,
    HIDDEN,
    ITALIC,
    PLAIN,
    REVERSE,
    RGB,
    STRIKE,
    UNDERLINE,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from wezparallel.wire.grid import Style

NAMES = ("black", "red", "green", "yellow", "blue", "magenta", "cyan", "white")
FLAGS = {BOLD: "bold", DIM: "dim", ITALIC: "italic", UNDERLINE: "underline", BLINK: "blink", REVERSE: "reverse",
         HIDDEN: "hidden", STRIKE: "strike"}  # fmt: skip
_ON = {1: BOLD, 2: DIM, 3: ITALIC, 4: UNDERLINE, 5: BLINK, 6: BLINK, 7: REVERSE, 8: HIDDEN, 9: STRIKE, 21: UNDERLINE}
_OFF = {22: BOLD | DIM, 23: ITALIC, 24: UNDERLINE, 25: BLINK, 27: REVERSE, 28: HIDDEN, 29: STRIKE}
_SAYS = {BOLD: "1", DIM: "2", ITALIC: "3", UNDERLINE: "4", BLINK: "5", REVERSE: "7", HIDDEN: "8", STRIKE: "9"}

_TEXT = {39: DEFAULT} | {first + at: colour + at for first, colour in ((30, 0), (90, 8)) for at in range(8)}
_BEHIND = {code + 10: colour for code, colour in _TEXT.items()}
"""Code of a sequence -> colour."""

_SIXTEEN = (
    0x000000, 0xCD3131, 0x0DBC79, 0xC7A500, 0x2472C8, 0xBC3FBC, 0x11A8CD, 0xD0D0D0,
    0x767676, 0xF14C4C, 0x23D18B, 0xF5F543, 0x3B8EEA, 0xD670D6, 0x29B8DB, 0xFFFFFF,
)  # fmt: skip
_STEPS = (0, 95, 135, 175, 215, 255)


def styled(style: Style, parameters: str) -> Style:
    """Return a style after `CSI parameters m`."""
    if parameters in {"", "0"}:
        return PLAIN
    parts = iter(parameters.split(";"))
    for part in parts:
        code, *rest = [int(number or 0) for number in part.split(":")]
        text, behind, flags = style
        if code in {38, 48, 58}:
            colour = _colour(rest or _taken(parts), with_space=bool(rest))
            if colour is not None and code != 58:
                style = (colour, behind, flags) if code == 38 else (text, colour, flags)
        elif code == 4 and rest:
            style = (text, behind, flags | UNDERLINE if rest[0] else flags & ~UNDERLINE)
        elif code in _ON:
            style = (text, behind, flags | _ON[code])
        elif code in _OFF:
            style = (text, behind, flags & ~_OFF[code])
        elif code in _TEXT:
            style = (_TEXT[code], behind, flags)
        elif code in _BEHIND:
            style = (text, _BEHIND[code], flags)
        elif code == 0:
            style = PLAIN
    return style


def _taken(parts: Iterator[str]) -> list[int]:
    """Take what belongs to a colour that is written with semicolons."""
    how = next(parts, "").partition(":")[0]
    count = {"5": 1, "2": 3}.get(how, 0)
    taken = [int(next(parts, "").partition(":")[0] or 0) for _ in range(count)]
    return [int(how or 0), *taken]


def _colour(numbers: list[int], *, with_space: bool) -> int | None:
    """Return the colour that `5, n` or `2, r, g, b` means; with colons a colour space may stand before it."""
    if len(numbers) >= 2 and numbers[0] == 5:
        return min(numbers[1], 255)
    if numbers[:1] == [2]:
        values = numbers[2:5] if with_space and len(numbers) > 4 else numbers[1:4]
        if len(values) == 3:
            red, green, blue = (min(value, 255) for value in values)
            return RGB | red << 16 | green << 8 | blue
    return None


def name(colour: int) -> str | None:
    """Return `red`, `bright_red`, `#rrggbb`, or None for the terminal's own."""
    if colour == DEFAULT:
        return None
    if colour < 8:
        return NAMES[colour]
    return f"bright_{NAMES[colour - 8]}" if colour < 16 else hexadecimal(colour)


def flag_names(flags: int) -> list[str]:
    """Return the words of a style's flags."""
    return [word for flag, word in FLAGS.items() if flags & flag]


def hexadecimal(colour: int) -> str:
    """Return `#rrggbb` of a colour that is not the default."""
    if colour < 16:
        value = _SIXTEEN[colour]
    elif colour < 232:
        number = colour - 16
        value = _STEPS[number // 36] << 16 | _STEPS[number // 6 % 6] << 8 | _STEPS[number % 6]
    elif colour < RGB:
        value = (8 + 10 * (colour - 232)) * 0x010101
    else:
        value = colour & 0xFFFFFF
    return f"#{value:06x}"


def sequence(style: Style) -> str:
    """Return what brings a terminal from any style into this one."""
    text, behind, flags = style
    words = ["0", *(code for flag, code in _SAYS.items() if flags & flag)]
    for colour, first in ((text, 30), (behind, 40)):
        if colour == DEFAULT:
            continue
        if colour < 16:
            words.append(str(first + colour if colour < 8 else first + 52 + colour))
        elif colour < RGB:
            words.append(f"{first + 8};5;{colour}")
        else:
            words.append(f"{first + 8};2;{colour >> 16 & 255};{colour >> 8 & 255};{colour & 255}")
    return f"\x1b[{';'.join(words)}m"
