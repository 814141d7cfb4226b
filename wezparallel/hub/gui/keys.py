"""`ui.keybindings` for WezTerm: which actions there are, and what a key is called there. Pure.

Above: `configuration.py` warns of what is unknown, `gui.py` writes what is known into `keys.json`.
"""

from __future__ import annotations

import difflib
import json
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from wezparallel.types import JsonObject

FORMAT = 1
ACTIONS = (
    "menu", "create_workspace", "switch_workspace", "delete_workspace", "show_dashboard", "next_waiting",
    "attach_process", "restart_process", "kill_process", "show_logs", "sync_panes", "type_all", "relayout", "restore",
)  # fmt: skip
"""What `require('wezparallel').actions` has."""

_MODIFIERS = {
    "ctrl": "CTRL", "control": "CTRL", "shift": "SHIFT", "alt": "ALT", "opt": "ALT", "option": "ALT", "meta": "ALT",
    "super": "SUPER", "cmd": "SUPER", "command": "SUPER", "win": "SUPER", "leader": "LEADER",
}  # fmt: skip
_ORDER = ("LEADER", "CTRL", "SHIFT", "ALT", "SUPER")
_NAMED = {
    "space": "Space", "enter": "Enter", "return": "Enter", "esc": "Escape", "escape": "Escape", "tab": "Tab",
    "backspace": "Backspace", "delete": "Delete", "del": "Delete", "insert": "Insert", "ins": "Insert",
    "home": "Home", "end": "End", "pageup": "PageUp", "pgup": "PageUp", "pagedown": "PageDown", "pgdn": "PageDown",
    "left": "LeftArrow", "right": "RightArrow", "up": "UpArrow", "down": "DownArrow", "leftarrow": "LeftArrow",
    "rightarrow": "RightArrow", "uparrow": "UpArrow", "downarrow": "DownArrow", "plus": "+", "minus": "-",
    **{f"f{number}": f"F{number}" for number in range(1, 25)},
}  # fmt: skip

_KEY = re.compile(r"\s*((?:[A-Za-z]+\s*[+|-]\s*)*)(\S+)\s*")
_WORD = re.compile(r"[A-Za-z]+")


def parse(text: str) -> tuple[str, str] | None:
    """Return WezTerm's key and modifiers for `ctrl+shift+n`; None if there is no such key."""
    found = _KEY.fullmatch(text)
    if found is None:
        return None
    words, name = [word.lower() for word in _WORD.findall(found[1])], found[2]
    if any(word not in _MODIFIERS for word in words):
        return None
    key = _NAMED.get(name.lower()) or (name.lower() if len(name) == 1 and name.isprintable() else None)
    if key is None:
        return None
    used = {_MODIFIERS[word] for word in words}
    return key, "|".join(one for one in _ORDER if one in used) or "NONE"


def action_of(text: str) -> str | None:
    """Return the action of that name; `-` equals `_`."""
    name = text.strip().lower().replace("-", "_")
    return name if name in ACTIONS else None


def problem(action: str, key: str) -> tuple[str, str] | None:
    """Return what is wrong with a line, and what to do; None if nothing is."""
    if action_of(action) is None:
        near = difflib.get_close_matches(action, ACTIONS, n=1)
        hint = f"Did you mean '{near[0]}'?" if near else f"There are {', '.join(ACTIONS)}."
        return f"there is no action '{action}' for a key", hint
    if parse(key) is None:
        return f"'{key}' is no key", "Write it as `ctrl+shift+n`, `alt+space`, `super+f5`."
    return None


def listed(bindings: Mapping[str, str]) -> list[JsonObject]:
    """Return the keys as the plugin binds them; what is unknown is left out."""
    found = []
    for name, text in bindings.items():
        action, key = action_of(name), parse(text)
        if action is not None and key is not None:
            found.append({"action": action, "key": key[0], "mods": key[1]})
    return found


def encode(bindings: Mapping[str, str]) -> bytes:
    """Return the content of `keys.json`."""
    return json.dumps({"format": FORMAT, "keys": listed(bindings)}, indent=1, ensure_ascii=False).encode() + b"\n"
