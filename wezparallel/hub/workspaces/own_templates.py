"""Writes the user's own templates: one file each, whole or not at all, and only in their folder.

Above: the handlers, which compile what is written first. Below: the file system.
"""

from __future__ import annotations

import contextlib
import os
import secrets

from wezparallel import paths
from wezparallel.errors import RequestError
from wezparallel.hub.workspaces import discovery
from wezparallel.hub.workspaces.source import fold, known, nearest, quoted

MAX_BYTES = 200  # of a name; a file's may have 255


def folder() -> str:
    """Return where the user's templates lie."""
    return os.path.join(paths.config_dir(), "templates")


def path_of(name: str) -> str:
    """Return the file of a name. Raises RequestError `command.bad_value` for what cannot be one."""
    wrong = (
        not name.isprintable() or name != name.strip() or name.startswith((".", "-")) or "/" in name
        or name.endswith((".yaml", ".yml")) or name in discovery.NO_TEMPLATES
    )  # fmt: skip
    if wrong or not 0 < len(name.encode(errors="replace")) <= MAX_BYTES:
        raise RequestError(
            "command.bad_value",
            f"{quoted(name)} cannot be the name of a template; give a word without `/`, a leading dot or `.yaml`",
            field="name",
        )
    return os.path.join(folder(), f"{name}.yaml")


def existing(name: str, kind: str | None = None) -> str:
    """Return the file of one of the user's templates. Raises RequestError `template.not_found`."""
    path_of(name)
    own = [one for one in discovery.user_templates() if kind in (None, one.kind)]
    for one in own:
        if fold(one.name) == fold(name):
            if os.path.realpath(one.path) != os.path.join(os.path.realpath(folder()), os.path.basename(one.path)):
                raise RequestError(
                    "command.bad_value", f"{one.path} is a link to another place; change what it leads to yourself",
                    field="name", path=one.path,
                )  # fmt: skip
            return one.path
    names = [one.name for one in own]
    near = nearest(name, names)
    hint = f"did you mean {quoted(near)}? " if near else ""
    raise RequestError(
        "template.not_found", f"you have no template {quoted(name)} in {folder()}; {hint}{known(names)}", known=names
    )


def create(name: str, source: str) -> bool:
    """Write a new file; tell whether it was written. The same text again is no error, and writes nothing.

    Raises RequestError `command.bad_value` when there is another one of that name.
    """
    path = path_of(name)
    for one in discovery.user_templates():
        if fold(one.name) == fold(name):
            path = one.path
    temporary = _write(folder(), source)
    try:
        os.link(temporary, path)  # fails where there is one, whoever was quicker
    except FileExistsError:
        if _is_same(path, source):
            return False
        raise RequestError(
            "command.bad_value",
            f"you have a template {quoted(name)} already, in {path}; replace it with TemplateUpdate, or choose "
            "another name",
            field="name", path=path,
        ) from None  # fmt: skip
    finally:
        os.unlink(temporary)
    return True


def replace(path: str, source: str, was: str | None) -> None:
    """Replace a file. Raises RequestError `command.bad_value` when it is not what it was."""
    if was is not None and not _is_same(path, was) and not _is_same(path, source):
        raise RequestError(
            "command.bad_value", f"{path} was changed meanwhile; read it again before you replace it", field="was"
        )
    temporary = _write(os.path.dirname(path), source)
    try:
        os.replace(temporary, path)
    except OSError:
        os.unlink(temporary)
        raise


def delete(path: str) -> None:
    """Delete a file; one that is gone already is gone."""
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)


def _write(place: str, source: str) -> str:
    temporary = os.path.join(place, f".{secrets.token_hex(8)}.tmp")
    try:
        os.makedirs(place, mode=0o700, exist_ok=True)
        with open(temporary, "x", encoding="utf-8") as file:
            file.write(source)
            file.flush()
            os.fsync(file.fileno())
    except (OSError, UnicodeEncodeError) as error:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        why = error.strerror if isinstance(error, OSError) else "its text is no UTF-8"
        code = "disk.full" if isinstance(error, OSError) and error.errno in (28, 122) else "command.bad_value"
        raise RequestError(code, f"the template cannot be written into {place}: {why}", path=place) from None
    return temporary


def _is_same(path: str, source: str) -> bool:
    try:
        return discovery.read(path) == source
    except RequestError:
        return False
