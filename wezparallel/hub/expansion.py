"""`${NAME}`, `${NAME:-default}` and `$$` in the configuration. Pure: what a name means is handed in."""

from __future__ import annotations

import re
from collections.abc import Mapping

_REFERENCE = re.compile(r"\$(?:(\$)|\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^{}]*))?\})")


def expand(text: str, values: Mapping[str, str]) -> tuple[str, list[str]]:
    """Return a text with its references replaced, and the names that are set nowhere."""
    missing: list[str] = []

    def replaced(match: re.Match[str]) -> str:
        if match[1]:
            return "$"
        value = values.get(match[2], "")
        if value or (match[3] is None and match[2] in values):
            return value
        if match[3] is not None:
            return match[3]
        missing.append(match[2])
        return ""

    return _REFERENCE.sub(replaced, text), missing
