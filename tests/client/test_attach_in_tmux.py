"""Real programs in attach, in a real terminal (tmux): detached and attached again, the screen is the same."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.viewing import ATTACH, HeldKeeper, held_keeper
from tests.support.waiting import until

pytestmark = pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is not installed")

ROWS, COLUMNS = 24, 90
PATIENCE_S = 15.0


class Tmux:
    """A tmux server of its own with one pane that shows a shell."""

    def __init__(self, keeper: HeldKeeper) -> None:
        self._socket = f"{keeper.runtime}/tmux"
        self._env = {**keeper.env, "PS1": "outer$ ", "ENV": "", "TERM": "xterm-256color"}
        self.run("-f", "/dev/null", "new-session", "-d", "-x", str(COLUMNS), "-y", str(ROWS), "/bin/sh")
        self.run("set", "-g", "status", "off")
        self.run("resize-window", "-x", str(COLUMNS), "-y", str(ROWS))

    def run(self, *arguments: str) -> str:
        """Run one tmux command."""
        command = ["tmux", "-S", self._socket, *arguments]
        return subprocess.run(command, env=self._env, check=True, capture_output=True, text=True).stdout

    def type(self, *keys: str) -> None:
        """Press keys, in tmux's names."""
        self.run("send-keys", *keys)

    def screen(self) -> str:
        """Return what the pane shows, with colours."""
        return self.run("capture-pane", "-p", "-e")

    def cursor(self) -> str:
        """Return where the cursor is, and the modes that tmux knows of the pane."""
        return self.run(
            "display",
            "-p",
            "#{cursor_x},#{cursor_y} #{cursor_flag} #{alternate_on} #{mouse_any_flag} #{keypad_cursor_flag}",
        )

    def until(self, fits: Callable[[str], bool], what: str) -> str:
        """Wait until the screen fits; return it."""
        seen = [""]

        def look() -> bool:
            seen[0] = self.screen()
            return fits(seen[0])

        try:
            until(look, PATIENCE_S, what)
        except AssertionError as error:
            raise AssertionError(f"{error}; the screen:\n{seen[0]}") from None
        return seen[0]

    def attach(self, process_id: str, sign: str) -> None:
        """Attach from the pane's shell, and wait for a sign of the program."""
        self.type("clear", "Enter")
        self.until(lambda screen: screen.strip() == "outer$", "an empty page")
        self.type(f"{sys.executable} -I -S {ATTACH} {process_id}", "Enter")
        self.until(lambda screen: sign in screen and "attach.py" not in screen, sign)

    def detach(self) -> None:
        """Press the detach key."""
        self.type("C-\\", "C-\\")
        self.until(lambda screen: "comes back]" in screen, "the shell after a detach")

    def close(self) -> None:
        """End the server."""
        self.run("kill-server")


@pytest.fixture
def keeper(tmp_path: Path) -> Iterator[HeldKeeper]:
    with held_keeper(tmp_path) as held:
        yield held


@pytest.fixture
def tmux(keeper: HeldKeeper) -> Iterator[Tmux]:
    one = Tmux(keeper)
    yield one
    one.close()


def need(program: str) -> str:
    """Return a program's path, or skip."""
    path = shutil.which(program)
    if path is None:
        pytest.skip(f"{program} is not installed")
    return path


def settled(tmux: Tmux, fits: Callable[[str], bool], what: str) -> tuple[str, str]:
    """Return a screen that fits and does not change any more, with cursor and modes."""
    seen: list[tuple[str, str]] = []

    def same() -> bool:
        seen.append((tmux.screen(), tmux.cursor()))
        return fits(seen[-1][0]) and len(seen) > 5 and len(set(seen[-5:])) == 1

    until(same, PATIENCE_S, what)
    return seen[-1]


def spawn(keeper: HeldKeeper, argv: list[str], **env: str) -> None:
    keeper.hub.spawn(
        argv, tty=True, process_id="w/p", env=env, stop={"signal": "SIGKILL", "grace_s": 0.1, "kill": "tree"}
    )


def test_vim_looks_the_same_after_detach_and_attach(keeper: HeldKeeper, tmux: Tmux, tmp_path: Path) -> None:
    text = tmp_path / "text.py"
    text.write_text("".join(f"def function_{number}(): return {number}\n" for number in range(100)))
    spawn(keeper, [need("vim"), "-u", "NONE", "-N", "-c", "syntax on | set mouse=a number", str(text)])
    tmux.attach("w/p", "function_0")
    tmux.type("30G", "ihello ", "Escape")
    before = settled(tmux, lambda screen: "hello" in screen, "the edited line")
    tmux.detach()
    assert tmux.cursor().split()[1:] == ["1", "0", "0", "0"]
    tmux.attach("w/p", "hello")
    after = settled(tmux, lambda screen: screen == before[0], "the same screen")
    assert after == before
    tmux.type(":wq", "Enter")
    tmux.until(lambda screen: "exited 0" in screen, "vim's end")
    assert "hello" in text.read_text()


def test_htop_draws_itself_again_after_attach(keeper: HeldKeeper, tmux: Tmux) -> None:
    spawn(keeper, [need("htop"), "-d", "100", "-p", str(os.getpid())])
    tmux.attach("w/p", "F10")
    before = settled(tmux, lambda screen: "Quit" in screen.splitlines()[-1] and "PID" in screen, "htop")
    tmux.detach()
    tmux.attach("w/p", "F10")
    # The figures move on, and the hidden cursor with them; the keys with their colours and the modes are the same.
    keys = before[0].splitlines()[-1]
    after = settled(tmux, lambda screen: screen.splitlines()[-1:] == [keys] and "PID" in screen, "htop again")
    assert after[1].split()[1:] == before[1].split()[1:]
    tmux.type("q")
    tmux.until(lambda screen: "exited 0" in screen, "htop's end")


def test_a_shell_looks_the_same_after_detach_and_attach(keeper: HeldKeeper, tmux: Tmux) -> None:
    spawn(keeper, [need("bash"), "--norc", "-i"], PS1="inner> ")
    tmux.attach("w/p", "inner>")
    tmux.type("printf '\\033[32mgreen\\033[0m %s\\n' $((6*7))", "Enter")
    tmux.type("half a comm")
    before = settled(tmux, lambda screen: "42" in screen and "half a comm" in screen, "the shell")
    tmux.detach()
    tmux.attach("w/p", "half a comm")
    after = settled(tmux, lambda screen: screen == before[0], "the same screen")
    assert after == before
    # It is alive, and nothing was typed into it meanwhile.
    tmux.type("C-u", "echo alive-$((1+1))", "Enter")
    tmux.until(lambda screen: "alive-2" in screen, "the shell's answer")


def test_a_window_that_was_resized_meanwhile_is_drawn_in_its_new_size(keeper: HeldKeeper, tmux: Tmux) -> None:
    spawn(keeper, [need("vim"), "-u", "NONE", "-N", "-c", "set laststatus=2"])
    tmux.attach("w/p", "[No Name]")
    tmux.detach()
    tmux.run("resize-window", "-x", "70", "-y", "15")
    tmux.attach("w/p", "[No Name]")
    tmux.until(lambda screen: "[No Name]" in "".join(screen.splitlines()[12:15]), "the status line at the bottom")
    tmux.run("resize-window", "-x", "60", "-y", "12")
    tmux.until(lambda screen: "[No Name]" in "".join(screen.splitlines()[9:12]), "the status line after a resize")
    tmux.type(":q!", "Enter")
    tmux.until(lambda screen: "exited 0" in screen, "vim's end")
