"""What a mux server and a GUI have in common: a process, a socket, and what `wezterm cli` asks there."""

from __future__ import annotations

import itertools
import json
import os
import signal
import subprocess
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any

from tests.wezterm.binaries import binary
from tests.wezterm.place import Place
from tests.wezterm.waiting import FailedError, wait_for

RPC = Path(__file__).with_name("rpc.lua")
CALL_S = 20

Panes = list[dict[str, Any]]


class Instance(ABC):
    """One WezTerm, which can be ended and started again in the same place."""

    name: str

    def __init__(self, place: Place, config: Path | None = None) -> None:
        self.place = place
        self.config = config  # else what WezTerm finds by itself in the home
        self.log = place.root / f"{self.name}.log"
        self.env = dict(place.env)
        self.process: subprocess.Popen[bytes] | None = None
        self._calls = itertools.count(1)

    @abstractmethod
    def start(self) -> None:
        """Start it and wait until it answers."""

    @property
    @abstractmethod
    def socket(self) -> Path:
        """The socket of the running process."""

    @property
    def pid(self) -> int:
        """The pid of the running process."""
        assert self.process is not None, f"{self.name} does not run"
        return self.process.pid

    def cli(self, *words: str, stdin: str = "") -> str:
        """Run `wezterm cli` against it; return what it says. Raises FailedError."""
        argv = [binary("wezterm"), "cli", "--no-auto-start", *words]
        done = subprocess.run(
            argv, input=stdin, capture_output=True, text=True, check=False, timeout=CALL_S, cwd=self.place.home,
            env={**self.env, "WEZTERM_UNIX_SOCKET": str(self.socket)},
        )  # fmt: skip
        if done.returncode:
            raise FailedError(argv, done.returncode, done.stderr)
        return done.stdout

    def list(self) -> Panes:
        """Return all panes, as `wezterm cli list` tells them."""
        panes: Panes = json.loads(self.cli("list", "--format", "json"))
        return panes

    def text(self, pane: int, *options: str) -> str:
        """Return what a pane shows."""
        return self.cli("get-text", "--pane-id", str(pane), *options)

    def spawn(self, *program: str, workspace: str | None = None) -> int:
        """Start a program in a new window; return its pane."""
        where = ["--workspace", workspace] if workspace else []
        return int(self.cli("spawn", "--new-window", *where, "--", *program))

    def rpc(self, chunk: str, *args: Any) -> Any:
        """Run a chunk of Lua in its configuration's state, in a coroutine; return the value of its `return`.

        `...` in the chunk holds the arguments. Raises AssertionError with Lua's message where the chunk fails.
        """
        file = self.place.root / f"{self.name}-call-{next(self._calls)}.json"
        file.write_text(json.dumps({"chunk": chunk, "args": args, "count": len(args)}))
        reply = file.with_name(file.name + ".reply")
        said = ""
        try:
            self.cli("spawn", *self._tab_for_a_call(), "--domain-name", "rpc", "--", str(file))
        except FailedError as error:
            said = error.err
        assert reply.exists(), f"the call never came to Lua: {said[-600:]}"
        answer = json.loads(reply.read_text())
        assert answer["ok"], f"Lua: {answer.get('error')}"
        return answer.get("value")

    def wait_for_text(self, pane: int, words: str, timeout_s: float = 15) -> str:
        """Wait until a pane shows some words; return all that it shows."""

        def shown() -> str:
            text = self.text(pane)
            return text if words in text else ""

        return wait_for(shown, f"{words!r} in pane {pane}", timeout_s)

    def is_running(self) -> bool:
        """Tell whether it was started and has not ended."""
        return self.process is not None and self.process.poll() is None

    def wait(self) -> int:
        """Wait for its end by itself; return its exit code."""
        assert self.process is not None
        code = self.process.wait(CALL_S)
        self.process = None
        return code

    def sigkill(self) -> None:
        """Kill it, as the machine's memory killer would."""
        self._end(signal.SIGKILL)

    def terminate(self) -> None:
        """Ask it to end by SIGTERM, as a session's end does."""
        self._end(signal.SIGTERM)

    def close(self) -> None:
        """End it if it still runs."""
        if self.is_running():
            self.sigkill()
        elif self.process is not None:
            self.wait()

    def said(self) -> str:
        """Return what it wrote to standard error, over all its runs."""
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def _run(self, program: str, settings: dict[str, str], *words: str) -> None:
        assert self.process is None, f"{self.name} runs already"
        argv = [binary(program)]
        if self.config is not None:
            argv += ["--config-file", str(self.config)]
        elif not self.place.config.exists():
            self.place.config.write_text("return {}\n")  # without a file WezTerm keeps no Lua that could answer calls
        # Each a piece of Lua beside the file, which so stays as a user has it.
        for setting, value in {**settings, "exec_domains": f"dofile '{RPC}'"}.items():
            argv += ["--config", f"{setting}={value}"]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [*argv, *words], env=self.env, cwd=self.place.home,
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip
        wait_for(self._answers, f"{self.name} to answer", CALL_S)

    def _answers(self) -> bool:
        assert self.process is not None
        if self.process.poll() is not None:
            raise RuntimeError(f"{self.name} ended with {self.process.returncode}: {self.said()}")
        self.cli("list")
        return True

    def _tab_for_a_call(self) -> tuple[str, ...]:
        """Say where a call's tab would be: in a window that is there, so that none opens for it."""
        panes = self.list()
        return ("--pane-id", str(panes[0]["pane_id"])) if panes else ("--new-window",)

    def _end(self, how: signal.Signals) -> None:
        assert self.process is not None
        os.kill(self.process.pid, how)
        self.wait()
