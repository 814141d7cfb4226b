"""How a program calls a person through its terminal: the bell, and the notifications OSC 9 and OSC 777. Pure.

Told apart from the BEL that ends another sequence, cut into chunks anywhere. OSC 9 with a number first is ConEmu's
(progress and the like), no notification.
"""

from __future__ import annotations

import re

BELL = 0x07
_MAX_TEXT = 1024  # bytes of one notification, as of a title (terminal.py)
_CALL = re.compile(
    rb"\x1b\](?:9;(?!\d+(?:;|[\x07\x1b]))([^\x07\x1b]{1,1024})"  # 1: a text
    rb"|777;notify;([^\x07\x1b;]{0,1024})(?:;([^\x07\x1b]{0,1024}))?"  # 2, 3: title and text
    rb")(?:\x07|\x1b\\)"
    rb"|\x1b[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\|(?=\x1b))"  # any other string
    rb"|(\x07)"  # 4: a bell
)
# A string that is not at its end. An ESC at the very end may begin that, or a string.
_OPEN = re.compile(rb"\x1b(?:[\]PX^_][^\x07\x1b]*\x1b?)?\Z")


class Bells:
    """Listens to one program's output."""

    __slots__ = ("_open",)

    def __init__(self) -> None:
        self._open = b""

    @property
    def is_open(self) -> bool:
        """Whether the next chunk goes on with a sequence, and so has to be heard."""
        return bool(self._open)

    def feed(self, data: bytes) -> list[tuple[str, str]]:
        """Take a chunk; return (title, text) of each call in it, both empty for a bell."""
        data = self._open + data
        opened = _OPEN.search(data)
        end = len(data) if opened is None else opened.start()
        calls = []
        for match in _CALL.finditer(data, 0, end):
            if match[1] is not None:
                calls.append(("", _text(match[1])))
            elif match[2] is not None:
                calls.append((_text(match[2]), _text(match[3] or b"")))
            elif match[4]:
                calls.append(("", ""))
        # Of a string too long to be of use only is kept that it goes on.
        self._open = data[end:] if len(data) - end <= _MAX_TEXT + 16 else b"\x1b_"
        return calls


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace").strip()
