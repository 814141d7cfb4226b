"""Another version is installed over the one that runs: nothing of it is loaded into the hub, which starts anew."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

import wezparallel
from tests.support.daemon import Daemon


def test_a_hub_whose_files_were_replaced_ends_and_the_next_one_answers(tmp_path: Path) -> None:
    package = tmp_path / "site" / "wezparallel"
    shutil.copytree(Path(wezparallel.__file__).parent, package)
    home = tmp_path / "home"
    home.mkdir()
    runtime = tempfile.mkdtemp(prefix="wzp-", dir="/tmp")
    daemon = Daemon(runtime, home)
    daemon.env["PYTHONPATH"] = str(package.parent)
    try:
        daemon.start()
        before = daemon.hub_pid()
        added = daemon.call("ProcessAdd", id="held", command="cat", tty=True)["process"]
        os.utime(package / "hub" / "handlers" / "view.py")
        assert daemon.call("ViewList") == {"views": [], "next": None}
        assert daemon.hub_pid() != before
        assert daemon.call("ProcessGet", process="held")["process"]["pid"] == added["pid"]
    finally:
        daemon.stop()
        shutil.rmtree(runtime, ignore_errors=True)
