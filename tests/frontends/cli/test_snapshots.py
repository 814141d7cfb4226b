"""`snapshot`: what is drawn, what is asked, what is done, beside the real daemon."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

from tests.hub.state.test_snapshot import SEED
from tests.support.commandline import CommandLine
from tests.support.daemon import Daemon


def test_import_shows_what_it_would_do_and_does_it_after_a_yes(real: CommandLine, daemon: Daemon) -> None:
    file = real.cwd / "snapshot.yaml"
    file.write_text(SEED.replace("echo", "sleep").replace('"Hello, World"', "1000").replace("/path/to/dir", "/"))
    plan = ["snapshot.yaml", "  + example-process  sleep 1000  starts"]
    assert real("snapshot", "import", "--dry-run", "snapshot.yaml").out.splitlines() == plan
    refused = real("snapshot", "import", "snapshot.yaml")
    assert (refused.code, refused.out.splitlines()) == (2, plan)
    assert "say --yes" in refused.err
    said_no = real.on_terminal("snapshot", "import", "snapshot.yaml", keys={"Add 1? [y/N]": "n\r"})
    assert said_no.lines[-1] == "Nothing was changed."
    assert daemon.call("ProcessList")["processes"] == []
    said_yes = real.on_terminal("snapshot", "import", "snapshot.yaml", keys={"Add 1? [y/N]": "y\r"})
    assert said_yes.lines[-1].startswith("done; 1 process started; `wezparallel snapshot rollback ")
    (record,) = daemon.call("ProcessList")["processes"]
    assert record["state"] == "running"
    file.write_text(file.read_text().replace("1000", "2000") + "    speed: 3\n")
    done = real("snapshot", "import", "--yes", "snapshot.yaml")
    assert done.out.splitlines()[1] == "  ~ example-process  sleep 1000 → sleep 2000  needs a restart"
    assert done.err.splitlines() == [
        "processes.example-process: 'speed' is not known and left out",
        "example-process runs as before until a restart: wezparallel restart example-process",
    ]
    assert real("snapshot", "import", "--yes", "snapshot.yaml").out == "snapshot.yaml: nothing differs\n"
    assert real("snapshot", "import", "-y", "-", stdin="processes: [").err.startswith(
        "wezparallel: line 2: this is not YAML"
    )
    assert real("snapshot", "import").code == 2


def test_a_list_a_difference_and_the_way_back(real: CommandLine, daemon: Daemon) -> None:
    assert real("snapshot").out.startswith("No snapshot yet")
    daemon.call("ProcessAdd", id="one", command="sleep", args=["1000"])
    out = real("snapshot", "export").out.splitlines()
    assert out[0].endswith(": 0 workspaces, 1 process")
    good = out[0].split()[1].rstrip(":")
    daemon.call("ProcessAdd", id="two", command="sleep", args=["1000"])
    daemon.call("ProcessAdd", id="three", command="sleep", args=["1000"], auto_start=False)
    assert real("snapshot", "diff", good).out.splitlines() == [
        f"{good} → now", "  + three  sleep 1000", "  + two    sleep 1000",
    ]  # fmt: skip
    went = real("snapshot", "rollback", "--yes", good[:-3]).out.splitlines()
    assert went[1:3] == [
        "  − three  sleep 1000",
        "  − two    sleep 1000  stays: it runs; stop it to have it forgotten",
    ]
    rows = real("snapshot", "list").out.splitlines()
    assert [row.split()[0] for row in rows] == sorted([good, went[3].split()[4].rstrip("`")], reverse=True)
    assert "before a rollback" in rows[0]
    told = json.loads(real("snapshot", "--json", "list").out)
    assert [one["snapshot"] for one in told["snapshots"]] == [row.split()[0] for row in rows]
    wrong = real("snapshot", "rollback", "1999")
    assert (wrong.code, "there is no snapshot '1999'" in wrong.err) == (2, True)
    restored = real("events", "snapshot.restored").out
    assert f"{good}  0 workspaces, 1 process, rollback" in restored


def test_an_export_is_the_snapshot_and_nobody_elses_to_read(real: CommandLine, daemon: Daemon) -> None:
    daemon.call("ProcessAdd", id="one", command="sleep", args=["1000"], env={"API_KEY": "hush-hush"})
    text = real("snapshot", "export", "-o", "-").out
    assert text.startswith("# Workspaces and processes")
    assert "hush-hush" not in text
    file = real.cwd / "copy.yaml"
    assert real("snapshot", "export", "-o", "copy.yaml").out == "copy.yaml: 0 workspaces, 1 process\n"
    assert stat.S_IMODE(os.stat(file).st_mode) == 0o600
    assert file.read_text().splitlines()[8:] == text.splitlines()[8:]
    refused = real("snapshot", "export", "-o", "copy.yaml")
    assert "--force replaces it" in refused.err
    assert real("snapshot", "export", "-o", "copy.yaml", "--force").code == 0


def test_doctor_says_that_a_database_was_set_aside(wezparallel: CommandLine) -> None:
    folder = Path(wezparallel.environment["XDG_STATE_HOME"]) / "wezterm-parallel"
    folder.mkdir(parents=True)
    assert "damaged" not in wezparallel("doctor").out
    for suffix in ("", "-wal"):
        (folder / f"state.db.corrupt-20261124T120000Z{suffix}").write_text("x")
    assert "a damaged database was set aside" in wezparallel("doctor").out
