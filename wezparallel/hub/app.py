"""Composition: builds the hub's parts, starts them in order, ends them in order.

Order: store, link to the keeper, adoption, then the public socket; so nobody is answered by a hub that does not know
what runs.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import signal
import socket
import time
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import anyio
import structlog

from wezparallel import paths
from wezparallel.errors import RequestError
from wezparallel.hub import reloading, restoring
from wezparallel.hub.comms import callers, server
from wezparallel.hub.comms.bus import Bus
from wezparallel.hub.comms.dispatch import Dispatcher
from wezparallel.hub.configuration import Configuration, load
from wezparallel.hub.gui.gui import Gui
from wezparallel.hub.handlers.table import ROWS, Handlers
from wezparallel.hub.metrics.counts import Counts
from wezparallel.hub.metrics.sampling import Sampling
from wezparallel.hub.metrics.serving import Scraping
from wezparallel.hub.notifications import Notifications
from wezparallel.hub.pool import notices
from wezparallel.hub.pool.adoption import Adoption
from wezparallel.hub.pool.alerts import Alerts
from wezparallel.hub.pool.direct import Direct
from wezparallel.hub.pool.env_ids import EnvIds
from wezparallel.hub.pool.heartbeats import Heartbeats
from wezparallel.hub.pool.keeper_link import KeeperLink, close_all
from wezparallel.hub.pool.spares import Spares
from wezparallel.hub.pool.supervise import Pool, alive
from wezparallel.hub.screens.asking import Screens
from wezparallel.hub.snapshots import Snapshots
from wezparallel.hub.state.store import Store
from wezparallel.hub.timers import Timers
from wezparallel.hub.workspaces.collection import Workspaces
from wezparallel.hub.workspaces.trust import Trust
from wezparallel.hub.workspaces.worktrees import Worktrees
from wezparallel.keeper import messages
from wezparallel.wire.envelope import reply_line

if TYPE_CHECKING:
    from anyio.abc import TaskGroup

    from wezparallel.hub.comms.callers import Caller
    from wezparallel.hub.pool.sampler import Usage
    from wezparallel.hub.state.model import Process
    from wezparallel.protocol.command import Command, Reply

HOUSEKEEPING_EVERY_S = 3600.0
AFTER_START_S = 60.0

log = structlog.get_logger()


class Hub:
    """All parts of the hub; handlers reach them through it."""

    tasks: TaskGroup

    def __init__(self, store: Store, link: KeeperLink, configuration: Configuration | None = None) -> None:
        self.configuration = configuration or Configuration()
        self.settings = self.configuration.settings
        """What holds; replaced as a whole when the configuration is read again."""
        self.hub_id = "h-" + secrets.token_hex(4)
        self.version = version("wezparallel")
        self.started = time.monotonic()
        self.boot_id = _boot_id()
        self.store = store
        self.state = store.load()
        self.link = link
        self.bus = Bus(store, self.now_ms, reply_line)
        self.counts = Counts()
        self.bus.on_event.append(self.counts.event)
        self.timers = Timers()
        self.stopping = anyio.Event()
        self.is_over = False
        """Its tasks are ending: nothing more is begun."""
        self.environments = EnvIds(link)
        self.soon = server.soon()
        self.spares = Spares(self)
        self.pool = Pool(self)
        self.direct = Direct(self)
        self.workspaces = Workspaces(self)
        self.trust = Trust(self)
        self.worktrees = Worktrees(self)
        self.handlers = Handlers(ROWS, self.stopping.set)
        self.dispatcher = Dispatcher(self, self.handlers, self.soon)
        self.sampling = Sampling(self)
        self.scraping = Scraping(self)
        self.screens = Screens()
        self.gui = Gui(self)
        self.alerts = Alerts(self.bus.publish, self.now_ms)
        self.heartbeats = Heartbeats(self)
        self.notifications = Notifications(self)
        self.snapshots = Snapshots(self)
        self.usage: dict[str, Usage] = {}
        self.viewers: dict[int, str] = {}
        self.listeners: dict[str, int] = {}
        self.server: object = None
        """Kept, because uvloop closes the listening socket of a server that nobody refers to."""
        self.keeper_facts: dict[str, Any] = {}

    @staticmethod
    def now_ms() -> int:
        """Return the wall clock, for what people read; delays use the monotonic one."""
        return time.time_ns() // 1_000_000

    def process(self, process_id: str) -> Process:
        """Return a process by id or, where it is not ambiguous, by its bare name; or by pid.

        Raises RequestError `process.not_found`.
        """
        found = self.state.processes.get(process_id)
        workspace, slash, name = process_id.rpartition("/")
        if found is None and slash:  # a renamed workspace's processes keep their ids
            found = next((p for p in self.state.members(workspace) if p.settings.name == name), None)
        if found is None or found.removed:
            named = [
                process
                for process in self.state.processes.values()
                if not process.removed
                and (process.name == process_id or (alive(process.run) and str(process.run.pid) == process_id))
            ]
            found = named[0] if len(named) == 1 else None
        if found is None:
            known = sorted(self.state.processes)
            raise RequestError(
                "process.not_found",
                f"there is no process {process_id!r}; {_list_of(known, 'processes')}",
                process=process_id,
                known=known[:20],
            )
        return found

    def check_serving(self) -> None:
        """Begin nothing while the last tasks are ending, for which the loop turns. Raises `hub.restarting`."""
        if self.is_over:
            raise RequestError("hub.restarting", "the daemon is ending; send the request again")

    def drop_unused_environments(self) -> None:
        """Have the keeper forget the environments that no process and no workspace names."""
        processes, workspaces = self.state.processes.values(), self.state.workspaces.values()
        self.environments.keep_only({p.env_id for p in processes} | {w.env_id for w in workspaces})

    def leaders(self) -> dict[int, Process]:
        """Return live pids and whose they are."""
        return {p.run.pid: p for p in self.state.processes.values() if p.run and p.run.pid and alive(p.run)}

    def know(self, caller: Caller) -> None:
        """Find out who asks, once a connection."""
        if not caller.role:
            callers.resolve(caller, self.leaders(), self.keeper_facts.get("keeper_pid", 0), self._owner)

    def check_caller(self, caller: Caller, command: Command[Reply]) -> None:
        """Refuse what a caller may not do."""
        self.know(caller)
        self.notifications.check(caller, type(command).__name__)
        if caller.role != "person":
            callers.check(caller, command, self._owner(caller.run_id or ""), self._target(command))

    def viewer(self, message: dict[str, Any]) -> None:
        """A viewer came or went."""
        if message.get("pid") == os.getpid():
            return  # one of our own, that looks for a line
        self.gui.viewer(message, listed=not self.keeper_facts)
        if message["state"] == "gone":
            self.viewers.pop(message["viewer_id"], None)
            return
        self.viewers[message["viewer_id"]] = message["process_id"]
        process = self.state.processes.get(message["process_id"])
        if process is not None:
            notices.clear(self, process)
            if not message.get("read_only"):
                self.spares.claim(process)
            self.pool.release(process)

    def from_keeper(self, message: dict[str, Any], fds: list[int]) -> None:
        """Take what the keeper says by itself, once adoption is over."""
        name = message["m"]
        close_all(fds)
        if name == messages.EXITED:
            self.pool.exited(message)
        elif name == messages.PING:
            self.link.send({"m": messages.PONG, "re": message["n"]})
        elif name == messages.VIEWER:
            self.viewer(message)
        elif name == messages.SUSPENDED:
            process = self.state.processes.get(message["process_id"])
            if process is not None:
                self.pool.suspended(process, message["run_id"], message["suspended"], message["left"])
        elif name in {messages.CALLED, messages.ANSWERED}:
            notices.from_keeper(self, message)
        elif name == messages.LOST:
            data = {"process_id": message["process_id"], "workspace": None, "reason": f"{message['bytes']} bytes"}
            self.counts.lost_bytes[message["process_id"]] += message["bytes"]
            self.bus.publish("process.output_lost", data)

    def _owner(self, run_id: str) -> Process | None:
        """Return whose run this is; a planned one too: its program may ask before the keeper's answer is read."""
        for process in self.state.processes.values():
            if run_id and any(run.run_id == run_id for run in (process.run, process.planned) if run):
                return process
        return None

    def _target(self, command: Command[Reply]) -> Process | None:
        """Return the process that a command names, if there is one."""
        named = getattr(command, "process", None)
        try:
            return self.process(named) if named else None
        except RequestError:
            return None

    async def keep_house(self) -> None:
        """Drop what has expired, for ever."""
        while True:
            self.store.prune(self.now_ms())
            self.expire_logs()
            await anyio.sleep(AFTER_START_S)  # a new hub has more urgent things to write
            self.store.settle_figures(self.now_ms())
            await anyio.sleep(HOUSEKEEPING_EVERY_S - AFTER_START_S)

    def tell_log_room(self) -> None:
        """Tell the keeper what all output together may take."""
        self.link.send({"m": messages.LOG_ROOM, "bytes": self.settings.logs.total << 20})

    def expire_logs(self) -> None:
        """Have the keeper delete the output that is too old."""
        before = self.now_ms() - int(self.settings.logs.keep_days * 86_400_000)
        for process_id in self.state.processes:
            self.link.send({"m": messages.LOG_EXPIRE, "process_id": process_id, "before": before})


async def run() -> int:
    """Run a hub until it is told to end; return the exit code."""
    os.makedirs(paths.state_dir(), mode=0o700, exist_ok=True)
    store = Store.open(paths.database(), server.thread_waker(), soon=server.soon(), on_error=_say_store_error)
    if store.set_aside is not None:
        log.error("database.set_aside", moved_to=store.set_aside, epoch=store.epoch)
    link = KeeperLink(paths.keeper_socket())
    hub = Hub(store, link, load())
    ran = restoring.after_damage(hub) if store.set_aside is not None else set()
    reloading.begin(hub)
    try:
        await link.connect(hub.hub_id)
        async with anyio.create_task_group() as tasks:
            hub.tasks = tasks
            tasks.start_soon(_end_on_signal, hub)
            tasks.start_soon(_reload_on_signal, hub)
            tasks.start_soon(link.write)
            await tasks.start(_read_keeper, hub)
            if store.set_aside is not None:
                restoring.go_on(hub, ran)
            await serve_public(hub)
            hub.notifications.look()
            tasks.start_soon(hub.scraping.configure)
            tasks.start_soon(hub.timers.run)
            tasks.start_soon(hub.gui.run)
            tasks.start_soon(hub.sampling.run)
            tasks.start_soon(hub.heartbeats.run)
            tasks.start_soon(hub.keep_house)
            tasks.start_soon(hub.snapshots.run)
            await hub.stopping.wait()
            await hub.snapshots.at_last()
            await hub.gui.finish()
            hub.sampling.write()
            hub.bus.publish("hub.stopping", {"hub_id": hub.hub_id})
            hub.is_over = True
            tasks.cancel_scope.cancel()
    finally:
        hub.is_over = True
        link.close()
        store.close()
    return 0


async def serve_public(hub: Hub) -> None:
    """Finish what was accepted before, then answer the public socket."""
    hub.bus.publish("hub.started", {"hub_id": hub.hub_id})
    if hub.state.processes or hub.state.workspaces:
        hub.handlers.load()
    hub.dispatcher.resume()
    await hub.store.wait_committed(hub.store.ticket())
    listener = socket.socket(fileno=hub.listeners["public"])
    listener.setblocking(False)
    hub.server = await server.serve(listener, hub.dispatcher)
    log.info("hub.serving", hub_id=hub.hub_id, processes=len(hub.state.processes))


async def _read_keeper(hub: Hub, *, task_status: anyio.abc.TaskStatus[None]) -> None:
    adoption = Adoption(hub)

    def take(message: dict[str, Any], fds: list[int]) -> None:
        if adoption.done:
            hub.from_keeper(message, fds)
            return
        adoption.take(message, fds)
        if adoption.done:
            adoption.settle()
            hub.link.is_forgiving = True
            task_status.started()

    await hub.link.run(take)


async def _end_on_signal(hub: Hub) -> None:
    with anyio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
        async for _ in signals:
            hub.stopping.set()
            return


async def _reload_on_signal(hub: Hub) -> None:
    with anyio.open_signal_receiver(signal.SIGHUP) as signals:
        async for _ in signals:
            with contextlib.suppress(RequestError):  # it was said in the log and as an event
                reloading.reload(hub)


def _say_store_error(error: RequestError | None) -> None:
    if error is None:
        log.info("store.works_again")
    else:
        log.error("store.failing", code=error.code, message=error.message)


def _boot_id() -> str | None:
    try:
        with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
            return file.read().strip()
    except OSError:
        return None


def _list_of(known: list[str], what: str) -> str:
    if not known:
        return f"there are no {what} yet"
    return f"known are {', '.join(known[:8])}" + (" …" if len(known) > 8 else "")
