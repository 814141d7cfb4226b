"""The verbs of the command line, in the user's words: one row each, with the commands that it sends. Pure data.

Above: `parser.py`, which makes a parser of them, and the completion of shells.
"""

from __future__ import annotations

import argparse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class Option:
    """One argument or option. `field` is `Command.field` of the registry, whose description is its help."""

    def __init__(self, *flags: str, field: str = "", help: str = "", **rest: Any) -> None:  # noqa: A002  argparse's word
        self.flags = flags
        self.field = field
        self.help = help
        self.rest = rest


class Verb:
    """One verb: where its code is, which commands it sends, what it takes."""

    def __init__(self, name: str, module: str, help: str, *options: Option, commands: str = "") -> None:  # noqa: A002
        self.name = name
        self.module, _, self.function = module.partition(".")
        self.help = help
        self.options = options
        self.commands = commands.split()
        """Names of the registry; the first one is what the verb means."""


PROCESS = Option("process", metavar="PROCESS", help="workspace/name, a name that only one has, a pid")
PROCESSES = Option("process", metavar="PROCESS", nargs="+", help="workspace/name, a unique name, pid, 'shop/', 'a*'")
YES = Option("-y", "--yes", action="store_true", help="do not ask")
DETACH = Option("-d", "--detach", action="store_true", help="do not attach")
TEMPLATE_VERBS = ("list", "show", "check", "new", "schema", "import", "save", "trust", "delete")
SNAPSHOT_VERBS = ("list", "export", "import", "diff", "rollback")
TRUST = Option("--trust", action="store_true", help="accept the commands of a template that came with its folder")
LONG = Option("-l", "--long", action="store_true", help="exact times, pids, folders")
SHARED = (
    Option("--json", action="store_true", help="one JSON document, or JSON lines"),
    Option("--socket", metavar="PATH", help="another daemon's public socket"),
    Option("--color", choices=("auto", "always", "never"), help="default auto; NO_COLOR is heard"),
)
VAR = Option(
    "--var", action="append", metavar="NAME=VALUE", help="a value for ${NAME} or {{NAME}} of a template; repeatable"
)
REFRESH = Option("--refresh-env", action="store_true", help="with the environment of this shell from now on")
WAIT = Option("--wait", field="ProcessStart.wait", choices=("spawned", "ready"))

GROUPS: tuple[tuple[str, tuple[Verb, ...]], ...] = (
    ("see", (
        Verb("ls", "overview.list_workspaces", "list workspaces", LONG, commands="WorkspaceList"),
        Verb(
            "ps", "processes.list_processes", "list processes",
            Option("workspace", nargs="?", metavar="WORKSPACE", help="only this one's"), LONG, commands="ProcessList",
        ),
        Verb(
            "dashboard", "siblings.dashboard", "the control pane: what runs and who needs you, to work in",
            Option("workspace", nargs="?", metavar="WORKSPACE", help="only this one's"),
            Option("--theme", choices=("dark", "light", "16"), help="default: by the terminal's colours"),
        ),
        Verb(
            "top", "top.top", "a living table of what runs and what it uses",
            Option("workspace", nargs="?", metavar="WORKSPACE", help="only this one's"),
        ),
        Verb(
            "env", "environment.env", "the environment that a process's next run gets", PROCESS,
            Option("--show-secrets", action="store_true", help="also what looks like a secret; on a terminal only"),
            commands="EnvironmentGet",
        ),
        Verb(
            "logs", "logs.logs", "read what processes wrote, also without a daemon",
            Option("process", metavar="PROCESS", nargs="*",
                   help="any number, 'shop/' is a workspace's, 'shop/*'; default: those of this folder's workspace"),
            Option("-a", "--all", action="store_true", help="of every process"),
            Option("-f", "--follow", action="store_true", help="go on with what comes"),
            Option("--since", field="LogRead.since", metavar="TIME"),
            Option("--until", metavar="TIME", help="nothing younger; a time as for --since"),
            Option("-g", "--grep", metavar="REGEX", help="only lines in which this is found"),
            Option("-i", "--ignore-case", action="store_true", help="with --grep: capital or small is the same"),
            Option("-n", "--lines", metavar="N", help="the last N lines in all, or `all` (default 100)"),
            Option("--stream", choices=("stdout", "stderr", "tty"), help="only this one of a process on pipes"),
            Option("--raw", action="store_true", help="the bytes as they were written, escape sequences too"),
            Option("-t", "--timestamps", action="store_true", help="begin each line with its time"),
            commands="LogRead",
        ),
        Verb(
            "screen", "screen.screen", "print what a process's screen shows", PROCESS,
            Option("--format", choices=("text", "ansi", "json", "svg", "png"),
                   help="default: ansi on a terminal with colours, else text"),
            Option("-o", "--output", metavar="FILE", help="default: stdout; its ending says the format"),
            commands="ProcessScreen",
        ),
        Verb(
            "record", "record.record", "make a recording of a run, as terminal players replay it",
            Option("what", choices=("export",), help="what to do"), PROCESS,
            Option("-o", "--output", metavar="FILE", help="default: NAME-RUN.cast, or stdout if that is no terminal"),
            Option("--run", field="LogExport.run", metavar="ID"),
            commands="LogExport",
        ),
        Verb(
            "events", "events.events", "tell what happened",
            Option("pattern", nargs="*", metavar="PATTERN", help="`process.exited`, `process.*`; default all"),
            Option("-f", "--follow", action="store_true", help="go on with what comes"),
            Option("--since", metavar="TIME", help="a seq, an RFC 3339 time, or an age as 90s, 10m, 2h, 1d"),
            Option("-n", "--lines", type=int, default=20, metavar="N", help="at most the last N (default 20)"),
            commands="Subscribe Unsubscribe",
        ),
        Verb(
            "history", "history.history", "runs that were: how they ended, and the most that each used",
            Option("name", nargs="?", metavar="PROCESS", help="a process, or `shop/` for a workspace; default: all"),
            Option("--since", metavar="TIME", help="an RFC 3339 time, or an age as 90s, 10m, 2h, 1d"),
            Option("--failed", action="store_true", help="only what ended badly, without anybody's wish"),
            Option("-n", "--lines", type=int, default=20, metavar="N", help="at most the last N (default 20)"),
            Option("--figures", action="store_true", help="what it used, step by step; without one the machine"),
            commands="HistoryList MetricHistory",
        ),
        Verb("metrics", "metrics.metrics", "how machine and daemon are, and where Prometheus scrapes",
             commands="MetricGet"),
        Verb("views", "views.list_views", "which pane or terminal shows what", commands="ViewList"),
        Verb("alerts", "alerts.list_alerts", "figures above what the settings allow", commands="AlertList"),
        Verb("status", "daemon.hub_status", "figures of the daemon", commands="Status Ping"),
    )),
    ("open and close", (
        Verb(
            "up", "up.up", "open a workspace here, or open it again",
            Option("template", nargs="?", metavar="TEMPLATE", help="a template's name or file; or a workspace's"),
            Option("--name", field="WorkspaceCreate.name"), Option("--root", field="WorkspaceCreate.root"),
            VAR, TRUST, REFRESH, DETACH,
            Option("-y", "--yes", action="store_true", help="do not ask; restart what changed"),
            Option("--no-restart", action="store_true", help="restart nothing that changed, do not ask"),
            commands="WorkspaceCreate WorkspaceOpen WorkspaceGet WorkspaceApply",
        ),
        Verb(
            "open", "moving.open_workspace", "open a workspace as it is defined, or a process in WezTerm",
            Option("name", metavar="WORKSPACE", help="its name; or that of a process to show"), DETACH,
            Option("--where", choices=("tab", "split", "window"), default="tab", help="of a process: its new pane"),
            commands="WorkspaceOpen ViewOpen",
        ),
        Verb(
            "switch", "moving.switch", "make a workspace the current one and go there",
            Option("name", metavar="WORKSPACE", help="its name"), DETACH, commands="WorkspaceSwitch",
        ),
        Verb(
            "focus", "moving.focus", "give a process the focus in its workspace and go there", PROCESS, DETACH,
            commands="WorkspaceSwitch ViewFocus",
        ),
        Verb(
            "rename", "workspaces.rename", "give a workspace another name, also while it runs",
            Option("name", metavar="WORKSPACE", help="its name now"),
            Option("to", metavar="NEW", help="its new name"), commands="WorkspaceRename",
        ),
        Verb(
            "down", "workspaces.down", "stop everything in a workspace; definition and logs stay",
            Option("name", nargs="?", metavar="WORKSPACE", help="default: the workspace of this folder"),
            commands="WorkspaceClose",
        ),
        Verb(
            "delete", "workspaces.delete", "stop everything in a workspace and forget it, with its logs",
            Option("name", metavar="WORKSPACE", help="its name"), YES,
            Option("--worktrees", action="store_true", help="remove its git worktrees too; the branches stay"),
            Option("--force", action="store_true", help="also worktrees with changes, which are lost"),
            commands="WorkspaceDelete WorktreeList WorktreeRemove",
        ),
        Verb("template", "templates.template", "list, show, check, write, import and accept templates",
             Option("what", nargs="?", default="list", choices=TEMPLATE_VERBS, help="default: list"),
             Option("names", nargs="*", metavar="TEMPLATE", help="a name or a file; default: what `up` would open"),
             Option("--root", field="TemplateList.root"), VAR,
             Option("--from", dest="base", metavar="TEMPLATE", help="new: begin with this one, not with the folder"),
             Option("--as", dest="kind", choices=("tmuxp", "process-compose", "procfile", "package.json"),
                    help="import: whose file it is (default: seen by its keys)"),
             Option("-o", "--output", metavar="FILE", help="import: where to, `-` for stdout"),
             Option("--workspace", metavar="WORKSPACE", help="save: which one (default: that of this folder)"),
             Option("--force", action="store_true", help="replace a file that is there"), YES,
             commands="TemplateList TemplateGet TemplateCheck TemplateTrust TemplateCreate TemplateUpdate "
                      "TemplateDelete"),
    )),
    ("work with processes", (
        Verb(
            "run", "run.run", "keep one command, and come back to it later",
            Option("--template", metavar="TEMPLATE", help="what a template of one process says; CMD goes behind it"),
            VAR, TRUST, DETACH, Option("--name", help="its name (default: the program's)"),
            Option("--tty", action=argparse.BooleanOptionalAction, default=None,
                   help="on a terminal of its own, or on pipes (default: as this one)"),
            Option("command", nargs=argparse.REMAINDER, metavar="-- CMD", help="program and arguments"),
            commands="ProcessAdd ProcessGet TemplateGet",
        ),
        Verb(
            "attach", "small.attach", "look at a process and type into it", PROCESS,
            Option("--read-only", action="store_true", help="look only"),
            Option("--exit", action="store_true", help="end with the program instead of offering keys"),
            Option("--relay", action="store_true",
                   help="pass the terminal on here instead of handing it over (done by itself where it has to be)"),
        ),
        Verb(
            "type", "processes.type_text", "type into a process, or into all of 'shop/*', as a person would", PROCESS,
            Option("text", nargs="+", metavar="TEXT", help="what to type; `-` reads stdin as it is"),
            Option("--enter", dest="enter", action="store_true", default=True, help="press Enter after it (default)"),
            Option("-n", "--no-enter", dest="enter", action="store_false", help="do not press Enter"),
            commands="ProcessType ProcessTypeMany",
        ),
        Verb(
            "notify", "notify.notify", "have a process ask for a look, until somebody looks or types",
            Option("text", nargs="*", metavar="TEXT", help="what it says"),
            Option("--process", metavar="NAME", help="which one; inside one that is kept it is that one"),
            Option("--clear", action="store_true", help="take it back"),
            Option("--test", field="AlertTest.name", metavar="NAME"),
            commands="ProcessNotify AlertTest NotificationGet NotificationDisplay NotificationReport",
        ),
        Verb(
            "start", "processes.start", "start what does not run", PROCESSES, WAIT, REFRESH, commands="ProcessStart",
        ),
        Verb(
            "stop", "processes.stop", "stop processes and everything below them", PROCESSES,
            Option("--grace", field="ProcessStop.grace_s", type=float, metavar="S", help="seconds before SIGKILL"),
            commands="ProcessStop",
        ),
        Verb(
            "restart", "processes.restart", "stop and start again", PROCESSES, WAIT, REFRESH,
            commands="ProcessRestart",
        ),
        Verb(
            "wait", "wait.wait", "wait until a process is ready, has exited, or has written a line", PROCESS,
            Option("--for", dest="what", default="ready", metavar="WHAT",
                   help="ready (default), exited, or output=REGEX; what is so already counts"),
            Option("--timeout", type=float, metavar="S", help="seconds to wait at most, then exit with 124"),
            Option("--exit-code", action="store_true", help="with --for exited: exit as the process did"),
            commands="ProcessWait",
        ),
        Verb(
            "suspend", "processes.suspend", "have processes and everything below them stand still", PROCESSES,
            commands="ProcessSuspend",
        ),
        Verb("resume", "processes.resume", "let suspended processes go on", PROCESSES, commands="ProcessResume"),
        Verb(
            "kill", "processes.kill", "SIGKILL processes and everything below them", PROCESSES,
            commands="ProcessKill",
        ),
        Verb(
            "rm", "processes.remove", "stop processes and forget them, with their logs", PROCESSES,
            commands="ProcessRemove",
        ),
    )),
    ("the daemon", (
        Verb(
            "daemon", "daemon.daemon", "start, stop, look at and upgrade the daemon",
            Option("what", choices=("start", "stop", "status", "upgrade"), help="what to do"),
            Option("--config", metavar="FILE", help="start: with this configuration"),
            Option("--set", action="append", default=[], metavar="OPTION=VALUE", help="start: goes before the file"),
            Option("--to", metavar="PYTHON", help="upgrade: to what this Python has, that of another venv for one"),
            Option("--all", action="store_true", help="stop: every process too"), YES,
            commands="Shutdown DaemonUpgrade",
        ),
        Verb(
            "config", "config.config", "show, check and edit the settings, also without a daemon",
            Option("what", nargs="?", default="show", choices=("show", "check", "schema", "edit", "reload"),
                   help="default: show"),
            Option("file", nargs="?", metavar="FILE", help="check, edit: this one; `-` checks stdin"),
            Option("--origin", action="store_true", help="show: where each value comes from"),
            commands="ConfigGet ConfigCheck ConfigReload",
        ),
        Verb(
            "snapshot", "snapshots.snapshot", "what there is as YAML: list, export, import, compare, go back",
            Option("what", nargs="?", default="list", choices=SNAPSHOT_VERBS, help="default: list"),
            Option("names", nargs="*", metavar="SNAPSHOT", help="import: a file; diff, rollback: an id of the list"),
            Option("-o", "--output", metavar="FILE", help="export: where to, `-` for stdout"),
            Option("--prune", action="store_true", help="import: forget what the file has not, unless it runs"),
            Option("--dry-run", action="store_true", help="import, rollback: only show what would change"),
            Option("--force", action="store_true", help="export: replace a file that is there"), YES,
            commands="SnapshotExport SnapshotImport SnapshotList SnapshotDiff SnapshotRollback",
        ),
        Verb(
            "completion", "completion.completion", "print what teaches a shell to complete our words",
            Option("shell", choices=("bash", "zsh", "fish"), help="which shell"),
        ),
        Verb(
            "init", "siblings.init", "set WezTerm up: configuration, links, two lines in wezterm.lua",
            Option("--write", action="store_true", help="add the lines to wezterm.lua; a copy of it is kept"),
        ),
        Verb("doctor", "doctor.doctor", "check what the daemon needs, each with its fix"),
        Verb(
            "call", "small.call", "send one request as it is, print the reply",
            Option("request", nargs="*", metavar="JSON", help="default: stdin, one a line"),
            commands="Describe ProcessPrepare ProcessObserve ViewBind ViewClose ViewSync ViewSee",
        ),
    )),
)  # fmt: skip

VERBS = {verb.name: verb for _, verbs in GROUPS for verb in verbs}
