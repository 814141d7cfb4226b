"""What the snapshot says of programs and sockets, all absolute: a GUI that a dock started has no PATH to speak of."""

from __future__ import annotations

import sys
from importlib.metadata import version
from typing import TYPE_CHECKING

from wezparallel import paths
from wezparallel.protocol.hub import ProtocolRange

if TYPE_CHECKING:
    from wezparallel.hub.settings import Ui
    from wezparallel.types import JsonObject


def facts(ui: Ui, written_at: str, hub_id: str | None = None) -> JsonObject:
    """Return what the snapshot says beside the state. Without a hub (`init`) there is no `hub_id`."""
    client = paths.package_dir() + "/client/"
    return {
        "protocol": ProtocolRange().model_dump(),
        "version": version("wezparallel"),
        "hub_id": hub_id,
        "written_at": written_at,
        "python": sys.executable,
        "call": client + "call.py",
        "attach": client + "attach.py",
        "direct": client + "direct.py",
        "program": [sys.executable, "-m", "wezparallel"],
        "socket": paths.hub_socket(),
        "keeper_socket": paths.keeper_socket(),
        "env": paths.moved(),
        "keys": paths.keys_file(),
        "ui": {
            "theme": ui.theme,
            "show_process_status": ui.show_process_status,
            "auto_hide_inactive_panes": ui.auto_hide_inactive_panes,
        },
    }
