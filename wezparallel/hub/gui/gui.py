"""The hub's side of WezTerm: composes views, requests, what a closed pane means, and the files that the plugin reads.

Lua asks through the socket (`handlers/view.py`) and reads `gui.json`; the hub wakes it by a user variable that the
keeper writes into its panes. Nothing here waits for a GUI.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import anyio
import structlog

from wezparallel import paths
from wezparallel.errors import RequestError
from wezparallel.hub.gui import keys, places, snapshot, writing
from wezparallel.hub.gui.closing import Closing, event_data
from wezparallel.hub.gui.notifying import Notifying
from wezparallel.hub.gui.requests import Requests, mux_lives
from wezparallel.hub.gui.views import View, Views
from wezparallel.keeper import messages
from wezparallel.protocol.events import FIGURES
from wezparallel.protocol.template import TemplateList

if TYPE_CHECKING:
    from collections.abc import Iterable

    from wezparallel.hub.app import Hub
    from wezparallel.protocol.events import Event
    from wezparallel.types import JsonObject, Seconds

NUDGE = "wezparallel_request"
"""The user variable that wakes the plugin; its value is the request's number."""
MOST_NUDGES = 32  # one visible pane is enough, but which panes can be seen only WezTerm knows
WRITTEN_S = 2.0  # that an answer waits for the file; a disk may take longer
LAST_S = 1.0  # that the hub's end waits for it
TEMPLATES_S = 30.0  # between two looks for templates while the plugin speaks
MOST_UNHEARD = 32
LOOK_S = 10.0  # between two looks whether the programs of bound panes still run
_TEMPLATES_FROM = ("config.changed", "template.changed")

log = structlog.get_logger()


class Gui:
    """All of it."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        before = writing.left_by_another(paths.gui_snapshot())
        self.views = Views()
        self.requests = Requests(hub.now_ms, before)
        self.closing = Closing(hub, self.views)
        self.notifying = Notifying(hub, self.views, self.requests)
        self.writer = writing.Writer(paths.gui_snapshot(), self.snapshot, hub.store, hub.now_ms)
        self.synced: list[list[str]] = []
        """Groups of processes that are typed into together; the keeper keeps them."""
        self._templates: list[JsonObject] = _templates_of(before)
        self._unwritten: dict[int, int] = {}
        """request id -> the change of the file that holds it"""
        self._wants_templates = anyio.Event()
        self._unheard: set[str] = set()
        """What was said to be a GUI by who is no person; each is said once."""
        self._looked_at = float("-inf")
        self._is_over = False
        hub.bus.on_event.append(self.told)

    async def run(self) -> None:
        """Serve for ever."""
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self.writer.run)
            tasks.start_soon(self._look_for_templates)
            tasks.start_soon(self._look_at_bound)

    def snapshot(self, written_at: str) -> JsonObject:
        """Return what the plugin reads."""
        facts = places.facts(self._hub.settings.ui, written_at, None if self._is_over else self._hub.hub_id)
        facts["gui"], facts["guis"] = self.requests.last_mux, self.requests.muxes
        return snapshot.build(
            self._hub.state, facts=facts, views=self.views.panes(), requests=self.requests.recent(),
            templates=self._templates, synced=[process_id for group in self.synced for process_id in group],
        )  # fmt: skip

    # What happens

    async def finish(self) -> None:
        """The hub ends: what is written from now on is known to be the last of it."""
        self._is_over = True
        await self.writer.at_last(LAST_S)

    def told(self, event: Event) -> None:
        """Something has happened and is committed."""
        if event.name.startswith(FIGURES):
            return
        try:
            self._hear(event)
        except Exception:  # whoever subscribed is to hear of it all the same
            log.exception("gui.failed", name=event.name)

    def _hear(self, event: Event) -> None:
        self.writer.changed()
        toast = self.notifying.told(event)
        if toast is not None:
            self.write(toast)
        if event.name in _TEMPLATES_FROM:
            self._wants_templates.set()
        elif event.name == "process.removed":
            self.forget(event.data["process_id"])

    def display(self, title: str, body: str, process_id: str | None, kind: str | None) -> str:
        """Show a notification where somebody is; return by what."""
        by, toast = self.notifying.display(title, body, process_id, kind)
        if toast is not None:
            self.write(toast)
        return by

    def viewer(self, message: JsonObject, *, listed: bool) -> None:
        """A viewer came, was listed to a new hub, or went."""
        if message["state"] == "gone":
            view = self.views.gone(message["viewer_id"])
            if view is not None:
                self.writer.changed()
                self.closing.gone(view, message.get("reason", "lost"))
            return
        came = self.views.attached(message)
        if came is None:
            return
        view, is_new = came
        self.writer.changed()
        if view.place is not None:
            if not self._templates:
                self._wants_templates.set()
            if is_new and not listed:
                self._hub.bus.publish("view.bound", event_data(self._hub, view))

    def bind(self, process_id: str, mux: str, pane: str, pid: int | None, *, by_plugin: bool = True) -> View:
        """A pane was made for a process."""
        if by_plugin:
            self.heard(mux)
        view, is_new = self.views.bind(process_id, mux, pane, pid)
        if is_new:
            self._hub.bus.publish("view.bound", event_data(self._hub, view))
        self.writer.changed()
        return view

    def heard(self, mux: str | None) -> None:
        """A GUI said something. It is a person's: what another caller says of itself moves no request to it."""
        by = self._hub.bus.by or {}
        if mux and by.get("role") != "person":
            if mux not in self._unheard and len(self._unheard) < MOST_UNHEARD:
                self._unheard.add(mux)
                log.warning("gui.not_heard", mux=mux, role=by.get("role"), run_id=by.get("run_id"))
        elif mux:
            if anyio.current_time() > self._looked_at + TEMPLATES_S:
                self._wants_templates.set()
            self.requests.spoke(mux)

    def forget(self, process_id: str) -> None:
        """A process is no more: what was bound to it shows nothing."""
        for view in self.views.of(process_id):
            if view.viewer_id is None:
                self.views.drop(view)
        self.together([process_id], on=False)
        self.notifying.forget(process_id)

    def together(self, process_ids: list[str], *, on: bool) -> None:
        """Have what is typed into one of these go to all of them, or no longer."""
        members = set(process_ids)
        left = [[one for one in group if one not in members] for group in self.synced]
        self.synced = [group for group in left if len(group) > 1]
        if on and len(process_ids) > 1:
            self.synced.append(list(process_ids))
        self.writer.changed()

    def listed_together(self, process_ids: list[str]) -> None:
        """The keeper told a new hub of a group, once for each member."""
        if set(process_ids) not in [set(group) for group in self.synced]:
            self.synced.append(list(process_ids))

    # What the GUI is asked

    def target(self, process_ids: Iterable[str] = ()) -> str | None:
        """Return the GUI that shows one of these, else the one that was active last; None if there is none."""
        return self.requests.target(self.views.muxes_of(process_ids), self.views.muxes())

    def ask(self, kind: str, mux: str | None, **fields: Any) -> JsonObject:
        """Ask a GUI, or any, to do something; return the request."""
        request = self.requests.make(kind, mux, **fields)
        self.write(request)
        return request

    def write(self, request: JsonObject) -> None:
        """Have a request that was made in the file, and then the GUI woken."""
        change = self._unwritten[request["id"]] = self.writer.changed()
        self.writer.when_written(change, lambda: self._nudge(request))

    async def written(self, request: JsonObject, patience_s: Seconds) -> None:
        """Return once a request stands in the file, or stood there; also if an earlier hub accepted it."""
        if self.requests.ensure(request):
            self.write(request)
        change = self._unwritten.get(request["id"])
        if change is not None:
            done = anyio.Event()
            self.writer.when_written(change, done.set)
            with anyio.move_on_after(patience_s):
                await done.wait()

    def _nudge(self, request: JsonObject) -> None:
        """Wake the GUI through its panes; one that has none, or shows none, looks by itself every second."""
        self._unwritten.pop(request["id"], None)
        mux = request["mux"]
        panes = [view for view in self.views if view.viewer_id is not None and view.place is not None]
        chosen = [view for view in reversed(panes) if mux is None or view.mux == mux]
        switched = self._current_workspace(but=request.get("workspace"))
        chosen.sort(key=lambda view: self._workspace_of(view) != switched)  # what is looked at now can be reached
        for view in chosen[:MOST_NUDGES]:
            body = {"m": messages.NUDGE, "viewer_id": view.viewer_id, "name": NUDGE, "value": str(request["id"])}
            self._hub.link.send(body)

    def _current_workspace(self, but: str | None) -> str | None:
        found = [one for one in self._hub.state.workspaces.values() if one.switched_at and one.name != but]
        return max(found, key=lambda one: one.switched_at or 0).name if found else None

    def _workspace_of(self, view: View) -> str | None:
        process = self._hub.state.processes.get(view.process_id)
        return process.workspace if process is not None else None

    def close(self, views: list[View]) -> list[JsonObject]:
        """Have the GUI close these panes, but no pane that is somebody's shell; return the requests."""
        made = []
        for view in views:
            if view.place is not None and not view.is_in_shell:
                self.closing.expect(view.place)
                made.append(self.ask("close_view", view.mux, process_id=view.process_id, pane=view.pane))
        return made

    # What is looked for

    async def _look_for_templates(self) -> None:
        """Find out what can be opened, once a GUI is there that shows it, and whenever that may have changed."""
        while True:
            await self._wants_templates.wait()
            self._looked_at = anyio.current_time()
            self._wants_templates = anyio.Event()
            try:
                found = await anyio.to_thread.run_sync(_templates, self._hub, abandon_on_cancel=True)
            except (OSError, RequestError) as error:
                log.warning("templates.unreadable", reason=str(error))
            else:
                self._templates = found
                self.writer.changed()

    async def _look_at_bound(self) -> None:
        while True:
            await anyio.sleep(LOOK_S)
            for view in self.views.ended(mux_lives):
                self.views.drop(view)
                self.writer.changed()
                self._hub.bus.publish(
                    "view.closed", event_data(self._hub, view) | {"by": "program", "on_close": "keep"}
                )

    # Keys

    def write_keys(self) -> None:
        """Have the keys of the configuration in the file that the plugin reads; WezTerm reloads when it changes."""
        path, data = paths.keys_file(), keys.encode(self._hub.settings.ui.keybindings)
        try:
            there = writing.content(path)
            if there == data or (there is None and not self._hub.settings.ui.keybindings):
                return
            os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
            writing.replace(path, data)
        except OSError as error:
            log.warning("keys_file.failed", path=path, reason=error.strerror)


def _templates(hub: Hub) -> list[JsonObject]:
    from wezparallel.hub.handlers import template  # noqa: PLC0415  1 MB with what it stands on

    found = template.list_(hub, TemplateList()).templates
    return [{"name": one.name, "description": one.description} for one in found]


def _templates_of(before: JsonObject | None) -> list[JsonObject]:
    found = (before or {}).get("templates")
    return found if isinstance(found, list) else []
