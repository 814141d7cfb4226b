"""One request through the public socket, by the smallest program that can: Lua's, hooks' and the shell's way in.

Runs by absolute path under `python3 -I -S` and imports C modules only (each module of the standard library written in
Python would double its start). It parses nothing: what it is given it sends, what it gets it prints, and it ends when
as many lines came back as it sent. So nothing of wezparallel is imported, and the paths below are a copy of paths.py
that a test compares.

    python3 -I -S /abs/call.py '{"Ping":{}}'          or the requests on stdin, one a line
      --timeout S   give up after S seconds (default 10)         --socket PATH   another socket
      --follow      print until the other side closes            --no-start      do not start a missing daemon
      --retry       send again when the hub died before its answer (for reads, and mutations with a key)

Exit code 0 when an answer came, an `Error` too; 5 when no connection or no answer came in time; 2 for wrong usage.
"""

import _socket
import posix
import sys
import time

ANSWERED = 0
USAGE = 2
NO_CONNECTION = 5

_PAUSE_S = 0.02  # between two tries to connect
_LAUNCH = (
    "import sys; sys.path.insert(0, sys.argv.pop(1)); from wezparallel.client.launch import main; sys.exit(main())"
)


class NoConnectionError(Exception):
    """Nobody answers at the socket, or nobody whom we trust."""


class Options:
    """What the command line said."""

    def __init__(self) -> None:
        self.socket = ""
        self.timeout_s = 10.0
        self.follow = False
        self.start = True
        self.retry = False
        self.requests: list[bytes] = []


def environment(name: str) -> str:
    """Return a variable of the environment, empty if unset (posix knows it as bytes)."""
    return posix.environ.get(name.encode(), b"").decode("utf-8", "surrogateescape")


def runtime_dir() -> str:
    """Return the folder of the sockets, as paths.runtime_dir does."""
    return environment("WEZPARALLEL_RUNTIME_DIR") or f"/tmp/wezparallel-{posix.getuid()}"  # noqa: S108


def default_socket() -> str:
    """Return the public socket, as paths.client_socket does."""
    return environment("WEZPARALLEL_SOCKET") or runtime_dir() + "/hub.sock"


def parse(argv: list[str]) -> Options:
    """Read the command line. Raises ValueError with a sentence for a person."""
    options = Options()
    options.socket = default_socket()
    rest = list(argv)
    while rest:
        word = rest.pop(0)
        if word in ("--timeout", "--socket"):
            if not rest:
                raise ValueError(f"{word} needs a value")
            value = rest.pop(0)
            if word == "--socket":
                options.socket = value
            else:
                options.timeout_s = float(value)
        elif word == "--follow":
            options.follow = True
        elif word == "--no-start":
            options.start = False
        elif word == "--retry":
            options.retry = True
        elif word.startswith("--"):
            raise ValueError(f"unknown option {word}; known are --timeout --socket --follow --no-start --retry")
        else:
            options.requests.append(word.encode("utf-8", "surrogateescape"))
    return options


def read_all(fd: int) -> bytes:
    """Read a descriptor to its end."""
    parts = []
    while part := posix.read(fd, 65536):
        parts.append(part)
    return b"".join(parts)


def write_all(fd: int, data: bytes) -> None:
    """Write everything to a descriptor."""
    while data:
        data = data[posix.write(fd, data) :]


def say(sentence: str) -> None:
    """Tell a person on stderr."""
    write_all(2, f"wezparallel: {sentence}\n".encode("utf-8", "surrogateescape"))


def connect(options: Options, deadline: float) -> _socket.socket:
    """Return a connection; start the daemon once if there is none. Raises NoConnectionError."""
    started = False
    while True:
        sock = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
        sock.settimeout(max(0.01, deadline - time.monotonic()))
        try:
            sock.connect(options.socket)
        except OSError as error:
            sock.close()
            if not started and options.start and not environment("WEZPARALLEL_SOCKET"):
                started = True
                start_daemon(deadline)
                continue
            if options.retry and time.monotonic() + _PAUSE_S < deadline:
                pause(_PAUSE_S)
                continue
            raise NoConnectionError(
                f"no daemon at {options.socket} ({error.strerror}); wezparallel daemon start"
            ) from None
        check_server(sock, options.socket)
        return sock


def check_server(sock: _socket.socket, path: str) -> None:
    """Refuse to talk to another user's program under our socket's name. Raises NoConnectionError."""
    if not hasattr(_socket, "SO_PEERCRED"):
        return
    credentials = sock.getsockopt(_socket.SOL_SOCKET, _socket.SO_PEERCRED, 12)
    uid = int.from_bytes(credentials[4:8], sys.byteorder)
    if uid != posix.geteuid() and posix.geteuid() != 0:
        raise NoConnectionError(f"{path} belongs to user {uid}, not to you; remove it or set WEZPARALLEL_SOCKET")


def start_daemon(deadline: float) -> None:
    """Run client/launch.py in an interpreter of its own and wait for it, unless the user stopped the daemon."""
    try:
        posix.stat(runtime_dir() + "/stopped")
    except OSError:
        pass
    else:
        raise NoConnectionError("the daemon was stopped by you; wezparallel daemon start")
    root = posix.fspath(__file__).rsplit("/", 3)[0]
    seconds = str(max(1.0, deadline - time.monotonic()))
    pid = posix.posix_spawn(
        sys.executable, [sys.executable, "-S", "-c", _LAUNCH, root, "--timeout", seconds], posix.environ
    )
    posix.waitpid(pid, 0)


def pause(seconds: float) -> None:
    """Wait without a module for it: a read that nobody will answer times out."""
    here, there = _socket.socketpair()
    here.settimeout(seconds)
    try:
        here.recv(1)
    except TimeoutError:
        pass
    finally:
        here.close()
        there.close()


def exchange(sock: _socket.socket, options: Options, data: bytes, deadline: float) -> bool:
    """Send everything and pass the answers on; tell whether all came."""
    expected = sum(1 for line in data.split(b"\n") if line.strip())
    answered = 0
    sock.settimeout(max(0.01, deadline - time.monotonic()))
    sock.sendall(data)
    while options.follow or answered < expected:
        if options.follow and answered >= expected:
            sock.settimeout(None)
        else:
            sock.settimeout(max(0.01, deadline - time.monotonic()))
        part = sock.recv(65536)
        if not part:
            return answered >= expected
        answered += part.count(b"\n")
        write_all(1, part)
    return True


def run(options: Options) -> int:
    """Send the requests and print the answers; return the exit code."""
    deadline = time.monotonic() + options.timeout_s
    data = b"\n".join(options.requests) if options.requests else read_all(0)
    data = data.rstrip(b"\n") + b"\n"
    if not data.strip():
        say("nothing to send; give a request, as '{\"Ping\":{}}'")
        return USAGE
    while True:
        sock = connect(options, deadline)
        try:
            if exchange(sock, options, data, deadline):
                return ANSWERED
        except TimeoutError:
            say(f"no answer within {options.timeout_s:g} s")
            return NO_CONNECTION
        except OSError:
            pass  # the hub died: the same as the end of the stream
        finally:
            sock.close()
        if not options.retry or time.monotonic() + _PAUSE_S > deadline:
            say("the connection ended before the answer; ask again, a mutation with the same key")
            return NO_CONNECTION
        pause(_PAUSE_S)


def main(argv: list[str] | None = None) -> int:
    """Run as a program; return the exit code."""
    try:
        options = parse(sys.argv[1:] if argv is None else argv)
    except ValueError as error:
        say(str(error))
        return USAGE
    try:
        return run(options)
    except NoConnectionError as error:
        say(str(error))
        return NO_CONNECTION
    except BrokenPipeError:
        return ANSWERED
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
