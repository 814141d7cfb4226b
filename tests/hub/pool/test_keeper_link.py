"""The hub's end of the link, against a keeper's end that is played on a real socket."""

from __future__ import annotations

import json
import os
import shutil
import socket
import tempfile
import threading
from collections.abc import Callable, Iterator
from typing import Any

import anyio
import pytest

from wezparallel.errors import LinkError
from wezparallel.hub.pool.keeper_link import KeeperLink, close_all
from wezparallel.wire import frames, hello

Play = Callable[[socket.socket], None]


@pytest.fixture
def path() -> Iterator[str]:
    folder = tempfile.mkdtemp(prefix="wzl", dir="/tmp")
    yield f"{folder}/keeper.sock"
    shutil.rmtree(folder)


def run(
    path: str, play: Play, on_message: Callable[[dict[str, Any], list[int]], None], forgiving: bool = True
) -> str:
    """Have a keeper play its part and end; return what the link says at its end."""
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    listener.listen()

    def serve() -> None:
        peer, _ = listener.accept()
        with peer:
            peer.recv(4096)
            play(peer)

    async def connect_and_read() -> None:
        link = KeeperLink(path)
        link.is_forgiving = forgiving
        try:
            with anyio.fail_after(10):
                await link.connect("h-test")
                await link.run(on_message)
        finally:
            link.close()

    keeper = threading.Thread(target=serve)
    keeper.start()
    try:
        with pytest.raises(LinkError) as ended:
            anyio.run(connect_and_read)
    finally:
        keeper.join(10)
        listener.close()
    return ended.value.message


def message(**fields: Any) -> bytes:
    return frames.pack(frames.MESSAGE, json.dumps(fields).encode())


WELCOME = frames.pack(frames.HELLO, hello.server_hello(1))


def test_what_comes_together_with_the_hello_is_taken_too(path: str) -> None:
    seen: list[str] = []
    run(
        path,
        lambda peer: peer.sendall(WELCOME + message(m="one") + message(m="two")),
        lambda m, _: seen.append(m["m"]),
    )
    assert seen == ["one", "two"]


def test_a_fault_in_a_handler_does_not_end_the_link(path: str) -> None:
    seen: list[str] = []

    def take(received: dict[str, Any], _fds: list[int]) -> None:
        seen.append(received["m"])
        if received["m"] == "bad":
            raise ValueError("a bug of ours")

    said = run(path, lambda peer: peer.sendall(WELCOME + message(m="bad") + message(m="good")), take)
    assert seen == ["bad", "good"]
    assert "closed" in said


def test_a_fault_before_the_hub_serves_ends_it(path: str) -> None:
    def take(_received: dict[str, Any], _fds: list[int]) -> None:
        raise LinkError("a bug of ours")

    play: Play = lambda peer: peer.sendall(WELCOME + message(m="bad") + message(m="good"))  # noqa: E731
    assert run(path, play, take, forgiving=False) == "a bug of ours"


def test_descriptors_come_with_the_message_that_counts_them(path: str) -> None:
    got: list[tuple[str, int]] = []

    def play(peer: socket.socket) -> None:
        read_end, write_end = os.pipe()
        peer.sendall(WELCOME + message(m="none"))
        socket.send_fds(peer, [message(m="two", fds=2)], [read_end, write_end])
        close_all([read_end, write_end])

    def take(received: dict[str, Any], fds: list[int]) -> None:
        got.append((received["m"], len(fds)))
        assert not any(os.get_inheritable(fd) for fd in fds)
        close_all(fds)

    run(path, play, take)
    assert got == [("none", 0), ("two", 2)]


def test_a_refusal_says_why(path: str) -> None:
    refusal = frames.pack(frames.REFUSED, b'{"message":"not my child"}')
    assert run(path, lambda peer: peer.sendall(refusal), lambda _m, _f: None) == "not my child"


def test_without_a_keeper_it_says_where_it_looked(path: str) -> None:
    async def connect() -> None:
        link = KeeperLink(path)
        try:
            await link.connect("h-test")
        finally:
            link.close()

    with pytest.raises(LinkError) as refused:
        anyio.run(connect)
    assert path in refused.value.message
