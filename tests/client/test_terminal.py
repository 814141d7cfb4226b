"""What the attach client does to its own terminal, on a pseudo-terminal of the test's."""

from __future__ import annotations

import fcntl
import os
import struct
import sys
import termios
from pathlib import Path

from tests.support.commandline import Terminal
from wezparallel.client import terminal

WAIT = """
import sys
sys.path.insert(0, sys.argv[1])
from wezparallel.client import terminal
print("waits", flush=True)
terminal.wait_for_size(12, 34)
print("done at", *terminal.window_size()[:2], flush=True)
"""


def waiting() -> Terminal:
    """A program that waits for the size that its pane will have."""
    above = str(Path(terminal.__file__).parents[2])
    return Terminal([sys.executable, "-I", "-S", "-c", WAIT, above], dict(os.environ), Path("/"), 100)


def test_a_pane_that_is_about_to_be_cut_is_waited_for() -> None:
    with waiting() as pane:
        pane.wait_for("waits")
        fcntl.ioctl(pane._master, termios.TIOCSWINSZ, struct.pack("4H", 12, 34, 0, 0))
        pane.wait_for("done at 12 34")


def test_a_pane_that_keeps_its_size_is_not_waited_for_for_ever() -> None:
    with waiting() as pane:
        pane.wait_for("done at 40 100")
