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
    from wezparallel.hub.state.model import State


class Committed:
    """The last commit, read back when it is needed."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._read: tuple[State, Trust] | None = None
        self._at = -1
        """The batch that it was read at."""

    def sees(self) -> Hub:
        """Return what a read that may see state looks at. Raises RequestError where not even that can be read."""
        store = self._hub.store
        if store.error is None or store.ticket() <= store.committed:
            self._read = None
            return self._hub
        if self._read is None or self._at != store.committed:
            try:
                self._read, self._at = (store.load(), Trust(self._hub)), store.committed
            except sqlite3.Error:
                raise store.error from None
        # The same in everything but what is stored; figures go on being those of now.
        seen = copy.copy(self._hub)
        seen.state, seen.trust = self._read
        seen.bus = copy.copy(self._hub.bus)
        seen.bus.seq = store.committed_seq
        seen.workspaces = Workspaces(seen)
        return seen
