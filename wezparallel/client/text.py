"""Words and figures for people: ages, sizes, cuts. Pure; what a terminal can show is render.py's business."""

from __future__ import annotations

import datetime
import unicodedata

from wezparallel.errors import RequestError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wezparallel.types import Seconds

_UNITS = (("d", 86400), ("h", 3600), ("m", 60))
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_CONTROL = dict.fromkeys((*range(32), *range(127, 160)), "�")


def clean(text: str) -> str:
    """Return text without control characters: what a program calls itself must not move the cursor."""
    return text.translate(_CONTROL)


def width(text: str) -> int:
    """Return how many columns a text takes on a terminal."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(char) else 1 + (unicodedata.east_asian_width(char) in "WF") for char in text
    )


def cut_end(text: str, columns: int) -> str:
    """Return a text of at most so many columns; what is missing at its end is an ellipsis."""
    if width(text) <= columns:
        return text
    if columns <= 0:
        return ""
    while text and width(text) > columns - 1:
        text = text[:-1]
    return text.rstrip() + "…"


def cut_middle(text: str, columns: int) -> str:
    """Return a path of at most so many columns; its beginning and more of its end stay."""
    if width(text) <= columns:
        return text
    if columns <= 2:
        return cut_end(text, columns)
    head = (columns - 1) // 3
    tail = columns - 1 - head
    return text[:head] + "…" + text[len(text) - tail :]


def pad(text: str, columns: int, *, right: bool = False) -> str:
    """Return a text filled up with spaces."""
    spaces = " " * max(0, columns - width(text))
    return spaces + text if right else text + spaces


def duration(seconds: Seconds) -> str:
    """Return `12s`, `4m`, `2h`, `3d`."""
    seconds = max(0.0, seconds)
    for unit, size in _UNITS:
        if seconds >= size:
            return f"{int(seconds // size)}{unit}"
    return f"{int(seconds)}s"


def lasted(seconds: Seconds) -> str:
    """Return `0.8s`, `12s`, `4m`: how long something took."""
    return f"{seconds:.1f}s" if seconds < 10 else duration(seconds)


def in_seconds(seconds: Seconds) -> str:
    """Return `4 s`, `2 min`: a wait within a sentence."""
    return f"{max(0, round(seconds))} s" if seconds < 100 else f"{round(seconds / 60)} min"


def parse_time(at: str) -> float:
    """Return seconds since the epoch of an RFC 3339 time."""
    return datetime.datetime.fromisoformat(at).timestamp()


def age(at: str | None, now: float) -> str:
    """Return how long ago a time was, empty if unknown."""
    return "" if not at else duration(now - parse_time(at))


def size(count: int | None) -> str:
    """Return `612 MB`; empty if unknown. A megabyte is 1024², as in `ps` and `top`."""
    if count is None:
        return ""
    if count < 1024:
        return f"{count} B"
    for unit, step in (("KB", 1 << 10), ("MB", 1 << 20), ("GB", 1 << 30)):
        value = count / step
        if value < 1000:
            return f"{value:.1f} {unit}" if value < 10 and unit == "GB" else f"{value:.0f} {unit}"
    return f"{count / (1 << 40):.1f} TB"


def plural(count: int, noun: str, many: str = "") -> str:
    """Return `1 process`, `3 processes`."""
    return f"{count} {noun if count == 1 else many or noun + 's'}"


def home(path: str, home_dir: str) -> str:
    """Return a path with `~` for the home folder."""
    if home_dir not in ("", "/") and (path == home_dir or path.startswith(home_dir + "/")):
        return "~" + path[len(home_dir) :]
    return path


def moment(said: str, now: float) -> float:
    """Return the time that `90s`, `10m`, `2h`, `1d` or an RFC 3339 time means. Raises RequestError."""
    unit = said[-1:]
    try:
        if unit in _SECONDS and said[:-1].replace(".", "", 1).isdigit():
            return now - float(said[:-1]) * _SECONDS[unit]
        return datetime.datetime.fromisoformat(said).astimezone().timestamp()
    except ValueError:
        raise RequestError(
            "command.bad_value", f"'{said}' is neither a time as 2026-01-31T12:00:00Z nor an age as 90s, 10m, 2h, 1d"
        ) from None


def clock(at: float) -> str:
    """Return the local time of day with milliseconds."""
    return datetime.datetime.fromtimestamp(at, tz=datetime.UTC).astimezone().strftime("%H:%M:%S.%f")[:-3]


def rfc3339(at: float) -> str:
    """Return a time as the socket writes it."""
    return datetime.datetime.fromtimestamp(at, tz=datetime.UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
