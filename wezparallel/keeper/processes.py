"""A process (a name that lives on over restarts) and a run (one life of it): its descriptors, output and input.

Above it, `keeper.py` decides when a run starts and is over; `viewers.py` reads a process's log and writes to its run.
Below it stand the loop, and `child.py`, which made the descriptors.
"""

from __future__ import annotations

import errno
import fcntl
import os
import struct
import termios
import time
from collections import deque

from wezparallel.keeper.answers import Answers
from wezparallel.keeper.calling import Calling
from wezparallel.keeper.lead import Lead
from wezparallel.keeper.loop import READ_SIZE, TURN_BYTES
from wezparallel.keeper.whereabouts import Whereabouts
from wezparallel.wire.logformat import STDERR, STDOUT, TTY

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from wezparallel.keeper.child import Child
    from wezparallel.keeper.log import ProcessLog
    from wezparallel.keeper.loop import Loop, Timer
    from wezparallel.keeper.viewers import Viewer
    from wezparallel.types import JsonObject

MAX_INPUT = 1024 * 1024  # bytes that may wait for a program that does not read
READS_A_TURN = 16  # a terminal gives 4 KiB a read
# A watched terminal's bytes in one turn: what Linux gives in one read. With more, who looks gets it in bursts, and
# each waits for the other: a fifth of the throughput is lost.
WATCHED_BYTES = 4095
SHORT = 1024  # bytes; less than that in one read was probably all
DRAIN_BYTES = 2 * 1024 * 1024  # more than any pipe or terminal holds: a flooding grandchild cannot delay an exit
KEYS = 256  # input keys remembered
DEFAULT_SIZE = (24, 80, 0, 0)
FACTS = ("TERM", "COLORTERM", "TERM_PROGRAM", "TERM_PROGRAM_VERSION")


class Process:
    """What viewers attach to. It is known from `reserve` or `spawn` on, until `forget`."""

    __slots__ = ("answers", "calling", "facts", "keys", "known", "last_exit", "lead", "log", "process_id", "run",
                 "size", "together", "viewers", "whereabouts")  # fmt: skip

    def __init__(self, process_id: str, log: ProcessLog, loop: Loop, tell: Callable[..., object]) -> None:
        self.process_id = process_id
        self.log = log
        self.lead = Lead(loop, self)
        self.answers = Answers(loop, self)
        self.whereabouts = Whereabouts(loop, self)
        self.calling = Calling(loop, process_id, tell)
        self.run: Run | None = None
        """The run whose leader lives; None between runs."""
        self.viewers: list[Viewer] = []
        """Kept by viewers.py."""
        self.size: tuple[int, int, int, int] = DEFAULT_SIZE
        """rows, columns, x and y pixels; lead.py sets it, the next run starts with it"""
        self.facts: dict[str, str] = {}
        """`FACTS` of the first viewer"""
        self.known = True
        self.together: tuple[Process, ...] = ()
        """Others that get what is typed here (together.py)."""
        self.last_exit: JsonObject | None = None
        self.keys: deque[str] = deque(maxlen=KEYS)

    def learn(self, facts: dict[str, str]) -> None:
        """Take over what the first terminal is; of a dumb one that is not worth to be kept."""
        if self.facts.get("TERM") in {None, "", "dumb"}:
            self.facts = facts

    def expect(self, size: list[int], facts: dict[str, str]) -> None:
        """Be ready for a terminal that is about to show the next run; one that is there already counts more."""
        if self.run is None:
            self.learn({name: str(facts.get(name) or "") for name in FACTS})
        if self.run is None and not self.lead.members:
            rows, columns, x_pixels, y_pixels = map(int, size)
            self.size = (rows, columns, x_pixels, y_pixels)


class Run:
    """One life of a process. `on_output(run, stream, data)` gets what it prints, `on_closed(run)` the end of that."""

    __slots__ = (
        "_awaits_room",
        "_input",
        "_queued",
        "agent",
        "asked",
        "definition",
        "ended_at",
        "exit",
        "foreground",
        "frozen",
        "grace",
        "had_output",
        "kill",
        "loop",
        "master",
        "may_type",
        "members",
        "on_closed",
        "on_output",
        "paused",
        "pid",
        "process",
        "quota",
        "run_id",
        "session_gone",
        "signalled",
        "slave",
        "start",
        "started_at",
        "started_mono",
        "status",
        "stderr",
        "stdin",
        "stdout",
        "still",
        "stop_rules",
        "stop_signal",
        "stopping",
        "suspended",
        "swept",
        "told",
        "tty",
    )

    def __init__(self, process: Process, spawn: JsonObject, child: Child, loop: Loop) -> None:
        self.process = process
        self.run_id: str = spawn["run_id"]
        self.definition: JsonObject = spawn.get("definition") or {}
        self.stop_rules: JsonObject = spawn.get("stop") or {}
        self.agent = bool(spawn.get("agent"))
        self.may_type = bool(spawn.get("may_type"))
        self.tty = bool(spawn.get("tty"))
        self.loop = loop
        self.pid = child.pid
        self.start = child.start
        self.master = child.master
        self.slave = child.slave
        self.stdin = child.stdin
        self.stdout = child.stdout
        self.stderr = child.stderr
        self.started_at = int(time.time() * 1000)
        self.started_mono = loop.now()
        self.had_output = False
        self.quota = 0
        """Bytes that may still be read while the hub starts."""
        self.paused = False
        self.status: int | None = None
        """What waitpid said of the leader."""
        self.ended_at: JsonObject = {}
        """Time, length of life and offset of the leader's end, before it is told."""
        self.exit: JsonObject | None = None
        """The exit as the hub is told it; kept until acknowledged."""
        self.told = False
        """The hub has acknowledged the exit."""
        # `suspended`: it is to stand still until it is resumed or stopped; `still`: all of it does, the hub knows.
        self.stopping = self.asked = self.suspended = self.still = False
        self.kill = False
        """The grace period is over: SIGKILL to whatever is left."""
        self.stop_signal = 0
        self.signalled = False
        """The leader has had the stop signal."""
        self.swept = False
        """What the leader left behind has had the stop signal, too."""
        self.foreground = 0
        """The terminal's foreground group when the stop began."""
        self.grace: Timer | None = None
        self.frozen: dict[int, int] = {}  # pid and start time of those who had SIGSTOP from us
        self.members: dict[int, int] = {}
        """pid and start time of everybody who was seen to belong here, while it is being stopped"""
        self.session_gone = False
        self.on_output: Callable[[Run, int, bytes], object] = _nobody
        self.on_closed: Callable[[Run], object] = _nobody
        self._input: deque[bytes] = deque()
        self._queued = 0
        self._awaits_room = False
        """The loop watches for room in the input."""

    @property
    def input_fd(self) -> int:
        """Where input goes; -1 once it is closed."""
        return self.master if self.tty else self.stdin

    @property
    def is_open(self) -> bool:
        """Tell whether output can still come."""
        return self.master >= 0 or self.stdout >= 0 or self.stderr >= 0

    def descriptors(self) -> list[int]:
        """Return what the hub gets duplicates of: the master, or the pipe ends, those that are open."""
        fds = [self.master] if self.tty else [self.stdin, self.stdout, self.stderr]
        return [fd for fd in fds if fd >= 0]

    def listen(self) -> None:
        """Begin to read, or go on after a pause."""
        self.paused = False
        if self.master >= 0:
            self._watch_master()
        if self.stdout >= 0:
            self.loop.watch(self.stdout, lambda: self._on_pipe(STDOUT))
        if self.stderr >= 0:
            self.loop.watch(self.stderr, lambda: self._on_pipe(STDERR))
        if self._input and self.stdin >= 0:
            self._awaits_room = True
            self.loop.watch(self.stdin, on_write=self._on_writable)

    def pause(self) -> None:
        """Stop reading; what the kernel cannot hold makes the program wait."""
        self.paused = True
        if self.master >= 0:
            self._watch_master()
        for fd in (self.stdout, self.stderr):
            if fd >= 0:
                self.loop.unwatch(fd)

    def write(self, data: bytes) -> bool:
        """Queue input; it never blocks. False: the program does not read and the queue is full, or it is gone."""
        if self.input_fd < 0 or self._queued + len(data) > MAX_INPUT:
            return False
        if data:
            self._input.append(data)
            self._queued += len(data)
            self._on_writable()
        return True

    @property
    def pending_input(self) -> bytes:
        """Input that the program has not taken yet (an upgrade carries it)."""
        return b"".join(self._input)

    def resize(self, rows: int, columns: int, x_pixels: int = 0, y_pixels: int = 0) -> None:
        """Tell the terminal its size; the kernel sends SIGWINCH if it changed."""
        if self.master >= 0:
            set_size(self.master, (rows, columns, x_pixels, y_pixels))

    def drain(self) -> None:
        """Read what the leader left behind: until EAGAIN, EIO or EOF, or more than any buffer can hold."""
        if self.master >= 0:
            self._read_master(DRAIN_BYTES)
        for stream in (STDOUT, STDERR):
            self._read_pipe(stream, DRAIN_BYTES)

    def let_go(self) -> None:
        """After reaping and draining: give up the kept slave and the input, so that the end of output can be seen."""
        if self.slave >= 0:
            os.close(self.slave)
            self.slave = -1
        self._drop_input()
        if self.stdin >= 0:
            self._close("stdin")
        if self.master >= 0:
            self._read_master(TURN_BYTES)
            if self.master >= 0:
                self._watch_master()

    def close(self) -> None:
        """Close everything, whoever may still write there."""
        self._drop_input()
        if self.slave >= 0:
            os.close(self.slave)
            self.slave = -1
        for name in ("master", "stdin", "stdout", "stderr"):
            if getattr(self, name) >= 0:
                self._close(name)

    def _close(self, name: str) -> None:
        fd = getattr(self, name)
        setattr(self, name, -1)
        self.loop.unwatch(fd)
        os.close(fd)
        if name != "stdin" and not self.is_open:
            self.on_closed(self)

    def _drop_input(self) -> None:
        self._input.clear()
        self._queued = 0

    def _watch_master(self) -> None:
        self._awaits_room = bool(self._input)
        reading = None if self.paused else self._on_master
        self.loop.watch(self.master, reading, self._on_writable if self._input else None)

    def _on_master(self) -> None:
        self._read_master(WATCHED_BYTES if self.process.viewers else TURN_BYTES, to_the_end=False)

    def _on_pipe(self, stream: int) -> None:
        self._read_pipe(stream, TURN_BYTES)

    def _read_master(self, limit: int, to_the_end: bool = True) -> None:
        ended = False
        while limit > 0:
            data, more, ended = _read(self.master, min(limit, TURN_BYTES), to_the_end)
            if data:
                self.on_output(self, TTY, data)
                limit -= len(data)
            if not more:
                break
        if ended:
            self._close("master")

    def _read_pipe(self, stream: int, limit: int) -> None:
        ended = False
        fd = self.stdout if stream == STDOUT else self.stderr
        while fd >= 0 and limit > 0:
            data, more, ended = _read(fd, min(limit, TURN_BYTES))
            if data:
                self.on_output(self, stream, data)
                limit -= len(data)
            if not more:
                break
        if ended:
            self._close("stdout" if stream == STDOUT else "stderr")

    def _on_writable(self) -> None:
        fd = self.input_fd
        try:
            while self._input and fd >= 0:
                data = self._input[0]
                written = os.write(fd, data)
                self._queued -= written
                if written < len(data):
                    self._input[0] = data[written:]
                else:
                    self._input.popleft()
        except BlockingIOError:
            pass
        except OSError:
            # EPIPE or EIO: nobody reads any more.
            self._drop_input()
            if not self.tty:
                self._close("stdin")
                return
        if bool(self._input) == self._awaits_room:
            return  # nothing waits, as before: what a key is
        if self.master >= 0:
            self._watch_master()
        elif self.stdin >= 0:
            self._awaits_room = bool(self._input)
            self.loop.watch(self.stdin, on_write=self._on_writable if self._input else None)


def set_size(fd: int, size: tuple[int, int, int, int]) -> None:
    """Set a terminal's rows, columns and pixels, within what the kernel can hold."""
    rows, columns, x_pixels, y_pixels = (min(max(int(number), 0), 65535) for number in size)
    try:
        fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows or 1, columns or 1, x_pixels, y_pixels))
    except OSError:
        return  # the terminal is ending; its size is nobody's concern


def _read(fd: int, limit: int, to_the_end: bool = True) -> tuple[bytes, bool, bool]:
    """Read what is there, in a bounded number of calls: the bytes, whether there may be more, whether it ended.

    Without `to_the_end` a short read is taken for the last: the loop calls again if it was not, and an echoed key
    is spared a call.
    """
    chunks: list[bytes] = []
    more, ended = True, False
    for _ in range(READS_A_TURN):
        try:
            data = os.read(fd, READ_SIZE)
        except BlockingIOError:
            more = False
            break
        except OSError as error:
            if error.errno != errno.EIO:  # EIO is how Linux says that the last slave was closed
                raise
            data = b""
        if not data:
            more, ended = False, True
            break
        chunks.append(data)
        limit -= len(data)
        if limit <= 0:
            break
        if len(data) < SHORT and not to_the_end:
            more = False
            break
    return b"".join(chunks), more, ended


def _nobody(*_: object) -> None:
    return None
