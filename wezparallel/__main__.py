"""`python -m wezparallel`: the command line, also in a checkout that is not installed."""

from __future__ import annotations

import sys

from wezparallel.frontends.cli.door import main

if __name__ == "__main__":
    sys.exit(main())
