"""What must not be shown: values whose name or form says that they are a secret. Pure.

One rule for `config show`, `env` and our own logs. What a program prints is its log, and is not touched.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

MASK = "••••••"
_NAMES = re.compile(
    r"(?:^|[_.-])(?:key|token|pat|auth|jwt|apprise|headers)s?$|webhook(?:_?url)?s?$|api_?key|access_?key|private_?key|secret|passw(?:or)?d|passphrase|credential",
    re.IGNORECASE,
)
_HARMLESS = re.compile(
    r"(?:max|num|min|limit|count|output|input|thinking|total)[_-][\w-]*tokens$|^ssh_auth", re.IGNORECASE
)
_REFERENCE = re.compile(r"\$\{[A-Za-z_][A-Za-z0-9_]*\}\Z|\$[A-Za-z_][A-Za-z0-9_]*\Z")
_IN_URL = re.compile(r"(?<=://)([^/\s:@]*):([^@\s/]+)(?=@)")
_LINE = re.compile(r"""^(\s*(?:-\s+)?\{?\s*["']?(?P<name>[\w.-]+)["']?\s*[:=]\s*)(?P<value>\S.*?)(\s*)$""")
_BLOCK = re.compile(r"[|>][-+0-9]*\s*(?:#.*)?\Z")
_ARGUMENT = re.compile(
    r"""(?P<head>(?:^|(?<=[\s;&|"'(]))(?:--?(?P<flag>[A-Za-z][\w.-]*)[= ]|(?P<name>[A-Za-z_]\w*)=)["']?)"""
    r"""(?P<value>[^\s;&|"']+)"""
)
_FLAG = re.compile(r"--?(?P<flag>[A-Za-z][\w.-]*)\Z")
_FILE = re.compile(r"[./~]|-|.*\.[A-Za-z]{2,5}\Z")
_CHANNELS = re.compile(
    r"""(?:^|[\s{,])["']?(?:channels|custom_webhooks)["']?\s*[:=]\s*(?=\{|#|$|.*://)|^\s*\[+\s*["']?notifications["']?\s*\.\s*["']?channels\b"""
)
"""Below it stand addresses, which are secrets whatever they are called: in YAML what is indented, in TOML a table."""
_TABLE = re.compile(r"""\s*\[+\s*[\w"'. -]+\]+\s*(?:#.*)?$""")
_HEAD = re.compile(r"""\s*(?:-\s+)?["']?[\w.-]+["']?\s*(?::(?=\s|$)|=)\s*""")
_INLINE = re.compile(r"""(?P<head>[{,]\s*["']?(?P<name>[\w.-]+)["']?\s*[:=]\s*)(?P<value>[^,}]+)""")


def is_secret(name: str) -> bool:
    """Tell whether a variable or option of that name holds a secret."""
    return bool(_NAMES.search(name)) and not _HARMLESS.search(name)


def masked(name: str, value: str) -> str:
    """Return a value as it may be shown: a secret's mask, and no password in a URL.

    An empty one hides nothing, and a reference such as `${NAME}` only says where the secret is.
    """
    if not value or _REFERENCE.match(value):
        return value
    return MASK if is_secret(name) else _IN_URL.sub(rf"\1:{MASK}", value)


def masked_arguments(argv: list[str]) -> list[str]:
    """Return a command's words as they may be written down: `--token=…`, `--token …`, `TOKEN=…`, and URLs."""
    shown: list[str] = []
    is_value = False
    for word in argv:
        flag = _FLAG.match(word)
        shown.append(MASK if is_value and word and not _is_harmless(word) else masked_command(word))
        is_value = flag is not None and is_secret(flag["flag"])
    return shown


def masked_command(text: str) -> str:
    """Return a line for a shell as it may be written down."""

    def cover(match: re.Match[str]) -> str:
        hides = is_secret(match["flag"] or match["name"]) and not _is_harmless(match["value"])
        return match["head"] + (MASK if hides else match["value"])

    return _ARGUMENT.sub(cover, _IN_URL.sub(rf"\1:{MASK}", text))


def _is_harmless(value: str) -> bool:
    return value.startswith("$") or bool(_FILE.match(value))


def masked_text(text: str) -> str:
    """Return a file's text whose secrets are covered, with every line and column where it was."""
    shown: list[str] = []
    below = -1  # the indentation of a secret whose value stands in the lines below
    for line in _without_addresses(text.split("\n")):
        indent = len(line) - len(line.lstrip())
        if below >= 0 and line.strip() and indent > below:
            shown.append(line[:indent] + _cover(line[indent:]))
            continue
        whole = _LINE.match(line)
        is_block = whole is not None and is_secret(whole["name"]) and _BLOCK.match(whole["value"])
        below = indent if is_block or (below >= 0 and not line.strip()) else -1
        shown.append(line if is_block else _masked_line(line))
    return "\n".join(shown)


def _without_addresses(lines: list[str]) -> Iterator[str]:
    """Yield lines with what stands in the channels of notifications covered."""
    above: int | None = None  # the indentation of `channels:`
    first = -1  # that of the first line below it
    in_table = False
    for line in lines:
        indent = len(line) - len(line.lstrip())
        found = _CHANNELS.search(line)
        if found is not None and above is None:
            in_table = line.lstrip().startswith("[")
            above, first = (None, -1) if in_table else (indent, -1)
            yield line if in_table else line[: found.end()] + _cover(line[found.end() :])
        elif in_table and _TABLE.match(line):
            in_table = False
            yield line
        elif in_table or (above is not None and (indent > above or not line.strip())):
            first = indent if first < 0 and line.strip() else first
            # A list right below is one of names: of the channels of a rule.
            is_name = not in_table and indent == first and line.lstrip().startswith("- ") and "://" not in line
            head = _HEAD.match(line)
            end = head.end() if head is not None else indent
            yield line if is_name else line[:end] + _cover(line[end:])
        else:
            above = None
            yield line


def _masked_line(line: str) -> str:
    line = _IN_URL.sub(lambda match: match[1] + ":" + "•" * len(match[2]), line)
    whole = _LINE.match(line)
    hides = whole is not None and (is_secret(whole["name"]) or ".channels." in whole["name"])
    if whole and hides and not whole["value"].startswith(("{", "#")):
        return line[: whole.start("value")] + _cover(whole["value"]) + line[whole.end("value") :]
    return _INLINE.sub(_covered, line)


def _covered(match: re.Match[str]) -> str:
    """Return one entry of a map on one line; its value may begin with another map."""
    value = match["value"]
    return match["head"] + (_cover(value) if is_secret(match["name"]) else _INLINE.sub(_covered, value))


def _cover(value: str) -> str:
    return value if _REFERENCE.match(value.strip().strip("\"'")) else "•" * len(value)
