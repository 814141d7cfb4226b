"""The other frontends, run as programs of their own: none imports another, so that each can be left out.

Above: the verbs that mean WezTerm. What a sibling says is JSON on stdout, what went wrong one line of it on stderr.
"""

from __future__ import annotations

import json
import os
import subprocess

from wezparallel.client import launch
from wezparallel.errors import RequestError
from wezparallel.frontends.cli import door

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn, Self

    from wezparallel.frontends.cli.context import Context
    from wezparallel.types import JsonObject, Seconds

WEZTERM = "wezparallel.frontends.wezterm"
_PATIENCE_S = 60.0


class Sibling:
    """One of them, that runs; what it is to do may be said once it is known."""

    def __init__(self, module: str, *words: str, **variables: str) -> None:
        """Raises RequestError. `variables` go over this environment."""
        self._module = module
        try:
            self._program = subprocess.Popen(
                _argv(module, words), env=launch.environment() | variables, text=True,
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            )  # fmt: skip
        except OSError as error:
            raise RequestError("internal.bug", f"{module} could not be asked: {error}") from None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """End it, if nobody has told it what to do."""
        self._program.kill()
        self._program.communicate()

    def answer(self, said: str = "", patience_s: Seconds = _PATIENCE_S) -> JsonObject:
        """Give it its input; return what it says. Raises RequestError with its own error, or that it failed."""
        try:
            out, err = self._program.communicate(said, patience_s)
        except subprocess.TimeoutExpired:
            raise RequestError("internal.bug", f"{self._module} did not answer within {patience_s:g} s") from None
        try:
            told: JsonObject = json.loads(err if self._program.returncode else out)
        except ValueError:
            last = (err.strip().splitlines() or ["it said nothing"])[-1]
            raise RequestError("internal.bug", f"{self._module} failed: {last}") from None
        failure = told.get("Error")
        if failure:
            raise RequestError(failure["code"], failure["message"], **failure["data"])
        return told


def ask(module: str, *words: str) -> JsonObject:
    """Run a sibling; return what it says. Raises RequestError with its own error, or that it failed."""
    with Sibling(module, *words) as sibling:
        return sibling.answer()


def init(context: Context) -> NoReturn:
    """Become the program that sets WezTerm up."""
    words = [word for word, given in (("--write", context.args.write), ("--json", context.json)) if given]
    argv = _argv(WEZTERM, ["init", *words])
    door.flush()
    os.execve(argv[0], argv, launch.environment())


def _argv(module: str, words: tuple[str, ...] | list[str]) -> list[str]:
    return [launch.interpreter(), "-m", module, *words]
