"""What outlives this program: how far it has heard, and what was not sent yet. One small file, replaced atomically.

No address stands in it: a message that waits names its channel.
"""

from __future__ import annotations

import json
import os
from contextlib import suppress
from typing import NamedTuple

from wezparallel import paths
from wezparallel.integrations.notify.rules import Held, Message

FORMAT = 1


class Waiting(NamedTuple):
    """A message that was not sent yet."""

    box: str
    since: float
    message: Message


class Memory(NamedTuple):
    """All of it."""

    since: int | None = None
    epoch: str | None = None
    waiting: tuple[Waiting, ...] = ()
    held: tuple[Held, ...] = ()


def place() -> str:
    """Return the file."""
    return paths.state_dir() + "/notifications.json"


def load(path: str) -> Memory:
    """Return what was kept; nothing where the file is missing or no file of ours."""
    try:
        with open(path, encoding="utf-8") as file:
            said = json.load(file)
        if said["format"] != FORMAT:
            return Memory()
        waiting = tuple(Waiting(str(box), float(at), Message(*message)) for box, at, message in said["waiting"])
        held = tuple(Held(*one) for one in said["held"])
        return Memory(said["since"], said["epoch"], waiting, held)
    except (OSError, ValueError, KeyError, TypeError):
        return Memory()


def save(path: str, kept: Memory) -> None:
    """Keep it. A disk that is full costs what happens while nobody listens, nothing else."""
    said = {"format": FORMAT, **kept._asdict()}
    fresh = f"{path}.{os.getpid()}"
    try:
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        with open(descriptor, "w", encoding="utf-8") as file:
            json.dump(said, file)
        os.replace(fresh, path)
    except OSError:
        with suppress(OSError):
            os.unlink(fresh)
