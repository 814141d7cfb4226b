"""What the GUI is asked to do: numbered requests in the snapshot file, each for one WezTerm or for any.

A number is never given twice, nor a smaller one after it, whatever hub gives it: the plugin keeps the last that it
did. A request stands in the file for 30 s; a new hub takes over those that its predecessor left.
"""

from __future__ import annotations

import os
import re
from collections import deque
from typing import TYPE_CHECKING, Any

from wezparallel.hub.gui.views import is_alive
from wezparallel.hub.state.model import rfc3339

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from wezparallel.types import JsonObject

KEPT_MS = 30_000
MOST = 50
MOST_MUXES = 32
MOST_NUMBER = 1 << 52  # Lua's readers of JSON may have floats only

_GUI_SOCKET = re.compile(r"gui-sock-(\d+)$")


class Requests:
    """The latest of them, and which GUI they should go to."""

    def __init__(self, now_ms: Callable[[], int], before: JsonObject | None = None) -> None:
        """`before` is the snapshot that an earlier hub left."""
        self._now_ms = now_ms
        self._kept: deque[JsonObject] = deque(maxlen=MOST)
        self._ends: dict[int, int] = {}
        """request id -> when it is over. Its number does not tell: that stays high where the clock was put back."""
        self._spoke: dict[str, int] = {}
        """mux -> when its plugin said something last"""
        self.last_id = 0
        for request in _requests_of(before):
            self.ensure(request)
        for mux in _guis_of(before):
            self._spoke.pop(mux, None)
            self._spoke[mux] = 0

    @property
    def last_mux(self) -> str | None:
        """The GUI whose plugin spoke last."""
        return next(reversed(self._spoke), None)

    @property
    def muxes(self) -> list[str]:
        """The GUIs whose plugins have spoken, who spoke last at the end."""
        return list(self._spoke)

    def spoke(self, mux: str | None) -> None:
        """A command came from a GUI, or a view in it."""
        if mux:
            self._spoke.pop(mux, None)
            self._spoke[mux] = self._now_ms()
            while len(self._spoke) > MOST_MUXES:
                del self._spoke[next(iter(self._spoke))]

    def target(self, showing: Iterable[str] = (), others: Iterable[str] = ()) -> str | None:
        """Return the GUI that is to act (see `plugin`); without a plugin the first of `others` that is there."""
        return self.plugin(showing) or next(filter(mux_lives, others), None)

    def plugin(self, showing: Iterable[str] = ()) -> str | None:
        """Return the GUI whose plugin is to act: who spoke last of those that show it, else of all; None without one.

        Args:
            showing: GUIs that show what it is about. A mux server's socket is none that speaks: its panes are shown
                by a GUI with another socket, whose plugin finds them.
        """
        there, first = list(filter(mux_lives, reversed(self._spoke))), frozenset(showing)
        return next((mux for mux in there if mux in first), there[0] if there else None)

    def make(self, kind: str, mux: str | None, **fields: Any) -> JsonObject:
        """Write a request down; return it."""
        now = self._now_ms()
        self.last_id = max(now, self.last_id + 1)
        request = {"id": self.last_id, "at": rfc3339(now), "mux": mux, "kind": kind, **fields}
        self._kept.append(request)
        self._ends[self.last_id] = now + KEPT_MS
        return request

    def ensure(self, request: JsonObject) -> bool:
        """Have a request there that an earlier hub may have left unwritten; tell whether it was added."""
        number, now = request["id"], self._now_ms()
        self.last_id = max(self.last_id, number)
        if number < now - KEPT_MS or any(one["id"] == number for one in self._kept):
            return False
        self._kept.append(request)
        self._ends[number] = min(number, now) + KEPT_MS
        self._kept = deque(sorted(self._kept, key=lambda one: int(one["id"])), maxlen=MOST)
        return True

    def recent(self) -> list[JsonObject]:
        """Return those that somebody may still have to do, the newest last."""
        now = self._now_ms()
        ends = {one["id"]: min(self._ends[one["id"]], now + KEPT_MS) for one in self._kept}
        self._ends = {number: end for number, end in ends.items() if end >= now}
        self._kept = deque((one for one in self._kept if one["id"] in self._ends), maxlen=MOST)
        return list(self._kept)


def mux_lives(mux: str) -> bool:
    """Tell whether a WezTerm is there: its socket, and where that names it the GUI itself."""
    named = _GUI_SOCKET.search(mux)
    if named is not None and not is_alive(int(named[1]), 0):
        return False
    return os.path.exists(mux)


def _requests_of(snapshot: JsonObject | None) -> Iterable[JsonObject]:
    found = (snapshot or {}).get("requests")
    if isinstance(found, list):
        for one in found:
            number = one.get("id") if isinstance(one, dict) else None
            if type(number) is int and 0 < number < MOST_NUMBER and isinstance(one.get("kind"), str):
                yield one


def _guis_of(snapshot: JsonObject | None) -> list[str]:
    found = (snapshot or {}).get("guis")
    known = found[-MOST_MUXES:] if isinstance(found, list) else []
    return [mux for mux in (*known, (snapshot or {}).get("gui")) if isinstance(mux, str)]
