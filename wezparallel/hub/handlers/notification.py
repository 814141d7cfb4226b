"""Handlers of notifications: what `integrations/notify` asks and tells, and tests of channels."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wezparallel.errors import RequestError
from wezparallel.hub.workspaces.source import did_you_mean, quoted
from wezparallel.protocol import notification as words

if TYPE_CHECKING:
    from wezparallel.hub.app import Hub
    from wezparallel.hub.comms.dispatch import Accepted


async def get(hub: Hub, _command: words.NotificationGet) -> words.NotificationRules:
    """Return rules and channels."""
    said = hub.settings.notifications
    return words.NotificationRules(
        rules=said.rules, channels=said.channels, since=hub.notifications.since, epoch=hub.store.epoch
    )


def display(hub: Hub, command: words.NotificationDisplay) -> Accepted:
    """Show it where somebody is."""
    return {"by": hub.gui.display(command.title, command.body, command.process, command.kind)}


async def displayed(
    _hub: Hub, _command: words.NotificationDisplay, accepted: Accepted
) -> words.NotificationDisplayed:
    """Answer who showed it."""
    return words.NotificationDisplayed(by=accepted["by"])


def report(hub: Hub, command: words.NotificationReport) -> Accepted:
    """Write down what became of a notification."""
    hub.notifications.reported(command)
    return {}


async def reported(_hub: Hub, _command: words.NotificationReport, _accepted: Accepted) -> words.NotificationReported:
    """Answer."""
    return words.NotificationReported()


def test(hub: Hub, command: words.AlertTest) -> Accepted:
    """Ask for a test of a rule's channels, or of one channel."""
    said = hub.settings.notifications
    rule = said.rules.get(command.name)
    known = (*said.rules, *words.BUILT_IN, *said.channels)
    if command.name not in known:
        raise RequestError(
            "command.bad_value", f"there is no rule and no channel {quoted(command.name)}. "
            + did_you_mean(command.name, known), field="name", known=list(known),
        )  # fmt: skip
    hub.notifications.check_running()
    channels = list(dict.fromkeys(rule.channels)) if rule is not None else [command.name]
    test_id = hub.notifications.new_test()
    hub.notifications.tests.begin(test_id)
    hub.bus.publish("alert.tested", {"test_id": test_id, "name": command.name, "channels": channels})
    return {"test_id": test_id, "channels": channels}


async def tested(hub: Hub, _command: words.AlertTest, accepted: Accepted) -> words.AlertTested:
    """Answer once each channel was tried."""
    found = await hub.notifications.tests.wait(accepted["test_id"], accepted["channels"])
    results = [words.ChannelTested(channel=channel, reason=reason) for channel, reason in found.items()]
    return words.AlertTested(results=results)
