"""Compiles a template: YAML to process settings, a plan of panes and a picture. Pure: no file is read here.

`docs/reference/templates.md` is the language. Above: discovery, the handlers. Below: `extends` (what a template
begins with), `older` (the seeds' forms), `variables`, `processes` (one process's keys), `tabs` (pictures to cuts).
"""

from __future__ import annotations

import hashlib
import json
import posixpath
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from wezparallel.errors import RequestError
from wezparallel.hub.workspaces import (
    commands,
    dotenv,
    drawing,
    extends,
    language,
    layouts,
    older,
    processes,
    relations,
    tabs,
)
from wezparallel.hub.workspaces.fields import Fields
from wezparallel.hub.workspaces.process_files import ProcessFile
from wezparallel.hub.workspaces.processes import Made, Surroundings
from wezparallel.hub.workspaces.source import Mark, Source, fold, known, printable, quoted
from wezparallel.hub.workspaces.tabs import CompiledTab
from wezparallel.hub.workspaces.variables import NAME, Layer, Scope, unused
from wezparallel.hub.workspaces.yaml_lines import Mapping as Map
from wezparallel.hub.workspaces.yaml_lines import Node, Scalar, Sequence
from wezparallel.protocol.process import ProcessSettings
from wezparallel.protocol.workspace import Plan, PlannedPane, Tab


@dataclass(frozen=True, slots=True)
class Given:
    """What a template is compiled with, beside its text."""

    variables: Mapping[str, str] = field(default_factory=dict)
    """From the command line; they come first."""
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Of who opens it; nothing of it is kept in `env`."""
    reader: extends.Reader | None = None
    """Reads what a template extends."""
    env_file: Callable[[str], str | None] | None = None
    """Reads a file of variables; None if there is none."""
    programs: Mapping[str, str] = field(default_factory=dict)
    """Program that the settings name for a kind of agent; one called `claude-code` knows the seeds' flags."""
    default_layout: str | None = None
    """Named layout of a template that draws none, if it has room for exactly its panes."""
    process_templates: Mapping[str, tuple[Scalar, Node]] = field(default_factory=dict)
    """The configuration's, by name; a template's own of the same name goes before."""
    process_file: Callable[[str], ProcessFile | None] = lambda _: None
    """Finds a template of one process that is in a file of its own; what is defined by name goes before."""


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
    tabs: tuple[CompiledTab, ...]
    """None at all if nothing has a pane."""
    focus: str | None
    """Name of the pane that gets the focus."""
    notes: list[str] = field(default_factory=list)
    """What it says that has no meaning here."""
    files: dict[str, str] = field(default_factory=dict, repr=False)
    """Path to text of the template and of all that it extends."""
    digest: str = ""
    """Hash of all that could change what is run: of the text as it was written, and of what its files of variables
    put into it; not of the caller's variables and environment, nor of what is only seen."""

    @property
    def layout(self) -> layouts.Layout | None:
        """Return the first tab's layout."""
        return self.tabs[0].layout if self.tabs else None

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
        by_name = {one.name: one for one in self.settings}
        return Plan(tabs=[
            Tab(
                title=tab.title or workspace or self.name, first=tab.layout.first, splits=list(tab.layout.splits),
                focus=self.focus if self.focus in tab.layout.panes else tab.layout.first,
                panes=[
                    PlannedPane(
                        pane=name, process_id=f"{workspace}/{name}" if workspace else name,
                        title=by_name[name].title or name, focus=name == self.focus, direct=by_name[name].direct,
                    )
                    for name in tab.layout.panes
                ],
            )
            for tab in self.tabs
        ])  # fmt: skip

    def draw(self, width: int = 60) -> str:
        """Return the layout in box characters, a picture for each tab; empty if nothing has a pane."""
        labels = {one.name: one.command + ("  (direct)" if one.direct else "") for one in self.settings}
        drawn = [drawing.draw(tab.layout, labels, width) for tab in self.tabs]
        if len(self.tabs) < 2:
            return "".join(drawn)
        return "\n\n".join(
            f"{printable(tab.title)}\n{picture}" for tab, picture in zip(self.tabs, drawn, strict=True)
        )


def compile_template(
    source: str, path: str, root: str, shell: str, home: str, given: Given | None = None
) -> Compiled:
    """Compile a template.

    Args:
        source: The YAML.
        path: Where it came from; errors name it, below `root` and `home` in its short form.
        root: Absolute project folder; `root:` in the template is relative to it.
        shell: Absolute path of the user's shell.
        home: Absolute home folder, for `~/`.
        given: Variables, the environment, and what reads other files.

    Raises:
        RequestError: `template.syntax`, `template.layout` or `template.variable_unset`; see `Source.error` for its
            data. `template.not_found` for a file that it names.
    """
    text = Source(path, source, shown(path, root, home))
    given = given or Given()
    chain = extends.follow(text, given.reader)
    return _Compiler(text, given, root, shell, home).compile(chain)


def compile_process(
    text: Source, name: str, template: str, around: tuple[str, str, str], given: Given
) -> ProcessSettings:
    """Return one process that begins with a definition of `process_templates`.

    Args:
        text: The template that has the definition.
        name: What the process is called.
        template: Which definition.
        around: Project folder, shell, home folder.
        given: As for a whole template.

    Raises:
        RequestError: `template.*`.
    """
    chain = extends.follow(text, given.reader)
    return _Compiler(text, given, *around).one(chain, name, template)


def shown(path: str, root: str, home: str) -> str:
    """Return a path as a person would write it."""
    if root != "/" and path.startswith(root.rstrip("/") + "/"):
        return path[len(root.rstrip("/")) + 1 :]
    if home != "/" and path.startswith(home.rstrip("/") + "/"):
        return "~" + path[len(home.rstrip("/")) :]
    return path


class _Compiler:
    def __init__(self, source: Source, given: Given, root: str, shell: str, home: str) -> None:
        self._source = source
        self._given = given
        self._base = root
        scope = Scope(source, (Layer(given.variables), Layer(given.environment, is_secret=True)))
        self._around = Surroundings(
            source, scope, root, home, shell, given.programs, process_file=given.process_file, given=given.variables
        )
        self._names: dict[str, Mark] = {}

    def compile(self, chain: extends.Chain) -> Compiled:
        if not isinstance(chain.tree, Map):
            if isinstance(chain.tree, Sequence):
                raise self._source.error(
                    "template.syntax", "a template is a map, not a list", chain.tree.mark, "Write `panes:` before it."
                )
            raise self._source.error("template.syntax", "a template has to be a map of `key: value`", chain.tree.mark)
        told = older.translate(self._source, chain.tree)
        top = Fields(self._source, told.tree, "a template")
        top.allow(language.names(language.TOP))
        self._check_kind(top)
        own = self._surround(top)
        panes, others = self._processes(top)
        focus = self._focus(panes)
        relations.connect([*panes, *others], self._source)
        drawn = tabs.compile_tabs(top, panes, told.picture, self._given.default_layout)
        if focus is None and drawn:
            focus = drawn[0].layout.first
        by_name = {
            one.settings.name: one.settings.model_copy(update={"focus": one.settings.name == focus})
            for one in (*panes, *others)
        }
        name = top.text("name") or self._file_name()
        if "name" in top:
            processes.check_name(self._source, name, top.key_mark("name"))
        notes = told.notes + unused(self._given.variables, self._around.scope.used, own)
        return Compiled(
            name, top.text("description").strip(), self._around.root, list(by_name.values()), drawn, focus, notes,
            chain.files | {path: one.source.text for path, one in self._around.files.items()},
            _digest(told.tree, self._around.scope.used, [one.digest for one in self._around.files.values()]),
        )  # fmt: skip

    def one(self, chain: extends.Chain, name: str, template: str) -> ProcessSettings:
        """Return a single process that begins with one of the template's definitions."""
        tree = older.translate(self._source, chain.tree).tree if isinstance(chain.tree, Map) else chain.tree
        top = Fields(self._source, tree, "a template")
        top.allow(language.names(language.TOP))
        self._surround(top)
        found = self._around.templates.get(fold(template))
        if found is None:
            names = [key.text for key, _ in self._around.templates.values()]
            raise RequestError(
                "template.not_found",
                f"{self._source.path} has no {quoted(template)} below `process_templates`; {known(names)}",
                known=names,
            )
        mark = found[0].mark
        key = Scalar("template", "template", mark, "", mark.line)
        value = Map(((key, Scalar(template, template, mark, "", mark.line)),), mark)
        return processes.made_of(self._around, name, mark, value, has_pane=False)[0].settings

    @staticmethod
    def _check_kind(top: Fields) -> None:
        if top.choice("kind", ("workspace", "process"), "workspace") == "process":
            raise top.error(
                "this is a template of one process", top.key_mark("kind"),
                "Start it with `wezparallel run --template`, or name it with `template:` in a workspace's.",
            )  # fmt: skip

    def _surround(self, top: Fields) -> set[str]:
        """Understand what holds for all processes; return the names of the template's own variables."""
        around = self._around
        own: dict[str, str | Scalar] = {}
        for key, value in top.children("variables"):
            if not NAME.match(key.text):
                raise top.error(f"{quoted(key.text)} is not the name of a variable", key.mark)
            if not isinstance(value, Scalar):
                raise top.error(
                    f"the variable {quoted(key.text)} has to be one value, not a list or a map", value.mark
                )
            if value.value is not None or value.style:
                own[key.text] = value
        around.scope = top.scope = around.scope.within(Layer(own))
        around.root = processes.folder_of(top, "root", self._base, around.home)
        files: dict[str, str] = {}
        for path, required, mark in processes.env_files_of(top, around.root, around.home):
            files |= self._env_file(path, mark, required=required, so_far=files)
            around.env_files.append(path)
        if files:
            around.scope = top.scope = around.scope.within(Layer(files, is_secret=True, is_file=True), after=2)
        around.env, around.filled = top.env("env")
        around.auto_start = top.flag("auto_start_processes", True)
        around.templates.update({fold(name): pair for name, pair in self._given.process_templates.items()})
        for key, value in top.children("process_templates"):
            around.templates[fold(key.text)] = (key, value)
        return set(own)

    def _env_file(self, path: str, mark: Mark, *, required: bool, so_far: Mapping[str, str]) -> dict[str, str]:
        if self._given.env_file is None:
            return {}
        text = self._given.env_file(path)
        if text is None:
            if not required:
                return {}
            raise self._source.error(
                "template.not_found", f"there is no file {printable(path)}", mark,
                f"Make it, or write {quoted(posixpath.basename(path) + '?')} if it may be missing.", path=path,
            )  # fmt: skip
        name = shown(path, self._base, self._around.home)
        return dotenv.read(Source(path, text, name), {**self._given.environment, **so_far})

    def _processes(self, top: Fields) -> tuple[list[Made], list[Made]]:
        node = top.raw("panes")
        panes: list[Made] = []
        if isinstance(node, Map):
            for key, value in node.entries:
                panes += self._made(key, value, has_pane=True)
        elif isinstance(node, Sequence):
            for item in node.items:
                panes += self._listed(item)
        elif node is not None:
            raise top.error(
                "`panes` has to be a list of commands or a map of names",
                node.mark,
                "For example: panes: [claude, shell]",
            )
        others: list[Made] = []
        for key, value in top.children("processes"):
            others += self._made(key, value, has_pane=False)
        if not panes and not others:
            raise top.error(
                "there is nothing to open", top.key_mark("panes"), "The shortest template is: panes: [shell]"
            )
        return panes, others

    def _listed(self, item: Node) -> list[Made]:
        """Return the pane of one entry of the short form, whose name comes from its command."""
        command = processes.command_of(self._around, item, self._around.scope)
        name = commands.derived_name(command.text, self._names)
        key = Scalar(name, name, item.mark, "", item.mark.line)
        return self._made(key, item, has_pane=True)

    def _made(self, key: Scalar, value: Node, *, has_pane: bool) -> list[Made]:
        name = unicodedata.normalize("NFC", key.text)
        processes.check_name(self._source, name, key.mark)
        self._take(name, key.mark)
        found = processes.made_of(self._around, name, key.mark, value, has_pane=has_pane)
        for one in found:
            if one.settings.name != name:
                self._take(one.settings.name, key.mark)
        return found

    def _take(self, name: str, mark: Mark) -> None:
        first = self._names.get(fold(name))
        if first is not None:
            raise self._source.error(
                "template.syntax", f"{quoted(name)} is the name of another process already", mark,
                f"It stands in line {first.line}; `-` equals `_` in names.",
            )  # fmt: skip
        if len(self._names) >= language.MAX_PROCESSES:
            raise self._source.error(
                "template.syntax", f"a template has at most {language.MAX_PROCESSES} processes", mark
            )
        self._names[fold(name)] = mark

    def _focus(self, panes: list[Made]) -> str | None:
        told = [one for one in panes if one.focus is not None]
        if len(told) > 1:
            marks = [one.focus for one in told if one.focus is not None]
            raise self._source.error("template.syntax", "only one pane can have the focus", marks)
        return told[0].settings.name if told else None

    def _file_name(self) -> str:
        base = posixpath.basename(self._source.path)
        stem, suffix = posixpath.splitext(base)
        if suffix not in {".yaml", ".yml"} and "#" in base:  # of the configuration file, behind its path
            return printable(base.rpartition("#")[2])
        own = stem if suffix in {".yaml", ".yml"} and stem != "wezparallel" else posixpath.basename(self._around.root)
        return printable(own) or "workspace"


_SEEN_ONLY = frozenset({
    "description", "layout", "tabs", "title", "focus", "position", "log", "log_cap", "log_cap_bytes", "restart",
    "backoff", "backoff_s", "give_up", "stop", "tty", "term", "auto_start", "on_close", "depends_on",
})  # fmt: skip


def _digest(tree: Node, used: Mapping[str, str | None], of_files: list[str]) -> str:
    def plain(node: Node, depth: int) -> object:
        if isinstance(node, Scalar):
            return node.text if node.value is not None or node.style else None
        if isinstance(node, Sequence):
            return [plain(item, depth + 1) for item in node.items]
        # At the top, and below a process's name: in deeper maps a variable may be called so.
        return {
            key.text: plain(value, depth + 1)
            for key, value in node.entries
            if depth not in {0, 2} or fold(key.text) not in _SEEN_ONLY
        }

    from_files = {name: value for name, value in used.items() if value is not None}
    text = json.dumps([plain(tree, 0), from_files, *sorted(of_files)], sort_keys=True)
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()
