"""Handler of `AlertList`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wezparallel.protocol.alert import AlertList, AlertsReply

if TYPE_CHECKING:
    from wezparallel.hub.app import Hub


def list_(hub: Hub, _command: AlertList) -> AlertsReply:
    """Return the alerts that hold."""
    return AlertsReply(alerts=hub.alerts.all())
