"""What the shell is told: one exit code per kind of failure, as docs/reference/exit-codes.md has them.

`run` and `attach` are the exception: they end with the exit code of the program that they showed.
"""

from __future__ import annotations

from wezparallel.errors import LinkError, WezparallelError

OK = 0
FAILED = 1
USAGE = 2
NOT_FOUND = 3
REFUSED = 4
NO_DAEMON = 5
TEMPLATE = 6
BUG = 70
TIMEOUT = 124
INTERRUPTED = 130
BROKEN_PIPE = 141

MEANINGS = {
    OK: "done",
    FAILED: "the thing itself failed: a process did not come up, a check found something",
    USAGE: "the command line, or a value in it, is wrong",
    NOT_FOUND: "there is no such process, workspace, template or piece of log",
    REFUSED: "it cannot be done in this state, or not by this caller",
    NO_DAEMON: "no daemon answers",
    TEMPLATE: "the template is wrong",
    BUG: "a bug of ours; the log of the hub explains the incident",
    TIMEOUT: "`wait`: what was waited for did not come in time",
    INTERRUPTED: "ended by Ctrl-C",
    BROKEN_PIPE: "the reader of the output went away",
}

_BY_CODE = {
    "process.not_found": NOT_FOUND,
    "workspace.not_found": NOT_FOUND,
    "template.not_found": NOT_FOUND,
    "log.expired": NOT_FOUND,
    "template.untrusted": REFUSED,
    "process.no_binary": FAILED,
    "process.no_directory": FAILED,
    "process.stop_timeout": FAILED,
    "disk.full": FAILED,
    "hub.restarting": NO_DAEMON,
    "hub.busy": NO_DAEMON,
    "process.bad_command": USAGE,
    "process.bad_directory": USAGE,
}
_BY_NOUN = {"command": USAGE, "wire": USAGE, "config": USAGE, "template": TEMPLATE, "internal": BUG}


def of(error: WezparallelError) -> int:
    """Return the exit code for an error; a refusal unless its code says otherwise."""
    if isinstance(error, LinkError):
        return NO_DAEMON
    return _BY_CODE.get(error.code) or _BY_NOUN.get(error.code.partition(".")[0], REFUSED)
