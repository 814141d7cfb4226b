"""`python -m wezparallel.frontends.wezterm show|init|doctor`: what the command line runs when it means WezTerm.

Frontends never import each other, so the command line starts this one and reads what it prints.
"""

from __future__ import annotations

import argparse
import json
import sys

from wezparallel.errors import WezparallelError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

FAILED = 1


def main(argv: Sequence[str] | None = None) -> int:
    """Run one verb; return its exit code. What went wrong is one line of JSON on stderr."""
    args = grammar().parse_args(argv)
    try:
        if args.verb == "show":
            from wezparallel.frontends.wezterm.show import show  # noqa: PLC0415  each verb pays for itself

            args.workspace = sys.stdin.read() if args.workspace == "-" else args.workspace
            sys.stdout.write(json.dumps(show(args)) + "\n")
            return 0
        if args.verb == "init":
            from wezparallel.frontends.wezterm.init import init  # noqa: PLC0415

            return init(args)
        from wezparallel.frontends.wezterm.checks import doctor  # noqa: PLC0415

        return doctor(args)
    except WezparallelError as error:
        sys.stderr.write(json.dumps({"Error": error.to_json()}, ensure_ascii=False) + "\n")
        return FAILED


def grammar() -> argparse.ArgumentParser:
    """Return the parser."""
    parser = argparse.ArgumentParser(prog="python -m wezparallel.frontends.wezterm")
    verbs = parser.add_subparsers(dest="verb", required=True)
    show = verbs.add_parser("show", help="put a workspace on the screen")
    show.add_argument("workspace", help="its name; `-` reads it from stdin")
    show.add_argument("--socket", help="the hub's socket")
    show.add_argument("--keeper-socket", help="the keeper's socket")
    show.add_argument("--pane", help="make the tab in the window of this pane (default: WEZTERM_PANE)")
    show.add_argument("--new-window", action="store_true", help="in a new window of the workspace's own name")
    init = verbs.add_parser("init", help="set WezTerm up")
    init.add_argument("--write", action="store_true", help="add the lines to wezterm.lua")
    init.add_argument("--json", action="store_true", help="one JSON document")
    doctor = verbs.add_parser("doctor", help="check what the plugin needs")
    doctor.add_argument("--json", action="store_true", help="one JSON document")
    doctor.add_argument("--socket", help="the hub's socket")
    return parser


if __name__ == "__main__":
    sys.exit(main())
