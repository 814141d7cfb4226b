"""The other frontends, run as programs of their own: none imports another, so that each can be left out.

Above: the verbs that mean WezTerm. What a sibling says is JSON on stdout, what went wrong one line of it on stderr.
"""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys

from wezparallel.client import launch
from wezparallel.errors import RequestError
from wezparallel.frontends.cli import door, names, top

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn, Self

    from wezparallel.frontends.cli.context import Context
    from wezparallel.types import JsonObject, Seconds

WEZTERM = "wezparallel.frontends.wezterm"
TUI = "wezparallel.frontends.tui"
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


def dashboard(context: Context) -> int:
    """Become the dashboard; where Textual is not installed, or nobody looks, show `top`."""
    is_installed = importlib.util.find_spec("textual") is not None
    if not is_installed:
        context.note("the dashboard needs Textual: pip install 'wezparallel[tui]'; this is `wezparallel top`")
    if is_installed and context.interactive:
        _become_dashboard(context)
    return top.top(context)


def _become_dashboard(context: Context) -> NoReturn:
    args = context.args
    words = [*(["--socket", args.socket] if args.socket else []), *(["--theme", args.theme] if args.theme else [])]
    if args.workspace is not None:
        words.append(names.workspace(context, args.workspace)["name"])
    context.close()
    argv = [sys.executable, "-m", TUI, *words]  # this Python has Textual
    door.flush()
    os.execve(argv[0], argv, launch.environment() | ({"NO_COLOR": "1"} if args.color == "never" else {}))


def _argv(module: str, words: tuple[str, ...] | list[str]) -> list[str]:
    return [launch.interpreter(), "-m", module, *words]
