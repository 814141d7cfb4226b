"""`doctor`: what the daemon and the terminal need, each check with its fix. Starts nothing."""

from __future__ import annotations

import importlib.util
import locale
import os
import re
import shutil
import subprocess
import sys
import textwrap
import time
from functools import cache

from wezparallel import paths
from wezparallel.client import launch, text
from wezparallel.client.control import Control
from wezparallel.client.findings import Finding
from wezparallel.errors import LinkError, RequestError
from wezparallel.frontends.cli import config, exits, siblings

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from wezparallel.frontends.cli.context import Context
    from wezparallel.types import JsonObject

_NEEDED = ("pydantic", "anyio", "psutil", "yaml", "structlog")
_LITTLE = 1 << 30  # bytes free below which logs soon cannot be written
_PATIENCE_S = 5
_SET_ASIDE = re.compile(r"state\.db\.corrupt-\w+")
_INDENT = 17  # columns of level and subject
_WIDE = 1000  # into a pipe nothing is wrapped
_STYLE = {"ok": "good", "fix": "bad", "note": "needs"}


def doctor(context: Context) -> int:
    """Check everything; exit code 1 when something is to be fixed."""
    findings = [
        finding
        for check in (_python, _daemon, _sockets, _config, _state, _wezterm, _claude, _terminal)
        for finding in check(context)
    ]
    if context.json:
        keys = ("level", "subject", "said", "fix")
        context.dump({"checks": [dict(zip(keys, finding, strict=True)) for finding in findings]})
    else:
        _draw(context, findings)
    return exits.FAILED if any(finding.level == "fix" for finding in findings) else exits.OK


def _draw(context: Context, findings: list[Finding]) -> None:
    """Draw a list whose fixes stand below what they mend; long sentences go on in their column."""
    screen = context.screen
    room = max(24, (screen.columns or _WIDE) - _INDENT)
    for finding in findings:
        head = f" {screen.paint(text.pad(finding.level, 5), _STYLE[finding.level])} {text.pad(finding.subject, 9)} "
        said = textwrap.wrap(text.clean(finding.said), room, break_on_hyphens=False) or [""]
        screen.say(head + said[0])
        for line in said[1:]:
            screen.say(" " * _INDENT + line)
        if finding.fix:
            screen.say(" " * _INDENT + "→ " + finding.fix)


def _python(_: Context) -> Iterator[Finding]:
    said = f"{sys.version.split()[0]} at {sys.executable}"
    missing = [name for name in _NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        yield Finding(
            "fix", "python", f"{said} lacks {', '.join(missing)}", f"{sys.executable} -m pip install wezparallel"
        )
    else:
        yield Finding("ok", "python", said)


def _daemon(context: Context) -> Iterator[Finding]:
    began = time.perf_counter()
    pong = launch.ping(context.socket)
    took_ms = (time.perf_counter() - began) * 1000
    try:
        with Control(context.keeper_socket) as control:
            keeper = control.status()
    except (ConnectionError, LinkError, RequestError):
        keeper = None
    if pong and keeper:
        started = keeper.get("started_at")
        age = text.duration(context.now - started / 1000) if started else "?"
        spoken = pong["protocol"]["max"]
        deaths = (keeper.get("hub") or {}).get("deaths") or 0
        yield Finding(
            "ok",
            "daemon",
            f"hub {text.duration(pong['uptime_s'])}, keeper {age}, protocol {spoken}, answers in {took_ms:.1f} ms",
        )
        if deaths:
            yield Finding(
                "note", "daemon", f"the hub died {text.plural(deaths, 'time')}", f"its log: {paths.own_log('hub')}"
            )
    elif launch.is_stopped():
        yield Finding("note", "daemon", "stopped by you", "wezparallel daemon start")
    elif keeper:
        log = paths.own_log("hub")
        yield Finding("fix", "daemon", "the keeper runs, the hub does not answer", f"its log: {log}")
    else:
        yield Finding("note", "daemon", "does not run; the first command that needs it starts it")


def _sockets(context: Context) -> Iterator[Finding]:
    folder = paths.runtime_dir()
    if not os.path.isdir(folder):
        yield Finding("note", "sockets", f"{folder} is made when the daemon starts")
        return
    try:
        launch.check_runtime_dir(folder)
    except LinkError as error:
        sentence, _, fix = error.message.partition("; ")
        yield Finding("fix", "sockets", sentence, fix)
        return
    if len(os.fsencode(paths.keeper_socket())) >= 108:
        yield Finding(
            "fix", "sockets", f"{folder} is too long for a socket", "set WEZPARALLEL_RUNTIME_DIR to a shorter path"
        )
        return
    link = paths.link()
    if link is None:
        yield Finding("ok", "sockets", f"{folder} (an instance of its own)")
    elif os.path.islink(link) and os.path.realpath(link) == os.path.realpath(paths.hub_socket()):
        yield Finding("ok", "sockets", f"{folder}, {link}")
    elif os.path.lexists(link):
        yield Finding("note", "sockets", f"{link} is not ours", f"clients use {context.socket}")
    else:
        yield Finding("note", "sockets", f"{link} is missing; the keeper makes it again")


@cache
def _held(context: Context) -> JsonObject:
    return config.ask(context, "ConfigGet")


def _config(context: Context) -> Iterator[Finding]:
    try:
        held = _held(context)
    except (LinkError, RequestError) as error:
        yield Finding("fix", "config", error.message.splitlines()[0], f"the log of the hub: {paths.own_log('hub')}")
        return
    for problem in held["errors"]:
        sentence = problem["message"].splitlines()[0]
        yield Finding("fix", "config", sentence, "wezparallel config edit; until then what held before, or defaults")
    for problem in held["warnings"]:
        lines = problem["message"].splitlines()
        yield Finding("note", "config", lines[0], lines[-1] if len(lines) > 1 else "")
    if not held["errors"]:
        shown = text.home(held["path"], os.path.expanduser("~")) if held["path"] else "no file: all is default"
        yield Finding("ok", "config", shown)


def _state(_: Context) -> Iterator[Finding]:
    folder = paths.state_dir()
    place = folder
    while not os.path.isdir(place):
        place = os.path.dirname(place)
    if not os.access(place, os.W_OK | os.X_OK):
        yield Finding("fix", "state", f"{place} cannot be written", "chown it to you, or set XDG_STATE_HOME")
        return
    facts = os.statvfs(place)
    free = facts.f_bavail * facts.f_frsize
    said = f"{text.home(folder, os.path.expanduser('~'))}, {text.size(free)} free"
    if free < _LITTLE:
        yield Finding("fix", "state", said, "make room: what cannot be written to a log is lost")
    else:
        yield Finding("ok", "state", said)
    aside = sorted(name for name in os.listdir(place) if _SET_ASIDE.fullmatch(name)) if place == folder else []
    if aside:
        path = f"{text.home(folder, os.path.expanduser('~'))}/{aside[-1]}"
        said = "a damaged database was set aside; what there is came from the newest snapshot"
        yield Finding("note", "state", said, f"look at it with `wezparallel ps`, then: rm {path}*")


def _wezterm(context: Context) -> Iterator[Finding]:
    """Pass on what the frontend that knows WezTerm finds."""
    try:
        told = siblings.ask(siblings.WEZTERM, "doctor", "--json", "--socket", context.socket)
        for check in told["checks"]:
            yield Finding(check["level"], check["subject"], check["said"], check["fix"])
    except RequestError as error:
        yield Finding("fix", "wezterm", error.message, "pip install --force-reinstall wezparallel")


def _claude(context: Context) -> Iterator[Finding]:
    try:
        values = {value["option"]: value for value in _held(context)["values"]}
    except (LinkError, RequestError):
        values = {}
    told = values.get("processes.claude_code.command", {})
    named = told.get("value")
    program = shutil.which(os.path.expanduser(named or "claude"))
    if program is None and named:
        where = text.home(told["where"], os.path.expanduser("~"))
        yield Finding("fix", "claude", f"{named} is no program ({where})", "change processes.claude_code.command")
    elif program is None:
        yield Finding("note", "claude", "not installed; templates with `agent: claude_code` will say so")
    else:
        yield Finding("ok", "claude", _first_line(program, "--version") or program)


def _terminal(context: Context) -> Iterator[Finding]:
    term = os.environ.get("TERM", "")
    parts = [os.environ.get("TERM_PROGRAM", ""), term, os.environ.get("COLORTERM", "")]
    size = f"{context.screen.columns} columns" if context.screen.columns else "not a terminal"
    said = ", ".join(part for part in (*parts, size) if part)
    if context.screen.is_terminal and term in ("", "dumb"):
        yield Finding(
            "fix", "terminal", f"TERM is {term or 'unset'}: no colour, no living lines", "export TERM=xterm-256color"
        )
    elif locale.getpreferredencoding(do_setlocale=False).lower().replace("-", "") not in ("utf8", "utf8mode"):
        yield Finding("fix", "terminal", "the locale is not UTF-8: symbols come out wrong", "export LANG=C.UTF-8")
    else:
        yield Finding("ok", "terminal", said)


def _first_line(program: str, *words: str) -> str:
    try:
        done = subprocess.run([program, *words], capture_output=True, timeout=_PATIENCE_S, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return text.clean(done.stdout.decode("utf-8", "replace").partition("\n")[0].strip())
