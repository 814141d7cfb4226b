"""Each way to tell somebody, with a real other side."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anyio
import pytest

from tests.support.receiver import Receiver, receiving
from tests.support.waiting import until
from wezparallel.integrations.notify import service
from wezparallel.integrations.notify.channels import AttemptError, command, desktop, services, webhook
from wezparallel.integrations.notify.rules import Message

MESSAGE = Message(
    "e-1-7-broken", "broken", "exit_abnormal", "shop/sérver", "exited 3 <&>", "2026-01-01T00:00:00.000Z",
    {"name": "process.exited", "seq": 7, "data": {"process_id": "shop/sérver"}},
)  # fmt: skip
HUSH = "hush-hush"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as one:
        yield one


def post(receiver: Receiver, **said: Any) -> None:
    webhook.send({"webhook": receiver.url(f"/{HUSH}"), "timeout": 10, **said}, MESSAGE)


def refused(call: Any) -> AttemptError:
    with pytest.raises(AttemptError) as caught:
        call()
    assert HUSH not in str(caught.value)
    return caught.value


def test_a_webhook_gets_all_of_it_as_json(receiver: Receiver) -> None:
    post(receiver, headers={"Authorization": "Bearer x"})
    (one,) = receiver.posts
    assert (one.path, one.headers["authorization"]) == (f"/{HUSH}", "Bearer x")
    assert (one.headers["content-type"], one.headers["idempotency-key"]) == ("application/json", "e-1-7-broken")
    assert one.json == {
        "id": "e-1-7-broken", "rule": "broken", "kind": "exit_abnormal", "title": "shop/sérver",
        "body": "exited 3 <&>", "text": "shop/sérver: exited 3 <&>", "at": "2026-01-01T00:00:00.000Z",
        "event": MESSAGE.event,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("form", "body"),
    [
        ("slack", {"text": "shop/sérver: exited 3 &lt;&amp;&gt;"}),
        ("discord", {"content": "shop/sérver: exited 3 <&>", "allowed_mentions": {"parse": []}}),
    ],
)
def test_a_webhook_speaks_as_its_service_does(receiver: Receiver, form: str, body: dict[str, Any]) -> None:
    post(receiver, format=form)
    assert receiver.posts[0].json == body


def test_a_webhook_can_get_plain_text(receiver: Receiver) -> None:
    post(receiver, format="text")
    assert (receiver.posts[0].body, receiver.posts[0].headers["title"]) == (b"exited 3 <&>", "shop/s?rver")


@pytest.mark.parametrize(("status", "again"), [(500, True), (503, True), (429, True), (408, True), (404, False)])
def test_what_a_webhook_answers_tells_whether_to_try_again(receiver: Receiver, status: int, again: bool) -> None:
    receiver.answers = [(status, {})]
    error = refused(lambda: post(receiver))
    assert (error.reason, error.again) == (f"HTTP {status}", again)


def test_a_webhook_that_asks_to_be_left_alone_is(receiver: Receiver) -> None:
    receiver.answers = [(429, {"Retry-After": "7"}), (503, {"Retry-After": "99999"}), (503, {"Retry-After": "soon"})]
    assert [refused(lambda: post(receiver)).wait_s for _ in range(3)] == [7.0, 600.0, None]


def test_a_redirect_takes_the_headers_nowhere(receiver: Receiver) -> None:
    with receiving() as other:
        receiver.answers = [(302, {"Location": other.url()})]
        assert refused(lambda: post(receiver)).reason == "HTTP 302"
        assert other.posts == []


def test_nobody_there_is_said_without_the_address(receiver: Receiver) -> None:
    receiver.close()
    error = refused(lambda: post(receiver))
    assert (error.reason, error.again) == ("Connection refused", True)
    bad = {"webhook": f"http://127.0.0.1:99999/{HUSH}", "timeout": 1}
    refused(lambda: webhook.send(bad, MESSAGE))


def run_command(said: Any, timeout: float = 10.0) -> None:
    anyio.run(command.send, {"command": said, "timeout": timeout}, MESSAGE)


def test_a_command_reads_it_from_stdin_and_from_variables(tmp_path: Path) -> None:
    out = tmp_path / "out"
    run_command(f'cat > {out}; printf "%s|" "$WEZPARALLEL_TITLE" "$WEZPARALLEL_BODY" "$WEZPARALLEL_KIND" >> {out}')
    first, rest = out.read_text().split("\n")
    assert json.loads(first)["event"] == MESSAGE.event
    assert rest == "shop/sérver|exited 3 <&>|exit_abnormal|"
    run_command([sys.executable, "-c", f"open({str(out)!r}, 'w').write('argv')"])
    assert out.read_text() == "argv"


def test_a_command_that_fails_is_tried_again_and_one_that_is_missing_is_not() -> None:
    assert refused(lambda: run_command("exit 3")).reason == "it ended with 3"
    assert refused(lambda: run_command("kill -9 $$")).reason == "it was ended by signal 9"
    missing = refused(lambda: run_command([f"/nonexistent/{HUSH}"]))
    assert (missing.reason, missing.again) == ("No such file or directory", False)


def test_a_command_that_hangs_is_ended_with_all_that_it_started(tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    error = refused(lambda: run_command(f"sleep 1000 & echo $! > {pid}; wait", timeout=0.5))
    assert "did not end within 0.5 s" in error.reason
    child = int(pid.read_text())
    until(lambda: not _runs(child), 10, "the end of what it had started")


def _runs(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_a_desktop_shows_it_by_notify_send_else_by_its_bus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent")
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    out = tmp_path / "out"

    def program(name: str, status: int) -> None:
        (tmp_path / name).write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" >> {out}\nexit {status}\n')
        (tmp_path / name).chmod(0o755)

    program("notify-send", 0)
    assert anyio.run(desktop.send, MESSAGE)
    assert out.read_text().split("\n")[-4:] == ["--", "shop/sérver", "exited 3 &lt;&amp;&gt;", ""]
    program("notify-send", 1)
    program("gdbus", 0)
    assert anyio.run(desktop.send, MESSAGE._replace(title='a "b" \\'))
    assert '"a \\"b\\" \\\\"' in out.read_text()
    program("gdbus", 1)
    assert not anyio.run(desktop.send, MESSAGE)


def test_without_a_session_bus_there_is_no_desktop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DBUS_SESSION_BUS_ADDRESS", raising=False)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    (tmp_path / "notify-send").write_text("#!/bin/sh\n")
    (tmp_path / "notify-send").chmod(0o755)
    if os.path.exists(f"/run/user/{os.getuid()}/bus"):
        pytest.skip("this machine has a desktop")
    assert not anyio.run(desktop.send, MESSAGE)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # Apprise's own, on older Pythons
def test_apprise_posts_to_its_address(receiver: Receiver) -> None:
    pytest.importorskip("apprise")
    services.send({"apprise": [f"json://127.0.0.1:{receiver.port}/{HUSH}"]}, MESSAGE)
    (one,) = receiver.posts
    assert (one.json["title"], one.json["message"]) == ("shop/sérver", "exited 3 <&>")


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_what_apprise_cannot_use_is_said_without_the_address(
    receiver: Receiver, capfd: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("apprise")
    unknown = refused(lambda: services.send({"apprise": [f"nothing-known://{HUSH}"]}, MESSAGE))
    assert (unknown.again, "address 1" in unknown.reason) == (False, True)
    receiver.answers = [(500, {})]
    failed = refused(lambda: services.send({"apprise": [f"json://127.0.0.1:{receiver.port}/{HUSH}"]}, MESSAGE))
    assert failed.again
    assert HUSH not in "".join(capfd.readouterr())


def test_without_apprise_it_is_said_what_brings_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "apprise", None)
    error = refused(lambda: services.send({"apprise": [f"slack://{HUSH}"]}, MESSAGE))
    assert "wezparallel[notify]" in error.reason
    assert not error.again


def test_each_address_of_a_channel_has_a_queue_of_its_own() -> None:
    said = {"apprise": ["a://x", "b://y"], "tries": 3}
    assert service._parts("team", said) == [
        ("team#1", {"apprise": ["a://x"], "tries": 3}), ("team#2", {"apprise": ["b://y"], "tries": 3}),
    ]  # fmt: skip
    assert service._parts("phone", {"webhook": "http://x"}) == [("phone", {"webhook": "http://x"})]
