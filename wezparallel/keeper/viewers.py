"""All viewers: who looks at which process. The keeper tells of output, starts and ends; nobody waits for a viewer.

`Viewers.accept` takes a connection over after its hello and answers it. What a viewer then does is in terminals.py
(it handed its terminal over) or streams.py (it reads frames).
"""

from __future__ import annotations

import json
import socket
import struct

from wezparallel.errors import RequestError, WireError
from wezparallel.keeper.cursor import Cursor
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

_FACTS = ("TERM", "COLORTERM", "TERM_PROGRAM", "TERM_PROGRAM_VERSION")
_CREDENTIALS = struct.Struct("3i")
_TOLD = ("run_id", "exit_code", "signal", "ran_s", "asked")


class Viewers:
    """The viewers of one keeper."""

    def __init__(self, keeper: Keeper) -> None:
        self._keeper = keeper
        self._last_id = 0
        self._by_id: dict[int, Viewer] = {}

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
        kind = TerminalViewer if role == hello.ROLE_TERMINAL else StreamViewer
        viewer = kind(self._keeper, sock, reader, about)
        viewer.pid = _peer_pid(sock)
        try:
            process = self._process_for(viewer)
        except RequestError as error:
            viewer.send(frames.REFUSED, json.dumps(error.to_json()).encode())
            viewer.close_after_sending()
            return
        self._add(viewer, process)
        welcome = self._welcome(process)
        viewer.send(frames.HELLO, hello.server_hello(version))
        viewer.send(frames.WELCOME, welcome.pack())
        if isinstance(viewer, StreamViewer):
            viewer.begin(Cursor(process.log, _first_offset(about, welcome)))
            viewer.output()
        viewer.start(rest)

    def output(self, process: Process, data: bytes = b"") -> None:
        """The process's log has grown; `data`, if all of it was logged, are its last bytes."""
        for viewer in tuple(process.viewers):
            viewer.output(data)

    def exited(self, process: Process, exit_: JsonObject) -> None:
        """The process's run has ended."""
        for viewer in list(process.viewers):
            viewer.exited(exit_)

    def started(self, process: Process) -> None:
        """The process has a new run."""
        run = process.run
        if run is None:
            return
        payload = json.dumps({"run_id": run.run_id, "pid": run.pid, "tty": run.tty}).encode()
        for viewer in list(process.viewers):
            viewer.started(payload)

    def removed(self, process_id: ProcessId) -> None:
        """The process was forgotten."""
        for viewer in list(self._by_id.values()):
            if viewer.process is not None and viewer.process.process_id == process_id:
                viewer.removed()

    def close_all(self) -> None:
        """Give every terminal back and close every connection, before the keeper ends or re-executes itself."""
        for viewer in list(self._by_id.values()):
            viewer.ended_by_keeper()

    def forget(self, viewer: Viewer) -> None:
        """A viewer's connection has ended."""
        if self._by_id.pop(viewer.viewer_id, None) is None or viewer.process is None:
            return
        process = viewer.process
        process.viewers.remove(viewer)
        self._keeper.report_viewer(process.process_id, viewer.viewer_id, "gone", **_facts_of(viewer))

    def take_over(self, newer: Viewer) -> None:
        """Send the writable terminals of a process home: a newer one has come."""
        assert newer.process is not None
        for viewer in list(newer.process.viewers):
            if isinstance(viewer, TerminalViewer) and viewer is not newer and not viewer.read_only:
                viewer.taken_over()

    @staticmethod
    def exit_payload(exit_: JsonObject) -> bytes:
        """Return the payload of an EXITED frame."""
        return json.dumps({name: exit_.get(name) for name in _TOLD}).encode()

    def _process_for(self, viewer: Viewer) -> Process:
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
        writable = isinstance(viewer, TerminalViewer) and not viewer.read_only
        if writable and self._keeper.is_agent_pid(viewer.pid):
            raise RequestError(
                "caller.agent_not_allowed",
                "an agent may not type into a terminal; attach with --read-only, or set `may: [type]` for it",
                process=process_id,
            )
        return process

    def _add(self, viewer: Viewer, process: Process) -> None:
        self._last_id += 1
        viewer.viewer_id = self._last_id
        viewer.process = process
        about = viewer.about
        if isinstance(viewer, TerminalViewer):
            if not process.facts:
                process.facts = dict(zip(_FACTS, about.strings[1:5], strict=False))
            if process.run is None and not viewer.read_only:
                process.size = about.size  # a run that waits for this viewer starts in its size
        process.viewers.append(viewer)
        self._by_id[viewer.viewer_id] = viewer
        self._keeper.report_viewer(process.process_id, viewer.viewer_id, "attached", **_facts_of(viewer))

    def _welcome(self, process: Process) -> hello.Welcome:
        run, log = process.run, process.log
        flags = 0
        if run is not None:
            flags = hello.RUNNING | (hello.IS_TTY if run.tty else 0)
        if log.modes.alternate:
            flags |= hello.ALTERNATE
        exit_text = "" if run or not process.last_exit else self.exit_payload(process.last_exit).decode()
        strings = [log.directory, run.run_id if run else "", exit_text]
        return hello.Welcome(flags, log.writer.start, log.writer.end, log.modes.enter(), strings)


def _facts_of(viewer: Viewer) -> JsonObject:
    about = viewer.about
    pane = about.strings[5] if len(about.strings) > 5 else ""
    return {
        "pid": viewer.pid,
        "size": about.size[:2],
        "pane": pane,
        "read_only": bool(about.flags & hello.READ_ONLY) or isinstance(viewer, StreamViewer),
    }


def _first_offset(about: hello.Viewer, welcome: hello.Welcome) -> int:
    if about.offset == hello.FROM_END:
        return welcome.end
    if about.offset == hello.FROM_START:
        return welcome.start
    return min(about.offset, welcome.end)


def _peer_pid(sock: socket.socket) -> int:
    pid, _, _ = _CREDENTIALS.unpack(sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size))
    return int(pid)
