"""The verbs that change processes: whom they mean, what they send, how they end."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable

import pytest

from tests.support.commandline import CommandLine
from tests.support.scripted_hub import ScriptedHub, process, workspace
from wezparallel.errors import RequestError

KNOWN = [process("api/server", pid=7), process("shop/server"), process("shop/tests"), process("shop/worker", pid=9)]


@pytest.fixture
def shop(hub: ScriptedHub) -> ScriptedHub:
    def answer(**more: object) -> Callable[[dict[str, str]], dict[str, object]]:
        return lambda fields: {"process": process(fields["process"], **more)}

    hub.answers |= {
        "ProcessList": {"processes": KNOWN, "next": None},
        "WorkspaceList": {"workspaces": [workspace("shop"), workspace("api", root="/srv/api")], "next": None},
        "ProcessStart": answer(), "ProcessRestart": answer(),
        "ProcessStop": answer(state="stopped", pid=None), "ProcessKill": answer(state="stopped", signal=9, pid=None),
        "ProcessSuspend": answer(state="suspended", pid=7), "ProcessResume": answer(),
        "ProcessRemove": lambda fields: {"process_id": fields["process"]},
        "ProcessType": lambda fields: {"process_id": fields["process"], "bytes": len(fields["text"])},
    }  # fmt: skip
    return hub


@pytest.mark.parametrize(
    ("word", "meant"), [("shop/server", "shop/server"), ("tests", "shop/tests"), ("9", "shop/worker")]
)
def test_a_process_is_named_by_id_by_a_unique_name_or_by_pid(
    word: str, meant: str, shop: ScriptedHub, wezparallel: CommandLine
) -> None:
    assert wezparallel("stop", word).code == 0
    assert [fields["process"] for fields in shop.asked("ProcessStop")] == [meant]


def test_a_name_that_two_have_is_refused_with_both(shop: ScriptedHub, wezparallel: CommandLine) -> None:
    done = wezparallel("stop", "server")
    assert done.code == 3
    assert "api/server, shop/server" in done.err
    assert not shop.asked("ProcessStop")


def test_in_the_folder_of_a_workspace_a_bare_name_means_its_own(shop: ScriptedHub, wezparallel: CommandLine) -> None:
    here = workspace("shop", root=str(wezparallel.cwd))
    shop.answers["WorkspaceList"] = {"workspaces": [here], "next": None}
    assert wezparallel("stop", "server").code == 0
    assert shop.asked("ProcessStop")[0]["process"] == "shop/server"


def test_a_pattern_means_all_that_match(shop: ScriptedHub, wezparallel: CommandLine) -> None:
    assert wezparallel("stop", "shop/*").code == 0
    assert len(shop.asked("ProcessStop")) == 3


def test_a_workspace_s_name_with_a_slash_means_all_of_its_processes(
    shop: ScriptedHub, wezparallel: CommandLine
) -> None:
    assert wezparallel("stop", "shop/").code == 0
    assert sorted(fields["process"] for fields in shop.asked("ProcessStop")) == [
        "shop/server", "shop/tests", "shop/worker"
    ]  # fmt: skip
    unknown = wezparallel("stop", "shap/")
    assert unknown.code == 3
    assert "did you mean shop?" in unknown.err


def test_an_unknown_name_is_answered_with_the_nearest(shop: ScriptedHub, wezparallel: CommandLine) -> None:
    done = wezparallel("restart", "shop/sever")
    assert done.code == 3
    assert "did you mean shop/server?" in done.err
    as_json = json.loads(wezparallel("restart", "wroker", "--json").err)["Error"]
    assert (as_json["code"], as_json["data"]["nearest"]) == ("process.not_found", "shop/worker")


def test_one_failure_does_not_keep_the_others_from_it(shop: ScriptedHub, wezparallel: CommandLine) -> None:
    def stop(fields: dict[str, str]) -> dict[str, object]:
        if fields["process"] == "shop/tests":
            raise RequestError("process.stop_timeout", "shop/tests did not end within 5 s")
        return {"process": process(fields["process"], state="stopped", pid=None)}

    shop.answers["ProcessStop"] = stop
    done = wezparallel("stop", "tests", "worker")
    assert done.code == 1
    assert wezparallel("stop", "nobody", "worker").code == 3
    assert len(shop.asked("ProcessStop")) == 3
    assert "did not end" in done.err
    assert "shop/worker" in done.out


@pytest.mark.parametrize("verb", ["start", "restart", "stop", "suspend", "resume", "kill", "rm"])
def test_each_verb_has_its_key_and_says_what_became_of_it(
    verb: str, shop: ScriptedHub, wezparallel: CommandLine
) -> None:
    done = wezparallel(verb, "tests")
    assert done.code == 0
    assert "shop/tests" in done.out
    assert shop.requests[-1][1]["key"]


def test_what_is_suspended_is_shown_so(shop: ScriptedHub, wezparallel: CommandLine) -> None:
    assert wezparallel("suspend", "shop/*").out.count("suspended") == 3
    shop.answers["ProcessList"] = {"processes": [process("shop/tests", state="suspended", pid=7)], "next": None}
    assert "‖ shop/tests  suspended" in wezparallel("ps").out
    told = json.loads(wezparallel("suspend", "tests", "--json").out)
    assert [one["state"] for one in told["processes"]] == ["suspended"]


def test_what_cannot_be_suspended_is_said_and_ends_with_its_code(shop: ScriptedHub, wezparallel: CommandLine) -> None:
    def refuse(_fields: dict[str, str]) -> dict[str, object]:
        raise RequestError("process.not_running", "shop/tests does not run; start it with ProcessStart")

    shop.answers["ProcessSuspend"] = refuse
    done = wezparallel("suspend", "tests")
    assert done.code != 0
    assert "`wezparallel start`" in done.err


def test_typed_text_ends_with_enter_unless_told_otherwise(shop: ScriptedHub, wezparallel: CommandLine) -> None:
    wezparallel("type", "tests", "run", "all")
    wezparallel("type", "-n", "tests", "q")
    sent = [(fields["text"], fields["enter"]) for fields in shop.asked("ProcessType")]
    assert sent == [("run all", True), ("q", False)]


def test_a_pattern_types_into_all_that_run(shop: ScriptedHub, wezparallel: CommandLine) -> None:
    shop.answers["ProcessTypeMany"] = lambda fields: {
        "processes": fields["processes"][:1], "bytes": 5,
        "refused": [{"process_id": "x", "error": {"code": "process.not_running", "message": "x does not run"}}],
    }  # fmt: skip
    done = wezparallel("type", "shop/*", "pull")
    assert (done.code, done.err) == (0, "typed 5 bytes into shop/server\n")
    request = shop.asked("ProcessTypeMany")[0]
    assert (request["text"], request["enter"], request["processes"]) == (
        "pull", True, ["shop/server", "shop/tests", "shop/worker"]
    )  # fmt: skip


def test_stdin_is_typed_as_it_is(shop: ScriptedHub, wezparallel: CommandLine) -> None:
    wezparallel("type", "tests", "-", stdin="a\nb")
    assert shop.asked("ProcessType")[0]["text"] == "a\nb"
    assert shop.asked("ProcessType")[0]["enter"] is False


def test_delete_asks_on_a_terminal_and_does_nothing_after_no(shop: ScriptedHub, wezparallel: CommandLine) -> None:
    shop.answers["WorkspaceDelete"] = {"name": "shop"}
    shown = wezparallel.on_terminal("delete", "shop", keys={"[y/N]": "n\r"})
    assert "Nothing was changed." in shown.text
    assert not shop.asked("WorkspaceDelete")
    assert "forgotten" in wezparallel.on_terminal("delete", "shop", keys={"[y/N]": "y\r"}).text
    assert shop.asked("WorkspaceDelete")


def test_delete_asks_nobody_where_nobody_is(shop: ScriptedHub, wezparallel: CommandLine) -> None:
    done = wezparallel("delete", "shop")
    assert done.code == 2
    assert "--yes" in done.err
    assert not shop.asked("WorkspaceDelete")


def test_the_hubs_sentences_name_our_verbs(shop: ScriptedHub, wezparallel: CommandLine) -> None:
    def refuse(_: object) -> dict[str, object]:
        raise RequestError("process.not_running", "shop/tests does not run; start it with ProcessStart")

    shop.answers["ProcessType"] = refuse
    done = wezparallel("type", "tests", "x")
    assert done.code == 4
    assert "start it with `wezparallel start`" in done.err
    assert "start it with ProcessStart" in wezparallel("type", "tests", "x", "--json").err


def test_a_bug_of_the_hub_ends_with_70_and_its_incident(shop: ScriptedHub, wezparallel: CommandLine) -> None:
    def bug(_: object) -> dict[str, object]:
        raise RequestError("internal.bug", "something went wrong in the hub", incident="i-42")

    shop.answers["ProcessList"] = bug
    done = wezparallel("ps")
    assert done.code == 70
    assert "i-42" in done.err


def test_several_are_stopped_at_once(shop: ScriptedHub, wezparallel: CommandLine) -> None:
    together = threading.Barrier(3, timeout=20)

    def stop(fields: dict[str, str]) -> dict[str, object]:
        together.wait()  # none is answered before all have come
        return {"process": process(fields["process"], state="stopped", pid=None)}

    shop.answers["ProcessStop"] = stop
    done = wezparallel("stop", "shop/*")
    assert done.code == 0
    assert sorted(done.out.split("\n"))[1:] == [f"○ shop/{name} stopped" for name in ("server", "tests", "worker")]


def test_on_a_terminal_a_long_stop_lives_on_one_line(shop: ScriptedHub, wezparallel: CommandLine) -> None:
    seen = threading.Event()

    def stop(fields: dict[str, str]) -> dict[str, object]:
        seen.wait(20)
        return {"process": process(fields["process"], state="stopped", pid=None)}

    shop.answers["ProcessStop"] = stop
    with wezparallel.terminal("stop", "tests") as terminal:
        terminal.wait_for("shop/tests stopping …")
        seen.set()
        assert terminal.wait() == 0
        assert terminal.lines == ["○ shop/tests stopped"]


def test_a_bug_of_the_command_line_is_a_sentence_and_ends_with_70(
    shop: ScriptedHub, wezparallel: CommandLine
) -> None:
    broken = {**process("shop/server"), "created_at": "not a time", "started_at": None, "state": "stopped"}
    shop.answers["ProcessList"] = {"processes": [broken], "next": None}
    done = wezparallel("ps")
    assert done.code == 70
    assert "a bug of ours" in done.err
    assert "Traceback" not in done.err
    wezparallel.environment["WEZPARALLEL_DEBUG"] = "1"
    assert "Traceback" in wezparallel("ps").err


def test_a_terminal_that_cannot_show_a_symbol_shows_something_else(
    shop: ScriptedHub, wezparallel: CommandLine
) -> None:
    wezparallel.environment |= {"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    done = wezparallel("ps")
    assert done.code == 0
    assert "? shop/server" in done.out
