"""The environment of one child: what the hub put, what its terminal is, what the run overrides, who it is.

TERM and its kin are those of the first viewer, since that is what shows the program; `term:` of its definition wins.
Before anybody looks it is a terminal as most are today. A TERM of which this machine knows nothing (the viewer came
by ssh from another) would leave programs without colours and keys, so the same stands in for it.
"""

from __future__ import annotations

import os

from wezparallel.errors import RequestError
from wezparallel.keeper import ssh_agent
from wezparallel.keeper.mounts import is_near

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wezparallel.keeper.processes import Process
    from wezparallel.types import JsonObject

USUAL_TERM = "xterm-256color"
_FACTS = {"TERM": USUAL_TERM, "COLORTERM": "truecolor"}  # a terminal that nobody has looked at yet
# Panes of whoever started us are not the child's; `wezterm cli` finds the GUI of now by itself.
_NEVER = ("WEZTERM_PANE",)
_ONLY_IF_ASKED_FOR = ("WEZTERM_PANE", "WEZTERM_UNIX_SOCKET", "LINES", "COLUMNS")
_TERMINFO = ("/etc/terminfo", "/lib/terminfo", "/usr/share/terminfo", "/usr/lib/terminfo", "/usr/share/misc/terminfo")


def of_child(envs: dict[str, dict[str, str]], wish: JsonObject, process: Process) -> dict[str, str]:
    """Return a child's environment. Raises RequestError when the one that it names is not held."""
    env_id = wish.get("env_id") or ""
    if env_id and env_id not in envs:
        raise RequestError("process.bad_state", f"environment {env_id} is not held here; put it again", env_id=env_id)
    env = dict(envs[env_id] if env_id else os.environ)
    for name in _ONLY_IF_ASKED_FOR:
        env.pop(name, None)
    if wish.get("tty"):
        _set_terminal(env, process.facts or _FACTS, wish.get("term") or "")
    if env.get(ssh_agent.VARIABLE):
        env[ssh_agent.VARIABLE] = ssh_agent.for_child(process.process_id, env[ssh_agent.VARIABLE])
    for name, value in (wish.get("env") or {}).items():
        if value is None:
            env.pop(name, None)
        else:
            env[name] = value
    for name in _NEVER:
        env.pop(name, None)
    env["WEZPARALLEL_RUN"] = wish["run_id"]
    env["WEZPARALLEL_PROCESS"] = process.process_id
    workspace, slash, _ = process.process_id.rpartition("/")
    if slash and "WORKSPACE" not in (wish.get("env") or {}):  # a renamed one is another than the id says
        env["WORKSPACE"] = workspace
    return env


def _set_terminal(env: dict[str, str], facts: dict[str, str], term: str) -> None:
    """Put in what the first viewer is, and nothing of the terminal that the caller had."""
    if facts is not _FACTS:
        for name in ("COLORTERM", "TERM_PROGRAM", "TERM_PROGRAM_VERSION"):
            env.pop(name, None)
    env.update({name: value for name, value in facts.items() if value})
    shown = facts.get("TERM", "")
    env["TERM"] = term or (shown if shown == "dumb" or is_known(shown, env) else USUAL_TERM)


def is_known(term: str, env: dict[str, str]) -> bool:
    """Tell whether this machine can describe a terminal; where it describes none at all, every one is known.

    Folders on mounts that may hang are not looked at.
    """
    if not term or "/" in term or term.startswith("."):
        return False
    home = env.get("HOME", "")
    folders = [env.get("TERMINFO", ""), home and f"{home}/.terminfo", *env.get("TERMINFO_DIRS", "").split(":")]
    found_any = False
    for folder in (*(one for one in folders if one.startswith("/") and is_near(one)), *_TERMINFO):
        if not os.path.isdir(folder):
            continue
        found_any = True
        if os.path.exists(f"{folder}/{term[0]}/{term}") or os.path.exists(f"{folder}/{ord(term[0]):x}/{term}"):
            return True
    return not found_any
