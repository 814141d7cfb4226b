"""What attach itself draws: the recent past of a process, cleaned, and a few lines of its own."""

from __future__ import annotations

import os
from binascii import b2a_base64

from wezparallel.client.terminal import inside_wezterm
from wezparallel.wire import hello
from wezparallel.wire.logreader import LogExpiredError, LogReader
from wezparallel.wire.replay import Cleaner, clean
from wezparallel.wire.terminal import Modes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import cast

    from wezparallel.wire.logformat import Files

    _FILES = cast("Files", os)
else:
    _FILES = os

RECENT = 256 * 1024  # bytes of the past that are painted
RESET = b"\x18\x1b[?1049l\x1b[?1000;1002;1003;1004;1006;2004l\x1b[?1l\x1b>\x1b[?25h\x1b[0 q\x1b[0m"
MOST_ROWS = 1000  # that are moved out of sight, however tall the terminal says it is
_HALVES = 16 * 1024  # bytes in which a sequence that is not finished is looked for
_ALTERNATE = (b"\x1b[?1049h", b"\x1b[?1047h", b"\x1b[?47h")


def past(welcome: hello.Welcome) -> tuple[bytes, int]:
    """Return what brings a terminal to where the program's is, and the offset from which the output goes on.

    That is the welcome's end, or before it where a sequence has come by half: it passes live, and whole. A program on
    the alternate screen gets its modes and is asked by the keeper to draw itself; what was painted before it came
    lies under it, as it did.
    """
    data = _recent(welcome)
    if not welcome.flags & hello.RUNNING:
        cleaned = clean(data)
        modes = Modes()
        modes.feed(cleaned)
        return cleaned + modes.leave(), welcome.end
    if welcome.flags & hello.ALTERNATE:
        at = max(0, *(data.rfind(word) for word in _ALTERNATE))
        drawn = clean(data[at:]) if welcome.flags & hello.SUSPENDED else b""  # as good as it is known; it cannot draw
        return clean(data[:at]) + b"\x1b[0m" + welcome.modes + drawn, welcome.end
    cleaner = Cleaner()
    cleaner.feed(data[-_HALVES:])
    whole = data[: len(data) - cleaner.held]
    return clean(whole) + welcome.modes, welcome.end - cleaner.held


def clean_page(rows: int) -> bytes:
    """Return what moves everything on the screen up into the scrollback, so that the past is painted on nothing."""
    return f"\x1b[{rows};1H".encode() + b"\n" * min(rows, MOST_ROWS) + b"\x1b[H"


def raw(welcome: hello.Welcome, start: int) -> bytes:
    """Return the program's own bytes from an offset, shortly before the welcome's end, to that."""
    count = welcome.end - start
    return _recent(welcome)[-count:] if count > 0 else b""


def name_pane(process_id: str) -> bytes:
    """Return what tells WezTerm's plugin which process the pane shows, or with an empty name that it shows none."""
    if not inside_wezterm():
        return b""
    value = b2a_base64(process_id.encode("utf-8", "replace"), newline=False)
    return b"\x1b]1337;SetUserVar=wezparallel_process=" + value + b"\x07"


def hint(process_id: str, detach_key: str, *, read_only: bool) -> bytes:
    """Return the one line that says what this is, and how to leave again; inside WezTerm the pane is closed."""
    said = f"attached to {process_id}{', read only' if read_only else ''}"
    return dim(said if inside_wezterm() else f"{said}; {key_name(bytes.fromhex(detach_key))} detaches")


def dim(text: str) -> bytes:
    """Return one dim line."""
    if os.environ.get("NO_COLOR"):
        return f"{text}\r\n".encode()
    return f"\x1b[2m{text}\x1b[0m\r\n".encode()


def key_name(keys: bytes) -> str:
    """Return a key sequence as a person says it: `ctrl+\\ twice`."""
    names = [f"ctrl+{chr(byte + 64).lower()}" if byte < 32 else chr(byte) for byte in keys]
    if len(names) == 2 and names[0] == names[1]:
        return f"{names[0]} twice"
    return " ".join(names)


def is_new_pane() -> bool:
    """Tell whether WezTerm started this program itself, in a pane that shows nothing yet."""
    try:
        with open(f"/proc/{os.getppid()}/comm", "rb") as file:
            return file.read().startswith(b"wezterm")
    except OSError:
        return False


def _recent(welcome: hello.Welcome) -> bytes:
    if not welcome.strings[0]:
        return welcome.past
    reader = LogReader(_FILES, welcome.strings[0])
    try:
        start = reader.line_start_before(welcome.end, RECENT)
        return reader.read(start, welcome.end - start)
    except (LogExpiredError, OSError):
        return b""  # gone, or a disk that does not give it back
    finally:
        reader.close()
