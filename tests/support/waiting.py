"""Bounded waits of the tests, for what no event tells (files, the process table)."""

from __future__ import annotations

import select
import time
from collections.abc import Callable


def until(condition: Callable[[], bool], timeout_s: float, what: str) -> None:
    """Look at a condition every few milliseconds until it holds; fail after `timeout_s`."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {timeout_s} s in vain for {what}")
        select.select([], [], [], 0.005)
