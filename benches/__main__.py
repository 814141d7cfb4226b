"""`python -m benches [NAME...] [--json]`: measures what we claim, and prints it as a table."""

from __future__ import annotations

import argparse
import importlib
import json
import signal
import sys

from benches.measure import Row, table

NAMES = (
    "rpc", "clients", "flooded", "echo", "flood", "attach", "held", "start", "restart", "small", "chain", "idle",
    "hub_death", "window", "dashboard",
)  # fmt: skip
LIMIT_S = 120


def main() -> int:
    """Run the benches that were named, or all; return 1 if one could not be run."""
    parser = argparse.ArgumentParser(prog="python -m benches", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(NAMES)}; all, if none is named")
    parser.add_argument("--json", action="store_true", help="print a JSON list instead of a table")
    arguments = parser.parse_args()
    unknown = set(arguments.names) - set(NAMES)
    if unknown:
        parser.error(f"there is no bench {', '.join(sorted(unknown))}; known are {', '.join(NAMES)}")
    for number in (signal.SIGALRM, signal.SIGTERM):
        signal.signal(number, _end)
    rows: list[Row] = []
    failed = 0
    for name in arguments.names or NAMES:
        sys.stderr.write(f"{name} …\n")
        signal.alarm(LIMIT_S)
        try:
            rows += importlib.import_module(f"benches.{name}").run()
        except Exception as error:  # noqa: BLE001  one bench that fails must not take the others' figures with it
            sys.stderr.write(f"{name}: {type(error).__name__}: {error}\n")
            failed = 1
    sys.stdout.write(json.dumps([row.to_json() for row in rows], indent=1) + "\n" if arguments.json else table(rows))
    return failed


def _end(number: int, _frame: object) -> None:
    """Leave through every `finally`, so that nothing which was started stays."""
    if number == signal.SIGALRM:
        raise TimeoutError(f"not done after {LIMIT_S} s")
    sys.exit(1)


if __name__ == "__main__":
    sys.exit(main())
