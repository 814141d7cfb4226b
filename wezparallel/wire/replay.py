"""Cleans output before it is shown again, and takes the control sequences out of it. Pure.

What a program asked of its terminal, put on its clipboard or rang at the time must not be asked, put or rung again by
a replay: an answer would be typed into the program. So only what is known to be harmless is kept. Each sequence is
kept or taken out as a whole, and what was broken off goes, so that what is left never joins into a new sequence.
"""

from __future__ import annotations

import re

_C0 = rb"[\x00-\x17\x19\x1c-\x1f]"  # a terminal carries these out within a sequence, and goes on with it
_ESC = rb"\x1b" + _C0 + rb"{0,16}"
_OSC_BODY = rb"[^\x07\x18\x1a\x1b]"
_STRING_BODY = rb"[^\x18\x1a\x1b]"
_MAX_CSI = 256  # bytes of parameters of a kept sequence
_MAX_OSC = 8192  # bytes of a kept string
_MAX_ERASED = 100  # backspaces in a row; each costs a pass

_KEPT_CSI = (
    rb"\x1b\[(?:"
    rb"[0-9;:]{0,256}(?:[@-MPSTXZ`abd-hlmrsu]| [@Aq]|!p|\"[pq]|\$[rtvxz{]|\*x|#[pq{}]|'[}~])"
    # Not a synchronized update, which would hide what follows, and not what a terminal answers with its size.
    rb"|\?(?![0-9;]*20(?:26|48)[;hl])[0-9;]{0,256}[hlJKrs]"
    # Of keyboards only what can be said twice: kitty's stack is put up again by `Modes.enter`, and what the past took
    # off it may have been put there by another program.
    rb"|>[0-9;]{0,256}m)"
)
_KEPT_OSC = (
    rb"\x1b\](?:"
    rb"(?:[01278]|66|133|10[45]|11[0-9])(?:;" + _OSC_BODY + rb"{0,8192})?"  # titles, folder, links, prompts, resets
    rb"|(?:[45]|1[0-9]);[^?\x07\x18\x1a\x1b]{0,8192}"  # colours, where they are set and not asked for
    rb")(?:\x07|\x1b\\)"
)
_KEPT_ESC = rb"\x1b(?:[ -/]{1,4}[0-~]|[0-OQ-WY`-~\\])"  # all but DECID and what opens something longer

_DROPPED = (
    _ESC + rb"\]" + _OSC_BODY + rb"*(?:\x07|\x1b\\)?"
    rb"|" + _ESC + rb"[PX^_]" + _STRING_BODY + rb"*(?:\x1b\\)?"  # images, DECRQSS, XTGETTCAP, and kin
    rb"|" + _ESC + rb"\[[\x00-\x17\x19\x1c-?]*[@-~]?"
    rb"|" + _ESC + rb"[ -/]*[0-~]?"
    rb"|\xc2(?![\xa0-\xbf])[\x80-\x9f]?"  # C1 controls, which some terminals obey
)

# One group: what is kept. findall gives it for each token, empty where the token is dropped.
_CLEAN = re.compile(
    rb"([^\x05\x07\x1b\xc2]+|(?:\x1b\[[0-9;:]{0,256}[A-HJKm])+|\xc2[\xa0-\xbf]|"
    + rb"|".join((_KEPT_CSI, _KEPT_OSC, _KEPT_ESC))
    + rb")|"
    + _DROPPED
    + rb"|[\x05\x07]"
)
_PLAIN = re.compile(rb"([^\x00-\x08\x0b\x0c\x0e-\x1f\x7f\xc2]+|\x08|\xc2[\xa0-\xbf])|" + _DROPPED + rb"|.")

# What later bytes may complete: from here on nothing can be told yet.
_OPEN = re.compile(
    rb"(?:" + _ESC + rb"(?:(\[)[\x00-\x17\x19\x1c-?]*"  # 1
    rb"|(\])" + _OSC_BODY + rb"*\x1b?"  # 2
    rb"|([PX^_])" + _STRING_BODY + rb"*\x1b?"  # 3
    rb"|[ -/]*)|\xc2)\Z"
)
# The end of something that began before the first byte; of colours only what no text looks like.
_LEADING = re.compile(rb"(?:[^\x1b]*\x1b\\|[0-9A-Za-z+/=;]{32,}\x07|[\x80-\xbf]{1,3}|[0-9]*(?:[;:][0-9]+)+m)")

_ERASED = re.compile(rb"(?:[^\n\x08\x80-\xff]|[\xc0-\xff][\x80-\xbf]*)\x08")
_LINE_END = re.compile(rb"\r+(?=\n|\Z)")
_OVERWRITTEN = re.compile(rb"[^\n]*\r")


def clean(data: bytes) -> bytes:
    """Return output for a replay; it may be cut out anywhere. Broken sequences at both ends go."""
    leading = _LEADING.match(data)
    return b"".join(_CLEAN.findall(data[leading.end() :] if leading else data))


class Cleaner:
    """Cleans a stream that comes in chunks, cut anywhere, from a place between sequences on."""

    __slots__ = ("_tail", "held")

    def __init__(self) -> None:
        self._tail = b""
        self.held = 0
        """bytes at the end of what was fed that are held back, as they may be half of something"""

    def copy(self) -> Cleaner:
        """Return another that goes on from here."""
        other = Cleaner()
        other._tail, other.held = self._tail, self.held
        return other

    def feed(self, data: bytes) -> bytes:
        """Return what is certain by now, cleaned."""
        tail = self._tail
        whole = tail + data
        last = whole.rfind(b"\x1b")
        match = None
        if last >= 0 or whole.endswith(b"\xc2"):
            # The last ESC may be the first half of a string's end: then the string is what is open.
            begin = max(0, whole.rfind(b"\x1b", 0, last)) if last == len(whole) - 1 else max(0, last)
            match = _OPEN.search(whole, begin)
        if match is None:
            self._tail = b""
            self.held = 0
            return b"".join(_CLEAN.findall(whole))
        at = match.start()
        self.held = self.held + len(data) if tail and at == 0 else len(whole) - at
        self._tail = _shortened(match)
        return b"".join(_CLEAN.findall(whole[:at]))


def plain(data: bytes) -> bytes:
    """Return the text alone, as a pipe wants it: no sequences, and of a line that was overwritten the last state."""
    text = b"".join(_PLAIN.findall(data))
    for _ in range(_MAX_ERASED):
        if b"\x08" not in text:
            break
        text = _ERASED.sub(b"", text)
    text = text.replace(b"\x08", b"")
    if b"\r" in text:
        text = _OVERWRITTEN.sub(b"", _LINE_END.sub(b"", text))
    return text


def _shortened(match: re.Match[bytes]) -> bytes:
    """Return an open sequence; a long one, which will be dropped, as a short one of its kind."""
    tail = match[0]
    end = b"\x1b" if len(tail) > 1 and tail.endswith(b"\x1b") else b""
    if match[3]:
        return b"\x1b" + match[3] + end
    if match[2] and len(tail) > _MAX_OSC + 32:
        return b"\x1b]9;" + end
    if match[1] and len(tail) > 2 * _MAX_CSI:
        return b"\x1b[" + b"0" * (_MAX_CSI + 1)
    return tail
