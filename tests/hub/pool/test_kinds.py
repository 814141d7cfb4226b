"""What the configuration adds to a process of a kind."""

from __future__ import annotations

import pytest

from wezparallel.hub.pool import kinds
from wezparallel.hub.settings import Settings
from wezparallel.protocol.process import ProcessSettings, StopRules


def process(**fields: object) -> ProcessSettings:
    return ProcessSettings.model_validate({"name": "coder", "argv": ["claude"], "cwd": "/", **fields})


def settings(**sections: object) -> Settings:
    return Settings.model_validate(sections)


def of_claude(**options: object) -> Settings:
    return settings(processes={"claude_code": options})


def test_variables_of_a_kind_are_expanded_in_the_processs_environment() -> None:
    given = of_claude(environment={"CLAUDE_API_KEY": "${CLAUDE_API_KEY}", "LEVEL": "${LEVEL:-3}", "COST": "1$$"})
    found = kinds.prepared(process(agent="claude_code"), given, {"CLAUDE_API_KEY": "k"})
    assert found.env == {"CLAUDE_API_KEY": "k", "LEVEL": "3", "COST": "1$"}


def test_a_variable_whose_reference_is_unset_is_left_out() -> None:
    assert kinds.environment({"A": "${NOWHERE}", "B": "b"}, {}) == (
        {"B": "b"}, ["A was left out: NOWHERE is not set"],
    )  # fmt: skip


def test_an_empty_variable_is_set_and_has_its_default() -> None:
    assert kinds.environment({"A": "${X}", "B": "${X:-b}"}, {"X": ""}) == ({"A": "", "B": "b"}, [])


def test_a_template_goes_before_its_kind() -> None:
    given = of_claude(environment={"A": "kind", "B": "kind"})
    assert kinds.prepared(process(agent="claude_code", env={"A": "own", "B": None}), given, {}).env == {
        "A": "own", "B": None,
    }  # fmt: skip


def test_what_is_no_agent_has_the_settings_of_its_name() -> None:
    given = settings(processes={"db": {"environment": {"A": "a"}, "restart_policy": "always"}})
    assert kinds.prepared(process(name="db"), given, {}).env == {"A": "a"}
    assert kinds.with_defaults(process(name="db"), given).restart == "always"
    assert kinds.prepared(process(name="other"), given, {}).env == {}


@pytest.mark.parametrize(
    ("argv", "started"),
    [
        (["claude", "-c"], ["/opt/my claude", "-c"]),
        (["/bin/sh", "-c", "exec claude | tee x"], ["/bin/sh", "-c", "exec '/opt/my claude' | tee x"]),
        (["/bin/sh", "-c", "claude"], ["/bin/sh", "-c", "'/opt/my claude'"]),
        (["/bin/sh", "-c", "claudette"], ["/bin/sh", "-c", "claudette"]),
        (["wrapper", "claude"], ["wrapper", "claude"]),
    ],
)
def test_the_configured_program_is_started(argv: list[str], started: list[str]) -> None:
    given = of_claude(command="/opt/my claude")
    assert kinds.prepared(process(agent="claude_code", argv=argv), given, {}).argv == started


def test_what_nobody_said_is_as_the_configuration_says() -> None:
    given = settings(
        processes={"claude_code": {"restart_policy": "always"}}, alerts={"cpu_percent": 90, "memory_mb": 100},
        supervision={"stop_grace": 2, "backoff": 3, "give_up_tries": 4, "give_up_window": 5, "give_up_reset": 6},
    )  # fmt: skip
    found = kinds.with_defaults(process(agent="claude_code", stop=StopRules(signal="SIGHUP")), given)
    assert (found.restart, found.backoff_s, found.stop) == ("always", 3, StopRules(signal="SIGHUP", grace_s=2))
    assert (found.give_up.tries, found.give_up.window_s, found.give_up.reset_s) == (4, 5, 6)
    assert (found.limits.cpu_alert_percent, found.limits.memory_alert_bytes) == (90, 100 << 20)


def test_what_was_said_stays() -> None:
    given = settings(
        processes={"claude_code": {"restart_policy": "always"}}, supervision={"stop_grace": 2, "backoff": 3},
        alerts={"cpu_percent": 90},
    )  # fmt: skip
    said = process(
        agent="claude_code", restart="never", backoff_s=1.0, stop={"grace_s": 5.0}, give_up={"tries": 10},
        limits={"cpu_alert_percent": 50},
    )  # fmt: skip
    assert kinds.with_defaults(said, given) == said


def test_without_a_configuration_nothing_changes() -> None:
    said = process(agent="claude_code")
    assert kinds.with_defaults(said, Settings()) is said
    assert kinds.prepared(said, Settings(), {}) is said
