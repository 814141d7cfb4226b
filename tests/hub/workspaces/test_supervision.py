"""Keys about how a process is supervised: probes, limits, dependencies, what runs in the pane itself."""

from __future__ import annotations

import pytest

from tests.hub.workspaces.test_templates import compiled, failure
from wezparallel.protocol.process import ProcessSettings


def one(written: str, kind: str = "processes") -> ProcessSettings:
    return compiled(f"{kind}: {{ a: {{ command: x, {written} }} }}").settings[0]


def wrong(written: str, kind: str = "processes") -> str:
    return failure(f"{kind}:\n  a: {{ command: x, {written} }}").message


def test_every_probe_has_a_long_and_some_a_short_form() -> None:
    ready = one("ready: { http: http://localhost:80/, interval: 500ms, timeout: 2s, threshold: 5, start: 2h }").ready
    assert ready is not None
    assert ready.model_dump(exclude_none=True) == {
        "http": "http://localhost:80/", "interval_s": 0.5, "timeout_s": 2.0, "threshold": 5, "start_s": 7200.0,
    }  # fmt: skip
    for written, kind, value in [
        ("{ tcp: 5432 }", "tcp", "5432"), ("{ tcp: 'db:5432' }", "tcp", "db:5432"), ("5432", "tcp", "5432"),
        ("http://x/", "http", "http://x/"), ("{ log_line: 'listen(ing)?' }", "log_line", "listen(ing)?"),
        ("{ exec: pg_isready -q }", "exec", ["/bin/zsh", "-c", "exec pg_isready -q"]),
        ("{ exec: [pg_isready, -q] }", "exec", ["pg_isready", "-q"]),
        ("{ exec: 'a && b' }", "exec", ["/bin/zsh", "-c", "a && b"]),
    ]:  # fmt: skip
        probe = one(f"health: {written}").health
        assert getattr(probe, kind) == value
        assert probe is not None
        assert probe.model_fields_set == {kind}  # the rest is for the settings to say


def test_what_nobody_said_is_left_for_the_settings_to_say() -> None:
    plain = one("title: x")
    assert not plain.model_fields_set & {"restart", "backoff_s", "give_up"}
    assert plain.restart == "on_failure"
    assert not plain.limits.model_fields_set & {"cpu_alert_percent", "memory_alert_bytes"}
    assert "grace_s" not in plain.stop.model_fields_set
    told = one("restart: never, backoff: 2, give_up: 3, cpu_alert: 80, memory_alert: 1 GB, stop: { grace: 1 }")
    assert {"restart", "backoff_s", "give_up"} <= told.model_fields_set
    assert {"cpu_alert_percent", "memory_alert_bytes"} <= told.limits.model_fields_set
    assert "grace_s" in told.stop.model_fields_set


def test_when_restarts_end() -> None:
    assert one("give_up: 3").give_up.model_dump() == {"tries": 3, "window_s": 600.0, "reset_s": 30.0}
    told = one("give_up: { tries: 5, window: 1m, reset: 5s }").give_up
    assert told.model_dump() == {"tries": 5, "window_s": 60.0, "reset_s": 5.0}


def test_limits_stand_in_their_map_or_beside_the_other_keys() -> None:
    written = (
        "nice: 5, ulimits: { nofile: 4096, core: unlimited, RLIMIT_NPROC: -1 }, cpu_alert: 80%, memory_alert: 1 GB"
    )
    expected = {
        "nice": 5, "ulimits": {"nofile": 4096, "core": -1, "nproc": -1}, "cpu_alert_percent": 80.0,
        "memory_alert_bytes": 1 << 30,
    }  # fmt: skip
    assert one(written).limits.model_dump() == expected
    assert one(f"limits: {{ {written} }}").limits.model_dump() == expected
    assert one("nice: 3, limits: { cpu_alert: 9.5 }").limits.nice == 3


def test_the_other_keys() -> None:
    told = one("watch: 'src/**', on_close: stop, isolate: true, worktree: feature/x, args: [-p, 80]")
    assert (told.watch, told.on_close, told.isolate, told.worktree) == (["src/**"], "stop", True, "feature/x")
    assert (told.argv, told.command) == (["x", "-p", "80"], "x -p 80")
    assert one("title: x").on_close is None
    (listed,) = compiled("panes: { a: { command: [x, y], args: [z] } }").settings
    assert listed.argv == ["x", "y", "z"]
    (agent,) = compiled("panes: { a: { agent: claude, args: [--model, opus] } }").settings
    assert (agent.argv, agent.agent) == (["claude", "--model", "opus"], "claude_code")


def test_what_is_waited_for_is_a_word_a_list_or_a_map() -> None:
    def needs(written: str) -> dict[str, str]:
        source = f"panes: {{ a: {{ command: x, depends_on: {written} }}, b-1: x }}\nprocesses: {{ c: x }}"
        return dict(compiled(source).settings[0].depends_on)

    assert needs("c") == {"c": "started"}
    assert needs("[c, b_1]") == {"c": "started", "b-1": "started"}
    assert needs("{ c: ready, b-1: exited-ok }") == {"c": "ready", "b-1": "exited_ok"}
    assert needs("{ c: }") == {"c": "started"}
    assert needs("[]") == {}


def test_what_waits_for_replicas_waits_for_all_of_them() -> None:
    source = "panes: { a: { command: x, depends_on: { b: ready } } }\nprocesses: { b: { command: x, replicas: 2 } }"
    assert compiled(source).settings[0].depends_on == {"b-1": "ready", "b-2": "ready"}


def test_a_name_that_is_not_there_is_told_with_the_nearest() -> None:
    error = failure("panes:\n  server: x\n  a: { command: x, depends_on: [severr] }")
    assert error.message.startswith("wezparallel.yaml:3:33: no process is called 'severr'")
    assert "Did you mean 'server'?" in error.message


def test_a_circle_is_drawn_with_every_line_of_it() -> None:
    error = failure(
        "panes:\n  a: { command: x, depends_on: [b] }\n  b: { command: x, depends_on: { c: ready } }\n"
        "  c: { command: x, depends_on: a }\n  d: { command: x, depends_on: a }"
    )
    assert error.message.startswith("wezparallel.yaml:2:33: these processes wait for each other")
    assert error.message.count("^") == 3
    assert "'a' waits for 'b' waits for 'c' waits for 'a'." in error.message
    assert "'a' waits for itself" in failure("panes: { a: { command: x, depends_on: a } }").message
    replicas = "panes: { a: { command: x, replicas: 2, depends_on: a } }"
    assert "'a' waits for itself" in failure(replicas).message


def test_a_long_chain_is_no_circle_and_is_looked_at_in_time() -> None:
    names = ", ".join(
        f"p{n}: {{ command: x, depends_on: [{', '.join(f'p{m}' for m in range(n))}] }}" for n in range(100)
    )
    assert len(compiled(f"processes: {{ {names} }}").settings[99].depends_on) == 99


@pytest.mark.parametrize(
    ("written", "sentence"),
    [
        ("ready: {}", "`ready` needs exactly one of exec, http, tcp, log_line"),
        ("ready: { http: 'http://x', tcp: 1 }", "`ready` needs exactly one of"),
        ("ready: { htp: x }", "`ready` has no key 'htp'"),
        ("ready: soon", "`ready` cannot be 'soon'"),
        ("ready: 70000", "`ready` cannot be '70000'"),
        ("ready: { tcp: 'a b' }", "'a b' is neither a port nor host:port"),
        ("ready: { http: localhost }", "'localhost' is no URL"),
        ("ready: { log_line: '(' }", "this is no regular expression"),
        ("ready: { exec: [] }", "begins with a program"), ("ready: { exec: ' ' }", "the command is empty"),
        ("ready: { tcp: 1, interval: 1ms }", "`interval` has to be a time of at least 0.05 s"),
        ("ready: { tcp: 1, timeout: 1h }", "`timeout` has to be a time up to 600 s"),
        ("ready: { tcp: 1, start: 48h }", "`start` has to be a time up to one day"),
        ("ready: { tcp: 1, threshold: 0 }", "`threshold` has to be a whole number from 1 to 100"),
        ("give_up: 0", "`give_up` has to be a whole number from 1 to 1000"),
        ("give_up: { try: 1 }", "`give_up` has no key 'try'"),
        ("give_up: soon", "`give_up` has to be a whole number"),
        ("nice: 20", "`nice` has to be a whole number from -20 to 19"),
        ("nice: 1.5", "`nice` has to be a whole number"),
        ("ulimits: { nofiles: 1 }", "there is no limit 'nofiles'"),
        ("ulimits: { nofile: -2 }", "a limit is a whole number; -1 lifts it"),
        ("ulimits: [x]", "`ulimits` has to be a map"),
        ("cpu_alert: much", "`cpu_alert` has to be a percentage of one core"),
        ("memory_alert: 1 KB", "`memory_alert` has to be a size of at least 1 MB"),
        ("nice: 1, limits: { nice: 2 }", "'nice' stands here twice"),
        ("limits: { nic: 2 }", "`limits` has no key 'nic'"),
        ("depends_on: { b: soon }", "nothing waits until 'soon'"),
        ("depends_on: [[b]]", "`depends_on` has to be one value"),
        ("worktree: 'a b'", "'a b' cannot be a branch"), ("worktree: -x", "'-x' cannot be a branch"),
        ("prompt: hello", "only an agent is told something"),
        ("direct: true", "'a' has no pane to run in"),
        ("watch: { a: b }", "`watch` has to be a list"),
        ("template: nope", "names the template 'nope', which is not below `process_templates`"),
        ("args: x", "`args` has to be a list"),
        ("isolate: maybe", "`isolate` has to be true or false"),
        ("env_file: [{ path: }]", "a file of variables needs its path"),
        ("env_file: [{ file: x }]", "a file of variables has no key 'file'"),
        ("variables: x", "`variables` has to be a map of names"),
    ],
)  # fmt: skip
def test_a_wrong_value_is_told_with_its_place(written: str, sentence: str) -> None:
    message = wrong(written)
    assert sentence in message
    assert message.startswith("wezparallel.yaml:2:")
    assert "^" in message


@pytest.mark.parametrize("key", ["restart: always", "ready: 80", "watch: x", "log: off", "nice: 1", "stop: INT"])
def test_what_nobody_holds_cannot_be_supervised(key: str) -> None:
    message = wrong(f"direct: true, {key}", "panes")
    assert f"'{key.split(':', maxsplit=1)[0]}' has no meaning for what runs in the pane itself" in message
    error = failure("panes: { a: { command: x, direct: true }, b: { command: x, depends_on: a } }")
    assert "nobody can wait for 'a', which runs in the pane itself" in error.message


def test_an_agent_is_told_its_prompt_where_its_command_takes_one() -> None:
    assert one("agent: claude, prompt: 'Read TODO.md'").prompt == "Read TODO.md"
    assert one("prompt: ''").prompt is None
    message = failure("panes: { a: { command: 'claude | tee log', prompt: x } }").message
    assert "`prompt` needs a command that is one program" in message


def test_what_only_the_record_refuses_is_told_at_the_process() -> None:
    error = failure("panes:\n  a: [" + "x, " * 4097 + "]")
    assert error.message.startswith("wezparallel.yaml:2:3: pane 'a': argv: ")


def test_a_process_begins_with_its_template() -> None:
    template = compiled(
        """\
process_templates:
  base: { restart: always, env: { A: 1, B: 2 }, stop: INT }
  node:
    { template: base, command: node, args: ["${FILE}"], variables: { FILE: index.js }, env: { PORT: "${PORT:-80}" } }
  word: npm run ${SCRIPT}
panes:
  web: { template: node, title: Web }
processes:
  api: { template: node, variables: { FILE: api.js, PORT: 81 }, env: { B: } , restart: never }
  job: { template: word, variables: { SCRIPT: job } }
"""
    )
    web, api, job = template.settings
    assert (web.argv, web.restart, web.title, web.pane) == (["node", "index.js"], "always", "Web", True)
    assert web.env == {"A": "1", "B": "2", "PORT": "${PORT:-80}"}
    assert (api.argv, api.restart, api.stop.signal) == (["node", "api.js"], "never", "SIGINT")
    assert (api.env["B"], api.env["PORT"]) == (None, "81")
    assert job.command == "npm run job"
    circle = "process_templates: { a: { template: b }, b: { template: a } }\nprocesses: { p: { template: a } }"
    assert "begins with itself" in failure(circle).message
