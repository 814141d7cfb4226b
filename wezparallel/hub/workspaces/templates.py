"""Compiles a template: YAML to process settings, a plan of panes and a picture. Pure: no file is read here.

`docs/reference/templates.md` is the language. Above: discovery, the handlers. Below: `fields` (typed access to the
YAML), `commands` (what a command means), `layouts` (pictures to cuts).
"""

from __future__ import annotations

import posixpath
import re
import unicodedata
from collections.abc import Sequence as Seq
from dataclasses import dataclass, field

from wezparallel.hub.workspaces import commands, layouts
from wezparallel.hub.workspaces.commands import Command
from wezparallel.hub.workspaces.fields import Fields, literal_of, text_of, words_of
from wezparallel.hub.workspaces.source import Mark, Source, fold, printable, quoted
from wezparallel.hub.workspaces.yaml_lines import Mapping, Node, Scalar, Sequence, load
from wezparallel.protocol.process import TERM_PATTERN, ProcessSettings, StopRules
from wezparallel.protocol.workspace import Plan, PlannedPane, Tab

MAX_PROCESSES = 200  # of one template, with and without panes
AGENT_LOG = 64 << 20  # a conversation is kept elsewhere too; what an agent paints is mostly repainting
OTHER_LOG = 256 << 20

_TOP = ("name", "description", "root", "env", "environment", "layout", "panes", "processes")
_TOP_LATER = ("tabs", "extends", "env_file", "variables", "watch", "sandbox")
_PROCESS = (
    "command", "agent", "focus", "title", "cwd", "env", "environment", "tty", "term", "restart", "backoff",
    "backoff_s", "stop", "log", "log_cap", "log_cap_bytes", "auto_start", "may", "on_close",
)  # fmt: skip
_PROCESS_LATER = (
    "replicas", "direct", "worktree", "depends_on", "ready", "health", "watch", "prompt", "min_idle", "idle_timeout",
    "isolate", "sandbox", "position",
)  # fmt: skip
_SIGNALS = ("HUP", "INT", "QUIT", "KILL", "USR1", "USR2", "TERM", "WINCH", "CONT", "ALRM")
_NAMED_LAYOUT = re.compile(r"(single|two|three|four|five|six|main)[_-]\w+\Z")


@dataclass(frozen=True, slots=True)
class Compiled:
    """A template that can be opened."""

    name: str
    """What the file calls itself, else the file's name; for `wezparallel.yaml` the folder's."""
    description: str
    root: str
    """Absolute folder of the workspace."""
    settings: list[ProcessSettings]
    """All processes, those with a pane first, in the order of the file."""
    layout: layouts.Layout | None
    """None if nothing has a pane."""
    focus: str | None
    """Name of the pane that gets the focus."""
    env: dict[str, str | None] = field(default_factory=dict, repr=False)
    """The template's own variables; they are part of each process's settings already."""

    @property
    def plan(self) -> Plan:
        """Return the plan with bare names for process ids."""
        return self.plan_for(None)

    @property
    def picture(self) -> str:
        """Return the layout in box characters, 60 cells wide."""
        return self.draw()

    def plan_for(self, workspace: str | None) -> Plan:
        """Return the plan as a workspace of that name would carry it out; without panes it has no tab."""
        if self.layout is None:
            return Plan(tabs=[])
        by_name = {one.name: one for one in self.settings}
        panes = [
            PlannedPane(
                pane=name, process_id=f"{workspace}/{name}" if workspace else name,
                title=by_name[name].title or name, focus=name == self.focus,
            )
            for name in self.layout.panes
        ]  # fmt: skip
        splits = list(self.layout.splits)
        return Plan(tabs=[Tab(title=workspace or self.name, first=self.layout.first, splits=splits, panes=panes)])

    def draw(self, width: int = 60) -> str:
        """Return the layout in box characters; empty if nothing has a pane."""
        if self.layout is None:
            return ""
        return layouts.draw(self.layout, {one.name: one.command for one in self.settings}, width)


def compile_template(source: str, path: str, root: str, shell: str, home: str) -> Compiled:
    """Compile a template.

    Args:
        source: The YAML.
        path: Where it came from; errors name it, below `root` and `home` in its short form.
        root: Absolute project folder; `root:` in the template is relative to it.
        shell: Absolute path of the user's shell.
        home: Absolute home folder, for `~/`.

    Raises:
        RequestError: `template.syntax` or `template.layout`; see `Source.error` for its data.
    """
    text = Source(path, source, _shown(path, root, home))
    return _Compiler(text, root, shell, home).compile(load(text))


class _Compiler:
    def __init__(self, source: Source, root: str, shell: str, home: str) -> None:
        self._source = source
        self._root = root
        self._shell = shell
        self._home = home
        self._env: dict[str, str | None] = {}
        self._names: dict[str, Mark] = {}
        self._focus: tuple[str, Mark] | None = None

    def compile(self, tree: Node) -> Compiled:
        if isinstance(tree, Sequence):
            raise self._source.error(
                "template.syntax", "a template is a map, not a list", tree.mark, "Write `panes:` before it."
            )
        top = Fields(self._source, tree, "a template")
        top.allow(_TOP, _TOP_LATER)
        self._root = self._folder(top, "root", self._root)
        self._env = top.env(top.one_of("env", "environment"))
        panes = self._panes(top)
        others = [self._process(key, value, has_pane=False) for key, value in top.children("processes")]
        if not panes and not others:
            raise top.error(
                "there is nothing to open", top.key_mark("panes"), "The shortest template is: panes: [shell]"
            )
        layout = self._layout(top, [one.name for one in panes])
        focus = self._focus[0] if self._focus else (layout.first if layout else None)
        settings = [one.model_copy(update={"focus": one.name == focus}) for one in (*panes, *others)]
        name = top.text("name") or self._file_name()
        if "name" in top:
            self._check_name(name, top.key_mark("name"))
        return Compiled(name, top.text("description").strip(), self._root, settings, layout, focus, self._env)

    def _panes(self, top: Fields) -> list[ProcessSettings]:
        node = top.node("panes")
        if isinstance(node, Mapping):
            return [self._process(key, value, has_pane=True) for key, value in node.entries]
        if isinstance(node, Sequence):
            return [self._listed(item) for item in node.items]
        if node is not None:
            raise top.error(
                "`panes` has to be a list of commands or a map of names",
                node.mark,
                "For example: panes: [claude, shell]",
            )
        return []

    def _listed(self, item: Node) -> ProcessSettings:
        """Return the pane of one entry of the short form, whose name comes from its command."""
        if isinstance(item, Mapping):
            raise self._source.error(
                "template.syntax", "a pane in a list is only a command", item.mark,
                "To say more, write `panes:` as a map: `panes: { server: { command: npm run dev } }`.",
            )  # fmt: skip
        self._check_count(item.mark)
        command = self._command(item)
        name = commands.derived_name(command.text, self._names)
        self._names[fold(name)] = item.mark
        return self._settings(name, command, Fields(self._source, Mapping((), item.mark), "a pane"), has_pane=True)

    def _process(self, key: Scalar, value: Node, *, has_pane: bool) -> ProcessSettings:
        name = unicodedata.normalize("NFC", key.text)
        self._check_name(name, key.mark)
        if fold(name) in self._names:
            raise self._source.error(
                "template.syntax", f"{quoted(name)} is the name of another process already", key.mark,
                f"It stands in line {self._names[fold(name)].line}; `-` equals `_` in names.",
            )  # fmt: skip
        self._check_count(key.mark)
        self._names[fold(name)] = key.mark
        what = f"{'pane' if has_pane else 'process'} {quoted(name)}"
        if isinstance(value, Mapping):
            fields = Fields(self._source, value, what)
            fields.allow(_PROCESS, _PROCESS_LATER)
            return self._settings(name, self._told_command(fields, what, has_pane), fields, has_pane=has_pane)
        fields = Fields(self._source, Mapping((), key.mark), what)
        if isinstance(value, Scalar) and value.value is None:
            return self._settings(name, self._default_command(fields, what, has_pane), fields, has_pane=has_pane)
        return self._settings(name, self._command(value), fields, has_pane=has_pane)

    def _told_command(self, fields: Fields, what: str, has_pane: bool) -> Command:
        node, agent = fields.node("command"), fields.node("agent")
        command = self._command(node) if node is not None else None
        if agent is None:
            return command or self._default_command(fields, what, has_pane)
        named = text_of(self._source, agent, "`agent`")
        kind = commands.agent_kind(named)
        if kind is None:
            raise fields.error(
                f"{quoted(named)} is not a kind of agent", agent.mark, f"Known are: {', '.join(commands.AGENTS)}."
            )
        if command is None:
            return commands.from_agent(kind)
        return Command(command.argv, command.text, kind, env=command.env)

    def _default_command(self, fields: Fields, what: str, has_pane: bool) -> Command:
        """Return the command of what has none: a pane is a shell, a process without a pane is a mistake."""
        if not has_pane:
            raise fields.error(f"{what} has no command", fields.mark, "Without a pane a process needs `command:`.")
        return commands.from_text("shell", self._shell)

    def _command(self, node: Node) -> Command:
        if isinstance(node, Sequence):
            argv = words_of(self._source, node, "a command's list")
            if not argv or not argv[0]:
                raise self._source.error("template.syntax", "the list of a command begins with a program", node.mark)
            return commands.from_list(argv)
        text = text_of(self._source, node, "a command")
        if not text.strip() or (isinstance(node, Scalar) and node.value is None):
            raise self._source.error("template.syntax", "the command is empty", node.mark)
        return commands.from_text(text, self._shell)

    def _settings(self, name: str, command: Command, fields: Fields, *, has_pane: bool) -> ProcessSettings:
        self._check_pane_keys(name, fields, has_pane)
        given = fields.one_of("env", "environment")
        is_supervised = not has_pane or command.agent is not None
        return ProcessSettings(
            name=name,
            argv=command.argv,
            command=command.text,
            cwd=self._folder(fields, "cwd", self._root),
            env={**self._env, **command.env, **fields.env(given)},
            tty=fields.flag("tty", has_pane),
            term=self._term(fields),
            pane=has_pane,
            title=fields.text("title") or None,
            agent=command.agent,
            may=fields.words("may"),
            restart=fields.choice(
                "restart", ("always", "on_failure", "never"), "on_failure" if is_supervised else "never"
            ),
            backoff_s=fields.seconds(fields.one_of("backoff", "backoff_s"), 1.0),
            stop=self._stop(fields, command),
            log=fields.choice("log", ("disk", "memory", "off"), "disk"),
            log_cap_bytes=fields.size(
                fields.one_of("log_cap", "log_cap_bytes"), AGENT_LOG if command.agent else OTHER_LOG
            ),
            auto_start=fields.flag("auto_start", True),
        )

    def _check_pane_keys(self, name: str, fields: Fields, has_pane: bool) -> None:
        fields.choice("on_close", ("keep", "stop", "ask"), "keep")
        if fields.flag("focus"):
            if not has_pane:
                raise fields.error(f"{quoted(name)} has no pane to focus", fields.key_mark("focus"))
            if self._focus:
                raise self._source.error(
                    "template.syntax", "only one pane can have the focus", [self._focus[1], fields.key_mark("focus")]
                )
            self._focus = (name, fields.key_mark("focus"))
        if has_pane and not fields.flag("tty", True):
            raise fields.error(
                "a pane is a terminal", fields.key_mark("tty"), "Move it to `processes:` to run it on pipes."
            )

    @staticmethod
    def _term(fields: Fields) -> str | None:
        term = fields.text("term")
        if term and not re.match(TERM_PATTERN, term):
            raise fields.error(f"{quoted(term)} is no TERM", fields.key_mark("term"), "For example xterm-256color.")
        return term or None

    def _stop(self, fields: Fields, command: Command) -> StopRules:
        # An interactive shell ignores SIGTERM, and hands SIGHUP on to its jobs.
        signal = "SIGHUP" if command.is_shell else "SIGTERM"
        kill = "group" if command.is_shell else "tree"
        node = fields.node("stop")
        if node is None:
            return StopRules(signal=signal, kill=kill)
        if isinstance(node, Scalar):
            return StopRules(signal=self._signal(node), kill=kill)
        told = Fields(self._source, node, "`stop`")
        told.allow(("signal", "grace", "grace_s", "kill"))
        named = told.node("signal")
        return StopRules(
            signal=signal if named is None else self._signal(named),
            grace_s=told.seconds(told.one_of("grace", "grace_s"), 5.0),
            kill=told.choice("kill", ("tree", "group"), kill),
        )

    def _signal(self, node: Node) -> str:
        text = text_of(self._source, node, "a signal")
        name = text.upper().removeprefix("SIG")
        if name not in _SIGNALS:
            raise self._source.error(
                "template.syntax", f"{quoted(text)} is not a signal to stop with", node.mark,
                f"Known are: {', '.join('SIG' + one for one in _SIGNALS)}.",
            )  # fmt: skip
        return f"SIG{name}"

    def _layout(self, top: Fields, panes: Seq[str]) -> layouts.Layout | None:
        node = top.node("layout")
        if len(panes) > layouts.MAX_AREAS:
            raise top.error(f"a tab has at most {layouts.MAX_AREAS} panes", top.key_mark("panes"))
        if node is None:
            return layouts.compile_picture(layouts.tile(panes)) if panes else None
        columns: tuple[float, ...] = ()
        rows: tuple[float, ...] = ()
        areas = node
        if isinstance(node, Mapping):
            fields = Fields(self._source, node, "`layout`")
            fields.allow(("areas", "columns", "rows"), ("type",))
            columns, rows = fields.weights("columns"), fields.weights("rows")
            told = fields.node("areas")
            if told is None:
                raise fields.error("`layout` needs `areas`, the picture", fields.mark)
            areas = told
        picture = layouts.read_picture(_picture_lines(self._source, areas), self._source, areas.mark)
        picture = layouts.with_weights(picture, columns, rows)
        if isinstance(areas, Scalar) and _NAMED_LAYOUT.match(areas.text) and fold(areas.text) not in self._names:
            raise self._source.error(
                "template.layout", f"the named layout {quoted(areas.text)} is not supported yet", areas.mark,
                "Draw the picture instead: one line for each row, with the names of the panes.",
            )  # fmt: skip
        picture = layouts.match_names(picture, panes)
        layout = layouts.compile_picture(picture)
        for name in panes:
            if name not in layout.panes:
                raise self._source.error(
                    "template.layout", f"the pane {quoted(name)} has no area in the picture", self._names[fold(name)],
                    "Write its name into `layout`, or move it to `processes:` if it needs no pane.",
                )  # fmt: skip
        return layout

    def _check_count(self, mark: Mark) -> None:
        if len(self._names) >= MAX_PROCESSES:
            raise self._source.error("template.syntax", f"a template has at most {MAX_PROCESSES} processes", mark)

    def _check_name(self, name: str, mark: Mark) -> None:
        if not name or len(name) > 64 or not name.isprintable() or re.search(r"[\s/]", name) or not name.strip("."):
            raise self._source.error(
                "template.syntax", f"{quoted(name)} cannot be a name", mark,
                "A name has 1 to 64 characters, without spaces and `/`, and is not only dots.",
            )  # fmt: skip
        if name.startswith("-"):
            raise self._source.error(
                "template.syntax", f"{quoted(name)} looks like an option", mark, "A name does not begin with `-`."
            )

    def _folder(self, fields: Fields, key: str, base: str) -> str:
        node = fields.node(key)
        if node is None:
            return base
        text = literal_of(self._source, node, f"`{key}`")
        if text == "~" or text.startswith("~/"):
            text = self._home + text[1:]
        return posixpath.normpath(posixpath.join(base, text))

    def _file_name(self) -> str:
        stem, suffix = posixpath.splitext(posixpath.basename(self._source.path))
        own = stem if suffix in {".yaml", ".yml"} and stem != "wezparallel" else posixpath.basename(self._root)
        return printable(own) or "workspace"


def _picture_lines(source: Source, areas: Node) -> list[tuple[str, Mark]]:
    """Return a picture's lines with the place of each."""
    if isinstance(areas, Sequence):
        return [
            (text_of(source, item, "a row of the picture"), Mark(item.mark.line, item.mark.column + _quote(item)))
            for item in areas.items
        ]
    if not isinstance(areas, Scalar):
        raise source.error("template.layout", "a picture is text, one line for each row", areas.mark)
    if areas.style == "|":
        lines = source.lines
        found: list[tuple[str, Mark]] = []
        for number, text in enumerate(areas.text.split("\n"), areas.mark.line + 1):
            own = lines[number - 1] if number <= len(lines) else ""
            found.append((text, Mark(number, len(own) - len(text) + 1 if own.endswith(text) else 1)))
        return found
    if areas.last_line > areas.mark.line:
        raise source.error(
            "template.layout", "this picture would become one line", areas.mark,
            "Write `|` after the colon; then its lines stay lines.",
        )  # fmt: skip
    return [(text, Mark(areas.mark.line, areas.mark.column + _quote(areas))) for text in areas.text.split("\n")]


def _quote(node: Node) -> int:
    return 1 if isinstance(node, Scalar) and node.style else 0


def _shown(path: str, root: str, home: str) -> str:
    """Return a path as a person would write it."""
    if root != "/" and path.startswith(root.rstrip("/") + "/"):
        return path[len(root.rstrip("/")) + 1 :]
    if home != "/" and path.startswith(home.rstrip("/") + "/"):
        return "~" + path[len(home.rstrip("/")) :]
    return path
