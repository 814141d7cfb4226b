"""process-compose's files. Pure.

Its processes are supervised and have no layout, so they become `processes:`; what it runs on a terminal becomes a
pane. Above: `template import`. Below: documents, probes, writing.
"""

from __future__ import annotations

import re
import signal

from wezparallel.errors import RequestError
from wezparallel.frontends.cli.importers import probes
from wezparallel.frontends.cli.importers.documents import Imported, Note, load
from wezparallel.frontends.cli.importers.writing import Tab, Template, tiled

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from wezparallel.frontends.cli.importers.documents import Value

_OWN = "is about process-compose's own screen or log"
_TOP = {
    "version": "is the version of process-compose's own format", "log_level": _OWN, "log_length": _OWN,
    "log_location": "every process has a log of its own here", "log_configuration": _OWN, "log_format": _OWN,
    "is_strict": "an unknown key is always an error here", "is_tui_disabled": _OWN,
    "disable_env_expansion": "write `$$` for a `$` that stays", "name": "is left out",
    "ordered_shutdown": "processes are stopped together", "extends": "import the file that it extends too",
    "env_cmds": "no command is run to fill a variable", "mcp_server": "there is no such server here yet",
}  # fmt: skip
_PROCESS = {
    "namespace": "there are no groups within a workspace; `wezparallel stop 'workspace/name*'` names several",
    "description": "processes have no description", "log_location": "every process has a log of its own here",
    "log_configuration": _OWN, "disable_ansi_colors": "output is kept as it was written",
    "is_daemon": "a program has to stay in the foreground; find its option for that",
    "is_elevated": "nothing is run as another user", "is_template_disabled": "has no meaning here",
    "launch_timeout_seconds": "is for what goes into the background",
    "is_dotenv_disabled": "write `env_file:` where it belongs",
    "is_strict": "an unknown key is always an error here", "mcp": "there is no such server here yet",
    "schedule": "nothing is started at a time of day", "success_exit_codes": "only 0 is success",
    "extends": "use `template:` of `process_templates:`", "vars": "use `variables:` of the template",
}  # fmt: skip
_AVAILABILITY = {
    "exit_on_end": "a workspace does not end with one of its processes", "exit_on_skipped": "a workspace stays open",
}  # fmt: skip
_SHUTDOWN = {"command": "a process is stopped by a signal, with everything below it"}
_RESTARTS = {"always": "always", "on_failure": "on_failure", "exit_on_failure": "never", "no": "never", "": "never"}
_NEEDS = {
    "process_started": "started", "process_healthy": "ready", "process_log_ready": "ready",
    "process_completed": "exited_ok", "process_completed_successfully": "exited_ok",
}  # fmt: skip
_SIGNALS = frozenset({"HUP", "INT", "QUIT", "KILL", "USR1", "USR2", "TERM", "WINCH", "CONT", "ALRM"})
_GO = re.compile(r"\{\{-?\s*\.?([A-Za-z_]\w*)\s*-?\}\}")
_REFERENCE = re.compile(r"\$(\$|\{[A-Za-z_]\w*\}|[A-Za-z_]\w*)?")


def read(text: str, shown: str, beside: frozenset[str] = frozenset()) -> Imported:
    """Return the template that a file says. `beside` names the files that lie beside it. Raises RequestError."""
    root = load(text, shown)
    if root.entries is None or "processes" not in root.entries:
        raise RequestError("template.syntax", f"{shown}:{root.line}: a file of process-compose has `processes`")
    return _File(root, shown, beside).imported()


class _File:
    def __init__(self, root: Value, shown: str, beside: frozenset[str]) -> None:
        self._root, self._beside = root, beside
        self._notes: list[Note] = []
        self._template = Template(f"Imported from {shown}, a file of process-compose.")
        self._names: dict[str, str] = {}
        self._shell: list[str] = []
        self._variables: dict[str, str] = {}

    def imported(self) -> Imported:
        root, top = self._root, self._template.top
        shell = root.get("shell")
        if shell is not None and shell.told("shell_command"):
            self._shell = [shell.told("shell_command"), shell.told("shell_argument") or "-c"]
            self._notes += shell.unread()
        self._variables = {name: one.text or "" for name, one in root.pairs("vars")}
        if self._variables:
            top["variables"] = self._variables
        files = [one.text or "" for one in root.each("env_file")] or [".env"] * (".env" in self._beside)
        if files:
            top["env_file"] = files
        env = self._environment(root)
        if env:
            top["env"] = env
        for name, value in root.pairs("processes"):
            self._names[name] = self._template.free_name(name)
            if self._names[name] != name:
                self._notes.append(Note(value.line, value.path, f"this cannot be a name; it is {self._names[name]}"))
            self._template.processes[self._names[name]] = {}  # so that the next one gets another name
        self._template.processes.clear()
        for name, value in root.pairs("processes"):
            self._process(name, value)
        if len(self._template.panes) > 1:
            self._template.tabs = [Tab("", tiled(list(self._template.panes)))]
        self._notes += root.unread(_TOP)
        return Imported("process-compose", self._template.text(), sorted(self._notes, key=lambda note: note.line))

    def _process(self, name: str, value: Value) -> None:
        if value.entries is None:
            self._notes.append(Note(value.line, value.path, "a process is a map; it is left out"))
            return
        told: dict[str, Any] = {"command": self._command(value)}
        if not told["command"]:
            self._notes.append(Note(value.line, value.path, "it has no command; it is left out"))
            return
        folder = value.get("working_dir")
        if folder is not None:
            told["cwd"] = self._filled(self._rendered(folder.text or "", folder))
        env = self._environment(value)
        if env:
            told["env"] = env
        files = [one.text or "" for one in value.each("env_file")]
        if files:
            told["env_file"] = files
        told |= self._needs(value) | self._probes(value) | self._availability(value) | self._shutdown(value)
        if _flag(value, "disabled"):
            told["auto_start"] = False
        if value.told("replicas").isdigit() and int(value.told("replicas")) > 1:
            told["replicas"] = int(value.told("replicas"))
        is_seen = sum(_flag(value, key) for key in ("is_tty", "is_foreground", "is_interactive")) > 0
        (self._template.panes if is_seen else self._template.processes)[self._names[name]] = told
        self._notes += value.unread(_PROCESS)

    def _command(self, value: Value) -> Any:
        entrypoint = [one.text or "" for one in value.each("entrypoint")]
        command, args = value.told("command"), [one.text or "" for one in value.each("args")]
        at = value.get("command") or value
        if entrypoint or args:
            words = [*(entrypoint or [command]), *args]
            if entrypoint and command:
                self._notes.append(Note(at.line, at.path, "`entrypoint` is run; this is left out"))
            return [self._filled(word) for word in words]
        text = self._rendered(command, at)
        if not text:
            return ""
        return [*self._shell, self._for_shell(text)] if self._shell else self._for_shell(text)

    def _environment(self, value: Value) -> dict[str, str]:
        found = value.get("environment")
        if found is None:
            return {}
        if found.entries is not None:
            return {name: self._filled(one.text or "") for name, one in found.entries.items()}
        pairs: dict[str, str] = {}
        for one in found.items or []:
            name, equals, text = (one.text or "").partition("=")
            if equals and name:
                pairs[name] = self._filled(self._rendered(text, one))
            else:
                self._notes.append(Note(one.line, one.path, "this is no NAME=VALUE; it is left out"))
        return pairs

    def _needs(self, value: Value) -> dict[str, Any]:
        found: dict[str, str] = {}
        for name, below in value.pairs("depends_on"):
            condition = below.told("condition") or "process_completed_successfully"
            if condition == "process_completed":
                self._notes.append(Note(below.line, below.path, "it has to end with 0 here, not just to end"))
            if condition not in _NEEDS or name not in self._names:
                what = "there is no such process" if name not in self._names else "there is no such condition here"
                self._notes.append(Note(below.line, below.path, f"{what}; it is left out"))
                continue
            found[self._names[name]] = _NEEDS[condition]
            self._notes += below.unread()
        return {"depends_on": found} if found else {}

    def _probes(self, value: Value) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for theirs, ours in (("readiness_probe", "ready"), ("liveness_probe", "health")):
            probe = value.get(theirs)
            if probe is not None:
                told = probes.probe(probe, self._notes, lambda text, at: self._filled(self._rendered(text, at)))
                found |= {ours: told} if told else {}
        line = value.get("ready_log_line")
        if line is not None and "ready" in found:
            self._notes.append(
                Note(line.line, line.path, "`readiness_probe` says when it is ready; this is left out")
            )
        elif line is not None:
            found["ready"] = {"log_line": self._filled(re.escape(line.text or "").replace("\\ ", " "))}
        return found

    def _availability(self, value: Value) -> dict[str, Any]:
        told = value.get("availability")
        if told is None:
            return {"restart": "never"}
        policy = told.told("restart")
        if policy not in _RESTARTS or policy == "exit_on_failure":
            why = f"{policy} is not known here; it is `never`"
            self._notes.append(Note(told.line, f"{told.path}.restart", why))
        found: dict[str, Any] = {"restart": _RESTARTS.get(policy, "never")}
        if probes.number(told.told("backoff_seconds")):
            found["backoff"] = f"{told.told('backoff_seconds')}s"
        tries = told.told("max_restarts")
        if tries.isdigit() and 0 < int(tries) <= 1000:
            found["give_up"] = {"tries": int(tries), "window": "24h"}
        self._notes += told.unread(_AVAILABILITY)
        return found

    def _shutdown(self, value: Value) -> dict[str, Any]:
        told = value.get("shutdown")
        if told is None:
            return {}
        found: dict[str, Any] = {}
        number = told.told("signal")
        if number:
            name = _signal_name(number)
            if name:
                found["signal"] = f"SIG{name}"
            else:
                self._notes.append(Note(told.line, f"{told.path}.signal", f"{number} is no signal to stop with"))
        if probes.number(told.told("timeout_seconds")):
            found["grace"] = f"{told.told('timeout_seconds')}s"
        if _flag(told, "parent_only"):
            found["kill"] = "group"
        self._notes += told.unread(_SHUTDOWN)
        return {"stop": found} if found else {}

    def _rendered(self, text: str, at: Value) -> str:
        """Replace `{{.NAME}}`, the variables of process-compose; tell what is more than that."""

        def one(found: re.Match[str]) -> str:
            if found[1] == "PC_REPLICA_NUM":
                self._notes.append(Note(at.line, at.path, "replicas count from 1 here, not from 0"))
                return "${REPLICA}"
            return f"${{{found[1]}}}" if found[1] in self._variables else found[0]

        rendered = _GO.sub(one, text)
        if "{{" in rendered:
            self._notes.append(Note(at.line, at.path, "`{{…}}` is a template of Go, which nobody fills in here"))
        return rendered

    def _for_shell(self, text: str) -> str:
        """Write a command so that its shell reads what process-compose would have filled in.

        `$$` was its way to write a `$` for the shell. What is ours is filled in by us.
        """

        def one(found: re.Match[str]) -> str:
            inside = found[1]
            if inside is None:
                return "$"
            if inside == "$":
                return "$$"
            name = inside.strip("{}")
            if name in self._variables or name == "REPLICA":
                return f"${{{name}}}"
            return f"$${inside}" if inside.startswith("{") else f"${inside}"

        return _REFERENCE.sub(one, text)

    @staticmethod
    def _filled(text: str) -> str:
        """Write a text that no shell reads: `${NAME}`, empty where it is not set, as process-compose has it."""

        def one(found: re.Match[str]) -> str:
            inside = found[1]
            if inside is None:
                return "$"
            return "$$" if inside == "$" else f"${{{inside.strip('{}')}:-}}"

        return _REFERENCE.sub(one, text)


def _flag(value: Value, key: str) -> bool:
    found = value.get(key)
    return found is not None and found.is_true


def _signal_name(number: str) -> str:
    try:
        name = signal.Signals(int(number)).name.removeprefix("SIG")
    except ValueError:
        name = number.upper().removeprefix("SIG")
    return name if name in _SIGNALS else ""
