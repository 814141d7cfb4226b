"""What WezTerm's plugin reads before any hub has written it: `init` asks for it, through `hub/offline.py`."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

from wezparallel import paths
from wezparallel.hub.gui import keys, places, snapshot
from wezparallel.hub.gui.writing import content, replace
from wezparallel.hub.state.model import State, rfc3339

if TYPE_CHECKING:
    from wezparallel.hub.settings import Settings


def write(settings: Settings) -> None:
    """Write the snapshot of nothing, so that the first key press finds the programs, and the keys. Raises OSError."""
    for path in (paths.gui_snapshot(), paths.keys_file()):
        os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
    facts = places.facts(settings.ui, rfc3339(int(time.time() * 1000)))
    replace(paths.gui_snapshot(), snapshot.encode(snapshot.build(State(), facts=facts)))
    wanted = keys.encode(settings.ui.keybindings)
    if content(paths.keys_file()) != wanted:  # WezTerm reloads when it changes
        replace(paths.keys_file(), wanted)
