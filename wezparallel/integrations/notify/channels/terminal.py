"""Where somebody is: the hub shows it as a toast of WezTerm, else in the terminal that was come to last."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wezparallel.errors import WezparallelError
from wezparallel.integrations.notify.channels import AttemptError

if TYPE_CHECKING:
    from wezparallel.client.aio import Client
    from wezparallel.integrations.notify.rules import Message


async def send(client: Client, message: Message) -> None:
    """Have the hub show it. Raises AttemptError."""
    data = message.event["data"]
    try:
        reply = await client.call("NotificationDisplay", {
            "title": message.title[:200], "body": message.body[:1000], "process": data.get("process_id"),
            "kind": message.kind if message.rule is not None else None,
        })  # fmt: skip
    except WezparallelError as error:
        raise AttemptError(error.code) from None
    if reply.get("by") == "nobody":
        raise AttemptError("no terminal of WezTerm's and no attached one is there to show it", again=False)
