"""All viewers: who looks at which process. The keeper tells of output, starts and ends; nobody waits for a viewer.

`Viewers.accept` takes a connection over after its hello and answers it. What a viewer then does is in terminals.py
(it handed its terminal over), relays.py (it passes its terminal on as frames) or streams.py (it reads frames). Who of
them leads is in lead.py. An upgrade takes all of them along: `carry`, `descriptors`, `resume`.
"""

from __future__ import annotations

import base64
import json
import os
import socket

from wezparallel.errors import RequestError, WireError
from wezparallel.keeper import ssh_agent
from wezparallel.keeper.callers import Peer
from wezparallel.keeper.cursor import Cursor
from wezparallel.keeper.processes import FACTS
from wezparallel.keeper.relays import RelayViewer
from wezparallel.keeper.streams import StreamViewer
from wezparallel.keeper.terminals import TerminalViewer
from wezparallel.keeper.viewer import Viewer
from wezparallel.wire import frames, hello

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wezparallel.keeper.keeper import Keeper
    from wezparallel.keeper.processes import Process
    from wezparallel.types import JsonObject, ProcessId

__all__ = ["Viewer", "Viewers"]

_FDS = ("socket", "terminal", "hold")
_TOLD = ("run_id", "exit_code", "signal", "ran_s", "asked")


class Viewers:
    """The viewers of one keeper."""

    def __init__(self, keeper: Keeper) -> None:
        self._keeper = keeper
        self._last_id = 0
        self._by_id: dict[int, Viewer] = {}
        self._begun: list[Process] = []
        """processes whose viewers are still to be told of a new run"""

    def accept(
        self,
        sock: socket.socket,
        reader: frames.FrameReader,
        role: int,
        version: int,
        body: bytes,
        rest: list[tuple[int, bytes]],
    ) -> None:
        """Take over a connection whose hello was read; `rest` are the frames that came with it."""
        try:
            about = hello.parse_viewer(body)
        except WireError:
            sock.close()
            return
        viewer = _kind(role, about)(self._keeper, sock, reader, about)
        peer = Peer(sock)
        viewer.pid = peer.pid
        try:
            process = self._process_for(viewer, peer)
        except RequestError as error:
            viewer.send(frames.REFUSED, json.dumps(error.to_json()).encode())
            viewer.close_after_sending()
            return
        self._add(viewer, process)
        welcome = self._welcome(process, with_past=type(viewer) is not StreamViewer)
        viewer.send(frames.HELLO, hello.server_hello(version))
        viewer.send(frames.WELCOME, welcome.pack())
        if isinstance(viewer, StreamViewer):
            viewer.begin(Cursor(process.log, _first_offset(about, welcome)))
            viewer.output()
        viewer.start(rest)

    def find(self, viewer_id: int) -> Viewer | None:
        """Return a viewer that is there."""
        return self._by_id.get(viewer_id)

    def output(self, process: Process, data: bytes = b"") -> None:
        """The process's log has grown; `data`, if all of it was logged, are its last bytes."""
        if process.whereabouts.idle:
            process.whereabouts.look_soon()
        for viewer in tuple(process.viewers):
            viewer.output(data)

    def exited(self, process: Process, exit_: JsonObject) -> None:
        """The process's run has ended."""
        for viewer in list(process.viewers):
            viewer.end_reason = "ended"
            viewer.exited(exit_)

    def started(self, process: Process) -> None:
        """The process has a new run. Its viewers are told in the next turn: whatever goes wrong there, it runs."""
        if not self._begun:
            self._keeper.loop.soon(self._tell_of_starts)
        self._begun.append(process)

    def removed(self, process_id: ProcessId) -> None:
        """The process was forgotten."""
        for viewer in list(self._by_id.values()):
            if viewer.process is not None and viewer.process.process_id == process_id:
                viewer.end_reason = "removed"
                viewer.removed()

    def close_all(self) -> None:
        """Give every terminal back and close every connection, before the keeper ends or re-executes itself."""
        for viewer in list(self._by_id.values()):
            viewer.end_reason = "ended"
            viewer.ended_by_keeper()

    def forget(self, viewer: Viewer) -> None:
        """A viewer's connection has ended."""
        if self._by_id.pop(viewer.viewer_id, None) is None or viewer.process is None:
            return
        process = viewer.process
        process.viewers.remove(viewer)
        process.lead.leave(viewer)
        self._keeper.report_viewer(
            process.process_id, viewer.viewer_id, "gone", **_facts_of(viewer), reason=viewer.end_reason
        )

    def carry(self) -> list[JsonObject]:
        """Return all viewers as JSON for the program after this one; nothing is given back, and nothing changes."""
        self._tell_of_starts()
        carried = []
        for process in self._keeper.processes.values():
            ranks = {viewer.viewer_id: rank for rank, viewer in enumerate(process.lead.members)}
            for viewer in process.viewers:
                rank = ranks.get(viewer.viewer_id)
                more = {"kind": viewer.kind, "rank": rank, "away": process.lead.is_away(viewer)}
                carried.append(viewer.carry() | more)
        return carried

    @staticmethod
    def descriptors(carried: list[JsonObject]) -> list[int]:
        """Return the descriptors that `carry` told of."""
        fds = [fd for viewer in carried for fd in (*(viewer.get(name, -1) for name in _FDS), *viewer["fds"])]
        return [fd for fd in fds if fd >= 0]

    def resume(self, carried: list[JsonObject]) -> None:
        """Take over what `carry` told, once all processes and runs are there."""
        for fd in self.descriptors(carried):
            os.set_inheritable(fd, False)
        viewers = [(self._revive(about), about) for about in carried]
        for viewer, about in sorted(viewers, key=lambda pair: pair[1]["rank"] or 0):
            if viewer.process is not None and about["rank"] is not None:
                viewer.process.lead.resume(viewer, about.get("away", False))
        for viewer, about in viewers:
            viewer.resume(about)

    @staticmethod
    def exit_payload(exit_: JsonObject) -> bytes:
        """Return the payload of an EXITED frame."""
        return json.dumps({name: exit_.get(name) for name in _TOLD}).encode()

    def _tell_of_starts(self) -> None:
        begun, self._begun = self._begun, []
        for process in begun:
            run = process.run
            if run is None:
                continue
            payload = json.dumps({"run_id": run.run_id, "pid": run.pid, "tty": run.tty}).encode()
            for viewer in list(process.viewers):
                viewer.end_reason = "lost"
                viewer.started(payload)

    def _process_for(self, viewer: Viewer, peer: Peer) -> Process:
        strings = viewer.about.strings
        process_id = strings[0] if strings else ""
        process = self._keeper.processes.get(process_id)
        if process is None:
            raise RequestError(
                "process.not_found",
                f"there is no process '{process_id}'; `wezparallel ps` lists those that there are",
                process=process_id,
                known=sorted(self._keeper.processes)[:50],
            )
        if viewer.writes and self._keeper.is_agent(peer):
            raise RequestError(
                "caller.agent_not_allowed",
                "an agent may not type into a terminal, nor who cannot be told from one; attach with --read-only, or "
                "have a person write `may: [ProcessType]` into the agent's definition",
                process=process_id,
            )
        return process

    def _add(self, viewer: Viewer, process: Process) -> None:
        self._last_id += 1
        viewer.viewer_id = self._last_id
        viewer.process = process
        if process.run is None and process.last_exit is not None:
            viewer.end_reason = "ended"
        if viewer.writes and len(viewer.about.strings) > 8:
            ssh_agent.attached(process.process_id, viewer.about.strings[8])
        if viewer.types:
            process.learn(dict(zip(FACTS, viewer.about.strings[1:5], strict=False)))
        if viewer.writes:
            process.lead.join(viewer)
        process.viewers.append(viewer)
        self._by_id[viewer.viewer_id] = viewer
        self._keeper.report_viewer(process.process_id, viewer.viewer_id, "attached", **_facts_of(viewer))

    def _revive(self, carried: JsonObject) -> Viewer:
        about = hello.parse_viewer(base64.b64decode(carried["about"]))
        sock = socket.socket(fileno=carried["socket"])
        viewer = _kind(carried["kind"], about)(self._keeper, sock, frames.FrameReader(), about)
        viewer.pid, viewer.viewer_id = carried["pid"], carried["viewer_id"]
        viewer.process = self._keeper.processes[carried["process_id"]]
        viewer.process.viewers.append(viewer)
        self._by_id[viewer.viewer_id] = viewer
        self._last_id = max(self._last_id, viewer.viewer_id)
        self._keeper.viewer_reports[viewer.viewer_id] = {
            "process_id": viewer.process.process_id,
            "viewer_id": viewer.viewer_id,
            "state": "attached",
            **_facts_of(viewer),
        }
        return viewer

    def _welcome(self, process: Process, with_past: bool) -> hello.Welcome:
        run, log = process.run, process.log
        flags = 0
        if run is not None:
            flags = hello.RUNNING | (hello.IS_TTY if run.tty else 0)
        if log.modes.alternate:
            flags |= hello.ALTERNATE
        if run is not None and run.suspended:
            flags |= hello.SUSPENDED
        exit_text = "" if run or not process.last_exit else self.exit_payload(process.last_exit).decode()
        past = log.recent() if with_past else None
        strings = [log.directory if past is None else "", run.run_id if run else "", exit_text]
        return hello.Welcome(flags, log.start, log.writer.end, log.modes.enter(), strings, past or b"")


def _kind(role: int, about: hello.Viewer) -> type[Viewer]:
    if role == hello.ROLE_TERMINAL:
        return TerminalViewer
    return RelayViewer if about.flags & hello.RELAYS else StreamViewer


def _facts_of(viewer: Viewer) -> JsonObject:
    about = viewer.about
    pane, mux = about.strings[5:7] if len(about.strings) > 6 else ("", "")
    inside = bool(about.flags & hello.INSIDE_WEZTERM)
    kind = "terminal" if viewer.kind == hello.ROLE_TERMINAL else "relay" if viewer.types else "frames"
    return {
        "pid": viewer.pid,
        "size": about.size[:2],
        "pane": pane if inside else "",
        "mux": mux if inside else "",
        "read_only": not viewer.writes,
        "kind": kind,
        "parent_pid": about.parent_pid,
        "parent_start": about.parent_start,
    }


def _first_offset(about: hello.Viewer, welcome: hello.Welcome) -> int:
    if about.offset == hello.FROM_END:
        return welcome.end
    if about.offset == hello.FROM_START:
        return welcome.start
    return min(about.offset, welcome.end)
