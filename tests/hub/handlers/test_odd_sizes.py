"""Long, binary and malformed values: refused in time, or told in pieces that fit; never the end of a list."""

from __future__ import annotations

import base64
import json
import os
from pathlib import Path

import pytest

from tests.hub.handlers.test_process import add, get
from tests.support.daemon import Daemon, parse
from tests.support.waiting import until
from wezparallel.errors import RequestError

pytestmark = pytest.mark.one_daemon


def test_a_long_definition_breaks_no_list(daemon: Daemon) -> None:
    for name in "abcd":
        daemon.call("ProcessAdd", id=name, command="echo", args=["x" * 150_000], auto_start=False)
    seen: list[str] = []
    after = None
    while True:
        page = daemon.call("ProcessList", **({"after": after} if after else {}))
        seen += [record["process_id"] for record in page["processes"]]
        after = page["next"]
        if after is None:
            break
    assert seen == list("abcd")
    with daemon.client() as client:
        subscription = client.subscribe(["*"])
        assert subscription.first["snapshot"]["processes"]


def test_a_definition_that_no_reply_could_carry_is_refused_and_leaves_nothing_behind(daemon: Daemon) -> None:
    for args in (["x" * 300_000] * 3, ["\x01" * 100_000], ["x"] * 4096):
        with pytest.raises(RequestError) as refused:
            daemon.call("ProcessAdd", id="w/big", command="echo", args=args)
        assert refused.value.code in {"process.bad_command", "command.bad_value"}
    assert daemon.call("WorkspaceList")["workspaces"] == []


def test_half_a_surrogate_pair_is_refused_before_it_can_break_a_list(daemon: Daemon) -> None:
    for fields in ({"args": ["\ud800"]}, {"cwd": "/\udc80"}, {"environment": {"A": "\ud800"}}):
        (reply,) = parse(daemon.raw(json.dumps({"ProcessAdd": {"id": "a", "command": "true", **fields}}).encode()))
        assert reply["Error"]["code"] == "command.bad_value"
    assert daemon.call("ProcessList")["processes"] == []


@pytest.mark.parametrize(
    "script",
    ["head -c 700000 /dev/zero", "i=0; while [ $i -lt 6000 ]; do echo; echo >&2; i=$((i+1)); done"],
)
def test_a_log_is_read_to_its_end_whatever_is_in_it(daemon: Daemon, script: str) -> None:
    add(daemon, "odd", script, restart="never")
    until(lambda: get(daemon, "odd")["state"] == "exited", 30, "the end")
    read = 0
    position: int | None = 0
    while position is not None:
        (reply,) = parse(daemon.raw(json.dumps({"LogRead": {"process": "odd", "offset": position}}).encode()))
        log = reply["Log"]
        for chunk in log["chunks"]:
            read += len(base64.b64decode(chunk["text"]) if chunk["encoding"] == "base64" else chunk["text"])
        position = log["next"]
    assert read == log["end"]


def test_a_path_or_an_age_that_is_none_is_no_bug(daemon: Daemon) -> None:
    add(daemon, "a", "true", auto_start=False)
    for command, fields in (
        ("WorkspaceCreate", {"name": "w", "root": "/tmp\0"}),
        ("TemplateGet", {"root": "/tmp\0"}),
        ("TemplateList", {"root": "/tmp\0"}),
        ("LogRead", {"process": "a", "since": "9" * 400 + "s"}),
    ):
        (reply,) = parse(daemon.raw(json.dumps({command: fields}).encode()))
        assert reply.get("Error", {}).get("code") != "internal.bug", reply


def test_a_file_whose_name_is_no_text_hides_no_template(daemon: Daemon, tmp_path: Path) -> None:
    folder = tmp_path / ".wezparallel"
    folder.mkdir()
    (folder / "good.yaml").write_text("panes: ['sleep 1']")
    with open(os.fsencode(folder) + b"/odd\xff.yaml", "wb") as odd:
        odd.write(b"panes: ['sleep 1']")
    names = [record["name"] for record in daemon.call("TemplateList", root=str(tmp_path))["templates"]]
    assert "good" in names
