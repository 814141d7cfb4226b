"""To come back to a program that is held: from exec to the first byte shown, and until its last line stands again."""

from __future__ import annotations

import os
import time

from benches.daemon import daemon, folder
from benches.keepers import PEERS, Keeper, keepers, opened
from benches.measure import Row, compared, in_turns, missing
from benches.panes import Pane, closing

SCRIPT = "stty raw -echo; for n in $(seq 1000); do echo line $n; done; echo READY; exec cat"
HEADLINE = "attach, exec to first byte shown"
WHOLE = "attach, exec to the last line shown again"
ROUNDS = 15


class Attached:
    """One program's way back, tried again and again."""

    def __init__(self, keeper: Keeper) -> None:
        self._keeper = keeper
        with opened(keeper, "attach", SCRIPT) as pane:
            pane.until(b"READY")
            pane.settle()

    def first_byte(self) -> float:
        """Attach; return the seconds until anything is shown."""
        begin = time.perf_counter()
        with closing(Pane(self._keeper.attach("attach"), self._keeper.env)) as pane:
            os.read(pane.master, 65536)
            taken = time.perf_counter() - begin
            pane.settle()
        return taken

    def last_line(self) -> float:
        """Attach; return the seconds until the past is there."""
        begin = time.perf_counter()
        with closing(Pane(self._keeper.attach("attach"), self._keeper.env)) as pane:
            pane.until(b"READY")
            taken = time.perf_counter() - begin
            pane.settle()
        return taken


def run() -> list[Row]:
    """Measure. dtach shows nothing of the past, so it has no part in the second row."""
    with daemon() as running, folder() as path, keepers(running, path) as everyone:
        absent = [missing(HEADLINE, peer, "") for peer in PEERS if peer not in everyone]
        if len(everyone) == 1:
            return absent
        attached = {name: Attached(keeper) for name, keeper in everyone.items()}
        first = in_turns({name: one.first_byte for name, one in attached.items()}, ROUNDS)
        attached.pop("dtach", None)
        last = in_turns({name: one.last_line for name, one in attached.items()}, ROUNDS)
    rows = [compared(HEADLINE, first.pop("ours"), first, "s")]
    ours = last.pop("ours")
    return [*rows, *([compared(WHOLE, ours, last, "s")] if last else []), *absent]
