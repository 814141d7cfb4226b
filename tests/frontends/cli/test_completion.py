"""Tab in real shells: the words of the grammar, and the names that a daemon knows."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.commandline import CommandLine
from tests.support.daemon import Daemon
from wezparallel.frontends.cli import completion, parser

pytestmark = pytest.mark.one_daemon

PLACED = {
    option.rest.get("metavar") for verb in parser.VERBS.values() for option in verb.options
    if not option.flags[0].startswith("-") and "choices" not in option.rest
}  # fmt: skip


@pytest.fixture(scope="module")
def bin_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in the PATH with our program under both of its names."""
    folder = tmp_path_factory.mktemp("bin")
    for name in ("wezparallel", "wzp"):
        file = folder / name
        root = Path(__file__).parents[3]
        file.write_text(f'#!/bin/sh\nPYTHONPATH={shlex.quote(str(root))} exec {sys.executable} -m wezparallel "$@"\n')
        file.chmod(0o755)
    return folder


class Shells:
    """Asks a real shell what may follow."""

    def __init__(self, env: dict[str, str], cwd: Path, bin_dir: Path) -> None:
        self._env = {**env, "PATH": f"{bin_dir}:{os.environ['PATH']}"}
        self._cwd = cwd

    def bash(self, line: str) -> list[str]:
        words = line.split(" ")
        script = f"""
            eval "$({words[0]} completion bash)"; complete -p {words[0]} >/dev/null || exit 1
            compopt() {{ :; }}
            COMP_WORDS=({" ".join(shlex.quote(word) for word in words)}) COMP_CWORD={len(words) - 1}
            _wezparallel {words[0]} {shlex.quote(words[-1])}; printf '%s\\n' "${{COMPREPLY[@]}}"
        """
        return self._run("bash", "--norc", "-c", script)

    def fish(self, line: str) -> list[str]:
        script = f"{line.split(maxsplit=1)[0]} completion fish | source; complete -C {shlex.quote(line)}"
        return [word.partition("\t")[0] for word in self._run("fish", "--no-config", "-c", script)]

    def zsh(self, line: str) -> list[str]:
        words = line.split(" ")
        script = f"""
            compdef() {{ :; }}; _files() {{ :; }}; _command_names() {{ :; }}
            compadd() {{ print -l -- $values }}
            eval "$({words[0]} completion zsh)"
            words=({" ".join(shlex.quote(word) for word in words)}); CURRENT={len(words)}; _wezparallel
        """
        return self._run("zsh", "-f", "-c", script)

    def _run(self, *argv: str) -> list[str]:
        if shutil.which(argv[0]) is None:
            pytest.skip(f"{argv[0]} is not installed")
        done = subprocess.run(
            argv, env=self._env, cwd=self._cwd, capture_output=True, text=True, check=False, timeout=30
        )
        assert done.stderr == ""
        return done.stdout.splitlines()


SHELLS = pytest.mark.parametrize("shell", ["bash", "fish", "zsh"])


@SHELLS
def test_verbs_options_and_names_in_a_real_shell(daemon: Daemon, tmp_path: Path, bin_dir: Path, shell: str) -> None:
    for name in ("web", "worker", "db"):
        daemon.call("ProcessAdd", id=f"shop/{name}", command="sleep", args=["1000"])
    daemon.call("TemplateCreate", name="batch", source="kind: process\ncommand: x\n")
    complete = getattr(Shells(daemon.env, tmp_path, bin_dir), shell)
    assert set(complete("wezparallel run --template ba")) == {"batch"}
    assert set(complete("wezparallel resta")) == {"restart"}
    assert set(complete("wzp restart --refr")) == {"--refresh-env"}
    assert set(complete("wezparallel stop shop/w")) == {"shop/web", "shop/worker"}
    assert set(complete("wezparallel stop shop/web shop/w")) == {"shop/worker"}
    assert set(complete("wzp attach d")) == {"db"}
    assert set(complete("wezparallel down ")) == {"shop"}
    assert "basic" in complete("wezparallel up bas")
    assert set(complete("wezparallel --color al")) == {"always"}


@SHELLS
def test_without_a_daemon_there_is_silence_and_none_is_started(
    wezparallel: CommandLine, runtime: str, tmp_path: Path, bin_dir: Path, shell: str
) -> None:
    complete = getattr(Shells(wezparallel.environment, tmp_path, bin_dir), shell)
    assert [word for word in complete("wezparallel stop ") if word] == []
    assert os.listdir(runtime) == []


def test_every_word_that_a_verb_takes_is_known_to_the_completion() -> None:
    assert PLACED - set(completion.KINDS) <= {"TEXT", "JSON", "NEW"}


def test_bash_gets_only_what_stands_behind_a_colon() -> None:
    assert completion._joined(["stop", "a", ":", "b"]) == ["stop", "a:b"]
    assert completion._joined(["--color", "=", "al"]) == ["--color=al"]
    assert completion._shown("bash", ("a:b c", ""), "a:b") == "b\\ c"


def test_it_imports_neither_the_registry_nor_the_verbs() -> None:
    script = (
        "import sys; from wezparallel.frontends.cli import completion; completion.answer(['st']);"
        "print([name for name in sys.modules if name.startswith(('pydantic', 'wezparallel.protocol', 'asyncio'))])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
