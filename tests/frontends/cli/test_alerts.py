"""`alerts` says what is above which threshold, and what to do when nothing is."""

from __future__ import annotations

import json

from tests.support.commandline import CommandLine
from tests.support.scripted_hub import ScriptedHub

ALERTS = [
    {"process_id": "shop/server", "workspace": "shop", "what": "memory", "value": 300 << 20, "threshold": 256 << 20,
     "raised_at": "2026-01-01T00:00:00.000Z"},
    {"process_id": None, "workspace": None, "what": "disk", "value": None, "threshold": 90.0,
     "raised_at": "2026-01-02T00:00:00.000Z"},
]  # fmt: skip


def test_each_alert_says_what_is_above_what_the_newest_first(hub: ScriptedHub, wezparallel: CommandLine) -> None:
    hub.answers["AlertList"] = {"alerts": ALERTS}
    disk, memory = wezparallel("alerts").out.splitlines()
    assert "the disk of the logs" in disk
    assert "?, above 90 %" in disk
    assert memory.split()[:3] == ["!", "shop/server", "memory"]
    assert "300 MB, above 256 MB" in memory


def test_where_no_alert_holds_it_says_where_the_thresholds_are(hub: ScriptedHub, wezparallel: CommandLine) -> None:
    hub.answers["AlertList"] = {"alerts": []}
    assert "wezparallel config show" in wezparallel("alerts").out
    assert json.loads(wezparallel("alerts", "--json").out) == {"alerts": []}
