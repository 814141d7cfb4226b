"""Reads that were asked before: their bytes are not parsed again, and within a turn of the loop not computed again.

Fifty clients that watch the same process ask the same thing, each with an id of its own. What stands before the id is
parsed once; the reply's body is made once a turn, and whatever may change state ends the turn's replies (`forget`).
A request of this turn was sent before anybody could know of a change in it, so nobody is told what is past.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from wezparallel.hub.comms.dispatch import Read
    from wezparallel.hub.metrics.counts import Latency
    from wezparallel.protocol.command import Command, Reply

MAX_KNOWN = 256  # requests; a client that never asks the same twice empties them now and then
MAX_HEAD = 512  # bytes; what is longer is rare and not worth the memory
MAX_KEPT = 64 * 1024  # bytes; larger replies are made for each
_ID = b'"id":'
_MAX_DIGITS = 18


class Known:
    """A read whose meaning is known."""

    __slots__ = ("body", "command", "handler", "latency", "state")

    def __init__(self, handler: Read, command: Command[Reply], latency: Latency) -> None:
        self.handler = handler
        self.command = command
        self.latency = latency
        """Where the time is counted that its replies took."""
        self.body: bytes | None = None
        """The last reply, without its end."""
        self.state: object = None
        """What the reply depends on, where the handler says it."""


class Familiar:
    """The reads that were asked lately."""

    def __init__(self, soon: Callable[[Callable[[], None]], object]) -> None:
        """`soon` calls back before the next turn."""
        self._soon = soon
        self._known: dict[bytes, Known] = {}
        self._of_turn: list[Known] = []

    def find(self, head: bytes) -> Known | None:
        """Return what a request means that begins so."""
        return self._known.get(head)

    def learn(self, head: bytes, handler: Read, command: Command[Reply], latency: Latency) -> None:
        """Remember a read."""
        if len(head) <= MAX_HEAD:
            if len(self._known) >= MAX_KNOWN:
                self._known.clear()
            self._known[head] = Known(handler, command, latency)

    def keep(self, known: Known, body: bytes, state: object) -> None:
        """Keep a reply while `state` stays equal; without one for the rest of this turn."""
        if len(body) > MAX_KEPT:
            return
        known.body, known.state = body, state
        if state is None:
            if not self._of_turn:
                self._soon(self.forget)
            self._of_turn.append(known)

    def forget(self) -> None:
        """State may change, or a turn has ended: what was told is to be computed anew."""
        for known in self._of_turn:
            known.body = None
        self._of_turn.clear()


def split(line: bytes) -> tuple[bytes, bytes]:
    """Return what stands before a whole number at the end that is the request's id, and its digits; else all of it.

    If `head + digits + "}"` was a request with that id, so is `head` with any other number: the place after `head` is
    that of a value in the outermost object.
    """
    at = line.rfind(_ID) + len(_ID)
    digits = line[at:-1].strip()
    if at < len(_ID) or not digits.isdigit() or len(digits) > _MAX_DIGITS or line[-1:] != b"}":
        return line, b""
    return (line, b"") if digits[:1] == b"0" and len(digits) > 1 else (line[:at], digits)
