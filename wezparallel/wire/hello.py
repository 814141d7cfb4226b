"""The first frame on every private link: versions, who and what. **Frozen for ever**; see frames.py for `UPGRADE`.

A struct and not JSON, because the attach client says hello before it has loaded anything but C modules.

Client:  `"WZPK" u8 role, u16 min, u16 max, body`; keeper: `u16 version, body`. The highest common version is spoken.
What stands behind a body that a reader knows is ignored, so that a later version can add fields at the end.
"""

from __future__ import annotations

from struct import Struct
from struct import error as struct_error

from wezparallel.errors import WireError

MAGIC = b"WZPK"
MIN_VERSION = 1
MAX_VERSION = 1

ROLE_HUB = 1
ROLE_TERMINAL = 2  # a viewer that hands its terminal over
ROLE_FRAMES = 3  # a viewer that gets DATA frames
ROLE_CONTROL = 4  # `daemon stop | status | upgrade`

_HEAD = Struct("!4sBHH")
_VERSION = Struct("!H")
_VIEWER = Struct("!B4HqIQ")  # flags, rows, columns, x and y pixels, offset, parent pid, parent start time
_TERMIOS = Struct("!6I32s")  # iflag oflag cflag lflag ispeed ospeed, c_cc
_LENGTH = Struct("!H")
_WELCOME = Struct("!BQQB")  # flags, log start, log end, count of strings

READ_ONLY = 1  # flags of a viewer
GAPLESS = 2
INSIDE_WEZTERM = 4  # no detach key there: the pane itself is closed instead
RELAYS = 8  # of a frames viewer: it passes a terminal on that it could not hand over; its DATA are keys, it may lead
RUNNING = 1  # flags of a welcome
IS_TTY = 2
ALTERNATE = 4  # the program draws on the alternate screen: do not paint the past, ask for a redraw
SUSPENDED = 8  # it stands still and draws nothing: paint the past all the same

FROM_END = -1  # offset in a viewer's hello: only what comes from now on
FROM_START = 0


def client_hello(role: int, body: bytes = b"") -> bytes:
    """Return the payload of a client's HELLO."""
    return _HEAD.pack(MAGIC, role, MIN_VERSION, MAX_VERSION) + body


def parse_client_hello(payload: bytes) -> tuple[int, int, bytes]:
    """Return (role, agreed version, body). Raises WireError `wire.version` when there is no common version."""
    try:
        magic, role, low, high = _HEAD.unpack_from(payload)
    except struct_error:
        raise WireError("a hello that is too short", code="wire.version") from None
    if magic != MAGIC:
        raise WireError("not a hello of wezparallel", code="wire.version")
    version = min(high, MAX_VERSION)
    if version < max(low, MIN_VERSION):
        raise WireError(
            f"no common version: you speak {low} to {high}, I speak {MIN_VERSION} to {MAX_VERSION}; "
            "run `wezparallel daemon upgrade`",
            code="wire.version",
            data={"min": MIN_VERSION, "max": MAX_VERSION},
        )
    return role, version, payload[_HEAD.size :]


def role_of(payload: bytes) -> int:
    """Return the role in a client's hello, whatever versions it speaks; 0 if it is none."""
    if len(payload) < _HEAD.size or not payload.startswith(MAGIC):
        return 0
    return payload[len(MAGIC)]


def server_hello(version: int, body: bytes = b"") -> bytes:
    """Return the payload of the keeper's answering HELLO."""
    return _VERSION.pack(version) + body


def parse_server_hello(payload: bytes) -> tuple[int, bytes]:
    """Return (version, body)."""
    try:
        (version,) = _VERSION.unpack_from(payload)
    except struct_error:
        raise WireError("a hello that is too short", code="wire.version") from None
    return version, payload[_VERSION.size :]


class Viewer:
    """What a viewer says of itself in its hello. Sizes in cells and pixels, offsets in bytes of the log."""

    __slots__ = ("flags", "offset", "parent_pid", "parent_start", "size", "strings", "termios")

    def __init__(
        self,
        flags: int,
        size: tuple[int, int, int, int],
        offset: int,
        parent: tuple[int, int],
        termios: tuple[int, int, int, int, int, int, bytes] | None,
        strings: list[str],
    ) -> None:
        self.flags = flags
        self.size = size
        """rows, columns, x pixels, y pixels"""
        self.offset = offset
        self.parent_pid, self.parent_start = parent
        self.termios = termios
        """iflag, oflag, cflag, lflag, ispeed, ospeed, c_cc (32 bytes); None without a terminal"""
        self.strings = strings
        """process id, TERM, COLORTERM, TERM_PROGRAM, TERM_PROGRAM_VERSION, pane id, mux socket, detach key (hex),

        the SSH agent's socket"""

    def pack(self) -> bytes:
        """Return the body of a viewer's hello."""
        termios = self.termios or (0, 0, 0, 0, 0, 0, b"")
        head = _VIEWER.pack(self.flags, *self.size, self.offset, self.parent_pid, self.parent_start)
        return head + bytes([self.termios is not None]) + _TERMIOS.pack(*termios) + pack_strings(self.strings)


def parse_viewer(body: bytes) -> Viewer:
    """Read the body of a viewer's hello. Raises WireError on a short one."""
    try:
        flags, rows, columns, x, y, offset, pid, start = _VIEWER.unpack_from(body)
        at = _VIEWER.size
        has_termios = bool(body[at])
        termios = _TERMIOS.unpack_from(body, at + 1)
        strings, _ = parse_strings(body, at + 1 + _TERMIOS.size)
    except (struct_error, IndexError):
        raise WireError("a viewer's hello that is too short", code="wire.version") from None
    return Viewer(flags, (rows, columns, x, y), offset, (pid, start), termios if has_termios else None, strings)


def pack_strings(strings: list[str]) -> bytes:
    """Return `u8 count`, then `u16 length, UTF-8` each."""
    out = bytes([len(strings)])
    for text in strings:
        raw = text.encode("utf-8", "surrogateescape")[:65535]
        out += _LENGTH.pack(len(raw)) + raw
    return out


def parse_strings(body: bytes, at: int = 0) -> tuple[list[str], int]:
    """Read what pack_strings wrote; return the strings and where they end. Raises struct.error, IndexError."""
    strings = []
    count = body[at]
    at += 1
    for _ in range(count):
        (length,) = _LENGTH.unpack_from(body, at)
        at += 2
        if at + length > len(body):
            raise IndexError(at)
        strings.append(body[at : at + length].decode("utf-8", "surrogateescape"))
        at += length
    return strings, at


class Welcome:
    """What the keeper tells a viewer before it paints."""

    __slots__ = ("end", "flags", "modes", "past", "start", "strings")

    def __init__(self, flags: int, start: int, end: int, modes: bytes, strings: list[str], past: bytes = b"") -> None:
        self.flags = flags
        self.start = start
        """oldest offset still in the log"""
        self.end = end
        """next offset to be written"""
        self.modes = modes
        """bytes that bring a terminal from its reset state into the program's modes"""
        self.strings = strings
        """folder of the log (empty: see `past`), run id, exit text (empty while running)"""
        self.past = past
        """the output right before `end`, if it cannot be read from a folder"""

    def pack(self) -> bytes:
        """Return the payload of a WELCOME frame."""
        head = _WELCOME.pack(self.flags, self.start, self.end, 0)
        return head + _LENGTH.pack(len(self.modes)) + self.modes + pack_strings(self.strings) + self.past


def parse_welcome(payload: bytes) -> Welcome:
    """Read the payload of a WELCOME frame. Raises WireError on a short one."""
    try:
        flags, start, end, _ = _WELCOME.unpack_from(payload)
        at = _WELCOME.size
        (length,) = _LENGTH.unpack_from(payload, at)
        modes = payload[at + 2 : at + 2 + length]
        strings, at = parse_strings(payload, at + 2 + length)
    except (struct_error, IndexError):
        raise WireError("a welcome that is too short", code="wire.version") from None
    return Welcome(flags, start, end, modes, strings, payload[at:] if strings and not strings[0] else b"")
