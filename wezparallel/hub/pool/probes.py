"""One look at a process, in four ways: a program that exits with 0, a URL, a port; lines are `pool/lines.py`'s.

What a look returns is None, or why it fails, as the end of a sentence. When to look, and what follows, is
`pool/health.py`'s business.
"""

from __future__ import annotations

import os
import ssl
import subprocess
from contextlib import suppress
from signal import SIGKILL, Signals
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import anyio
import anyio.to_thread

from wezparallel.hub.pool.sampler import proc_table

if TYPE_CHECKING:
    from collections.abc import Mapping
    from urllib.parse import SplitResult

    import anyio.abc

    from wezparallel.protocol.supervision import Probe

_STATUS_LINE = 4096  # bytes within which an answer's first line ends
_SAID = 300  # characters of what a program said that are told
_PORTS = {"http": 80, "https": 443}


def describe(probe: Probe) -> str:
    """Return what is looked at: `port 5432`, a URL, a program, a line."""
    if probe.tcp is not None:
        return f"port {probe.tcp}" if probe.tcp.isdigit() else probe.tcp
    if probe.exec is not None:
        return " ".join(probe.exec)
    return probe.http or f"a line like {probe.log_line}"


async def look(probe: Probe, cwd: str, env: Mapping[str, str]) -> str | None:
    """Look once, `timeout_s` at most; return None if it passes, else why not."""
    with anyio.move_on_after(probe.timeout_s):
        try:
            if probe.exec is not None:
                return await _run(probe.exec, cwd, env)
            if probe.http is not None:
                return await _get(probe.http)
            return await _connect(probe.tcp or "")
        except (OSError, ValueError, ssl.SSLError) as error:
            return f"{describe(probe)}: {_why(error)}"
    return f"{describe(probe)}: no answer within {probe.timeout_s:g} s"


async def _run(argv: list[str], cwd: str, env: Mapping[str, str]) -> str | None:
    """Run a program below the hub; nothing of it is left when this returns or is cancelled."""
    process = await anyio.open_process(
        argv, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, cwd=cwd, env=dict(env)
    )
    said = bytearray()
    try:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(_collect, process.stderr, said)
            code = await process.wait()
            tasks.cancel_scope.cancel()  # somebody that it left behind may hold the pipe
    finally:
        with anyio.CancelScope(shield=True):
            if process.returncode is None:
                await anyio.to_thread.run_sync(_kill_tree, process.pid)
            await process.wait()
            await process.aclose()
    if code == 0:
        return None
    how = f"exited {code}" if code > 0 else f"killed by {Signals(-code).name}"
    last = said.decode("utf-8", "replace").strip().rpartition("\n")[2][-_SAID:]
    return f"{argv[0]} {how}" + (f": {last}" if last else "")


async def _collect(stream: anyio.abc.ByteReceiveStream | None, said: bytearray) -> None:
    if stream is not None:
        async for chunk in stream:
            said += chunk
            del said[: -4 * _SAID]


def _kill_tree(pid: int) -> None:
    """SIGKILL a program and everything below it; it has no group of its own, it ends with the hub's."""
    below = {pid}
    with suppress(OSError):
        table = proc_table()
        news = {pid}
        while news:
            news = {child for child, row in table.items() if row.parent in news} - below
            below |= news
    for one in below:
        with suppress(ProcessLookupError, PermissionError):
            os.kill(one, SIGKILL)


async def _connect(where: str) -> str | None:
    host, _, port = where.rpartition(":")
    async with await anyio.connect_tcp(host.strip("[]") or "localhost", int(port)):
        return None


async def _get(url: str) -> str | None:
    """Ask by hand: a client of HTTP would cost megabytes, and one line is read."""
    parts = urlsplit(url)
    if parts.scheme not in _PORTS or not parts.hostname:
        return f"{url} is no URL of http or https"
    port = parts.port or _PORTS[parts.scheme]
    stream: anyio.abc.ByteStream
    if parts.scheme == "https":
        # It is asked whether it answers, not who it is: certificates of one's own machine are self-made.
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        stream = await anyio.connect_tcp(
            parts.hostname, port, ssl_context=context, tls_hostname=parts.hostname, tls_standard_compatible=False
        )
    else:
        stream = await anyio.connect_tcp(parts.hostname, port)
    async with stream:
        await stream.send(_request(parts))
        head = b""
        while b"\n" not in head and len(head) < _STATUS_LINE:
            try:
                head += await stream.receive()
            except anyio.EndOfStream:
                break
    version, _, rest = head.partition(b" ")
    status = rest[:3]
    if not version.startswith(b"HTTP/") or not status.isdigit():
        return f"{url} gives no answer of HTTP"
    return None if int(status) < 400 else f"{url} answers {int(status)}"


def _request(parts: SplitResult) -> bytes:
    host = parts.netloc.rpartition("@")[2]
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    lines = (f"GET {path} HTTP/1.0", f"Host: {host}", "User-Agent: wezparallel", "Accept: */*", "Connection: close")
    return ("\r\n".join(lines) + "\r\n\r\n").encode("utf-8")


def _why(error: BaseException) -> str:
    """Return the system's word for what happened, from below what wraps it."""
    while error.__cause__ is not None:
        error = error.__cause__
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    if isinstance(error, OSError) and error.errno and not isinstance(error, ssl.SSLError):
        return (os.strerror(error.errno) if error.errno > 0 else str(error.strerror)).lower()
    return str(error) or type(error).__name__
