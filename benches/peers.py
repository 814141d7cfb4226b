"""Floors and peers: the least that the machine can do, and the programs that people use instead."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def present(program: str) -> bool:
    """Tell whether a peer is installed."""
    return shutil.which(program) is not None


@contextmanager
def ping_pong() -> Iterator[socket.socket]:
    """Give one end of a socket whose other end, in a process of its own, sends back what it gets.

    In a session of its own too, as the hub is: Linux shares processors among sessions first.
    """
    ours, theirs = socket.socketpair()
    pid = os.fork()
    if pid == 0:
        ours.close()
        os.setsid()
        while data := theirs.recv(4096):
            theirs.sendall(data)
        os._exit(0)
    theirs.close()
    try:
        yield ours
    finally:
        ours.close()
        os.waitpid(pid, 0)


def spawn_many(count: int) -> list[int]:
    """Start processes as cheaply as Python can, each on two pipes of its own, and return their pids."""
    null = os.open(os.devnull, os.O_RDONLY)
    pids, ends = [], []
    for _ in range(count):
        out, err = os.pipe(), os.pipe()
        actions = [(os.POSIX_SPAWN_DUP2, null, 0), (os.POSIX_SPAWN_DUP2, out[1], 1), (os.POSIX_SPAWN_DUP2, err[1], 2)]
        pids.append(os.posix_spawn("/bin/sleep", ["sleep", "100000"], os.environ, file_actions=actions, setsid=True))
        os.close(out[1])
        os.close(err[1])
        ends += [out[0], err[0]]
    for end in (*ends, null):
        os.close(end)
    return pids


def end_all(pids: list[int]) -> None:
    """End children of ours."""
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
    for pid in pids:
        os.waitpid(pid, 0)


class Supervisord:
    """A supervisord of its own, spoken to in XML-RPC over its Unix socket, the connection kept open."""

    def __init__(self, folder: Path, programs: str) -> None:
        self.socket = f"{folder}/supervisor.sock"
        config = folder / "supervisord.conf"
        config.write_text(
            f"[supervisord]\nnodaemon=true\nlogfile=/dev/null\nlogfile_maxbytes=0\npidfile={folder}/supervisord.pid\n"
            f"childlogdir={folder}\n[unix_http_server]\nfile={self.socket}\n"
            "[rpcinterface:supervisor]\n"
            "supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface\n" + programs
        )
        self._process = subprocess.Popen(
            ["supervisord", "-c", str(config)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        deadline = time.monotonic() + 20
        while not os.path.exists(self.socket):
            if time.monotonic() > deadline or self._process.poll() is not None:
                raise RuntimeError("supervisord does not start")
            time.sleep(0.01)
        self._sock = self.connect()

    def connect(self) -> socket.socket:
        """Return a new connection."""
        sock = socket.socket(socket.AF_UNIX)
        sock.connect(self.socket)
        return sock

    def call(self, method: str, *arguments: str | bool) -> bytes:
        """Call a method; return the XML of the answer."""
        try:
            self._sock.sendall(self.request(method, *arguments))
            data = self._read()
        except ConnectionError:
            self._sock = self.connect()
            self._sock.sendall(self.request(method, *arguments))
            data = self._read()
        assert b"<fault>" not in data, data
        return data

    def _read(self) -> bytes:
        data = b""
        while not self.is_whole(data):
            part = self._sock.recv(1 << 18)
            if not part:
                raise ConnectionError("supervisord closed the connection")
            data += part
        return data

    @staticmethod
    def request(method: str, *arguments: str | bool) -> bytes:
        """Return the bytes of a call."""
        values = "".join(
            f"<param><value><boolean>{argument:d}</boolean></value></param>"
            if isinstance(argument, bool)
            else f"<param><value><string>{argument}</string></value></param>"
            for argument in arguments
        )
        call = f"<methodName>{method}</methodName><params>{values}</params>"
        body = f"<?xml version='1.0'?><methodCall>{call}</methodCall>"
        head = f"POST /RPC2 HTTP/1.1\r\nHost: x\r\nContent-Type: text/xml\r\nContent-Length: {len(body)}\r\n\r\n"
        return (head + body).encode()

    @staticmethod
    def is_whole(data: bytes) -> bool:
        """Tell whether an answer has arrived to its end."""
        head, found, body = data.partition(b"\r\n\r\n")
        length = re.search(rb"(?i)content-length: *(\d+)", head)
        return bool(found) and length is not None and len(body) >= int(length[1])

    def stop(self) -> None:
        """End it and its children."""
        self._sock.close()
        self._process.terminate()
        self._process.wait(30)


@contextmanager
def supervisord(folder: Path, programs: str) -> Iterator[Supervisord]:
    """Give a started supervisord, and end it."""
    running = Supervisord(folder, programs)
    try:
        yield running
    finally:
        running.stop()
