"""Template files that the command line reads and writes: whole or not at all, and never over another one unasked."""

from __future__ import annotations

import contextlib
import os
import secrets

from wezparallel.errors import RequestError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wezparallel.frontends.cli.context import Context

FILE = "wezparallel.yaml"


def read(path: str) -> str:
    """Return a file's text. Raises RequestError `template.not_found`, `template.syntax`."""
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except OSError as error:
        raise RequestError("template.not_found", f"{path} cannot be read: {error.strerror}", path=path) from None
    except UnicodeDecodeError:
        raise RequestError("template.syntax", f"{path} is not UTF-8; save the file as UTF-8", path=path) from None


def write(context: Context, path: str, source: str) -> None:
    """Write a file; one that is there is replaced only after a question, or with `--force`. Raises RequestError."""
    if os.path.exists(path) and not context.args.force:
        allow(context, path)
    put(path, source)


def allow(context: Context, path: str) -> None:
    """Ask whether a file may be replaced. Raises RequestError where it may not."""
    if not context.interactive:
        raise RequestError("process.bad_state", f"{shown(path)} is there already; --force replaces it", path=path)
    if context.ask(f"Replace {shown(path)}? [y/N]", "n") != "y":
        raise RequestError("process.bad_state", f"{shown(path)} stays as it is", path=path)


def put(path: str, source: str, mode: int = 0o666) -> None:
    """Write a file, whatever is there. Raises RequestError `disk.full`."""
    target = os.path.realpath(path)
    temporary = os.path.join(os.path.dirname(target), f".{secrets.token_hex(8)}.tmp")
    try:
        with open(temporary, "x", encoding="utf-8", opener=lambda name, flags: os.open(name, flags, mode)) as file:
            file.write(source)
        os.replace(temporary, target)
    except OSError as error:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise RequestError("disk.full", f"{shown(path)} cannot be written: {error.strerror}", path=path) from None


def shown(path: str) -> str:
    """Return a path as a person would write it from here."""
    near = os.path.relpath(path) if path != "-" else "stdout"
    return near if not near.startswith("../..") else path
