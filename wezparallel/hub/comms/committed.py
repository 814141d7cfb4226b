"""The hub as far as it is written down: what reads are told of while nothing can be written, as with a full disk.

A reply may never show what a crash could take back, and a disk may stay full for hours. So while commits fail and
memory is ahead of the database, a read looks at what the database says: true when it was written, and no less than
after a crash now. Above: dispatch. Below: the store.
"""

from __future__ import annotations

import copy
import sqlite3
from typing import TYPE_CHECKING

from wezparallel.hub.workspaces.collection import Workspaces
from wezparallel.hub.workspaces.trust import Trust

if TYPE_CHECKING:
    from wezparallel.hub.app import Hub


class Committed:
    """The last commit, read back when it is needed."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._seen: Hub | None = None
        self._at = -1
        """The batch that it was read at."""

    def sees(self) -> Hub:
        """Return what a read that may see state looks at. Raises RequestError where not even that can be read."""
        store = self._hub.store
        if store.error is None or store.ticket() <= store.committed:
            self._seen = None
            return self._hub
        if self._seen is None or self._at != store.committed:
            try:
                self._seen, self._at = self._read(), store.committed
            except sqlite3.Error:
                raise store.error from None
        return self._seen

    def _read(self) -> Hub:
        """Return a hub that is the same in everything but what is stored. For reads alone."""
        seen = copy.copy(self._hub)
        seen.state = self._hub.store.load()
        seen.bus = copy.copy(self._hub.bus)
        seen.bus.seq = self._hub.store.committed_seq
        seen.workspaces, seen.trust = Workspaces(seen), Trust(seen)
        return seen
