"""The console script. `attach` and `call` leave from here, before any other module is imported.

`attach` runs in every pane and pays for each import in memory; `call` runs on every key of WezTerm. So both go on in
a bare interpreter of their own (`-I -S`), and everything else is main.py's.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn


def main() -> int:
    """Run `wezparallel`; return its exit code."""
    argv = sys.argv[1:]
    if argv and argv[0] == "call" and "-h" not in argv and "--help" not in argv:
        become("call", [word for word in argv[1:] if word != "--json"])
    if argv and argv[0] == "attach" and is_plain(argv[1:]):
        become("attach", argv[1:])
    if argv and argv[0] == "__complete":
        from wezparallel.frontends.cli import completion  # noqa: PLC0415  the same

        return completion.answer(argv[1:])
    from wezparallel.frontends.cli import main as whole  # noqa: PLC0415  costs what the two above must not

    return whole.run(argv)


def is_plain(words: list[str]) -> bool:
    """Tell whether the attach client understands these words as they are: a whole process id and its own options."""
    return bool(words) and "/" in words[0] and {*words[1:]} <= {"--read-only", "--exit", "--relay"}


def become(program: str, argv: list[str]) -> NoReturn:
    """Turn this process into a small client: a bare interpreter that runs its file."""
    flush()
    command = command_line(program, argv)
    os.execv(command[0], command)


def command_line(program: str, argv: list[str]) -> list[str]:
    """Return the command line of client/`program`.py in a bare interpreter."""
    file = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "client", program + ".py")
    return [sys.executable, "-I", "-S", os.path.normpath(file), *argv]


def flush() -> None:
    """Let nothing that was written be lost or come twice."""
    sys.stdout.flush()
    sys.stderr.flush()
