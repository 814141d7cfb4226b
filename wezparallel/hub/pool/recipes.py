"""What a spare is made after, and whether it is what somebody asks for. Pure. Above it `pool/spares.py`.

All that a program gets at its start has to be the same, because nothing of it can be changed afterwards: command,
folder, environment, terminal, limits. What is only shown, or is looked up when something happens, is taken from
whoever asks.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

from wezparallel.protocol.process import ProcessSettings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from wezparallel.hub.settings import KindSettings

FREE = frozenset({
    "name", "command", "title", "pane", "focus", "restart", "backoff_s", "give_up", "auto_start", "on_close",
    "limits",
})  # fmt: skip
"""What may be another. Of `limits`, niceness and ulimits may not."""
_COMPARED = tuple(name for name in ProcessSettings.model_fields if name not in FREE)

OF_A_TERMINAL = frozenset({
    "ALACRITTY_WINDOW_ID", "COLORTERM", "GPG_TTY", "ITERM_SESSION_ID", "KITTY_WINDOW_ID", "SSH_TTY", "TERM",
    "TERM_PROGRAM", "TERM_PROGRAM_VERSION", "TERM_SESSION_ID", "TTY", "VTE_VERSION", "WINDOWID", "XDG_SESSION_ID",
})  # fmt: skip
"""Variables that name the terminal of whoever asks. A process here has one of its own, so these say nothing."""

_MOST_NAMES = 5


def recipe(settings: ProcessSettings, kind: str) -> ProcessSettings | None:
    """Return what the next process of a kind will be after this one; None if only its start can tell.

    A worktree is one process's own, and a file of variables may say something else at the next start.
    """
    if settings.direct or settings.worktree is not None or settings.env_files:
        return None
    return settings.model_copy(
        update={
            "name": kind, "title": None, "pane": False, "focus": False, "prompt": None, "depends_on": {},
            "auto_start": True,
        }
    )  # fmt: skip


def differing(have: ProcessSettings, wanted: ProcessSettings) -> list[str]:
    """Return the settings that would have to be the same and are not."""
    found = [name for name in _COMPARED if getattr(have, name) != getattr(wanted, name)]
    if (have.limits.nice, have.limits.ulimits) != (wanted.limits.nice, wanted.limits.ulimits):
        found.append("limits")
    return found


def differing_variables(have: Mapping[str, str], wanted: Mapping[str, str]) -> list[str]:
    """Return the names of variables that are not the same in two environments."""
    names = (have.keys() | wanted.keys()) - OF_A_TERMINAL
    return sorted(name for name in names if have.get(name) != wanted.get(name))


def sentence(process_id: str, settings: list[str], variables: list[str]) -> str:
    """Say why a spare does not fit. Of variables only names."""
    parts = [f"another {name}" for name in settings]
    if variables:
        more = ", …" if len(variables) > _MOST_NAMES else ""
        parts.append(f"another environment ({', '.join(variables[:_MOST_NAMES])}{more})")
    return f"the spare {process_id} has {', '.join(parts)}"


def fingerprint(kind: KindSettings) -> str:
    """Return a short name for what the configuration adds to a start of this kind."""
    if not kind.command and not kind.environment:
        return ""
    text = json.dumps([kind.command, sorted(kind.environment.items())])
    return hashlib.sha256(text.encode()).hexdigest()[:16]
