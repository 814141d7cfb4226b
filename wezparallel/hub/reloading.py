"""Has a configuration act: at the start, and when it is read again while everything runs.

Above: the hub, SIGHUP, `ConfigReload`. Below: `configuration.py`. What is rejected changes nothing; it is said in the
log, in `Status`, by `doctor` and as an event.
"""

from __future__ import annotations

import logging
import os
from dataclasses import replace
from typing import TYPE_CHECKING

import structlog

from wezparallel import paths
from wezparallel.errors import RequestError
from wezparallel.hub import configuration, options

if TYPE_CHECKING:
    from collections.abc import Callable

    from wezparallel.hub.app import Hub
    from wezparallel.hub.configuration import Configuration
    from wezparallel.hub.settings import Settings

log = structlog.get_logger()

_LEVELS = {
    "trace": logging.NOTSET,
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warn": logging.WARNING,
    "error": logging.ERROR,
}


def begin(hub: Hub) -> None:
    """Have the configuration act that the hub was made with, and say what is wrong with it."""
    say(hub.configuration)
    set_log_level(hub.settings)
    move_link(hub.settings)
    hub.gui.write_keys()


def reload(hub: Hub, read: Callable[[], Configuration] = configuration.load) -> list[str]:
    """Read the configuration again; return which options have changed.

    Raises:
        RequestError: `config.bad_value`; then what held before goes on to hold.
    """
    fresh = read()
    if fresh.errors:
        # What holds stays; only what is wrong is known from now on.
        hub.configuration = replace(hub.configuration, errors=fresh.errors, warnings=fresh.warnings)
        summary = fresh.errors[0].summary
        log.error("config.rejected", path=fresh.path, reason=summary)
        hub.bus.publish("config.rejected", {"path": fresh.path, "changed": [], "message": summary})
        first = fresh.errors[0]
        raise RequestError(
            "config.bad_value", first.message, file=first.file, line=first.line, column=first.column,
            errors=[problem.message for problem in fresh.errors],
        )  # fmt: skip
    before = hub.settings
    changed = differences(before, fresh.settings)
    hub.configuration = fresh
    hub.settings = fresh.settings
    begin(hub)
    if changed:
        log.info("config.changed", path=fresh.path, options=changed)
        hub.bus.publish("config.changed", {"path": fresh.path, "changed": changed, "message": None})
        hub.expire_logs()
        hub.tell_log_room()
        hub.pool.admission.changed()
        hub.spares.configured(before)
        hub.snapshots.configured()
        hub.notifications.look()
        hub.tasks.start_soon(hub.scraping.configure)
    return changed


def differences(old: Settings, new: Settings) -> list[str]:
    """Return the options whose values differ, by name."""
    names = {path for one in (old, new) for path, _ in options.every(one)}
    changed = [".".join(path) for path in sorted(names) if value(old, path) != value(new, path)]
    for path in (("workspaces", "templates"), ("notifications", "channels"), ("notifications", "rules")):
        changed += [".".join(path)] if value(old, path) != value(new, path) else []
    return changed + (["process_templates"] if old.process_templates != new.process_templates else [])


def value(settings: Settings, path: options.Path) -> object:
    """Return the value of an option; of a kind that is not named, its default."""
    if path[0] == "processes":
        return getattr(settings.kind(path[1]), path[2])
    return getattr(getattr(settings, path[0]), path[1])


def say(read: Configuration) -> None:
    """Write down what was wrong."""
    for problem in read.errors:
        log.error("config.bad_value", path=read.path, reason=problem.summary, instead="what held before, or defaults")
    for problem in read.warnings:
        log.warning("config.warning", path=read.path, reason=problem.summary)


def set_log_level(settings: Settings) -> None:
    """Have the hub's own log begin at a level."""
    level = _LEVELS[settings.framework.log_level]
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(level))


def move_link(settings: Settings) -> None:
    """Have the public socket's link where the configuration wants it; the keeper looks after it from then on.

    Where that fails the daemon goes on without it, and says so.
    """
    wanted = settings.communication.socket_path
    if wanted == paths.DEFAULT_LINK:
        wanted = "" if paths.has_own_runtime_dir() else wanted
    before = paths.link() or ""
    try:
        if wanted == paths.hub_socket():
            return
        _note(wanted)
        if before and before != wanted and _is_ours(before):
            os.unlink(before)
        if wanted and not _is_ours(wanted):
            _make(wanted)
    except OSError as error:
        log.warning("link.failed", link=wanted, reason=error.strerror, instead=paths.hub_socket())


def _note(wanted: str) -> None:
    """Write down where the link is, for the keeper and for clients; nothing where it is where it always is."""
    note, usual = paths.link_note(), "" if paths.has_own_runtime_dir() else paths.DEFAULT_LINK
    if os.path.lexists(note):
        if os.readlink(note) == wanted:
            return
        os.unlink(note)
    if wanted not in ("", usual):
        os.symlink(wanted, note)


def _make(link: str) -> None:
    try:
        facts = os.lstat(link)
    except FileNotFoundError:
        facts = None
    if facts is not None and not (os.path.islink(link) and facts.st_uid == os.getuid() and not os.path.exists(link)):
        # Somebody's file, or another daemon's link: never taken away, whoever is behind it.
        log.warning("link.taken", link=link, fix="remove it, or choose another communication.socket_path")
        return
    os.makedirs(os.path.dirname(link), mode=0o700, exist_ok=True)
    fresh = f"{link}.{os.getpid()}"
    os.symlink(paths.hub_socket(), fresh)
    os.rename(fresh, link)


def _is_ours(link: str) -> bool:
    return os.path.islink(link) and os.readlink(link) == paths.hub_socket()
