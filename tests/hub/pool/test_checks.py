"""Seed 001's checks of what comes over the socket: literal texts, unsafe names, folders that lead elsewhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.hub.handlers.test_process import add, get, text_of
from tests.support.daemon import Daemon
from tests.support.waiting import until
from wezparallel.errors import RequestError
from wezparallel.hub.pool import checks

pytestmark = pytest.mark.one_daemon


@pytest.mark.parametrize("sign", [*"|&;`$", "\n"])
def test_a_command_with_a_shells_sign_is_refused_in_the_seeds_words(sign: str) -> None:
    with pytest.raises(RequestError, match="Dangerous characters in command") as refused:
        checks.check_command(f"ls{sign}x")
    assert refused.value.code == "process.bad_command"
    assert refused.value.data["found"] == [sign]


@pytest.mark.parametrize("cwd", ["/tmp/../etc", "..", "../x", "/a/..", "/.."])
def test_a_folder_that_goes_up_is_refused_in_the_seeds_words(cwd: str) -> None:
    with pytest.raises(RequestError, match="Path traversal detected") as refused:
        checks.check_cwd(cwd, None)
    assert refused.value.code == "process.bad_directory"


def test_dots_within_a_name_are_no_way_up() -> None:
    checks.check_cwd("/srv/a..b/...", "/srv")


def test_a_link_out_of_the_root_is_refused_and_its_target_may_be_named(tmp_path: Path) -> None:
    root, outside = tmp_path / "root", tmp_path / "outside"
    (root / "inside").mkdir(parents=True)
    outside.mkdir()
    (root / "away").symlink_to(outside)
    (root / "near").symlink_to(root / "inside")
    (tmp_path / "alias").symlink_to(root)
    with pytest.raises(RequestError, match="Path traversal detected") as refused:
        checks.check_cwd(f"{root}/away", str(root))
    assert refused.value.data["real"] == str(outside)
    checks.check_cwd(str(outside), str(root))
    checks.check_cwd(f"{root}/near", str(root))
    checks.check_cwd(f"{tmp_path}/alias/inside", f"{tmp_path}/alias")


def test_unsafe_names_are_dropped_and_the_rest_is_kept() -> None:
    given = {"LD_PRELOAD": "x", "LD_LIBRARY_PATH": "x", "DYLD_INSERT_LIBRARIES": "x", "BASH_ENV": "x", "IFS": "x",
             "BASH_FUNC_ls%%": "() { :; }", "PATH": "/bin", "LDFLAGS": "-l", "NODE_ENV": "test"}  # fmt: skip
    kept, dropped = checks.safe_env(given)
    assert kept == {"PATH": "/bin", "LDFLAGS": "-l", "NODE_ENV": "test"}
    assert set(dropped) == set(given) - set(kept)


def test_only_a_persons_own_environment_is_taken_as_it_is() -> None:
    given = {"LD_LIBRARY_PATH": "/opt/cuda", "A": "1"}
    assert checks.of_caller(given, {"role": "person"}) == given
    assert checks.of_caller(given, {"role": "agent"}) == {"A": "1"}
    assert checks.of_caller(given, {"role": "unknown"}) == {"A": "1"}
    assert checks.of_caller(None, {"role": "agent"}) is None


def test_what_is_refused_over_the_socket_leaves_nothing_behind(daemon: Daemon) -> None:
    for fields, said in (
        ({"command": "echo $HOME"}, "Dangerous characters in command"),
        ({"command": "true", "cwd": "/tmp/../tmp"}, "Path traversal detected"),
        ({"command": "true", "cwd": "../x"}, "Path traversal detected"),
    ):
        with pytest.raises(RequestError, match=said):
            daemon.call("ProcessAdd", id="w/bad", root="/tmp", **fields)
    assert daemon.call("ProcessList")["processes"] == daemon.call("WorkspaceList")["workspaces"] == []


def test_the_process_runs_without_the_unsafe_names_and_the_reply_says_so(daemon: Daemon) -> None:
    added = add(daemon, "one", "echo [$LD_PRELOAD] [$GOOD]", restart="never",
                env={"LD_PRELOAD": "/no/such.so", "GOOD": "yes"})  # fmt: skip
    assert added["dropped"] == ["LD_PRELOAD"]
    until(lambda: get(daemon, "one")["state"] == "exited", 10, "the end")
    assert text_of(daemon, "one") == "[] [yes]\n"


def test_arguments_may_hold_any_sign(daemon: Daemon) -> None:
    daemon.call("ProcessAdd", id="args", command="/bin/echo", args=["a;b|c&d`e$f\n../.."], restart="never")
    until(lambda: get(daemon, "args")["state"] == "exited", 10, "the end")
    assert text_of(daemon, "args") == "a;b|c&d`e$f\n../..\n"
