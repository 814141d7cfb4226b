"""Finds templates: in the folder, among the user's own, among ours. Reads files, and only regular ones.

The nearest wins: `wezparallel.yaml` and `.wezparallel/` of the folder, then the user's configuration, then the
built-ins. In names `-` equals `_`. Above: the handlers. Below: `templates`, which compiles what is found here.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass

from wezparallel import paths
from wezparallel.errors import RequestError
from wezparallel.hub import config_templates
from wezparallel.hub.workspaces import process_files
from wezparallel.hub.workspaces.source import fold, known, nearest, printable, quoted
from wezparallel.hub.workspaces.yaml_lines import MAX_BYTES

OWN_NAMES = ("wezparallel.yaml", "wezparallel.yml")
FOLDER = ".wezparallel"
_SUFFIXES = (".yaml", ".yml")
NO_TEMPLATES = frozenset({"framework"})  # the example of the configuration file stands beside the built-ins


@dataclass(frozen=True, slots=True)
class Candidate:
    """A file that may be a template."""

    name: str
    path: str
    origin: str
    """`folder`, `user`, `config` or `built-in`."""

    @property
    def kind(self) -> str:
        """Return `process` if its text says so, else `workspace`. Reads the file."""
        return "workspace" if self.origin == "config" else kind_of(self.path)


def own_template(root: str) -> str | None:
    """Return the path of the template that belongs to a folder, or None.

    That is `wezparallel.yaml`, else `.wezparallel/default.yaml`, else the only one in `.wezparallel/`.
    """
    for name in OWN_NAMES:
        path = os.path.join(root, name)
        if os.path.isfile(path):
            return path
    inside = [one for one in _in_folder(os.path.join(root, FOLDER), "folder") if one.kind == "workspace"]
    default = [one.path for one in inside if fold(one.name) == "default"]
    return default[0] if default else (inside[0].path if len(inside) == 1 else None)


def candidates(root: str, kind: str = "workspace") -> list[Candidate]:
    """Return all templates of a kind that can be used in a folder, nearest first, each name once."""
    found: dict[str, Candidate] = {}
    for one in _all(root):
        if fold(one.name) not in found and one.kind == kind:
            found[fold(one.name)] = one
    return list(found.values())


def kind_of(path: str) -> str:
    """Return what a file is a template of: `process` if it says so, else `workspace`."""
    try:
        return "process" if process_files.is_process(read(path)) else "workspace"
    except RequestError:
        return "workspace"


def every(root: str) -> list[Candidate]:
    """Return all templates, nearest first, those too that a nearer one of the same name hides."""
    return list(_all(root))


def find(name: str, root: str, kind: str = "workspace") -> str:
    """Return the path of the template of that name and kind, or of that file.

    Raises `template.not_found` with the nearest name and the list of what there is.
    """
    if "/" in name or name.endswith(_SUFFIXES):
        path = os.path.join(root, name)
        if os.path.isfile(path) or config_templates.read(path) is not None:
            return path
        raise RequestError("template.not_found", f"there is no file {quoted(path)}; check the path", path=path)
    found = candidates(root, kind)
    for one in found:
        if fold(one.name) == fold(name):
            return one.path
    what = "template of one process" if kind == "process" else "template"
    if kind == "workspace" and any(fold(one.name) == fold(name) for one in candidates(root, "process")):
        raise RequestError(
            "template.not_found",
            f"{quoted(name)} is a template of one process; start it with `wezparallel run --template`, or name it "
            "with `template:` in a workspace's",
            nearest=None, known=[one.name for one in found],
        )  # fmt: skip
    names = [one.name for one in found]
    near = nearest(fold(name), [fold(one) for one in names])
    meant = next((one for one in names if fold(one) == near), None)
    hint = f"did you mean {quoted(meant)}? " if meant else ""
    raise RequestError(
        "template.not_found",
        f"there is no {what} {quoted(name)}; {hint}{known(names)}. A file can be given by its path",
        nearest=meant, known=names,
    )  # fmt: skip


def origin(path: str, root: str) -> str:
    """Return where a template comes from: `folder`, `user` or `built-in`."""
    for one in _all(root):
        if one.path == path:
            return one.origin
    return "folder"


def read(path: str) -> str:
    """Return a template's text, at most 512 KiB.

    Raises `template.not_found` if it cannot be read, `template.syntax` if it is too large or not UTF-8.
    """
    configured = config_templates.read(path)
    if configured is not None:
        return configured
    try:
        with open(_open_regular(path), "rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise RequestError(
            "template.not_found", f"the template {quoted(path)} cannot be read: {error.strerror}", path=path
        ) from None
    if len(data) > MAX_BYTES:
        raise RequestError(
            "template.syntax", f"{printable(path)} is larger than {MAX_BYTES // 1024} KiB; cut it down", file=path
        )
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise RequestError(
            "template.syntax", f"{printable(path)}:{line}: this is not UTF-8; save the file as UTF-8",
            file=path, line=line,
        ) from None  # fmt: skip


def user_templates() -> list[Candidate]:
    """Return the user's own."""
    return list(_in_folder(os.path.join(paths.config_dir(), "templates"), "user"))


def _open_regular(path: str) -> int:
    # Non-blocking, so that a named pipe of that name cannot hold the hub.
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "it is not a regular file")
    return descriptor


def _all(root: str) -> Iterator[Candidate]:
    for name in OWN_NAMES:
        path = os.path.join(root, name)
        if os.path.isfile(path):
            yield Candidate("wezparallel", path, "folder")
            break
    yield from _in_folder(os.path.join(root, FOLDER), "folder")
    yield from user_templates()
    for name, path in config_templates.found().items():
        yield Candidate(name, path, "config")
    yield from _in_folder(paths.share_dir("config/templates"), "built-in")


def _in_folder(folder: str, of: str) -> Iterator[Candidate]:
    try:
        names = sorted(os.listdir(folder))
    except (OSError, ValueError):  # ValueError: a NUL in the name
        return
    for name in names:
        stem, suffix = os.path.splitext(name)
        if suffix not in _SUFFIXES or not stem or stem.startswith(".") or stem in NO_TEMPLATES:
            continue
        if any("\ud800" <= char <= "\udfff" for char in stem):
            continue  # no UTF-8: no reply could carry it
        path = os.path.join(folder, name)
        if os.path.isfile(path):
            yield Candidate(stem, path, of)
