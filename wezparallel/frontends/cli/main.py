"""Everything behind the door: parse, run one verb, turn what went wrong into a sentence and an exit code."""

from __future__ import annotations

import contextlib
import importlib
import io
import json
import os
import re
import sys
import textwrap
import traceback

from wezparallel.errors import WezparallelError
from wezparallel.frontends.cli import exits, parser
from wezparallel.frontends.cli.context import Context

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

_COMMAND = re.compile(r"(?<!\[)\b[A-Z][a-z]+[A-Z][A-Za-z]+\b")  # in brackets it is a word of a template


def run(argv: list[str]) -> int:
    """Run one command line; return the exit code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A terminal that cannot show a symbol shows a question mark; a name that is no text is no reason to end.
            stream.reconfigure(errors="replace")
    try:
        code = _run(argv)
        sys.stdout.flush()
    except BrokenPipeError:
        # Python would complain once more when it closes stdout.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return exits.BROKEN_PIPE
    except KeyboardInterrupt:
        if sys.stderr.isatty():
            sys.stderr.write("\n")
        return exits.INTERRUPTED
    except Exception as error:  # noqa: BLE001  the boundary: a person gets a sentence, never a traceback
        return _bug(error)
    return code


def _bug(error: Exception) -> int:
    """Say that this is our fault, and where it is to be looked for."""
    if os.environ.get("WEZPARALLEL_DEBUG"):
        traceback.print_exception(error)
    frame = traceback.extract_tb(error.__traceback__)[-1]
    place = f"{os.path.basename(frame.filename)}:{frame.lineno}"
    sys.stderr.write(
        f"wezparallel: a bug of ours ({type(error).__name__}: {error}, at {place}); "
        "WEZPARALLEL_DEBUG=1 shows all of it\n"
    )
    return exits.BUG


def _run(argv: list[str]) -> int:
    grammar = parser.build(argv)
    try:
        words, command = parser.split_command(argv)
        args = parser.parse(grammar, words)
        if command is not None:
            args.command = command
    except SystemExit as leaving:  # argparse ends the program after --help and wrong usage
        return int(leaving.code or 0)
    if args.wants_version:
        from wezparallel.frontends.cli.daemon import version  # noqa: PLC0415

        sys.stdout.write(f"wezparallel {version()}\n")
        return exits.OK
    if args.wants_help or args.verb == "help":
        topic = getattr(args, "topic", None)
        if topic in parser.VERBS:
            return _run([topic, "--help"])
        sys.stdout.write("\n".join(parser.overview()) + "\n")
        return exits.OK if not topic else exits.USAGE
    context = Context(args)
    try:
        return _verb(args)(context)
    except WezparallelError as error:
        complain(context, error)
        return exits.of(error)
    finally:
        context.close()


def _verb(args: argparse.Namespace) -> Callable[[Context], int]:
    """Return the function of a verb; its module is imported now and not before."""
    verb = parser.VERBS.get(args.verb)
    module, function = (verb.module, verb.function) if verb else ("overview", "overview")
    found: Callable[[Context], int] = getattr(
        importlib.import_module("wezparallel.frontends.cli." + module), function
    )
    return found


def complain(context: Context, error: WezparallelError) -> None:
    """Write an error for a person, or as JSON, on stderr."""
    with contextlib.suppress(BrokenPipeError):
        if context.json:
            sys.stderr.write(json.dumps({"Error": error.to_json()}, ensure_ascii=False) + "\n")
            return
        first, *rest = in_verbs(error.message).splitlines() or [error.code]
        mark = "wezparallel: "
        if context.screen.colour and sys.stderr.isatty():
            mark = "\x1b[31mwezparallel:\x1b[0m "
        rest = wrap(context, rest)
        # A template's error begins with file:line:column, which editors and people click on.
        begins_with_place = error.code.startswith(("template.", "config.")) and ":" in first.partition(" ")[0]
        first = "\n".join(wrap(context, [first if begins_with_place else mark + first]))
        sys.stderr.write("\n".join([first, *rest]) + "\n")
        incident = error.data.get("incident")
        if incident and str(incident) not in error.message:
            sys.stderr.write(f"incident {incident}; the hub's log explains it\n")


def in_verbs(sentence: str) -> str:
    """Return a sentence of the hub with our verbs in the place of the socket's commands."""
    verbs = {command: name for name, verb in reversed(parser.VERBS.items()) for command in reversed(verb.commands)}
    return _COMMAND.sub(lambda match: f"`wezparallel {verbs[match[0]]}`" if match[0] in verbs else match[0], sentence)


def wrap(context: Context, lines: list[str]) -> list[str]:
    """Break long sentences between words, where a person reads; what is indented is a drawing or a log."""
    columns = context.screen.columns
    if columns is None or not sys.stderr.isatty():
        return lines
    wrapped: list[str] = []
    for line in lines:
        if line.startswith(" ") or "│" in line or len(line) <= columns:
            wrapped.append(line)
        else:
            wrapped += textwrap.wrap(line, columns, break_long_words=False, break_on_hyphens=False)
    return wrapped
