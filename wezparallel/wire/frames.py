"""Frames of the private links: `u32 length, u8 kind, payload`, length counting kind and payload. Pure.

Above it stand the keeper's messages (JSON payloads) and the viewers' bytes; below it only sockets. A frame never
exceeds `MAX_FRAME`: what is longer (a flood of output) is cut by its sender.
"""

from __future__ import annotations

from struct import Struct

from wezparallel.errors import WireError

HEAD = Struct("!IB")
MAX_FRAME = 4 * 1024 * 1024  # an adoption record with a large definition fits; nothing that a peer may send is bigger

# Kinds. 1 to 3 are frozen for ever (see hello.py); the rest belongs to the protocol version agreed there.
HELLO = 1
REFUSED = 2  # payload: JSON {code, message, data}; the connection ends
UPGRADE = 3  # payload: JSON {argv: [...]}
MESSAGE = 4  # payload: JSON, keeper/messages.py
WELCOME = 5  # keeper → viewer: struct + paths, hello.py
TERMINAL = 6  # viewer → keeper: empty payload, one descriptor beside it
GO = 7  # viewer → keeper: u64 offset from which the keeper goes on
DATA = 8  # keeper → viewer: u64 offset, u8 stream, bytes; viewer → keeper (hello.RELAYS): what was typed
RESIZE = 9  # viewer → keeper: 4 × u16 rows, columns, pixels
EXITED = 10  # keeper → viewer: JSON {run_id, exit_code, signal, ran_s, asked}
STARTED = 11  # keeper → viewer: JSON {run_id, pid, tty}
REMOVED = 12  # keeper → viewer: empty
LOST = 13  # keeper → viewer: u64 count of bytes that will never come
NOTE = 14  # keeper → viewer: text for a person
RETURNED = 15  # keeper → viewer: u64 offset; the terminal is the client's again
DETACH = 16  # viewer → keeper: give the terminal back; keeper → viewer: the detach key was typed
HANGUP = 17  # viewer → keeper: the terminal is gone, restore nothing
CWD = 18  # keeper → viewer: the folder that the program is in now, as bytes of a path


def pack(kind: int, payload: bytes = b"") -> bytes:
    """Return one frame."""
    return HEAD.pack(len(payload) + 1, kind) + payload


class FrameReader:
    """Cuts a stream into frames, however it was split or joined on its way."""

    def __init__(self, max_frame: int = MAX_FRAME) -> None:
        self._buffer = bytearray()
        self._max_frame = max_frame

    def feed(self, data: bytes) -> list[tuple[int, bytes]]:
        """Add received bytes; return the whole frames, `(kind, payload)` each. Raises WireError on junk."""
        buffer = self._buffer
        buffer += data
        frames: list[tuple[int, bytes]] = []
        at = 0
        while len(buffer) - at >= HEAD.size:
            length, kind = HEAD.unpack_from(buffer, at)
            if not 1 <= length <= self._max_frame:
                raise WireError(f"a frame of {length} bytes; the limit is {self._max_frame}", code="wire.too_long")
            end = at + 4 + length
            if end > len(buffer):
                break
            frames.append((kind, bytes(buffer[at + HEAD.size : end])))
            at = end
        del buffer[:at]
        return frames

    @property
    def pending(self) -> bytes:
        """Bytes of a frame that is not whole yet (an upgrade carries them over)."""
        return bytes(self._buffer)
