"""Memory for what is held and looked at: 20 programs on terminals, each with its viewer, the programs left out."""

from __future__ import annotations

import contextlib
import time

from benches.daemon import daemon, folder
from benches.keepers import PEERS, Keeper, keepers, opened
from benches.measure import Row, compared, missing, pss

COUNT = 20
SCRIPT = "stty raw -echo; echo READY; exec cat"
SETTLE_S = 1.0
HEADLINE = "memory, PSS"


class Taken:
    """Megabytes that one program takes."""

    def __init__(self, keeper: Keeper) -> None:
        with contextlib.ExitStack() as stack:
            panes = [stack.enter_context(opened(keeper, "held-0", SCRIPT))]
            panes[0].until(b"READY")
            panes[0].settle()
            one = sum(map(pss, keeper.daemons()))
            panes += [stack.enter_context(opened(keeper, f"held-{number}", SCRIPT)) for number in range(1, COUNT)]
            for pane in panes[1:]:
                pane.until(b"READY")
                pane.settle()
            time.sleep(SETTLE_S)
            all_ = sum(map(pss, keeper.daemons()))
            viewers = sum(pss(pane.client.pid) for pane in panes)
        self.adds = (all_ - one) / (COUNT - 1)
        """What holds one more."""
        self.viewer = viewers / COUNT
        self.whole = all_ + viewers
        """What holds and shows all of them."""


def run() -> list[Row]:
    """Measure."""
    with daemon() as running, folder() as path, keepers(running, path) as everyone:
        absent = [missing(HEADLINE, peer, "") for peer in PEERS if peer not in everyone]
        if len(everyone) == 1:
            return absent
        taken = {name: Taken(keeper) for name, keeper in everyone.items()}
    rows = []
    for what, name in {
        "one more program held": "adds", "one viewer": "viewer", f"{COUNT} programs held and viewed": "whole",
    }.items():  # fmt: skip
        values = {keeper: getattr(one, name) for keeper, one in taken.items()}
        rows.append(compared(f"{HEADLINE}: {what}", values.pop("ours"), values, "MB"))
    return [*rows, *absent]
