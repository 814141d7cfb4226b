"""Where the real WezTerm is: `WEZTERM_BIN_DIR` names the folder of its programs; none of them is shipped with us."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

VARIABLE = "WEZTERM_BIN_DIR"
HEADLESS = ("wezterm", "wezterm-mux-server")
WINDOWED = ("wezterm", "wezterm-gui")
DESKTOP = ("Xvfb", "openbox", "xdotool", "xprop", "import")


def binary(name: str) -> str:
    """Return the path of one of WezTerm's programs."""
    return str(Path(os.environ[VARIABLE]).absolute() / name)


def lacking(marker: str) -> str | None:
    """Return what keeps tests with a marker from running here, or None."""
    programs, desktop = {"wezterm": (HEADLESS, ()), "wezterm_gui": (WINDOWED, DESKTOP)}[marker]
    if not os.environ.get(VARIABLE):
        return f"{VARIABLE} is not set: it names the folder of {' and '.join(programs)}"
    for name in programs:
        if not os.access(binary(name), os.X_OK):
            return f"{VARIABLE} has no program {name}"
    for name in desktop:
        if shutil.which(name) is None:
            return f"{name} is not installed"
    return None
