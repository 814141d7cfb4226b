"""What a template's command means: argv, whether it is an agent or a shell, and what to call it. Pure.

A list is argv. A string runs in the user's shell, replaced by the program itself (`exec`) where that is surely the
same. Above: templates and what is drawn from a folder.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from wezparallel.hub.workspaces.source import fold

AGENTS = {"claude_code": "claude", "codex": "codex"}
"""Kinds of agents, and the program of each."""
_AGENT_NAMES = {"claude": "claude_code", "claude-code": "claude_code"}
"""A command that begins with such a word is an agent without being told."""
_AGENT_FLAGS = ("workspace", "priority", "mode", "room")  # the seeds give these to claude, which has none of them

# Words that only a shell knows: `exec` cannot run them. Of bash, zsh and fish.
_SHELL_WORDS = frozenset(
    """
    . : [[ ! { alias and begin bg bind break builtin case cd command complete continue coproc declare dirs disown
    do else enable end eval exec exit export fc fg fi for function getopts hash help history if in jobs let local
    logout mapfile not or popd pushd read readonly return select set setopt shift shopt source suspend then time times
    trap type typeset ulimit umask unalias unset until wait while
    """.split()  # noqa: SIM905  readable as words
)
_PLAIN_WORD = re.compile(r"[A-Za-z0-9_./~+@%:,][A-Za-z0-9_./~+@%:,-]*\Z")
_ASSIGNMENT = re.compile(r"[A-Za-z_][A-Za-z0-9_]*=")

# Programs that run another one, which says more than they do.
_RUNNERS = frozenset(
    """
    npm npx pnpm yarn bun bunx node deno run run-script exec x uv uvx poetry pipenv pdm hatch rye python python3
    ruby bundle rails cargo go make just task mix sudo env nice time watch sh bash zsh dlx
    """.split()  # noqa: SIM905
)
_SUFFIX = re.compile(r"\.(py|sh|bash|js|mjs|cjs|ts|rb|pl|lua)\Z")


@dataclass(frozen=True, slots=True)
class Command:
    """A command that was understood."""

    argv: list[str]
    text: str
    """What a person wrote."""
    agent: str | None = None
    is_shell: bool = False
    """An interactive shell: it ignores SIGTERM, and what was started in it may be meant to stay."""
    env: dict[str, str] = field(default_factory=dict)
    """Pseudo-flags that became variables."""

    def with_args(self, args: Collection[str]) -> Command:
        """Return it with further arguments."""
        return replace(self, argv=[*self.argv, *args], text=f"{self.text} {shlex.join(args)}".strip())


def from_text(text: str, shell: str, programs: Mapping[str, str] | None = None) -> Command:
    """Understand a command that was written as one string. `programs` has what the settings name for agents."""
    text = text.strip()
    first = text.split(maxsplit=1)[0]
    if text == "shell":
        return Command([shell], "shell", is_shell=True)
    if first in _AGENT_NAMES:
        return _agent(text, first, shell, programs or {})
    return Command(in_shell(text, shell), text)


def from_list(argv: Sequence[str], programs: Mapping[str, str] | None = None) -> Command:
    """Understand a command that was written as a list. `programs` has what the settings name for agents."""
    text = shlex.join(argv)
    kind = _AGENT_NAMES.get(argv[0])
    if kind is None:
        return Command(list(argv), text)
    rest, env = _take_flags(argv[1:], (programs or {}).get(kind, ""))
    return Command([AGENTS[kind], *rest], text, agent=kind, env=env)


def from_agent(kind: str) -> Command:
    """Return the command of an agent that was only named."""
    return Command([AGENTS[kind]], AGENTS[kind], agent=kind)


def prompted(argv: Sequence[str], prompt: str) -> list[str]:
    """Return an agent's argv with what it is told first, as its last argument."""
    words = ["--", prompt] if prompt.startswith("-") else [prompt]  # else it would be an option
    if len(argv) == 3 and argv[1] == "-c":
        return [*argv[:2], f"{argv[2]} {shlex.join(words)}"]
    return [*argv, *words]


def agent_kind(name: str) -> str | None:
    """Return the kind that a name means, or None."""
    folded = fold(name)
    return folded if folded in AGENTS else _AGENT_NAMES.get(name)


def is_simple(text: str) -> bool:
    """Tell whether a command line is surely one program with arguments, so that `exec` may stand before it.

    In doubt it is not; then the shell stays between, and nothing else changes.
    """
    first = text.split(maxsplit=1)[0] if text.strip() else ""
    if not _PLAIN_WORD.match(first) or first in _SHELL_WORDS:
        return False
    if any(sign in text for sign in ("$(", "`", "$'", "\n")):
        return False
    quote = ""
    signs = iter(text)
    for sign in signs:
        if sign == "\\" and quote != "'":
            next(signs, "")
        elif quote:
            quote = "" if sign == quote else quote
        elif sign in "'\"":
            quote = sign
        elif sign in ";|&<>()":
            return False
    return not quote


def derived_name(text: str, taken: Collection[str]) -> str:
    """Return a name for a command that has none: its first word that says something; `x-2` if that is taken.

    `taken` holds folded names (see `source.fold`).
    """
    try:
        words = shlex.split(text)
    except ValueError:
        words = text.split()
    said = [word for word in words if not word.startswith("-") and not _ASSIGNMENT.match(word)]
    told = [word for word in said if word.rsplit("/", 1)[-1] not in _RUNNERS]
    word = (told or said or ["pane"])[0].split()[:1] or ["pane"]
    base = _SUFFIX.sub("", word[0].rstrip("/").rsplit("/", 1)[-1])
    base = AGENTS.get(_AGENT_NAMES.get(base, ""), base)
    base = "".join(sign for sign in base if sign.isprintable()).strip("-.;|&<>()$'\"")[:50] or "pane"
    name, number = base, 1
    while fold(name) in taken:
        number += 1
        name = f"{base}-{number}"
    return name


def in_shell(text: str, shell: str) -> list[str]:
    """Return the argv that runs a line in a shell, which is replaced by the program where that is surely the same."""
    return [shell, "-c", f"exec {text}" if is_simple(text) else text]


def _agent(text: str, first: str, shell: str, programs: Mapping[str, str]) -> Command:
    kind = _AGENT_NAMES[first]
    line = AGENTS[kind] + text[len(first) :]
    # Where the shell would change nothing but quotes, the agent is started without one.
    if is_simple(line) and not re.search(r"[$*?\[\]{}~\\#]", line):
        rest, env = _take_flags(shlex.split(line)[1:], programs.get(kind, ""))
        return Command([AGENTS[kind], *rest], text, agent=kind, env=env)
    return Command(in_shell(line, shell), text, agent=kind)


def _take_flags(words: Sequence[str], program: str) -> tuple[list[str], dict[str, str]]:
    """Take the seeds' pseudo-flags off; they become `CLAUDE_WORKSPACE` and so on.

    A program that really is called `claude-code`, because the settings name it, is taken to know them.
    """
    if program.rsplit("/", 1)[-1] == "claude-code":
        return list(words), {}
    rest: list[str] = []
    env: dict[str, str] = {}
    left = iter(words)
    for word in left:
        name, equals, value = word.removeprefix("--").partition("=")
        if word.startswith("--") and name in _AGENT_FLAGS:
            env[f"CLAUDE_{name.upper()}"] = value if equals else next(left, "")
        elif word == "--":
            rest += [word, *left]
        else:
            rest.append(word)
    return rest, env
