"""One process of a template: its keys to settings. Pure.

Knows commands, probes, limits and replicas; knows nothing of pictures, tabs or other files. Above: templates, which
puts processes together. Below: `fields`, `commands`, `language` (which keys there are).
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace

from pydantic import ValidationError

from wezparallel.hub.workspaces import commands, language, supervision
from wezparallel.hub.workspaces.commands import Command
from wezparallel.hub.workspaces.extends import merge
from wezparallel.hub.workspaces.fields import Fields, text_of
from wezparallel.hub.workspaces.process_files import ProcessFile
from wezparallel.hub.workspaces.source import Mark, Source, did_you_mean, fold, quoted
from wezparallel.hub.workspaces.variables import Layer, Scope
from wezparallel.hub.workspaces.yaml_lines import Mapping as Map
from wezparallel.hub.workspaces.yaml_lines import Node, Scalar, Sequence
from wezparallel.protocol.process import TERM_PATTERN, ProcessSettings
from wezparallel.protocol.supervision import Need

AGENT_LOG = 64 << 20  # a conversation is kept elsewhere too; what an agent paints is mostly repainting
OTHER_LOG = 256 << 20

_KEYS = language.names(language.PROCESS)
_NOT_IN_A_PANE_ITSELF = (
    "restart", "backoff", "give_up", "ready", "health", "watch", "log", "log_cap", "stop", "limits", "nice",
    "ulimits", "cpu_alert", "memory_alert", "term",
)  # fmt: skip


_FROM_SETTINGS = (("restart", "restart"), ("backoff", "backoff_s"), ("give_up", "give_up"))


@dataclass(slots=True)
class Surroundings:
    """What a template says for all its processes, and where they are."""

    source: Source
    scope: Scope
    root: str
    home: str
    shell: str
    programs: Mapping[str, str]
    """Program that the settings name for a kind of agent."""
    env: dict[str, str | None] = field(default_factory=dict)
    filled: set[str] = field(default_factory=set)
    env_files: list[str] = field(default_factory=list)
    auto_start: bool = True
    templates: dict[str, tuple[Scalar, Node]] = field(default_factory=dict)
    """Folded name to the definition of `process_templates`."""
    process_file: Callable[[str], ProcessFile | None] = lambda _: None
    """Finds a template of one process that is in a file of its own."""
    given: Mapping[str, str] = field(default_factory=dict)
    """Values from the command line."""
    files: dict[str, ProcessFile] = field(default_factory=dict)
    """Those that were named, by path."""


@dataclass(slots=True)
class Made:
    """A process, and what has to be seen together with others."""

    settings: ProcessSettings
    written: str
    """Its name without the number of a replica."""
    mark: Mark
    focus: Mark | None
    position: Scalar | None
    depends_on: list[tuple[str, Need, Mark]]


def made_of(around: Surroundings, name: str, mark: Mark, value: Node, *, has_pane: bool) -> list[Made]:
    """Return a process, or all its replicas."""
    what = f"{'pane' if has_pane else 'process'} {quoted(name)}"
    if isinstance(value, Map):
        value = _with_template(around, value, what)
    else:
        is_empty = isinstance(value, Scalar) and value.value is None
        key = Scalar("command", "command", value.mark, "", value.mark.line)
        value = Map(() if is_empty else ((key, value),), mark if is_empty else value.mark)
    fields = Fields(around.source, value, what)
    fields.allow(_KEYS)
    own = {key.text: one for key, one in fields.children("variables") if isinstance(one, Scalar)}
    scope = around.scope.within(Layer(own)) if own else around.scope
    fields.scope = scope
    count = fields.whole("replicas", 1, 1, language.MAX_PROCESSES)
    found: list[Made] = []
    for number in range(1, count + 1):
        fields.scope = scope.within(Layer({"REPLICA": str(number)}), after=0)
        one = _One(around, f"{name}-{number}" if count > 1 else name, name, mark, fields, what)
        try:
            found.append(one.made(has_pane=has_pane, number=number if "replicas" in fields else 0))
        except ValidationError as error:
            where, sentence = error.errors()[0]["loc"], error.errors()[0]["msg"]
            raise around.source.error(
                "template.syntax", f"{what}: {'.'.join(map(str, where))}: {sentence[:200]}", mark
            ) from None
    return found


def command_of(around: Surroundings, node: Node, scope: Scope) -> Command:
    """Return what a command means. Raises RequestError."""
    source = around.source
    if isinstance(node, Sequence):
        argv = [text_of(source, scope.expand_all(item), "a command's list") for item in node.items]
        if not argv or not argv[0]:
            raise source.error("template.syntax", "the list of a command begins with a program", node.mark)
        return commands.from_list(argv, around.programs)
    text_of(source, node, "a command")
    written = scope.expand(node, in_shell=True) if isinstance(node, Scalar) else node
    text = text_of(source, written, "a command")
    if not text.strip() or (isinstance(node, Scalar) and node.value is None):
        raise source.error("template.syntax", "the command is empty", node.mark)
    return commands.from_text(text, around.shell, around.programs)


def folder_of(fields: Fields, key: str, base: str, home: str) -> str:
    """Return an absolute folder. Raises RequestError."""
    text = fields.text(key)
    if text == "~" or text.startswith("~/"):
        text = home + text[1:]
    return posixpath.normpath(posixpath.join(base, text)) if text else base


def env_files_of(fields: Fields, root: str, home: str) -> list[tuple[str, bool, Mark]]:
    """Return absolute paths of files of variables, whether each has to be there, and where it is said."""
    node = fields.node("env_file")
    if node is None:
        return []
    found: list[tuple[str, bool, Mark]] = []
    for item in node.items if isinstance(node, Sequence) else (node,):
        if isinstance(item, Map):
            told = Fields(fields.source, item, "a file of variables")
            told.allow(language.names(language.ENV_FILE))
            text, required = told.text("path"), told.flag("required", True)
        else:
            text, required = text_of(fields.source, item, "a file of variables"), True
        text, required = (text[:-1], False) if text.endswith("?") else (text, required)
        if not text:
            raise fields.error("a file of variables needs its path", item.mark)
        text = home + text[1:] if text.startswith("~/") else text
        found.append((posixpath.normpath(posixpath.join(root, text)), required, item.mark))
    return found


def check_name(source: Source, name: str, mark: Mark) -> None:
    """Refuse what cannot be a name. Raises `template.syntax`."""
    if not name or len(name) > 64 or not name.isprintable() or re.search(r"[\s/]", name) or not name.strip("."):
        raise source.error(
            "template.syntax", f"{quoted(name)} cannot be a name", mark,
            "A name has 1 to 64 characters, without spaces and `/`, and is not only dots.",
        )  # fmt: skip
    if name.startswith("-"):
        raise source.error(
            "template.syntax", f"{quoted(name)} looks like an option", mark, "A name does not begin with `-`."
        )


def _with_template(around: Surroundings, value: Map, what: str, above: tuple[str, ...] = ()) -> Map:
    """Return a definition laid over the one that it names with `template:`."""
    entry = next((one for one in value.entries if fold(one[0].text) == "template"), None)
    if entry is None:
        return value
    source = around.source
    own = replace(value, entries=tuple(one for one in value.entries if one is not entry))
    name = text_of(source, entry[1], "`template`")
    found = around.templates.get(fold(name)) or _from_file(around, name, own)
    if found is None:
        names = [key.text for key, _ in around.templates.values()]
        raise source.error(
            "template.syntax", f"{what} names the template {quoted(name)}, which is not below `process_templates`",
            entry[1].mark, did_you_mean(name, names),
        )  # fmt: skip
    if fold(name) in above:
        raise source.error("template.syntax", f"the template {quoted(name)} begins with itself", entry[1].mark)
    base = found[1]
    if isinstance(base, Map):
        base = _with_template(around, base, f"the template {quoted(name)}", (*above, fold(name)))
    else:
        base = Map(((Scalar("command", "command", base.mark, "", base.mark.line), base),), base.mark)
    # Below a name, as in a whole template, so that the same keys are merged in the same way.
    return merge(base, own, ("processes", name))


def _from_file(around: Surroundings, name: str, own: Map) -> tuple[Scalar, Node] | None:
    """Return the definition that a file of its own gives, with the values that are said where it is named."""
    found = around.process_file(name)
    if found is None:
        return None
    around.files[found.source.path] = found
    said = Fields(around.source, own, "a process").raw("variables")
    values: dict[str, str] = {}
    for key, value in said.entries if isinstance(said, Map) else ():
        if isinstance(value, Scalar) and (value.value is not None or value.style):
            values[fold(key.text)] = around.scope.expand(value).text
    for variable in found.variables:
        around.scope.used.setdefault(variable, None)
    return found.key, found.definition({**values, **{fold(one): text for one, text in around.given.items()}})


class _One:
    """One process, one replica."""

    def __init__(self, around: Surroundings, name: str, written: str, mark: Mark, fields: Fields, what: str) -> None:
        self._around = around
        self._name = name
        self._written = written
        self._mark = mark
        self._fields = fields
        self._what = what

    def made(self, *, has_pane: bool, number: int) -> Made:
        fields, around = self._fields, self._around
        command = self._command(has_pane)
        focus = self._focus(has_pane)
        is_direct = self._direct(has_pane)
        given, filled = fields.env("env")
        env = {**around.env, **command.env, **given}
        if number:
            env.setdefault("REPLICA", str(number))
        filled |= around.filled - given.keys() - command.env.keys()
        is_supervised = not is_direct and (not has_pane or command.agent is not None)
        usual = "on_failure" if is_supervised else "never"
        settings = ProcessSettings(
            name=self._name,
            argv=command.argv,
            command=command.text,
            cwd=folder_of(fields, "cwd", around.root, around.home),
            env=env,
            env_expand=sorted(filled),
            env_files=[*around.env_files, *(path for path, _, _ in env_files_of(fields, around.root, around.home))],
            tty=fields.flag("tty", has_pane),
            term=self._term(),
            pane=has_pane,
            title=fields.text("title") or None,
            agent=command.agent,
            prompt=self._prompt(command),
            may=fields.words("may"),
            restart=fields.choice("restart", ("always", "on_failure", "never"), usual),
            backoff_s=fields.seconds("backoff", 1.0),
            give_up=supervision.give_up(fields),
            stop=supervision.stop(fields, is_shell=command.is_shell),
            ready=supervision.probe(fields, "ready", around.shell),
            health=supervision.probe(fields, "health", around.shell),
            limits=supervision.limits(fields),
            watch=supervision.watch(fields),
            log=fields.choice("log", ("disk", "memory", "off"), "disk"),
            log_cap_bytes=fields.size("log_cap", AGENT_LOG if command.agent else OTHER_LOG),
            auto_start=fields.flag("auto_start", around.auto_start),
            on_close=self._on_close(),
            isolate=fields.flag("isolate"),
            worktree=self._worktree(),
            direct=is_direct,
        )
        for key, name in _FROM_SETTINGS:
            if key not in fields:
                settings.model_fields_set.discard(name)  # nobody said it, so the daemon's settings may
        position = fields.node("position")
        return Made(
            settings, self._written, self._mark, focus if number <= 1 else None,
            position if isinstance(position, Scalar) else None, supervision.depends_on(fields),
        )  # fmt: skip

    def _command(self, has_pane: bool) -> Command:
        fields, around = self._fields, self._around
        node, agent = fields.raw("command"), fields.node("agent")
        scope = fields.scope or around.scope
        args = fields.words("args") if "args" in fields else None
        command = None
        if node is not None:
            command = self._with_args(node, args, scope) if args is not None else command_of(around, node, scope)
        if agent is None:
            if command is None and not has_pane:
                raise fields.error(
                    f"{self._what} has no command", self._mark, "Without a pane a process needs `command:`."
                )
            return command or commands.from_text("shell", around.shell)
        named = text_of(around.source, agent, "`agent`")
        kind = commands.agent_kind(named)
        if kind is None:
            raise fields.error(
                f"{quoted(named)} is not a kind of agent", agent.mark, f"Known are: {', '.join(commands.AGENTS)}."
            )
        if command is None:
            command = commands.from_list([commands.AGENTS[kind], *(args or [])], around.programs)
            return replace(command, agent=kind)
        return Command(command.argv, command.text, kind, env=command.env)

    def _with_args(self, node: Node, args: Collection[str], scope: Scope) -> Command:
        if isinstance(node, Sequence):
            return command_of(self._around, Sequence(node.items, node.mark), scope).with_args(args)
        program = text_of(self._around.source, scope.expand_all(node), "a command")
        if not program.strip():
            raise self._fields.error("the command is empty", node.mark)
        return commands.from_list([program, *args], self._around.programs)

    def _focus(self, has_pane: bool) -> Mark | None:
        fields = self._fields
        if fields.flag("focus"):
            if not has_pane:
                raise fields.error(f"{quoted(self._name)} has no pane to focus", fields.key_mark("focus"))
            return fields.key_mark("focus")
        if has_pane and not fields.flag("tty", True):
            raise fields.error(
                "a pane is a terminal", fields.key_mark("tty"), "Move it to `processes:` to run it on pipes."
            )
        return None

    def _direct(self, has_pane: bool) -> bool:
        fields = self._fields
        if not fields.flag("direct"):
            return False
        if not has_pane:
            raise fields.error(
                f"{quoted(self._name)} has no pane to run in", fields.key_mark("direct"), "Move it to `panes:`."
            )
        for key in _NOT_IN_A_PANE_ITSELF:
            if key in fields:
                raise fields.error(
                    f"{quoted(key)} has no meaning for what runs in the pane itself",
                    [fields.key_mark("direct"), fields.key_mark(key)],
                    "Nobody holds such a program: take `direct` out, or this key.",
                )
        return True

    def _prompt(self, command: Command) -> str | None:
        fields = self._fields
        prompt = fields.text("prompt")
        if not prompt.strip():
            return None
        if command.agent is None:
            raise fields.error("only an agent is told something", fields.key_mark("prompt"), "Write `agent:` too.")
        if len(command.argv) == 3 and command.argv[1] == "-c" and not commands.is_simple(command.text):
            raise fields.error(
                "`prompt` needs a command that is one program", fields.key_mark("prompt"),
                "Write the command as a list, or the prompt into it.",
            )  # fmt: skip
        return prompt

    def _on_close(self) -> str | None:
        return self._fields.choice("on_close", ("keep", "stop", "ask"), "") or None

    def _worktree(self) -> str | None:
        branch = self._fields.text("worktree").strip()
        if branch.startswith("-") or any(sign.isspace() or not sign.isprintable() for sign in branch):
            raise self._fields.error(f"{quoted(branch)} cannot be a branch", self._fields.key_mark("worktree"))
        return branch or None

    def _term(self) -> str | None:
        fields = self._fields
        term = fields.text("term")
        if term and not re.match(TERM_PATTERN, term):
            raise fields.error(f"{quoted(term)} is no TERM", fields.key_mark("term"), "For example xterm-256color.")
        return term or None
