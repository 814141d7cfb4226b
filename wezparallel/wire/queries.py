"""Finds what a program asks its terminal, and answers in the terminal's place. Pure; output may be cut anywhere.

The keeper answers while nobody looks who could (keeper/answers.py): a program that asks and hears nothing waits for
seconds, or gives up. What is not known is answered as an xterm-like terminal would: dark, without pictures. Where
the cursor is nobody knows without drawing everything; programs that ask need some answer (prompt_toolkit complains,
others fail), and `1;1` promises the most room below. The clipboard is nobody's business: OSC 52 is never answered.
"""

from __future__ import annotations

import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wezparallel.types import JsonObject
    from wezparallel.wire.terminal import Modes

_QUERY = re.compile(
    rb"\x1b(?:"
    rb"\[([>=?]?[0-9;]*(?:\$p|[cnqtu]))"  # 1: most of them
    rb"|\[\?[0-9;]*\b(2048)(?:;[0-9;]*)?h"  # 2: sizes from now on, and now
    rb"|\]((?:4;[0-9]{1,3}|1[0-2]);\?(?:;[0-9;?]*)?)(\x07|\x1b\\)"  # 3, 4: colours, and how the string ends
    rb"|(Z)"  # 5: DECID
    rb"|P(?:(\$)|\+)q[^\x1b]{0,1024}\x1b\\"  # 6: settings, capabilities
    rb")"
)
_CUT = re.compile(rb"\x1b(?:\[[0-9;?>=]{0,64}\$?|\][0-9;?]{0,256}\x1b?|P[^\x1b]{0,1028}\x1b?)?\Z")

_FOREGROUND = "rgb:cccc/cccc/cccc"
_BACKGROUND = "rgb:0000/0000/0000"
_BASIC = (
    "000000", "cd0000", "00cd00", "cdcd00", "0000ee", "cd00cd", "00cdcd", "e5e5e5",
    "7f7f7f", "ff0000", "00ff00", "ffff00", "5c5cff", "ff00ff", "00ffff", "ffffff",
)  # fmt: skip
_STEPS = (0x00, 0x5F, 0x87, 0xAF, 0xD7, 0xFF)
_CELL = (16, 8)  # pixels, height and width, of a terminal that does not tell
_PLAIN = {
    b">c": b"\x1b[>1;277;0c",
    b">0c": b"\x1b[>1;277;0c",
    b"=c": b"\x1bP!|00000000\x1b\\",
    b"=0c": b"\x1bP!|00000000\x1b\\",
    b"5n": b"\x1b[0n",
    b"6n": b"\x1b[1;1R",
    b"?6n": b"\x1b[?1;1R",
}
_ATTRIBUTES = b"\x1b[?62;22c"  # VT220 with colours


class Facts:
    """What is known of the terminal that looked last."""

    __slots__ = ("attributes", "background", "foreground", "program", "size")

    def __init__(self) -> None:
        self.attributes = _ATTRIBUTES
        """its answer to DA1"""
        self.foreground = _FOREGROUND
        self.background = _BACKGROUND
        self.program = ""
        """its name and version"""
        self.size = (24, 80, 0, 0)
        """rows, columns, pixels"""

    def dump(self) -> JsonObject:
        """Return all of it as JSON, for a successor."""
        return {
            "attributes": self.attributes.decode("latin-1"),
            "foreground": self.foreground,
            "background": self.background,
            "program": self.program,
        }

    @classmethod
    def load(cls, value: JsonObject) -> Facts:
        """Return what `dump` told."""
        facts = cls()
        facts.attributes = value.get("attributes", "").encode("latin-1") or _ATTRIBUTES
        facts.foreground = value.get("foreground") or _FOREGROUND
        facts.background = value.get("background") or _BACKGROUND
        facts.program = value.get("program") or ""
        return facts


class Queries:
    """Follows one program's output from a place on."""

    __slots__ = ("_tail",)

    def __init__(self, tail: bytes = b"") -> None:
        """`tail` is what came before of a sequence that is not at its end."""
        self._tail = tail

    @property
    def unfinished(self) -> bytes:
        """What has come of a query that is not at its end."""
        return self._tail

    def skip(self, unfinished: bytes) -> bool:
        """Pass by a chunk of text and colours with that at its end; False where it may belong to a query."""
        if self._tail[1:2] in {b"]", b"P"}:
            return False
        self._tail = unfinished
        return True

    def answers(self, data: bytes, facts: Facts, modes: Modes) -> bytes:
        """Return the answers to what is asked in there; `modes` are those after it."""
        if self._tail:
            data, self._tail = self._tail + data, b""
        if b"\x1b" not in data:
            return b""
        out = []
        at = 0
        for match in _QUERY.finditer(data):
            at = match.end()
            out.append(_answer(match, facts, modes))
        cut = _CUT.search(data, max(at, len(data) - 1100))
        self._tail = cut[0] if cut else b""
        return b"".join(out)


def asks(data: bytes) -> bool:
    """Tell whether something is asked in this output."""
    return any(_answer(match, Facts(), None) for match in _QUERY.finditer(data))


def _answer(match: re.Match[bytes], facts: Facts, modes: Modes | None) -> bytes:
    group = match.lastindex
    if group == 1:
        return _control(match[1], facts, modes)
    if group == 2:
        return _size(b"48", facts)
    if group == 4:
        return _colours(match[3].decode(), match[4], facts, modes)
    if group == 5:
        return facts.attributes
    return b"\x1bP0$r\x1b\\" if group == 6 else b"\x1bP0+r\x1b\\"


def _control(what: bytes, facts: Facts, modes: Modes | None) -> bytes:
    if what in {b"c", b"0c"}:
        return facts.attributes
    if what in _PLAIN:
        return _PLAIN[what]
    if what == b"?996n":
        return b"\x1b[?997;%dn" % (1 if _is_dark(facts.background) else 2)
    if what in {b">q", b">0q"}:
        return b"\x1bP>|" + (facts.program or "wezparallel").encode("ascii", "replace") + b"\x1b\\"
    if what == b"?u":
        return b"\x1b[?%du" % (modes.keyboard_flags if modes else 0)
    if what in {b"14t", b"16t", b"18t"}:
        return _size({b"14t": b"4", b"16t": b"6", b"18t": b"8"}[what], facts)
    if what.endswith(b"$p"):
        return _mode(what[:-2], modes)
    return b""


def _mode(what: bytes, modes: Modes | None) -> bytes:
    private = what.startswith(b"?")
    number = what[1:] if private else what
    if not number.isdigit() or len(number) > 5:
        return b""
    state = modes.state_of(int(number)) if private and modes else 0
    return b"\x1b[%s%d;%d$y" % (b"?" if private else b"", int(number), state)


def _size(what: bytes, facts: Facts) -> bytes:
    rows, columns, x, y = facts.size
    x, y = x or columns * _CELL[1], y or rows * _CELL[0]
    numbers = {
        b"4": (y, x),
        b"6": (y // rows if rows else 0, x // columns if columns else 0),
        b"8": (rows, columns),
        b"48": (rows, columns, y, x),
    }[what]
    return b"\x1b[" + what + b"".join(b";%d" % number for number in numbers) + b"t"


def _colours(what: str, end: bytes, facts: Facts, modes: Modes | None) -> bytes:
    """Answer `4;1;?;2;?` or `10;?;?`: each colour by a string of its own."""
    words = what.split(";")
    out = []
    if words[0] == "4":
        pairs = list(zip(words[1::2], words[2::2], strict=False))
        names = [f"4;{int(number)}" for number, mark in pairs if mark == "?" and number.isdigit()]
    else:
        first = int(words[0])
        names = [str(first + at) for at, mark in enumerate(words[1:]) if mark == "?" and first + at <= 12]
    for name in names:
        colour = (modes.colour(name) if modes else "") or _colour(name, facts)
        if colour:
            out.append(b"\x1b]" + name.encode() + b";" + colour.encode("ascii", "replace") + end)
    return b"".join(out)


def _colour(name: str, facts: Facts) -> str:
    if name == "11":
        return facts.background
    if name in {"10", "12"}:
        return facts.foreground
    number = int(name[2:])
    if number < 16:
        return _rgb(_BASIC[number])
    if number < 232:
        cube = number - 16
        return _rgb("".join(f"{_STEPS[step]:02x}" for step in (cube // 36, cube // 6 % 6, cube % 6)))
    return _rgb(f"{8 + 10 * (number - 232):02x}" * 3) if number < 256 else ""


def _rgb(digits: str) -> str:
    return "rgb:" + "/".join(digits[at : at + 2] * 2 for at in (0, 2, 4))


def _is_dark(colour: str) -> bool:
    """Tell whether a background is dark, from `rgb:RR/GG/BB` with one to four digits each."""
    try:
        parts = [int(part, 16) / float(16 ** len(part) - 1) for part in colour.partition(":")[2].split("/")]
        red, green, blue = parts[-3:]
    except (ValueError, ZeroDivisionError):
        return True
    return 0.299 * red + 0.587 * green + 0.114 * blue < 0.5
