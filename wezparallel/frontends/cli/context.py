"""What a verb is given: the command line, a screen, the hub. Above: the verbs; below: client/ and render.py."""

from __future__ import annotations

import json
import os
import sys
import time

from wezparallel import paths
from wezparallel.client import launch, sync
from wezparallel.errors import LinkError
from wezparallel.frontends.cli.render import screen

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse

    from wezparallel.frontends.cli.render import Screen
    from wezparallel.types import Json, JsonObject, Seconds

PAGE = 500


class Context:
    """One invocation of the command line."""

    def __init__(self, args: argparse.Namespace) -> None:
        self.args = args
        self.json = bool(args.json)
        self.screen: Screen = screen(colour=args.color)
        self._client: sync.Client | None = None

    def close(self) -> None:
        """End the connection to the hub, if there is one."""
        if self._client is not None:
            self._client.close()

    # The hub

    @property
    def socket(self) -> str:
        """Return the public socket's path."""
        return str(self.args.socket or paths.client_socket())

    @property
    def keeper_socket(self) -> str:
        """Return the private socket beside it."""
        if not self.args.socket and not os.environ.get("WEZPARALLEL_SOCKET"):
            return paths.keeper_socket()
        return os.path.dirname(os.path.realpath(self.socket)) + "/keeper.sock"

    def client(self, *, asked: bool = False) -> sync.Client:
        """Return the client; the daemon is started if there is none, after a `daemon stop` only when `asked`.

        Raises:
            LinkError: there is no daemon, and none came up.
        """
        if self._client is None:
            own = not self.args.socket and not os.environ.get("WEZPARALLEL_SOCKET")
            if own and (launch.is_stopped() or not _listens(self.socket)):
                launch.ensure(asked=asked)
            elif not _listens(self.socket):
                raise LinkError(f"no daemon answers at {self.socket}")
            self._client = sync.Client(self.socket)
        return self._client

    def connect(self) -> sync.Client:
        """Return a further connection, for a subscription."""
        return sync.Client(self.client().path)

    def call(
        self, command: str, /, *, asked: bool = False, timeout_s: Seconds | None = None, **fields: Json
    ) -> JsonObject:
        """Send one command; fields that are None are left out. Raises RequestError, LinkError."""
        given = {field: value for field, value in fields.items() if value is not None}
        return self.client(asked=asked).call(command, given, timeout_s=timeout_s)

    def processes(self, workspace: str | None = None) -> list[JsonObject]:
        """Return all processes, page by page."""
        return self._pages("ProcessList", "processes", workspace=workspace)

    def workspaces(self, root: str | None = None) -> list[JsonObject]:
        """Return all workspaces, page by page."""
        return self._pages("WorkspaceList", "workspaces", root=root)

    def views(self) -> list[JsonObject]:
        """Return all views, page by page."""
        return self._pages("ViewList", "views")

    def _pages(self, command: str, field: str, **fields: Json) -> list[JsonObject]:
        found: list[JsonObject] = []
        after: str | None = None
        while True:
            reply = self.call(command, after=after, limit=PAGE, **fields)
            found += reply[field]
            after = reply.get("next")
            if not after:
                return found

    # The person

    @property
    def interactive(self) -> bool:
        """Tell whether somebody can be asked: both ends are a terminal."""
        return sys.stdin.isatty() and sys.stdout.isatty() and not self.json

    def ask(self, question: str, default: str) -> str:
        """Return the first letter of an answer, lower case; `default` for Enter. Only when `interactive`."""
        self.screen.out.flush()
        try:
            answer = input(question + " ").strip().lower()
        except EOFError:
            self.screen.say()
            return "n"
        return answer[:1] or default

    def dump(self, value: Json) -> None:
        """Write one JSON document; a line, so that streams of them are JSON lines."""
        self.screen.out.write(json.dumps(value, ensure_ascii=False) + "\n")
        self.screen.out.flush()

    def note(self, sentence: str) -> None:
        """Tell something beside the output."""
        if not self.json:
            sys.stderr.write(sentence + "\n")

    @property
    def now(self) -> float:
        """Return the time that ages are counted to."""
        return time.time()


def _listens(path: str) -> bool:
    try:
        sync.connect(path).close()
    except ConnectionError:
        return False
    return True
