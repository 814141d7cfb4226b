"""From a key to its echo through an attached terminal, against tmux, dtach and shpool. The program is `cat`, raw."""

from __future__ import annotations

import contextlib

from benches.daemon import daemon, folder
from benches.keepers import PEERS, keepers, opened
from benches.measure import Row, at_most, missing, p50, p99

SCRIPT = "stty raw -echo; echo READY; exec cat"
COUNT = 500
ROUNDS = 7


def run() -> list[Row]:
    """Measure."""
    with daemon() as running, folder() as path, contextlib.ExitStack() as stack:
        everyone = stack.enter_context(keepers(running, path))
        absent = [missing("key echo through attach", peer, "≤ 1.25×") for peer in PEERS if peer not in everyone]
        if len(everyone) == 1:
            return absent
        open_panes = {name: stack.enter_context(opened(keeper, "echo", SCRIPT)) for name, keeper in everyone.items()}
        middle: dict[str, list[float]] = {name: [] for name in open_panes}
        tail: dict[str, list[float]] = {name: [] for name in open_panes}
        for pane in open_panes.values():
            pane.until(b"READY")
            pane.settle()
            pane.echoes(50)
        for _ in range(ROUNDS):
            for name, pane in open_panes.items():
                taken = pane.echoes(COUNT)
                middle[name].append(p50(taken))
                tail[name].append(p99(taken))
    typical = {name: p50(values) for name, values in middle.items()}
    worst = {name: p50(values) for name, values in tail.items()}
    return [
        at_most("key echo through attach, p50", typical.pop("ours"), typical, 1.25, "s"),
        at_most("key echo through attach, p99", worst.pop("ours"), worst, 1.5, "s"),
        *absent,
    ]
