"""WezTerm's real window on a desktop without a screen, used by its keys and looked at by its pictures."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from tests.wezterm.display import CLOSE_KEY, Display
from tests.wezterm.instance import CALL_S, Instance
from tests.wezterm.place import Place
from tests.wezterm.waiting import wait_for

CLASS = "org.wezfurlong.wezterm"
QUESTION = "Really kill this window"
OVERLAY = """
for _, window in ipairs(require('wezterm').gui.gui_windows()) do
  local shown, below = window:active_pane(), window:mux_window():active_pane()
  if shown and below and shown:pane_id() ~= below:pane_id() then
    return shown:get_lines_as_text()
  end
end
"""
SETTINGS = {
    "front_end": "'Software'",
    "enable_wayland": "false",
    "check_for_updates": "false",
}


class Gui(Instance):
    """One WezTerm with its windows, which can be quit or killed and started again on the same desktop."""

    name = "gui"

    def __init__(self, place: Place, display: Display, config: Path | None = None) -> None:
        super().__init__(place, config)
        self.display = display
        self.settings = dict(SETTINGS)  # more of them: pieces of Lua, as `wezterm --config NAME=LUA` takes them

    @property
    def socket(self) -> Path:
        """The socket that its panes find in WEZTERM_UNIX_SOCKET."""
        return self.place.runtime / "wezterm" / f"gui-sock-{self.pid}"

    def start(self) -> None:
        """Start it; wait until it answers, a pane is there and its window has the keys."""
        self.env = {**self.env, **self.display.env}
        self._run("wezterm-gui", self.settings, "start")
        wait_for(self.list, "the first pane", CALL_S)
        wait_for(self.has_keys, "the window to have the keys", CALL_S)

    def windows(self) -> list[int]:
        """Return its visible windows, as X numbers them."""
        return self.display.windows(CLASS)

    def has_keys(self) -> bool:
        """Tell whether one of its windows has the keys."""
        return self.display.focused() in self.windows()

    def title(self) -> str:
        """Return the title of the window that has the keys: an overlay (a picker, a question) shows its own there."""
        return self.display.run("xdotool", "getactivewindow", "getwindowname").removesuffix("\n")

    def key(self, *keys: str) -> None:
        """Press keys one after the other, as xdotool names them: `ctrl+alt+space`, `Return`, `Escape`, `a`."""
        wait_for(self.has_keys, "a window that has the keys")
        self.display.run("xdotool", "key", *keys)

    def type(self, words: str) -> None:
        """Type words, at the speed of a fast typist."""
        wait_for(self.has_keys, "a window that has the keys")
        self.display.run("xdotool", "type", "--delay", "8", "--", words)

    def screenshot(self, path: Path) -> Path:
        """Take a picture of the whole screen as it is now."""
        return self.display.picture(path)

    def still(self, path: Path, timeout_s: float = 15) -> Path:
        """Take a picture once two in a row are the same: all that was on its way has been drawn."""
        before = path.with_name(path.stem + "-before.ppm")
        after = path.with_name(path.stem + "-after.ppm")

        def same() -> bool:
            self.display.picture(before)
            self.display.picture(after)
            return before.read_bytes() == after.read_bytes()

        wait_for(same, "a picture that keeps still", timeout_s)
        self.display.run("convert", str(after), str(path))
        before.unlink()
        after.unlink()
        return path

    def colours(self, path: Path) -> int:
        """Return how many colours a picture has: one, where nothing was drawn."""
        return int(self.display.run("identify", "-format", "%k", str(path)))

    def overlay(self) -> str | None:
        """Return the words of what lies over the active pane (a picker, a prompt, a question), or None."""
        words: str | None = self.rpc(OVERLAY)
        return words

    def wait_for_overlay(self, words: str, timeout_s: float = 15) -> str:
        """Wait until an overlay shows some words; return all that it shows."""
        return wait_for(lambda: _with(words, self.overlay()), f"an overlay with {words!r}", timeout_s)

    def quit(self) -> None:
        """Close its windows as a frame's button does, answer WezTerm's questions with yes, and wait for its end."""
        while before := self._mux_windows_or_end():
            self.key(CLOSE_KEY)
            if wait_for(partial(self._after_close, before), "the window to close, or a question", CALL_S) == "asks":
                self.key("y")
                wait_for(lambda: self._after_close(before) == "closed", "the window to close", CALL_S)
        self.wait()

    def _mux_windows_or_end(self) -> set[int]:
        """Wait until a window has the keys (after the last comes another workspace's), or for the end: no windows."""

        def there() -> set[int] | str:
            if not self.is_running():
                return "ended"
            return {pane["window_id"] for pane in self.list()} if self.has_keys() else ""

        found = wait_for(there, "a window, or WezTerm's end", CALL_S)
        return found if isinstance(found, set) else set()

    def _after_close(self, before: set[int]) -> str:
        if not self.is_running() or {pane["window_id"] for pane in self.list()} != before:
            return "closed"
        return "asks" if QUESTION in (self.overlay() or "") else ""


def _with(words: str, text: str | None) -> str:
    """Return a text if it has some words."""
    return text if text and words in text else ""
