"""The grammar and the registry agree."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.commandline import CommandLine
from wezparallel.frontends.cli import exits, parser
from wezparallel.protocol import registry

FIELDS = [option.field for verb in parser.VERBS.values() for option in verb.options if option.field]
DOCS = Path(__file__).parents[3] / "docs"


@pytest.mark.parametrize("field", FIELDS)
def test_an_option_names_a_field_that_exists(field: str) -> None:
    command, _, name = field.partition(".")
    assert name in registry.COMMANDS[command].model_fields


def test_every_command_has_a_verb_and_every_verb_names_commands_that_exist() -> None:
    assert {command for verb in parser.VERBS.values() for command in verb.commands} == set(registry.COMMANDS)


@pytest.mark.parametrize("verb", parser.VERBS.values(), ids=parser.VERBS)
def test_every_verb_has_help_in_the_registrys_words(verb: parser.Verb, capsys: pytest.CaptureFixture[str]) -> None:
    words = [verb.name, "--help"]
    with pytest.raises(SystemExit) as ended:
        parser.build(words).parse_args(words)
    assert ended.value.code == 0
    shown = capsys.readouterr().out
    for option in verb.options:
        assert (option.help or parser.describe(option.field)).split()[0] in shown


def test_help_is_shown_and_is_no_mistake(wezparallel: CommandLine) -> None:
    done = wezparallel("ps", "--help")
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith("usage:")


def test_the_command_of_run_is_nobodys_but_its_own() -> None:
    words, command = parser.split_command(["--socket", "x", "run", "-d", "--", "npm", "--json", "--help"])
    assert (words, command) == (["--socket", "x", "run", "-d"], ["npm", "--json", "--help"])
    assert not parser.build(["run", "--", "x", "--help"]).parse_args(["run", "-d"]).json


@pytest.mark.parametrize("words", [["--json", "--socket", "/s", "ps"], ["ps", "--json", "--socket", "/s"]])
def test_shared_options_stand_before_or_behind_the_verb(words: list[str]) -> None:
    args = parser.build(words).parse_args(words)
    assert (args.verb, args.json, args.socket, args.color) == ("ps", True, "/s", "auto")


def test_wrong_usage_says_where_help_is(wezparallel: CommandLine) -> None:
    done = wezparallel("record", "export")
    assert done.code == exits.USAGE
    assert "wezparallel record --help" in done.err
    assert wezparallel("lgos").code == exits.USAGE


def test_help_lists_every_verb(wezparallel: CommandLine) -> None:
    done = wezparallel("help")
    assert all(f"wezparallel {name}" in done.out for name in parser.VERBS)
    assert max(len(line) for line in done.out.splitlines()) <= 100


def test_the_exit_codes_are_documented() -> None:
    page = (DOCS / "reference" / "exit-codes.md").read_text()
    for code, meaning in exits.MEANINGS.items():
        assert f"| {code} | {meaning} |" in page


@pytest.mark.parametrize("words", [["ps"], ["logs", "x"], ["status"]])
def test_a_verb_does_not_load_the_registry(words: list[str], wezparallel: CommandLine) -> None:
    probe = (
        "import sys; sys.argv = ['wezparallel', *sys.argv[1:]]\n"
        "from wezparallel.frontends.cli.door import main\n"
        "main(); print('pydantic' in sys.modules, file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", probe, "--socket", "/nowhere", *words], capture_output=True, text=True, check=False,
        env=wezparallel.environment, timeout=30,
    )  # fmt: skip
    assert done.stderr.splitlines()[-1] == "False"
    assert not list(Path(wezparallel.environment["WEZPARALLEL_RUNTIME_DIR"]).iterdir())


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("snapshot import --yes a.yaml", {"what": "import", "names": ["a.yaml"], "yes": True}),
        ("snapshot --json rollback -y 2026", {"what": "rollback", "names": ["2026"], "json": True}),
        ("template import --as tmuxp a.yaml", {"what": "import", "names": ["a.yaml"], "kind": "tmuxp"}),
        ("config --origin check -", {"what": "check", "file": "-", "origin": True}),
        ("snapshot diff a b", {"what": "diff", "names": ["a", "b"]}),
        ("events --since 5m process.*", {"pattern": ["process.*"], "since": "5m"}),
    ],
)
def test_words_may_stand_behind_options(line: str, expected: dict[str, object]) -> None:
    words = line.split()
    args = vars(parser.parse(parser.build(words), words))
    assert {name: args[name] for name in expected} == expected


@pytest.mark.parametrize("line", ["status --json more", "snapshot list --what", "down --json a b"])
def test_a_word_too_many_is_refused(line: str, capsys: pytest.CaptureFixture[str]) -> None:
    words = line.split()
    with pytest.raises(SystemExit) as ended:
        parser.parse(parser.build(words), words)
    assert ended.value.code == 2
    assert f"unrecognized arguments: {words[-1]}" in capsys.readouterr().err
