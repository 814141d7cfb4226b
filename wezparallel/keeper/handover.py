"""The keeper's upgrade: it re-executes itself in place, with the same pid, children and descriptors.

What the next program must know (carried.py) travels as JSON in a memfd. Descriptors become inheritable only around
execve. First the new program must load the real state in a child (`--check`), and its hub must load, too; if they
cannot, nothing changes. If the new program fails over its first steps after all, it executes the old one again.
"""

from __future__ import annotations

import json
import os
import signal
import sys

from wezparallel.errors import RequestError
from wezparallel.keeper import carried, hub_child
from wezparallel.keeper.child import exit_of, spawn_plain
from wezparallel.keeper.messages import REFUSED
from wezparallel.keeper.tree import send_one

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from wezparallel.keeper.keeper import Keeper
    from wezparallel.types import Json, JsonObject

    Failed = Callable[[RequestError], object]

_CHECK_S = 30.0
_CHECK_FD = 3
_TAIL_LINES = 4
_TAIL_BYTES = 1000
_WAITING = (signal.SIGTERM, signal.SIGINT)
"""Signals that wait from execve until the next program handles them: by default they would end it."""
_PYTHON = ("PYTHONPATH", "PYTHONHOME", "PYTHONSAFEPATH", "PYTHONNOUSERSITE")
"""What an upgrade may change in the environment, and going back must put as it was."""


class Upgrade:
    """One attempt to become another program."""

    def __init__(self, keeper: Keeper, wish: Wish, failed: Failed) -> None:
        self._keeper = keeper
        self._wish = wish
        self._failed = [failed]
        self._bound = float(os.environ.get("WEZPARALLEL_CHECK_S") or _CHECK_S)
        self._is_late = False
        fds = []
        try:
            fds.append(_write(carried.state_of(keeper)))
            self._said = os.memfd_create("wezparallel-check")
            fds.append(self._said)
            check = [*wish.argv, "--resume", str(_CHECK_FD), "--check"]
            self._pid = spawn_plain(check, f"/proc/self/fd/{fds[1]}", keeper.around, pass_fd=(fds[0], _CHECK_FD))
        except OSError as error:
            for fd in fds[1:]:
                os.close(fd)
            raise RequestError(
                "command.bad_value", f"{wish.program} cannot be run: {error}; nothing changed"
            ) from None
        finally:
            for fd in fds[:1]:
                os.close(fd)
        keeper.helpers[self._pid] = self._checked
        self._timer = keeper.loop.after(self._bound, self._late)

    def joined_by(self, wish: Wish, failed: Failed) -> bool:
        """Tell whether somebody asks again for what is under way; they are told too if it fails."""
        if not wish.upgrade_id or wish.upgrade_id != self._wish.upgrade_id:
            return False
        self._failed.append(failed)
        return True

    def _late(self) -> None:
        self._is_late = True
        send_one(self._pid, signal.SIGKILL, group=True)

    def _checked(self, status: int) -> None:
        self._timer.cancel()
        said = _tail(self._said)
        os.close(self._said)
        if status == 0:
            self._keeper.loop.soon(self._execute)
            return
        why = f"did not answer within {self._bound:g} s" if self._is_late else "refuses to go on"
        if not said and not self._is_late:
            why += " (exit code {}, signal {})".format(*exit_of(status))
        self._fail(f"{self._wish.program} {why}; nothing changed" + (f". It said: {said}" if said else ""))

    def _execute(self) -> None:
        keeper, argv = self._keeper, self._wish.argv
        memory, fds = -1, []
        try:
            for process in keeper.processes.values():
                process.log.rest()
            keeper.hub.expect_replacement = not self._wish.from_new_hub
            state = carried.state_of(keeper)
            state["upgrade"] = {"id": self._wish.upgrade_id}
            state["back"] = _way_back()
            memory, fds = _write(state), state["fds"]
            _execute(argv, memory, fds)
        except Exception as error:  # noqa: BLE001  whatever it is, this program must go on
            for fd in fds:
                os.set_inheritable(fd, False)
            if memory >= 0:
                os.close(memory)
            keeper.hub.expect_replacement = False
            self._fail(f"{self._wish.program} cannot be run: {error}; nothing changed")

    def _fail(self, text: str) -> None:
        self._keeper.upgrading = None
        self._keeper.say("upgrade: " + text)
        self._keeper.upgraded = {"id": self._wish.upgrade_id, "failed": text}
        for failed in self._failed:
            failed(RequestError("command.bad_value", text))


class Wish:
    """What an UPGRADE frame asks for. Of its fields only `argv` is frozen."""

    __slots__ = ("argv", "from_new_hub", "program", "upgrade_id")

    def __init__(self, payload: bytes, from_new_hub: bool) -> None:
        try:
            body = json.loads(payload)
            argv = body["argv"]
        except (ValueError, KeyError, TypeError, RecursionError):
            body = argv = None
        if not isinstance(argv, list) or not argv or not all(isinstance(word, str) for word in argv):
            raise RequestError("command.bad_value", "an upgrade names the program in `argv`, a list of words")
        self.argv: list[str] = argv
        self.upgrade_id: Json = body.get("id")
        self.program = _program(argv)
        self.from_new_hub = from_new_hub
        """The hub that asks is the new program's already; else it is replaced."""


def begin(keeper: Keeper, payload: bytes, failed: Failed, from_new_hub: bool = False) -> None:
    """Begin an upgrade to `argv`; `failed` is called if it came to nothing. Raises RequestError."""
    wish = Wish(payload, from_new_hub)
    if keeper.upgrading is None:
        keeper.upgrading = Upgrade(keeper, wish, failed)
    elif not keeper.upgrading.joined_by(wish, failed):
        raise RequestError("process.bad_state", "an upgrade is under way; wait for its end")


def carried_by(argv: list[str]) -> JsonObject | None:
    """Return the state that an earlier program handed over; None at an ordinary start."""
    if "--resume" not in argv:
        return None
    fd = int(argv[argv.index("--resume") + 1])
    size = os.fstat(fd).st_size
    data = b""
    while len(data) < size:
        data += os.pread(fd, size - len(data), len(data))
    os.close(fd)
    state: JsonObject = json.loads(data)
    return state


def check(state: JsonObject | None) -> int:
    """Return 0 if this program and its hub can go on from that state. Run in a child before anything is given up."""
    fault = carried.fault_of(state)
    if fault:
        sys.stderr.write(fault + "\n")
        return 1
    argv = hub_child.hub_argv()
    if argv == hub_child.own_hub():
        os.execv(argv[0], [*argv, "--check"])
    return 0


def resume(keeper: Keeper, state: JsonObject) -> None:
    """Go on where the program before this one stopped, and replace its hub by one of this program."""
    carried.take_up(keeper, state)
    keeper.upgraded = {"failed": None, **(state.get("upgrade") or {})}
    failure = keeper.upgraded["failed"]
    if failure is None:
        keeper.say(f"upgraded: {sys.executable} goes on with {len(keeper.runs)} runs")
    else:
        keeper.say("upgrade: " + failure)
        keeper.tell(REFUSED, re="upgrade", **RequestError("command.bad_value", failure).to_json())
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _WAITING)


def go_back(state: JsonObject, error: BaseException) -> None:
    """Execute the program before this one again, because this one failed over its first steps.

    The descriptors are still as they were handed over. Returns only if there is no way back, or it cannot be gone.
    """
    back = state.get("back")
    if not back:
        return
    text = f"{sys.executable} failed after it had taken over: {error!r}; the program before goes on, nothing changed"
    state = {**state, "back": None, "upgrade": {**(state.get("upgrade") or {}), "failed": text}}
    state["hub"] = {**state["hub"], "replace": False}
    for name in _PYTHON:
        os.environ.pop(name, None)
    os.environ.update(back["env"])
    _execute(back["argv"], _write(state), state["fds"])


def _execute(argv: list[str], memory: int, fds: list[int]) -> None:
    """Become another program. Raises OSError."""
    signal.pthread_sigmask(signal.SIG_BLOCK, _WAITING)
    try:
        for fd in [memory, *fds]:
            os.set_inheritable(fd, True)
        os.execvpe(argv[0], [*argv, "--resume", str(memory)], dict(os.environ))
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _WAITING)


def _program(argv: list[str]) -> str:
    """Return the program that a command line means, behind an `env -u NAME NAME=value`."""
    words = iter(argv)
    program = next(words)
    if os.path.basename(program) == "env":
        for word in words:
            if word == "-u":
                next(words, "")
            elif "=" not in word:
                return word
    return program


def _way_back() -> JsonObject:
    words = [sys.executable, *sys.orig_argv[1:]]
    if "--resume" in words:
        at = words.index("--resume")
        del words[at : at + 2]
    return {"argv": words, "env": {name: os.environ[name] for name in _PYTHON if name in os.environ}}


def _write(value: JsonObject) -> int:
    fd = os.memfd_create("wezparallel-keeper")
    data = memoryview(json.dumps(value, separators=(",", ":")).encode())
    while data:
        data = data[os.write(fd, data) :]
    return fd


def _tail(fd: int) -> str:
    """Return the last lines of what a check wrote."""
    size = os.fstat(fd).st_size
    data = os.pread(fd, _TAIL_BYTES, max(0, size - _TAIL_BYTES))
    lines = [line.strip() for line in data.decode("utf-8", "replace").splitlines()]
    return " | ".join([line for line in lines if line][-_TAIL_LINES:])
