"""`extends:`: a template that begins with another one. Pure; files come through a reader that is handed in.

Maps merge deeply, lists and single values replace, null removes. Every node keeps the file that it came from, so that
an error points there. Above: templates. Below: the YAML with its marks.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from wezparallel.errors import RequestError
from wezparallel.hub.workspaces.fields import ALIASES, text_of
from wezparallel.hub.workspaces.source import Mark, Source, fold, quoted
from wezparallel.hub.workspaces.yaml_lines import MAX_NODES, Mapping, Node, Scalar, load

MAX_FILES = 10  # of one chain

Reader = Callable[[str, str, frozenset[str]], Source]
"""(name or path, path of the file that says so, paths that are open already) -> the file. Raises RequestError."""

_NOT_INHERITED = ("extends", "name", "kind")  # what a file says about itself
_LAYOUTS = ("layout", "tabs")  # one takes the place of the other
_NULL_MEANS = ("env",)  # here null takes a variable away, at every start
_FREE = ("env", "variables", "ulimits")  # below these the keys are names of variables
_SHORT = ("panes", "processes", "process_templates")  # `server: npm run dev` is `server: {command: npm run dev}`


@dataclass(slots=True)
class Chain:
    """A template with all that it extends."""

    tree: Node
    files: dict[str, str] = field(default_factory=dict)
    """Path to text of every file that was read, the template itself first."""


def follow(source: Source, reader: Reader | None) -> Chain:
    """Read a template and what it extends, merged. Raises RequestError `template.*`."""
    trees: list[Node] = []
    files: dict[str, str] = {}
    current: Source | None = source
    while current is not None:
        tree = load(current)
        files[current.path] = current.text
        trees.append(tree)
        current = _next(current, tree, reader, files)
    merged = trees.pop()
    while trees:
        over = trees.pop()
        if not isinstance(merged, Mapping):
            raise source.error("template.syntax", "only a map can be extended", merged.mark)
        assert isinstance(over, Mapping)  # else it could not have said `extends`
        base = replace(merged, entries=tuple(e for e in merged.entries if _canonical(e[0]) not in _NOT_INHERITED))
        merged = merge(base, over)
    _check_size(source, merged)
    return Chain(merged, files)


def merge(base: Mapping, over: Mapping, path: tuple[str, ...] = ()) -> Mapping:
    """Return `base` changed by `over`."""
    named = _spelled if path and path[-1] in _FREE else _canonical
    entries = {named(key): (key, value) for key, value in base.entries}
    names = {named(key) for key, _ in over.entries}
    if not path and names & set(_LAYOUTS):
        for other in set(_LAYOUTS) - names:
            entries.pop(other, None)
    for key, value in over.entries:
        name = named(key)
        known = entries.get(name)
        if known is None:
            entries[name] = (key, value)
        elif _is_null(value) and not (path and path[-1] in _NULL_MEANS):
            del entries[name]
        else:
            entries[name] = (key, _merged(known[1], value, (*path, name)))
    return replace(over, entries=tuple(entries.values()))


def _merged(base: Node, over: Node, path: tuple[str, ...]) -> Node:
    if len(path) == 2 and path[0] in _SHORT and isinstance(over, Mapping) and not isinstance(base, Mapping):
        if _is_null(base):
            return over
        base = Mapping(((Scalar("command", "command", base.mark, "", base.mark.line), base),), base.mark)
    if not isinstance(base, Mapping) or not isinstance(over, Mapping):
        return over
    if path[-1] == "layout" and any(_canonical(key) in ("areas", "panes") for key, _ in over.entries):
        return over  # weights belong to their picture
    return merge(base, over, path)


def _next(source: Source, tree: Node, reader: Reader | None, files: dict[str, str]) -> Source | None:
    if not isinstance(tree, Mapping):
        return None
    value = next((value for key, value in tree.entries if fold(key.text) == "extends"), None)
    if value is None or _is_null(value):
        return None
    name = text_of(source, value, "`extends`")
    if reader is None:
        raise source.error("template.syntax", "a template without a file of its own extends none", value.mark)
    if len(files) >= MAX_FILES:
        raise source.error("template.syntax", f"more than {MAX_FILES} templates extend each other", value.mark)
    try:
        found = reader(name, source.path, frozenset(files))
    except RequestError as error:
        raise _pointing(source, value.mark, error) from None
    if found.path in files:
        chain = " extends ".join(quoted(path.rsplit("/", 1)[-1]) for path in (*files, found.path))
        raise source.error("template.syntax", f"{quoted(name)} extends itself", value.mark, f"{chain}.")
    return found


def _pointing(source: Source, mark: Mark, error: RequestError) -> RequestError:
    sentence, _, rest = error.message.partition("; ")
    return source.error(error.code, sentence, mark, f"{rest[:1].upper()}{rest[1:]}." if rest else "")


def _check_size(source: Source, tree: Node) -> None:
    """Files that are small each may be large together."""
    left = [tree]
    count = 0
    while left:
        node = left.pop()
        count += 1
        if count > MAX_NODES:
            raise source.error("template.syntax", f"with all that it extends this has more than {MAX_NODES} values",
                               Mark(1, 1))  # fmt: skip
        if isinstance(node, Mapping):
            left += [value for _, value in node.entries]
            count += len(node.entries)
        elif not isinstance(node, Scalar):
            left += node.items


def _canonical(key: Scalar) -> str:
    name = fold(key.text)
    return ALIASES.get(name, name)


def _spelled(key: Scalar) -> str:
    return key.text


def _is_null(node: Node) -> bool:
    return isinstance(node, Scalar) and node.value is None and not node.style
