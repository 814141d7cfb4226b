"""The environment of one child: what the hub put, what its terminal is, what the run overrides, who it is."""

from __future__ import annotations

import os

from wezparallel.errors import RequestError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wezparallel.keeper.processes import Process
    from wezparallel.types import JsonObject

_FACTS = {"TERM": "xterm-256color", "COLORTERM": "truecolor"}  # a terminal that nobody has looked at yet
_NEVER = ("WEZTERM_PANE",)  # the pane of whoever started us is not the child's


def of_child(envs: dict[str, dict[str, str]], wish: JsonObject, process: Process) -> dict[str, str]:
    """Return a child's environment. Raises RequestError when the one that it names is not held."""
    env_id = wish.get("env_id") or ""
    if env_id and env_id not in envs:
        raise RequestError("process.bad_state", f"environment {env_id} is not held here; put it again", env_id=env_id)
    env = dict(envs[env_id] if env_id else os.environ)
    if wish.get("tty"):
        env.update({name: value for name, value in (process.facts or _FACTS).items() if value})
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
    if slash:
        env["WORKSPACE"] = workspace
    return env
