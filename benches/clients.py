"""Requests a second with 50 clients that each wait for their answer, against supervisord (its XML-RPC, kept open)."""

from __future__ import annotations

import select
import socket
import time
from collections.abc import Callable
from functools import partial

from benches.daemon import daemon, folder, request
from benches.measure import Row, at_least, in_turns, missing
from benches.peers import present, supervisord

CLIENTS = 50
IDS = 1000  # each request has an id of its own, as with real clients; supervisord's have none
HEADLINE = "requests/s, 50 clients"
PROGRAM = "[program:a]\ncommand=/bin/sleep 100000\nstartsecs=0\n"


def per_second(
    connect: Callable[[], socket.socket], lines: list[bytes], is_whole: Callable[[bytes], bool], count: int
) -> float:
    """Have all clients ask, going round the lines, until `count` answers came; return answers a second."""
    socks = [connect() for _ in range(CLIENTS)]
    by_fd = {sock.fileno(): sock for sock in socks}
    parts = dict.fromkeys(by_fd, b"")
    poll = select.epoll()
    for fd in by_fd:
        poll.register(fd, select.EPOLLIN)
    begin = time.perf_counter()
    for sock in socks:
        sock.sendall(lines[0])
    done = 0
    while done < count:
        for fd, _ in poll.poll():
            data = by_fd[fd].recv(65536)
            assert data, "the server closed a connection"
            parts[fd] += data
            if is_whole(parts[fd]):
                parts[fd] = b""
                done += 1
                by_fd[fd].sendall(lines[done % len(lines)])
    taken = time.perf_counter() - begin
    poll.close()
    for sock in socks:
        sock.close()
    return done / taken


def run() -> list[Row]:
    """Measure."""
    if not present("supervisord"):
        return [missing(HEADLINE, "supervisord", "≥ 15×")]
    with daemon() as ours, folder() as path, supervisord(path, PROGRAM) as peer:
        ours.call("ProcessAdd", id="a", command="/bin/sleep", args=["100000"])
        pairs = {
            "is it there": ("Ping", {}, peer.request("supervisor.getState")),
            "one process's state": ("ProcessGet", {"process": "a"}, peer.request("supervisor.getProcessInfo", "a")),
        }
        rows = []
        for what, (command, fields, asked) in pairs.items():
            lines = [request(command, number, **fields) for number in range(IDS)]
            medians = in_turns(
                {
                    "us": partial(per_second, partial(_connect, ours.socket), lines, _is_line, 20000),
                    "peer": partial(per_second, peer.connect, [asked], peer.is_whole, 2000),
                }
            )
            theirs = {"supervisord": medians["peer"]}
            rows.append(at_least(f"{HEADLINE}, {what}", medians["us"], theirs, 15, "/s"))
    return rows


def _is_line(data: bytes) -> bool:
    return data.endswith(b"\n")


def _connect(path: str) -> socket.socket:
    sock = socket.socket(socket.AF_UNIX)
    sock.connect(path)
    return sock
