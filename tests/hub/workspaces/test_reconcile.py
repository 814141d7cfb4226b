"""What a template means for a workspace that is there."""

from __future__ import annotations

from typing import Any

import pytest

from wezparallel.errors import RequestError
from wezparallel.hub.state.model import Process, Run
from wezparallel.hub.workspaces.reconcile import AT_ONCE, Step, differing, must_restart, reconcile, told
from wezparallel.protocol.process import ProcessSettings


def settings(name: str, command: str = "sleep 1", **fields: Any) -> ProcessSettings:
    return ProcessSettings(name=name, argv=command.split(), command=command, cwd="/srv", **fields)


def process(name: str, command: str = "sleep 1", *, runs: bool = True, **fields: Any) -> Process:
    own = {one: fields.pop(one) for one in list(fields) if one in ProcessSettings.model_fields}
    found = Process(f"shop/{name}", "shop", settings(name, command, **own), in_template=True)
    if runs:
        found.run = Run("r-1", found.process_id, 1, status="spawned", pid=1)
    for field, value in fields.items():
        setattr(found, field, value)
    return found


def kinds(steps: list[Step]) -> dict[str, str]:
    return {step.name: step.kind for step in steps}


def test_what_is_new_changed_removed_and_kept_is_told_apart() -> None:
    have = [process("server", "npm run dev"), process("log"), process("tests")]
    wanted = [settings("server", "npm run dev -- --host"), settings("tests"), settings("worker")]
    steps = reconcile(wanted, have)
    assert kinds(steps) == {"server": "changed", "tests": "kept", "worker": "added", "log": "removed"}


def test_the_same_template_changes_nothing() -> None:
    have = [process("a"), process("b")]
    assert set(kinds(reconcile([settings("a"), settings("b")], have)).values()) == {"kept"}


@pytest.mark.parametrize(
    ("field", "value", "needs"),
    [
        ("env", {"PORT": "1"}, True),
        ("cwd", "/tmp", True),
        ("tty", False, True),
        ("log", "off", True),
        ("may", ["ProcessType"], True),
        ("restart", "always", False),
        ("title", "Server", False),
        ("auto_start", False, False),
        ("depends_on", {"db": "ready"}, False),
    ],
)
def test_a_setting_needs_a_restart_or_acts_at_once(field: str, value: object, needs: bool) -> None:
    wanted = settings("a").model_copy(update={field: value})
    (step,) = reconcile([wanted], [process("a")])
    assert (step.kind, step.fields, step.needs_restart) == ("changed", (field,), needs)


def test_what_does_not_run_needs_no_restart() -> None:
    (step,) = reconcile([settings("a", "sleep 2")], [process("a", runs=False)])
    assert (step.kind, step.needs_restart) == ("changed", False)


def test_who_has_the_focus_is_no_change_of_a_process() -> None:
    (step,) = reconcile([settings("a", focus=True)], [process("a")])
    assert step.kind == "kept"


def test_what_was_added_by_hand_is_left_alone() -> None:
    assert reconcile([settings("a")], [process("a"), process("mine", in_template=None)])[1:] == []


def test_the_name_of_what_was_added_by_hand_is_refused() -> None:
    with pytest.raises(RequestError) as refused:
        reconcile([settings("mine")], [process("mine", in_template=None)])
    assert refused.value.code == "process.bad_state"
    assert "shop/mine" in refused.value.message


def test_what_left_is_told_once_and_again_only_to_be_pruned() -> None:
    have = [process("a"), process("gone", in_template=False)]
    assert kinds(reconcile([settings("a")], have)) == {"a": "kept"}
    assert kinds(reconcile([settings("a")], have, prune=True)) == {"a": "kept", "gone": "removed"}


def test_what_left_and_comes_back_is_added() -> None:
    (step,) = reconcile([settings("a", "sleep 2")], [process("a", in_template=False)])
    assert (step.kind, step.needs_restart) == ("added", True)


def test_a_change_that_is_taken_back_needs_no_restart() -> None:
    running = settings("a", "sleep 1")
    changed = process("a", "sleep 2", ran_with=("r-1", running))
    (step,) = reconcile([running], [changed])
    assert (step.kind, step.needs_restart) == ("changed", False)


def test_what_still_runs_with_earlier_settings_is_known_as_such() -> None:
    changed = process("a", "sleep 2", ran_with=("r-1", settings("a", "sleep 1")))
    (step,) = reconcile([settings("a", "sleep 2")], [changed])
    assert (step.kind, step.needs_restart) == ("kept", True)
    changed.ran_with = ("r-0", settings("a", "sleep 1"))  # of a run that is over
    (step,) = reconcile([settings("a", "sleep 2")], [changed])
    assert step.needs_restart is False


def test_a_client_is_told_names_of_variables_and_never_their_values() -> None:
    have = process("a", env={"TOKEN": "swordfish", "OLD": "1", "SAME": "x"})
    (step,) = reconcile([settings("a", env={"TOKEN": "perch", "NEW": "2", "SAME": "x"})], [have])
    change = told(step, None, restarted=False)
    assert [(one.field, one.before, one.after) for one in change.fields] == [("env", "OLD, TOKEN", "NEW, TOKEN")]
    assert "swordfish" not in change.model_dump_json()
    assert "perch" not in change.model_dump_json()


def test_a_command_is_told_as_a_person_wrote_it_and_once() -> None:
    (step,) = reconcile([settings("a", "npm test")], [process("a", "npm run dev")])
    change = told(step, None, restarted=False)
    assert [(one.field, one.before, one.after) for one in change.fields] == [("command", "npm run dev", "npm test")]


def test_every_setting_is_compared_and_what_acts_at_once_exists() -> None:
    assert set(ProcessSettings.model_fields) >= AT_ONCE
    one = settings("a")
    assert differing(one, one) == ()
    assert must_restart(one, one.model_copy(update={"argv": ["x"]}))
