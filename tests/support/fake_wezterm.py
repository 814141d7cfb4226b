"""Plays `wezterm cli` where a test wants it to fail, or to be seen from outside: panes are lines in a file.

It runs nothing in its panes. `FAKE_WEZTERM` names its folder: `calls` gets a line of JSON a call, `panes` what there
is; a file `fail-VERB` holds how many calls of that verb still succeed, `slow-VERB` makes them hang.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from itertools import pairwise
from pathlib import Path

COLUMNS, ROWS = 120, 30


def main() -> int:
    """Answer one call."""
    folder = Path(os.environ.get("FAKE_WEZTERM") or Path(__file__).parent)
    words = sys.argv[1:]
    if words == ["--version"]:
        sys.stdout.write("wezterm 20240203-110809-5046fc22\n")
        return 0
    with (folder / "calls").open("a") as calls:
        calls.write(json.dumps({"words": words, "env": dict(os.environ)}) + "\n")
    if words[:2] != ["cli", "--no-auto-start"]:
        return complain("it would start a server")
    verb, rest = words[2], words[3:]
    limit = folder / f"fail-{verb}"
    if (folder / f"slow-{verb}").exists():
        signal.pause()
    if limit.exists():
        left = int(limit.read_text())
        if left == 0:
            return complain(f"no {verb} today")
        limit.write_text(str(left - 1))
    panes = json.loads((folder / "panes").read_text()) if (folder / "panes").exists() else []
    answer(verb, rest, panes)
    (folder / "panes").write_text(json.dumps(panes))
    return 0


def answer(verb: str, rest: list[str], panes: list[dict[str, object]]) -> None:
    """Change the panes as told, and say what WezTerm would."""
    told = dict(pairwise(rest))
    number = max((int(str(pane["pane_id"])) for pane in panes), default=0) + 1
    if verb == "list":
        sys.stdout.write(json.dumps(panes))
    elif verb == "spawn":
        beside = next((pane for pane in panes if str(pane["pane_id"]) == told.get("--pane-id")), None)
        window = told.get("--window-id") or (beside["window_id"] if beside else 100 + number)
        panes.append({
            "pane_id": number, "tab_id": number, "window_id": int(str(window)), "workspace": "default",
            "size": {"cols": COLUMNS, "rows": ROWS},
        })  # fmt: skip
        sys.stdout.write(f"{number}\n")
    elif verb == "split-pane":
        of = next(pane for pane in panes if str(pane["pane_id"]) == told["--pane-id"])
        panes.append({**of, "pane_id": number, "size": {"cols": 1, "rows": 1}})
        sys.stdout.write(f"{number}\n")
    elif verb == "kill-pane":
        panes[:] = [pane for pane in panes if str(pane["pane_id"]) != told["--pane-id"]]


def complain(words: str) -> int:
    """Fail as the real one does."""
    sys.stderr.write(f"12:00:00.000  ERROR  wezterm > {words}; terminating\n")
    return 1


if __name__ == "__main__":
    sys.exit(main())
