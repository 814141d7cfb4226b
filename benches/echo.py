"""From a key to its echo through an attached terminal, against tmux and dtach. The program is `cat`, raw."""

from __future__ import annotations

import contextlib

from benches import panes
from benches.daemon import daemon, folder
from benches.measure import Row, at_most, missing, p50, p99
from benches.peers import present

SCRIPT = "stty raw -echo; echo READY; exec cat"
COUNT = 500
ROUNDS = 7


def run() -> list[Row]:
    """Measure."""
    peers = [peer for peer in (panes.tmux, panes.dtach) if present(peer.__name__)]
    if not peers:
        return [missing("key echo through attach", "tmux, dtach", "≤ 1.25×")]
    with daemon() as running, folder() as path, contextlib.ExitStack() as stack:
        open_panes = {"ours": stack.enter_context(panes.ours(running, "echo", SCRIPT))}
        for peer in peers:
            open_panes[peer.__name__] = stack.enter_context(peer(path, "echo", SCRIPT))
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
    ]
