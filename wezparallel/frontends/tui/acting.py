"""What the keys do to processes. The app mixes it in; what is drawn is not known here."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

from textual.app import App

from wezparallel import paths
from wezparallel.client import launch, states
from wezparallel.errors import WezparallelError
from wezparallel.frontends.tui.screens.asking import Choice, Confirm, Line
from wezparallel.frontends.tui.screens.help import Help
from wezparallel.frontends.tui.screens.logs import Logs
from wezparallel.frontends.tui.state import waiting

if TYPE_CHECKING:
    from collections.abc import Coroutine
    from typing import Any

    from wezparallel.frontends.tui.connection import Connection
    from wezparallel.frontends.tui.state import World
    from wezparallel.types import Json, JsonObject

TELL_S = 4.0
"""How long a message stays."""


class Acting(App[None]):
    """An app's actions on the process under the cursor."""

    world: World
    connection: Connection
    socket: str | None

    @property
    def selected(self) -> str:
        """Return the id of the process under the cursor; empty if there is none."""
        raise NotImplementedError

    def choose(self, process_id: str) -> None:
        """Put the cursor on a process."""
        raise NotImplementedError

    def _process(self) -> JsonObject | None:
        return self.world.processes.get(self.selected)

    def tell(self, sentence: str, *, bad: bool = False) -> None:
        """Say something in the corner, for a moment."""
        self.notify(sentence, severity="error" if bad else "information", timeout=TELL_S, markup=False)

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        self.run_worker(work, group="acting")

    async def _ask(self, name: str, done: str, **fields: Json) -> None:
        try:
            await self.connection.call(name, **fields)
        except WezparallelError as error:
            self.tell(error.message, bad=True)
        else:
            if done:
                self.tell(done)

    def action_open(self) -> None:
        """Go to the pane of a process, or show it here."""
        process = self._process()
        if process is not None:
            self._begin(self._open(process))

    async def _open(self, process: JsonObject) -> None:
        process_id = process["process_id"]
        if os.environ.get("WEZTERM_PANE"):
            try:
                await self.connection.call("ViewFocus", process=process_id)
            except WezparallelError as error:
                if error.code != "process.bad_state":
                    self.tell(error.message, bad=True)
                    return
            else:
                return  # the GUI goes there
        if process.get("direct"):
            self.tell(f"{process_id} is `direct`: it runs in its pane alone and cannot be shown here", bad=True)
            return
        client = os.path.join(paths.package_dir(), "client", "attach.py")
        self._run_outside([sys.executable, "-I", "-S", client, process_id, "--socket", self.keeper_socket])

    def _run_outside(self, command: list[str], *, wait: bool = False) -> None:
        """Give the terminal to a program until it ends."""
        with self.suspend():
            sys.stdout.write("\x1b[2J\x1b[H")
            sys.stdout.flush()
            subprocess.run(command, env=launch.environment(), check=False)
            if wait:
                sys.stdout.write("\nEnter goes back to the dashboard ")
                sys.stdout.flush()
                sys.stdin.readline()
        self.refresh(layout=True)

    @property
    def keeper_socket(self) -> str:
        """Return the private socket beside the public one."""
        if not self.socket and not os.environ.get("WEZPARALLEL_SOCKET"):
            return paths.keeper_socket()
        return os.path.dirname(os.path.realpath(self.socket or paths.client_socket())) + "/keeper.sock"

    def action_restart(self) -> None:
        """Restart what runs, once it was said that it may be; start what does not."""
        process = self._process()
        if process is None:
            return
        process_id = process["process_id"]
        if process.get("pid") is None:
            self._begin(self._ask("ProcessStart", f"{process_id} was started", process=process_id))
            return
        self._confirm(
            f"Restart {process_id}? It is {states.word(process)}.",
            lambda: self._ask("ProcessRestart", f"{process_id} was restarted", process=process_id),
        )

    def action_stop(self) -> None:
        """Stop a process, once it was said that it may be."""
        process = self._process()
        if process is None:
            return
        process_id = process["process_id"]
        if process.get("pid") is None and process["state"] not in states.UP:
            self.tell(f"{process_id} does not run")
            return
        self._confirm(
            f"Stop {process_id} and everything below it? It is {states.word(process)}.",
            lambda: self._ask("ProcessStop", f"{process_id} was stopped", process=process_id,
                              run_id=process.get("run_id")),
        )  # fmt: skip

    def _confirm(self, question: str, work: Any) -> None:
        def answered(answer: bool | None) -> None:
            if answer:
                self._begin(work())

        self.push_screen(Confirm(question), answered)

    def action_logs(self) -> None:
        """Show the log of a process."""
        process = self._process()
        if process is None:
            return
        if process.get("direct"):
            self.tell(f"{process['process_id']} is `direct`: it has no log", bad=True)
            return
        self.push_screen(Logs(self.connection, process["process_id"], self.keeper_socket))

    def action_answer(self) -> None:
        """Type a line into a process, as a person at its terminal would."""
        process = self._process()
        if process is None:
            return
        process_id = process["process_id"]
        if process.get("pid") is None or process.get("direct"):
            self.tell(f"{process_id} does not run where it could be typed into", bad=True)
            return

        def typed(said: str | None) -> None:
            if said is not None:
                self._begin(self._ask("ProcessType", "", process=process_id, text=said, enter=True))

        asked = (process.get("notified") or {}).get("text") or ""
        self.push_screen(Line(process_id, asked, "enter types it, with Enter after it · esc leaves"), typed)

    def action_next_waiting(self) -> None:
        """Put the cursor on the next one that needs a person."""
        ids = [one["process_id"] for one in waiting(self.world)]
        if not ids:
            self.tell("nobody waits for you")
            return
        at = ids.index(self.selected) + 1 if self.selected in ids else 0
        self.choose(ids[at % len(ids)])

    def action_new(self) -> None:
        """Open a workspace from a template."""
        self._begin(self._new())

    async def _new(self) -> None:
        here = os.getcwd()
        try:
            found = (await self.connection.call("TemplateList", root=here))["templates"]
        except WezparallelError as error:
            self.tell(error.message, bad=True)
            return
        options = [(one["name"], one.get("description") or one.get("origin") or "") for one in found]

        def chosen(name: str | None) -> None:
            if name is not None:
                self._begin(self._up(name))

        title = f"new workspace in {os.path.basename(here) or here}, from"
        self.push_screen(Choice(title, options), chosen)

    async def _up(self, name: str) -> None:
        # What `up` does and asks (trust, a taken name, panes in WezTerm) it does here just the same.
        socket = ["--socket", self.socket] if self.socket else []
        self._run_outside([launch.interpreter(), "-m", "wezparallel", *socket, "up", "--detach", name], wait=True)

    def action_help(self) -> None:
        """Show every key."""
        self.push_screen(Help())
