"""A daemon with a person's processes in two workspaces, and callers who come in any way."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.daemon import Daemon, running_daemon
from tests.support.waiting import until

ROOT = Path(__file__).parents[2]
PROBE = ROOT / "tests" / "support" / "probe.py"
PATIENCE_S = 15

Answers = dict[str, Any]
Probe = Callable[..., Answers]


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    """One daemon for a whole module: what is refused changes nothing."""
    with running_daemon(tmp_path_factory.mktemp("home")) as running:
        for process in ("work/cat", "other/cat"):
            running.call("ProcessAdd", id=process, command="cat", tty=True)
        yield running


@pytest.fixture
def probe(daemon: Daemon, tmp_path: Path) -> Probe:
    """Have a process of the daemon ask, in one way; return what it was told."""

    def ask(process_id: str, way: str, requests: list[Any], private: bool = True, **how: Any) -> Answers:
        out = tmp_path / (process_id.replace("/", "-") + way.replace(" ", "-"))
        args = prepare(daemon, out, way, requests, private)
        command = how.pop("command", sys.executable)
        daemon.call("ProcessAdd", id=process_id, command=command, args=args, unique=True, **how)
        return told(daemon, out, process_id)

    return ask


def prepare(daemon: Daemon, out: Path, way: str, requests: list[Any], private: bool) -> list[str]:
    """Write down what is to be asked; return the arguments of Python for whoever asks it."""
    asked = {"requests": requests, "process": "other/cat", "private": private}
    Path(f"{out}.asked").write_text(json.dumps(asked))
    forged = daemon.call("ProcessGet", process="other/cat")["process"]["run_id"]
    return ["-S", str(PROBE), str(ROOT), daemon.runtime, way, str(out), forged]


def told(daemon: Daemon, out: Path, process_id: str) -> Answers:
    """Wait for the answers."""
    try:
        until(out.exists, PATIENCE_S, f"what {process_id} was told")
    except AssertionError as error:
        chunks = daemon.call("LogRead", process=process_id)["chunks"]
        raise AssertionError("".join(chunk["text"] for chunk in chunks)) from error
    return dict(json.loads(out.read_text()))


@pytest.fixture
def unchanged(daemon: Daemon) -> Iterator[None]:
    """Look afterwards that nothing has happened to the person's processes, workspaces and daemon."""
    before = _facts(daemon)
    yield
    assert _facts(daemon) == before


def _facts(daemon: Daemon) -> Answers:
    status = daemon.call("Status")
    records = {one: daemon.call("ProcessGet", process=one)["process"] for one in ("work/cat", "other/cat")}
    assert daemon.keeper is not None
    return {
        "hub": (status["hub_pid"], status["keeper_pid"], status["hub_deaths"]),
        "runs": {one: (record["run_id"], record["pid"], record["state"]) for one, record in records.items()},
        "typed": {one: daemon.call("LogRead", process=one)["chunks"] for one in records},
        "workspaces": [(one["name"], one["open"]) for one in daemon.call("WorkspaceList")["workspaces"]],
        "keeper": daemon.keeper.poll(),
        "stopped": Path(daemon.runtime, "stopped").exists(),
    }
