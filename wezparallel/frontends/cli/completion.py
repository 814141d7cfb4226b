"""`completion`: the scripts for bash, zsh and fish, and the words that they ask for at each Tab.

The scripts know nothing: at each Tab they ask this program (`__complete`), so that they never grow old. What may
follow comes from the grammar (parser.py): an option's choices, or its metavar, which says what kind of word it takes.
Names come from a daemon that runs; none is started, and whatever goes wrong there are no words and no complaint.
"""

from __future__ import annotations

import os
import socket
import sys

from wezparallel import paths
from wezparallel.frontends.cli import parser
from wezparallel.wire import envelope

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from wezparallel.frontends.cli.context import Context
    from wezparallel.frontends.cli.parser import Option, Verb
    from wezparallel.types import Json, JsonObject

    Words = list[tuple[str, str]]

ANSWER_S = 0.3  # for the daemon; a person waits
KINDS = {
    "PROCESS": "process", "WORKSPACE": "workspace", "TEMPLATE": "template", "PATTERN": "event", "VERB": "verb",
    "SNAPSHOT": "snapshot", "PATH": "file", "FILE": "file", "ROOT": "folder", "PYTHON": "file", "-- CMD": "command",
}  # fmt: skip
"""What a metavar stands for; any other is a word that only the person knows."""

EVENTS = ("config.*", "hub.*", "log.*", "process.*", "snapshot.*", "template.*", "view.*", "workspace.*")

_BASH = r"""
_wezparallel() {
    local IFS=$'\n' answer
    answer=($(wezparallel_words=bash "${1/#\~/$HOME}" __complete "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null))
    COMPREPLY=("${answer[@]:1}")
    case ${answer[0]} in
        file) compopt -o filenames; COMPREPLY+=($(compgen -f -- "$2")) ;;
        folder) compopt -o filenames; COMPREPLY+=($(compgen -d -- "$2")) ;;
        command) COMPREPLY+=($(compgen -c -- "$2")) ;;
        rest) compopt -o filenames; COMPREPLY+=($(compgen -f -- "$2")) ;;
    esac
}
complete -F _wezparallel wezparallel wzp
"""
_ZSH = r"""
#compdef wezparallel wzp
_wezparallel() {
    local -a answer values shown
    local line
    answer=("${(@f)$(wezparallel_words=zsh ${~words[1]} __complete "${(@Q)words[2,CURRENT]}" 2>/dev/null)}")
    for line in "${(@)answer[2,-1]}"; do
        values+=("${line%%$'\t'*}")
        shown+=("${line/$'\t'/  -- }")
    done
    (( $#values )) && compadd -Q -l -d shown -a values
    case $answer[1] in
        file|rest) _files ;;
        folder) _files -/ ;;
        command) _command_names -e ;;
    esac
}
if [ "$funcstack[1]" = _wezparallel ]; then _wezparallel "$@"; else compdef _wezparallel wezparallel wzp; fi
"""
_FISH = r"""
function __wezparallel
    set -l words (commandline -opc) (commandline -ct)
    set -l answer (wezparallel_words=fish $words[1] __complete $words[2..] 2>/dev/null)
    test (count $answer) -gt 1; and printf '%s\n' $answer[2..]
    switch "$answer[1]"
        case file rest
            __fish_complete_path (commandline -ct)
        case folder
            __fish_complete_directories (commandline -ct)
        case command
            __fish_complete_command
    end
end
complete -c wezparallel -f -a '(__wezparallel)'
complete -c wzp -f -a '(__wezparallel)'
"""
SCRIPTS = {"bash": _BASH, "zsh": _ZSH, "fish": _FISH}


def completion(context: Context) -> int:
    """Print the script of one shell."""
    sys.stdout.write(SCRIPTS[context.args.shell].lstrip("\n"))
    return 0


def answer(words: Sequence[str]) -> int:
    """Print what may stand in the place of the last word: what else the shell may add, then a word a line."""
    shell = os.environ.get("wezparallel_words", "")  # noqa: SIM112  a shell's variable, not a setting
    try:
        given = _joined(words) if shell == "bash" else list(words)
        *before, current = [*given] or [""]
        more, found = candidates([_plain(word) for word in before], _plain(current))
        kept = [(word, help_) for word, help_ in found if word.startswith(_plain(current))]
        out = [more] + [_shown(shell, one, current) for one in kept]
        sys.stdout.write("\n".join(out) + "\n")
        sys.stdout.flush()
    except Exception:  # noqa: BLE001  in the middle of a command line nobody wants a complaint
        return 1
    return 0


def _shown(shell: str, one: tuple[str, str], current: str) -> str:
    word, help_ = one
    if shell == "fish":
        return f"{word}\t{help_}"
    quoted = "".join("\\" + char if char in " \t\\'\"$&;|<>()*?[]#~`!{}" else char for char in word)
    if shell == "zsh":
        return f"{quoted}\t{help_}"
    # bash completes behind the last : or = only.
    return quoted[max(current.rfind(":"), current.rfind("=")) + 1 :]


def _joined(words: Sequence[str]) -> list[str]:
    """Put together again what bash takes apart at : and =."""
    joined: list[str] = []
    glue = False
    for word in words:
        apart = bool(word) and not word.strip(":=")
        if joined and (apart or glue):
            joined[-1] += word
        else:
            joined.append(word)
        glue = apart
    return joined


def _plain(word: str) -> str:
    return word.translate({ord("\\"): None, ord("'"): None, ord('"'): None})


def candidates(before: list[str], current: str) -> tuple[str, Words]:
    """Return what the shell is to add (`file`, `folder`, `command`, `rest`, or nothing: `-`), and our own words."""
    words, command = parser.split_command(before)
    if command is not None:
        return ("rest" if command else "command"), []
    verb: Verb | None = None
    given: list[str] = []
    socket_path = ""
    waiting: Option | None = None
    for word in words:
        if waiting is not None:
            socket_path = word if "--socket" in waiting.flags else socket_path
            waiting = None
        elif word.startswith("-"):
            waiting = _taking_value(verb, word)
        elif verb is None:
            verb = parser.VERBS.get(word)
            if verb is None:
                return "-", _verbs() if word == "help" else []
        else:
            given.append(word)
    if waiting is None and current.startswith("--") and "=" in current:
        flag = current.partition("=")[0]
        waiting = _taking_value(verb, flag)
        more, found = _values(waiting, socket_path, given) if waiting else ("-", [])
        return more, [(f"{flag}={word}", help_) for word, help_ in found]
    if waiting is not None:
        return _values(waiting, socket_path, given)
    if current.startswith("-"):
        return "-", _options(verb)
    if verb is None:
        return "-", _verbs()
    place = _positional(verb, len(given))
    return _values(place, socket_path, given) if place else ("-", [])


def _verbs() -> Words:
    return [*((name, verb.help) for name, verb in parser.VERBS.items()), ("help", "this, or the help of one verb")]


def _options(verb: Verb | None) -> Words:
    options = [*parser.SHARED, *(verb.options if verb else ())]
    return [(flag, option.help) for option in options for flag in option.flags if flag.startswith("--")] + [
        ("--help", "help of this verb")
    ]


def _taking_value(verb: Verb | None, flag: str) -> Option | None:
    for option in (*parser.SHARED, *(verb.options if verb else ())):
        if flag in option.flags and "action" not in option.rest:
            return option
    return None


def _positional(verb: Verb, place: int) -> Option | None:
    options = [option for option in verb.options if not option.flags[0].startswith("-")]
    if place < len(options):
        return options[place]
    return options[-1] if options and options[-1].rest.get("nargs") in ("+", "*") else None


def _values(option: Option, socket_path: str, given: list[str]) -> tuple[str, Words]:
    if "choices" in option.rest:
        return "-", [(word, "") for word in option.rest["choices"]]
    kind = KINDS.get(option.rest.get("metavar") or option.flags[-1].strip("-").upper(), "")
    kind = "process_template" if "--template" in option.flags else kind
    if kind in ("file", "folder", "command"):
        return kind, []
    if kind == "event":
        return "-", [(word, "") for word in EVENTS if word not in given]
    try:
        names = _names(kind, socket_path)
    except (OSError, ValueError, KeyError):
        names = []
    more = "file" if "template" in kind or kind == "snapshot" else "-"
    return more, [(word, help_) for word, help_ in names if word not in given]


def _names(kind: str, socket_path: str) -> Words:
    if kind == "process":
        found = _ask("ProcessList", {"limit": 500}, socket_path)["processes"]
        ids = [(one["process_id"], one["state"]) for one in found]
        names = [one["name"] for one in found]
        return ids + [(one["name"], one["state"]) for one in found if names.count(one["name"]) == 1]
    if kind == "workspace":
        found = _ask("WorkspaceList", {"limit": 500}, socket_path)["workspaces"]
        return [(one["name"], one["root"]) for one in found]
    if kind == "snapshot":
        found = _ask("SnapshotList", {}, socket_path)["snapshots"]
        return [(one["snapshot"], f"{one['workspaces']} workspaces, {one['processes']} processes") for one in found]
    if "template" in kind:
        of = "process" if kind == "process_template" else "workspace"
        found = _ask("TemplateList", {"root": os.getcwd(), "kind": of}, socket_path)["templates"]
        return [(one["name"], one.get("description") or "") for one in found]
    return []


def _ask(command: str, fields: JsonObject, socket_path: str) -> JsonObject:
    """Send one read to a daemon that is there. Raises OSError, ValueError, KeyError."""
    if not socket_path and os.path.exists(paths.stopped_mark()):
        raise ConnectionRefusedError("stopped by the user; a connection would start it")
    with socket.socket(socket.AF_UNIX) as sock:
        sock.settimeout(ANSWER_S)
        sock.connect(socket_path or paths.client_socket())
        sock.sendall(envelope.dump({command: fields}))
        line = sock.makefile("rb").readline()
    reply: Json = envelope.parse_json(line)
    body: JsonObject = next(iter(reply.values()))
    return body
