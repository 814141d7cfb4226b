"""Looks after the program that tells people by rules: `integrations/notify`, an ordinary supervised process.

It runs while the configuration has rules, and is forgotten when it has none. It is a plain client; but the addresses
of channels are handed to it alone. Tests are asked of it by an event, and it answers by `NotificationReport`.
"""

from __future__ import annotations

import secrets
import sys
from typing import TYPE_CHECKING

import anyio

from wezparallel.errors import RequestError
from wezparallel.hub.pool.env_ids import LOGIN
from wezparallel.hub.pool.telling import alive
from wezparallel.hub.state.model import Process
from wezparallel.protocol.process import ProcessSettings

if TYPE_CHECKING:
    from wezparallel.hub.app import Hub
    from wezparallel.hub.comms.callers import Caller
    from wezparallel.protocol.notification import NotificationReport

NAME = "notifications"
PROGRAM = ["-m", "wezparallel.integrations.notify"]
OWN = frozenset({"NotificationGet", "NotificationReport"})
"""What only this program may ask."""
PATIENCE_S = 30.0  # that a test may take
MOST_TESTS = 100


class Tests:
    """Tests whose results are waited for."""

    def __init__(self) -> None:
        self._results: dict[str, dict[str, str | None]] = {}
        self._changed = anyio.Event()

    def begin(self, test_id: str) -> None:
        """Keep what becomes of a test from now on."""
        self._results.setdefault(test_id, {})
        if len(self._results) > MOST_TESTS:
            del self._results[next(iter(self._results))]

    def take(self, test_id: str, channel: str, reason: str | None) -> None:
        """A channel was tried."""
        if test_id in self._results:
            self._results[test_id][channel] = reason
            self._changed.set()
            self._changed = anyio.Event()

    async def wait(self, test_id: str, channels: list[str]) -> dict[str, str | None]:
        """Return what became of it, once each channel was tried or patience has ended."""
        found = self._results.get(test_id, {})
        with anyio.move_on_after(PATIENCE_S):
            while not set(channels) <= found.keys():
                await self._changed.wait()
        self._results.pop(test_id, None)
        return {channel: found.get(channel, f"no answer within {PATIENCE_S:.0f} s") for channel in channels}


class Notifications:
    """The program, and what it is asked."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self.tests = Tests()
        self.since = hub.bus.seq
        """From where on what happens is told."""

    @property
    def process(self) -> Process | None:
        """Return the process, if there is one."""
        return next((one for one in self._hub.state.processes.values() if _is_ours(one)), None)

    def look(self) -> None:
        """Have it run while there are rules. Who stopped it has it stopped."""
        process, hub = self.process, self._hub
        if not hub.settings.notifications.rules:
            if process is not None:
                hub.pool.want_gone(process)
            return
        if process is None:
            self.since = hub.bus.seq
            process_id = self._free_id()
            process = Process(
                process_id, None, self._settings(process_id), desired="down", created_at=hub.now_ms(), env_id=LOGIN,
                auto_start_on_restore=True,
            )  # fmt: skip
            hub.workspaces.put(process)
            hub.pool.want_up(process)
        elif process.settings != self._settings(process.process_id):  # an earlier version's
            process.settings = self._settings(process.process_id)
            hub.store.put_process(process)
            if process.desired == "up":
                hub.pool.want_restart(process)

    def check(self, caller: Caller, name: str) -> None:
        """Refuse what only the program may ask to everybody else. Raises RequestError."""
        if name not in OWN:
            return
        process = self.process
        runs = () if process is None else (process.run, process.planned)
        if not any(run is not None and run.run_id == caller.run_id for run in runs):
            raise RequestError(
                "caller.agent_not_allowed", f"{name} is answered only to the process that sends notifications; "
                "read the configuration file", command=name,
            )  # fmt: skip

    def reported(self, command: NotificationReport) -> None:
        """Tell what became of a notification, or of a test."""
        if command.test_id is not None:
            self.tests.take(command.test_id, command.channel, command.reason)
            return
        data = command.model_dump(include={"channel", "rule", "kind", "title", "body", "tries", "reason"})
        self._hub.bus.publish("notification.sent" if command.reason is None else "notification.failed", data)

    def check_running(self) -> None:
        """Raises `process.not_running` where nobody would hear of a test."""
        process = self.process
        if process is None:
            raise RequestError(
                "process.not_running", "nobody sends notifications, because there are no rules; write some below "
                "`notifications.rules` in config.yaml, then say `wezparallel config reload`",
            )  # fmt: skip
        if not alive(process.run) and process.planned is None:
            raise RequestError(
                "process.not_running", f"{process.process_id}, which sends notifications, is "
                f"{process.state.replace('_', ' ')}; start it with `wezparallel start {process.process_id}`",
                process=process.process_id,
            )  # fmt: skip

    @staticmethod
    def new_test() -> str:
        """Return the id of a new test."""
        return secrets.token_hex(8)

    def _settings(self, process_id: str) -> ProcessSettings:
        return ProcessSettings(
            name=process_id, argv=[sys.executable, *PROGRAM], command="notifications by rules", cwd="/", tty=False,
            restart="always", env={"WEZPARALLEL_NOTIFY": self._hub.version}, log_cap_bytes=1 << 20,
        )  # fmt: skip

    def _free_id(self) -> str:
        taken, number = self._hub.state.processes, 2
        if NAME not in taken:
            return NAME
        while f"{NAME}-{number}" in taken:
            number += 1
        return f"{NAME}-{number}"


def _is_ours(process: Process) -> bool:
    settings = process.settings
    return (
        process.workspace is None and not process.removed and not settings.of_agent and settings.argv[1:] == PROGRAM
        and "WEZPARALLEL_NOTIFY" in settings.env
    )  # fmt: skip
