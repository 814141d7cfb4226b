"""Where a program is and what runs in its foreground: told to viewers, and to their terminals as folder and title.

Only while somebody looks, only after output, and at most once a second: an idle program costs nothing. A terminal is
told (OSC 7, OSC 2) between the program's own output, where nothing is cut, and only as long as the program does not
tell it itself; nothing of this is in the log. The user's own title is put aside where the terminal can do that.

viewers.py calls with output, lead.py with terminals that begin to look; terminals.py takes the title back.
"""

from __future__ import annotations

import os

from wezparallel.wire import frames

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wezparallel.keeper.loop import Loop
    from wezparallel.keeper.processes import Process
    from wezparallel.keeper.viewer import Viewer

LOOK_S = 1.0  # between two looks
SETTLE_S = 0.1  # from output to a look: a shell that echoes a command has not started it yet
_PLAIN = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789/-._~+@:,=")
_PUT_ASIDE = b"\x1b[22;2t"
TAKE_BACK = b"\x1b]2;\x1b\\\x1b[23;2t"  # who cannot put a title aside has none then, as after any program
_NEVER = ("", "dumb", "linux", "cons25", "emacs")  # terminals that would show what they do not understand


class Whereabouts:
    """One process's."""

    __slots__ = ("_command", "_folder", "_looked_at", "_loop", "_process", "idle")

    def __init__(self, loop: Loop, process: Process) -> None:
        self._loop = loop
        self._process = process
        self._folder = b""
        self._command = b""
        self._looked_at = 0.0
        self.idle = True
        """No look is due; output of a process that somebody looks at should ask for one."""

    def look_soon(self) -> None:
        """Look, a moment later."""
        if self.idle:
            self.idle = False
            self._loop.after(max(SETTLE_S, self._looked_at + LOOK_S - self._loop.now()), self._look)

    def came(self, viewer: Viewer) -> None:
        """A terminal begins to look; it knows nothing yet."""
        viewer.told_title = viewer.told_folder = b""
        self._looked_at = 0.0
        self.look_soon()

    def _look(self) -> None:
        self.idle = True
        self._looked_at = self._loop.now()
        run = self._process.run
        if run is None or run.master < 0 or not self._process.viewers:
            return
        try:
            group = os.tcgetpgrp(run.master)
            self._folder = os.readlink(b"/proc/%d/cwd" % group)
            self._command = _command(group)
        except OSError:
            return  # between two programs, or another user's
        for viewer in tuple(self._process.viewers):
            if viewer.types:
                self._tell(viewer)

    def _tell(self, viewer: Viewer) -> None:
        if viewer.told_cwd != self._folder:
            viewer.told_cwd = self._folder
            viewer.send(frames.CWD, self._folder)
        strings = viewer.about.strings
        if len(strings) < 2 or strings[1] in _NEVER:
            return
        modes = self._process.log.modes
        folder = b"" if modes.sends_folder or viewer.told_folder == self._folder else self._folder
        title = b"" if modes.sends_title or viewer.told_title == self._command else self._command
        told = (_folder(folder) if folder else b"") + (_title(title, viewer.told_title) if title else b"")
        if told and viewer.interpose(told):
            viewer.told_folder = folder or viewer.told_folder
            viewer.told_title = title or viewer.told_title


def _command(pid: int) -> bytes:
    fd = os.open(f"/proc/{pid}/comm", os.O_RDONLY | os.O_CLOEXEC)
    try:
        name = os.read(fd, 64)
    finally:
        os.close(fd)
    return bytes(byte for byte in name if byte >= 32 and byte != 127)


def _folder(path: bytes) -> bytes:
    quoted = b"".join(b"%c" % byte if byte in _PLAIN else b"%%%02X" % byte for byte in path)
    return b"\x1b]7;file://" + os.uname().nodename.encode() + quoted + b"\x1b\\"


def _title(title: bytes, before: bytes) -> bytes:
    return (b"" if before else _PUT_ASIDE) + b"\x1b]2;" + title + b"\x1b\\"
