"""`python -m wezparallel.hub.offline COMMAND`: answers what needs no state, where no daemon runs.

Reads a command's fields as JSON from stdin, writes the reply as it would come through the socket; the command line
asks it, because a frontend imports nothing of the hub. `schema` writes the configuration's JSON Schema, `gui` the
first files for WezTerm's plugin.
"""

from __future__ import annotations

import json
import sys

from wezparallel.errors import RequestError, WezparallelError
from wezparallel.hub import configuration
from wezparallel.hub.gui import first_files
from wezparallel.hub.handlers import config as handlers
from wezparallel.hub.schema import config_schema
from wezparallel.protocol import config as words
from wezparallel.protocol.command import Reply


def main(arguments: list[str]) -> int:
    """Answer one request; return the exit code."""
    name = arguments[0] if arguments else ""
    if name == "schema":
        sys.stdout.write(json.dumps(config_schema(), indent=2) + "\n")
        return 0
    if name == "gui":
        first_files.write(configuration.load().settings)
        return 0
    try:
        reply = _answer(name, json.loads(sys.stdin.read() or "{}"))
        sys.stdout.write(json.dumps({reply.TAG: reply.model_dump(mode="json")}) + "\n")
    except WezparallelError as error:
        sys.stdout.write(json.dumps({"Error": error.to_json()}) + "\n")
    return 0


def _answer(name: str, fields: dict[str, object]) -> Reply:
    if name == "ConfigGet":
        return handlers.shown(configuration.load())
    if name == "ConfigCheck":
        return handlers.check(None, words.ConfigCheck.model_validate(fields))
    raise RequestError("command.unknown", f"{name} needs a daemon; `wezparallel daemon start` starts it")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
