"""Serves `/metrics` over HTTP, on a listener that the keeper holds: its port survives every death of the hub.

One answer a connection, then it is closed; no more is needed of HTTP. A web page must not get at it by a name that it
made point to this machine, so at a loopback address only requests that name the machine itself are answered. Nobody
who scrapes slowly, badly or never keeps anybody else waiting.
"""

from __future__ import annotations

import contextlib
import os
import socket
from typing import TYPE_CHECKING

import anyio
import structlog

from wezparallel import paths
from wezparallel.errors import RequestError
from wezparallel.hub.pool.keeper_link import close_all
from wezparallel.keeper import messages

if TYPE_CHECKING:
    from wezparallel.hub.app import Hub

log = structlog.get_logger()

NAME = "metrics"
MAX_HEAD = 8192
PATIENCE_S = 10.0
AT_ONCE = 32
_HTTP = {200: "OK", 400: "Bad Request", 403: "Forbidden", 404: "Not Found", 405: "Method Not Allowed",
         500: "Internal Server Error"}  # fmt: skip
_PLAIN = "text/plain; charset=utf-8"


class Scraping:
    """The listener, if there is one, and who is answered there."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self.url: str | None = None
        self.error: str | None = None
        """Why it is not served although it should be."""
        self._address = ""
        self._is_held = False
        """The keeper holds a listener of ours."""
        self._is_local = True
        self._serving: anyio.CancelScope | None = None
        self._ended = anyio.Event()
        self._lock = anyio.Lock()

    async def configure(self) -> None:
        """Serve where the configuration wants it, or no more."""
        async with self._lock:
            wanted = self._wanted()
            if wanted and wanted == self._address and self.url is not None:
                return
            if self._serving is not None:
                self._serving.cancel()
                await self._ended.wait()
                self._serving = None
            self._address, self.url, self.error = wanted, None, None
            adopted = self._hub.listeners.pop(NAME, None)
            if adopted is not None:  # the keeper gives another one, with its address
                os.close(adopted)
                self._is_held = True
            if wanted:
                await self._begin(wanted)
            else:
                await self._let_go()

    def _wanted(self) -> str:
        settings, configuration = self._hub.settings.metrics, self._hub.configuration
        is_said = any(configuration.origin((NAME, name)).kind != "default" for name in ("enabled", "address"))
        return settings.address if settings.enabled and (is_said or not paths.has_own_runtime_dir()) else ""

    async def _begin(self, wanted: str) -> None:
        try:
            place, listener = await self._listen(wanted)
        except RequestError as error:
            self.error = error.message
            log.warning("metrics.not_served", address=wanted, reason=error.message)
            return
        self._is_held = True
        self._is_local = place.rpartition(":")[0].startswith(("127.", "localhost", "[::1]"))
        self.url = f"http://{place}/metrics"
        self._serving, self._ended = anyio.CancelScope(), anyio.Event()
        self._hub.tasks.start_soon(self._accept, listener, self._serving)
        log.info("metrics.served", url=self.url)

    async def _listen(self, wanted: str) -> tuple[str, socket.socket]:
        message = {"m": messages.LISTEN, "name": NAME, "address": f"tcp:{wanted}"}
        try:
            told, fds = await self._hub.link.call(message)
        except RequestError:
            if not self._is_held:
                raise
            await self._let_go()  # what we had may be in the way: the same port, at another address
            told, fds = await self._hub.link.call(message)
        close_all(fds[1:])
        return told["address"].removeprefix("tcp:"), socket.socket(fileno=fds[0])

    async def _let_go(self) -> None:
        """Have the keeper close what it holds."""
        if self._is_held:
            self._is_held = False
            with contextlib.suppress(RequestError):  # a keeper of an older version goes on holding it
                await self._hub.link.call({"m": messages.UNLISTEN, "name": NAME})

    async def _accept(self, listener: socket.socket, scope: anyio.CancelScope) -> None:
        places = anyio.Semaphore(AT_ONCE)
        listener.setblocking(False)
        try:
            with scope, listener:
                await self._accept_each(listener, places)
        finally:
            self._ended.set()

    async def _accept_each(self, listener: socket.socket, places: anyio.Semaphore) -> None:
        while True:
            await places.acquire()
            try:
                await anyio.wait_readable(listener)
                connection, _ = listener.accept()
            except BlockingIOError:
                places.release()
                continue
            except OSError as error:  # no descriptors left, perhaps; those that wait can wait longer
                log.warning("metrics.accept_failed", reason=error.strerror)
                places.release()
                await anyio.sleep(1)
                continue
            self._hub.tasks.start_soon(self._answer, connection, places)

    async def _answer(self, connection: socket.socket, places: anyio.Semaphore) -> None:
        connection.setblocking(False)
        try:
            with connection, anyio.move_on_after(PATIENCE_S):
                head = await _read_head(connection)
                if head:
                    await _send(connection, await self._reply(head))
        except OSError:
            return  # it has gone
        except Exception:  # a scraper's wish must never end the hub
            log.exception("metrics.failed")
        finally:
            places.release()

    async def _reply(self, head: bytes) -> bytes:
        lines = head.decode("latin-1").split("\r\n")
        method, _, rest = lines[0].partition(" ")
        path = rest.partition(" ")[0].partition("?")[0]
        fields = {
            name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])
        }
        status, kind, body = 200, _PLAIN, b""
        if not rest:
            status, body = 400, b"that is no HTTP\n"
        elif self._is_local and not _names_this_machine(fields.get("host", "")):
            status, body = 403, b"ask for it by the address that it is served at\n"
        elif method not in ("GET", "HEAD"):
            status, body = 405, b"only GET and HEAD\n"
        elif path == "/":
            body = b"wezparallel: figures for Prometheus are at /metrics\n"
        elif path != "/metrics":
            status, body = 404, b"there is only /metrics\n"
        else:
            from wezparallel.hub.metrics import collecting  # noqa: PLC0415  most daemons are never scraped

            try:
                body, kind = await collecting.collect(self._hub, fields.get("accept", ""))
            except Exception:  # the scraper is told, the hub goes on
                log.exception("metrics.failed")
                status, body = 500, b"a fault of ours; the hub's log explains it\n"
        top = (
            f"HTTP/1.1 {status} {_HTTP[status]}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n"
            "Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\nConnection: close\r\n"
            + ("Allow: GET, HEAD\r\n" if status == 405 else "")
        )
        return top.encode("latin-1") + b"\r\n" + (b"" if method == "HEAD" else body)


def _names_this_machine(host: str) -> bool:
    """Tell whether a `Host` is an address or `localhost`; an absent one comes from no browser."""
    name = host[: host.rfind(":")] if ":" in host and not host.endswith("]") else host
    return name in ("", "localhost", "[::1]") or (name.startswith("127.") and name.replace(".", "").isdigit())


async def _read_head(connection: socket.socket) -> bytes:
    """Return a request up to its empty line; nothing if it is too long or never comes."""
    head = b""
    while b"\r\n\r\n" not in head:
        if len(head) > MAX_HEAD:
            return b""
        await anyio.wait_readable(connection)
        try:
            data = connection.recv(MAX_HEAD)
        except BlockingIOError:
            continue
        if not data:
            return b""
        head += data
    return head.partition(b"\r\n\r\n")[0]


async def _send(connection: socket.socket, data: bytes) -> None:
    view = memoryview(data)
    while view:
        try:
            view = view[connection.send(view) :]
        except BlockingIOError:
            await anyio.wait_writable(connection)
    connection.shutdown(socket.SHUT_WR)
