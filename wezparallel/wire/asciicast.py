"""One run of a process as an asciicast, version 2: what terminal players replay. Pure.

A header, then one event a line: `[seconds, "o", text]` for output, `"r"` for a size, `"m"` for what is missing. Text
is cut at character borders; what is no UTF-8 becomes U+FFFD. The chunks come from logreader.py; a recording is made
page by page, and `Cast` is all that one page needs to know of those before it.
"""

from __future__ import annotations

import json

from wezparallel.wire.logformat import DELETED, LOST, RESIZE, STREAMS, TTY

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wezparallel.types import JsonObject, Millis
    from wezparallel.wire.logreader import Chunk

DEFAULT_SIZE = (24, 80)  # rows and columns of a run without a terminal
_FOLLOWING = 0b1000_0000  # first bit of every byte beyond ASCII


def header(size: tuple[int, int], started_ms: Millis, facts: JsonObject) -> str:
    """Return the first line; `facts` are further fields, such as `title` and `env`."""
    rows, columns = size
    fields = {"version": 2, "width": columns, "height": rows, "timestamp": started_ms // 1000, **facts}
    return json.dumps(fields, ensure_ascii=False) + "\n"


class Cast:
    """The events of one run, chunk by chunk."""

    def __init__(self, started_ms: Millis, last_ms: Millis, size: tuple[int, int]) -> None:
        self.started_ms = started_ms
        self.last_ms = last_ms
        """time of the event before; a clock that jumps back stands still here"""
        self.size = size
        self._held = b""

    @property
    def held(self) -> int:
        """Bytes of a character whose end has not come yet."""
        return len(self._held)

    def event(self, chunk: Chunk) -> str:
        """Return what a chunk adds: a line or none."""
        if chunk.kind in STREAMS:
            return self._output(chunk)
        if chunk.kind == RESIZE and chunk.values != self.size:
            self.size = chunk.values
            return self._line(chunk.time_ms, "r", f"{chunk.values[1]}x{chunk.values[0]}")
        if chunk.kind == LOST:
            return self._line(chunk.time_ms, "m", f"{chunk.values[0]} bytes were lost to a full disk")
        if chunk.kind == DELETED:
            return self._line(chunk.time_ms, "m", f"{chunk.values[1] - chunk.values[0]} bytes are no longer kept")
        return ""

    def finish(self) -> str:
        """Return the line for a character that never ended, if there is one."""
        text, self._held = self._held.decode("utf-8", "replace"), b""
        return self._line(self.last_ms, "o", text) if text else ""

    def _output(self, chunk: Chunk) -> str:
        data = self._held + chunk.data
        cut = whole_characters(data)
        self._held = data[cut:]
        text = data[:cut].decode("utf-8", "replace")
        if chunk.kind != TTY:
            text = text.replace("\n", "\r\n")  # as a terminal would have it
        return self._line(chunk.time_ms, "o", text) if text else ""

    def _line(self, time_ms: Millis, code: str, text: str) -> str:
        self.last_ms = max(self.last_ms, time_ms, self.started_ms)
        seconds = (self.last_ms - self.started_ms) / 1000
        return json.dumps([seconds, code, text], ensure_ascii=False) + "\n"


def whole_characters(data: bytes) -> int:
    """Return how many bytes of it end with a whole character, or with what can never become one."""
    for back in range(1, min(4, len(data) + 1)):
        byte = data[-back]
        if byte < _FOLLOWING:
            break
        if byte >= 0b1100_0000:  # it begins a character: of how many bytes?
            wanted = 2 if byte < 0b1110_0000 else 3 if byte < 0b1111_0000 else 4
            return len(data) - back if back < wanted and byte < 0b1111_1000 else len(data)
    return len(data)
