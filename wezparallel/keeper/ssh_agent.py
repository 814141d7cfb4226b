"""The SSH agent of a held program: a link of a fixed name, which each attach points to its own agent.

A program keeps the `SSH_AUTH_SOCK` that it began with, and the agent behind it goes away with the login (with
`ssh -A` at each disconnect). So the child gets the link's name. A link never points to another of ours: whoever
attaches from inside a held shell has that shell's link in his environment, and it would go round in circles.

What lies on a mount that may hang is not looked at, only named.
"""

from __future__ import annotations

import os
from binascii import crc32
from contextlib import suppress

from wezparallel import paths
from wezparallel.keeper.mounts import is_near

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wezparallel.types import ProcessId

VARIABLE = "SSH_AUTH_SOCK"
_MAX_PATH = 100  # bytes; what connects through the link has room for 107


def link_of(process_id: ProcessId) -> str:
    """Return the link's name."""
    folder = paths.ssh_agents_dir()
    name = process_id.replace("%", "%25").replace("/", "%2F")
    if len(os.fsencode(f"{folder}/{name}")) > _MAX_PATH or name.startswith("."):
        name = f"%{crc32(os.fsencode(process_id)):08x}"
    return f"{folder}/{name}"


def attached(process_id: ProcessId, agent: str) -> None:
    """Somebody with that agent attached: it is the process's from now on."""
    if agent.startswith("/") and not _is_ours(agent):
        with suppress(OSError, ValueError):
            _point(link_of(process_id), agent)


def for_child(process_id: ProcessId, agent: str) -> str:
    """Return what a child gets whose caller has that agent; a link that leads somewhere stays, somebody attached."""
    link = link_of(process_id)
    try:
        if _is_ours(agent):
            agent = os.readlink(agent)
        if not _leads_somewhere(link):
            _point(link, agent)
    except (OSError, ValueError):
        return agent
    return link


def forget(process_id: ProcessId) -> None:
    """Remove the link."""
    with suppress(OSError):
        os.unlink(link_of(process_id))


def _leads_somewhere(link: str) -> bool:
    try:
        agent = os.readlink(link)
    except OSError:
        return False
    return not is_near(agent) or os.path.exists(agent)


def _is_ours(path: str) -> bool:
    folder = paths.ssh_agents_dir()
    if path.startswith(folder + "/"):
        return True
    return is_near(path) and os.path.realpath(os.path.dirname(path)) == os.path.realpath(folder)


def _point(link: str, agent: str) -> None:
    os.makedirs(os.path.dirname(link), 0o700, exist_ok=True)
    if os.path.islink(link) and os.readlink(link) == agent:
        return
    new = f"{os.path.dirname(link)}/.new-{os.getpid()}"
    with suppress(FileNotFoundError):
        os.unlink(new)
    os.symlink(agent, new)
    os.replace(new, link)
