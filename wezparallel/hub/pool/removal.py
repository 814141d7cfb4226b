"""How a removed process is forgotten: by the hub's memory and store first, then by the keeper, with its log."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wezparallel.keeper import messages

if TYPE_CHECKING:
    from wezparallel.hub.app import Hub
    from wezparallel.hub.state.model import Process


def forget(hub: Hub, process: Process) -> None:
    """Forget a removed process of which nothing is left."""
    process_id = process.process_id
    if hub.state.processes.get(process_id) is not process:
        return
    del hub.state.processes[process_id]
    hub.store.delete_process(process_id)
    hub.bus.publish("process.removed", {"process_id": process_id, "workspace": process.workspace})
    hub.store.when_committed(hub.store.ticket(), lambda: bury(hub, process_id))


def bury(hub: Hub, process_id: str) -> None:
    """Tell the keeper to forget a removed process and its log; its tombstone goes when the keeper has."""

    def gone(_reply: dict[str, Any], _fds: list[int]) -> None:
        hub.store.clear_tombstone(process_id)
        hub.drop_unused_environments()

    hub.link.request({"m": messages.FORGET, "process_id": process_id}, gone)
