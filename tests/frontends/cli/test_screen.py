"""`screen`: what a process's screen shows; and what a terminal shows that plays its recording."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.commandline import CommandLine
from tests.support.waiting import until

pytestmark = pytest.mark.one_daemon

DRAWS = (
    r"printf '\033[2J\033[5;10H\033[1;31mr\303\251d\033[0m'; sleep 0.4; printf '\033[7;1H%s' wide; "
    r"printf '\033[1Axyz\r\n\033[20;70Hedge of it and more\033[3;5r\033[5;1H\n\nlast\033[r\033[22;1H'; "
    "exec sleep 1000"
)

PLAYER = """
import json, sys
for line in open(sys.argv[1]).read().splitlines()[1:]:
    at, code, text = json.loads(line)
    if code == "o":
        sys.stdout.write(text)
"""


@pytest.fixture
def draws(real: CommandLine) -> CommandLine:
    done = real("run", "-d", "--tty", "--name", "draws", "--", "sh", "-c", DRAWS)
    assert done.code == 0, done.err
    until(lambda: "last" in real("screen", "draws").out, 20, "what it draws")
    return real


def test_a_pipe_gets_text_and_a_terminal_gets_colours(draws: CommandLine) -> None:
    lines = draws("screen", "draws").out.split("\n")
    assert (lines[2].strip(), lines[4].strip()) == ("réd", "last")
    on_terminal = draws.on_terminal("screen", "draws")
    assert on_terminal.lines == [line.rstrip() for line in lines[:-1]]
    assert b"\x1b[0;1;31mr" in on_terminal.raw


def test_json_tells_cells_and_cursor(draws: CommandLine) -> None:
    reply = json.loads(draws("screen", "draws", "--json").out)
    assert (reply["rows"], reply["columns"], reply["cursor"]["row"]) == (24, 80, 21)
    assert reply["lines"][2][1] == {"text": "réd", "fg": "red", "attributes": ["bold"]}


def test_the_name_of_the_file_says_what_is_written(draws: CommandLine, tmp_path: Path) -> None:
    file = tmp_path / "it.svg"
    done = draws("screen", "draws", "-o", str(file))
    assert done.out == ""
    assert str(file) in done.err
    assert file.read_text().startswith("<svg")
    assert draws("screen", "draws", "-o", str(tmp_path / "it.txt")).code == 0
    assert (tmp_path / "it.txt").read_text() == draws("screen", "draws").out
    wrong = draws("screen", "draws", "-o", str(tmp_path / "no" / "it.svg"))
    assert wrong.code == 2
    assert "cannot be written" in wrong.err


def test_without_a_program_for_it_a_png_is_refused(draws: CommandLine, tmp_path: Path) -> None:
    draws.environment["PATH"] = str(tmp_path)
    done = draws("screen", "draws", "-o", str(tmp_path / "it.png"))
    assert done.code == 2
    assert "--format svg" in done.err
    assert not (tmp_path / "it.png").exists()


def test_a_png_is_made_by_a_program_that_is_there(draws: CommandLine, tmp_path: Path) -> None:
    program = tmp_path / "rsvg-convert"
    program.write_text(
        f"#!{sys.executable}\nimport sys\nsys.stdout.buffer.write(b'\\x89PNG' + sys.stdin.buffer.read())"
    )
    program.chmod(0o700)
    draws.environment["PATH"] = str(tmp_path)
    assert draws("screen", "draws", "-o", str(tmp_path / "it.png")).code == 0
    assert (tmp_path / "it.png").read_bytes().startswith(b"\x89PNG<svg")


@pytest.mark.skipif(not shutil.which("tmux"), reason="tmux is not installed")
def test_a_terminal_that_plays_the_recording_shows_the_same(draws: CommandLine, tmp_path: Path) -> None:
    file = tmp_path / "it.cast"
    assert draws("record", "export", "draws", "-o", str(file)).code == 0
    (tmp_path / "play.py").write_text(PLAYER)
    tmux = ["tmux", "-S", f"{draws.environment['WEZPARALLEL_RUNTIME_DIR']}/tmux", "-f", "/dev/null"]
    script = f"stty raw -echo; {sys.executable} play.py it.cast; {' '.join(tmux)} wait-for -S played; exec sleep 1000"
    try:
        subprocess.run(
            [*tmux, "new-session", "-d", "-x", "80", "-y", "24", ";", "set", "-g", "status", "off", ";",
             "respawn-pane", "-k", script],
            cwd=tmp_path, env=draws.environment, check=True, timeout=30,
        )  # fmt: skip
        subprocess.run([*tmux, "wait-for", "played"], check=True, timeout=30)

        def shown() -> str:
            return subprocess.run(
                [*tmux, "capture-pane", "-p"], capture_output=True, text=True, check=True, timeout=30
            ).stdout.rstrip("\n")

        expected = "\n".join(line.rstrip() for line in draws("screen", "draws").out.rstrip("\n").split("\n"))
        until(lambda: shown() == expected, 10, "the same screen")
    finally:
        subprocess.run([*tmux, "kill-server"], check=False, timeout=30)
