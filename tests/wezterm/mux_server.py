"""A headless WezTerm: the mux server, with the configuration that a test gives it."""

from __future__ import annotations

from pathlib import Path

from tests.wezterm.instance import Instance
from tests.wezterm.place import Place


class MuxServer(Instance):
    """One mux server, which can be killed and started again on the same socket."""

    name = "mux-server"

    def __init__(self, place: Place, config: Path | None = None) -> None:
        super().__init__(place, config)
        self.program: tuple[str, ...] = ()  # what its first pane runs, where `mux-startup` makes none

    @property
    def socket(self) -> Path:
        """The socket of WezTerm's default unix domain."""
        return self.place.runtime / "wezterm" / "sock"

    def start(self) -> None:
        """Start it and wait until it answers."""
        self._run("wezterm-mux-server", {}, *(["--", *self.program] if self.program else []))

    def kill(self) -> None:
        """Kill it."""
        self.sigkill()
