"""A flood from a terminal: into the log against a bare read+write loop, to one viewer against dtach and shpool."""

from __future__ import annotations

import os
import pty
import time
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path

from benches.daemon import daemon, folder
from benches.keepers import Keeper, keepers, opened
from benches.measure import Row, at_least, in_turns, missing, none
from benches.panes import Pane
from tests.support.daemon import Daemon
from tests.support.waiting import until

LINES = 400_000
LOSSLESS = ("dtach", "shpool")
END = b"the end of the flood"


def write_flood(path: Path) -> int:
    """Write numbered lines of 64 bytes, every second in colour; return the bytes of the file."""
    with path.open("wb") as file:
        for number in range(0, LINES, 2):
            file.write(b"%08d a line as programs print them, of sixty-four bytes in all. \n" % number)
            file.write(b"%08d \x1b[32mINFO\x1b[0m \x1b[1;34mserver\x1b[0m GET /index.html 200\n" % (number + 1))
        file.write(END + b"\n")
    return path.stat().st_size


def bare_loop(command: list[str], target: Path) -> float:
    """Read a program's terminal and write a file, nothing more; return the seconds."""
    begin = time.perf_counter()
    pid, master = pty.fork()
    if pid == 0:
        os.execv(command[0], command)
    file = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    while True:
        try:
            data = os.read(master, 65536)
        except OSError:
            break
        os.write(file, data)
    taken = time.perf_counter() - begin
    os.close(file)
    os.close(master)
    os.waitpid(pid, 0)
    return taken


def our_log(running: Daemon, command: list[str], size: int) -> float:
    """Have the same held by us; return the seconds until everything is in the log."""
    name = f"log-{time.monotonic_ns()}"
    log = running.home / "state" / "wezterm-parallel" / "logs" / name
    begin = time.perf_counter()
    running.call("ProcessAdd", id=name, command=command[0], args=command[1:], tty=True, restart="never")
    until(lambda: sum(path.stat().st_size for path in log.glob("*.log")) >= size, 60, "the whole log")
    taken = time.perf_counter() - begin
    running.call("ProcessRemove", process=name)
    return taken


def to_viewer(opened: AbstractContextManager[Pane]) -> tuple[float, bytes]:
    """Let the flood come when a key is pressed; return the seconds and what the terminal got."""
    with opened as pane:
        pane.until(b"READY")
        pane.settle()
        begin = time.perf_counter()
        pane.type(b"\n")
        seen = bytearray()
        while END not in seen[-200:]:
            seen += os.read(pane.master, 1 << 16)
        return time.perf_counter() - begin, bytes(seen)


def run() -> list[Row]:
    """Measure."""
    with daemon() as running, folder() as path:
        file = path / "flood"
        size = write_flood(file)
        command = ["/bin/cat", str(file)]
        logged = in_turns(
            {
                "bare": lambda: bare_loop(command, path / "bare"),
                "ours": lambda: our_log(running, command, size + LINES + 1),
            }
        )
        megabytes = (size + LINES) / 1e6
        rows = [
            at_least(
                "PTY flood into the log", megabytes / logged["ours"],
                {"bare read+write": megabytes / logged["bare"]}, 0.7, "MB/s",
            )
        ]  # fmt: skip
        return rows + viewer_rows(running, path, file)


def viewer_rows(running: Daemon, path: Path, file: Path) -> list[Row]:
    """Measure the flood to one viewer that asked for every byte; another would jump when it is 8 MB behind.

    tmux is no peer here: it draws what is left of a flood, and drops the rest.
    """
    headline = "PTY flood to one viewer"
    # It lives on: shpool's client ends with its program, and before the last of a flood is shown.
    script = f"stty raw -echo; echo READY; read go; cat {file}; exec sleep 100000"
    content = file.read_bytes()
    numbers = iter(range(1000))
    lost = []
    with keepers(running, path, "--gapless", peers=LOSSLESS) as everyone:

        def seconds(name: str, keeper: Keeper) -> float:
            taken, seen = to_viewer(opened(keeper, f"view-{next(numbers)}", script))
            if name == "ours":
                lost.append(0 if content.rstrip() in seen else content.count(b"\n") - seen.count(b"\n"))
            return taken

        medians = in_turns({name: partial(seconds, name, keeper) for name, keeper in everyone.items()})
    speeds = {name: len(content) / 1e6 / median for name, median in medians.items()}
    ours = speeds.pop("ours")
    rows = [
        at_least(f"{headline}, against {name}", ours, {name: speed}, 0.9, "MB/s") for name, speed in speeds.items()
    ]
    rows += [missing(headline, peer, "≥ 0.9×") for peer in LOSSLESS if peer not in speeds]
    return [*rows, none(headline + ": lines not delivered", max(lost), "lines")]
