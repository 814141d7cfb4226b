"""Handler of `EnvironmentGet`: what a process's next run would get. Nothing of it is written down or logged."""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio.to_thread

from wezparallel.hub.pool import filling, kinds
from wezparallel.hub.pool.env_ids import LOGIN
from wezparallel.hub.pool.isolation import isolated
from wezparallel.protocol import environment as words
from wezparallel.protocol.environment import Variable
from wezparallel.protocol.masking import is_secret, masked

if TYPE_CHECKING:
    from wezparallel.hub.app import Hub
    from wezparallel.hub.state.model import Process
    from wezparallel.protocol.process import ProcessSettings

_BY_KEEPER = ("TERM", "COLORTERM")
"""Set by the keeper where there is a terminal, as its first viewer's are."""


async def get(hub: Hub, command: words.EnvironmentGet) -> words.EnvironmentReply:
    """Put it together as a start does: the caller's or the login shell's, then the settings, then the daemon's."""
    process = hub.process(command.process)
    env_id = await hub.environments.ready(process.env_id)
    base = await hub.environments.get(env_id)
    found = {name: Variable(name=name, value=value, origin=_origin(env_id)) for name, value in base.items()}
    if process.settings.tty:
        for name in _BY_KEEPER:
            found[name] = Variable(name=name, value=None, origin="daemon")
        if process.settings.term:
            found["TERM"] = Variable(name="TERM", value=process.settings.term, origin="template")
    for name, override in (await _prepared(hub, process, base)).env.items():
        if override is None:
            found.pop(name, None)
        else:
            found[name] = Variable(name=name, value=override, origin="template")
    for name, own in _own(process).items():
        found[name] = Variable(name=name, value=own, origin="daemon")
    shown = found if command.show_secrets else {name: _masked(one) for name, one in found.items()}
    return words.EnvironmentReply(process_id=process.process_id, variables=[shown[name] for name in sorted(shown)])


async def _prepared(hub: Hub, process: Process, base: dict[str, str]) -> ProcessSettings:
    """Return its settings as a start fills them in: files of variables, what the configuration says, isolation."""
    filled, _ = await filling.filled(process.settings, base, process.runs + 1)
    prepared = kinds.prepared(filled, hub.settings, base)
    if not prepared.isolate:
        return prepared
    return await anyio.to_thread.run_sync(isolated, prepared, base, abandon_on_cancel=True)


def _own(process: Process) -> dict[str, str | None]:
    return {
        "WEZPARALLEL_PROCESS": process.process_id,
        "WEZPARALLEL_RUN": None,  # another for each run
        "WORKSPACE": process.workspace or "",
    }


def _origin(env_id: str) -> str:
    return "login" if env_id == LOGIN else "caller"


def _masked(variable: Variable) -> Variable:
    if not variable.value:
        return variable
    shown = masked(variable.name, variable.value)
    if shown == variable.value:
        return variable
    value = None if is_secret(variable.name) else shown
    return variable.model_copy(update={"value": value, "masked": True})
