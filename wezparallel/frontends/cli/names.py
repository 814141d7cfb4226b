"""Which process a person means: `shop/server`, a bare name that only one has, a pid, or a pattern with `*`."""

from __future__ import annotations

import difflib
import fnmatch
import os

from wezparallel.errors import RequestError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from wezparallel.frontends.cli.context import Context
    from wezparallel.types import JsonObject


MAX_NAME = 64


def check_new(name: str | None) -> None:
    """Refuse a name that no workspace or process can have. Raises RequestError `command.bad_value`."""
    if name is None:
        return
    if not 1 <= len(name) <= MAX_NAME or "/" in name or not name.isprintable():
        raise RequestError(
            "command.bad_value", f"a name has 1 to {MAX_NAME} printable characters and no '/'; '{name}' has not"
        )


def processes(context: Context, words: Sequence[str]) -> tuple[list[JsonObject], list[RequestError]]:
    """Return the records that the words name, in their order, each once; and what is wrong with the other words."""
    known = context.processes()
    found: dict[str, JsonObject] = {}
    wrong = []
    for word in words:
        try:
            for record in _match(context, known, word):
                found[record["process_id"]] = record
        except RequestError as error:
            wrong.append(error)
    return list(found.values()), wrong


def process(context: Context, word: str) -> JsonObject:
    """Return the one record that a word names. Raises RequestError `process.not_found`."""
    found = _match(context, context.processes(), word)
    if len(found) > 1:
        raise _ambiguous(word, found)
    return found[0]


def _match(context: Context, known: list[JsonObject], word: str) -> list[JsonObject]:
    if "*" in word:
        pattern = word if "/" in word else "*/" + word
        found = [one for one in known if any(fnmatch.fnmatchcase(name, pattern) for name in _names_of(one))]
        if found:
            return found
        raise RequestError("process.not_found", f"no process matches '{word}'; `wezparallel ps` lists them all")
    if word.endswith("/"):
        workspace(context, word[:-1])
        found = [one for one in known if one["workspace"] == word[:-1]]
        if found:
            return found
        raise RequestError("process.not_found", f"there is no process in {word[:-1]}; `wezparallel up` starts some")
    exact = [one for one in known if one["process_id"] == word]
    # Processes of a renamed workspace keep their ids; the name that is shown means them too.
    exact = exact or [one for one in known if word in _names_of(one)]
    if exact:
        return exact
    named = [one for one in known if one["name"] == word]
    if not named and word.isdigit():
        named = [one for one in known if one["pid"] == int(word)]
    if len(named) > 1:
        here = workspace_of(context, os.getcwd())
        named = [one for one in named if here and one["workspace"] == here["name"]] or named
    if len(named) > 1:
        raise _ambiguous(word, named)
    return named or _nearest(known, word)


def _names_of(process: JsonObject) -> tuple[str, str]:
    return process["process_id"], f"{process['workspace']}/{process['name']}"


def _ambiguous(word: str, found: list[JsonObject]) -> RequestError:
    ids = [one["process_id"] for one in found]
    return RequestError(
        "process.not_found", f"'{word}' means more than one process; say which: {', '.join(ids)}", ids=ids
    )


def _nearest(known: list[JsonObject], word: str) -> list[JsonObject]:
    """Raise with the nearest names: a typo is the usual reason."""
    names = {one["name"]: one["process_id"] for one in known} | {
        one["process_id"]: one["process_id"] for one in known
    }
    near = difflib.get_close_matches(word, names, n=1)
    if near:
        hint = f"did you mean {names[near[0]]}?"
    elif known:
        hint = "`wezparallel ps` lists them all"
    else:
        hint = "nothing runs yet; `wezparallel up` opens a workspace"
    raise RequestError(
        "process.not_found",
        f"there is no process '{word}'; {hint}",
        process=word,
        nearest=names[near[0]] if near else None,
    )


def workspace(context: Context, name: str | None) -> JsonObject:
    """Return the workspace of that name, without a name that of the current folder. Raises `workspace.not_found`."""
    known = context.workspaces()
    if name is None:
        here = workspace_of(context, os.getcwd(), known)
        if here is None:
            names = ", ".join(one["name"] for one in known) or "none yet"
            raise RequestError("workspace.not_found", f"no workspace belongs to this folder; there are: {names}")
        return here
    for one in known:
        if one["name"] == name:
            return one
    near = difflib.get_close_matches(name, [one["name"] for one in known], n=1)
    hint = f"did you mean {near[0]}?" if near else "`wezparallel ls` lists them all"
    raise RequestError(
        "workspace.not_found", f"there is no workspace '{name}'; {hint}", nearest=near[0] if near else None
    )


def workspace_of(context: Context, folder: str, known: list[JsonObject] | None = None) -> JsonObject | None:
    """Return the workspace whose root is the nearest at or above a folder."""
    folder = os.path.realpath(folder)
    best: JsonObject | None = None
    for one in context.workspaces() if known is None else known:
        root = os.path.realpath(one["root"])
        inside = folder == root or folder.startswith(root.rstrip("/") + "/")
        if inside and (best is None or len(root) > len(os.path.realpath(best["root"]))):
            best = one
    return best
