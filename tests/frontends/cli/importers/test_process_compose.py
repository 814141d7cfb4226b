"""process-compose's files as templates of ours."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest

from wezparallel.errors import RequestError
from wezparallel.frontends.cli.importers import process_compose
from wezparallel.hub.workspaces.templates import compile_template


def read(text: str) -> tuple[str, list[tuple[int, str]]]:
    found = process_compose.read(text, "pc.yaml")
    return found.source, [(note.line, note.key) for note in found.notes]


def opened(text: str) -> dict[str, Any]:
    compiled = compile_template(read(text)[0], "t.yaml", "/project", "/bin/sh", "/home/me")
    return {one.name: one for one in compiled.settings}


def test_what_both_have_is_kept() -> None:
    source, notes = read(
        "processes:\n"
        "  db:\n    command: postgres\n    working_dir: /srv\n    environment: [A=1, 'B=two words']\n"
        "    readiness_probe:\n      exec: { command: pg_isready }\n      initial_delay_seconds: 2\n"
        "      period_seconds: 3\n      timeout_seconds: 4\n      failure_threshold: 5\n"
        "    shutdown: { signal: 2, timeout_seconds: 7 }\n"
        "    availability: { restart: always, backoff_seconds: 2, max_restarts: 5 }\n"
        "  api:\n    command: ./api\n    replicas: 2\n    depends_on:\n      db: { condition: process_healthy }\n"
        "    liveness_probe:\n      http_get: { host: localhost, port: 80, path: /health }\n"
        "  once:\n    command: ./migrate\n    disabled: true\n"
        "  shell:\n    command: htop\n    is_tty: true\n    ready_log_line: 'up (now)'\n"
    )
    assert notes == []
    assert source == (
        "# Imported from pc.yaml, a file of process-compose.\n"
        'panes:\n  shell: { command: htop, ready: { log_line: "up \\\\(now\\\\)" }, restart: never }\n'
        "processes:\n"
        '  db:\n    command: postgres\n    cwd: /srv\n    env: { A: "1", B: two words }\n'
        "    ready: { exec: pg_isready, start: 2s, interval: 3s, timeout: 4s, threshold: 5 }\n"
        "    restart: always\n    backoff: 2s\n    give_up: { tries: 5, window: 24h }\n"
        "    stop: { signal: SIGINT, grace: 7s }\n"
        "  api:\n    command: ./api\n    depends_on: { db: ready }\n"
        '    health: { http: "http://localhost:80/health" }\n    restart: never\n    replicas: 2\n'
        "  once: { command: ./migrate, restart: never, auto_start: false }\n"
    )
    compiled = compile_template(source, "t.yaml", "/project", "/bin/sh", "/home/me")
    assert [one.name for one in compiled.settings] == ["shell", "db", "api-1", "api-2", "once"]


def test_each_key_without_a_meaning_is_named_with_its_line() -> None:
    _, notes = read(
        "version: '0.5'\nlog_level: debug\nprocesses:\n  a:\n    command: x\n    namespace: n\n    is_daemon: true\n"
        "    shutdown:\n      command: stop it\n    availability:\n      restart: exit_on_failure\n"
        "      exit_on_end: true\n"
        "    depends_on:\n      b: { condition: process_completed }\n      gone: { condition: process_started }\n"
        "    nonsense: 1\n  b:\n    command: y\n    readiness_probe:\n      http_get: { host: h, headers: {A: b} }\n"
        "      success_threshold: 2\n  c: {}\n"
    )
    assert notes == [
        (1, "version"), (2, "log_level"), (6, "processes.a.namespace"), (7, "processes.a.is_daemon"),
        (9, "processes.a.shutdown.command"), (10, "processes.a.availability.restart"),
        (12, "processes.a.availability.exit_on_end"), (14, "processes.a.depends_on.b"),
        (15, "processes.a.depends_on.gone"), (16, "processes.a.nonsense"),
        (19, "processes.b.readiness_probe.success_threshold"),
        (20, "processes.b.readiness_probe.http_get.headers"), (22, "processes.c"),
    ]  # fmt: skip


def test_a_dollar_means_in_the_shell_what_it_meant_there() -> None:
    one = opened("processes:\n  a: { command: 'echo ${A} $B $${C} $$D 5$' }\n")["a"]
    assert one.argv[2].removeprefix("exec ") == "echo ${A} $B ${C} $D 5$"


def test_variables_and_their_places_are_filled_in_and_more_than_that_is_told() -> None:
    text = "vars: { PORT: 80 }\nprocesses:\n  a: { command: 'serve {{.PORT}} {{.PC_REPLICA_NUM}} {{ if x }}' }\n"
    source, notes = read(text)
    assert "serve ${PORT} ${REPLICA}" in source
    assert notes == [(3, "processes.a.command"), (3, "processes.a.command")]


def test_another_shell_and_an_entrypoint_are_run_as_they_are() -> None:
    found = opened(
        "shell: { shell_command: zsh, shell_argument: -fc }\n"
        "processes:\n  a: { command: ls | wc }\n  b: { entrypoint: [ls, -l], args: [x] }\n"
    )
    assert found["a"].argv == ["zsh", "-fc", "ls | wc"]
    assert found["b"].argv == ["ls", "-l", "x"]


def test_names_that_cannot_stand_here_are_changed_everywhere() -> None:
    text = (
        "processes:\n  'my api': { command: x }\n  a_b: { command: y }\n  a-b:\n    command: z\n"
        "    depends_on: { 'my api': { condition: process_started } }\n"
    )
    assert set(opened(text)) == {"my-api", "a_b", "a-b-2"}
    assert opened(text)["a-b-2"].depends_on == {"my-api": "started"}
    assert [line for line, _ in read(text)[1]] == [2, 4]


def test_anchors_and_merges_are_followed() -> None:
    text = "x: &base\n  command: run\n  is_tty: true\nprocesses:\n  a:\n    <<: *base\n    working_dir: /srv\n"
    found = opened(text)["a"]
    assert (found.command, found.cwd, found.tty) == ("run", "/srv", True)
    assert read(text)[1] == [(1, "x")]


@pytest.mark.parametrize(
    "text",
    ["", "processes: []", "processes: 3", "processes: {a: 3}", "processes: {a: [x]}", "processes: {a: {command: {}}}",
     "processes:\n  a: {command: x, depends_on: [b], readiness_probe: 3, shutdown: x, availability: [1]}",
     "processes:\n  a: {command: [x], environment: 3, replicas: many, env_file: {a: b}}",
     "processes: {'': {command: x}}",
     "processes: {a: {command: \"\\0\"}}", "processes:\n  a: {command: x, shutdown: {signal: 99999999999999999999}}"],
)  # fmt: skip
def test_nonsense_is_refused_or_noted_and_never_a_bug(text: str) -> None:
    with contextlib.suppress(RequestError):
        read(text)
