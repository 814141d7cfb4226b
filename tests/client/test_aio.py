"""The client for programs that do other things meanwhile: exactly once, and streams that come back."""

from __future__ import annotations

import socket
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import anyio
import pytest

from tests.support.daemon import Daemon
from tests.support.scripted_hub import PONG, ScriptedHub, process, workspace
from wezparallel.client import aio
from wezparallel.errors import LinkError, RequestError

SNAPSHOT = {"epoch": "e-1", "seq": 5, "snapshot": {"workspaces": [workspace("shop")], "processes": [process()]}}


def event(seq: int) -> dict[str, Any]:
    data = {"process_id": "shop/server", "workspace": "shop"}
    return {
        "seq": seq,
        "at": "2026-01-01T00:00:00Z",
        "name": "process.ready",
        "by": None,
        "cause": None,
        "data": data,
    }


def run(work: Callable[[aio.Client], Awaitable[None]], **options: Any) -> None:
    async def main() -> None:
        with anyio.fail_after(20):
            async with aio.connect(**options) as client:
                await work(client)

    anyio.run(main)


def test_many_requests_share_a_connection(runtime: str) -> None:
    async def work(client: aio.Client) -> None:
        async with anyio.create_task_group() as tasks:
            for _ in range(20):
                tasks.start_soon(client.call, "Ping")

    with ScriptedHub(runtime + "/hub.sock") as hub:
        run(work)
        assert len(hub.asked("Ping")) == 20
        assert len(hub._connections) == 1


def test_an_error_becomes_a_request_error_with_its_data(runtime: str) -> None:
    def refuse(_: object) -> dict[str, object]:
        raise RequestError("process.not_found", "there is no process 'x'", nearest="y")

    async def work(client: aio.Client) -> None:
        with pytest.raises(RequestError) as caught:
            await client.call("ProcessGet", {"process": "x"})
        assert (caught.value.code, caught.value.data) == ("process.not_found", {"nearest": "y"})
        assert (await client.call("Ping"))["hub_id"] == PONG["hub_id"]

    with ScriptedHub(runtime + "/hub.sock", {"ProcessGet": refuse}):
        run(work)


def test_a_mutation_is_sent_again_with_its_key_when_the_connection_ends_before_the_reply(runtime: str) -> None:
    async def work(client: aio.Client) -> None:
        await client.call("ProcessStart", {"process": "shop/server"})

    with ScriptedHub(runtime + "/hub.sock", {"ProcessStart": {"process": process()}}) as hub:
        hub.drop_next = 2
        run(work)
        keys = [fields["key"] for fields in hub.asked("ProcessStart")]
    assert len(keys) == 3
    assert len(set(keys)) == 1


def test_patience_with_a_hub_that_stays_away_ends(runtime: str) -> None:
    async def work(client: aio.Client) -> None:
        with pytest.raises(LinkError, match="did not come back"):
            await client.call("Ping")

    run(work, patience_s=0.1)


def test_a_request_that_takes_too_long_is_given_up(runtime: str) -> None:
    async def work(client: aio.Client) -> None:
        with pytest.raises(LinkError, match="in time"):
            await client.call("Ping", timeout_s=0.05)

    run(work)


def test_a_subscription_gives_a_snapshot_and_goes_on_behind_the_last_event(runtime: str) -> None:
    def subscribed(fields: dict[str, Any]) -> dict[str, Any]:
        return SNAPSHOT if fields.get("since") is None else {**SNAPSHOT, "snapshot": None}

    async def work(client: aio.Client) -> None:
        told: list[str] = []
        async for news in client.subscribe(["process.*"]):
            told.append(type(news).__name__)
            if isinstance(news, aio.Back):
                break
        assert told == ["Snapshot", "Happened", "Happened", "Away", "Back"]

    with ScriptedHub(runtime + "/hub.sock", {"Subscribe": subscribed}) as hub:
        hub.events = [event(6), event(9)]
        hub.close_after_events = True
        run(work)
        first, second = hub.asked("Subscribe")
    assert "since" not in first
    assert (second["since"], second["epoch"]) == (9, "e-1")


def test_a_subscription_goes_on_from_a_position_that_was_kept(runtime: str) -> None:
    position = aio.Position(7, "e-1")

    async def work(client: aio.Client) -> None:
        async for news in client.subscribe(["process.*"], position):
            assert isinstance(news, aio.Happened)
            break

    with ScriptedHub(runtime + "/hub.sock", {"Subscribe": {**SNAPSHOT, "snapshot": None}}) as hub:
        hub.events = [event(9)]
        run(work)
        (asked,) = hub.asked("Subscribe")
    assert (asked["since"], asked["epoch"]) == (7, "e-1")
    assert (position.since, position.epoch) == (9, "e-1")


def test_a_daemon_that_was_stopped_is_not_asked_again_and_said_to_be_stopped(runtime: str) -> None:
    async def work(client: aio.Client) -> None:
        told: list[str] = []
        async for news in client.subscribe(["process.*"]):
            if isinstance(news, aio.Happened):
                Path(runtime, "stopped").touch()
            if isinstance(news, aio.Away):
                told.append(news.reason)
                if news.reason == aio.STOPPED:
                    break
        with pytest.raises(LinkError, match="daemon start"):
            await client.call("Ping")
        assert told[-1] == aio.STOPPED

    with ScriptedHub(runtime + "/hub.sock", {"Subscribe": SNAPSHOT}) as hub:
        hub.events = [event(6)]
        hub.close_after_events = True
        run(work)
        assert len(hub.asked("Subscribe")) == 1
        assert hub.asked("Ping") == []


class LaggingHub(ScriptedHub):
    """Passes its subscriber over once."""

    def _answer(self, connection: socket.socket, line: bytes) -> bool:
        answered = super()._answer(connection, line)
        if len(self.asked("Subscribe")) == 1:
            connection.sendall(b'{"Lagged": {"missed": 3, "next": 12}}\n')
        return answered


def test_what_was_missed_is_asked_for_on_the_same_connection(runtime: str) -> None:
    async def work(client: aio.Client) -> None:
        seen = []
        async for news in client.subscribe(["process.*"]):
            seen.append(type(news).__name__)
            if len(seen) == 3:
                break
        assert seen == ["Snapshot", "Happened", "Happened"]

    def subscribed(fields: dict[str, Any]) -> dict[str, Any]:
        return SNAPSHOT if fields.get("since") is None else {**SNAPSHOT, "snapshot": None}

    with LaggingHub(runtime + "/hub.sock", {"Subscribe": subscribed}) as hub:
        hub.events = [event(8)]
        run(work)
        assert [fields.get("since") for fields in hub.asked("Subscribe")] == [None, 8]
        assert len(hub._connections) == 1


def test_no_event_is_lost_when_the_hub_is_killed(daemon: Daemon) -> None:
    async def work(client: aio.Client) -> None:
        await client.call("ProcessAdd", {"id": "work", "command": "sleep", "args": ["1000"]})
        names: list[str] = []
        async for news in client.subscribe(["process.*"]):
            if isinstance(news, aio.Snapshot):
                assert [one["process_id"] for one in news.processes] == ["work"]
                pid = (await client.call("Status"))["hub_pid"]
                daemon.kill_hub()
                # Sent into the gap: waits for the next hub.
                await client.call("ProcessStop", {"process": "work"})
                assert (await client.call("Status"))["hub_pid"] != pid
            names.append(news.event["name"] if isinstance(news, aio.Happened) else type(news).__name__)
            if names[-1] == "process.stopped":
                break
        assert names[0] == "Snapshot"
        assert names[-2:] == ["process.stopping", "process.stopped"]

    run(work, path=daemon.socket)
