"""What has to be true before a start, and the message that asks the keeper for it."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING, Any

import anyio.to_thread

from wezparallel.errors import RequestError
from wezparallel.hub.pool.isolation import isolated
from wezparallel.keeper import messages

if TYPE_CHECKING:
    from wezparallel.hub.state.model import Process, Run
    from wezparallel.protocol.process import ProcessSettings

DEFAULT_PATH = "/usr/local/bin:/usr/bin:/bin"


async def check_start(settings: ProcessSettings, env: dict[str, str]) -> ProcessSettings:
    """Check folder and program in a thread: a dead mount must hang neither hub nor keeper. Return it isolated.

    Raises RequestError `process.no_directory`, `process.no_binary`.
    """
    path = settings.env.get("PATH") or env.get("PATH") or DEFAULT_PATH
    await anyio.to_thread.run_sync(_check, settings.cwd, settings.argv[0], path, abandon_on_cancel=True)
    if not settings.isolate:
        return settings
    return await anyio.to_thread.run_sync(isolated, settings, env, abandon_on_cancel=True)


def _check(cwd: str, program: str, path: str) -> None:
    if not os.path.isdir(cwd):
        raise RequestError(
            "process.no_directory", f"the folder {cwd} does not exist; make it or change `cwd`", cwd=cwd
        )
    if "/" in program:
        file = os.path.join(cwd, program)
        if not (os.path.isfile(file) and os.access(file, os.X_OK)):
            raise RequestError("process.no_binary", f"{file} is no executable file; check the path", program=program)
    elif shutil.which(program, path=path) is None:
        raise RequestError(
            "process.no_binary", f"{program!r} is no program on its PATH; install it or name its full path",
            program=program,
        )  # fmt: skip


def spawn_message(process: Process, run: Run, env_id: str, prepared: ProcessSettings | None = None) -> dict[str, Any]:
    """Return the keeper's `spawn` for a run; what `prepared` adds to its settings is written down nowhere."""
    settings = process.settings
    prepared = prepared or settings
    return {
        "m": messages.SPAWN,
        "run_id": run.run_id,
        "process_id": process.process_id,
        "definition": {
            "settings": settings.model_dump(mode="json"), "workspace": process.workspace, "number": run.number,
            "env_id": env_id,
        },
        "argv": prepared.argv,
        "cwd": prepared.cwd,
        "env_id": env_id,
        "env": {**prepared.env, "WORKSPACE": process.workspace or ""},
        "tty": settings.tty,
        "term": settings.term or "",
        "log_cap": settings.log_cap_bytes,
        "log": settings.log,
        "ulimits": settings.limits.ulimits,
        "nice": settings.limits.nice,
        "stop": {"signal": settings.stop.signal, "grace_s": settings.stop.grace_s, "kill": settings.stop.kill},
        "agent": settings.agent is not None or settings.of_agent,
        "may_type": "ProcessType" in settings.may,
    }  # fmt: skip
