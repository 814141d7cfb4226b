"""`python -m wezparallel.frontends.tui`: the dashboard, as a program of its own.

`wezparallel dashboard` becomes it where Textual is installed; frontends never import each other.
"""

from __future__ import annotations

import argparse
import gc
import os
import sys

from wezparallel.client import launch
from wezparallel.errors import LinkError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

NO_DAEMON = 5
NO_TERMINAL = 2
THEMES = ("dark", "light", "16")


def main(argv: Sequence[str] | None = None) -> int:
    """Show it until it is left; return the exit code."""
    args = grammar().parse_args(argv)
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        sys.stderr.write("wezparallel: the dashboard needs a terminal; `wezparallel` prints what runs\n")
        return NO_TERMINAL
    try:
        if not args.socket and not os.environ.get("WEZPARALLEL_SOCKET"):
            launch.ensure()
    except LinkError as error:
        sys.stderr.write(f"wezparallel: {error.message}\n")
        return NO_DAEMON
    if not sys.stderr.isatty():
        os.dup2(sys.stdout.fileno(), sys.stderr.fileno())  # Textual draws on stderr
    from wezparallel.frontends.tui.app import Dashboard  # noqa: PLC0415  0.4 s, which a refusal need not wait for

    gc.freeze()  # modules need not be looked through for garbage while a key waits
    app = Dashboard(args.socket, args.theme or "", wanted=f"{args.workspace}/" if args.workspace else "")
    app.run()
    return app.return_code or 0


def grammar() -> argparse.ArgumentParser:
    """Return the parser."""
    parser = argparse.ArgumentParser(prog="wezparallel dashboard", description="What runs, and who needs you.")
    parser.add_argument("workspace", nargs="?", metavar="WORKSPACE", help="only this one's; esc shows all")
    parser.add_argument("--socket", metavar="PATH", help="another daemon's public socket")
    parser.add_argument("--theme", choices=THEMES, help="default: by the terminal's colours")
    return parser


if __name__ == "__main__":
    sys.exit(main())
