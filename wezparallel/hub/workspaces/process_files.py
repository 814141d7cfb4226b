"""A template of one process, in a file of its own (`kind: process`): its variables, and the definition of it. Pure.

Above: the handlers and `processes`, for which a filled-in file is one more definition of `process_templates`. Below:
`placeholders`, which fills in; `language`, which says what keys there are.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Mapping as Values
from dataclasses import dataclass, field

from wezparallel.errors import RequestError
from wezparallel.hub.workspaces import language
from wezparallel.hub.workspaces.fields import Fields, text_of
from wezparallel.hub.workspaces.placeholders import Filling, names_in
from wezparallel.hub.workspaces.source import Mark, Source, fold, known, nearest, printable, quoted
from wezparallel.hub.workspaces.variables import NAME, literal_sign, place
from wezparallel.hub.workspaces.yaml_lines import Mapping, Node, Scalar, Sequence, load

TYPES = ("string", "number", "boolean", "path")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*\Z")
_KIND = re.compile(r"""^["']?kind["']?[ \t]*:[ \t]*["']?process["']?[ \t]*(?:#.*)?$""", re.MULTILINE)
_MAYBE = re.compile(r"""\bkind["']?\s*:\s*["']?process\b""")
_SEEN_ONLY = frozenset({"name", "description", "category", "tags"})


@dataclass(frozen=True, slots=True)
class Variable:
    """What a process template says of one of its variables."""

    name: str
    mark: Mark
    description: str = ""
    default: str | None = None
    required: bool = True
    """Then it needs a value, if it has no default."""
    type: str = "string"
    example: str = ""
    least: float = -math.inf
    most: float = math.inf


@dataclass(slots=True)
class ProcessFile:
    """A process template as it was read; no value is in it yet."""

    source: Source
    name: str
    description: str
    category: str
    tags: list[str]
    variables: dict[str, Variable]
    """By folded name: those that are declared, then those that only stand in a text."""
    on_restore: bool
    """Whether what is made of it comes back after a reboot."""
    body: Mapping
    """The keys of a process."""
    key: Scalar
    _tree: Mapping = field(repr=False)

    @property
    def digest(self) -> str:
        """Return a hash of all that could change what is run."""
        runs = {key.text: _plain(value) for key, value in self._tree.entries if fold(key.text) not in _SEEN_ONLY}
        text = json.dumps(runs, sort_keys=True)
        return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()

    def missing(self, given: Values[str, str]) -> list[str]:
        """Return the names of the variables that still need a value."""
        told = {fold(name) for name in given}
        return [
            one.name
            for name, one in self.variables.items()
            if one.required and one.default is None and name not in told
        ]

    def check_given(self, given: Values[str, str]) -> None:
        """Refuse values that nothing asks for. Raises RequestError `command.bad_value`."""
        asked = self.variables.keys() | {fold(name) for name in _references(self.body)}
        for name in given:
            if fold(name) not in asked:
                names = [one.name for one in self.variables.values()]
                near = nearest(name, names)
                hint = f"did you mean {quoted(near)}? " if near else ""
                raise RequestError(
                    "command.bad_value",
                    f"the template {quoted(self.name)} has no variable {quoted(name)}; {hint}{known(names)}",
                    field="variables", nearest=near, known=names,
                )  # fmt: skip

    def definition(self, given: Values[str, str]) -> Mapping:
        """Return the process with its values. Raises RequestError `template.*`, `process.bad_*`."""
        told = {fold(name): value for name, value in given.items()}
        values: dict[str, str | None] = {}
        for name, variable in self.variables.items():
            value = told.get(name, variable.default)
            if value is None and variable.required:
                raise self._missing(variable)
            if value is not None:
                self._check(variable, value)
            values[name] = value
        filled = Filling(self.source, lambda name, _node, _raw: values[fold(name)]).process(self.body)
        return Mapping((*filled.entries, *self._for_references(values)), filled.mark)

    def _for_references(self, values: Values[str, str | None]) -> list[tuple[Scalar, Node]]:
        """Return `variables:`, so that `${NAME}` means the same values."""
        entries = [
            (_scalar(one.name, one.mark), _scalar(literal_sign(value), one.mark))
            for name, one in self.variables.items()
            if (value := values[name]) is not None and NAME.match(one.name)
        ]
        mark = self.body.mark
        return [(_scalar("variables", mark), Mapping(tuple(entries), mark))] if entries else []

    def _missing(self, variable: Variable) -> RequestError:
        says = f"{variable.description.rstrip('.')}. " if variable.description else ""
        example = variable.example or "…"
        names = [one.name for one in self.variables.values()]
        return self.source.error(
            "template.variable_unset", f"Required variable '{printable(variable.name)}' is missing", variable.mark,
            f"{says}Give it with `--var {fold(variable.name)}={example}`, or in `variables`.",
            name=variable.name, known=names,
        )  # fmt: skip

    def _check(self, variable: Variable, value: str) -> None:
        wrong = _wrong(variable, value)
        if wrong:
            raise self.source.error(
                "template.syntax", f"the value {quoted(value)} of {quoted(variable.name)} is not {wrong}",
                variable.mark, name=variable.name,
            )  # fmt: skip


def is_process(text: str) -> bool:
    """Tell whether a template's text is that of a process."""
    if _KIND.search(text):
        return True  # also of a text that is no YAML yet
    if not _MAYBE.search(text):
        return False
    try:
        tree = load(Source("template", text))
    except RequestError:
        return False
    kind = {key.text: value for key, value in tree.entries}.get("kind") if isinstance(tree, Mapping) else None
    return isinstance(kind, Scalar) and kind.text == "process"


def with_kind(text: str) -> str:
    """Return a text that says what it is. Raises RequestError `template.syntax`."""
    if is_process(text):
        return text
    tree = load(Source("template", text))
    if not isinstance(tree, Mapping) or any(key.text == "kind" for key, _ in tree.entries):
        return text  # reading it says what is wrong
    lines = text.splitlines(keepends=True)
    at, column = tree.mark.line - 1, tree.mark.column - 1
    if lines[at][column : column + 1] == "{":
        lines[at] = f'{lines[at][:column]}{{"kind": "process", {lines[at][column + 1 :]}'
    else:
        lines.insert(at, " " * column + "kind: process\n")
    return "".join(lines)


def parse(source: Source, name: str) -> ProcessFile:
    """Read a process template; `name` is its file's. Raises RequestError `template.syntax`."""
    tree = load(source)
    top = Fields(source, tree, "a process template")
    assert isinstance(tree, Mapping)
    own = language.names(language.PROCESS_FILE)
    top.allow((*own, *(one for one in language.names(language.PROCESS) if one not in language.NOT_ALONE)))
    if top.text("kind") != "process":
        raise source.error("template.syntax", "this is no process template", top.key_mark("kind"),
                           "Write `kind: process` at its top.")  # fmt: skip
    if "command" not in top and "agent" not in top and "template" not in top:
        raise source.error("template.syntax", "a process template needs `command`", tree.mark)
    body = Mapping(tuple((key, value) for key, value in tree.entries if _folded(key) not in own), tree.mark)
    body = Mapping((*body.entries, *_folder_of(top)), tree.mark)
    told = top.text("name") or name
    Filling(source, lambda _name, _node, _raw: "x").process(body)  # says where no value can stand
    return ProcessFile(
        source, told, top.text("description").strip(), top.text("category"), top.words("tags"),
        _variables(source, top, body), top.flag("default_auto_start", top.flag("auto_start_on_restore")), body,
        _scalar(told, top.key_mark("name")), tree,
    )  # fmt: skip


def _folder_of(top: Fields) -> list[tuple[Scalar, Node]]:
    folder = top.raw("default_cwd")
    if folder is None:
        return []
    if "cwd" in top:
        raise top.error("`default_cwd` means the same as `cwd`", [top.key_mark("cwd"), top.key_mark("default_cwd")])
    return [(_scalar("cwd", top.key_mark("default_cwd")), folder)]


def _variables(source: Source, top: Fields, body: Mapping) -> dict[str, Variable]:
    found: dict[str, Variable] = {}
    for name, mark, node in _declared(source, top.raw("variables")):
        if not _VARIABLE.match(name):
            raise source.error("template.syntax", f"{quoted(name)} is not the name of a variable", mark)
        if fold(name) in found:
            raise source.error(
                "template.syntax", f"the variable {quoted(name)} is declared twice", [found[fold(name)].mark, mark]
            )
        found[fold(name)] = _variable(source, name, mark, node)
    for name, node, raw in names_in(body):
        found.setdefault(fold(name), Variable(name, place(node, raw)))
    return found


def _declared(source: Source, node: Node | None) -> list[tuple[str, Mark, Node]]:
    """Return name, place and declaration of each variable, from a list or a map of them."""
    if node is None:
        return []
    if isinstance(node, Mapping):
        return [(key.text, key.mark, value) for key, value in node.entries]
    if not isinstance(node, Sequence):
        raise source.error("template.syntax", "`variables` has to be a list, or a map of names", node.mark)
    found: list[tuple[str, Mark, Node]] = []
    for item in node.items:
        if isinstance(item, Scalar):
            found.append((item.text, item.mark, _NOTHING))
            continue
        told = Fields(source, item, "a variable")
        name = told.raw("name")
        if not isinstance(name, Scalar):
            raise source.error("template.syntax", "a variable needs its `name`", item.mark)
        found.append((name.text, name.mark, item))
    return found


def _variable(source: Source, name: str, mark: Mark, node: Node) -> Variable:
    if isinstance(node, Scalar):
        return Variable(name, mark, default=None if node.value is None and not node.style else node.text)
    told = Fields(source, node, f"the variable {quoted(name)}")
    told.allow(language.names(language.VARIABLE))
    for one, other in (("default", "default_value"), ("type", "var_type")):
        if one in told and other in told:
            raise told.error(f"{quoted(other)} means the same as {quoted(one)}", told.key_mark(other))
    default = told.raw("default") or told.raw("default_value")
    bounds = told.below("validation", language.names(language.BOUNDS))
    made = Variable(
        name, mark, told.text("description").strip(),
        None if default is None else text_of(source, default, "`default`"), told.flag("required", True),
        told.choice("var_type" if "var_type" in told else "type", TYPES, "string"), told.text("example"),
        _bound(bounds, "min", -math.inf), _bound(bounds, "max", math.inf),
    )  # fmt: skip
    for what, value, key in (
        ("default", made.default, "default" if "default" in told else "default_value"),
        ("example", made.example or None, "example"),
    ):
        wrong = _wrong(made, value) if value is not None else ""
        if wrong:
            raise told.error(f"the {what} of {quoted(name)} is not {wrong}", told.key_mark(key))
    return made


def _bound(bounds: Fields | None, name: str, default: float) -> float:
    node = bounds.raw(name) if bounds is not None else None
    if node is None or bounds is None:
        return default
    if not isinstance(node, Scalar) or isinstance(node.value, bool) or not isinstance(node.value, int | float):
        raise bounds.error(f"`{name}` has to be a number", node.mark)
    return float(node.value)


def _wrong(variable: Variable, value: str) -> str:
    """Return what a value had to be, or nothing if it is."""
    if "\0" in value:
        return "a text"
    if variable.type == "boolean" and value not in ("true", "false"):
        return "true or false"
    if variable.type != "number":
        return ""
    try:
        number = float(value)
    except ValueError:
        return "a number"
    if not math.isfinite(number):
        return "a number"
    if not variable.least <= number <= variable.most:
        low = "" if variable.least == -math.inf else f" from {variable.least:g}"
        return f"a number{low}" + ("" if variable.most == math.inf else f" up to {variable.most:g}")
    return ""


def _references(node: Node) -> set[str]:
    if isinstance(node, Scalar):
        return set(re.findall(r"\$\{([A-Za-z_][A-Za-z0-9_]*)", node.text))
    inside = node.items if isinstance(node, Sequence) else [value for _, value in node.entries]
    return set().union(*map(_references, inside))


def _plain(node: Node) -> object:
    if isinstance(node, Scalar):
        return node.text if node.value is not None or node.style else None
    if isinstance(node, Sequence):
        return [_plain(item) for item in node.items]
    return {key.text: _plain(value) for key, value in node.entries}


def _scalar(text: str, mark: Mark) -> Scalar:
    return Scalar(text, text, mark, '"', mark.line)


def _folded(key: Scalar) -> str:
    return fold(key.text)


_NOTHING = Scalar(None, "", Mark(1, 1), "", 1)
