"""The life of a terminal viewer after its hello: paint the past, hand the terminal over, wait, take it back.

Order matters. The keeper gets the descriptor before the terminal is made raw, because from then on only the keeper
restores it: also when this program is killed. It is never restored here but when the connection ends without a
`RETURNED`. attach.py stands above; terminal.py, link.py, painting.py and ended.py below.
"""

from __future__ import annotations

import json
import os
import select
import signal
import termios
import time
from struct import Struct

from wezparallel.client import ended, painting, terminal
from wezparallel.errors import WezparallelError
from wezparallel.wire import frames, hello

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from wezparallel.client.attach import Options
    from wezparallel.client.link import Link
    from wezparallel.types import JsonObject

OFFSET = Struct("!Q")
SIZE = Struct("!4H")
PATIENCE_S = 0.2  # of silence after asking for the terminal, then a line says what is waited for
RECONNECT_S = 2.0  # a new keeper is up long before that
SIGNALS = (signal.SIGWINCH, signal.SIGHUP, signal.SIGTERM, signal.SIGINT, signal.SIGTSTP)
STOP = "stop"
LEAVE = "leave"


class TerminalViewer:
    """One terminal that looks at one process, over all its runs."""

    def __init__(
        self,
        options: Options,
        attributes: terminal.Termios,
        link: Link,
        welcome: hello.Welcome,
        say_hello: Callable[[Options, terminal.Termios], tuple[Link, hello.Welcome]],
    ) -> None:
        self._options = options
        self._attributes = attributes
        self._link = link
        self._welcome = welcome
        self._say_hello = say_hello
        self._offset = welcome.end
        self._program_has_tty = bool(welcome.flags & hello.IS_TTY)
        self._held = False
        """The keeper has the terminal, or is about to."""
        self._reason = 0
        """The frame that came before RETURNED and says why."""
        self._asked = ""
        """What we asked the terminal back for: STOP, LEAVE."""
        self._asked_at = 0.0
        self._exit: JsonObject | None = None
        self._notes: list[str] = []
        self._offers_keys = False
        self._code: int | None = None
        self._pending: set[int] = set()
        self._wakeup = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)

    def run(self) -> int:
        """View until detached, closed or removed; return the exit code for the shell."""
        signal.set_wakeup_fd(self._wakeup[1], warn_on_full_buffer=False)
        for number in SIGNALS:
            signal.signal(number, lambda number, _: self._pending.add(number))
        fail_point("attach.hello")
        try:
            self._begin()
            while self._code is None:
                # What came together with the welcome is here already, and no descriptor tells of it.
                self._take_inbox()
                if self._code is None:
                    self._turn()
        finally:
            self._stop_keys()
            signal.set_wakeup_fd(-1)
            self._link.close()
            for fd in self._wakeup:
                os.close(fd)
        return self._code

    def _begin(self) -> None:
        welcome = self._welcome
        if not welcome.flags & hello.RUNNING:
            self._wait_for_start(welcome)
            return
        # WezTerm has just made the pane for us: there is nothing on it to keep.
        if not painting.is_new_pane():
            rows = terminal.window_size()[0]
            terminal.write_all(painting.clean_page(rows))
        if not terminal.inside_wezterm():
            terminal.write_all(painting.hint(self._options.process_id, self._options.detach_key))
        self._hand_over(self._paint)

    def _wait_for_start(self, welcome: hello.Welcome) -> None:
        if welcome.strings[2]:
            self._paint()
            self._exit = json.loads(welcome.strings[2])
            self._after_exit()
        else:
            terminal.write_all(painting.dim(f"{self._options.process_id} has not started yet; waiting for it"))

    def _paint(self) -> None:
        painted, self._offset = painting.past(self._welcome)
        terminal.write_all(painted)

    def _hand_over(self, paint: Callable[[], None] | None = None) -> None:
        """Give the terminal to the keeper; it goes on from our offset."""
        if not terminal.is_foreground():
            # As any reader of a terminal in the background: stopped by the kernel's rule until `fg`.
            signal.signal(signal.SIGTTIN, signal.SIG_DFL)
            os.kill(os.getpid(), signal.SIGTTIN)
        try:
            fd = terminal.open_anew()
        except OSError as error:
            terminal.write_all(f"wezparallel: this terminal cannot be opened ({error.strerror})\r\n".encode())
            self._code = 1
            return
        self._held = True
        self._reason = 0
        self._asked = ""
        self._link.send(frames.TERMINAL, fd=fd)
        os.close(fd)
        fail_point("attach.descriptor")
        _set(terminal.raw(self._attributes, self._program_has_tty))
        fail_point("attach.raw")
        if paint:
            paint()
        self._link.send(frames.GO, OFFSET.pack(self._offset))
        fail_point("attach.go")

    # Waiting

    def _turn(self) -> None:
        poller = select.poll()
        poller.register(self._link.fileno(), select.POLLIN)
        poller.register(self._wakeup[0], select.POLLIN)
        if self._offers_keys:
            poller.register(terminal.STDIN, select.POLLIN)
        waiting = bool(self._asked) and self._asked_at > 0
        ready = dict(poller.poll(PATIENCE_S * 1000 if waiting else None))
        if not ready:
            self._asked_at = 0.0
            terminal.write_all(b"\r\nwaiting for the keeper to give the terminal back\r\n")
        if self._wakeup[0] in ready:
            os.read(self._wakeup[0], 4096)
            self._take_signals()
        if self._code is None and self._link.fileno() in ready:
            self._take_frames()
        elif self._code is None and self._offers_keys and terminal.STDIN in ready:
            self._take_keys()

    def _take_signals(self) -> None:
        pending, self._pending = self._pending, set()
        if signal.SIGHUP in pending:
            # The terminal is going away, and whoever closes it may type into it until it is gone: restore nothing.
            self._link.send(frames.HANGUP)
            self._code = 128 + signal.SIGHUP
            self._offers_keys = False
        elif signal.SIGTERM in pending or signal.SIGINT in pending:
            self._ask_back(LEAVE)
        elif signal.SIGTSTP in pending:
            self._ask_back(STOP)
        if signal.SIGWINCH in pending:
            self._link.send(frames.RESIZE, SIZE.pack(*terminal.window_size()))

    def _ask_back(self, why: str) -> None:
        self._asked = why
        if not self._held:
            self._returned()
        else:
            self._asked_at = time.monotonic()
            self._link.send(frames.DETACH)

    def _take_frames(self) -> None:
        alive = self._link.receive()
        self._take_inbox()
        if not alive and self._code is None:
            self._lost_keeper()

    def _take_inbox(self) -> None:
        while self._code is None and (frame := self._link.take()) is not None:
            self._frame(*frame)

    def _frame(self, kind: int, payload: bytes) -> None:
        if kind == frames.RETURNED:
            (self._offset,) = OFFSET.unpack(payload)
            self._held = False
            self._returned()
        elif kind == frames.NOTE:
            self._notes.append(payload.decode("utf-8", "replace"))
        elif kind in {frames.EXITED, frames.DETACH, frames.REMOVED}:
            self._reason = kind
            if kind == frames.EXITED:
                self._exit = json.loads(payload)
            if not self._held:
                self._returned()
        elif kind == frames.STARTED and not self._held:
            self._stop_keys()
            self._exit = None
            self._program_has_tty = bool(json.loads(payload).get("tty", True))
            self._hand_over()

    # The terminal is ours

    def _returned(self) -> None:
        for note in self._notes:
            terminal.write_all(painting.dim(note))
        self._notes.clear()
        process_id = self._options.process_id
        if self._asked == STOP and self._reason not in {frames.REMOVED, frames.DETACH}:
            self._stop_ourselves()
        elif self._reason == frames.EXITED and self._asked != LEAVE:
            self._after_exit()
        elif self._reason == frames.REMOVED:
            terminal.write_all(painting.dim(f"[{process_id} was removed]"))
            self._code = ended.exit_code(self._exit) if self._exit else 0
        elif self._asked == LEAVE or self._reason == frames.DETACH:
            text = f"\r\n[detached from {process_id}; wezparallel attach {process_id} comes back]\r\n"
            terminal.write_all(text.encode())
            self._code = 0
        else:
            self._reconnect()

    def _stop_ourselves(self) -> None:
        self._stop_keys()
        signal.signal(signal.SIGTSTP, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGTSTP)
        # Here again after SIGCONT.
        signal.signal(signal.SIGTSTP, lambda number, _: self._pending.add(number))
        self._asked = ""
        if self._exit is None:
            self._hand_over()
        else:
            self._after_exit()

    def _after_exit(self) -> None:
        exit_ = self._exit or {}
        if self._options.exit:
            self._code = ended.exit_code(exit_)
            return
        terminal.write_all(ended.line(self._options.process_id, exit_, terminal.window_size()[1]).encode())
        _set(terminal.one_key_at_a_time(self._attributes))
        self._offers_keys = True

    def _stop_keys(self) -> None:
        if self._offers_keys:
            self._offers_keys = False
            _set(self._attributes)

    def _take_keys(self) -> None:
        try:
            key = os.read(terminal.STDIN, 1)
        except OSError:
            key = b""
        process_id = self._options.process_id
        if key in {b"\r", b"\n", b"q", b"\x04", b""}:
            self._code = ended.exit_code(self._exit or {})
        elif key == b"r":
            problem = ended.restart(process_id)
            if problem:
                terminal.write_all(f"{problem}\r\n".encode())
        elif key == b"l":
            self._stop_keys()
            ended.show_logs(process_id)
            self._after_exit()
        elif key == b"s":
            self._stop_keys()
            self._link.close()
            ended.become_shell()

    # The keeper is gone

    def _lost_keeper(self) -> None:
        """The connection ended without a word: the terminal, if it was held, is restored by us."""
        if self._held:
            self._held = False
            terminal.write_all(painting.RESET)
            _set(self._attributes)
            self._offset = -1
        if self._asked == LEAVE:
            self._reason = frames.DETACH
            self._returned()
        else:
            self._reconnect()

    def _reconnect(self) -> None:
        """A keeper that re-executes itself, or its successor, is back within a moment."""
        self._stop_keys()
        self._link.close()
        until = time.monotonic() + RECONNECT_S
        while True:
            try:
                self._link, self._welcome = self._say_hello(self._options, self._attributes)
                break
            except WezparallelError as error:
                if time.monotonic() > until:
                    terminal.write_all(f"\r\nwezparallel: {error.message}\r\n".encode())
                    self._code = 1
                    return
                select.select([self._wakeup[0]], [], [], 0.05)
        self._reason = 0
        self._program_has_tty = bool(self._welcome.flags & hello.IS_TTY)
        known = self._welcome.start <= self._offset <= self._welcome.end
        if not self._welcome.flags & hello.RUNNING or not known:
            self._offset = self._welcome.end
            self._begin()
        else:
            self._hand_over(lambda: terminal.write_all(self._welcome.modes))


def _set(attributes: terminal.Termios) -> None:
    try:
        termios.tcsetattr(terminal.STDIN, termios.TCSANOW, attributes)
    except termios.error:
        return  # it hung up; the signal or the keeper tells of that


def fail_point(name: str) -> None:
    """Kill this program here if a drill has armed the point (a file of that name in its folder)."""
    folder = os.environ.get("WEZPARALLEL_FAILPOINTS")
    if folder:
        try:
            os.unlink(f"{folder}/{name}")
        except OSError:
            return
        os.kill(os.getpid(), signal.SIGKILL)
