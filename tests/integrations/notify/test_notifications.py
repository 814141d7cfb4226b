"""Notifications by rules, with a real daemon and a receiver on loopback: each once, whoever dies meanwhile."""

from __future__ import annotations

import json
import os
import signal
import socket
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.support.commandline import CommandLine
from tests.support.configured import configured_daemon, write_config
from tests.support.daemon import Daemon
from tests.support.receiver import Receiver, receiving
from tests.support.viewing import Pane
from tests.support.waiting import until
from wezparallel.errors import RequestError

HUSH = "hush-token-1234"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as one:
        yield one


@contextmanager
def telling(tmp_path: Path, receiver: Receiver, rules: str, channels: str = "", more: str = "") -> Iterator[Daemon]:
    """Give a daemon with rules, whose channel `phone` is the receiver."""
    with configured_daemon(tmp_path, configuration(receiver, rules, channels, more)) as daemon:
        yield daemon


def configuration(receiver: Receiver, rules: str, channels: str = "", more: str = "") -> str:
    phone = f"phone: {{ webhook: '{receiver.url('/' + HUSH)}', backoff: 20ms }}"
    lines = [f"    {line}" for line in (phone, *channels.splitlines())]
    shown = [f"    {line}" for line in rules.splitlines()]
    return "\n".join(["notifications:", "  channels:", *lines, "  rules:", *shown, more])


def add(daemon: Daemon, name: str, script: str, **fields: Any) -> None:
    said = {"restart": "never"} | fields
    daemon.call("ProcessAdd", id=name, command="/bin/sh", args=["-c", script], **said)


def came(receiver: Receiver, text: str) -> bool:
    return any(text in body for body in receiver.bodies())


def settle(daemon: Daemon) -> None:
    """Wait until all that happened so far was heard: a test is asked for by an event that comes behind it."""
    daemon.call("AlertTest", name="phone")


def program(daemon: Daemon) -> dict[str, Any] | None:
    found = [one for one in daemon.call("ProcessList")["processes"] if one["name"] == "notifications"]
    return found[0] if found else None


def test_each_kind_arrives_once(tmp_path: Path, receiver: Receiver) -> None:
    rules = """\
broken: { on: exit_abnormal, channels: phone }
long: { on: finished, after: 0, where: [good], channels: phone }
failing: { on: error, channels: [phone, phone] }
full: { on: threshold, channels: phone }
asks: { on: waiting, channels: phone }
mine: { on: workspace.created, channels: phone }"""
    with telling(tmp_path, receiver, rules, more="alerts: { disk_percent: 0.0001 }") as daemon:
        add(daemon, "bad", "exit 3")
        add(daemon, "good", "exit 0")
        add(daemon, "dull", "exit 0")
        add(daemon, "loop", "exit 7", restart="always", backoff_s=0, give_up={"tries": 2})
        daemon.call("ProcessNotify", process="good", text="may I?")
        add(daemon, "shop/x", "exit 0", root="/")
        for text in (
            "bad: exited 3",
            "good: finished",
            "loop: given up",
            "good: may I?",
            "shop: created",
            "disk is at",
        ):
            until(lambda text=text: came(receiver, text), 30, text)  # type: ignore[misc]
        settle(daemon)
        kinds = Counter((post.json["kind"], post.json["title"]) for post in receiver.posts)
        kinds.pop(("test", "wezparallel"))
        assert kinds == {
            ("exit_abnormal", "bad"): 1, ("finished", "good"): 1, ("exit_abnormal", "loop"): 1, ("error", "loop"): 1,
            ("threshold", "wezparallel"): 1, ("waiting", "good"): 1, ("workspace.created", "shop"): 1,
        }  # fmt: skip
        assert len({post.json["id"] for post in receiver.posts}) == len(receiver.posts)


def test_a_dead_receiver_holds_up_nobody_and_gets_it_when_it_lives(tmp_path: Path, receiver: Receiver) -> None:
    with socket.socket() as taken:  # bound and never listened at: nobody else gets the port meanwhile
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        dead = f"dead: {{ webhook: 'http://127.0.0.1:{port}/x', backoff: 20ms, tries: 100 }}"
        rules = "broken: { on: exit_abnormal, channels: [dead, phone] }"
        with telling(tmp_path, receiver, rules, dead) as daemon:
            for number in range(3):
                add(daemon, f"bad{number}", "exit 3")
            until(lambda: len(receiver.posts) == 3, 20, "three messages beside the dead receiver")
            log = daemon.home / "state" / "wezterm-parallel" / "logs" / "notifications"
            until(lambda: b"attempt 3 failed: Connection refused" in written(log), 20, "attempts with backoff")
            taken.close()
            with receiving(port) as alive:
                until(lambda: len(alive.posts) == 3, 20, "what had waited")
                assert [post.json["title"] for post in alive.posts] == ["bad0", "bad1", "bad2"]
                assert len(receiver.posts) == 3


def test_a_receiver_that_never_answers_holds_up_nobody_and_no_stop(tmp_path: Path, receiver: Receiver) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        hung = f"hung: {{ webhook: 'http://127.0.0.1:{silent.getsockname()[1]}/x', timeout: 60 }}"
        rules = "broken: { on: exit_abnormal, channels: [hung, phone] }"
        with telling(tmp_path, receiver, rules, hung) as daemon:
            for number in range(3):
                add(daemon, f"bad{number}", "exit 3")
            until(lambda: len(receiver.posts) == 3, 20, "three messages beside the silent receiver")
            daemon.call("ProcessStop", process="notifications")
            stopped = daemon.call("ProcessGet", process="notifications")["process"]
            assert (stopped["state"], stopped["exit_code"], stopped["signal"]) == ("stopped", 0, None)
            said = json.loads((daemon.home / "state" / "wezterm-parallel" / "notifications.json").read_text())
            assert [message[3] for box, _, message in said["waiting"]] == ["bad0", "bad1", "bad2"]


def written(folder: Path) -> bytes:
    return b"".join(one.read_bytes() for one in folder.iterdir() if one.is_file()) if folder.exists() else b""


def test_the_death_of_the_hub_loses_and_doubles_nothing(tmp_path: Path, receiver: Receiver) -> None:
    with telling(tmp_path, receiver, "broken: { on: exit_abnormal, channels: phone }") as daemon:
        settle(daemon)
        before = program(daemon)
        assert before is not None
        add(daemon, "first", "exit 3")
        add(daemon, "later", "read line; exit 4", tty=True)
        daemon.kill_hub()
        daemon.call("ProcessType", process="later", text="go", enter=True)
        add(daemon, "last", "exit 5")
        until(lambda: {"first", "later", "last"} <= {post.json["title"] for post in receiver.posts}, 20, "all three")
        settle(daemon)
        titles = Counter(post.json["title"] for post in receiver.posts)
        assert titles == {"first": 1, "later": 1, "last": 1, "wezparallel": 2}
        after = program(daemon)
        assert after is not None
        assert after["pid"] == before["pid"]


def test_its_own_death_loses_nothing_that_had_waited_or_happened_meanwhile(
    tmp_path: Path, receiver: Receiver
) -> None:
    rule = "broken: { on: exit_abnormal, where: [sent, waits, meanwhile], channels: phone }"
    with telling(tmp_path, receiver, rule) as daemon:
        add(daemon, "sent", "exit 3")
        until(lambda: bool(receiver.posts), 20, "the first message")
        until(lambda: noted(daemon, receiver.posts[0].json["event"]["seq"]), 20, "that it was sent, written down")
        receiver.answers = [(503, {})] * 8
        add(daemon, "waits", "exit 3")
        until(lambda: len(receiver.posts) > 1, 20, "the first attempt")
        one = program(daemon)
        assert one is not None
        os.kill(one["pid"], signal.SIGSTOP)
        add(daemon, "meanwhile", "exit 4")
        os.kill(one["pid"], signal.SIGKILL)
        until(lambda: {"waits", "meanwhile"} <= {event["title"] for event in sent(daemon)}, 20, "both")
        settle(daemon)
        assert Counter(event["title"] for event in sent(daemon)) == {"sent": 1, "waits": 1, "meanwhile": 1}
        assert Counter(post.json["title"] for post in receiver.posts)["sent"] == 1


def noted(daemon: Daemon, seq: int) -> bool:
    said = json.loads((daemon.home / "state" / "wezterm-parallel" / "notifications.json").read_text())
    return said["since"] >= seq and said["waiting"] == []


def sent(daemon: Daemon, what: str = "sent") -> list[dict[str, Any]]:
    """Return the data of all that arrived so far; or that `failed`."""
    found = []
    with daemon.client() as client:
        until_seq = client.call("Status", {})["seq"]
        for message in client.subscribe(["*"], since=0):
            event = message.get("Event")
            if event and event["name"] == f"notification.{what}":
                found.append(event["data"])
            if event and event["seq"] >= until_seq:
                return found
    return found


def test_addresses_stand_nowhere_but_in_the_file(tmp_path: Path, receiver: Receiver) -> None:
    channels = f"""\
dead: {{ webhook: 'http://127.0.0.1:1/{HUSH}', headers: {{ Authorization: {HUSH} }}, tries: 2, backoff: 10ms }}
team: {{ apprise: 'json://127.0.0.1:{receiver.port}/{HUSH}' }}
bad: {{ command: 'echo {HUSH} >&2; exit 1', tries: 1 }}"""
    rules = "broken: { on: exit_abnormal, channels: [phone, dead, team, bad] }"
    with telling(tmp_path, receiver, rules, channels) as daemon, daemon.client() as client:
        add(daemon, "oops", "exit 3")
        until(lambda: len(receiver.posts) == 2, 30, "both that work")
        seen = json.dumps([daemon.call("AlertTest", name="broken"), daemon.call("ConfigGet"), daemon.call("Status")])
        seen += json.dumps(daemon.call("ProcessList")) + json.dumps(daemon.call("Describe"))
        for message in client.subscribe(["*"], since=0):
            seen += json.dumps(message)
            if message.get("Event", {}).get("name") == "notification.failed":
                break
        command_line = CommandLine(daemon.env, tmp_path)
        for words in (["config", "show"], ["config", "show", "--json"], ["events"], ["logs", "--all"], ["doctor"]):
            done = command_line(*words)
            seen += done.out + done.err
        file = daemon.home / "config" / "wezterm-parallel" / "config.yaml"
        right = file.read_text()
        wrongs = ["ui: { theme: [] }\n" + right, right.replace("'http:", "'nope:"), right.replace("[phone", "[phon")]
        for wrong in wrongs:
            file.write_text(wrong)
            with pytest.raises(RequestError) as caught:
                daemon.call("ConfigReload")
            seen += str(caught.value) + json.dumps(caught.value.data)
            seen += command_line("config", "check").out
        assert "webhook http://" in seen  # it was shown, without its address
        assert HUSH not in seen
        state = daemon.home / "state"
        for path in (one for one in state.rglob("*") if one.is_file()):
            assert HUSH.encode() not in path.read_bytes(), path
        assert HUSH.encode() not in (daemon.home / "keeper.err").read_bytes()


def test_only_the_program_that_sends_is_told_the_addresses(tmp_path: Path, receiver: Receiver) -> None:
    with telling(tmp_path, receiver, "broken: { on: exit_abnormal, channels: phone }") as daemon:
        for command, fields in (("NotificationGet", {}), ("NotificationReport", {"channel": "phone"})):
            with pytest.raises(RequestError) as caught:
                daemon.call(command, **fields)
            assert caught.value.code == "caller.agent_not_allowed"
            assert HUSH not in json.dumps(caught.value.data) + caught.value.message


def test_it_runs_while_there_are_rules_and_takes_changed_ones(tmp_path: Path, receiver: Receiver) -> None:
    home = tmp_path / "home"
    with configured_daemon(tmp_path, "ui: { theme: dark }\n") as daemon:
        assert program(daemon) is None
        with pytest.raises(RequestError, match="no rules") as caught:
            daemon.call("AlertTest", name="desktop")
        assert caught.value.code == "process.not_running"
        write_config(home, configuration(receiver, "broken: { on: exit_abnormal, channels: phone }"))
        daemon.call("ConfigReload")
        add(daemon, "bad", "exit 3")  # from the first moment on nothing is missed
        until(lambda: came(receiver, "bad: exited 3"), 20, "the message")
        write_config(home, configuration(receiver, "asks: { on: waiting, channels: phone }"))
        daemon.call("ConfigReload")
        daemon.call("ProcessNotify", process="bad", text="may I?")
        until(lambda: came(receiver, "bad: may I?"), 20, "what the new rule tells")
        add(daemon, "worse", "exit 4")
        settle(daemon)
        assert not came(receiver, "worse")
        with pytest.raises(RequestError, match="Did you mean 'phone'") as caught:
            daemon.call("AlertTest", name="phoen")
        assert caught.value.code == "command.bad_value"
        daemon.call("ProcessStop", process="notifications")
        with pytest.raises(RequestError, match="start it with"):
            daemon.call("AlertTest", name="phone")
        write_config(home, "ui: { theme: dark }\n")
        daemon.call("ConfigReload")
        until(lambda: program(daemon) is None, 10, "its end")


def test_a_test_says_what_became_of_it_in_each_channel(tmp_path: Path, receiver: Receiver) -> None:
    dead = "dead: { webhook: 'http://127.0.0.1:1/x', tries: 100 }"
    with telling(tmp_path, receiver, "broken: { on: exit_abnormal, channels: [dead, phone] }", dead) as daemon:
        wezparallel = CommandLine(daemon.env, tmp_path)
        done = wezparallel("notify", "--test", "broken")
        assert (done.code, done.out) == (1, "✗ dead  Connection refused\n✓ phone  sent\n")
        assert wezparallel("notify", "--test", "phone").code == 0
        assert [post.json["kind"] for post in receiver.posts] == ["test", "test"]
        nobody = json.loads(wezparallel("notify", "--test", "terminal", "--json").out)["results"]
        assert "no terminal" in nobody[0]["reason"]


def test_what_the_hub_tells_by_itself_can_be_switched_off_and_is_not_told_twice(
    tmp_path: Path, receiver: Receiver
) -> None:
    rules = "broken: { on: [exit_abnormal, waiting], where: [bad, early], channels: [terminal, phone] }"
    off = "  tell_waiting: false"
    pane = Pane()
    try:
        with telling(tmp_path, receiver, rules, more=off) as daemon:
            add(daemon, "early", "exit 3")
            until(lambda: bool(sent(daemon, "failed")), 20, "that nobody was there to see it")
            assert sent(daemon, "failed")[0]["channel"] == "terminal"
            daemon.call("ProcessAdd", id="home", command="cat", tty=True)
            pane.attach(daemon, "home", leads=True, TERM="xterm-256color")
            until(lambda: daemon.call("ViewList", process="home")["views"], 10, "the view")
            pane.type(b"here\r")
            seen = pane.expect(b"here\r\nhere")
            add(daemon, "bad", "exit 3")
            until(lambda: came(receiver, "bad: exited 3"), 20, "the rule's message")
            daemon.call("ProcessNotify", process="home", text="of no rule")
            daemon.call("ProcessNotify", process="bad", text="by the rule")
            seen += pane.expect(b"notify;bad;by the rule")
            daemon.call("AlertTest", name="terminal")
            seen += pane.expect(b"a test of terminal")
            assert seen.count(b"notify;bad;exited 3") == 1
            assert b"of no rule" not in seen
    finally:
        pane.close()
