"""What `doctor` finds: one check's result, whichever frontend looked."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NamedTuple

    class Finding(NamedTuple):
        """One check's result."""

        level: str
        """`ok`, `fix` (something does not work) or `note` (good to know)"""
        subject: str
        said: str
        fix: str = ""
else:
    from collections import namedtuple

    Finding = namedtuple("Finding", "level subject said fix", defaults=("",))
