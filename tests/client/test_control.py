"""The control role: its names are the keeper's, its framing too."""

from __future__ import annotations

import json
import socket
import threading

import pytest

from wezparallel.client import control
from wezparallel.errors import LinkError, RequestError
from wezparallel.keeper import messages
from wezparallel.wire import frames, hello


def keeper(path: str, answers: list[bytes]) -> threading.Thread:
    """Serve one connection: check the hello, then send one prepared answer per received frame."""
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(path)
    listener.listen()

    def serve() -> None:
        with listener, listener.accept()[0] as connection:
            reader = frames.FrameReader()
            while data := connection.recv(65536):
                for kind, payload in reader.feed(data):
                    if kind == frames.HELLO:
                        assert hello.parse_client_hello(payload)[0] == hello.ROLE_CONTROL
                    connection.sendall(answers.pop(0))

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    return thread


HELLO = frames.pack(frames.HELLO, hello.server_hello(1))


def message(**fields: object) -> bytes:
    return frames.pack(frames.MESSAGE, json.dumps(fields).encode())


def test_names_are_the_keepers() -> None:
    assert (control.STATUS, control.STOP, control.START) == (
        messages.CONTROL_STATUS, messages.CONTROL_STOP, messages.CONTROL_START,
    )  # fmt: skip


def test_status_is_what_the_keeper_answers(runtime: str) -> None:
    thread = keeper(runtime + "/keeper.sock", [HELLO, message(m="ok", re=1, pid=7, runs=3)])
    with control.Control() as link:
        assert link.status()["runs"] == 3
    thread.join(5)


def test_a_refused_hello_is_a_link_error(runtime: str) -> None:
    refusal = frames.pack(
        frames.REFUSED, json.dumps({"code": "wire.version", "message": "no common version"}).encode()
    )
    thread = keeper(runtime + "/keeper.sock", [refusal])
    with pytest.raises(LinkError, match="no common version"):
        control.Control()
    thread.join(5)


def test_a_refused_message_is_a_request_error(runtime: str) -> None:
    thread = keeper(
        runtime + "/keeper.sock", [HELLO, message(m="refused", re=1, code="process.bad_state", message="no")]
    )
    with control.Control() as link, pytest.raises(RequestError, match="no"):
        link.start_hub()
    thread.join(5)


def test_without_a_keeper_it_is_a_connection_error(runtime: str) -> None:
    with pytest.raises(ConnectionError):
        control.Control()
