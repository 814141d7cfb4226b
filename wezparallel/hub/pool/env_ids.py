"""Which environment a start gets, by id. The keeper holds them in its memory; nobody writes them down.

`up` and `run` send their caller's environment with the request; everyone else gets the login shell's, captured once.
"""

from __future__ import annotations

import os
import secrets
from contextlib import contextmanager
from typing import TYPE_CHECKING

import anyio
import structlog

from wezparallel.errors import RequestError
from wezparallel.hub.pool import environment
from wezparallel.keeper import messages

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wezparallel.hub.pool.keeper_link import KeeperLink

LOGIN = "login"

log = structlog.get_logger()


class EnvIds:
    """The hub's view of the environments that the keeper holds."""

    def __init__(self, link: KeeperLink) -> None:
        self._link = link
        self._seen: dict[str, dict[str, str]] = {}
        self._asking = anyio.Lock()
        self._used: list[str] = []
        self.held: set[str] = set()

    def put(self, env: dict[str, str] | None) -> str:
        """Hand a caller's environment to the keeper; return its id. Without one it is the login shell's."""
        if env is None:
            return LOGIN
        env_id = secrets.token_hex(8)
        self._keep(env_id, environment.filtered(env))
        return env_id

    async def ready(self, env_id: str) -> str:
        """Return an id that the keeper holds: this one, or the login shell's in its place."""
        if env_id in self.held:
            return env_id
        if env_id not in {"", LOGIN}:
            log.warning("environment.gone", env_id=env_id, instead=LOGIN)
        async with self._asking:
            if LOGIN not in self.held:
                self._keep(LOGIN, await environment.login_environment())
        return LOGIN

    async def get(self, env_id: str) -> dict[str, str]:
        """Return an environment, asking the keeper for one that an earlier hub put there."""
        if env_id not in self._seen:
            try:
                reply, _ = await self._link.call({"m": messages.ENV_GET, "env_id": env_id})
            except RequestError:
                return {}
            self._seen[env_id] = reply["env"]
        return self._seen[env_id]

    def at_hand(self, env: dict[str, str] | None, env_id: str = LOGIN) -> dict[str, str]:
        """Return a caller's environment without waiting: theirs, else one that was seen, else the daemon's own."""
        if env is not None:
            return environment.filtered(env)
        return self._seen.get(env_id) or self._seen.get(LOGIN) or environment.filtered(os.environ)

    def seen(self, env_id: str) -> dict[str, str] | None:
        """Return an environment if that takes no question."""
        return self._seen.get(env_id)

    def holds(self, env_id: str) -> bool:
        """Tell whether the keeper has it; after the keeper's end it has none."""
        return env_id in self.held

    @contextmanager
    def in_use(self, env_id: str) -> Iterator[None]:
        """Let nobody drop an environment while a start that names it is on its way."""
        self._used.append(env_id)
        try:
            yield
        finally:
            self._used.remove(env_id)

    def keep_only(self, env_ids: set[str]) -> None:
        """Let the keeper drop all others, if it holds others."""
        kept = env_ids | {LOGIN, *self._used}
        if self.held <= kept:
            return
        self._link.send({"m": messages.ENV_KEEP, "env_ids": sorted(kept)})
        self.held &= kept
        self._seen = {env_id: env for env_id, env in self._seen.items() if env_id in self.held}

    def _keep(self, env_id: str, env: dict[str, str]) -> None:
        self._seen[env_id] = env
        self.held.add(env_id)
        self._link.send({"m": messages.ENV_PUT, "env_id": env_id, "env": env})
