"""The runtime directory and the sockets in it: made, guarded, held over the hub's deaths and passed on to it.

The public socket and whatever the hub asked for (metrics, hooks, web) stay bound as long as the keeper lives, so
that no connect ever fails and no port is lost. While the hub is in backoff, the keeper answers on the public socket.
"""

from __future__ import annotations

import errno
import fcntl
import os
import socket
import stat

from wezparallel import paths
from wezparallel.errors import LinkError, RequestError, WireError
from wezparallel.wire.envelope import parse_request, reply_line
from wezparallel.wire.frames import HELLO, pack
from wezparallel.wire.hello import ROLE_CONTROL, client_hello
from wezparallel.wire.lines import LineReader

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wezparallel.keeper.keeper import Keeper
    from wezparallel.keeper.loop import Timer
    from wezparallel.types import JsonObject

_BACKLOG = 4096
_ALIVE_S = 1.0  # how long a server that may be there has to answer
_MAX_CLIENTS = 64  # that are answered in the hub's place at a time; the others wait
_LINGER_S = 0.2
_KEEP_S = 600.0
PUBLIC = "public"


class Listeners:
    """The listening sockets, by name."""

    def __init__(self, keeper: Keeper) -> None:
        self._keeper = keeper
        self.sockets: dict[str, tuple[socket.socket, str]] = {}
        """name → socket and address; `public` is the hub's own"""
        self.private: socket.socket | None = None
        self.lock = -1
        self._clients: set[_Waiting] = set()
        self._timer: Timer | None = None

    @property
    def public_fd(self) -> int:
        """The public socket's descriptor."""
        return self.sockets[PUBLIC][0].fileno()

    def open(self, lock: int) -> None:
        """Bind both sockets and make the link. The lock must be held. Raises LinkError when somebody serves there."""
        self.lock = lock
        for path, probe in ((paths.keeper_socket(), _PROBE_PRIVATE), (paths.hub_socket(), _PROBE_PUBLIC)):
            if _is_served(path, probe):
                raise LinkError(f"somebody serves at {path} already; end that program or choose another directory")
        self.private = _bind_unix(paths.keeper_socket())
        self.sockets[PUBLIC] = (_bind_unix(paths.hub_socket()), "unix:" + paths.hub_socket())
        self.make_link()

    def keep(self) -> None:
        """Touch our places, so that no cleaner of /tmp finds them old, and make again what one removed."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._keeper.loop.after(_KEEP_S, self.keep)
        try:
            self._keep()
        except (LinkError, OSError) as error:
            self._keeper.say(f"{paths.runtime_dir()} cannot be looked after: {error}")

    def _keep(self) -> None:
        prepare_runtime_dir()
        if not _touch(paths.keeper_lock()):
            lock = take_lock()
            if lock is None:
                self._keeper.say(f"{paths.keeper_lock()} was removed, and another keeper took it")
                return
            self.lock = lock  # the old file's stays open: it harms nobody
        if self.private is not None and not _touch(paths.keeper_socket()):
            self._keeper.loop.unwatch(self.private.fileno())
            self.private.close()
            self.private = _bind_unix(paths.keeper_socket())
            self._keeper.open_door()
        if not _touch(paths.hub_socket()):
            old, address = self.sockets[PUBLIC]
            self._keeper.loop.unwatch(old.fileno())
            old.close()
            self.sockets[PUBLIC] = (_bind_unix(paths.hub_socket()), address)
            self._keeper.drop_link()  # the next hub gets the new socket
            if self._keeper.hub.state == "backoff":
                self.answer_for_hub()
            elif self._keeper.hub.state == "stopped":
                self.start_at_connect()
        self.make_link()

    def listen(self, name: str, address: str) -> tuple[int, str]:
        """Bind what the hub asked for, or find it bound already; return its descriptor and real address."""
        held = self.sockets.get(name)
        if held is not None and (name == PUBLIC or address in {held[1], ""} or _is_same_port(address, held[1])):
            return held[0].fileno(), held[1]
        try:
            made = _bind(address)
        except (OSError, ValueError) as error:
            raise RequestError(
                "config.bad_value", f"cannot listen at {address}: {error}; choose another address", address=address
            ) from None
        if held is not None:
            held[0].close()
        self.sockets[name] = made
        return made[0].fileno(), made[1]

    def unlisten(self, name: str) -> None:
        """Close what the hub needs no more."""
        if name != PUBLIC and name in self.sockets:
            self.sockets.pop(name)[0].close()

    def leave_to_hub(self) -> None:
        """A hub lives or starts: only it accepts."""
        self._keeper.loop.unwatch(self.public_fd)
        for client in list(self._clients):
            client.close()

    def answer_for_hub(self) -> None:
        """The hub is in backoff: answer each request on the public socket with `hub.restarting`."""
        self._keeper.loop.watch(self.public_fd, self._accept_for_hub)

    def start_at_connect(self) -> None:
        """The user stopped the hub: the next connect to the public socket starts it."""
        self._keeper.loop.watch(self.public_fd, self._start)

    def close(self) -> None:
        """Remove what the keeper bound, at its end."""
        link = paths.link()
        if link and _points_to(link, paths.hub_socket()):
            _unlink(link)
        for sock in [self.private, *(sock for sock, _ in self.sockets.values())]:
            if sock is not None:
                self._keeper.loop.unwatch(sock.fileno())
                sock.close()
        for _, address in self.sockets.values():
            if address.startswith("unix:"):
                _unlink(address[5:])
        _unlink(paths.keeper_socket())

    def forget_client(self, client: _Waiting) -> None:
        """A client that was answered in the hub's place has gone."""
        self._clients.discard(client)
        if len(self._clients) == _MAX_CLIENTS - 1 and self._keeper.hub.state == "backoff":
            self.answer_for_hub()

    def _start(self) -> None:
        self._keeper.loop.unwatch(self.public_fd)
        self._keeper.start_hub()

    def _accept_for_hub(self) -> None:
        try:
            sock, _ = self.sockets[PUBLIC][0].accept()
        except OSError:
            return
        self._clients.add(_Waiting(self._keeper, sock))
        if len(self._clients) >= _MAX_CLIENTS:
            self._keeper.loop.unwatch(self.public_fd)

    def make_link(self) -> None:
        """Make the public name of the socket, unless it is somebody else's."""
        link = paths.link()
        if link is None or _points_to(link, paths.hub_socket()):
            return
        try:
            facts = os.lstat(link)
        except FileNotFoundError:
            facts = None
        if facts is not None and facts.st_uid != os.getuid():
            self._keeper.say(f"{link} belongs to uid {facts.st_uid}: running without it; use {paths.hub_socket()}")
            return
        if facts is not None and _is_served(link, _PROBE_PUBLIC):
            self._keeper.say(f"{link} is served by another program: running without it; use {paths.hub_socket()}")
            return
        fresh = f"{link}.{os.getpid()}"
        try:
            os.symlink(paths.hub_socket(), fresh)
            os.rename(fresh, link)
        except OSError as error:
            self._keeper.say(f"{link} cannot be made: {error.strerror}; use {paths.hub_socket()}")
            _unlink(fresh)


class _Waiting:
    """A client of the public socket while the hub is in backoff."""

    def __init__(self, keeper: Keeper, sock: socket.socket) -> None:
        self._keeper = keeper
        self._sock = sock
        self._lines = LineReader()
        sock.setblocking(False)
        keeper.loop.watch(sock.fileno(), self._on_readable)

    def close(self) -> None:
        """Let the client go."""
        if self._sock.fileno() >= 0:
            self._keeper.loop.unwatch(self._sock.fileno())
            self._sock.close()
            self._keeper.listeners.forget_client(self)

    def _on_readable(self) -> None:
        try:
            data = self._sock.recv(65536)
            lines = self._lines.feed(data)
            if not data:
                rest = self._lines.finish()
                lines = [rest] if rest else []
            for line in lines:
                self._sock.sendall(_answer(line))
        except (OSError, WireError):
            self.close()
            return
        if not data:
            self.close()
        elif lines:
            self._keeper.loop.after(_LINGER_S, self.close)


def _answer(line: bytes) -> bytes:
    body: JsonObject = {
        "code": "hub.restarting",
        "message": "the hub is being restarted; try again in a few seconds, processes go on meanwhile",
        "data": {"retry_after_s": 5},
    }
    try:
        return reply_line("Error", body, parse_request(line))
    except (RequestError, WireError):
        return reply_line("Error", body)


def prepare_runtime_dir() -> None:
    """Make the runtime directory, or check that it is ours alone. Raises LinkError."""
    path = paths.runtime_dir()
    try:
        os.makedirs(path, 0o700, exist_ok=True)
        facts = os.lstat(path)
    except OSError as error:
        raise LinkError(f"{path} cannot be made: {error.strerror}; set WEZPARALLEL_RUNTIME_DIR") from None
    if not stat.S_ISDIR(facts.st_mode) or facts.st_uid != os.getuid():
        raise LinkError(f"{path} is not a directory of yours; remove it or set WEZPARALLEL_RUNTIME_DIR")
    if stat.S_IMODE(facts.st_mode) & 0o077:
        os.chmod(path, 0o700)


def take_lock() -> int | None:
    """Take the lock that makes one keeper per runtime directory; None when another holds it."""
    path = paths.keeper_lock()
    while True:
        fd = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(fd)
            return None
        # A cleaner may have removed the file between open and flock: then another would lock a new one.
        try:
            if os.path.samestat(os.fstat(fd), os.stat(path)):
                return fd
        except FileNotFoundError:
            pass
        os.close(fd)


_PROBE_PUBLIC = b'{"Ping":{}}\n'
_PROBE_PRIVATE = pack(HELLO, client_hello(ROLE_CONTROL))


def _is_served(path: str, question: bytes) -> bool:
    """Tell whether somebody answers there: a connect alone proves nothing."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock:
        sock.settimeout(_ALIVE_S)
        try:
            sock.connect(path)
            sock.sendall(question)
            return bool(sock.recv(1))
        except OSError:
            return False


def _bind_unix(path: str) -> socket.socket:
    _unlink(path)
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    umask = os.umask(0o177)  # 0600 from its first moment
    try:
        sock.bind(path)
        sock.listen(_BACKLOG)
    except OSError as error:
        sock.close()
        raise LinkError(f"cannot listen at {path}: {error}; set WEZPARALLEL_RUNTIME_DIR to a shorter path") from None
    finally:
        os.umask(umask)
    sock.setblocking(False)
    return sock


def _bind(address: str) -> tuple[socket.socket, str]:
    kind, _, rest = address.partition(":")
    if kind == "unix":
        if _is_served(rest, b"\n"):
            raise OSError(errno.EADDRINUSE, os.strerror(errno.EADDRINUSE))
        return _bind_unix(rest), address
    host, _, port = rest.rpartition(":")
    if kind != "tcp" or not port.isdigit():
        raise ValueError("it must be unix:/path or tcp:host:port")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((host.strip("[]"), int(port)))
        sock.listen(_BACKLOG)
    except OSError:
        sock.close()
        raise
    sock.setblocking(False)
    return sock, f"tcp:{host}:{sock.getsockname()[1]}"


def _is_same_port(wanted: str, held: str) -> bool:
    """Tell whether `tcp:host:0` was asked for and is met by what is held."""
    return wanted.startswith("tcp:") and wanted.endswith(":0") and held.startswith(wanted[:-1])


def _touch(path: str) -> bool:
    try:
        os.utime(path)
    except FileNotFoundError:
        return False
    return True


def _points_to(link: str, target: str) -> bool:
    try:
        return os.readlink(link) == target
    except OSError:
        return False


def _unlink(path: str) -> None:
    try:
        os.unlink(path)
    except OSError:
        return
