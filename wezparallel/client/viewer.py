"""The life of a terminal viewer after its hello: the past, the program, what is offered between its runs, the end.

attach.py stands above. Below: screen.py (the terminal, and who restores it), between.py (the time between two runs),
jobs.py (being stopped, running other programs) and link.py.
"""

from __future__ import annotations

import json
import os
import select
import signal
import time
from collections import deque
from struct import Struct

from wezparallel.client import between, ended, jobs, painting, terminal
from wezparallel.client.failpoints import fail_point
from wezparallel.client.link import again
from wezparallel.client.screen import KEPT, LIVE, OURS, Screen
from wezparallel.errors import WezparallelError
from wezparallel.wire import frames, hello

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from wezparallel.client.attach import Options
    from wezparallel.client.link import Link
    from wezparallel.types import JsonObject

SIZE = Struct("!4H")
PATIENCE_S = 0.2  # of silence after asking for the terminal, then a line says what is waited for
SETTLE_S = 0.05  # in which a keeper that ends closes its connections, after it gave the terminals back
SHORT_S = 2.0  # a hand-over that ends the connection so soon may have failed
MOST_NOTES = 20
MOST_TYPED = 64 * 1024  # bytes that wait for the keeper before no more keys are read
SIGNALS = (signal.SIGWINCH, signal.SIGHUP, signal.SIGTERM, signal.SIGINT, signal.SIGTSTP, signal.SIGCONT)

# What we asked the terminal back for.
STOP, AGAIN, LEAVE, CLOSE = "stop", "again", "leave", "close"


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
        self._link = link
        self._welcome = welcome
        self._say_hello = say_hello
        self._screen = Screen(attributes, link, welcome.end)
        self._runs = bool(welcome.flags & hello.RUNNING)
        self._program_has_tty = bool(welcome.flags & hello.IS_TTY)
        self._exit: JsonObject | None = None
        self._reason = 0
        """The frame that came before the terminal did, and says why."""
        self._asked = ""
        self._asked_at = 0.0
        self._notes: deque[str] = deque(maxlen=MOST_NOTES)
        self._between: between.Between | None = None
        self._follows = False
        """We are where the program is, or was last."""
        self._resume_at = 0.0
        """When a terminal that came back without a reason goes there again."""
        self._live_since = 0.0
        self._failures = 0
        self._code: int | None = None
        self._final = 0
        """The exit code, once the terminal is back."""
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
            self._close_between()
            signal.set_wakeup_fd(-1)
            self._link.close()
            for fd in self._wakeup:
                os.close(fd)
        return self._code

    def _begin(self) -> None:
        self._screen.connect(self._link, self._wakeup[1] if self._options.relay else -1)
        if not self._runs:
            ended_before = self._welcome.strings[2]
            if ended_before:
                terminal.write_all(painting.past(self._welcome)[0])
                self._exit = json.loads(ended_before)
            self._after_exit()
            return
        # WezTerm has just made the pane for us: there is nothing on it to keep.
        if not painting.is_new_pane():
            terminal.write_all(painting.clean_page(terminal.window_size()[0]))
        options = self._options
        if options.read_only or not terminal.inside_wezterm():
            terminal.write_all(painting.hint(options.process_id, options.detach_key, read_only=options.read_only))
        self._go_live(lambda: self._screen.paint_past(self._welcome))

    def _go_live(self, paint: Callable[[], None]) -> None:
        """Let the program have the terminal."""
        self._close_between()
        self._resume_at = 0.0
        if not jobs.wait_for_foreground():
            self._finish(1, "wezparallel: this terminal belongs to another job")
            return
        self._pending.discard(signal.SIGCONT)
        self._reason = 0
        self._asked = ""
        self._live_since = time.monotonic()
        if not self._screen.go_live(self._program_has_tty, paint):
            self._options.relay = True
            self._reconnect()

    # Waiting

    def _turn(self) -> None:
        relay = self._screen.relay if self._screen.relays else None
        poller = select.poll()
        poller.register(self._wakeup[0], select.POLLIN)
        reads = 0 if relay is not None and relay.full else select.POLLIN
        link_fd = self._link.fileno()
        poller.register(link_fd, reads | (select.POLLOUT if self._link.unsent else 0))
        if self._takes_keys():
            poller.register(terminal.STDIN, select.POLLIN)
        if self._between is not None and self._between.fileno() >= 0:
            poller.register(self._between.fileno(), select.POLLIN)
        ready = dict(poller.poll(self._timeout_ms()))
        self._pass_time()
        if self._wakeup[0] in ready:
            os.read(self._wakeup[0], 4096)
            self._take_signals()
        if self._code is None and link_fd in ready and link_fd == self._link.fileno():
            self._link.flush()
            if ready[link_fd] & ~select.POLLOUT:
                self._take_frames()
        if self._code is None and self._between is not None:
            self._between.turn()
            self._offer_keys()
        if self._code is None and terminal.STDIN in ready and self._takes_keys():
            self._take_keys()

    def _takes_keys(self) -> bool:
        if self._asked:
            return False
        if self._screen.relays:
            return self._link.unsent < MOST_TYPED
        return self._between is not None and self._screen.takes_keys

    def _timeout_ms(self) -> float | None:
        times = [self._between.timeout_s()] if self._between is not None else []
        if self._asked and self._asked_at:
            times.append(PATIENCE_S)
        if self._resume_at:
            times.append(max(0.0, self._resume_at - time.monotonic()))
        known = [time_s for time_s in times if time_s is not None]
        return min(known) * 1000 if known else None

    def _pass_time(self) -> None:
        now = time.monotonic()
        if self._asked and self._asked_at and now > self._asked_at + PATIENCE_S:
            self._asked_at = 0.0
            terminal.write_all(b"\r\nwaiting for the keeper to give the terminal back\r\n")
        if self._resume_at and now >= self._resume_at:
            self._go_live(self._screen.enter_again)

    def _take_signals(self) -> None:
        pending, self._pending = self._pending, set()
        if signal.SIGHUP in pending:
            # The terminal is going away, and whoever closes it may type into it until it is gone: restore nothing.
            self._link.send(frames.HANGUP)
            self._code = 128 + signal.SIGHUP
        elif signal.SIGTERM in pending or signal.SIGINT in pending:
            self._ask_back(LEAVE)
        elif signal.SIGTSTP in pending:
            self._ask_back(STOP)
        elif signal.SIGCONT in pending and not self._asked:
            self._continued()
        if signal.SIGWINCH in pending and self._code is None:
            self._link.send(frames.RESIZE, SIZE.pack(*terminal.window_size()))
            if self._between is not None:
                self._between.redraw()

    def _continued(self) -> None:
        """Whoever stopped us without asking has used the terminal meanwhile, and set it as he likes."""
        if self._screen.state == LIVE:
            self._ask_back(AGAIN)
        elif self._between is not None and self._screen.takes_keys and jobs.wait_for_foreground():
            self._pending.discard(signal.SIGCONT)
            self._screen.keys_one_at_a_time()
            self._between.redraw()

    def _ask_back(self, why: str) -> None:
        self._asked = why
        if self._screen.state == OURS:
            self._returned()
        else:
            self._asked_at = time.monotonic()
            self._screen.ask_back()

    # What the keeper says

    def _take_frames(self) -> None:
        alive = self._link.receive()
        self._take_inbox()
        if not alive and self._code is None:
            self._lost_keeper()

    def _take_inbox(self) -> None:
        while self._code is None and (frame := self._link.peek()) is not None:
            if frame[0] != frames.DATA and self._screen.is_behind and not self._asked:
                return  # what follows the output waits until the terminal shows that
            self._link.take()
            self._frame(*frame)

    def _frame(self, kind: int, payload: bytes) -> None:
        if kind == frames.DATA:
            # What comes after we asked for the terminal comes once more when it is live again.
            if self._screen.relay is not None and self._screen.relays and not self._asked:
                self._screen.relay.data(payload)
        elif kind == frames.RETURNED:
            self._screen.returned(payload)
            self._returned()
        elif kind == frames.CWD:
            # A terminal opens its next pane there.
            self._follows = jobs.go_to(payload) or self._follows
        elif kind == frames.NOTE:
            self._notes.append(payload.decode("utf-8", "replace"))
        elif kind in {frames.EXITED, frames.DETACH, frames.REMOVED}:
            self._ends(kind, payload)
        elif kind == frames.STARTED:
            self._exit = None
            self._runs = True
            self._program_has_tty = bool(json.loads(payload).get("tty", True))
            if self._screen.state != LIVE and not self._asked:
                self._go_live(self._screen.enter_again)

    def _ends(self, kind: int, payload: bytes) -> None:
        """Take in why the terminal comes back, or why it does not have to."""
        self._reason = kind
        if kind == frames.EXITED:
            self._exit = json.loads(payload)
            self._runs = False
        if self._asked:
            return
        self._screen.leave_program(over=kind == frames.EXITED)
        # A terminal that is live comes back next; one that is kept does when the keeper closes the connection.
        if self._screen.state == OURS or (self._screen.state == KEPT and kind == frames.EXITED):
            self._returned()

    # The terminal is ours

    def _returned(self) -> None:
        for note in self._notes:
            terminal.write_all(painting.dim(note))
        self._notes.clear()
        process_id = self._options.process_id
        if self._reason == frames.REMOVED:
            self._finish(ended.exit_code(self._exit) if self._exit else 0, f"[{process_id} was removed]")
        elif self._asked == CLOSE:
            self._code = self._final
        elif self._asked == LEAVE or self._reason == frames.DETACH:
            self._finish(0, f"\r\n[detached from {process_id}; wezparallel attach {process_id} comes back]")
        elif self._asked == STOP:
            self._stop_ourselves()
        elif self._reason == frames.EXITED:
            self._after_exit()
        elif self._asked == AGAIN:
            self._go_live(self._screen.enter_again)
        else:
            # We were found stopped; or the keeper ends, which its connection tells at once.
            self._resume_at = time.monotonic() + SETTLE_S

    def _finish(self, code: int, text: str = "") -> None:
        """End with this code, once the terminal is ours."""
        self._final = code
        self._close_between()
        if text:
            terminal.write_all(f"{text}\r\n".encode())
        if self._screen.state == OURS:
            self._code = code
        else:
            self._ask_back(CLOSE)

    def _stop_ourselves(self) -> None:
        self._close_between()
        fail_point("attach.stop")
        jobs.stop()
        self._pending.clear()
        self._asked = ""
        if self._runs:
            self._go_live(self._screen.enter_again)
        else:
            self._after_exit()

    # Between two runs

    def _after_exit(self) -> None:
        self._close_between()
        if self._options.exit and self._exit is not None:
            self._finish(ended.exit_code(self._exit))
            return
        self._asked = ""
        self._between = between.Between(self._options.process_id, self._exit, read_only=self._options.read_only)
        self._between.turn()
        self._offer_keys()

    def _offer_keys(self) -> None:
        if self._between is not None and self._between.is_drawn and not (self._screen.takes_keys or self._asked):
            self._screen.keys_one_at_a_time()

    def _close_between(self) -> None:
        if self._between is not None:
            self._between.leave()
            self._between.close()
            self._between = None

    def _take_keys(self) -> None:
        if self._between is None:
            if self._screen.relay is not None and not self._screen.relay.typed(self._link):
                self._pending.add(signal.SIGHUP)
                self._take_signals()
            return
        wish = self._between.press(terminal.read_key())
        if wish == between.CLOSE:
            self._finish(ended.exit_code(self._exit) if self._exit else 0)
        elif wish == between.LOGS:
            self._visit(self._between, lambda: ended.show_logs(self._options.process_id))
        elif wish == between.SHELL:
            self._visit(self._between, ended.run_shell)

    def _visit(self, line: between.Between, program: Callable[[], bool]) -> None:
        """Let another program have the terminal for a while."""
        line.leave()
        self._follows = self._follows or jobs.go_to(os.fsencode(line.folder))
        self._screen.set(self._screen.attributes)
        if not program():
            terminal.write_all(b"wezparallel: that program cannot be started\r\n")
        # What was meant for it, a Ctrl-C say, came to us as well.
        self._pending -= {signal.SIGINT, signal.SIGTSTP, signal.SIGCONT}
        self._screen.keys_one_at_a_time()
        line.redraw()

    # The keeper is gone

    def _lost_keeper(self) -> None:
        """The connection ended without a word: the terminal, if it was not ours, is restored by us."""
        if self._screen.state == LIVE:
            soon = time.monotonic() - self._live_since < SHORT_S
            self._failures = self._failures + 1 if soon else 0
            self._options.relay = self._options.relay or self._failures > 1
        self._screen.restore()
        if self._reason == frames.REMOVED or self._asked in {LEAVE, CLOSE}:
            self._returned()
        else:
            self._reconnect()

    def _reconnect(self) -> None:
        """A keeper that re-executes itself, or its successor, is back within a moment."""
        self._close_between()
        self._link.close()
        self._resume_at = 0.0
        self._options.offset = self._screen.offset
        try:
            self._link, welcome = again(
                lambda: self._say_hello(self._options, self._screen.attributes), self._wakeup[0]
            )
        except WezparallelError as error:
            self._finish(1, f"\r\nwezparallel: {error.message}")
            return
        self._welcome = welcome
        self._reason = 0
        self._asked = ""
        self._runs = bool(welcome.flags & hello.RUNNING)
        self._program_has_tty = bool(welcome.flags & hello.IS_TTY)
        if not self._runs or not welcome.start <= self._screen.offset <= welcome.end:
            self._screen.offset = welcome.end
            self._begin()
        else:
            self._screen.connect(self._link, self._wakeup[1] if self._options.relay else -1)
            self._go_live(lambda: self._screen.enter_modes(welcome))
