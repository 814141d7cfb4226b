"""The blocking client: one effect per call, whatever happens to the connection."""

from __future__ import annotations

import os
import threading

import pytest

from tests.support.scripted_hub import PONG, ScriptedHub, process
from wezparallel.client import sync
from wezparallel.errors import LinkError, RequestError
from wezparallel.protocol import registry
from wezparallel.protocol.command import Mutation


def test_reads_are_exactly_the_commands_that_are_no_mutations() -> None:
    assert {name for name, command in registry.COMMANDS.items() if not issubclass(command, Mutation)} == sync.READS


def test_a_reply_comes_back_as_its_fields(runtime: str) -> None:
    with ScriptedHub(runtime + "/hub.sock"), sync.Client() as client:
        assert client.call("Ping")["hub_id"] == PONG["hub_id"]


def test_one_connection_serves_many_calls(runtime: str) -> None:
    with ScriptedHub(runtime + "/hub.sock") as hub, sync.Client() as client:
        for _ in range(3):
            client.call("Ping")
        assert len(hub._connections) == 1


def test_an_error_reply_becomes_a_request_error_with_its_data(runtime: str) -> None:
    def refuse(_: object) -> dict[str, object]:
        error = RequestError("process.not_found", "there is no process 'x'")
        error.data = {"nearest": "y", "code": 7, "message": "data may carry any name"}
        raise error

    with (
        ScriptedHub(runtime + "/hub.sock", {"ProcessGet": refuse}),
        sync.Client() as client,
        pytest.raises(RequestError) as caught,
    ):
        client.call("ProcessGet", {"process": "x"})
    assert caught.value.code == "process.not_found"
    assert caught.value.data["nearest"] == "y"


def test_a_mutation_is_sent_again_with_the_same_key_when_the_connection_ends_before_the_reply(runtime: str) -> None:
    with ScriptedHub(runtime + "/hub.sock", {"ProcessStart": {"process": process()}}) as hub, sync.Client() as client:
        hub.drop_next = 2
        client.call("ProcessStart", {"process": "shop/server"})
        keys = [fields["key"] for fields in hub.asked("ProcessStart")]
    assert len(keys) == 3
    assert len(set(keys)) == 1


def test_two_mutations_have_two_keys_and_a_read_has_none(runtime: str) -> None:
    answers = {"ProcessStart": {"process": process()}, "ProcessGet": {"process": process()}}
    with ScriptedHub(runtime + "/hub.sock", answers) as hub, sync.Client() as client:
        for _ in range(2):
            client.call("ProcessStart", {"process": "shop/server"})
        client.call("ProcessGet", {"process": "shop/server"})
        assert len({fields["key"] for fields in hub.asked("ProcessStart")}) == 2
        assert "key" not in hub.asked("ProcessGet")[0]


def test_a_hub_that_restarts_is_waited_for(runtime: str) -> None:
    answers = iter([RequestError("hub.restarting", "the hub restarts"), None])

    def ping(_: object) -> dict[str, object]:
        error = next(answers)
        if error is not None:
            raise error
        return PONG

    with ScriptedHub(runtime + "/hub.sock", {"Ping": ping}), sync.Client() as client:
        assert client.call("Ping")["hub_id"] == "h-1"


def test_patience_ends_with_a_link_error(runtime: str) -> None:
    with (
        sync.Client(runtime + "/hub.sock", patience_s=0.05) as client,
        pytest.raises(LinkError, match="did not come back"),
    ):
        client.call("Ping")


def test_a_hub_that_does_not_answer_in_time_is_a_link_error(runtime: str) -> None:
    release = threading.Event()

    def never(_: object) -> dict[str, object]:
        release.wait(10)
        return PONG

    with ScriptedHub(runtime + "/hub.sock", {"Ping": never}), sync.Client() as client:
        with pytest.raises(LinkError, match="in time"):
            client.call("Ping", timeout_s=0.05)
        release.set()


def test_a_server_of_another_user_is_refused(runtime: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 4242)
    with ScriptedHub(runtime + "/hub.sock"), sync.Client() as client, pytest.raises(LinkError, match="not to you"):
        client.call("Ping")


def event(seq: int) -> dict[str, object]:
    return {"seq": seq, "at": "2026-01-01T00:00:00.000Z", "name": "process.exited", "data": {"process_id": "shop/a"}}


def test_events_come_out_of_a_subscription_in_order(runtime: str) -> None:
    with ScriptedHub(runtime + "/hub.sock", {"Subscribe": {"epoch": "e-1", "seq": 4, "snapshot": None}}) as hub:
        hub.events = [event(5), event(6)]
        with sync.Client() as client:
            stream = client.subscribe(["process.*"])
            assert [next(stream)["Event"]["seq"] for _ in range(2)] == [5, 6]
            assert stream.next(0.01) is None


def test_a_subscription_goes_on_after_the_last_event_when_the_hub_restarts(runtime: str) -> None:
    with ScriptedHub(runtime + "/hub.sock", {"Subscribe": {"epoch": "e-1", "seq": 4, "snapshot": None}}) as hub:
        hub.events = [event(5)]
        hub.close_after_events = True
        with sync.Client() as client:
            stream = client.subscribe(["*"])
            next(stream)
            next(stream)
            assert hub.asked("Subscribe")[1] == {"events": ["*"], "since": 5, "epoch": "e-1"}
