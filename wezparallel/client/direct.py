"""The program of a `direct` pane, in the pane itself: nobody holds it, it has no log, it ends with its pane.

Runs as `python3 -I -S .../client/direct.py PROCESS_ID`. Asks the hub what to run, runs it in the foreground, tells
the hub that it runs and how it ended, and ends as it did. Standard library.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import sys

if not __package__:  # run as a script under -I: nothing has put the package on the path
    sys.path.insert(0, __file__.rsplit("/", 3)[0])

from wezparallel import paths
from wezparallel.client import launch
from wezparallel.client.sync import Client
from wezparallel.client.terminal import wait_for_size
from wezparallel.errors import RequestError, WezparallelError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from wezparallel.types import JsonObject

USAGE = 2
NOT_STARTED = 1
PATIENCE_S = 5.0
TOLD_S = 1.5  # at most, to tell an end; the hub sees it by itself then
_OF_TERMINAL = ("TERM", "COLORTERM", "TERM_PROGRAM", "TERM_PROGRAM_VERSION")
_FROM_KEYS = (signal.SIGINT, signal.SIGQUIT, signal.SIGTSTP)
"""Signals that a key sends to everything in the foreground; they are the program's business."""
_PASSED_ON = (signal.SIGHUP, signal.SIGTERM)


class Wrapper:
    """One run in one pane."""

    def __init__(self, process_id: str, socket: str) -> None:
        self._process_id = process_id
        self._socket = socket
        self._run_id = os.urandom(16).hex()
        self._pid = 0

    def run(self) -> int:
        """Run the program; return its exit code, 128 more than the signal that ended it. Raises WezparallelError."""
        prepared = self._ask("ProcessPrepare", {})
        if prepared.get("note"):
            sys.stderr.write(f"wezparallel: {prepared['note']}\n")
            sys.stderr.flush()
        for number in _FROM_KEYS:
            signal.signal(number, signal.SIG_IGN)
        self._pid = pid = self._start(prepared)
        for number in _PASSED_ON:
            signal.signal(number, self._pass_on)
        try:
            self._ask("ProcessObserve", {"run_id": self._run_id, "pid": pid, **_pane()})
        except WezparallelError as error:
            if isinstance(error, RequestError) and error.code == "process.bad_state":  # another pane was quicker
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)
                raise
            sys.stderr.write(f"wezparallel: {error.message}; it runs on, and nobody was told\n")
        _, status = os.waitpid(pid, 0)
        code = os.waitstatus_to_exitcode(status)
        ended = {"signal": -code} if code < 0 else {"exit_code": code}
        with contextlib.suppress(WezparallelError):
            self._ask("ProcessObserve", {"run_id": self._run_id, **ended}, patience_s=TOLD_S)
        return 128 - code if code < 0 else code

    def _pass_on(self, number: int, _frame: object) -> None:
        """Tell the program: when a pane closes, only the first program of its terminal is told, which is this one."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self._pid, number)
            os.kill(self._pid, signal.SIGCONT)

    def _start(self, prepared: JsonObject) -> int:
        pane = {name: os.environ[name] for name in os.environ if name in _OF_TERMINAL or name.startswith("WEZTERM_")}
        environment = {**prepared["env"], **pane, "PWD": prepared["cwd"], "WEZPARALLEL_RUN": self._run_id}
        try:
            os.chdir(prepared["cwd"])
        except OSError as error:
            raise RequestError(
                "process.no_directory", f"{prepared['cwd']} cannot be entered: {error.strerror}"
            ) from None
        argv = prepared["argv"]
        program = shutil.which(argv[0], path=environment.get("PATH", os.defpath))
        if program is None:
            raise RequestError("process.no_binary", f"{argv[0]!r} is no program on its PATH; name its full path")
        try:
            return os.posix_spawn(program, argv, environment, setsigdef=_FROM_KEYS)
        except OSError as error:
            raise RequestError("process.no_binary", f"{program} cannot be run: {error.strerror}") from None

    def _ask(self, command: str, fields: JsonObject, patience_s: float = PATIENCE_S) -> JsonObject:
        with Client(self._socket, patience_s=patience_s) as hub:
            return hub.call(command, {"process": self._process_id, **fields}, timeout_s=2 * patience_s)


def main(argv: Sequence[str]) -> int:
    """Run one program; return its exit code."""
    words = list(argv)
    socket = paths.client_socket()
    size: tuple[int, int] | None = None
    while len(words) >= 3 and words[-2] in ("--socket", "--size"):
        value, option = words.pop(), words.pop()
        if option == "--socket":
            socket = value
        else:
            rows, _, columns = value.partition("x")
            size = int(rows), int(columns)
    if len(words) != 1 or words[0].startswith("-"):
        sys.stderr.write("usage: direct PROCESS_ID [--socket PATH] [--size ROWSxCOLUMNS]\n")
        return USAGE
    try:
        if socket == paths.client_socket() and not launch.listens(socket):
            launch.ensure()
        if size is not None:
            wait_for_size(*size)
        return Wrapper(words[0], socket).run()
    except WezparallelError as error:
        sys.stderr.write(f"wezparallel: {error.message}\n")
        _wait_for_enter()
        return NOT_STARTED


def _pane() -> JsonObject:
    """Return which pane of which WezTerm this is, if it is one."""
    pane, mux = os.environ.get("WEZTERM_PANE"), os.environ.get("WEZTERM_UNIX_SOCKET")
    return {"pane": pane, "mux": mux} if pane and mux else {}


def _wait_for_enter() -> None:
    """Keep the pane until the sentence was read: WezTerm closes it with its program."""
    if sys.stdin.isatty():
        sys.stderr.write("Enter closes this pane.\n")
        with contextlib.suppress(OSError, KeyboardInterrupt):
            sys.stdin.readline()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
