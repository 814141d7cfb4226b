"""The command line's grammar, made of the table of verbs (`verbs.py`), and its help.

An option that names a field (`LogRead.lines`) gets its help from the registry's description, so that the text stands
once. The registry costs 200 ms to import, so it is asked only when somebody wants help; a test checks that every
named field exists, and that every command has a verb.
"""

from __future__ import annotations

import argparse
import difflib
import re

from wezparallel.frontends.cli.verbs import GROUPS, SHARED, VERBS, Option, Verb

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import NoReturn


__all__ = ["GROUPS", "SHARED", "VERBS", "Option", "Verb", "build", "describe", "overview", "parse", "split_command"]

_UNKNOWN_VERB = re.compile(r"argument VERB: invalid choice: '(.*?)' \(")


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        verb = self.prog.split()[-1]
        help_ = f"wezparallel {verb} --help" if verb in VERBS else "wezparallel help"
        unknown = _UNKNOWN_VERB.search(message)
        if unknown:
            near = difflib.get_close_matches(unknown[1], VERBS, n=1)
            message = f"there is no verb '{unknown[1]}'" + (f"; did you mean {near[0]}?" if near else "")
        self.exit(2, f"wezparallel: {message}; see `{help_}`\n")


def build(argv: Sequence[str]) -> argparse.ArgumentParser:
    """Return the parser; with the registry's words in it if the command line asks for help."""
    wants_help = any(word in ("-h", "--help") for word in _before_command(argv))
    parser = _Parser(prog="wezparallel", parents=[_shared()], add_help=False)
    parser.set_defaults(verb="", json=False, socket=None, color="auto")
    parser.add_argument("-h", "--help", dest="wants_help", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--version", dest="wants_version", action="store_true", help=argparse.SUPPRESS)
    # Not the same object again: its defaults would take back what stood before the verb.
    shared = _shared()
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", parser_class=_Parser)
    for verb in VERBS.values():
        one = verbs.add_parser(verb.name, parents=[shared], help=verb.help, description=_sentence(verb.help))
        for option in verb.options:
            help_ = option.help or (describe(option.field) if wants_help else "")
            one.add_argument(*option.flags, help=help_.replace("%", "%%"), **option.rest)
    help_verb = verbs.add_parser("help", parents=[shared], help="this, or the help of one verb")
    help_verb.add_argument("topic", nargs="?", metavar="VERB")
    return parser


def parse(grammar: argparse.ArgumentParser, words: Sequence[str]) -> argparse.Namespace:
    """Parse a command line; what stands behind options goes to arguments that may be missing, too.

    argparse takes those for missing as soon as it comes to an option: `snapshot import --yes FILE`.
    """
    args, rest = grammar.parse_known_args(words)
    verb = VERBS.get(args.verb)
    for option in verb.options if verb and not any(word[:1] == "-" and word != "-" for word in rest) else ():
        name = option.flags[0]
        if name.startswith("-") or not rest:
            continue
        if option.rest.get("nargs") == "*":
            setattr(args, name, [*getattr(args, name), *rest])
            rest = []
            continue
        is_missing = option.rest.get("nargs") == "?" and getattr(args, name) == option.rest.get("default")
        if is_missing and rest[0] in option.rest.get("choices", rest):
            setattr(args, name, rest.pop(0))
    if rest:
        grammar.error(f"unrecognized arguments: {' '.join(rest)}")
    return args


def _shared() -> _Parser:
    """Return the options that stand before or behind any verb."""
    shared = _Parser(add_help=False)
    for option in SHARED:
        shared.add_argument(*option.flags, default=argparse.SUPPRESS, help=option.help, **option.rest)
    return shared


def describe(field: str) -> str:
    """Return the registry's description of `Command.field`, else the field's name."""
    from wezparallel.protocol import registry  # noqa: PLC0415  200 ms

    command, _, name = field.partition(".")
    info = registry.COMMANDS[command].model_fields[name]
    text = info.description or name.replace("_", " ")
    first = text[:1] if text[1:2].isupper() else text[:1].lower()
    return first + text[1:].rstrip(".")


def overview() -> Iterator[str]:
    """Yield the lines of `wezparallel help`."""
    yield "wezparallel keeps agents and dev processes running, whatever happens around them."
    yield ""
    yield "  wezparallel                what runs, and who needs you"
    for title, verbs in GROUPS:
        yield ""
        yield title
        for verb in verbs:
            yield f"  wezparallel {verb.name:<14} {verb.help}"
    yield ""
    yield "everywhere: --json, --socket PATH, --color auto|always|never     one verb: wezparallel help VERB"


def _before_command(argv: Sequence[str]) -> Iterator[str]:
    """Yield the words up to `--`: what follows belongs to the command of `run`."""
    for word in argv:
        if word == "--":
            return
        yield word


def _sentence(words: str) -> str:
    return words[:1].upper() + words[1:] + "."


def split_command(argv: Sequence[str]) -> tuple[list[str], list[str] | None]:
    """Return the words for the parser, and those behind the `--` of `run`, which are nobody's but the command's."""
    words = list(argv)
    if "--" in words:
        at = words.index("--")
        head = words[:at]
        values = {head.index(flag) + 1 for flag in ("--socket", "--color") if flag in head}
        verb = next((word for i, word in enumerate(head) if i not in values and not word.startswith("-")), "")
        if verb == "run":
            return head, words[at + 1 :]
    return words, None
