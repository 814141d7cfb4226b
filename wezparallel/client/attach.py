"""A viewer for one process: says hello to the keeper, hands its terminal over, waits.

Runs as `python3 -I -S .../client/attach.py PROCESS_ID` in every pane, and as `wezparallel attach`. Memory and start
time are paid once a pane, so before the keeper has answered its hello nothing but C modules and `wire/` is imported;
what comes after that is in viewer.py (a terminal) and stream.py (no terminal). The hello goes first, so that a
process which waits for its viewer starts while this program still loads the rest.
"""

from __future__ import annotations

import posix
import sys
import termios

if not __package__:  # run as a script under -I: nothing has put the package on the path
    sys.path.insert(0, __file__.rsplit("/", 3)[0])

from wezparallel.client import terminal
from wezparallel.client.link import Link
from wezparallel.errors import LinkError, RequestError, WezparallelError
from wezparallel.wire import frames, hello

DETACH_KEY = "1c1c"  # ctrl+\\ twice, as hexadecimal; the keeper knows the other encodings of the same keys
USAGE = (
    "usage: attach PROCESS_ID [--socket PATH] [--read-only] [--relay] [--gapless] [--exit] [--offset N]\n"
    "              [--detach-key HEX] [--size ROWSxCOLUMNS]\n"
)
NO_KEEPER = 69  # EX_UNAVAILABLE of sysexits(3)


class Options:
    """The command line."""

    __slots__ = ("detach_key", "exit", "gapless", "offset", "process_id", "read_only", "relay", "size", "socket")

    def __init__(self, argv: list[str]) -> None:
        """Raises RequestError `command.bad_value`."""
        self.process_id = ""
        self.socket = ""
        self.read_only = False
        self.relay = False
        """Pass the terminal on instead of handing it over; set where the latter is impossible."""
        self.gapless = False
        """Show every byte, however far the terminal falls behind; else it jumps to the end when that is too far."""
        self.exit = False
        """End with the program instead of offering keys."""
        self.offset = hello.FROM_END
        """Where the output begins when it does not go to a terminal."""
        self.detach_key = DETACH_KEY
        self.size: tuple[int, int] | None = None
        """Rows and columns that the terminal is about to have; what is shown begins with them."""
        rest = list(argv)
        while rest:
            word = rest.pop(0)
            if word == "--read-only":
                self.read_only = True
            elif word == "--relay":
                self.relay = True
            elif word == "--gapless":
                self.gapless = True
            elif word == "--exit":
                self.exit = True
            elif word in {"--socket", "--offset", "--detach-key", "--size"} and rest:
                self._take(word, rest.pop(0))
            elif word.startswith("-") or self.process_id:
                raise RequestError("command.bad_value", f"'{word}' is not understood here\n{USAGE}")
            else:
                self.process_id = word
        if not self.process_id:
            raise RequestError("command.bad_value", f"which process? `wezparallel ps` lists them\n{USAGE}")

    def _take(self, word: str, value: str) -> None:
        try:
            if word == "--socket":
                # This program follows its process through the folders.
                self.socket = value if value.startswith("/") else f"{posix.getcwd()}/{value}"
            elif word == "--offset":
                self.offset = int(value)
            elif word == "--size":
                rows, _, columns = value.partition("x")
                self.size = int(rows), int(columns)
            else:
                self.detach_key = bytes.fromhex(value).hex()
        except ValueError:
            raise RequestError("command.bad_value", f"'{value}' is no value for {word}\n{USAGE}") from None

    def keeper_socket(self) -> str:
        """Return the keeper's address."""
        if not self.socket:
            from wezparallel import paths  # noqa: PLC0415  a caller that counts milliseconds gives --socket

            self.socket = paths.keeper_socket()
        return self.socket


def say_hello(options: Options, attributes: terminal.Termios) -> tuple[Link, hello.Welcome]:
    """Connect and introduce this terminal. Raises LinkError, RequestError, WireError."""
    role = hello.ROLE_FRAMES if options.relay else hello.ROLE_TERMINAL
    link = Link(options.keeper_socket())
    try:
        viewer = _introduction(options, attributes)
        link.send(frames.HELLO, hello.client_hello(role, viewer.pack()))
        hello.parse_server_hello(link.wait_for(frames.HELLO))
        welcome = hello.parse_welcome(link.wait_for(frames.WELCOME))
    except WezparallelError:
        link.close()
        raise
    return link, welcome


def say_hello_to_daemon(options: Options, attributes: terminal.Termios) -> tuple[Link, hello.Welcome]:
    """Say hello; where no daemon runs, start it first. Raises as say_hello, LinkError also after a `daemon stop`."""
    try:
        return say_hello(options, attributes)
    except RequestError as error:
        known = _known_as(options) if error.code == "process.not_found" else options.process_id
        if known == options.process_id:
            raise
        options.process_id = known
        return say_hello(options, attributes)
    except LinkError:
        from wezparallel import paths  # noqa: PLC0415
        from wezparallel.client import launch  # noqa: PLC0415

        if options.socket != paths.keeper_socket():
            raise
        launch.ensure()
        return say_hello(options, attributes)


def _known_as(options: Options) -> str:
    """Return the id of a process that the keeper does not know: after a rename its workspace's new name means it."""
    from wezparallel.client import sync  # noqa: PLC0415  asked for by a wrong name only

    try:
        with sync.Client(options.keeper_socket().rpartition("/")[0] + "/hub.sock", patience_s=0) as client:
            found = client.call("ProcessGet", {"process": options.process_id}, timeout_s=5)
    except WezparallelError:
        return options.process_id
    if found["process"].get("direct"):
        raise RequestError("process.bad_state", f"{options.process_id} is `direct`: it runs in its pane alone")
    return str(found["process"]["process_id"])


def _introduction(options: Options, attributes: terminal.Termios) -> hello.Viewer:
    flags = (hello.READ_ONLY if options.read_only else 0) | (hello.GAPLESS if options.gapless else 0)
    if options.relay:
        flags |= hello.RELAYS
    if terminal.inside_wezterm():
        flags |= hello.INSIDE_WEZTERM
    names = ("TERM", "COLORTERM", "TERM_PROGRAM", "TERM_PROGRAM_VERSION", "WEZTERM_PANE", "WEZTERM_UNIX_SOCKET")
    strings = [options.process_id, *[terminal.environment(name) for name in names], options.detach_key]
    strings.append(terminal.environment("SSH_AUTH_SOCK"))
    parent = posix.getppid()
    return hello.Viewer(
        flags,
        terminal.window_size(),
        options.offset,
        (parent, _start_time(parent)),
        terminal.packed_termios(attributes),
        strings,
    )


def _start_time(pid: int) -> int:
    """Return field 22 of /proc/PID/stat, 0 where there is none."""
    try:
        fd = posix.open(f"/proc/{pid}/stat", posix.O_RDONLY | posix.O_CLOEXEC)
    except OSError:
        return 0
    try:
        return int(posix.read(fd, 1024).rpartition(b")")[2].split()[19])
    except (OSError, ValueError, IndexError):
        return 0
    finally:
        posix.close(fd)


def main(argv: list[str]) -> int:
    """Attach, until detached or done. Returns the program's exit code, 0 after a detach, 1 or 69 on an error."""
    try:
        options = Options(argv)
        if not (posix.isatty(terminal.STDIN) and posix.isatty(terminal.STDOUT)):
            from wezparallel.client import stream  # noqa: PLC0415

            return stream.run(options)
        attributes = termios.tcgetattr(terminal.STDIN)
        if options.size is not None:
            terminal.wait_for_size(*options.size)
        options.relay = options.relay or not terminal.can_be_opened()
        options.offset = hello.FROM_END  # what is older is painted
        link, welcome = say_hello_to_daemon(options, attributes)
        from wezparallel.client import painting, viewer  # noqa: PLC0415

        terminal.write_all(painting.name_pane(options.process_id))
        try:
            return viewer.TerminalViewer(options, attributes, link, welcome, say_hello).run()
        finally:
            terminal.write_all(painting.name_pane(""))
    except LinkError as error:
        sys.stderr.write(f"wezparallel: {error.message}\n")
        return NO_KEEPER
    except WezparallelError as error:
        sys.stderr.write(f"wezparallel: {error.message}\n")
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
