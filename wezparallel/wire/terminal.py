"""The modes that a program has put its terminal into, read out of its output. Pure; regular expressions per chunk.

The keeper feeds all output of a terminal through `Modes`, so this must cost next to nothing: no emulation, no grid,
only the switches that a terminal keeps. `enter` and `leave` serve the viewers; cleaning of what is replayed is in
replay.py.
"""

from __future__ import annotations

import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wezparallel.types import JsonObject

ALTERNATE = (47, 1047, 1049)
_ON_BY_DEFAULT = frozenset((7, 25))  # autowrap, cursor visible
_TRACKED = frozenset((
    1, 7, 9, 25, 1000, 1002, 1003, 1004, 1005, 1006, 1015, 1016, 2004, 2026, 2031, 2048, *ALTERNATE,
))  # fmt: skip
_SOFT = (1, 7, 25)  # private modes that a soft reset sets back

# A flood of colour is the common case: the first escape that is neither a colour nor moves or erases anything. Where
# there is none, nothing here changes. Possessive, so that no such sequence is looked at twice: 1.3 ns a byte.
_NEWS = re.compile(rb"\x1b(?!\[[0-9;:]*+[ABCDEFGHIJKLMPSTX@`adefgm])")

_MAX_TITLE = 1024
_MAX_COLOURS = 260  # a palette and the few by name
_SWITCH = re.compile(
    rb"\x1b(?:"
    rb"\[\?([0-9;]+)([hl])"  # 1, 2: private modes
    rb"|\[([0-9]*) q"  # 3: cursor style
    rb"|([=>c]|\[!p)"  # 4: keypad, full and soft reset
    rb"|\](?:[02];([^\x07\x1b]{0,1024})|(7;|(?:(?:10)?4|1[0-2]|11[0-2])\b)([^\x07\x1b]{0,1024}))(?:\x07|\x1b\\)"
    # 5: title; 6, 7: folder, colours and their resets
    rb"|\[([<>=])([0-9;]*)u"  # 8, 9: kitty keyboard stack
    rb"|\[>4(?:;([0-9]*))?m"  # 10: modifyOtherKeys
    rb"|\[([0-9;]*)r"  # 11: scroll margins
    rb")"
)
# What may become one of these with the next chunk. The last ESC may be the first half of a string's end.
_HALF = re.compile(rb"\x1b(?:\[[0-9;?<>=!]{0,64} ?|\](?:[0-9]{1,3}(?:;[^\x07\x1b]{0,1024})?)?\x1b?)?\Z")
# From the last ESC on: a sequence that is not finished, of any kind.
_UNFINISHED = re.compile(rb"\x1b(?:\[[0-?]{0,64}[ -/]{0,4}|[ -/]{0,4})?\Z")
_STRING = re.compile(rb"\x1b[\]PX^_]")
_STRING_END = re.compile(rb"[\x07\x18\x1a\x1b]")
_HALF_CHARACTER = re.compile(rb"(?:[\xc2-\xf4]|[\xe0-\xf4][\x80-\xbf]|[\xf0-\xf4][\x80-\xbf]{2})\Z")
_CONTROLS = re.compile(rb"[\x00-\x1f\x7f]")


class Modes:
    """The switches of one terminal, from its reset state on."""

    __slots__ = ("_colours", "_in_string", "_keyboard", "_keypad", "_last", "_margins", "_other_keys", "_private",
                 "_style", "_tail", "_title", "quiet", "sends_folder", "sends_title")  # fmt: skip

    def __init__(self) -> None:
        self._private: dict[int, bool] = {}
        """modes that differ from the reset state, in the order in which they were set"""
        self._keypad = False
        self._style = 0
        self._title = b""
        self.sends_title = False
        """The program has set a title, be it an empty one."""
        self.sends_folder = False
        """The program tells where it is (OSC 7)."""
        self._colours: dict[str, str] = {}
        """colours that the program has set, by what names them: `4;1`, `10`, `11`, `12`"""
        self._keyboard: dict[bool, list[int]] = {False: [], True: []}
        """flags of the kitty keyboard protocol, a stack each for the main and the alternate screen"""
        self._other_keys = 0
        self._margins = False
        self._tail = b""
        self._last = b""
        self._in_string = False
        self.quiet = True
        """The last chunk changed nothing here, and asked nothing: it was text, colours and the like."""

    def feed(self, data: bytes) -> None:
        """Take a chunk of output, cut anywhere."""
        if not data:
            return
        self.quiet = True
        self._last = data[-4:] if len(data) > 3 else (self._last + data)[-4:]
        if self._tail:
            data = self._tail + data
            self._tail = b""
        news = _NEWS.search(data) if b"\x1b" in data else None
        if news is None or _UNFINISHED.match(data, news.start()):
            if self._in_string and _STRING_END.search(data):
                self._in_string = False
            self._tail = b"" if news is None else data[news.start() :]
            return
        self.quiet = False
        for match in _SWITCH.finditer(data, news.start()):
            self._switch(match)
        self._end_of_chunk(data, data.rfind(b"\x1b"))

    @property
    def alternate(self) -> bool:
        """Whether the program draws on the alternate screen."""
        return any(mode in self._private for mode in ALTERNATE)

    @property
    def title(self) -> str:
        """The window's title as the program set it; empty when it did not."""
        return self._title.decode("utf-8", "replace")

    @property
    def synchronized(self) -> bool:
        """Whether the program is within a synchronized update."""
        return 2026 in self._private

    @property
    def reports_size(self) -> bool:
        """Whether the terminal tells the program of its size within the input."""
        return 2048 in self._private

    @property
    def unfinished(self) -> bytes:
        """What has come of a sequence that is not at its end, as far as it is kept."""
        return self._tail

    @property
    def keyboard_flags(self) -> int:
        """The flags of kitty's keyboard protocol on the screen that is shown."""
        stack = self._keyboard[self.alternate]
        return stack[-1] if stack else 0

    def state_of(self, mode: int) -> int:
        """Return 1 for a private mode that is set, 2 for one that is not, 0 for one that is not known here."""
        if mode in ALTERNATE:
            return 1 if mode in self._private else 2
        if mode not in _TRACKED:
            return 0
        return 1 if self._private.get(mode, mode in _ON_BY_DEFAULT) else 2

    def colour(self, name: str) -> str:
        """Return the colour that the program has set, `4;1` of the palette or `10`, `11`, `12`; else nothing."""
        return self._colours.get(name, "")

    @property
    def at_ground(self) -> bool:
        """Whether bytes of ours may be put between this output and the next, as far as sequences go."""
        return not (self._in_string or _UNFINISHED.search(self._tail) or _HALF_CHARACTER.search(self._last))

    def enter(self) -> bytes:
        """Return what brings a terminal from its reset state into these modes."""
        out = [b"\x1b]2;" + self._title + b"\x1b\\"] if self._title else []
        out += [f"\x1b]{name};{colour}\x1b\\".encode("latin-1") for name, colour in self._colours.items()]
        if self.alternate:
            out += [b"\x1b[>%du" % flags for flags in self._keyboard[False]]
        # The screen goes first: it has a keyboard stack, and in some terminals modes, of its own.
        order = sorted(self._private.items(), key=lambda item: item[0] not in ALTERNATE)
        out += [b"\x1b[?%d%c" % (mode, b"h" if on else b"l") for mode, on in order if mode != 2026]
        if self._keypad:
            out.append(b"\x1b=")
        if self._style:
            out.append(b"\x1b[%d q" % self._style)
        out += [b"\x1b[>%du" % flags for flags in self._keyboard[self.alternate]]
        if self._other_keys:
            out.append(b"\x1b[>4;%dm" % self._other_keys)
        return b"".join(out)

    def leave(self) -> bytes:
        """Return what brings a terminal from these modes back to its reset state; colours and characters always."""
        out = [b"\x1b[0m\x1b(B\x0f"]
        if self._margins:
            out.append(b"\x1b7\x1b[r\x1b8")  # margins move the cursor
        if self._keyboard[self.alternate]:
            out.append(b"\x1b[<%du" % len(self._keyboard[self.alternate]))
        if self._other_keys:
            out.append(b"\x1b[>4m")
        if self._style:
            out.append(b"\x1b[0 q")
        if self._keypad:
            out.append(b"\x1b>")
        order = sorted(self._private.items(), key=lambda item: item[0] in ALTERNATE)
        out += [b"\x1b[?%d%c" % (mode, b"l" if on else b"h") for mode, on in order]
        if self.alternate and self._keyboard[False]:
            out.append(b"\x1b[<%du" % len(self._keyboard[False]))
        if self._title:
            out.append(b"\x1b]2;\x1b\\")
        palette = [name[2:] for name in self._colours if name.startswith("4;")]
        if palette:
            out.append(b"\x1b]104;" + ";".join(palette).encode() + b"\x1b\\")
        out += [b"\x1b]1" + name.encode() + b"\x1b\\" for name in self._colours if not name.startswith("4;")]
        return b"".join(out)

    def dump(self) -> JsonObject:
        """Return all of it as JSON, for a successor."""
        return {
            "private": [[mode, on] for mode, on in self._private.items()],
            "keypad": self._keypad,
            "style": self._style,
            "title": self._title.hex(),
            "sends_title": self.sends_title,
            "sends_folder": self.sends_folder,
            "colours": self._colours,
            "keyboard": [self._keyboard[False], self._keyboard[True]],
            "other_keys": self._other_keys,
            "margins": self._margins,
            "tail": self._tail.hex(),
            "last": self._last.hex(),
            "in_string": self._in_string,
        }

    @classmethod
    def load(cls, value: JsonObject) -> Modes:
        """Return what `dump` told; what an older one did not tell stays as after a reset."""
        modes = cls()
        modes._private = dict(value.get("private", []))
        modes._keypad = value.get("keypad", False)
        modes._style = value.get("style", 0)
        modes._title = bytes.fromhex(value.get("title", ""))
        modes.sends_title = value.get("sends_title", bool(modes._title))
        modes.sends_folder = value.get("sends_folder", False)
        modes._colours = dict(value.get("colours", {}))
        main, alternate = value.get("keyboard", [[], []])
        modes._keyboard = {False: list(main), True: list(alternate)}
        modes._other_keys = value.get("other_keys", 0)
        modes._margins = value.get("margins", False)
        modes._tail = bytes.fromhex(value.get("tail", ""))
        modes._last = bytes.fromhex(value.get("last", ""))
        modes._in_string = value.get("in_string", False)
        return modes

    def _switch(self, match: re.Match[bytes]) -> None:
        group = match.lastindex
        if group == 2:
            on = match[2] == b"h"
            for mode in match[1].split(b";"):
                if mode and len(mode) <= 4:
                    self._set_private(int(mode), on)
        elif group == 3:
            self._style = int(match[3][:3] or 0)
        elif group == 4:
            self._switch_plain(match[4])
        elif group == 5:
            self._title = _CONTROLS.sub(b"", match[5])
            self.sends_title = True
        elif group == 7:
            self._switch_colours(match[6], match[7])
        elif group == 9:
            self._switch_keyboard(match[8], match[9])
        elif group == 11:
            self._margins = bool(match[11].strip(b";"))
        else:
            self._other_keys = int((match[10] or b"0")[:3])

    def _set_private(self, mode: int, on: bool) -> None:
        if mode in ALTERNATE:
            for other in ALTERNATE:
                self._private.pop(other, None)
        elif mode not in _TRACKED:
            return
        self._private.pop(mode, None)
        if on != (mode in _ON_BY_DEFAULT):
            self._private[mode] = on

    def _switch_plain(self, what: bytes) -> None:
        if what in b"=>":
            self._keypad = what == b"="
            return
        self._keypad = self._margins = False
        if what == b"c":
            self._private.clear()
            self._colours.clear()
            self._keyboard = {False: [], True: []}
            self._style = self._other_keys = 0
        else:
            for mode in _SOFT:
                self._private.pop(mode, None)

    def _switch_colours(self, kind: bytes, rest: bytes) -> None:
        if kind == b"7;":
            self.sends_folder = True
            return
        words = _CONTROLS.sub(b"", rest).decode("latin-1").split(";")[1:]
        if kind == b"4":
            pairs = [(f"4;{number[:3]}", colour) for number, colour in zip(words[::2], words[1::2], strict=False)]
        elif kind == b"104":
            resets = [f"4;{number[:3]}" for number in words if number] or list(self._colours)
            pairs = [(name, "") for name in resets if name.startswith("4;")]
        elif len(kind) == 3:
            pairs = [(kind[1:].decode(), "")]
        else:
            pairs = [(str(int(kind) + at), colour) for at, colour in enumerate(words)]
            pairs = [(name, colour) for name, colour in pairs if name in {"10", "11", "12"}]
        for name, colour in pairs:
            if colour == "?":
                continue
            self._colours.pop(name, None)
            if colour and name[-1].isdigit() and len(self._colours) < _MAX_COLOURS:
                self._colours[name] = colour[:64]

    def _switch_keyboard(self, how: bytes, values: bytes) -> None:
        stack = self._keyboard[self.alternate]
        numbers = [int(number[:3] or 0) for number in values.split(b";")]
        first = numbers[0]
        if how == b">":
            stack.append(first)
            del stack[:-8]  # terminals bound their stacks too
        elif how == b"<":
            del stack[max(0, len(stack) - (first or 1)) :]
        else:
            change = numbers[1] if len(numbers) > 1 else 1
            flags = stack.pop() if stack else 0
            stack.append({2: flags | first, 3: flags & ~first}.get(change, first))

    def _end_of_chunk(self, data: bytes, last: int) -> None:
        """Keep what the next chunk may complete; note whether a string goes on into it."""
        begin = last
        if last == len(data) - 1:
            begin = max(0, data.rfind(b"\x1b", 0, last))
        half = _HALF.search(data, begin)
        if half is None:
            half = _UNFINISHED.search(data, last)
        self._tail = half[0] if half is not None and len(half[0]) <= _MAX_TITLE + 8 else b""
        opened = _STRING.match(data, last)
        self._in_string = opened is not None and _STRING_END.search(data, last + 2) is None
