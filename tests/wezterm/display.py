"""A desktop without a screen: Xvfb on a display of its own, and a window manager that takes no keys."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from tests.wezterm.place import Place
from tests.wezterm.waiting import FailedError, wait_for

SIZE = (1280, 800)
CALL_S = 20
CLOSE_KEY = "Pause"  # closes the window that has the keys, as the button of a frame does
# openbox's other keys would take some of ours; without its frames a picture shows WezTerm and nothing else.
MANAGER = """<?xml version="1.0" encoding="UTF-8"?>
<openbox_config xmlns="http://openbox.org/3.4/rc">
  <focus><focusNew>yes</focusNew><focusLast>yes</focusLast></focus>
  <desktops><number>1</number></desktops>
  <keyboard><keybind key="Pause"><action name="Close"/></keybind></keyboard>
  <mouse></mouse>
  <applications>
    <application class="*">
      <decor>no</decor>
      <focus>yes</focus>
      <position force="yes"><x>0</x><y>0</y></position>
    </application>
  </applications>
</openbox_config>
"""


class Display:
    """One X display."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._log = place.root / "display.log"
        self._started: list[subprocess.Popen[bytes]] = []
        self.name = ""
        self.env: dict[str, str] = {}

    def start(self) -> None:
        """Start the server and the window manager, and wait until both are there."""
        read, write = os.pipe()
        with open(read, "rb") as told:
            try:
                self._run(
                    "Xvfb", "-displayfd", str(write), "-screen", "0", f"{SIZE[0]}x{SIZE[1]}x24", "-dpi", "96",
                    "-nolisten", "tcp", "-noreset", pass_fds=(write,),
                )  # fmt: skip
            finally:
                os.close(write)
            number = told.readline().decode().strip()
        assert number, f"Xvfb found no display: {self._log.read_text()}"
        self.name = f":{number}"
        self.env = {**self._place.env, "DISPLAY": self.name, "LIBGL_ALWAYS_SOFTWARE": "1"}
        rules = self._place.root / "openbox.xml"
        rules.write_text(MANAGER)
        self._run("openbox", "--sm-disable", "--config-file", str(rules))
        wait_for(lambda: "window id" in self.run("xprop", "-root", "_NET_SUPPORTING_WM_CHECK"), "the window manager")

    def run(self, *argv: str) -> str:
        """Run a program on this display to its end; return what it says. Raises FailedError."""
        done = subprocess.run(
            argv, env=self.env, capture_output=True, text=True, errors="replace", check=False, timeout=CALL_S
        )
        if done.returncode:
            raise FailedError(list(argv), done.returncode, done.stderr)
        return done.stdout

    def windows(self, name: str) -> list[int]:
        """Return the visible windows of a class."""
        try:
            return [int(line) for line in self.run("xdotool", "search", "--onlyvisible", "--class", name).split()]
        except FailedError:  # none
            return []

    def focused(self) -> int | None:
        """Return the window that has the keys."""
        try:
            return int(self.run("xdotool", "getactivewindow"))
        except FailedError:
            return None

    def picture(self, path: Path, window: int | None = None) -> Path:
        """Take a picture of the screen, or of one window."""
        self.run("import", "-silent", "-window", "root" if window is None else str(window), str(path))
        return path

    def close(self) -> None:
        """End the desktop."""
        for process in reversed(self._started):
            process.kill()
            process.wait(CALL_S)
        self._started.clear()

    def _run(self, *argv: str, pass_fds: tuple[int, ...] = ()) -> None:
        with self._log.open("ab") as log:
            self._started.append(
                subprocess.Popen(
                    argv, env=self.env or self._place.env, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                    pass_fds=pass_fds, start_new_session=True,
                )
            )  # fmt: skip
