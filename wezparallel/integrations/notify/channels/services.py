"""Slack, Discord, mail and many others, through Apprise; the extra `notify` brings it. Blocking, in a thread.

Apprise is imported for the first message. What it writes to its log may hold addresses, and goes nowhere.
"""

from __future__ import annotations

import importlib
import logging
from typing import TYPE_CHECKING

from wezparallel.integrations.notify.channels import AttemptError

if TYPE_CHECKING:
    from wezparallel.integrations.notify.rules import Message
    from wezparallel.types import JsonObject


def send(said: JsonObject, message: Message) -> None:
    """Send through every address of a channel. Raises AttemptError."""
    for name in ("apprise", "requests", "urllib3"):
        log = logging.getLogger(name)
        log.handlers, log.propagate = [logging.NullHandler()], False
    try:
        apprise = importlib.import_module("apprise")
    except ImportError:
        raise AttemptError(
            "Apprise is not installed; `pip install 'wezparallel[notify]'` brings it", again=False
        ) from None
    everyone = apprise.Apprise()
    for number, url in enumerate(said["apprise"], 1):
        if not everyone.add(url):
            raise AttemptError(f"Apprise does not understand address {number} of the channel", again=False)
    kind = apprise.NotifyType.FAILURE if message.kind in {"exit_abnormal", "error"} else apprise.NotifyType.INFO
    try:
        arrived = everyone.notify(title=message.title, body=message.body, notify_type=kind)
    except Exception as error:  # noqa: BLE001  a plug-in's fault, whose sentence may hold an address
        raise AttemptError(f"Apprise failed: {type(error).__name__}") from None
    if not arrived:
        raise AttemptError("the service did not take it")
