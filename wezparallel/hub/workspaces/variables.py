"""`${NAME}`, `${NAME:-default}` and `$$` in a template's texts. Pure.

A `Scope` is a stack of layers, the nearest first. A value may name others: a name inside it is looked for in nearer
layers too, its own name only in farther ones, so that nothing can go round in a circle for long. Values of the
environment and of env files are never put into `env:`: there the reference stays (`keep`) and is filled in at each
start (`fill`), because what stands in `env:` is stored. Above: everything that reads a template's texts, and the
pool, which fills in. Below: the text and its marks.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, replace

from wezparallel.errors import RequestError
from wezparallel.hub.workspaces import yaml_lines
from wezparallel.hub.workspaces.source import Mark, Source, known, nearest, quoted
from wezparallel.hub.workspaces.yaml_lines import Node, Scalar, Sequence

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
MAX_TEXT = 64 * 1024  # characters of one text, filled in
MAX_DEPTH = 16  # defaults inside defaults, and variables that name variables
MAX_STEPS = 2000  # references followed for one text
_REFERENCE = re.compile(r"\$(?:\$|\{)")
_TO_ESCAPE = re.compile(r"\$(?=[${])")
_INSIDE = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)(:-|\})")


class UnsetError(Exception):
    """A variable has no value. `raw` is the reference as it was written."""

    def __init__(self, name: str, raw: str) -> None:
        super().__init__(name)
        self.name = name
        self.raw = raw


class FormError(Exception):
    """A text that cannot be filled in: what is wrong, and the piece that is."""

    def __init__(self, sentence: str, raw: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.raw = raw


@dataclass(frozen=True, slots=True)
class Reference:
    """`${NAME}` or `${NAME:-default}`."""

    name: str
    default: str | None
    raw: str


@dataclass(frozen=True, slots=True)
class Layer:
    """Some variables from one place."""

    values: Mapping[str, str | Scalar]
    """A scalar may name other variables, a plain text is meant as it is."""
    is_secret: bool = False
    """Of the environment or of a file of variables: not to be written down."""
    is_file: bool = False


def parse(text: str, *, in_shell: bool = False) -> Iterator[str | Reference]:
    """Yield a text's pieces. Raises FormError.

    `in_shell`: other forms of `${…}` stay as they are, for the shell that will see them.
    """
    at = 0
    while (found := _REFERENCE.search(text, at)) is not None:
        if found.start() > at:
            yield text[at : found.start()]
        at = found.end()
        if found.group() == "$$":
            yield "$"
            continue
        inside = _INSIDE.match(text, at)
        if inside is None:
            raw = text[found.start() : text.find("}", at) + 1 or None]
            if not in_shell:
                raise FormError(f"{quoted(raw)} is no variable", raw)
            yield "${"
            continue
        if inside[2] == "}":
            at = inside.end()
            yield Reference(inside[1], None, text[found.start() : at])
            continue
        end = _closing(text, inside.end())
        if end is None:
            raise FormError("this has no `}`", text[found.start() : inside.end()])
        at = end + 1
        yield Reference(inside[1], text[inside.end() : end], text[found.start() : at])
    if at < len(text):
        yield text[at:]


def literal(text: str) -> str:
    """Return a text in which nothing is filled in, as a template has to write it."""
    return _TO_ESCAPE.sub("$$", text)


def fill(text: str, lookup: Callable[[str], str | None]) -> str:
    """Fill in a text that `keep` made. Raises UnsetError for a variable that has no value."""
    return _fill(text, lookup, 0)


def _fill(text: str, lookup: Callable[[str], str | None], depth: int) -> str:
    if depth > MAX_DEPTH:
        raise UnsetError("", text)
    out: list[str] = []
    for piece in parse(text):
        if isinstance(piece, str):
            out.append(piece)
            continue
        value = lookup(piece.name)
        if value is None or (not value and piece.default is not None):
            if piece.default is None:
                raise UnsetError(piece.name, piece.raw)
            value = _fill(piece.default, lookup, depth + 1)
        out.append(value)
    return "".join(out)


class Scope:
    """What each name means at one place of a template."""

    def __init__(self, source: Source, layers: tuple[Layer, ...]) -> None:
        self._source = source
        self._layers = layers
        self._steps = 0
        self.used: dict[str, str | None] = {}
        """Names that were looked for, and what a file of variables had for them; shared with what is made of this."""

    def within(self, *layers: Layer, after: int = 1) -> Scope:
        """Return a scope with further layers behind the first `after` (what the command line gave stays first)."""
        made = Scope(self._source, (*self._layers[:after], *layers, *self._layers[after:]))
        made.used = self.used
        return made

    def value(self, name: str) -> str | None:
        """Return what a name means, filled in. Raises RequestError."""
        self._steps = 0
        try:
            return self._lookup(name, {}, 0, in_env=False)
        except (UnsetError, FormError) as error:
            raise self._source.error("template.syntax", str(error), Mark(1, 1)) from None

    def expand(self, node: Scalar, *, in_shell: bool = False) -> Scalar:
        """Return a scalar filled in; a plain one is understood anew. Raises RequestError."""
        if "$" not in node.text:
            return node
        text = self._told(node, in_env=False, in_shell=in_shell)
        # In a flow map `"${N}"` has to be in quotes, and means the number all the same.
        is_plain = not node.style or (_is_reference(node.text) and node.style in "'\"")
        value = yaml_lines.meaning(text) if is_plain else text
        return replace(node, text=text, value=text if value is None else value)

    def expand_all(self, node: Node) -> Node:
        """Return a tree in which every value is filled in; keys stay."""
        if isinstance(node, Scalar):
            return self.expand(node)
        if isinstance(node, Sequence):
            return replace(node, items=tuple(self.expand_all(item) for item in node.items))
        return replace(node, entries=tuple((key, self.expand_all(value)) for key, value in node.entries))

    def keep(self, node: Scalar) -> tuple[str, bool]:
        """Return a value of `env:`, and whether it still names variables to be filled in at each start."""
        if "$" not in node.text:
            return node.text, False
        text = self._told(node, in_env=True, in_shell=False)
        try:
            pieces = list(parse(text))
        except FormError as error:
            raise self._wrong(node, error) from None
        if any(isinstance(piece, Reference) for piece in pieces):
            return text, True
        return "".join(str(piece) for piece in pieces), False

    def _told(self, node: Scalar, *, in_env: bool, in_shell: bool) -> str:
        self._steps = 0
        try:
            return self._text(node.text, {}, 0, in_env=in_env, in_shell=in_shell)
        except UnsetError as error:
            raise self._unset(node, error, in_shell) from None
        except FormError as error:
            raise self._wrong(node, error) from None

    def _text(self, text: str, above: dict[str, int], depth: int, *, in_env: bool, in_shell: bool = False) -> str:
        """Fill in a text. `above` says from which layer on a name is looked for that is being filled in already."""
        out: list[str] = []
        size = 0
        for piece in parse(text, in_shell=in_shell):
            if isinstance(piece, str):
                told = literal_sign(piece) if in_env else piece
            else:
                told = self._piece(piece, above, depth, in_env=in_env)
            size += len(told)
            if size > MAX_TEXT:
                raise FormError(f"with its variables this is longer than {MAX_TEXT // 1024} KiB", "$")
            out.append(told)
        return "".join(out)

    def _piece(self, piece: Reference, above: dict[str, int], depth: int, *, in_env: bool) -> str:
        self._steps += 1
        if depth > MAX_DEPTH or self._steps > MAX_STEPS:
            raise FormError("these variables name each other too often", piece.raw)
        value = self._lookup(piece.name, above, depth, in_env=in_env)
        if value is None and in_env:
            default = piece.default
            if default is None:
                return piece.raw
            return f"${{{piece.name}:-{self._text(default, above, depth + 1, in_env=True)}}}"
        if value is None or (not value and piece.default is not None):
            if piece.default is None:
                raise UnsetError(piece.name, piece.raw)
            return self._text(piece.default, above, depth + 1, in_env=in_env)
        if in_env and piece.default is not None and _is_reference(value):
            return f"{value[:-1]}:-{self._text(piece.default, above, depth + 1, in_env=True)}}}"
        return value

    def _lookup(self, name: str, above: dict[str, int], depth: int, *, in_env: bool) -> str | None:
        self.used.setdefault(name, None)
        for index in range(above.get(name, 0), len(self._layers)):
            layer = self._layers[index]
            if name not in layer.values or (in_env and layer.is_secret):
                continue
            value = layer.values[name]
            if isinstance(value, str):
                if layer.is_file:
                    self.used[name] = value
                return literal_sign(value) if in_env else value
            try:
                return self._text(value.text, {**above, name: index + 1}, depth + 1, in_env=in_env)
            except UnsetError as error:
                raise self._unset(value, error, in_shell=False) from None
            except FormError as error:
                raise self._wrong(value, error) from None
        return None

    def _unset(self, node: Scalar, error: UnsetError, in_shell: bool) -> RequestError:
        names = {name for layer in self._layers if not layer.is_secret for name in layer.values}
        near = nearest(error.name, names - {error.name})
        hint = f"Did you mean {quoted(near)}? " if near else ""
        if error.name in names:  # it is being filled in already, and no place further out has it
            near, hint = None, "What it is here is made of itself. "
        hint += (
            f"Give it a value with `--var {error.name}=…`, under `variables:`, in a file of `env_file:` or in your "
            f"environment, or write `${{{error.name}:-…}}` with a value for when there is none"
        )
        hint += f"; `$${{{error.name}}}` leaves it to the shell." if in_shell else "."
        return self._source.error(
            "template.variable_unset", f"the variable {quoted(error.name)} has no value", place(node, error.raw),
            hint, name=error.name, nearest=near, known=sorted(names),
        )  # fmt: skip

    def _wrong(self, node: Scalar, error: FormError) -> RequestError:
        hint = "Write `${NAME}` or `${NAME:-default}`; `$$` is a `$`."
        return self._source.error("template.syntax", error.sentence, place(node, error.raw), hint)


def place(node: Scalar, raw: str) -> Mark:
    """Return where a piece of a scalar stands in its file; where the file spells it differently, the whole scalar."""
    source = node.mark.source
    if source is None:
        return node.mark
    for number in range(node.mark.line, node.last_line + 1):
        start = node.mark.column - 1 if number == node.mark.line else 0
        at = source.line(number).find(raw, start)
        if at >= 0:
            return Mark(number, at + 1, len(raw), source)
    return node.mark


def unused(given: Mapping[str, str], used: Collection[str], names: set[str]) -> list[str]:
    """Return a sentence for each value from the command line that nothing asked for."""
    found = []
    every = names.union(used)
    for name in given:
        if name not in used:
            near = nearest(name, every)
            hint = f"did you mean {near}?" if near else known(every)
            found.append(f"nothing uses the variable {name}; {hint}")
    return found


def literal_sign(text: str) -> str:
    """Return a text that `fill` returns unchanged."""
    return text.replace("$", "$$") if "$" in text else text


def _is_reference(text: str) -> bool:
    return text.startswith("${") and _INSIDE.fullmatch(text, 2) is not None and text.endswith("}")


def _closing(text: str, at: int) -> int | None:
    """Return where the `}` of a default stands; references inside it are skipped."""
    open_ = 1
    while at < len(text):
        if text.startswith("$$", at):
            at += 2
            continue
        if text.startswith("${", at):
            open_ += 1
            at += 2
            continue
        if text[at] == "}":
            open_ -= 1
            if open_ == 0:
                return at
        at += 1
    return None
