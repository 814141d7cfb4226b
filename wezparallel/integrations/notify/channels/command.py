"""A command of the user's: the message is JSON on its stdin, and in variables. Nothing of it becomes an argument."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from contextlib import suppress
from typing import TYPE_CHECKING

import anyio

from wezparallel.integrations.notify.channels import AttemptError
from wezparallel.integrations.notify.channels.webhook import payload

if TYPE_CHECKING:
    from wezparallel.integrations.notify.rules import Message
    from wezparallel.types import JsonObject


async def send(said: JsonObject, message: Message) -> None:
    """Run the command. Raises AttemptError."""
    command = said["command"]
    argv = ["/bin/sh", "-c", command] if isinstance(command, str) else [str(word) for word in command]
    told = payload(message)
    env = {
        **os.environ, "WEZPARALLEL_TITLE": message.title, "WEZPARALLEL_BODY": message.body,
        "WEZPARALLEL_KIND": message.kind, "WEZPARALLEL_RULE": message.rule or "",
    }  # fmt: skip
    status = await run(argv, json.dumps(told, ensure_ascii=False).encode() + b"\n", env, float(said["timeout"]))
    if status != 0:
        raise AttemptError(f"it ended with {status}" if status > 0 else f"it was ended by signal {-status}")


async def run(argv: list[str], given: bytes, env: dict[str, str] | None, timeout_s: float) -> int:
    """Run a program in a session of its own; what it prints may be secret and goes nowhere. Raises AttemptError."""
    nowhere = subprocess.DEVNULL
    try:
        process = await anyio.open_process(
            argv, stdin=subprocess.PIPE, stdout=nowhere, stderr=nowhere, env=env, cwd=os.path.expanduser("~"),
            start_new_session=True,
        )  # fmt: skip
    except (OSError, ValueError) as error:
        raise AttemptError(getattr(error, "strerror", None) or type(error).__name__, again=False) from None
    try:
        with anyio.move_on_after(timeout_s):
            assert process.stdin is not None
            with suppress(anyio.BrokenResourceError, anyio.ClosedResourceError, OSError):
                await process.stdin.send(given)
                await process.stdin.aclose()
            return await process.wait()
        raise AttemptError(f"it did not end within {timeout_s:g} s")
    finally:
        if process.returncode is None:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
        with anyio.CancelScope(shield=True):
            await process.aclose()
