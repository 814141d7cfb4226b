"""Where WezTerm finds our Lua, and where its configuration is: links in ~/.wezterm, two lines in wezterm.lua.

Above: init.py and checks.py. `require 'NAME'` looks into ~/.wezterm without any line about paths. WezTerm reloads
whenever a file beside its configuration changes, so nothing of ours is written there but these two lines.
"""

from __future__ import annotations

import contextlib
import os
import re
import secrets

from wezparallel import paths
from wezparallel.errors import RequestError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NamedTuple

    class Link(NamedTuple):
        """One name under ~/.wezterm."""

        path: str
        target: str
        state: str
        """`ok`, `missing`, `old` (ours, to another place), `foreign` (not ours: left as it is)"""
else:
    from collections import namedtuple

    Link = namedtuple("Link", "path target state")

NAMES = ("wezparallel", "multi_dev_framework.lua", "workspace_manager.lua")
LINES = ("local wezparallel = require 'wezparallel'", "wezparallel.setup(config)")

_LIVE = r"^(?!\s*--).*"  # a line that is no comment
_CLONES = re.compile(_LIVE + r"""plugin\.require\s*\(?\s*["'][^"']*wezparallel""", re.MULTILINE)
_REQUIRES = re.compile(
    _LIVE + r"""require\s*\(?\s*(?P<quote>["'])(?:wezparallel|multi_dev_framework|workspace_manager)(?P=quote)""",
    re.MULTILINE,
)
_RETURN = re.compile(r"^return[ \t]+(?P<name>[A-Za-z_]\w*)[ \t]*;?[ \t]*(?:--.*)?\r?$", re.MULTILINE)
_COMMENT = re.compile(r"--.*")


def links() -> list[Link]:
    """Return the links that make `require 'wezparallel'` work, as they are now."""
    found = []
    for name in NAMES:
        path, target = os.path.join(_home(), name), os.path.join(paths.share_dir("lua"), name)
        found.append(Link(path, target, _state(path, target, name)))
    return found


def link(one: Link) -> None:
    """Make one, or point one of ours to this installation. Raises RequestError."""
    temporary = f"{one.path}.{secrets.token_hex(4)}"
    try:
        os.makedirs(os.path.dirname(one.path), exist_ok=True)
        os.symlink(one.target, temporary)
        os.replace(temporary, one.path)
    except OSError as error:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise RequestError(
            "disk.full", f"{one.path} cannot be made: {error.strerror}; link it to {one.target} by hand"
        ) from None


def config_file() -> str | None:
    """Return the configuration that WezTerm reads, None where there is none."""
    told = os.environ.get("WEZTERM_CONFIG_FILE", "")  # a GUI passes on what it reads
    return told or next((path for path in config_places() if os.path.isfile(path)), None)


def config_places() -> list[str]:
    """Return where WezTerm looks for its configuration, in its order."""
    further = [folder for folder in os.environ.get("XDG_CONFIG_DIRS", "").split(os.pathsep) if folder]
    folders = [os.path.dirname(usual_config_file()), *(folder + "/wezterm" for folder in further)]
    return [os.path.expanduser("~/.wezterm.lua"), *(folder + "/wezterm.lua" for folder in folders)]


def usual_config_file() -> str:
    """Return where a new configuration goes."""
    return (os.environ.get("XDG_CONFIG_HOME") or os.path.expanduser("~/.config")) + "/wezterm/wezterm.lua"


def is_set_up() -> bool:
    """Tell whether WezTerm's configuration asks for our plugin."""
    return mentions(_source())


def is_cloned() -> bool:
    """Tell whether it asks WezTerm to clone our repository, so that no link is needed."""
    return _CLONES.search(_source()) is not None


def _source() -> str:
    path = config_file()
    if path is None:
        return ""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except OSError:
        return ""


def mentions(source: str) -> bool:
    """Tell whether a configuration asks for our plugin, by any of its names."""
    return bool(_REQUIRES.search(source) or _CLONES.search(source))


def with_lines(source: str) -> str | None:
    """Return a configuration with our lines before its last `return config`; None where there is none such. Pure."""
    returns = list(_RETURN.finditer(source))
    if not returns or _COMMENT.sub("", source[returns[-1].end() :]).strip():
        return None
    end = "\r\n" if "\r\n" in source else "\n"
    last = returns[-1]
    lines = (LINES[0], LINES[1].replace("config", last["name"]), "")
    return source[: last.start()] + "".join(line + end for line in lines) + source[last.start() :]


def _home() -> str:
    return os.path.expanduser("~/.wezterm")


def _state(path: str, target: str, name: str) -> str:
    if not os.path.lexists(path):
        return "missing"
    if not os.path.islink(path):
        return "foreign"
    if os.path.realpath(path) == os.path.realpath(target) and os.path.exists(path):
        return "ok"
    pointed = os.readlink(path)
    is_ours = pointed.endswith("/lua/" + name) and ("wezparallel" in pointed or not os.path.exists(path))
    return "old" if is_ours else "foreign"
