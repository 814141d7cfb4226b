"""Compares what a template says with what a workspace has. Pure: nothing is changed here.

Above: `applying`, which carries the steps out. A process is known by its name within the workspace; what was added by
hand is nobody's business here, unless the template wants its name.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from wezparallel.errors import RequestError
from wezparallel.protocol.process import ProcessSettings
from wezparallel.protocol.workspace import Change, FieldChange

if TYPE_CHECKING:
    from wezparallel.hub.state.model import Process

Kind = Literal["added", "changed", "removed", "kept"]

_NEVER = frozenset({"name", "focus", "of_agent"})
"""Fields that are no setting of the process alone: its name, who has the focus, who added it."""
AT_ONCE = frozenset({
    "command", "title", "pane", "restart", "backoff_s", "give_up", "auto_start", "depends_on", "on_close", "prompt",
})  # fmt: skip
"""Fields that act without a restart: what is shown, and what is looked up when something happens."""
_COMPARED = tuple(name for name in ProcessSettings.model_fields if name not in _NEVER)


@dataclass(frozen=True, slots=True)
class Step:
    """What the template means for one process."""

    kind: Kind
    name: str
    process: Process | None = None
    """None: there is none of that name yet."""
    settings: ProcessSettings | None = None
    """None: the template has it no longer."""
    fields: tuple[str, ...] = ()
    """What is another than it was."""
    needs_restart: bool = False
    """It runs, and with other settings than these."""

    @property
    def is_running(self) -> bool:
        """Tell whether there is a live run of it."""
        return self.process is not None and _is_alive(self.process)


def reconcile(wanted: Sequence[ProcessSettings], processes: Sequence[Process], *, prune: bool = False) -> list[Step]:
    """Return one step for each process of the template, in its order, then what has left it.

    Args:
        wanted: What the template says now.
        processes: What the workspace has.
        prune: Also name again what had left the template before.

    Raises:
        RequestError: `process.bad_state`, if the template wants the name of a process that was added by hand.
    """
    have = {process.settings.name: process for process in processes}
    steps = [_step(settings, have.get(settings.name)) for settings in wanted]
    names = {settings.name for settings in wanted}
    left = [
        process for process in processes if process.in_template is not None and process.settings.name not in names
    ]
    steps += [Step("removed", one.settings.name, one) for one in left if one.in_template or prune]
    return steps


def differing(before: ProcessSettings, after: ProcessSettings) -> tuple[str, ...]:
    """Return the fields in which two definitions of a process differ."""
    return tuple(name for name in _COMPARED if getattr(before, name) != getattr(after, name))


def must_restart(running: ProcessSettings, wanted: ProcessSettings) -> bool:
    """Tell whether what runs with the one has to be restarted to be as the other says."""
    return any(name not in AT_ONCE for name in differing(running, wanted))


def told(step: Step, started_at: str | None, *, restarted: bool) -> Change:
    """Return a step as a client sees it. Values of variables are never in it."""
    settings = step.settings or (step.process.settings if step.process else None)
    assert settings is not None  # a step has a process or settings
    before = step.process.settings if step.process is not None else settings
    shown = [name for name in step.fields if name != "argv" or "command" not in step.fields]
    return Change(
        process_id=step.process.process_id if step.process is not None else "", name=step.name, kind=step.kind,
        command=settings.command or shlex.join(settings.argv),
        fields=[field_change(name, before, settings) for name in shown] if step.kind == "changed" else [],
        needs_restart=step.needs_restart, running=step.is_running, agent=settings.agent is not None,
        started_at=started_at, restarted=restarted,
    )  # fmt: skip


def _step(settings: ProcessSettings, process: Process | None) -> Step:
    name = settings.name
    if process is None:
        return Step("added", name, None, settings)
    if process.in_template is None:
        raise RequestError(
            "process.bad_state",
            f"the template has a process {name!r}, but {process.process_id} was added by hand; give one of them "
            "another name, or remove it with ProcessRemove",
            process=process.process_id,
        )
    needs = _is_alive(process) and must_restart(process.running_settings, settings)
    fields = differing(process.settings, settings)
    if not process.in_template:
        return Step("added", name, process, settings, fields, needs)
    return Step("changed" if fields else "kept", name, process, settings, fields, needs)


def field_change(name: str, before: ProcessSettings, after: ProcessSettings) -> FieldChange:
    """Return a field in which two definitions differ; of variables only the names."""
    old, new = getattr(before, name), getattr(after, name)
    if name == "env":
        both = {key for key in old.keys() & new.keys() if old[key] != new[key]}
        return FieldChange(
            field=name, before=", ".join(sorted(both | (old.keys() - new.keys()))) or None,
            after=", ".join(sorted(both | (new.keys() - old.keys()))) or None,
        )  # fmt: skip
    return FieldChange(field=name, before=_text(old), after=_text(new))


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, (list, tuple)) and all(isinstance(part, str) for part in value):
        return shlex.join(value)
    if hasattr(value, "model_dump"):
        value = value.model_dump(mode="json", exclude_defaults=True)
    return json.dumps(value, ensure_ascii=False)


def _is_alive(process: Process) -> bool:
    return process.run is not None and process.run.status == "spawned"
