"""The hub's files are replaced or deleted under it: nothing of another version is loaded into it."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

import wezparallel
from tests.support.daemon import Daemon
from tests.support.waiting import until


@pytest.fixture
def installed(tmp_path: Path) -> Iterator[tuple[Daemon, Path]]:
    """A daemon that runs from a copy of the package, and where that is."""
    package = tmp_path / "site" / "wezparallel"
    shutil.copytree(Path(wezparallel.__file__).parent, package)
    home = tmp_path / "home"
    home.mkdir()
    runtime = tempfile.mkdtemp(prefix="wzp-", dir="/tmp")
    daemon = Daemon(runtime, home)
    daemon.env["PYTHONPATH"] = str(package.parent)
    try:
        daemon.start()
        yield daemon, package
    finally:
        daemon.stop()
        shutil.rmtree(runtime, ignore_errors=True)


def test_an_idle_hub_whose_files_were_replaced_ends_and_the_next_one_answers(installed: tuple[Daemon, Path]) -> None:
    daemon, package = installed
    before = daemon.hub_pid()
    os.utime(package / "hub" / "handlers" / "table.py")
    assert daemon.call("ViewList") == {"views": [], "next": None}
    assert daemon.hub_pid() != before


def test_a_hub_that_has_something_to_care_for_needs_its_files_no_more(installed: tuple[Daemon, Path]) -> None:
    daemon, package = installed
    added = daemon.call("ProcessAdd", id="held", command="cat", tty=True)["process"]
    before = daemon.kill_hub()
    until(lambda: daemon.hub_pid() != before, 10, "the next hub")
    shutil.rmtree(package)
    assert daemon.call("ViewList") == {"views": [], "next": None}
    assert daemon.call("TemplateList")["templates"] is not None
    assert daemon.call("ProcessGet", process="held")["process"]["pid"] == added["pid"]
