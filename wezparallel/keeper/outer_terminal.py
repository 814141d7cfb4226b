"""Bytes of our own for the terminal around a program: a user variable that wakes WezTerm, a desktop notification.

They are shown between two outputs of the program, where nothing is cut (display.py), or not at all: whoever asked has
another way that is only slower. The hub says when; nothing here is in the log.
"""

from __future__ import annotations

import base64

from wezparallel.wire.hello import INSIDE_WEZTERM

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wezparallel.keeper.viewer import Viewer

MAX_VALUE = 512  # characters; a name or a number is meant
MAX_TITLE = 100
MAX_BODY = 400
_OLD_WAY = ("iTerm.app", "WindowsTerminal", "mintty")  # they know OSC 9, which has no title
_SILENT = ("", "dumb", "linux", "cons25", "emacs")  # terminals that would show what they do not understand


def nudge(viewer: Viewer, name: str, value: str) -> bool:
    """Set a user variable of the pane; return whether that was possible."""
    if not viewer.about.flags & INSIDE_WEZTERM or not name.replace("_", "").isalnum():
        return False
    encoded = base64.b64encode(value[:MAX_VALUE].encode("utf-8", "replace"))
    return viewer.interpose(b"\x1b]1337;SetUserVar=" + name.encode() + b"=" + encoded + b"\x07")


def notify(viewer: Viewer, title: str, body: str) -> bool:
    """Have the terminal show a notification; return whether that was possible."""
    strings = viewer.about.strings
    if len(strings) < 4 or strings[1] in _SILENT:
        return False
    title, body = _line(title, MAX_TITLE), _line(body, MAX_BODY)
    if strings[3] in _OLD_WAY:
        text = f"9;{title}: {body}" if title and body else f"9;{title or body}"
    else:
        text = f"777;notify;{title.replace(';', ',')};{body}"
    return viewer.interpose(b"\x1b]" + text.encode("utf-8", "replace") + b"\x1b\\")


def _line(text: str, most: int) -> str:
    """Return one line that cannot end the sequence that it stands in."""
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())[:most]
