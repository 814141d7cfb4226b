"""Viewers at a real keeper: cursors that miss nothing, slow no one, and are told when something is lost."""

from __future__ import annotations

import base64
import json
import os
import re
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.viewing import ATTACH, HeldKeeper, Pane, held_keeper
from tests.support.waiting import until
from wezparallel.client.frames import FROM_START, FramesViewer
from wezparallel.errors import RequestError
from wezparallel.wire import frames, hello
from wezparallel.wire.logformat import STDERR, STDOUT, TTY

MEGABYTE = 1024 * 1024
FLOOD_LINES = 3_000_000  # 22.9 MB
FLOOD = f"seq {FLOOD_LINES}"


@pytest.fixture
def held(tmp_path: Path) -> Iterator[HeldKeeper]:
    with held_keeper(tmp_path) as keeper:
        yield keeper


def connect(held: HeldKeeper, process_id: str, offset: int = -1, *, gapless: bool = True) -> FramesViewer:
    return FramesViewer.connect(process_id, offset, gapless=gapless, path=held.socket)


def silent_viewer(held: HeldKeeper, process_id: str, flags: int = hello.READ_ONLY) -> socket.socket:
    """Say hello as a frames viewer from the log's start, and read nothing."""
    sock = socket.socket(socket.AF_UNIX)
    sock.connect(held.socket)
    about = hello.Viewer(flags, (0, 0, 0, 0), FROM_START, (0, 0), None, [process_id])
    sock.sendall(frames.pack(frames.HELLO, hello.client_hello(hello.ROLE_FRAMES, about.pack())))
    held.hub.wait_for(lambda event: event["m"] == "viewer" and event["state"] == "attached")
    return sock


def read_all(sock: socket.socket, until_kind: int) -> list[tuple[int, bytes]]:
    """Read frames up to one of a kind, or the end."""
    reader = frames.FrameReader()
    seen: list[tuple[int, bytes]] = []
    while not any(kind == until_kind for kind, _ in seen) and (data := sock.recv(1 << 18)):
        seen += reader.feed(data)
    return seen


def numbers(count: int) -> bytes:
    return b"".join(b"%d\n" % number for number in range(1, count + 1))


def test_a_gapless_viewer_misses_no_byte_of_a_flood(held: HeldKeeper) -> None:
    held.hub.spawn(["/bin/sh", "-c", f"read x; {FLOOD}; exit 4"], process_id="w/p", log_cap=100 * MEGABYTE)
    with connect(held, "w/p") as viewer:
        held.hub.write("w/p", b"\n")
        got = bytearray()
        for kind, offset, stream, data, fields in viewer:
            if kind == frames.DATA:
                assert offset == len(got)
                assert stream == STDOUT
                got += data
            elif kind == frames.EXITED:
                assert fields["exit_code"] == 4
                break
    assert got == numbers(FLOOD_LINES)


def test_stdout_and_stderr_come_apart_and_in_order(held: HeldKeeper) -> None:
    script = 'for i in $(seq 300); do echo o$i; echo e$i >&2; done; read x; echo "last"'
    held.hub.spawn(["/bin/sh", "-c", script], process_id="w/p")
    with connect(held, "w/p", FROM_START) as viewer:
        held.hub.write("w/p", b"\n")
        out = {STDOUT: b"", STDERR: b""}
        for kind, _, stream, data, _ in viewer:
            if kind == frames.EXITED:
                break
            if kind == frames.DATA:
                out[stream] += data
    assert out[STDOUT] == b"".join(b"o%d\n" % number for number in range(1, 301)) + b"last\n"
    assert out[STDERR] == b"".join(b"e%d\n" % number for number in range(1, 301))


def test_a_viewer_that_comes_late_reads_the_streams_of_the_past_over_segments(held: HeldKeeper) -> None:
    script = "for i in $(seq 4000); do echo oooooooooo$i; echo eeeeeeeeee$i >&2; done; read x"
    held.hub.spawn(["/bin/sh", "-c", script], process_id="w/p", log_cap=4 * MEGABYTE)
    until(lambda: b"eeeeeeeeee4000\n" in held.log("w/p") and b"oooooooooo4000\n" in held.log("w/p"), 20, "the output")
    with connect(held, "w/p", FROM_START) as viewer:
        out = {STDOUT: b"", STDERR: b""}
        for kind, _, stream, data, _ in viewer:
            if kind == frames.DATA:
                out[stream] += data
            if viewer.offset == viewer.welcome.end:
                break
    assert out[STDOUT] == b"".join(b"oooooooooo%d\n" % number for number in range(1, 4001))
    assert out[STDERR] == b"".join(b"eeeeeeeeee%d\n" % number for number in range(1, 4001))


def test_viewers_that_never_read_do_not_slow_the_program(held: HeldKeeper) -> None:
    started = held.hub.spawn(["/bin/sh", "-c", f"read x; {FLOOD}"], process_id="w/p", tty=True)
    pane = Pane()
    try:
        pane.attach(held, "w/p")
        held.hub.wait_for(lambda event: event["m"] == "viewer" and event["state"] == "attached")
        until(lambda: pane.is_raw, 10, "the terminal in the keeper's hands")
        with silent_viewer(held, "w/p"):
            held.hub.write("w/p", b"\n")
            assert held.hub.exited(str(started["run_id"]))["exit_code"] == 0
        # The terminal, 23 MB behind and more than anybody wants to see, jumps to the end once it is read.
        pane.expect(b"bytes skipped; they are in the log]")
        pane.expect(b"Enter close")
    finally:
        pane.close()


def test_a_gapless_viewer_behind_the_cap_is_told_the_loss_and_ended(held: HeldKeeper) -> None:
    started = held.hub.spawn(["/bin/sh", "-c", f"read x; {FLOOD}"], process_id="w/p", log_cap=4 * MEGABYTE)
    with silent_viewer(held, "w/p", hello.READ_ONLY | hello.GAPLESS) as sock:
        held.hub.write("w/p", b"\n")
        held.hub.exited(str(started["run_id"]))
        seen = read_all(sock, frames.LOST)
        assert sock.recv(1 << 16) == b""
    data = b"".join(payload[9:] for kind, payload in seen if kind == frames.DATA)
    whole = numbers(FLOOD_LINES)
    assert whole.startswith(data)
    kind, payload = seen[-1]
    assert kind == frames.LOST
    rest = held.log("w/p")
    assert len(data) + int.from_bytes(payload, "big") == len(whole) - len(rest)


def test_another_viewer_that_is_too_far_behind_jumps_to_the_end_with_a_note(held: HeldKeeper) -> None:
    script = f"read x; {FLOOD}; read x; echo last"
    held.hub.spawn(["/bin/sh", "-c", script], process_id="w/p", log_cap=100 * MEGABYTE)
    with silent_viewer(held, "w/p") as sock:
        held.hub.write("w/p", b"\n")
        until(lambda: held.log("w/p").endswith(b"%d\n" % FLOOD_LINES), 20, "the flood's end")
        assert any(kind == frames.NOTE and b"skipped" in payload for kind, payload in read_all(sock, frames.NOTE))
        held.hub.write("w/p", b"\n")
        seen = read_all(sock, frames.EXITED)
        assert b"".join(payload[9:] for kind, payload in seen if kind == frames.DATA) == b"last\n"


def test_exits_and_starts_stand_where_they_happened(held: HeldKeeper) -> None:
    first = held.hub.spawn(["/bin/sh", "-c", "read x; printf one; exit 1"], process_id="w/p")
    with connect(held, "w/p") as viewer:
        held.hub.write("w/p", b"\n")
        held.hub.exited(str(first["run_id"]))
        second = held.hub.spawn(["/bin/sh", "-c", "printf two"], process_id="w/p")
        held.hub.exited(str(second["run_id"]))
        held.hub.call("forget", process_id="w/p")
        seen = [(kind, data or fields.get("run_id")) for kind, _, _, data, fields in viewer]
        assert viewer.is_final
    assert seen == [
        (frames.DATA, b"one"),
        (frames.EXITED, first["run_id"]),
        (frames.STARTED, second["run_id"]),
        (frames.DATA, b"two"),
        (frames.EXITED, second["run_id"]),
        (frames.REMOVED, None),
    ]


def test_resizes_reach_those_who_draw(held: HeldKeeper) -> None:
    held.hub.spawn(["/bin/sh", "-c", "echo x; read x"], process_id="w/p", tty=True, size=[31, 97])
    with connect(held, "w/p", FROM_START) as viewer:
        seen = []
        for kind, _, stream, data, fields in viewer:
            seen.append((kind, stream, data or fields))
            if kind == frames.DATA:
                break
    assert seen == [(frames.RESIZE, 0, {"rows": 31, "columns": 97}), (frames.DATA, TTY, b"x\r\n")]


def test_an_unknown_process_is_refused_by_name(held: HeldKeeper) -> None:
    held.hub.spawn(["/bin/sleep", "1000"], process_id="w/known")
    with pytest.raises(RequestError, match="no process 'w/nobody'") as caught:
        connect(held, "w/nobody")
    assert caught.value.code == "process.not_found"
    assert caught.value.data["known"] == ["w/known"]


@pytest.mark.parametrize(("may_type", "told"), [(False, b"an agent may not type"), (True, b"attached to w/victim")])
def test_an_agent_may_not_attach_a_terminal_that_types(held: HeldKeeper, *, may_type: bool, told: bytes) -> None:
    held.hub.spawn(["/bin/cat"], tty=True, process_id="w/victim")
    env = {"WEZPARALLEL_RUNTIME_DIR": held.runtime}
    argv = [sys.executable, "-I", "-S", ATTACH, "w/victim"]
    held.hub.spawn(argv, tty=True, process_id="w/agent", agent=True, may_type=may_type, env=env)
    until(lambda: told in held.log("w/agent"), 10, "what the agent is told")


def test_an_agent_may_look(held: HeldKeeper) -> None:
    held.hub.spawn(["/bin/sh", "-c", "echo seen; exec cat"], tty=True, process_id="w/victim")
    argv = [sys.executable, "-I", "-S", ATTACH, "w/victim", "--read-only"]
    held.hub.spawn(argv, tty=True, process_id="w/agent", agent=True)
    until(lambda: b"seen" in held.log("w/agent"), 10, "the victim's output")


def test_the_hub_is_told_of_each_viewers_coming_and_going(held: HeldKeeper) -> None:
    held.hub.spawn(["/bin/sleep", "1000"], process_id="w/p", tty=True)
    pane = Pane(33, 99)
    try:
        pane.attach(held, "w/p", WEZTERM_PANE="17")
        came = held.hub.wait_for(lambda event: event["m"] == "viewer")
        assert pane.client is not None
        assert (came["state"], came["pid"], came["size"], came["pane"]) == (
            "attached",
            pane.client.pid,
            [33, 99],
            "17",
        )
        assert not came["read_only"]
        pane.client.terminate()
        went = held.hub.wait_for(lambda event: event["m"] == "viewer")
        assert (went["state"], went["viewer_id"]) == ("gone", came["viewer_id"])
    finally:
        pane.close()


def test_the_first_viewers_facts_become_the_childs(held: HeldKeeper) -> None:
    held.hub.call("reserve", process_id="w/p")
    pane = Pane()
    try:
        pane.attach(held, "w/p", TERM="vt220", COLORTERM="24bit", WEZTERM_PANE="17")
        held.hub.wait_for(lambda event: event["m"] == "viewer")
        held.hub.spawn(
            ["/bin/sh", "-c", 'echo "$TERM $COLORTERM ($WEZTERM_PANE)"; read x'], process_id="w/p", tty=True
        )
        pane.expect(b"vt220 24bit ()")
    finally:
        pane.close()


def test_a_terminal_that_is_expected_gives_a_run_its_size_and_facts_until_one_is_there(held: HeldKeeper) -> None:
    facts = {"TERM": "vt220", "COLORTERM": "", "TERM_PROGRAM": "it"}
    held.hub.call("reserve", process_id="w/p", size=[37, 111, 0, 0], facts=facts)
    show = ["/bin/sh", "-c", 'echo "$(stty size) $TERM ($COLORTERM) $TERM_PROGRAM"; read x']
    held.hub.spawn(show, process_id="w/p", tty=True, size=None)
    until(lambda: b"37 111 vt220 () it" in held.log("w/p"), 10, "what the program was told")
    held.hub.call("reserve", process_id="w/p", size=[9, 9, 0, 0], facts=facts)  # too late for this run
    held.hub.call("write", process_id="w/p", data=base64.b64encode(b"x\n").decode())
    held.hub.wait_for(lambda event: event["m"] == "exited")
    held.hub.spawn(show, process_id="w/p", tty=True, size=None)
    until(lambda: held.log("w/p").count(b"37 111 vt220 () it") == 2, 10, "the same once more")


@pytest.mark.parametrize("junk", [b"\xff" * 64, frames.pack(frames.GO), frames.pack(frames.TERMINAL), b""])
def test_junk_after_the_hello_harms_nobody(held: HeldKeeper, junk: bytes) -> None:
    held.hub.spawn(["/bin/cat"], process_id="w/p")
    with silent_viewer(held, "w/p") as sock:
        sock.sendall(junk)
    held.hub.wait_for(lambda event: event["m"] == "viewer" and event["state"] == "gone")


def test_a_descriptor_that_is_no_terminal_is_dropped(held: HeldKeeper) -> None:
    held.hub.spawn(["/bin/cat"], process_id="w/p")
    read_end, write_end = os.pipe()
    with socket.socket(socket.AF_UNIX) as sock, os.fdopen(read_end, "rb") as pipe:
        sock.connect(held.socket)
        about = hello.Viewer(0, (24, 80, 0, 0), 0, (0, 0), None, ["w/p"])
        sock.sendall(frames.pack(frames.HELLO, hello.client_hello(hello.ROLE_TERMINAL, about.pack())))
        socket.send_fds(sock, [frames.pack(frames.TERMINAL)], [write_end])
        os.close(write_end)
        assert pipe.read() == b""  # every copy of the other end is closed


def test_nothing_is_left_open_after_many_viewers(held: HeldKeeper) -> None:
    held.hub.spawn(["/bin/sh", "-c", "echo x; echo y >&2; exec cat"], process_id="w/p")
    folder = f"/proc/{held.process.pid}/fd"
    until(lambda: held.log("w/p") == b"x\ny\n", 10, "the output")
    before = len(os.listdir(folder))
    for _ in range(30):
        with connect(held, "w/p", FROM_START) as viewer:
            assert next(iter(viewer))[0] == frames.DATA
        held.hub.wait_for(lambda event: event["m"] == "viewer" and event["state"] == "gone")
    assert len(os.listdir(folder)) == before


@pytest.mark.parametrize(("options", "lines"), [((), 400_000), (("--gapless",), 2_000_000)])
def test_a_terminal_that_lags_gets_every_byte_up_to_the_bound_or_when_it_asked_to(
    held: HeldKeeper, options: tuple[str, ...], lines: int
) -> None:
    script = f"stty -echo; read x; seq {lines}; read x"
    held.hub.spawn(["/bin/sh", "-c", script], process_id="w/p", tty=True, log_cap=100 * MEGABYTE)
    pane = Pane()
    try:
        pane.attach(held, "w/p", *options, WEZTERM_PANE="1")
        until(lambda: pane.is_raw, 10, "the terminal in the keeper's hands")
        pane.type(b"\r")
        until(lambda: held.log("w/p").endswith(b"%d\r\n" % lines), 30, "the flood's end")
        shown = pane.drain(b"\n%d\r\n" % lines)
        assert re.findall(rb"(\d+)\r\n", shown) == [b"%d" % number for number in range(1, lines + 1)]
    finally:
        pane.close()


def test_the_keepers_end_gives_terminals_back(held: HeldKeeper) -> None:
    held.hub.spawn(["/bin/sh", "-c", "stty raw -echo; printf ready; exec cat"], process_id="w/p", tty=True)
    pane = Pane()
    try:
        pane.attach(held, "w/p")
        pane.expect(b"ready")
        held.hub.close()
        held.tell_to_exit()
        held.process.wait(20)
        assert pane.wait() == 1
        assert pane.attributes == pane.before
    finally:
        pane.close()


def test_an_exit_frame_says_how(held: HeldKeeper) -> None:
    held.hub.spawn(["/bin/sh", "-c", "read x; kill -9 $$"], process_id="w/p")
    with silent_viewer(held, "w/p") as sock:
        held.hub.write("w/p", b"\n")
        kind, payload = read_all(sock, frames.EXITED)[-1]
    body = json.loads(payload)
    assert (kind, body["exit_code"], body["signal"], body["asked"]) == (frames.EXITED, None, 9, False)
    assert body["ran_s"] >= 0


def test_a_long_past_arrives_whole_however_fast_it_is_read(held: HeldKeeper) -> None:
    held.hub.spawn(["/bin/sh", "-c", "seq 100000; read x"], process_id="w/p")
    until(lambda: held.log("w/p").endswith(b"\n100000\n"), 10, "the past")
    for _ in range(10):
        with connect(held, "w/p", FROM_START) as viewer:
            got = b""
            for kind, _, _, data, _ in viewer:
                assert kind == frames.DATA
                got += data
                if viewer.offset == viewer.welcome.end:
                    break
        assert got == numbers(100000)
