"""`python -m wezparallel.hub`: the keeper starts it. Its log goes to stderr, which the keeper points at a file.

With `--check` it shows that it loads and can read the database, and ends: that is asked before an upgrade.
"""

# ruff: noqa: E402  rich must be out of reach before structlog is imported
from __future__ import annotations

import logging
import sqlite3
import sys

# structlog looks for rich, which only pretty tracebacks on a terminal need: 40 ms and 3 MB of each hub's start.
sys.modules["rich"] = None  # type: ignore[assignment]

import anyio
import structlog

from wezparallel import paths
from wezparallel.errors import LinkError, WezparallelError
from wezparallel.hub.app import run
from wezparallel.hub.state.database import check_schema


def main() -> int:
    """Run the hub; return its exit code."""
    if "--check" in sys.argv[1:]:
        return _check()
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso"),
            structlog.processors.format_exc_info,
            structlog.processors.KeyValueRenderer(key_order=["timestamp", "level", "event"]),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    # A commit needs the interpreter's lock back; with the default of 5 ms a busy loop made it wait for seconds.
    sys.setswitchinterval(0.0005)
    code = 1
    try:
        code = anyio.run(run, backend_options={"use_uvloop": True})
    except* LinkError as group:
        structlog.get_logger().error("keeper.gone", reason=str(group.exceptions[0]))
    return code


def _check() -> int:
    try:
        check_schema(paths.database())
    except WezparallelError as error:
        sys.stderr.write(error.message + "\n")
        return 1
    except sqlite3.Error:
        return 0  # a damaged one is set aside at the start, by this version as by the one that runs
    return 0


if __name__ == "__main__":
    sys.exit(main())
