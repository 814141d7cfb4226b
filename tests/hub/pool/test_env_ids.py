"""Environments by id, against a keeper's end that remembers as the real one does."""

from __future__ import annotations

from typing import Any, cast

import anyio
import pytest

from wezparallel.errors import RequestError
from wezparallel.hub.pool.env_ids import LOGIN, EnvIds
from wezparallel.hub.pool.keeper_link import KeeperLink
from wezparallel.keeper import messages


class Memory:
    """The keeper's part of the link that is about environments."""

    def __init__(self) -> None:
        self.held: dict[str, dict[str, str]] = {}

    def send(self, message: dict[str, Any]) -> None:
        """Take what needs no answer."""
        if message["m"] == messages.ENV_PUT:
            self.held[message["env_id"]] = message["env"]
        elif message["m"] == messages.ENV_KEEP:
            self.held = {name: env for name, env in self.held.items() if name in message["env_ids"]}

    async def call(self, message: dict[str, Any]) -> tuple[dict[str, Any], list[int]]:
        """Give an environment back."""
        if message["env_id"] not in self.held:
            raise RequestError("process.bad_state", "unknown")
        return {"m": "ok", "env": self.held[message["env_id"]]}, []


@pytest.fixture
def memory() -> Memory:
    return Memory()


@pytest.fixture
def ids(memory: Memory) -> EnvIds:
    return EnvIds(cast("KeeperLink", memory))


def test_what_nobody_names_any_more_is_dropped_and_the_login_shells_stays(memory: Memory, ids: EnvIds) -> None:
    first, second = ids.put({"A": "1"}), ids.put({"A": "2"})
    ids.keep_only({second})
    assert set(memory.held) == {second}
    assert ids.held == {second}
    assert first not in memory.held


def test_a_new_hub_reads_back_what_an_earlier_one_put(memory: Memory, ids: EnvIds) -> None:
    env_id = ids.put({"A": "1", "TMUX": "x"})
    again = EnvIds(cast("KeeperLink", memory))
    again.held.add(env_id)
    assert anyio.run(again.get, env_id) == {"A": "1"}
    assert anyio.run(again.ready, env_id) == env_id


def test_in_place_of_a_lost_environment_comes_the_login_shells(
    memory: Memory, ids: EnvIds, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHELL", "/bin/sh")
    assert anyio.run(ids.ready, "gone") == LOGIN
    assert "PATH" in memory.held[LOGIN]


def test_who_sends_none_gets_the_login_shells(ids: EnvIds) -> None:
    assert ids.put(None) == LOGIN
