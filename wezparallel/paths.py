"""Where things are. Nothing else in the house knows a path. Standard library, no I/O but the environment and a link.

`WEZPARALLEL_RUNTIME_DIR`, `WEZPARALLEL_SOCKET` and the XDG variables move every place, so that tests and a second
instance never meet the user's own.
"""

from __future__ import annotations

import os

NAME = "wezterm-parallel"
DEFAULT_LINK = "/tmp/wezterm-parallel.sock"  # noqa: S108  the name that the seeds and every `nc -U` example use


def runtime_dir() -> str:
    """Return the folder of sockets and locks. /tmp, because logind deletes XDG_RUNTIME_DIR at logout."""
    return os.environ.get("WEZPARALLEL_RUNTIME_DIR") or f"/tmp/wezparallel-{os.getuid()}"  # noqa: S108


def has_own_runtime_dir() -> bool:
    """Tell whether this instance was moved away from the user's own (then it makes no link in /tmp)."""
    return bool(os.environ.get("WEZPARALLEL_RUNTIME_DIR"))


def hub_socket() -> str:
    """Return the public socket's real path."""
    return runtime_dir() + "/hub.sock"


def client_socket() -> str:
    """Return the path that clients connect to."""
    return os.environ.get("WEZPARALLEL_SOCKET") or hub_socket()


def link() -> str | None:
    """Return the public name of the socket, or None where an instance of its own must not have one.

    The hub notes beside the socket which name the configuration gives it.
    """
    try:
        return os.readlink(link_note())
    except OSError:
        return None if has_own_runtime_dir() else DEFAULT_LINK


def link_note() -> str:
    """Return the link that names the public socket's link, where that is not the usual one."""
    return runtime_dir() + "/link"


def keeper_socket() -> str:
    """Return the keeper's private socket: hub, viewers, control."""
    return runtime_dir() + "/keeper.sock"


def ssh_agents_dir() -> str:
    """Return the folder of the links that stand for the SSH agents of those who attached."""
    return runtime_dir() + "/ssh-agent"


def keeper_lock() -> str:
    """Return the file whose flock makes one keeper per runtime directory."""
    return runtime_dir() + "/keeper.lock"


def stopped_mark() -> str:
    """Return the file that says: stopped by the user, do not start by yourself."""
    return runtime_dir() + "/stopped"


def wezterm_lock() -> str:
    """Return the file whose flock lets one of ours at a time build panes by WezTerm's command line."""
    return runtime_dir() + "/wezterm.lock"


def state_dir() -> str:
    """Return the folder of everything that must outlive a reboot."""
    return _xdg("XDG_STATE_HOME", "/.local/state") + "/" + NAME


def database() -> str:
    """Return the SQLite file."""
    return state_dir() + "/state.db"


def logs_dir() -> str:
    """Return the folder that holds one folder a process (see `log_dir`)."""
    return state_dir() + "/logs"


def log_dir(process_id: str, base: str | None = None) -> str:
    """Return the folder of one process's log. `/` becomes `%2F`, as in routes, so that names never nest."""
    escaped = process_id.replace("%", "%25").replace("/", "%2F")
    if escaped.startswith("."):
        escaped = "%2E" + escaped[1:]
    return (base or logs_dir()) + "/" + escaped


def own_log(program: str) -> str:
    """Return the file where `hub` or `keeper` writes what it has to say about itself."""
    return f"{state_dir()}/{program}.log"


def config_dir() -> str:
    """Return the folder of the user's configuration and templates."""
    return _xdg("XDG_CONFIG_HOME", "/.config") + "/" + NAME


def gui_snapshot() -> str:
    """Return the file that WezTerm's plugin reads: all that it shows, and what it is asked to do."""
    return state_dir() + "/gui.json"


def snapshots_dir() -> str:
    """Return the folder of the YAML snapshots."""
    return state_dir() + "/snapshots"


def workspaces_file() -> str:
    """Return the file that shows workspaces and processes to people; the database leads."""
    return config_dir() + "/workspaces.json"


def keys_file() -> str:
    """Return the file with the user's keys for WezTerm, which WezTerm may watch."""
    return config_dir() + "/keys.json"


def moved() -> dict[str, str]:
    """Return the variables that move this instance away from the usual places, for programs that have to find it."""
    usual = {"WEZPARALLEL_RUNTIME_DIR": "", "XDG_STATE_HOME": "/.local/state", "XDG_CONFIG_HOME": "/.config"}
    home = os.path.expanduser("~")
    given = {name: os.environ.get(name, "") for name in usual}
    return {name: value for name, value in given.items() if value.startswith("/") and value != home + usual[name]}


def package_dir() -> str:
    """Return the folder of the package, absolute."""
    return os.path.dirname(os.path.abspath(__file__))


def share_dir(kind: str) -> str:
    """Return the folder of shipped files: `config/templates`, `lua` or `plugin`; checkout or wheel alike."""
    installed = package_dir() + "/share/" + kind
    return installed if os.path.isdir(installed) else os.path.dirname(package_dir()) + "/" + kind


def _xdg(variable: str, below_home: str) -> str:
    value = os.environ.get(variable, "")
    return value if value.startswith("/") else os.path.expanduser("~") + below_home
