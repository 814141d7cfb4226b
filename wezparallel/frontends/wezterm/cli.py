"""The one way from Python into WezTerm: its own command line. One call after another, each bounded in time.

Above: building.py and checks.py. `wezterm cli spawn -- PROG` gives the pane the *caller's* whole environment, and it
starts a server where none answers; so the environment is a short list, the socket is named, and nothing is started.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import socket
import struct
import subprocess

from wezparallel import paths
from wezparallel.errors import RequestError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import NamedTuple, Self

    from wezparallel.types import JsonObject, Seconds

    class Pane(NamedTuple):
        """One pane, as `wezterm cli list` has it."""

        pane_id: int
        tab_id: int
        window_id: int
        workspace: str
        columns: int
        rows: int
        left: int
        top: int
else:
    from collections import namedtuple

    Pane = namedtuple("Pane", "pane_id tab_id window_id workspace columns rows left top")

PATIENCE_S = 10.0
_CREDENTIALS = struct.Struct("3i")  # struct ucred: pid, uid, gid

_PASSED = frozenset({
    "DBUS_SESSION_BUS_ADDRESS", "DISPLAY", "HOME", "LANG", "LANGUAGE", "LOGNAME", "PATH", "SHELL", "SSH_AUTH_SOCK",
    "TMPDIR", "TZ", "USER", "WAYLAND_DISPLAY", "WEZPARALLEL_RUNTIME_DIR", "WEZPARALLEL_SOCKET", "WEZTERM_CONFIG_DIR",
    "WEZTERM_CONFIG_FILE", "WEZTERM_EXECUTABLE", "WEZTERM_EXECUTABLE_DIR", "XAUTHORITY",
})  # fmt: skip
_PASSED_PREFIXES = ("LC_", "XDG_")


class Wezterm:
    """One WezTerm, GUI or mux server, by its socket."""

    def __init__(
        self, server: str, environment: Mapping[str, str] | None = None, *, patience_s: Seconds = PATIENCE_S
    ) -> None:
        """Raises RequestError `process.no_binary` where there is no `wezterm`."""
        given = os.environ if environment is None else environment
        self.socket = server
        self.program = find_program(given, server)
        self._environment = {**scrubbed(given), "WEZTERM_UNIX_SOCKET": server}
        self._patience_s = patience_s
        self._lock = -1

    def __enter__(self) -> Self:
        """Wait until nobody else of ours builds: two layouts at a time would cut each other's panes."""
        self._lock = os.open(paths.wezterm_lock(), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._lock)

    def panes(self) -> list[Pane]:
        """Return all panes. Raises RequestError, as all below."""
        try:
            return [_pane(one) for one in json.loads(self._run("list", "--format", "json"))]
        except (ValueError, KeyError, TypeError) as error:
            raise RequestError(
                "process.bad_state",
                f"the list of {self.program} is not understood ({error}); is it as old as the GUI?",
            ) from None

    def spawn(
        self,
        argv: Sequence[str],
        *,
        cwd: str,
        pane: int | None = None,
        window: int | None = None,
        workspace: str = "",
    ) -> int:
        """Make a tab in the window of a pane, in a window, or (with neither) in a new window; return its pane."""
        if window is not None:
            where = ["--window-id", str(window)]
        elif pane is not None:
            where = ["--pane-id", str(pane)]
        else:
            where = ["--new-window", *(["--workspace", workspace] if workspace else [])]
        return self._made("spawn", *where, "--cwd", cwd, "--", *argv)

    def split(self, of: int, direction: str, cells: int, argv: Sequence[str], *, cwd: str) -> int:
        """Cut a pane; the new one lies `right` or `down` (`bottom` to WezTerm) and has so many cells. Return it."""
        side = "--right" if direction == "right" else "--bottom"
        where = ["--pane-id", str(of), side, "--cells", str(cells), "--cwd", cwd]
        return self._made("split-pane", *where, "--", *argv)

    def activate(self, pane: int) -> None:
        """Give a pane the focus, and show its tab."""
        self._run("activate-pane", "--pane-id", str(pane))

    def set_tab_title(self, pane: int, title: str) -> None:
        """Name the tab of a pane."""
        self._run("set-tab-title", "--pane-id", str(pane), "--", title)  # `--- logs ---` is a title

    def kill(self, pane: int) -> None:
        """Close a pane."""
        self._run("kill-pane", "--pane-id", str(pane))

    def version(self) -> str:
        """Return `20240203-110809-5046fc22`; empty where a build has none."""
        words = self._execute([self.program, "--version"]).split()
        return words[1] if len(words) > 1 else ""

    def _made(self, *words: str) -> int:
        said = self._run(*words).strip()
        if not said.isdigit():
            raise RequestError("process.bad_state", f"`wezterm cli {words[0]}` named no pane but {said[:80]!r}")
        return int(said)

    def _run(self, *words: str) -> str:
        return self._execute([self.program, "cli", "--no-auto-start", *words])

    def _execute(self, argv: list[str]) -> str:
        called = f"`wezterm {argv[3] if argv[1] == 'cli' else argv[1]}`"
        try:
            done = subprocess.run(
                argv, env=self._environment, capture_output=True, text=True, errors="replace", check=False,
                timeout=self._patience_s, stdin=subprocess.DEVNULL,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            raise RequestError(
                "process.bad_state", f"WezTerm did not answer {called} within {self._patience_s:g} s; does it hang?"
            ) from None
        except OSError as error:
            raise RequestError("process.no_binary", f"{self.program} cannot be run: {error.strerror}") from None
        if done.returncode:
            raise RequestError("process.bad_state", f"WezTerm refused {called}: {_complaint(done.stderr)}")
        return done.stdout


def find_program(environment: Mapping[str, str], server: str = "") -> str:
    """Return the `wezterm` beside the running one, whose protocol it speaks; else the one on the PATH.

    Args:
        environment: In a pane of WezTerm it says where its programs are.
        server: Its socket; whoever listens there knows as well, where the environment is another's.

    Raises:
        RequestError: `process.no_binary`.
    """
    for folder in (environment.get("WEZTERM_EXECUTABLE_DIR", ""), _folder_of(server) if server else ""):
        beside = folder + "/wezterm"
        if folder.startswith("/") and os.access(beside, os.X_OK):
            return beside
    found = shutil.which("wezterm", path=environment.get("PATH"))
    if found is None:
        raise RequestError(
            "process.no_binary", "there is no `wezterm` on the PATH; add the folder of WezTerm's programs to it"
        )
    return found


def _folder_of(server: str) -> str:
    """Return the folder of the program that listens at a socket; empty if nobody does, or it cannot be seen."""
    try:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(PATIENCE_S)
            connection.connect(server)
            raw = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
        return os.path.dirname(os.readlink(f"/proc/{_CREDENTIALS.unpack(raw)[0]}/exe"))
    except (OSError, AttributeError):
        return ""


def scrubbed(environment: Mapping[str, str]) -> dict[str, str]:
    """Return what a pane may see of an environment: where things are, never a secret of the caller's shell."""
    return {
        name: value for name, value in environment.items() if name in _PASSED or name.startswith(_PASSED_PREFIXES)
    }


def _pane(told: JsonObject) -> Pane:
    size = told["size"]
    return Pane(
        told["pane_id"], told["tab_id"], told["window_id"], told["workspace"], size["cols"], size["rows"],
        told.get("left_col", 0), told.get("top_row", 0),
    )  # fmt: skip


def _complaint(said: str) -> str:
    """Return WezTerm's own words without its log's frame."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    last = next((line for line in reversed(lines) if "ERROR" in line), lines[-1] if lines else "it said nothing")
    return last.rpartition("ERROR  wezterm > ")[2].rpartition("ERROR wezterm > ")[2].removesuffix("; terminating")
