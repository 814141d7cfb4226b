"""`logs`: from the hub, from the keeper as it comes, from the folder without a daemon."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO

import pytest

from tests.support.commandline import CommandLine
from tests.support.daemon import Daemon

pytestmark = pytest.mark.one_daemon

SCRIPT = "printf '\\033[31mred\\033[0m\\n'; echo two >&2; echo three; exec sleep 1000"


@pytest.fixture
def talker(real: CommandLine, daemon: Daemon) -> CommandLine:
    """A process on pipes that has said three lines."""
    done = real("run", "--name", "talker", "--", "sh", "-c", SCRIPT)
    assert done.code == 0, done.err
    with follow(real, "talker") as following:
        while b"three" not in following.stdout.readline():
            pass
    return real


@dataclass
class Following:
    """A running `logs -f`."""

    program: subprocess.Popen[bytes]
    stdout: IO[bytes]
    stderr: IO[bytes]


@contextmanager
def follow(cli: CommandLine, *words: str) -> Iterator[Following]:
    """`logs -f` with a pipe; ended with the block."""
    with subprocess.Popen(
        [sys.executable, "-m", "wezparallel", "logs", "-f", *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        env=cli.environment, cwd=cli.cwd,
    ) as program:  # fmt: skip
        assert program.stdout is not None
        assert program.stderr is not None
        try:
            yield Following(program, program.stdout, program.stderr)
        finally:
            program.kill()


def test_a_pipe_gets_the_text_alone(talker: CommandLine) -> None:
    assert sorted(talker("logs", "talker").out.split()) == ["red", "three", "two"]


def test_raw_keeps_the_escape_sequences(talker: CommandLine) -> None:
    assert "\x1b[31mred\x1b[0m" in talker("logs", "talker", "--raw").out


def test_the_streams_are_apart(talker: CommandLine) -> None:
    assert talker("logs", "talker", "--stream", "stderr").out == "two\n"
    assert talker("logs", "talker", "--stream", "stdout").out == "red\nthree\n"


def test_only_the_last_lines(talker: CommandLine) -> None:
    assert len(talker("logs", "talker", "-n", "1").out.splitlines()) == 1
    assert len(talker("logs", "talker", "-n", "all").out.splitlines()) == 3
    assert len(talker("logs", "talker", "--since", "1h").out.splitlines()) == 3
    assert talker("logs", "talker", "-n", "some").code == 2


def test_json_lines_say_when_and_which_stream(talker: CommandLine) -> None:
    pieces = [json.loads(line) for line in talker("logs", "talker", "--json").out.splitlines()]
    assert {piece["stream"] for piece in pieces} == {"stdout", "stderr"}
    assert {piece["process_id"] for piece in pieces} == {"home/talker"}


def test_without_a_daemon_the_log_is_read_from_its_folder(talker: CommandLine) -> None:
    with_hub = talker("logs", "talker", "--stream", "stdout")
    assert talker("daemon", "stop").code == 0
    without = talker("logs", "talker", "--stream", "stdout")
    assert without.out == with_hub.out
    assert talker("logs", "home/talker", "-n", "1").out
    wrong = talker("logs", "tolker")
    assert wrong.code == 3
    assert "did you mean" in wrong.err


def test_following_goes_on_over_a_restart_of_the_process(real: CommandLine, daemon: Daemon) -> None:
    real("run", "--name", "again", "--", "sh", "-c", "echo run $$; exec sleep 1000")
    with follow(real, "again") as following:
        first = following.stdout.readline()
        assert real("restart", "again").code == 0
        second = following.stdout.readline()
    assert first.startswith(b"run ")
    assert second.startswith(b"run ")
    assert first != second


def test_following_ends_when_its_reader_goes_away(real: CommandLine, daemon: Daemon) -> None:
    real("run", "--name", "quiet", "--", "sh", "-c", "echo one; exec sleep 1000")
    with follow(real, "quiet") as following:
        assert following.stdout.readline() == b"one\n"
        following.stdout.close()
        assert following.program.wait(20) == 141
        assert following.stderr.read() == b""


def test_a_process_that_said_nothing_is_told(real: CommandLine, daemon: Daemon) -> None:
    real("run", "--name", "mute", "--", "sleep", "1000")
    done = real("logs", "mute")
    assert done.out == ""
    assert "has written nothing yet" in done.err
