"""A key in WezTerm's real window until four panes show their programs, and what else the plugin costs there.

Needs WezTerm's binaries (`WEZTERM_BIN_DIR`) and a desktop without a screen; without them its rows say so. window.lua
is the configuration that measures, inside the window, from the key's callback on.
"""

from __future__ import annotations

import json
import statistics
import sys
from pathlib import Path

from benches.measure import Row, at_most, below, missing
from tests.wezterm.binaries import lacking
from tests.wezterm.display import Display
from tests.wezterm.gui import Gui
from tests.wezterm.place import Place
from tests.wezterm.waiting import wait_for

ROUNDS = 5
MOST_S = 0.3
HEADLINE = "key press to 4 panes that show their programs, real WezTerm"
OTHERS = ("a Lua action that asks the hub", "a read of the snapshot", "one update of the status")
TEMPLATE = """
layout: |
  a b
  c d
panes:
  a: "echo READY; exec sleep 1000"
  b: "echo READY; exec sleep 1000"
  c: "echo READY; exec sleep 1000"
  d: "echo READY; exec sleep 1000"
"""


def run() -> list[Row]:
    """Measure."""
    reason = lacking("wezterm_gui")
    if reason:
        return [missing(name, "WezTerm", "") for name in (HEADLINE, *OTHERS)]
    place = Place()
    try:
        return rows(measured(place))
    finally:
        place.close()


def measured(place: Place) -> list[dict[str, float]]:
    """Press the key once a round; return what each round measured, in seconds."""
    out = place.root / "round"
    places = {"python": sys.executable, "out": str(out)}
    place.config.write_text(Path(__file__).with_suffix(".lua").read_text())
    place.wezparallel("init", "--write")
    prepare(place)
    display = Display(place)
    gui = Gui(place, display)
    gui.env["BENCH_PLACES"] = json.dumps(places)
    try:
        display.start()
        gui.start()
        return [one_round(gui, out, number) for number in range(1, ROUNDS + 1)]
    finally:
        gui.close()
        display.close()


def prepare(place: Place) -> None:
    """Have closed workspaces that the rounds open, and a daemon that runs."""
    place.wezparallel("daemon", "start")
    with place.hub() as hub:
        for number in range(1, ROUNDS + 1):
            name = f"bench-{number}"
            hub.call("WorkspaceCreate", {"name": name, "source": TEMPLATE, "root": str(place.home)})
            hub.call("WorkspaceClose", {"name": name})


def one_round(gui: Gui, out: Path, number: int) -> dict[str, float]:
    """Press the key and wait for what it measured."""
    result, fault = Path(f"{out}-{number}"), Path(f"{out}.fault")
    gui.key("ctrl+alt+b")
    wait_for(lambda: result.exists() or fault.exists(), f"round {number}", 60)
    if fault.exists():
        raise RuntimeError(fault.read_text())
    values: dict[str, float] = json.loads(result.read_text())
    return values


def rows(rounds: list[dict[str, float]]) -> list[Row]:
    """Return the rows: medians over the rounds."""
    middle = {name: statistics.median(one[name] for one in rounds) for name in rounds[0]}
    action, read, update = OTHERS
    return [
        below(HEADLINE, middle["ours"], MOST_S, "s"),
        at_most(f"{HEADLINE}: beside", middle["ours"], {"plain Lua and one bare python": middle["plain"]}, 15.0, "s"),
        at_most(action, middle["call"], {"a bare python3 -I -S": middle["bare"]}, 2.0, "s"),
        below(f"{read}, unchanged", middle["read"], 0.001, "s"),
        below(f"{read}, parsed anew", middle["parsed"], 0.001, "s"),
        below(update, middle["handler"], 0.002, "s"),
    ]
