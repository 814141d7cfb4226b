"""`init`: everything that WezTerm needs of us, made once and never over what is there.

The configuration with every option as a comment, the first snapshot and keys for Lua, links in ~/.wezterm; the two
lines for wezterm.lua are printed, with `--write` added. Above: `wezparallel init`; below: linking.py.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import textwrap
import time

from wezparallel import paths
from wezparallel.client import launch, text
from wezparallel.errors import RequestError
from wezparallel.frontends.wezterm import json_files, linking

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from typing import NamedTuple

    class Step(NamedTuple):
        """One thing that `init` looked after."""

        done: str
        """`made`, `there` (nothing to do), `todo` (the person's turn) or `failed`"""
        what: str
        """a path"""
        said: str = ""
else:
    from collections import namedtuple

    Step = namedtuple("Step", "done what said", defaults=("",))

_CONFIG_NAMES = ("config.yaml", "config.yml", "config.toml")
_PATIENCE_S = 30


def init(args: argparse.Namespace) -> int:
    """Do it and tell; exit code 1 when something could not be done."""
    steps = [_configuration(), *_first_files(), *map(_linked, linking.links()), _wezterm_lua(write=args.write)]
    if args.json:
        keys = ("done", "what", "said")
        told = [dict(zip(keys, step, strict=True)) for step in steps]
        sys.stdout.write(json.dumps({"steps": told, "lines": [*linking.LINES]}, ensure_ascii=False) + "\n")
    else:
        _tell(steps, wrote=args.write)
    return 1 if any(step.done == "failed" for step in steps) else 0


def _tell(steps: list[Step], *, wrote: bool) -> None:
    for step in steps:
        sys.stdout.write(f" {step.done:<6}  {_short(step.what)}\n")
        for line in step.said.splitlines():
            sys.stdout.write(f"         {line}\n")
    if any(step.done == "todo" for step in steps):
        sys.stdout.write("\n" + textwrap.indent("\n".join(linking.LINES), "    ") + "\n\n")
        if not wrote:
            sys.stdout.write("`wezparallel init --write` adds them, and keeps a copy of the file.\n")
    elif steps[-1].done != "failed":
        sys.stdout.write(
            "\nIn WezTerm: Ctrl+Alt+Space, then the key that the hint names. `wezparallel doctor` checks it.\n"
        )


def _configuration() -> Step:
    folder = paths.config_dir()
    found = next((name for name in _CONFIG_NAMES if os.path.lexists(f"{folder}/{name}")), None)
    if found:
        return Step("there", f"{folder}/{found}")
    path = f"{folder}/{_CONFIG_NAMES[0]}"
    try:
        with open(paths.share_dir("config/templates") + "/framework.yaml", encoding="utf-8") as file:
            sample = file.read()
        os.makedirs(folder, mode=0o700, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)  # it may get secrets
        with open(descriptor, "w", encoding="utf-8") as file:
            file.write(sample)
    except OSError as error:
        return Step("failed", path, f"it cannot be written: {error.strerror}")
    return Step("made", path, "every option, as a comment")


def _first_files() -> list[Step]:
    """Have the hub's own code write what Lua reads, where no hub has done it yet."""
    files = (paths.gui_snapshot(), paths.keys_file())
    before = {path: os.path.exists(path) for path in files}
    if not launch.listens() and not _is_current(files[0]):  # a daemon keeps both as they should be
        argv = [launch.interpreter(), "-m", "wezparallel.hub.offline", "gui"]
        done = subprocess.run(
            argv, capture_output=True, text=True, check=False, timeout=_PATIENCE_S, stdin=subprocess.DEVNULL
        )
        if done.returncode:
            last = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
            return [Step("failed", files[0], f"it cannot be written: {last}")]
    return [Step("there" if before[path] else "made", path) for path in files if os.path.exists(path)]


def _is_current(path: str) -> bool:
    """Tell whether a snapshot that a daemon left behind names this installation."""
    try:
        told = json_files.read(path)
        return bool(told["python"] == launch.interpreter() and os.path.exists(told["call"]))
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _linked(link: linking.Link) -> Step:
    if link.state == "ok":
        return Step("there", link.path)
    if link.state == "foreign":
        return Step("failed", link.path, f"it is not ours and stays; move it away, or link it to {link.target}")
    if not os.path.exists(link.target):
        return Step("failed", link.path, f"{link.target} is missing; install wezparallel again")
    try:
        linking.link(link)
    except RequestError as error:
        return Step("failed", link.path, error.message)
    return Step("made", link.path, f"a link to {link.target}")


def _wezterm_lua(*, write: bool) -> Step:
    path = linking.config_file()
    if path is None:
        path = linking.usual_config_file()
        if not write:
            return Step("todo", path, "there is no such file yet; a complete one is in\n" + _sample())
        return _new(path)
    try:
        with open(path, encoding="utf-8", newline="") as file:
            source = file.read()
    except (OSError, UnicodeDecodeError) as error:
        return Step("failed", path, f"it cannot be read: {error}")
    if linking.mentions(source):
        return Step("there", path, "it asks for wezparallel already")
    changed = linking.with_lines(source)
    if not write:
        return Step("todo", path, "add these two lines before its `return config`:")
    if changed is None:
        return Step(
            "todo", path, "it does not end with `return NAME`, so add these two lines where its table is made:"
        )
    return _replaced(path, changed)


def _new(path: str) -> Step:
    try:
        with open(_sample(), encoding="utf-8") as file:
            sample = file.read()
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "x", encoding="utf-8") as file:
            file.write(sample)
    except OSError as error:
        return Step("failed", path, f"it cannot be written: {error.strerror}")
    return Step("made", path, "with wezparallel in it")


def _replaced(path: str, source: str) -> Step:
    """Put another text in the place of a file, also of one that a link leads to, and keep a copy far from it."""
    target = os.path.realpath(path)  # a file of a repository of dotfiles stays one
    backup = f"{paths.state_dir()}/backups/wezterm.lua.{time.strftime('%Y%m%d-%H%M%S')}"
    temporary = f"{os.path.dirname(target)}/.{os.path.basename(target)}.{os.getpid()}"
    try:
        if not os.stat(target).st_mode & 0o222:  # a folder that may be written to would let us
            return Step("todo", path, "it is read-only, so add these two lines where it is made:")
        os.makedirs(os.path.dirname(backup), mode=0o700, exist_ok=True)
        with open(target, "rb") as file, open(backup, "xb") as copy:
            copy.write(file.read())
        with open(temporary, "x", encoding="utf-8", newline="") as file:
            file.write(source)
        os.chmod(temporary, os.stat(target).st_mode & 0o777)
        os.replace(temporary, target)
    except OSError as error:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        return Step("todo", path, f"it cannot be changed ({error.strerror}); add these two lines by hand:")
    return Step("made", path, f"with two lines more; the file as it was is {backup}")


def _sample() -> str:
    return paths.share_dir("config/templates") + "/wezterm.lua"


def _short(path: str) -> str:
    return text.home(path, os.path.expanduser("~"))
