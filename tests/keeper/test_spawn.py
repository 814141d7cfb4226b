"""Children on terminals and pipes: what they get, how they end, and that not a byte of theirs is missing."""

from __future__ import annotations

import collections
import hashlib
import os
import signal
import subprocess
import sys

import pytest

from tests.keeper.conftest import Daemon, wait_until
from tests.support.fake_hub import FakeHub, RefusedError
from wezparallel.keeper import messages as m

PYTHON = sys.executable


@pytest.mark.parametrize("tty", [False, True])
@pytest.mark.parametrize("code", [0, 1, 7, 255])
def test_an_exit_code_is_exact(hub: FakeHub, tty: bool, code: int) -> None:
    ended = hub.run(["sh", "-c", f"exit {code}"], tty=tty)
    assert (ended["exit_code"], ended["signal"], ended["asked"]) == (code, None, False)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGSEGV, signal.SIGHUP])
def test_a_deadly_signal_is_exact(hub: FakeHub, number: signal.Signals) -> None:
    ended = hub.run(["sh", "-c", f"kill -{int(number)} $$"])
    assert (ended["exit_code"], ended["signal"]) == (None, number)


def test_a_child_on_a_terminal_has_it_as_controlling_terminal_in_the_asked_size(daemon: Daemon, hub: FakeHub) -> None:
    hub.run(["sh", "-c", "stty size < /dev/tty; echo $TERM $COLORTERM"], tty=True, size=[31, 97], process_id="t/a")
    assert daemon.log("t/a") == b"31 97\r\nxterm-256color truecolor\r\n"


def test_ctrl_c_reaches_the_foreground_program_of_a_terminal(hub: FakeHub) -> None:
    run = hub.spawn(["sh", "-c", "echo ready; exec sleep 60"], tty=True)
    hub.wait_for(lambda e: e["m"] == m.OUTPUT)
    hub.write(run["process_id"], b"\x03")
    assert hub.exited(run["run_id"])["signal"] == signal.SIGINT


def test_a_child_gets_its_environment_and_nothing_of_the_keepers_own(daemon: Daemon, hub: FakeHub) -> None:
    hub.call(m.ENV_PUT, env_id="e1", env={"PATH": os.environ["PATH"], "A": "1", "B": "2", "WEZTERM_PANE": "9"})
    run = hub.spawn(["env"], env_id="e1", env={"B": None, "C": "3"}, process_id="web/api")
    hub.exited(run["run_id"])
    lines = set(daemon.log("web/api").decode().split())
    assert lines == {
        "PATH=" + os.environ["PATH"],
        "A=1",
        "C=3",
        f"WEZPARALLEL_RUN={run['run_id']}",
        "WEZPARALLEL_PROCESS=web/api",
        "WORKSPACE=web",
    }


def test_signals_mask_umask_and_limit_are_as_if_a_shell_had_started_it(daemon: Daemon, hub: FakeHub) -> None:
    code = "grep -E '^Sig(Ign|Blk)' /proc/self/status; ulimit -n; umask"
    hub.run(["sh", "-c", code], process_id="t/a", nofile=512)
    umask = subprocess.check_output(["sh", "-c", "umask"], text=True).strip()
    _, blocked, _, ignored, limit, mask = daemon.log("t/a").decode().split()
    of_libc = 0b11 << 31  # signals 32 and 33 are libc's own; no program can set them back
    assert (int(blocked, 16), int(ignored, 16) & ~of_libc, limit, mask) == (0, 0, "512", umask)
    hub.run(["sh", "-c", "ls /proc/self/fd | tr '\\n' ' '"], process_id="t/b")
    assert daemon.log("t/b").decode().split()[:3] == ["0", "1", "2"]
    assert len(daemon.log("t/b").decode().split()) == 4


@pytest.mark.parametrize("tty", [False, True])
def test_the_tail_of_a_child_that_exits_at_once_is_whole(daemon: Daemon, hub: FakeHub, tty: bool) -> None:
    runs = []
    for size in [0, 1, 200, 4095, 4096, 4097, 11776, 40000, 65536, 65537, 150_000]:
        code = f"import os,sys; sys.stdout.write('x' * {size} + 'END'); sys.stdout.flush(); os._exit(5)"
        runs.append((size, hub.spawn([PYTHON, "-IS", "-c", code], tty=tty)))
    for size, run in runs:
        ended = hub.exited(run["run_id"])
        log = daemon.log(run["process_id"])
        assert (ended["exit_code"], ended["offset"], len(log), log[-3:]) == (5, size + 3, size + 3, b"END")


def test_200_megabytes_through_a_pipe_are_logged_byte_for_byte(daemon: Daemon, hub: FakeHub) -> None:
    block = bytes(range(256)) * 256
    code = "import os\nb = bytes(range(256)) * 256\nfor i in range(3200):\n  os.write(1, b) == len(b) or exit(9)"
    run = hub.spawn([PYTHON, "-IS", "-c", code], process_id="t/flood", log_cap=1 << 30)
    assert hub.exited(run["run_id"])["exit_code"] == 0
    expected = hashlib.sha256()
    for _ in range(3200):
        expected.update(block)
    assert hashlib.sha256(daemon.log("t/flood")).digest() == expected.digest()


def test_a_log_stays_below_its_cap(daemon: Daemon, hub: FakeHub) -> None:
    cap = 1 << 20
    code = "import os\nfor i in range(100): os.write(1, b'y' * 65536)"
    ended = hub.run([PYTHON, "-IS", "-c", code], process_id="t/cap", log_cap=cap)
    assert ended["offset"] == 100 * 65536
    assert 0 < len(daemon.log("t/cap")) <= cap


def test_a_hub_is_served_while_children_flood(hub: FakeHub) -> None:
    for _ in range(4):
        hub.spawn(["sh", "-c", "yes flood"], log_cap=1 << 20)
    for _ in range(50):
        hub.sync()
    assert hub.run(["true"])["exit_code"] == 0


def test_a_grandchild_that_holds_the_terminal_does_not_delay_the_exit(daemon: Daemon, hub: FakeHub) -> None:
    run = hub.spawn(["sh", "-c", "(trap '' HUP; exec sleep 600) & echo early; exit 4"], tty=True)
    ended = hub.exited(run["run_id"], ack=False)
    assert (ended["exit_code"], ended["offset"]) == (4, len("early\r\n"))
    assert ended["ran_s"] < 600
    hub.call(m.KILL, run_id=run["run_id"])


def test_what_a_grandchild_prints_into_the_pipe_later_is_logged_too(daemon: Daemon, hub: FakeHub) -> None:
    run = hub.spawn(["sh", "-c", "(sleep 0.3; echo late) & echo early; exit 4"], process_id="t/held")
    assert hub.exited(run["run_id"])["offset"] == len("early\n")
    wait_until(lambda: daemon.log("t/held") == b"early\nlate\n")


def test_a_grandchild_that_floods_does_not_delay_the_exit(hub: FakeHub) -> None:
    run = hub.spawn(["sh", "-c", "yes & exit 6"], log_cap=1 << 20)
    assert hub.exited(run["run_id"], ack=False)["exit_code"] == 6
    hub.call(m.KILL, run_id=run["run_id"])


def test_stdout_and_stderr_are_told_apart(daemon: Daemon, hub: FakeHub) -> None:
    hub.run(["sh", "-c", "echo out; sleep 0.05; echo err >&2"], process_id="t/two")
    assert sorted(daemon.log("t/two").split()) == [b"err", b"out"]


def test_the_descriptors_that_come_with_a_spawn_are_the_childs(hub: FakeHub) -> None:
    run = hub.spawn(["cat"])
    stdin, stdout, _ = run["descriptors"]
    assert len(run["descriptors"]) == 3
    assert not os.get_blocking(stdout)
    hub.write(run["process_id"], b"typed\n")
    hub.wait_for(lambda e: e["m"] == m.OUTPUT)
    os.write(stdin, b"more\n")
    terminal = hub.spawn(["cat"], tty=True)
    assert os.get_terminal_size(terminal["descriptors"][0]) == (80, 24)


def test_the_same_run_is_never_started_twice(hub: FakeHub) -> None:
    run = hub.spawn(["sleep", "60"])
    with pytest.raises(RefusedError) as refused:
        hub.spawn(["sleep", "60"], run_id=run["run_id"], process_id=run["process_id"])
    assert refused.value.code == "run.exists"
    assert refused.value.message["data"] == {"pid": run["pid"], "start": run["start"]}


@pytest.mark.parametrize(
    ("wish", "code"),
    [
        ({"argv": ["no-such-program"]}, "process.no_binary"),
        ({"argv": ["/no/such/program"]}, "process.no_binary"),
        ({"argv": ["/etc/passwd"]}, "process.no_binary"),
        ({"argv": ["/etc"]}, "process.no_binary"),
        ({"argv": []}, "process.bad_command"),
        ({"argv": ["a\0b"]}, "process.bad_command"),
        ({"argv": [3]}, "command.bad_value"),
        ({"cwd": "/no/such/directory"}, "process.no_directory"),
        ({"cwd": "/etc/passwd"}, "process.no_directory"),
        ({"env_id": "never put"}, "process.bad_state"),
        ({"run_id": "not hexadecimal"}, "command.bad_value"),
        ({"env": {"A=B": "1"}}, "process.bad_command"),
        ({"env": {"A": "1\x002"}}, "process.bad_command"),
    ],
)
def test_what_cannot_be_started_is_refused_by_name(hub: FakeHub, wish: dict[str, object], code: str) -> None:
    for tty in (False, True):
        with pytest.raises(RefusedError) as refused:
            hub.spawn(**{"argv": ["true"], "tty": tty} | wish)  # type: ignore[arg-type]
        assert refused.value.code == code
    assert hub.run(["true"])["exit_code"] == 0


def test_a_script_without_a_first_line_runs_as_in_a_shell(daemon: Daemon, hub: FakeHub) -> None:
    script = daemon.state.parent / "script"
    script.write_text("echo from $1\n")
    script.chmod(0o755)
    hub.run([str(script), "here"], process_id="t/script")
    assert daemon.log("t/script") == b"from here\n"


def test_no_descriptor_is_left_after_200_runs(daemon: Daemon, hub: FakeHub) -> None:
    hub.run(["true"], process_id="t/leak")
    hub.run(["true"], process_id="t/leak", tty=True)
    hub.sync()
    before = daemon.open_fds()
    for number in range(200):
        hub.run(["true"], process_id=f"t/{number}", tty=bool(number % 2))
    hub.sync()
    assert daemon.open_fds() == before
    assert daemon.control("status")["unacknowledged"] == 0


def test_input_that_came_with_the_same_key_is_typed_once(daemon: Daemon, hub: FakeHub) -> None:
    run = hub.spawn(["cat"], process_id="t/keys")
    assert hub.write("t/keys", b"one\n", "k1")["already"] is False
    assert hub.write("t/keys", b"one\n", "k1")["already"] is True
    assert hub.write("t/keys", b"two\n", "k2")["already"] is False
    wait_until(lambda: daemon.log("t/keys") == b"one\ntwo\n")
    hub.call(m.KILL, run_id=run["run_id"])


def test_input_for_a_program_that_does_not_read_is_bounded(hub: FakeHub) -> None:
    hub.spawn(["sleep", "60"], process_id="t/deaf")
    with pytest.raises(RefusedError) as refused:
        collections.deque((hub.write("t/deaf", b"x" * 65536) for _ in range(40)), maxlen=0)
    assert refused.value.code == "process.bad_state"


def test_input_for_what_does_not_run_is_refused(hub: FakeHub) -> None:
    with pytest.raises(RefusedError) as refused:
        hub.write("t/nobody", b"x")
    assert refused.value.code == "process.not_found"
    hub.call(m.RESERVE, process_id="t/known")
    with pytest.raises(RefusedError) as refused:
        hub.write("t/known", b"x")
    assert refused.value.code == "process.not_running"


def test_a_large_input_arrives_whole(daemon: Daemon, hub: FakeHub) -> None:
    data = os.urandom(600_000)
    hub.spawn(
        [PYTHON, "-IS", "-c", "import sys; sys.stdout.buffer.write(sys.stdin.buffer.read(600000))"], process_id="t/in"
    )
    hub.write("t/in", data)
    wait_until(lambda: daemon.log("t/in") == data)
