"""Whether a path lies on a disk of this machine, told by names alone: a dead mount must not hang the keeper.

What a viewer or a caller names may lie anywhere. Looking at a file on a server that is gone waits for that server,
and everything that the keeper holds would wait with it; the table of mounts is the kernel's own and always answers.
A link that leads from a disk of ours to such a server is not seen through.
"""

from __future__ import annotations

import os

_MOUNTS = "/proc/self/mounts"
_OURS = frozenset(
    ("bcachefs", "btrfs", "devtmpfs", "erofs", "exfat", "ext2", "ext3", "ext4", "f2fs", "jfs", "overlay", "ramfs",
     "reiserfs", "rootfs", "squashfs", "tmpfs", "ufs", "vfat", "xfs", "zfs")
)  # fmt: skip
"""Kinds of file systems that ask nobody else."""


def is_near(path: str, mounts: str = _MOUNTS) -> bool:
    """Tell whether looking at an absolute path waits for no other machine or program.

    What lies on the root's file system always counts: with that everything hangs. So it is where there is no table.
    """
    path = os.path.normpath(path)
    at, kind = "/", ""
    try:
        with open(mounts, encoding="utf-8", errors="surrogateescape") as file:
            for line in file:
                _, place, its_kind, *_ = line.split(" ")
                place = _unescaped(place)
                # The last of those mounted in the same place covers the others.
                if len(place) >= len(at) and (path == place or path.startswith(place.rstrip("/") + "/")):
                    at, kind = place, its_kind
    except (OSError, ValueError):
        return True
    return at == "/" or kind in _OURS


def _unescaped(place: str) -> str:
    for code, sign in (("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")):
        place = place.replace(code, sign)
    return place
