"""The program that tells people by rules; the hub starts it where the configuration has some."""

from __future__ import annotations

import os
import signal
import sys
import threading

import anyio

from wezparallel import paths
from wezparallel.integrations.notify import memory, service


async def _run() -> int:
    code = 0
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(_end_on_signal, tasks.cancel_scope)
        code = await service.serve(paths.client_socket(), memory.place())
        tasks.cancel_scope.cancel()
    return code


async def _end_on_signal(scope: anyio.CancelScope) -> None:
    with anyio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
        async for _ in signals:
            scope.cancel()
            return


if __name__ == "__main__":
    status = anyio.run(_run)
    if threading.active_count() > 1:
        # One hangs in an attempt; the interpreter would wait for it longer than whoever stops us.
        sys.stderr.flush()
        os._exit(status)
    sys.exit(status)
