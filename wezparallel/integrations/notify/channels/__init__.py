"""The ways to tell somebody: each module has one function that makes an attempt.

An attempt returns, or raises `AttemptError`, whose sentence never holds an address: these are secrets.
"""

from __future__ import annotations


class AttemptError(Exception):
    """An attempt that failed."""

    def __init__(self, reason: str, *, again: bool = True, wait_s: float | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.again = again
        """Whether another attempt may go better."""
        self.wait_s = wait_s
        """How long the other side asks to be left alone."""
