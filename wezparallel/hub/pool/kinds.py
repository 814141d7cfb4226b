"""What the settings of a kind add to a process of it: its program, variables, restart policy, limits of patience.

Variables are expanded at each start and go to the keeper only: what `${CLAUDE_API_KEY}` means is written neither into
the state nor into a log. Above: the pool, which asks before a start. Pure.
"""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING, Any

import structlog

from wezparallel.hub.expansion import expand
from wezparallel.hub.workspaces.commands import AGENTS

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from wezparallel.hub.settings import Settings
    from wezparallel.protocol.process import ProcessSettings

log = structlog.get_logger()


def name_of(process: ProcessSettings) -> str:
    """Return the name under which the configuration's `processes:` has its kind: an agent's, else its own."""
    return process.agent or process.name


def prepared(process: ProcessSettings, settings: Settings, given: Mapping[str, str]) -> ProcessSettings:
    """Return a process as it is started: with the program and the variables of its kind.

    Args:
        process: What its template says, which goes before.
        settings: The daemon's.
        given: The environment that it gets, in which references are looked up.
    """
    kind = settings.kind(name_of(process))
    if not kind.command and not kind.environment:
        return process
    variables, _ = environment(kind.environment, given)
    argv = process.argv
    if kind.command:
        argv = _with_program(argv, AGENTS.get(process.agent or "", ""), kind.command)
    return process.model_copy(update={"argv": argv, "env": {**variables, **process.env}})


def note(process: ProcessSettings, settings: Settings, given: Mapping[str, str]) -> str:
    """Return a sentence about the variables of a kind that a start leaves out, or ``; the log has it, too."""
    _, left_out = environment(settings.kind(name_of(process)).environment, given)
    if left_out:
        log.warning("environment.left_out", process=process.name, kind=name_of(process), notes=left_out)
    return "; ".join(left_out)


def environment(wanted: Mapping[str, str], given: Mapping[str, str]) -> tuple[dict[str, str], list[str]]:
    """Return variables with their references replaced, and why some were left out: what they need is unset."""
    found: dict[str, str] = {}
    left_out: list[str] = []
    for name, text in wanted.items():
        value, missing = expand(text, given)
        if missing:
            left_out.append(f"{name} was left out: {missing[0]} is not set")
        else:
            found[name] = value
    return found, left_out


def with_defaults(
    process: ProcessSettings, settings: Settings, said: Collection[str] | None = None
) -> ProcessSettings:
    """Return a process whose unsaid settings are the daemon's: those of its kind, then those of all.

    `said` names what was said; else pydantic's `model_fields_set` knows.
    """
    said = process.model_fields_set if said is None else said
    update: dict[str, Any] = {}
    policy = settings.kind(name_of(process)).restart_policy
    if policy is not None and "restart" not in said and not process.direct:
        update["restart"] = policy
    general = settings.supervision
    if "backoff_s" not in said:
        update["backoff_s"] = general.backoff
    if "give_up" not in said:
        tries, window, reset = general.give_up_tries, general.give_up_window, general.give_up_reset
        update["give_up"] = process.give_up.model_copy(update={"tries": tries, "window_s": window, "reset_s": reset})
    if "stop" not in said or "grace_s" not in process.stop.model_fields_set:
        update["stop"] = process.stop.model_copy(update={"grace_s": general.stop_grace})
    update |= _probes(process, settings)
    limits = _alerts(process, settings)
    if limits:
        update["limits"] = process.limits.model_copy(update=limits)
    update = {name: value for name, value in update.items() if value != getattr(process, name)}
    return process.model_copy(update=update) if update else process


def _probes(process: ProcessSettings, settings: Settings) -> dict[str, Any]:
    kind = settings.kind(name_of(process))
    update: dict[str, Any] = {}
    for name, probe in (("ready", process.ready), ("health", process.health)):
        usual = {"interval_s": kind.health_check_interval}
        if name == "ready":
            usual["start_s"] = kind.timeout
        if probe is not None:
            missing = {field: value for field, value in usual.items() if field not in probe.model_fields_set}
            update[name] = probe.model_copy(update=missing)
    return update


def _alerts(process: ProcessSettings, settings: Settings) -> dict[str, Any]:
    alerts = settings.alerts
    update: dict[str, Any] = {}
    if alerts.cpu_percent is not None and process.limits.cpu_alert_percent is None:
        update["cpu_alert_percent"] = alerts.cpu_percent
    if alerts.memory_mb is not None and process.limits.memory_alert_bytes is None:
        update["memory_alert_bytes"] = int(alerts.memory_mb * (1 << 20))
    return update


def _with_program(argv: list[str], program: str, command: str) -> list[str]:
    """Put another program in the place of a kind's own; in a shell's line, too."""
    if not program:
        return argv
    if argv[0] == program:
        return [command, *argv[1:]]
    if len(argv) == 3 and argv[1] == "-c":
        line = re.sub(
            rf"^(exec )?{re.escape(program)}(?=\s|\Z)", lambda match: (match[1] or "") + shlex.quote(command), argv[2]
        )
        return [*argv[:2], line]
    return argv
