"""Tells what a terminal answers and reports from what is typed at it. Pure; input may be cut anywhere.

A terminal types answers to queries, focus changes and the mouse into the same stream as keys. With several terminals
on one program only the leading one's may pass, else the program reads one answer per terminal. The keeper feeds what
comes from a terminal through `Reports`; answers.py takes the answers to its own questions out with it.

Two things cannot be told apart. `CSI 1;2R` to `CSI 1;16R` are the cursor in the first line and also F3 with
modifiers: they count as keys, because a key that is lost is worse than an answer that is given twice. And a lone ESC,
or Alt with one of `[ ] P _`, may be the beginning of a report: it is held, and the caller releases it by a timer.
"""

from __future__ import annotations

import re

_MAX_HELD = 4096  # bytes of a string that is not at its end; the rest of a longer one passes as it comes
_STRING = rb"[^\x07\x18\x1a\x1b]"
_OPENED = (
    rb"(?:\][0-9]{1,5};|\][lLI]"  # colours, clipboard, notifications; a title as it was asked for
    rb"|P[0-9;]*(?:[$+][a-z]|![|~u]|>\|)"  # settings, capabilities, unit id and checksum, version
    rb"|_G)"  # images
)
_REPORT = re.compile(
    rb"\x1b(?:"
    rb"\[(?:"
    rb"[?<=>][0-9;:]*[ -/]*[@-~]"  # no key has a private mark: attributes, modes, keyboard flags, SGR mouse
    rb"|[0-9;:]*(?:[ntx]|&w|\$y)"  # status, sizes, terminal parameters, locator, ANSI modes
    rb"|(?!1;(?:[2-9]|1[0-6])R)[0-9]+;[0-9]+R"  # cursor
    rb"|[0-9]+;[0-9]+;[0-9]+M"  # urxvt's mouse
    rb"|M[\x20-\xff]{3}"  # X10's mouse
    rb"|[IO])"  # focus
    rb"|" + _OPENED + _STRING + rb"*(?:\x07|\x1b\\))"
)
_CUT = re.compile(
    rb"\x1b(?:\[(?:[?<=>]?[0-9;:]{0,64}[ -/]{0,4}|M[\x20-\xff]{0,2})"
    rb"|\][0-9]{0,5}|P[0-9;]{0,16}[$+!>]?|_"
    rb"|" + _OPENED + _STRING + rb"*\x1b?)?\Z"
)
_IN_STRING = re.compile(rb"\x1b" + _OPENED)
_STRING_END = re.compile(rb"[\x07\x18\x1a]|\x1b\\?")


class Reports:
    """Follows one terminal's input."""

    __slots__ = ("_held", "_in_string")

    def __init__(self) -> None:
        self._held = b""
        self._in_string = False

    @property
    def held(self) -> bool:
        """Tell whether input is held back, because it may become a report."""
        return bool(self._held)

    @property
    def pending(self) -> bytes:
        """What is held back (an upgrade carries it)."""
        return self._held

    def split(self, data: bytes) -> tuple[bytes, bytes]:
        """Take input; return what was typed, and the terminal's reports, each in the order in which it came."""
        if not self._held and not self._in_string and b"\x1b" not in data:
            return data, b""
        data, self._held = self._held + data, b""
        typed: list[bytes] = []
        reports: list[bytes] = []
        at = self._rest_of_string(data, reports)
        for match in _REPORT.finditer(data, at):
            typed.append(data[at : match.start()])
            reports.append(match[0])
            at = match.end()
        cut = _CUT.search(data, at)
        if cut is None:
            typed.append(data[at:])
        else:
            typed.append(data[at : cut.start()])
            self._hold(cut[0], reports)
        return b"".join(typed), b"".join(reports)

    def release(self) -> bytes:
        """Give up what is held back, as typed: nothing followed it in time."""
        data, self._held = self._held, b""
        self._in_string = False
        return data

    def _hold(self, data: bytes, reports: list[bytes]) -> None:
        if len(data) <= _MAX_HELD or not _IN_STRING.match(data):
            self._held = data
            return
        self._in_string = True
        if data.endswith(b"\x1b"):
            data, self._held = data[:-1], b"\x1b"
        reports.append(data)

    def _rest_of_string(self, data: bytes, reports: list[bytes]) -> int:
        """Pass on what belongs to a long string; return where the rest begins."""
        if not self._in_string:
            return 0
        end = _STRING_END.search(data)
        if end is None:
            reports.append(data)
            return len(data)
        if end[0] == b"\x1b" and end.end() == len(data):
            # The first half of the string's end, as far as can be told.
            self._held = b"\x1b"
            reports.append(data[: end.start()])
            return len(data)
        self._in_string = False
        stop = end.start() if end[0] == b"\x1b" else end.end()
        reports.append(data[:stop])
        return stop
