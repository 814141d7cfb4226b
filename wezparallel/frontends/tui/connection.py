"""Keeps the world as the hub has it: one subscription, and new records for what an event named. Nothing is polled.

An event says that something changed; the record of it is asked for a moment later, together with those of others,
so that a storm of events costs a page of the list and not a request each.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import anyio

from wezparallel.client import aio, text
from wezparallel.client.branch import git_branch
from wezparallel.errors import LinkError, RequestError

if TYPE_CHECKING:
    from collections.abc import Callable

    from wezparallel.frontends.tui.state import World
    from wezparallel.types import Json, JsonObject, Seconds

EVENTS = ["process.*", "workspace.*", "view.*", "hub.*", "metric.sampled"]
GATHER_S = 0.1
"""How long news are gathered before their records are asked for."""
FEW = 6
"""So many records are asked for one by one; of more, the whole list."""
BETWEEN_LISTS_S = 1.0
PAGE = 100
"""Records in a reply: a key need not wait until more are read."""
REQUEST_S = 20.0


class Connection:
    """The dashboard's way to the hub."""

    def __init__(
        self, path: str | None, world: World, changed: Callable[[], None], clock: Callable[[], float]
    ) -> None:
        self._path = path
        self._world = world
        self._changed = changed
        self._clock = clock
        self._client: aio.Client | None = None
        self._begun = anyio.Event()
        self._news = anyio.Event()

    async def run(self) -> None:
        """Follow, until it is cancelled."""
        async with aio.connect(self._path, patience_s=REQUEST_S) as client, anyio.create_task_group() as tasks:
            self._client = client
            self._begun.set()
            tasks.start_soon(self._follow, client)
            tasks.start_soon(self._fetch, client)

    async def call(self, name: str, **fields: Json) -> JsonObject:
        """Send one command. Raises RequestError, LinkError."""
        await self._begun.wait()
        assert self._client is not None
        return await self._client.call(name, fields)

    async def all_of(self, command: str, field: str, **fields: Json) -> list[JsonObject]:
        """Return a whole list, page by page. Raises RequestError, LinkError."""
        found: list[JsonObject] = []
        after: Json = None
        while True:
            reply = await self.call(command, after=after, **fields)
            found += reply[field]
            after = reply.get("next")
            if not after:
                return found

    async def _follow(self, client: aio.Client) -> None:
        world = self._world
        async for news in client.subscribe(EVENTS):
            if isinstance(news, aio.Happened):
                world.happened(news.event)
            elif isinstance(news, aio.Snapshot):
                world.snapshot(map(_with_folder, news.workspaces), news.processes)
            if isinstance(news, aio.Away):
                if world.away_since is None:
                    world.away_since = self._clock()
                world.is_stopped = news.reason == aio.STOPPED
            else:
                world.away_since = None
            if world.is_stale:
                self._news.set()
            self._changed()

    async def _fetch(self, client: aio.Client) -> None:
        del client
        while True:
            await self._news.wait()
            await anyio.sleep(GATHER_S)
            self._news = anyio.Event()
            try:
                pause_s = await self._fetch_stale()
            except (RequestError, LinkError):
                pause_s = BETWEEN_LISTS_S  # the hub is away or busy: what is stale is so still
                self._news.set()
            self._changed()
            await anyio.sleep(pause_s)

    async def _machine(self) -> JsonObject:
        try:
            return await self.call("MetricGet")
        except RequestError:
            return {}  # a hub from before there was this command

    async def _fetch_stale(self) -> Seconds:
        """Ask for what is stale; return how long to leave the hub in peace."""
        world = self._world
        if world.workspaces_are_stale:
            world.workspaces_are_stale = False
            found = await self.all_of("WorkspaceList", "workspaces")
            world.workspaces = {one["name"]: _with_folder(one) for one in found}
        if world.figures_are_stale or len(world.stale) > FEW:
            sampled = world.figures_are_stale
            world.all_processes(await self.all_of("ProcessList", "processes", limit=PAGE))
            if sampled:
                world.sampled()
                world.machine = await self._machine()
            return BETWEEN_LISTS_S - GATHER_S
        for process_id in tuple(world.stale):
            world.stale.discard(process_id)
            try:
                world.one_process((await self.call("ProcessGet", process=process_id))["process"])
            except RequestError as error:
                if error.code != "process.not_found":
                    raise
                world.forget(process_id)
        return 0.0


def _with_folder(workspace: JsonObject) -> JsonObject:
    """Return a workspace with its folder as people read it, and the branch that it is on."""
    root = str(workspace.get("root") or "")
    branch = git_branch(root) if root else ""
    shown = text.home(root, os.path.expanduser("~"))
    return {**workspace, "shown_root": f"{shown} ({branch})" if branch else shown}
