"""`attach` and `call` with words that are not plain enough for the door: a bare name, a `--socket`, a `--help`."""

from __future__ import annotations

import os

from wezparallel.errors import RequestError
from wezparallel.frontends.cli import door, names

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn

    from wezparallel.frontends.cli.context import Context


def attach(context: Context) -> NoReturn:
    """Find the process that a name means, then become the attach client."""
    process = names.process(context, context.args.process)
    if process.get("direct"):
        raise RequestError(
            "process.bad_state",
            f"{process['process_id']} is `direct`: it runs in its pane alone; only without `direct` can one attach",
        )
    words = [f"--{word.replace('_', '-')}" for word in ("read_only", "exit", "relay") if getattr(context.args, word)]
    become_attach(context, process["process_id"], *words)


def become_attach(context: Context, process_id: str, *words: str) -> NoReturn:
    """Turn this process into the attach client for one process."""
    context.close()
    if context.args.socket:
        os.environ["WEZPARALLEL_SOCKET"] = context.args.socket
    door.become("attach", [process_id, "--socket", context.keeper_socket, *words])


def call(context: Context) -> NoReturn:
    """Become call.py, with the socket that was named."""
    socket = ["--socket", context.args.socket] if context.args.socket else []
    door.become("call", [*socket, *context.args.request])
