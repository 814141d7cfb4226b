"""Handlers of the view commands: what is shown where, and what WezTerm is asked to do about it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio

from wezparallel.errors import RequestError
from wezparallel.hub.gui.gui import WRITTEN_S
from wezparallel.hub.pool import notices
from wezparallel.keeper import messages
from wezparallel.protocol import view as words

if TYPE_CHECKING:
    from wezparallel.hub.app import Hub
    from wezparallel.hub.comms.dispatch import Accepted
    from wezparallel.hub.gui.views import View
    from wezparallel.hub.state.model import Process

LOOK_S = 0.02


def bind(hub: Hub, command: words.ViewBind) -> Accepted:
    """Note which pane shows a process."""
    process = hub.process(command.process)
    view = hub.gui.bind(process.process_id, command.mux, command.pane, command.pid)
    return {"view": view.record().model_dump()}


async def bound(_hub: Hub, _command: words.ViewBind, accepted: Accepted) -> words.ViewBound:
    """Answer with the view."""
    return words.ViewBound(view=words.ViewRecord.model_validate(accepted["view"]))


def list_(hub: Hub, command: words.ViewList) -> words.Views:
    """Return a page of views."""
    views = hub.gui.views.of(hub.process(command.process).process_id) if command.process else list(hub.gui.views)
    if command.workspace is not None:
        members = {one.process_id for one in hub.state.members(hub.workspaces.get(command.workspace).name)}
        views = [view for view in views if view.process_id in members]
    views.sort(key=_key)
    if command.after is not None:
        views = [view for view in views if _cursor(view) > command.after]
    page = views[: command.limit]
    following = _cursor(page[-1]) if len(views) > len(page) else None
    return words.Views(views=[view.record() for view in page], next=following)


def open_(hub: Hub, command: words.ViewOpen) -> Accepted:
    """Ask the GUI to show a process."""
    process = hub.process(command.process)
    mux = _gui(hub, process, command.mux)
    request = hub.gui.ask("open", mux, process_id=process.process_id, where=command.where)
    there = [view.view_id for view in hub.gui.views.of(process.process_id)]
    return {"process_id": process.process_id, "mux": mux, "request": request, "there": there}


async def opened(hub: Hub, command: words.ViewOpen, accepted: Accepted) -> words.ViewOpened:
    """Answer once the GUI can read it and, if that is wanted, has done it."""
    await hub.gui.written(accepted["request"], WRITTEN_S)
    view = None
    with anyio.move_on_after(command.wait_s):
        while view is None and command.wait_s:
            found = hub.gui.views.of(accepted["process_id"])
            view = next((one for one in found if one.view_id not in accepted["there"]), None)
            if view is None:
                await anyio.sleep(LOOK_S)
    return words.ViewOpened(
        process_id=accepted["process_id"], mux=accepted["mux"], request=accepted["request"]["id"],
        view=view.record() if view is not None else None,
    )  # fmt: skip


def focus(hub: Hub, command: words.ViewFocus) -> Accepted:
    """Ask the GUI to go to a process; that is where its workspace's focus is from now on."""
    process = hub.process(command.process)
    mux = _gui(hub, process, command.mux)
    workspace = hub.state.workspaces.get(process.workspace or "")
    if workspace is not None and workspace.open:
        hub.workspaces.switch(workspace, process.process_id)
    request = hub.gui.ask("focus", mux, process_id=process.process_id)
    return {"process_id": process.process_id, "mux": mux, "request": request}


async def focused(hub: Hub, _command: words.ViewFocus, accepted: Accepted) -> words.ViewFocused:
    """Answer once the GUI can read it."""
    await hub.gui.written(accepted["request"], WRITTEN_S)
    return words.ViewFocused(
        process_id=accepted["process_id"], mux=accepted["mux"], request=accepted["request"]["id"]
    )


def close(hub: Hub, command: words.ViewClose) -> Accepted:
    """Ask the GUI to close panes. Whoever closes them, the process goes on."""
    process = hub.process(command.process)
    hub.gui.heard(command.mux)
    views = [
        view
        for view in hub.gui.views.of(process.process_id)
        if view.place is not None
        and not view.is_in_shell
        and (command.pane is None or view.pane == command.pane)
        and (command.mux is None or view.mux == command.mux)
    ]
    if command.pane is not None and command.mux is not None:
        hub.gui.closing.expect((command.mux, command.pane))  # its client may say hello only now
    records = [view.record().model_dump() for view in views]
    return {"process_id": process.process_id, "views": records, "requests": hub.gui.close(views)}


async def closed(hub: Hub, _command: words.ViewClose, accepted: Accepted) -> words.ViewClosed:
    """Answer once the GUI can read it."""
    for request in accepted["requests"]:
        await hub.gui.written(request, WRITTEN_S)
    views = [words.ViewRecord.model_validate(view) for view in accepted["views"]]
    return words.ViewClosed(process_id=accepted["process_id"], views=views)


def sync(hub: Hub, command: words.ViewSync) -> Accepted:
    """Have what is typed into one of them typed into all."""
    if command.workspace is not None:
        members = hub.state.members(hub.workspaces.get(command.workspace).name)
        chosen = [process for process in members if process.settings.pane]
    else:
        chosen = list({one.process_id: one for one in map(hub.process, command.processes or [])}.values())
    ids = [process.process_id for process in chosen if process.settings.tty and not process.settings.direct]
    if command.on and len(ids) < 2:
        raise RequestError(
            "process.bad_state", "two processes on a terminal at least can be typed into together; name more of them",
            processes=ids,
        )  # fmt: skip
    message = {"m": messages.TOGETHER, "process_ids": ids, "on": command.on}
    hub.gui.together(ids, on=command.on)
    hub.store.when_committed(hub.store.ticket(), lambda: hub.link.send(message))
    return {"processes": ids}


async def synced(_hub: Hub, command: words.ViewSync, accepted: Accepted) -> words.ViewSynced:
    """Answer."""
    return words.ViewSynced(processes=accepted["processes"], on=command.on)


def see(hub: Hub, command: words.ViewSee) -> Accepted:
    """A person looks."""
    process = hub.process(command.process)
    hub.gui.heard(command.mux)
    notices.clear(hub, process)
    return {"process_id": process.process_id}


async def seen(_hub: Hub, _command: words.ViewSee, accepted: Accepted) -> words.ViewSeen:
    """Answer."""
    return words.ViewSeen(process_id=accepted["process_id"])


def _gui(hub: Hub, process: Process, mux: str | None) -> str:
    """Return the GUI that is meant. Raises RequestError `process.bad_state`."""
    found = mux or hub.gui.target([process.process_id])
    if found is None:
        raise RequestError(
            "process.bad_state",
            f"no WezTerm is known that could show {process.process_id}; `wezparallel attach {process.process_id}` "
            "shows it in a terminal",
            process=process.process_id,
        )
    return found


def _key(view: View) -> tuple[str, str]:
    return view.process_id, view.view_id


def _cursor(view: View) -> str:
    return f"{view.process_id} {view.view_id}"
