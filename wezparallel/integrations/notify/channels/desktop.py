"""The desktop's notifications, where it has some; the rest goes to where somebody is (`terminal.py`)."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

from wezparallel.integrations.notify.channels import AttemptError
from wezparallel.integrations.notify.channels.command import run

if TYPE_CHECKING:
    from wezparallel.integrations.notify.rules import Message

_PATIENCE_S = 5.0
_URGENT = frozenset({"exit_abnormal", "error", "threshold"})


async def send(message: Message) -> bool:
    """Show a message; tell whether there was a desktop that could."""
    env = _environment()
    if env is None:
        return False
    for argv in _commands(message):
        if shutil.which(argv[0], path=env.get("PATH")) is None:
            continue
        try:
            if await run(argv, b"", env, _PATIENCE_S) == 0:
                return True
        except AttemptError:
            continue
    return False


def _environment() -> dict[str, str] | None:
    """Return an environment with the session's bus; None where there is none."""
    if os.environ.get("DBUS_SESSION_BUS_ADDRESS"):
        return dict(os.environ)
    bus = f"/run/user/{os.getuid()}/bus"
    return {**os.environ, "DBUS_SESSION_BUS_ADDRESS": f"unix:path={bus}"} if os.path.exists(bus) else None


def _commands(message: Message) -> list[list[str]]:
    # A body is markup for many desktops.
    body = message.body.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    urgency, level = (2, "critical") if message.kind in _URGENT else (1, "normal")
    hints = f"{{'urgency': <byte {urgency}>}}"
    return [
        ["notify-send", "-a", "wezparallel", "-u", level, "--", message.title, body],
        ["gdbus", "call", "--session", "--dest", "org.freedesktop.Notifications",
         "--object-path", "/org/freedesktop/Notifications", "--method", "org.freedesktop.Notifications.Notify",
         "wezparallel", "0", "", _variant(message.title), _variant(body), "[]", hints, "-1"],
    ]  # fmt: skip


def _variant(text: str) -> str:
    """Return a text as gdbus reads one."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{"".join(char if char.isprintable() else " " for char in escaped)}"'
