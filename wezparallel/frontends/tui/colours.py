"""Three themes, and what each style's name looks like in them. One meaning, one colour; the word stands beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.style import Style
from textual.theme import BUILTIN_THEMES, Theme

if TYPE_CHECKING:
    from collections.abc import Mapping

DARK, LIGHT, SIXTEEN = "dark", "light", "16"
NAMES = (DARK, LIGHT, SIXTEEN)

_DARK = Theme(
    name="wezparallel-dark", dark=True, primary="#6cb6ff", secondary="#8b949e", accent="#6cb6ff",
    foreground="#d3d9e0", background="#10151b", surface="#10151b", panel="#1d2630", boost="#1d2630",
    success="#7bd88f", warning="#e8c264", error="#f47067",
)  # fmt: skip
_LIGHT = Theme(
    name="wezparallel-light", dark=False, primary="#0a58a8", secondary="#5c6570", accent="#0a58a8",
    foreground="#1c2228", background="#fbfbf9", surface="#fbfbf9", panel="#e4e8ec", boost="#e4e8ec",
    success="#17722f", warning="#8a5a00", error="#b3261e",
)  # fmt: skip
_STYLES = {
    DARK: {
        "": "", "good": "#7bd88f", "needs": "bold #e8c264", "bad": "#f47067", "dim": "#87919c",
        "link": "#6cb6ff", "bold": "bold", "head": "bold #ffffff", "chosen": "on #22303d",
        "found": "#10151b on #e8c264", "key": "bold #6cb6ff",
    },
    LIGHT: {
        "": "", "good": "#17722f", "needs": "bold #8a5a00", "bad": "#b3261e", "dim": "#5c6570",
        "link": "#0a58a8", "bold": "bold", "head": "bold #000000", "chosen": "on #d6e2ee",
        "found": "#fbfbf9 on #8a5a00", "key": "bold #0a58a8",
    },
    SIXTEEN: {
        "": "", "good": "green", "needs": "bold yellow", "bad": "red", "dim": "dim", "link": "blue", "bold": "bold",
        "head": "bold", "chosen": "reverse", "found": "reverse yellow", "key": "bold",
    },
}  # fmt: skip


def theme(name: str) -> Theme:
    """Return Textual's theme of that name."""
    return {DARK: _DARK, LIGHT: _LIGHT, SIXTEEN: BUILTIN_THEMES["ansi-dark"]}[name]


def styles(name: str) -> dict[str, Style]:
    """Return each style of a theme."""
    return {style: Style.parse(words) for style, words in _STYLES[name].items()}


def fitting(environment: Mapping[str, str]) -> str:
    """Return the theme for a terminal: by how many colours it says that it has, and which background."""
    many = environment.get("COLORTERM", "") in ("truecolor", "24bit") or "256" in environment.get("TERM", "")
    if not many and not environment.get("TERM", "").startswith(("wezterm", "xterm-kitty", "xterm-ghostty", "foot")):
        return SIXTEEN
    ground = environment.get("COLORFGBG", "").rpartition(";")[2]
    return LIGHT if ground.isdigit() and (int(ground) == 7 or int(ground) >= 9) else DARK
