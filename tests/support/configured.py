"""A real daemon with a configuration file."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.daemon import Daemon, running_daemon


def write_config(home: Path, text: str) -> None:
    """Write the configuration file of a daemon whose home this is."""
    folder = home / "config" / "wezterm-parallel"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.yaml").write_text(text)


@contextmanager
def configured_daemon(tmp_path: Path, text: str) -> Iterator[Daemon]:
    """Give a started daemon that has read this configuration."""
    home = tmp_path / "home"
    home.mkdir()
    write_config(home, text)
    with running_daemon(home) as daemon:
        yield daemon
