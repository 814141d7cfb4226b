"""The one table from command to handler. A command without a row fails the tests.

The modules are loaded together, with all that they stand on, once there is something to care for: a process, or the
first command that is not about the hub itself. An idle hub is 2 MB smaller without them. From then on a hub needs its
files no more: they may be replaced or deleted under it.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any

import structlog

from wezparallel.errors import RequestError
from wezparallel.hub.comms.dispatch import Handler, LateRead, Read, Stream, Write

if TYPE_CHECKING:
    from collections.abc import Callable

    from wezparallel.types import Seconds

log = structlog.get_logger()


class Row:
    """How a command's handler is made: its kind, the noun's module, and the names of functions in it."""

    __slots__ = ("_functions", "_kind", "_options", "noun")

    def __init__(self, kind: Callable[..., Handler], noun: str, *functions: str, **options: bool | str) -> None:
        self.noun = noun
        self._kind = kind
        self._functions = functions
        self._options = options

    def make(self) -> Handler:
        """Load the module and return the handler."""
        noun = import_module(f"wezparallel.hub.handlers.{self.noun}")
        options: dict[str, Any] = {
            name: getattr(noun, value) if isinstance(value, str) else value for name, value in self._options.items()
        }
        return self._kind(*(getattr(noun, name) for name in self._functions), **options)


ROWS = {
    "Ping": Row(Read, "hub", "ping", sees_state=False, depends_on="uptime", heed="heed"),
    "Describe": Row(Read, "hub", "describe", sees_state=False),
    "Status": Row(Read, "hub", "status", depends_on="status_state"),
    "Subscribe": Row(Stream, "hub", "subscribe"),
    "Unsubscribe": Row(Stream, "hub", "unsubscribe"),
    "Shutdown": Row(Write, "hub", "shutdown", "shut_down"),
    "DaemonUpgrade": Row(Write, "hub", "upgrade", "upgraded"),
    "WorkspaceCreate": Row(Write, "workspace", "create", "created"),
    "WorkspaceOpen": Row(Write, "workspace", "open_", "opened"),
    "WorkspaceApply": Row(Write, "applying", "apply", "applied"),
    "WorkspaceSwitch": Row(Write, "workspace", "switch", "switched"),
    "WorkspaceRename": Row(Write, "workspace", "rename", "renamed"),
    "WorkspaceClose": Row(Write, "workspace", "close", "closed"),
    "WorkspaceDelete": Row(Write, "workspace", "delete", "deleted"),
    "WorkspaceList": Row(Read, "workspace", "list_"),
    "WorkspaceGet": Row(Read, "workspace", "get"),
    "ProcessAdd": Row(Write, "adding", "add", "added"),
    "ProcessStart": Row(Write, "process", "start", "started"),
    "ProcessStop": Row(Write, "process", "stop", "stopped"),
    "ProcessKill": Row(Write, "process", "kill", "killed"),
    "ProcessRestart": Row(Write, "process", "restart", "restarted"),
    "ProcessSuspend": Row(Write, "suspension", "suspend", "suspended"),
    "ProcessResume": Row(Write, "suspension", "resume", "resumed"),
    "ProcessRemove": Row(Write, "process", "remove", "removed"),
    "ProcessList": Row(Read, "process", "list_"),
    "ProcessGet": Row(Read, "process", "get"),
    "ProcessWait": Row(LateRead, "waiting", "wait"),
    "ProcessType": Row(Write, "keyboard", "type_", "typed"),
    "ProcessTypeMany": Row(Write, "keyboard", "type_many", "typed_many"),
    "ProcessNotify": Row(Write, "notice", "notify", "notified"),
    "ViewBind": Row(Write, "view", "bind", "bound"),
    "ViewList": Row(Read, "view", "list_"),
    "ViewOpen": Row(Write, "view", "open_", "opened"),
    "ViewFocus": Row(Write, "view", "focus", "focused"),
    "ViewClose": Row(Write, "view", "close", "closed"),
    "ViewSync": Row(Write, "view", "sync", "synced"),
    "ViewSee": Row(Write, "view", "see", "seen"),
    "ProcessPrepare": Row(LateRead, "direct", "prepare", is_private=True),
    "ProcessObserve": Row(Write, "direct", "observe", "observed"),
    "EnvironmentGet": Row(LateRead, "environment", "get", is_private=True),
    "TemplateList": Row(Read, "template", "list_"),
    "TemplateGet": Row(Read, "template", "get"),
    "TemplateCheck": Row(Read, "template", "check", sees_state=False),
    "TemplateTrust": Row(Write, "template", "trust", "trusted"),
    "TemplateCreate": Row(Write, "template", "create", "created"),
    "TemplateUpdate": Row(Write, "template", "update", "updated"),
    "TemplateDelete": Row(Write, "template", "delete", "deleted"),
    "ConfigGet": Row(Read, "config", "get", sees_state=False),
    "ConfigCheck": Row(Read, "config", "check", sees_state=False),
    "ConfigReload": Row(Write, "config", "reload", "reloaded"),
    "AlertList": Row(Read, "alert", "list_"),
    "MetricGet": Row(LateRead, "metric", "get"),
    "MetricHistory": Row(Read, "metric", "history", sees_state=False),
    "HistoryList": Row(Read, "history", "list_"),
    "AlertTest": Row(Write, "notification", "test", "tested"),
    "NotificationGet": Row(LateRead, "notification", "get", is_private=True),
    "NotificationDisplay": Row(Write, "notification", "display", "displayed"),
    "NotificationReport": Row(Write, "notification", "report", "reported"),
    "SnapshotExport": Row(Write, "snapshot", "export", "exported"),
    "SnapshotImport": Row(Write, "snapshot", "import_", "imported"),
    "SnapshotList": Row(LateRead, "snapshot", "list_"),
    "SnapshotDiff": Row(LateRead, "snapshot", "diff"),
    "SnapshotRollback": Row(Write, "snapshot", "rollback", "rolled_back"),
    "WorktreeList": Row(LateRead, "worktree", "list_"),
    "WorktreeRemove": Row(Write, "worktree", "remove", "removed"),
    "LogRead": Row(LateRead, "log", "read"),
    "LogExport": Row(LateRead, "log", "export"),
    "ProcessScreen": Row(LateRead, "screen", "screen"),
}


class Handlers(Mapping[str, Handler]):
    """Handlers by command, which are loaded when the first one is looked up whose noun is not the hub."""

    def __init__(
        self,
        rows: Mapping[str, Row],
        on_replaced: Callable[[], object] = lambda: None,
        started: Seconds | None = None,
    ) -> None:
        """Read a table.

        Args:
            rows: Row by command.
            on_replaced: Called when our files turn out not to be those that this program was loaded from.
            started: When it was, by the wall clock; now, if not given.
        """
        self._rows = rows
        self._on_replaced = on_replaced
        self._started = time.time() if started is None else started
        self._made: dict[str, Handler] = {}

    def __getitem__(self, name: str) -> Handler:
        """Return a handler. Raises RequestError `hub.restarting` as `load` does."""
        handler = self._made.get(name)
        if handler is None:
            row = self._rows[name]
            if row.noun == "hub":
                handler = self._made[name] = row.make()
            else:
                self.load()
                handler = self._made[name]
        return handler

    def load(self) -> None:
        """Load all of them. Raises RequestError `hub.restarting` where their files are not ours any more."""
        if len(self._made) < len(self._rows):
            self._check()
            self._made |= {name: row.make() for name, row in self._rows.items()}

    def __contains__(self, name: object) -> bool:
        return name in self._rows

    def __iter__(self) -> Iterator[str]:
        return iter(self._rows)

    def __len__(self) -> int:
        return len(self._rows)

    def _check(self) -> None:
        """Load nothing of a version that was installed over this one: the keeper starts the new one instead."""
        try:
            replaced = os.stat(__file__).st_ctime > self._started
        except OSError:
            raise RequestError(
                "hub.restarting", "the daemon's files are gone; install it again, then `wezparallel daemon upgrade`"
            ) from None
        if replaced:
            log.warning("hub.replaced", file=__file__)
            self._on_replaced()
            raise RequestError(
                "hub.restarting", "another version was installed; the daemon starts anew with it, ask again"
            )
