"""A home folder in which the plugin lies as `init` links it, and WezTerm's stand-in over it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.lua.fake import FakeWezterm

ROOT = Path(__file__).parents[2]
EMPTY = "return require('wezterm').config_builder()"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home with the links of `wezparallel init --write`."""
    links = tmp_path / ".wezterm"
    links.mkdir()
    for source in sorted((ROOT / "lua").iterdir()):
        (links / source.name).symlink_to(source)
    return tmp_path


@pytest.fixture(params=["stable", "nightly"])
def flavour(request: pytest.FixtureRequest) -> str:
    """Both flavours that people have."""
    return str(request.param)


@pytest.fixture
def make(home: Path) -> Callable[..., FakeWezterm]:
    """Start a WezTerm in the home: `make('nightly', gui=False, env={…})`."""

    def start(flavour: str = "stable", *, gui: bool = True, env: dict[str, str] | None = None) -> FakeWezterm:
        return FakeWezterm(home, flavour, gui=gui, env=env)

    return start


@pytest.fixture
def wezterm(make: Callable[..., FakeWezterm]) -> FakeWezterm:
    """The stable release with an empty configuration and one window."""
    started = make()
    started.load(EMPTY)
    return started


@pytest.fixture
def each_wezterm(make: Callable[..., FakeWezterm], flavour: str) -> FakeWezterm:
    """One of each flavour with an empty configuration and one window."""
    started = make(flavour)
    started.load(EMPTY)
    return started
