"""Finds the detach key in what a terminal types, also when it comes in pieces. Pure.

The key is given as the bytes that a plain terminal sends for it; the same keys in kitty's encoding (`CSI 92;5u`, with
event types and lock keys) and in xterm's modifyOtherKeys (`CSI 27;5;92~`) count too.
"""

from __future__ import annotations

import re

_LOCKS = (0, 64, 128, 192)  # caps lock and num lock, in kitty's modifiers


class DetachKey:
    """Follows one terminal's input."""

    def __init__(self, keys: bytes) -> None:
        """`keys` are one or more key presses, a byte each; none means that there is no detach key."""
        self._keys = [_pattern(byte) for byte in keys]
        self._first = keys[:1]
        self._held = b""
        """what may become the detach key"""
        self._pressed = 0

    @property
    def held(self) -> bool:
        """Tell whether input is held back, because it may become the detach key."""
        return bool(self._held)

    @property
    def pending(self) -> bytes:
        """What is held back (an upgrade carries it)."""
        return self._held

    def feed(self, data: bytes) -> tuple[bytes, bool]:
        """Take input; return what goes to the program, and whether the key was typed (then the rest is dropped)."""
        if not self._keys or not (self._held or self._first in data or b"\x1b" in data):
            return data, False
        data, self._held = self._held + data, b""
        self._pressed = 0
        at = begin = 0  # `begin`: where the presses seen so far begin
        while True:
            press = self._keys[self._pressed].match(data, at) if self._pressed else self._keys[0].search(data, at)
            if press is None:
                if self._pressed and not _is_cut(data, at):
                    # Another key came in between: begin anew behind the first press.
                    at, self._pressed = begin + 1, 0
                    continue
                return self._keep(data, begin if self._pressed else -1)
            if not self._pressed:
                begin = press.start()
            at = press.end()
            self._pressed += 1
            if self._pressed == len(self._keys):
                self._pressed = 0
                return data[:begin], True

    def release(self) -> bytes:
        """Give up what is held back: nothing followed it in time."""
        data, self._held = self._held, b""
        return data

    def _keep(self, data: bytes, begin: int) -> tuple[bytes, bool]:
        if begin < 0:
            cut = _CUT.search(data)
            begin = cut.start() if cut else len(data)
        self._held = data[begin:]
        return data[:begin], False


_RELEASES = re.compile(rb"(?:\x1b\[[\d:]+;\d+:3(?:;[\d:]*)?u)*")
_CUT = re.compile(rb"\x1b\[\d[\d;:]*\Z")  # a key that has not come whole; no whole key looks like this


def _is_cut(data: bytes, at: int) -> bool:
    """Tell whether nothing but releases of keys and the beginning of a key stands there."""
    releases = _RELEASES.match(data, at)
    at = releases.end() if releases else at
    return at == len(data) or _CUT.match(data, at) is not None


def _pattern(byte: int) -> re.Pattern[bytes]:
    """Return what matches one press of a control key, and the releases of keys before it."""
    code = byte | 0x60 if 1 <= byte <= 26 else byte | 0x40 if byte < 32 else byte
    modifiers = "|".join(str(5 + locks) for locks in _LOCKS)
    kitty = rf"\x1b\[{code}(?::\d*)*;(?:{modifiers})(?::[12])?(?:;[\d:]*)?u"
    other = rf"\x1b\[27;5;{code}~"
    return re.compile(_RELEASES.pattern + b"(?:" + re.escape(bytes([byte])) + f"|{kitty}|{other})".encode())
