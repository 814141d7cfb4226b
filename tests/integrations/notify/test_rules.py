"""Which events are told, to whom, and how often."""

from __future__ import annotations

from typing import Any

import pytest

from wezparallel.integrations.notify.rules import Rules

BAD = {"process_id": "shop/server", "workspace": "shop", "exit_code": 3, "signal": None, "ran_s": 2.0}
WAITS = {"process_id": "shop/claude", "workspace": "shop", "text": "may I?"}


def event(name: str, seq: int = 1, **data: Any) -> dict[str, Any]:
    return {"seq": seq, "at": "2026-01-01T00:00:00.000Z", "name": name, "data": data}


def rules(**said: dict[str, Any]) -> Rules:
    return Rules({name: {"channels": ["phone"], **rule} for name, rule in said.items()})


def told(found: list[Any]) -> list[tuple[str, str, tuple[str, ...]]]:
    return [(one.message.kind, f"{one.message.title}: {one.message.body}", tuple(one.channels)) for one in found]


@pytest.mark.parametrize(
    ("kind", "name", "data", "body"),
    [
        ("exit_abnormal", "process.exited", BAD, "shop/server: exited 3 after 2 s"),
        ("exit_abnormal", "process.exited", BAD | {"exit_code": None, "signal": 9},
         "shop/server: ended by signal 9 after 2 s"),
        ("finished", "process.exited", BAD | {"exit_code": 0, "ran_s": 3700.0},
         "shop/server: finished after 1 h 1 min"),
        ("error", "process.failed", BAD | {"reason": "it ended 9 times"}, "shop/server: given up: it ended 9 times"),
        ("error", "process.unhealthy", BAD | {"reason": "port 80 is closed"},
         "shop/server: unhealthy: port 80 is closed"),
        ("error", "hub.error", {"hub_id": "h-1", "message": "secret?", "incident": "ab12"},
         "wezparallel: something failed in the daemon; its log explains incident ab12"),
        ("threshold", "alert.raised",
         {"process_id": "shop/server", "workspace": "shop", "what": "memory", "value": 300 << 20,
          "threshold": 256 << 20}, "shop/server: memory is at 300 MB, above 256 MB"),
        ("waiting", "process.notified", WAITS, "shop/claude: may I?"),
    ],
)  # fmt: skip
def test_each_kind_has_its_events_and_words(kind: str, name: str, data: dict[str, Any], body: str) -> None:
    one = rules(only={"on": [kind]})
    assert name in one.patterns()
    assert told(one.hear(event(name, **data), 100.0)) == [(kind, body, ("phone",))]
    others = [other for other in ("exit_abnormal", "finished", "error", "threshold", "waiting") if other != kind]
    assert rules(others={"on": others}).hear(event(name, **data), 100.0) == []


def test_a_stop_that_was_asked_for_and_a_short_life_are_no_news() -> None:
    one = rules(all={"on": ["exit_abnormal", "finished", "waiting"]})
    assert one.hear(event("process.stopped", **BAD), 1.0) == []
    assert one.hear(event("process.exited", **(BAD | {"exit_code": 0})), 1.0) == []
    assert one.hear(event("process.notified", **(WAITS | {"text": None})), 1.0) == []
    assert told(
        rules(soon={"on": ["finished"], "after": 1}).hear(event("process.exited", **(BAD | {"exit_code": 0})), 1.0)
    )


def test_an_event_of_the_users_choice_is_told_by_its_name() -> None:
    one = rules(mine={"on": ["workspace.created", "view.*"]})
    assert one.patterns() == ["view.*", "workspace.created"]
    found = told(one.hear(event("workspace.created", workspace="shop", root="/shop"), 1.0))
    assert found == [("workspace.created", "shop: created", ("phone",))]
    assert one.hear(event("process.ready", **BAD), 1.0) == []
    assert len(one.hear(event("view.bound", process_id="shop/a"), 1.0)) == 1


def test_what_is_said_of_notifications_is_never_told_by_one() -> None:
    everything = rules(all={"on": ["*"]})
    for name in ("notification.sent", "notification.failed", "alert.tested", "metric.sampled"):
        assert everything.hear(event(name, channel="phone"), 1.0) == []
    assert everything.hear(event("process.ready", **BAD), 1.0)


@pytest.mark.parametrize(
    ("where", "is_there"),
    [
        (["shop"], True), (["shop/*"], True), (["shop/"], True), (["*/server"], True), (["shop/server"], True),
        (["other", "sh?p"], True), (["other"], False), (["server"], False), (["shop/serve"], False),
    ],
)  # fmt: skip
def test_where_names_workspaces_and_processes(where: list[str], is_there: bool) -> None:
    assert (
        bool(rules(one={"on": ["exit_abnormal"], "where": where}).hear(event("process.exited", **BAD), 1.0))
        is is_there
    )


def test_a_process_of_a_renamed_workspace_has_both_names() -> None:
    for where in ("new/*", "new", "shop/*"):
        one = rules(one={"on": ["exit_abnormal"], "where": [where]})
        assert one.hear(event("process.exited", **(BAD | {"workspace": "new"})), 1.0)


def test_a_crash_loop_is_told_once_in_a_while_with_how_often_it_was() -> None:
    one = rules(broken={"on": ["exit_abnormal"], "quiet": 60})
    assert len(one.hear(event("process.exited", 1, **BAD), 1000.0)) == 1
    for number in range(5):
        assert one.hear(event("process.exited", 2 + number, **BAD), 1001.0 + number) == []
    other = one.hear(event("process.exited", 9, **(BAD | {"process_id": "shop/tests"})), 1010.0)
    assert len(other) == 1
    again = told(one.hear(event("process.exited", 10, **BAD), 1060.0))
    assert again == [("exit_abnormal", "shop/server: exited 3 after 2 s (5 more of the same before)", ("phone",))]


def test_two_rules_tell_a_channel_of_one_event_once() -> None:
    one = rules(
        all={"on": ["process.*"], "channels": ["phone", "phone"]},
        bad={"on": ["exit_abnormal"], "channels": ["desktop", "phone"]},
    )
    found = one.hear(event("process.exited", **BAD), 1.0)
    assert [channels for _, _, channels in told(found)] == [("phone",), ("desktop",)]


def test_who_is_answered_in_time_is_not_told_of() -> None:
    one = rules(slow={"on": ["waiting"], "after": 60})
    assert one.hear(event("process.notified", **WAITS), 1000.0) == []
    assert one.next_due() == 1060.0
    assert one.due(1059.0) == []
    one.hear(event("process.notified", **(WAITS | {"text": None})), 1030.0)
    assert one.next_due() is None
    assert one.due(2000.0) == []


def test_what_holds_for_long_is_told_with_its_first_event() -> None:
    one = rules(slow={"on": ["waiting", "threshold"], "after": 60})
    assert {"process.notified", "process.stopped", "alert.cleared", "alert.raised"} <= set(one.patterns())
    one.hear(event("process.notified", 1, **WAITS), 1000.0)
    one.hear(event("process.notified", 2, **(WAITS | {"text": "hello?"})), 1050.0)
    raised = {"process_id": "shop/server", "workspace": "shop", "what": "cpu", "value": 90.0, "threshold": 80.0}
    one.hear(event("alert.raised", 3, **raised), 1000.0)
    one.hear(event("alert.raised", 4, **(raised | {"what": "memory"})), 1000.0)
    one.hear(event("alert.cleared", 5, **(raised | {"what": "memory"})), 1010.0)
    assert [words for _, words, _ in told(one.due(1060.0))] == [
        "shop/claude: may I?", "shop/server: cpu is at 90 %, above 80 %",
    ]  # fmt: skip
    assert one.due(5000.0) == []


def test_changed_rules_go_on_from_what_was_told() -> None:
    before = rules(broken={"on": ["exit_abnormal"], "quiet": 60}, slow={"on": ["waiting"], "after": 60})
    before.hear(event("process.exited", **BAD), 1000.0)
    before.hear(event("process.notified", **WAITS), 1000.0)
    after = rules(broken={"on": ["exit_abnormal"], "quiet": 60}, slow={"on": ["waiting"], "after": 60})
    after.take_over(before)
    assert after.hear(event("process.exited", **BAD), 1001.0) == []
    assert len(after.due(1060.0)) == 1
    changed = rules(slow={"on": ["waiting"], "after": 90})
    changed.take_over(before)
    assert changed.due(9000.0) == []


def test_what_was_kept_is_still_waited_for_by_the_rule_that_wanted_it() -> None:
    before = rules(slow={"on": ["waiting"], "after": 60}, gone={"on": ["waiting"], "after": 60})
    before.hear(event("process.notified", **WAITS), 1000.0)
    after = rules(slow={"on": ["waiting"], "after": 90})
    after.hold_again(before.held())
    assert after.next_due() == 1060.0
    assert [words for _, words, _ in told(after.due(1060.0))] == ["shop/claude: may I?"]
    at_once = rules(slow={"on": ["waiting"]})
    at_once.hold_again(before.held())
    assert at_once.next_due() is None


def test_a_message_has_the_same_id_however_often_it_is_made() -> None:
    def message_id(seq: int, epoch: str) -> str:
        found = rules(one={"on": ["exit_abnormal"]}).hear(event("process.exited", seq, **BAD), 1.0, epoch)
        return str(found[0].message.message_id)

    assert message_id(7, "e-1") == message_id(7, "e-1")
    assert len({message_id(7, "e-1"), message_id(8, "e-1"), message_id(7, "e-2")}) == 3
