"""What is filled in at each start and never written down: variables that `env:` names, files of them, a first prompt.

Above: the pool, before a start. Below: the template language's variables. Reads files; callers run it in a thread.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import anyio.to_thread
import structlog

from wezparallel import regular
from wezparallel.errors import RequestError
from wezparallel.hub.workspaces import commands, dotenv, variables
from wezparallel.hub.workspaces.source import Source, printable

if TYPE_CHECKING:
    from wezparallel.protocol.process import ProcessSettings

log = structlog.get_logger()


async def filled(settings: ProcessSettings, given: Mapping[str, str], number: int) -> tuple[ProcessSettings, str]:
    """Return a process as its run of that number is started, and a sentence about what was left out, or ``.

    Args:
        settings: What is stored.
        given: The environment that it gets.
        number: 1 for its first run.
    """
    if not settings.env_expand and not settings.env_files and settings.prompt is None:
        return settings, ""
    if settings.env_files:
        return await anyio.to_thread.run_sync(fill, settings, given, number, abandon_on_cancel=True)
    return fill(settings, given, number)


def fill(settings: ProcessSettings, given: Mapping[str, str], number: int) -> tuple[ProcessSettings, str]:
    """Do what `filled` says, here."""
    notes: list[str] = []
    found: dict[str, str] = {}
    for path in settings.env_files:
        try:
            text = read_file(path)
            found |= dotenv.read(Source(path, text or "", path), {**given, **found})
        except RequestError as error:
            notes.append(f"{printable(path)} was left out: {error.message.splitlines()[0]}")
    known = {**given, **found}
    env: dict[str, str | None] = {**found, **settings.env}
    for name in settings.env_expand:
        text = settings.env.get(name)
        if text is None:
            continue
        try:
            env[name] = variables.fill(text, known.get)
        except variables.UnsetError as error:
            env.pop(name, None)
            if name in found:
                env[name] = found[name]
            notes.append(f"{name} was left out: {error.name or text} is not set")
        except variables.FormError as error:
            env.pop(name, None)
            notes.append(f"{name} was left out: {error.sentence}")
    argv = settings.argv
    if settings.prompt is not None and number == 1:
        argv = commands.prompted(argv, settings.prompt)
    if notes:
        log.warning("environment.left_out", process=settings.name, notes=notes)
    return settings.model_copy(update={"env": env, "argv": argv}), "; ".join(notes)


def read_file(path: str) -> str | None:
    """Return the text of a file of variables; None if there is none. Raises `template.not_found`."""
    try:
        data = regular.read(path, dotenv.MAX_BYTES + 1)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise _unreadable(path, str(error.strerror)) from None
    if len(data) > dotenv.MAX_BYTES:
        raise _unreadable(path, f"it is larger than {dotenv.MAX_BYTES // 1024} KiB")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        raise _unreadable(path, "it is not UTF-8") from None


def _unreadable(path: str, why: str) -> RequestError:
    return RequestError("template.not_found", f"{printable(path)} cannot be read: {why}", path=path)
