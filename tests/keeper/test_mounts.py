"""What lies on a mount that may hang is known by its name, and not looked at."""

from __future__ import annotations

from pathlib import Path

import pytest

from wezparallel.keeper.environment import is_known
from wezparallel.keeper.mounts import is_near

TABLE = """\
9p / 9p rw 0 0
tmpfs /tmp tmpfs rw 0 0
server:/home /home nfs4 rw 0 0
/dev/sda1 /home/me/local ext4 rw 0 0
me@there: /mnt/my\\040disk fuse.sshfs rw 0 0
tmpfs /srv tmpfs rw 0 0
server:/srv /srv nfs rw 0 0
"""


@pytest.mark.parametrize(
    ("path", "near"),
    [
        ("/usr/share/terminfo", True), ("/tmp/ssh-x/agent.1", True), ("/home/me/.terminfo", False), ("/home", False),
        ("/homes/me", True), ("/home/me/local/x", True), ("/home/me/local/../x", False), ("/mnt/my disk/a", False),
        ("/mnt/my", True), ("/srv/x", False),
    ],
)  # fmt: skip
def test_the_mount_that_covers_a_path_tells(tmp_path: Path, path: str, near: bool) -> None:
    table = tmp_path / "mounts"
    table.write_text(TABLE)
    assert is_near(path, str(table)) == near


def test_without_a_table_everything_is_near(tmp_path: Path) -> None:
    assert is_near("/home/me", str(tmp_path / "none"))


def test_a_folder_that_is_no_absolute_path_describes_no_terminal() -> None:
    assert not is_known("of-nobody", {"TERMINFO": "here/terminfo", "TERMINFO_DIRS": ":there:"})
