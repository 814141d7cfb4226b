"""`scripts/drills NAME`: run one drill, print its table, end with 1 if anything was lost."""

from __future__ import annotations

import argparse
import re
import secrets
import sys

from tests.drills import hub, idle, soak

_UNITS = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9}


def size(text: str) -> int:
    """Return the bytes of `20M` or `2G`."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)([KMG]?)B?", text.upper())
    if not found:
        raise argparse.ArgumentTypeError(f"{text!r} is no size; write 20M or 2G")
    return int(float(found[1]) * _UNITS[found[2]])


def parse(argv: list[str]) -> argparse.Namespace:
    """Return the command line."""
    parser = argparse.ArgumentParser(prog="scripts/drills", description=__doc__)
    drills = parser.add_subparsers(dest="drill", required=True)
    flood = drills.add_parser("hub", help="kill the hub under a flood of output")
    flood.add_argument("--total", type=size, default=size("2G"), help="bytes printed over all (2G)")
    flood.add_argument("--kills", type=int, default=10, help="how often (10)")
    flood.add_argument("--writers", type=int, default=20, help="processes that print (20)")
    flood.add_argument("--idle-kills", type=int, default=3, help="further kills when nothing is going on (3)")
    flood.add_argument("--flood-budget", type=float, default=3.0, help="seconds to the first Pong in a flood (3)")
    flood.add_argument("--upgrades", type=int, default=0, help="upgrades in a row, half way through the kills (0)")
    flood.add_argument("--crowd", action="store_true", help="three more terminals: resized, stopped, never read")
    quiet = drills.add_parser("idle", help="kill the idle hub of some sleeping processes")
    quiet.add_argument("--kills", type=int, default=10, help="how often (10)")
    quiet.add_argument("--processes", type=int, default=20, help="processes that sleep (20)")
    starts = drills.add_parser("soak", help="start and stop mixed processes, and look for what they leave")
    starts.add_argument("--starts", type=int, default=1000, help="how many (1000)")
    starts.add_argument("--warm-up", type=int, default=3000, help="before the first look (3000)")
    starts.add_argument("--growth-kb", type=int, default=256, help="by which hub or keeper may grow (256)")
    starts.add_argument("--seed", default=secrets.token_hex(3), help="repeats the same processes (random)")
    starts.set_defaults(run=soak.main)
    for drill, run in ((flood, hub.main), (quiet, idle.main)):
        drill.add_argument("--idle-budget", type=float, default=1.0, help="seconds to the first Pong else (1)")
        drill.add_argument("--seed", default=secrets.token_hex(3), help="repeats the same kills (random)")
        drill.add_argument("--keep", action="store_true", help="keep the drill's folder")
        drill.set_defaults(run=run)
    return parser.parse_args(argv)


if __name__ == "__main__":
    arguments = parse(sys.argv[1:])
    sys.exit(arguments.run(arguments))
