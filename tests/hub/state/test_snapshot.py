"""Snapshots as text: what is written, what is left out, what is understood when it is read."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml

from wezparallel.errors import RequestError
from wezparallel.hub.state import snapshot, snapshot_reading
from wezparallel.hub.state.model import Process, Run, State, Workspace
from wezparallel.protocol.process import ProcessSettings
from wezparallel.protocol.supervision import Probe
from wezparallel.protocol.workspace import Plan

SEED = """\
# ~/.vantage/data/snapshot.yaml
processes:
  example-process:
    id: example-process
    command: echo
    args: ["Hello, World"]
    env:
      FOO: bar
    cwd: /path/to/dir
    auto_start_on_restore: true
    state: NotStarted
"""
REAL = """\
- process_id: web
  name: web
  command: npm
  args: [run, dev]
  env: {PORT: '8080'}
  cwd: /srv
  status: {state: running, pid: 4711}
  created_at: '2026-01-02T03:04:05Z'
  tags: []
  auto_start_on_restore: false
"""
TAB = {
    "title": "shop", "focus": None, "first": "a", "splits": [],
    "panes": [{"pane": "a", "process_id": "shop/web", "title": "web"}],
}  # fmt: skip
PLAN = Plan.model_validate({"tabs": [TAB]}).model_dump()


def a_process(process_id: str = "shop/web", **more: Any) -> Process:
    workspace, _, name = process_id.rpartition("/")
    fields = {"name": name, "argv": ["npm", "run", "dev"], "command": "npm run dev", "cwd": "/srv", **more}
    return Process(
        process_id, workspace or None, ProcessSettings.model_validate(fields), created_at=1_700_000_000_250
    )


def a_state(*processes: Process) -> State:
    state = State({"shop": Workspace("shop", "/code/shop", "web_dev", 1_700_000_000_000, plan=PLAN)})
    state.processes = {one.process_id: one for one in processes}
    return state


def written(state: State) -> str:
    told = snapshot.document(state)
    head = snapshot.head(told, written_at="2026-11-24T12:00:00.000Z", because="asked", version="1", epoch="e-1")
    return snapshot.encode({**head, **told})


def read(text: str) -> snapshot.Snapshot:
    return snapshot_reading.read(text, "/home/alice")


def test_what_is_written_is_read_as_it_was() -> None:
    probe = Probe(http="http://localhost:5173/")
    one = a_process(
        tty=False, env={"PORT": "5173", "ON": "on", "GONE": None, "V": "1.10"}, depends_on={"db": "ready"},
        argv=["sh", "-c", "exec npm run dev # 1:30"], restart="never", ready=probe,
    )  # fmt: skip
    one.auto_start_on_restore, one.in_template, one.order, one.runs, one.desired = True, True, 3, 7, "down"
    found = read(written(a_state(one, a_process("loose"))))
    assert found.notes == []
    assert found.written_at == "2026-11-24T12:00:00.000Z"
    assert found.processes["shop/web"] == one
    assert found.processes["loose"].workspace is None
    assert found.workspaces == a_state().workspaces


def test_a_process_has_the_keys_of_seed_001() -> None:
    one = a_process(env={"FOO": "bar"})
    one.state, one.run = "running", Run("r", one.process_id, 1, "spawned")
    told = yaml.safe_load(written(a_state(one)))["processes"]["shop/web"]
    seed = yaml.safe_load(SEED)["processes"]["example-process"]
    assert set(seed) <= set(told)
    assert [told[key] for key in ("id", "command", "args", "env", "cwd", "state")] == [
        "shop/web", "npm", ["run", "dev"], {"FOO": "bar"}, "/srv", "Running",
    ]  # fmt: skip
    assert read(written(a_state(one))).running == {"shop/web"}


@pytest.mark.parametrize(
    ("state", "code", "word"),
    [
        ("not_started", None, "NotStarted"), ("unhealthy", None, "Running"), ("stopped", None, "Stopped"),
        ("exited", 0, "Stopped"), ("exited", 1, "Failed"), ("backoff", 1, "Failed"), ("failed", 1, "Failed"),
    ],
)  # fmt: skip
def test_states_have_seed_001s_words(state: Any, code: int | None, word: str) -> None:
    one = a_process()
    one.state, one.run = state, Run("r", one.process_id, 1, "exited", exit_code=code)
    assert snapshot.seed_state(one) == word


def test_no_secret_is_written() -> None:
    env = {"API_KEY": "hush-1", "DB": "postgres://me:hush-2@db/x", "REF": "postgres://me:${PW}@db/x", "PORT": "1"}
    argv = [
        "run",
        "--token=hush-3",
        "--password",
        "hush-4",
        "SECRET=hush-5",
        "http://me:hush-6@x/",
        "--key",
        "/a.pem",
    ]
    one = a_process(env=env, argv=argv, command="run --token=hush-3 --password hush-4", env_expand=["REF"],
                    ready={"http": "http://me:hush-7@x/"})  # fmt: skip
    state = a_state(one, a_process("shop/line", argv=["sh", "-c", "export API_KEY=hush-8; run --token hush-9 -v"]))
    state.workspaces["shop"].variables = {"TOKEN": "hush-0", "PORT": "5173"}
    text = written(state)
    assert "hush" not in text
    told = yaml.safe_load(text)
    assert told["processes"]["shop/web"]["env"] == {
        "API_KEY": "${API_KEY}", "DB": "${DB}", "REF": "postgres://me:${PW}@db/x", "PORT": "1",
    }  # fmt: skip
    assert told["processes"]["shop/web"]["args"][-2:] == ["--key", "/a.pem"]
    assert told["workspaces"]["shop"]["variables"] == {"PORT": "5173"}


def test_a_secret_that_is_there_stays_when_its_snapshot_is_taken_in() -> None:
    there = a_process(env={"API_KEY": "hush", "PORT": "1", "X_TOKEN": "${FROM}"}, argv=["run", "--token=hush"],
                      env_expand=["X_TOKEN"]).settings  # fmt: skip
    state = a_state()
    state.processes = {"shop/web": Process("shop/web", "shop", there)}
    said = read(written(state).replace("'1'", "'2'")).processes["shop/web"].settings
    assert snapshot.merged(said, there) == there.model_copy(update={"env": {**there.env, "PORT": "2"}})
    other = said.model_copy(update={"env": {**said.env, "API_KEY": "${OTHER}"}})
    assert snapshot.merged(other, there).env["API_KEY"] == "${OTHER}"


def test_a_secret_variable_of_a_new_process_comes_from_the_environment() -> None:
    said = read(written(a_state(a_process(env={"API_KEY": "hush"})))).processes["shop/web"].settings
    assert (said.env, said.env_expand) == ({"API_KEY": "${API_KEY}"}, ["API_KEY"])
    assert not snapshot.lacks_secret(said)
    covered = read(written(a_state(a_process(argv=["run", "--token=hush"])))).processes["shop/web"].settings
    assert snapshot.lacks_secret(covered)


def test_spares_and_what_is_being_removed_are_left_out() -> None:
    gone, spare = a_process("shop/gone"), a_process("shop/spare")
    gone.removed, spare.ahead = True, {"kind": "x", "taken": False}
    assert list(snapshot.document(a_state(gone, spare, a_process()))["processes"]) == ["shop/web"]


def test_what_happens_by_itself_is_no_change_and_what_people_do_is() -> None:
    one = a_process()
    state = a_state(one)
    before = snapshot.document(state)
    one.state, one.runs = "exited", 3
    assert snapshot.fingerprint(snapshot.document(state)) == snapshot.fingerprint(before)
    one.desired = "down"
    assert snapshot.fingerprint(snapshot.document(state)) != snapshot.fingerprint(before)
    assert snapshot.digest(snapshot.document(state)) == snapshot.digest(before)
    one.settings = a_process(cwd="/other").settings
    assert snapshot.digest(snapshot.document(state)) != snapshot.digest(before)


def test_seed_001s_example_is_read() -> None:
    one = read(SEED).processes["example-process"]
    assert one.settings.argv == ["echo", "Hello, World"]
    assert (one.settings.env, one.settings.cwd, one.settings.tty) == ({"FOO": "bar"}, "/path/to/dir", False)
    assert (one.auto_start_on_restore, one.desired, one.workspace) == (True, "up", None)


def test_the_list_that_seed_001s_program_writes_is_read() -> None:
    one = read(REAL).processes["web"]
    assert (one.settings.argv, one.settings.env, one.created_at) == (
        ["npm", "run", "dev"], {"PORT": "8080"}, 1_767_323_045_000,
    )  # fmt: skip


def test_json_is_read_too() -> None:
    assert read(json.dumps(snapshot.document(a_state(a_process())))).processes["shop/web"].settings.cwd == "/srv"


def test_words_of_commands_and_variables_are_the_text_that_stands_there() -> None:
    text = (
        "processes: { p: { command: run, args: [1.10, on, 0x1F, yes, 1:30], env: { V: 1.10, YES: true, N: null } } }"
    )
    one = read(text).processes["p"].settings
    assert one.argv == ["run", "1.10", "on", "0x1F", "yes", "1:30"]
    assert one.env == {"V": "1.10", "YES": "true", "N": None}
    assert one.cwd == "/home/alice"


def test_what_is_not_known_is_noted() -> None:
    text = "colour: red\nprocesses: { p: { command: run, cwdd: /x, settings: { speed: 3 } } }\n"
    assert read(text).notes == [
        "'colour' is not known and left out", "processes.p: 'cwdd' is not known and left out",
        "processes.p.settings: 'speed' is not known and left out",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "this is no snapshot"),
        ("shop", "this is no snapshot"),
        ("panes: [a]", "this is no snapshot"),
        ("format: 2\nprocesses: {}", "format 2"),
        ("processes: [", "line 2: this is not YAML"),
        ("processes: &a { p: *a }", "line 1: a snapshot has no aliases"),
        ("processes: { ? [a] : b }", "line 1: a key is a word"),
        ("processes:\n  p: { command: a }\n  p: { command: b }", "line 3: the key 'p' stands here a second time"),
        ("processes: " + "[" * 100 + "]" * 100, "nested more than 64 deep"),
        ("processes: { p: run }", "processes.p has to be a map"),
        ("processes: { a/b/c: { command: x } }", "'a/b/c' is no name"),
        ("processes: { p: { id: q, command: x } }", "says that it is 'q'"),
        ("processes: { p: { args: [x] } }", "needs a `command`"),
        ("processes: { p: { command: 3 } }", "processes.p.command has to be a text"),
        ("processes: { p: { command: x, cwd: here } }", "processes.p.cwd: 'here' is not absolute"),
        ("processes: { p: { command: x, env: { A: [1] } } }", "is a text, not a list"),
        ("processes: { p: { command: x, settings: { restart: often } } }", "processes.p: restart"),
        ("workspaces: { w: { root: here } }", "workspaces.w.root: 'here' is not absolute"),
        ("workspaces: { w: { plan: { tabs: [1] } } }", "workspaces.w.plan"),
    ],
)
def test_a_file_that_cannot_be_taken_says_where_and_why(text: str, said: str) -> None:
    with pytest.raises(RequestError) as refused:
        read(text)
    assert refused.value.code == "command.bad_value"
    assert said in refused.value.message


@pytest.mark.parametrize(
    "word", ["\x01\x1b[0m", "\u2028x\x85", "日本🧪", " a\tb\nc ", "\ufeff", "-", "", "#x", "1e3"]
)
def test_any_word_comes_back_as_it_was(word: str) -> None:
    one = a_process(argv=["x", word], env={"A": word}, command=f"x {word}")
    assert read(written(a_state(one))).processes["shop/web"].settings == one.settings


def test_a_word_that_is_no_text_keeps_no_snapshot_from_being_written() -> None:
    one = a_process(argv=["x", "\udcff"], command="x \udcff")
    assert read(written(a_state(one))).processes["shop/web"].settings.argv == ["x", "?"]
