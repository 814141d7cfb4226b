"""The link in /tmp: made, renewed, and left alone where it is somebody else's."""

from __future__ import annotations

import os
import shutil
import socket
import tempfile
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING, cast

import pytest

from wezparallel import paths
from wezparallel.keeper.listeners import Listeners

if TYPE_CHECKING:
    from wezparallel.keeper.keeper import Keeper


class Said:
    """What the listeners need of a keeper here: a place to say something."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def say(self, text: str) -> None:
        self.lines.append(text)


@pytest.fixture
def link(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A name for the link that is nobody's, and a runtime directory beside it."""
    folder = tempfile.mkdtemp(prefix="wzp", dir="/tmp")
    monkeypatch.setenv("WEZPARALLEL_RUNTIME_DIR", folder)
    monkeypatch.setattr(paths, "link", lambda: folder + "/link")
    yield folder + "/link"
    shutil.rmtree(folder)


def make(said: Said) -> None:
    Listeners(cast("Keeper", said)).make_link()


def test_the_link_is_made_and_a_stale_one_replaced(link: str) -> None:
    said = Said()
    make(said)
    assert os.readlink(link) == paths.hub_socket()
    os.unlink(link)
    os.symlink("/nowhere", link)
    make(said)
    assert os.readlink(link) == paths.hub_socket()
    assert not said.lines


@pytest.mark.skipif(os.getuid() != 0, reason="only root can make a link that is another user's")
def test_another_users_link_is_left_alone_and_it_is_said(link: str) -> None:
    os.symlink("/nowhere", link)
    os.lchown(link, 1, 1)
    said = Said()
    make(said)
    assert os.readlink(link) == "/nowhere"
    assert "belongs to uid 1" in said.lines[0]


def test_a_link_that_leads_to_a_live_server_is_left_alone(link: str) -> None:
    other = os.path.dirname(link) + "/other"
    os.symlink(other, link)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(other)
        server.listen()

        def pong() -> None:
            client, _ = server.accept()
            client.recv(100)
            client.sendall(b"{}")
            client.close()

        thread = threading.Thread(target=pong)
        thread.start()
        said = Said()
        make(said)
        thread.join()
    assert os.readlink(link) == other
    assert "served by another program" in said.lines[0]
