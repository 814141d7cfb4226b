"""`screen`: what the screen of a process shows, as text, with colours, as JSON or as a picture."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys

from wezparallel.client import text
from wezparallel.errors import RequestError
from wezparallel.frontends.cli import exits, names

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wezparallel.frontends.cli.context import Context

_ENDINGS = {".svg": "svg", ".png": "png", ".json": "json", ".ansi": "ansi", ".txt": "text"}
_CONVERTERS = (
    ("rsvg-convert", "-z", "2"),
    ("resvg", "--zoom", "2", "-", "-c"),
    ("cairosvg", "-", "-s", "2", "-f", "png"),
    ("magick", "svg:-", "png:-"),
    ("convert", "svg:-", "png:-"),
)
"""Programs that make a PNG of an SVG on stdin, and write it to stdout."""


def screen(context: Context) -> int:
    """Write the picture to a file, or to stdout."""
    process_id = names.process(context, context.args.process)["process_id"]
    target = context.args.output
    form = _format(context, target)
    drawn = "svg" if form == "png" else form
    reply = context.call("ProcessScreen", process=process_id, format=drawn)
    if form == "json":
        data = (json.dumps(reply, ensure_ascii=False) + "\n").encode()
    else:
        data = reply["text"].encode("utf-8", "replace")
        if form == "png":
            data = _png(data)
    if target in (None, "-"):
        if form == "png" and sys.stdout.isatty():
            raise RequestError("command.bad_value", "a PNG is nothing for a terminal; name a file with -o")
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
    else:
        _write(target, data)
        context.note(f"{process_id}: {target} ({text.size(len(data))})")
    if not reply["whole"]:
        context.note("the run has written so much that only its end was drawn; what it drew earlier may be missing")
    return exits.OK


def _format(context: Context, target: str | None) -> str:
    if context.args.format is not None:
        return str(context.args.format)
    if context.json:
        return "json"
    ending = os.path.splitext(target or "")[1].lower()
    return _ENDINGS.get(ending) or ("ansi" if context.screen.colour and target in (None, "-") else "text")


def _png(svg: bytes) -> bytes:
    """Return an SVG as a PNG. Raises RequestError where no program is that does it."""
    for program, *words in _CONVERTERS:
        if shutil.which(program):
            done = subprocess.run([program, *words], input=svg, capture_output=True, check=False, timeout=60)
            if done.returncode == 0 and done.stdout.startswith(b"\x89PNG"):
                return done.stdout
    raise RequestError(
        "command.bad_value",
        "nothing here makes a PNG of an SVG; install rsvg-convert (librsvg2-bin), or take `--format svg`",
    )


def _write(path: str, data: bytes) -> None:
    try:
        with open(path, "wb") as file:
            file.write(data)
    except OSError as error:
        raise RequestError(
            "command.bad_value", f"{path} cannot be written: {error.strerror}; name another file with -o", path=path
        ) from None
