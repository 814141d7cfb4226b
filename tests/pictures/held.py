"""The programs whose pictures are compared: how each is started, and how it is brought to something worth seeing."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.support.viewing import HeldKeeper

PROGRAMS = Path(__file__).with_name("programs")
TEXT = "".join(
    f"{number:3} the quick brown fox, \x1b[3{number % 8}mline {number}\x1b[0m\n" for number in range(1, 200)
)
HTOPRC = """htop_version=3.2.2
config_reader_min_version=3
screen:Main=USER PRIORITY NICE Command
.sort_key=USER
hide_kernel_threads=1
header_layout=two_50_50
column_meters_0=Hostname
column_meter_modes_0=2
column_meters_1=Blank
column_meter_modes_1=2
tree_view=0
delay=100
"""


@dataclass(frozen=True)
class Program:
    """One program, as a person would use it."""

    name: str
    argv: Callable[[Path], list[str]]
    steps: tuple[tuple[bytes, str], ...]
    """What is typed, and what is on the screen then; what is seen first comes before anything is typed."""
    env: dict[str, str] = field(default_factory=dict)
    titled: bool = False
    """It sets the window's title."""
    redraws: bytes = b""
    """Has it draw itself anew; for a program whose picture in a size depends on the sizes it had before."""

    def start(self, keeper: HeldKeeper, home: Path, process_id: str, size: tuple[int, int] = (24, 80)) -> None:
        """Have the keeper hold it. Skips the test if the program is not here."""
        if not shutil.which(self.name) and self.name != "Textual":
            pytest.skip(f"{self.name} is not installed")
        home.mkdir(exist_ok=True)
        (home / "text").write_text(TEXT)
        env = {"HOME": str(home), "TERM": "xterm-256color", "LANG": "C.UTF-8", "XDG_CONFIG_HOME": f"{home}/config",
               "XDG_DATA_HOME": f"{home}/data", "TMUX_TMPDIR": str(home), **self.env}  # fmt: skip
        stop = {"signal": "SIGHUP", "grace_s": 0.5, "kill": "tree"}  # a shell does not end by SIGTERM
        fields = {"process_id": process_id, "cwd": str(home), "env": env, "size": list(size), "stop": stop}
        keeper.hub.spawn(self.argv(home), tty=True, **fields)


def _vim(home: Path) -> list[str]:
    settings = [
        "set bg=dark mouse=a number hlsearch title t_SI=\x1b[5\\ q t_EI=\x1b[2\\ q",
        "syntax on",
        "set ft=conf",
    ]
    return ["vim", "-N", "-u", "NONE", "-i", "NONE", "-n", *(f"+{line}" for line in settings), "text"]


def _htop(home: Path) -> list[str]:
    (home / "htoprc").write_text(HTOPRC)
    # Its figures move: what it shows of one process that sleeps does not.
    return ["sh", "-c", "sleep 5000 & HTOPRC=htoprc exec htop -p $!"]


def _tmux(home: Path) -> list[str]:
    (home / "tmux.conf").write_text(
        "set -g status-right ''\nset -g mouse on\nset -g default-terminal tmux-256color\nset -g set-titles on\n"
        "set -g set-titles-string 'inside #S'\nset -g automatic-rename off\nset -g escape-time 0\n"
    )
    return [
        "tmux",
        "-L",
        "pictures",
        "-f",
        "tmux.conf",
        "new-session",
        "-s",
        "pictures",
        "-n",
        "shell",
        "PS1='inner$ ' sh",
    ]


VIM = Program(
    "vim",
    _vim,
    (
        (b"", "quick brown fox"),
        (b":3\rvww", "VISUAL"),
        (b"\x1b/line 17\r", "line 17"),
        (b"ionetwo \xc3\xa4\xe4\xb8\xad", "onetwo ä中"),
    ),
    titled=True,
)
HTOP = Program("htop", _htop, ((b"", "sleep 5000"), (b"\x1bOB", "sleep 5000")))
LESS = Program(
    "less",
    lambda _: ["less", "-R", "-M", "text"],
    ((b"", "lines 1-"), (b"/line 42\r", "lines 42-"), (b"3j", "lines 45-")),
)
FISH = Program(
    "fish",
    lambda _: ["fish", "--private"],
    ((b"", " ~"), (b"echo 'a \xc3\xa4' | cat\r", "\na ä"), (b"string rep", "string rep")),
    titled=True,
)
BASH = Program(
    "bash",
    lambda _: ["bash", "--norc", "--noprofile"],
    (
        (b"", "bash-"),
        (b"PS1='\\[\\e]2;in \\w\\a\\e[1;32m\\]me:\\[\\e[0m\\] '\r", "me:"),
        (b"cat text | tail -30\r", "line 199"),
        (b"echo not run yet", "not run yet"),
    ),
    titled=True,
)
TMUX = Program(
    "tmux",
    _tmux,
    ((b"", "inner$"), (b"head -30 text\r", "line 30"), (b"\x02%", "│"), (b"echo right\r", "right\n")),
    titled=True,
    redraws=b"\x02r",
)
TEXTUAL = Program(
    "Textual",
    lambda _: [sys.executable, str(PROGRAMS / "dashboard.py")],
    ((b"", "type here"), (b"\t", "type here"), (b"\x1b[Z", "type here"), (b"hello", "the line is 'hello'")),
)
ALL = (VIM, HTOP, LESS, FISH, BASH, TMUX, TEXTUAL)
LINES = Program(
    "sh",
    lambda _: [
        "sh", "-c",
        "stty -echo; for n in 1 2 3; do printf '\\033[3%dmline %d\\033[0m\\n' $n $n; done; echo last line; read x;"
        "for n in $(seq 60); do printf '\\033[44;3%dmlater %d\\033[K\\033[0m\\n' $((n % 8)) $((n - 1)); done;"
        "exec cat",
    ],
    ((b"", "last line"),),
)  # fmt: skip
KEYS = Program(
    "cat",
    lambda _: [
        "sh", "-c",
        r"printf '\033[>1u\033[>5u\033[3 q\033[?1h\033]2;a title\033\\keys: '; stty raw -echo; exec cat -v",
    ],
    ((b"", "keys:"),),
)  # fmt: skip
