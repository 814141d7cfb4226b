"""Logs as the hub reads them: from the disk, from the keeper's memory, as a recording."""

from __future__ import annotations

import json
from base64 import b64decode
from typing import Any

import pytest

from tests.support.daemon import Daemon
from tests.support.waiting import until
from wezparallel.errors import RequestError

pytestmark = pytest.mark.one_daemon


def add(daemon: Daemon, process: str, script: str, **fields: Any) -> dict[str, Any]:
    return daemon.call("ProcessAdd", id=process, command="sh", args=["-c", script], restart="never", **fields)


def text_of(daemon: Daemon, process: str, **fields: Any) -> str:
    data = b""
    while True:
        page = daemon.call("LogRead", process=process, **fields)
        for chunk in page["chunks"]:
            data += b64decode(chunk["text"]) if chunk["encoding"] == "base64" else chunk["text"].encode()
        if page["next"] is None:
            return data.decode()
        fields = {"offset": page["next"]}


def ended(daemon: Daemon, process: str) -> None:
    until(lambda: daemon.call("ProcessGet", process=process)["process"]["exit_code"] is not None, 15, "the end")


def recording(daemon: Daemon, process: str, **fields: Any) -> tuple[dict[str, Any], list[list[Any]], int]:
    """Return the header, the events and the number of pages."""
    text, pages, cursor = "", 0, None
    while True:
        page = daemon.call("LogExport", process=process, cursor=cursor, **fields)
        text += page["text"]
        pages += 1
        cursor = page["next"]
        if cursor is None:
            head, *events = map(json.loads, text.split("\n")[:-1])
            return head, events, pages


def state_dir_holds(daemon: Daemon, word: bytes) -> bool:
    return any(word in file.read_bytes() for file in (daemon.home / "state").rglob("*") if file.is_file())


SECRET = "printf 'cla%s\\n' ssified"  # the word itself stands in no command line


@pytest.mark.parametrize("log", ["memory", "off"])
def test_output_that_is_not_for_the_disk_never_touches_it(daemon: Daemon, log: str) -> None:
    add(daemon, "quiet", f"{SECRET}; exec sleep 1000", log=log)
    add(daemon, "loud", f"{SECRET}; exec sleep 1000")
    until(lambda: "classified" in text_of(daemon, "loud"), 10, "output")
    assert state_dir_holds(daemon, b"classified")
    daemon.call("ProcessRemove", process="loud")
    until(lambda: not state_dir_holds(daemon, b"classified"), 10, "the loud one's log to go")
    assert not (daemon.home / "state" / "wezterm-parallel" / "logs" / "quiet").exists()


def test_a_log_in_memory_is_read_as_one_on_disk_is(daemon: Daemon) -> None:
    add(daemon, "m", "echo out; sleep 0.1; echo err >&2; exec sleep 1000", log="memory")
    until(lambda: "err" in text_of(daemon, "m"), 10, "output")
    assert text_of(daemon, "m", stream="stderr") == "err\n"
    assert text_of(daemon, "m", lines=1) == "err\n"
    assert text_of(daemon, "m", since="1h") == "out\nerr\n"
    page = daemon.call("LogRead", process="m")
    assert (page["start"], page["end"]) == (0, 8)
    assert page["chunks"][0]["run_id"]


def test_a_log_in_memory_is_a_megabyte_of_ten_thousand_lines_at_most(daemon: Daemon) -> None:
    add(daemon, "m", "seq 1 300000", log="memory")
    ended(daemon, "m")
    page = daemon.call("LogRead", process="m")
    assert 0 < page["end"] - page["start"] <= 1 << 20
    lines = text_of(daemon, "m").splitlines()
    assert len(lines) == 10_000
    assert lines[-1] == "300000"
    with pytest.raises(RequestError) as gone:
        daemon.call("LogRead", process="m", offset=0)
    assert gone.value.code == "log.expired"
    assert gone.value.data["oldest"] == page["start"]


def test_output_that_is_not_kept_says_how_it_could_be(daemon: Daemon) -> None:
    add(daemon, "o", "echo out; exec sleep 1000", log="off")
    for command in ("LogRead", "LogExport"):
        with pytest.raises(RequestError) as refused:
            daemon.call(command, process="o")
        assert refused.value.code == "process.bad_state"
        assert "log: memory" in refused.value.message


def test_a_process_that_has_not_run_has_an_empty_log_in_memory(daemon: Daemon) -> None:
    add(daemon, "m", "echo out", log="memory", auto_start=False)
    assert daemon.call("LogRead", process="m")["chunks"] == []


def test_a_removed_process_leaves_no_log_in_memory(daemon: Daemon) -> None:
    add(daemon, "m", "echo first; exec sleep 1000", log="memory")
    until(lambda: "first" in text_of(daemon, "m"), 10, "output")
    daemon.call("ProcessRemove", process="m")
    add(daemon, "m", "echo second; exec sleep 1000", log="memory")
    until(lambda: "second" in text_of(daemon, "m"), 10, "output")
    assert text_of(daemon, "m") == "second\n"


def test_a_log_in_memory_outlives_the_hub(daemon: Daemon) -> None:
    add(daemon, "m", "echo kept; exec sleep 1000", log="memory")
    until(lambda: "kept" in text_of(daemon, "m"), 10, "output")
    daemon.kill_hub()
    until(lambda: text_of(daemon, "m") == "kept\n", 15, "the next hub")


# Recordings


def test_a_recording_holds_one_run_with_its_sizes(daemon: Daemon) -> None:
    add(daemon, "r", "printf 'caf\\303\\251\\033[1mx\\n'", tty=True)
    ended(daemon, "r")
    first = daemon.call("ProcessGet", process="r")["process"]["run_id"]
    daemon.call("ProcessStart", process="r")
    ended(daemon, "r")
    head, events, _ = recording(daemon, "r", run=first)
    assert {key: head[key] for key in ("version", "width", "height")} == {"version": 2, "width": 80, "height": 24}
    assert head["env"]["TERM"]
    assert "".join(event[2] for event in events if event[1] == "o") == "café\x1b[1mx\r\n"
    assert all(event[0] >= 0 for event in events)
    last = daemon.call("LogExport", process="r")
    assert last["run_id"] != first


def test_a_long_recording_comes_in_pages_that_make_one_text(daemon: Daemon) -> None:
    script = (
        'i=0; while [ $i -lt 30000 ]; do i=$((i+1)); printf "\\033[%dmä%d\\"\\\\\\033[0m\\n" $((i%8+30)) $i; done'
    )
    add(daemon, "r", script)
    ended(daemon, "r")
    _, events, pages = recording(daemon, "r")
    assert pages > 1
    whole = text_of(daemon, "r")
    assert "".join(event[2] for event in events) == whole.replace("\n", "\r\n")
    times = [event[0] for event in events]
    assert times == sorted(times)


def test_a_recording_of_a_run_that_is_not_there_is_refused(daemon: Daemon) -> None:
    add(daemon, "r", "echo", auto_start=False)
    with pytest.raises(RequestError) as none:
        daemon.call("LogExport", process="r")
    assert none.value.code == "log.expired"
    daemon.call("ProcessStart", process="r")
    ended(daemon, "r")
    with pytest.raises(RequestError) as unknown:
        daemon.call("LogExport", process="r", run="0" * 31 + "1")
    assert unknown.value.code == "log.expired"
    with pytest.raises(RequestError) as junk:
        daemon.call("LogExport", process="r", cursor="junk:1")
    assert junk.value.code == "command.bad_value"
