"""tmuxp's session files. Pure.

A window becomes a tab, its layout a picture. tmuxp types its commands into a shell that stays; so here a pane runs
them in the user's shell and ends as that shell. Above: `template import`. Below: documents, tmux_layouts, writing.
"""

from __future__ import annotations

import posixpath
import re
import shlex
from dataclasses import dataclass, field

from wezparallel.errors import RequestError
from wezparallel.frontends.cli.importers import tmux_layouts
from wezparallel.frontends.cli.importers.documents import Imported, Note, load
from wezparallel.frontends.cli.importers.writing import Template, literal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from wezparallel.frontends.cli.importers.documents import Value
    from wezparallel.frontends.cli.importers.writing import Tab

_SESSION = {
    "before_script": "nothing is run before a workspace opens; make it a process that others depend on",
    "plugins": "tmuxp's plugins act on tmux", "suppress_history": "commands are not typed, so no history has them",
    "options": "tmux's options act on tmux", "global_options": "tmux's options act on tmux",
    "config": "tmux's configuration acts on tmux", "socket_name": "there is no tmux server here",
}  # fmt: skip
_WINDOW = {
    **_SESSION, "window_index": "tabs stand in the order of the file",
    "options_after": "tmux's options act on tmux", "clear": "a pane begins empty",
}  # fmt: skip
_PANE = {
    **_WINDOW, "enter": "a command is run or left out, never typed without Enter",
    "target": "panes stand in the layout",
    "sleep_before": "a shell runs its commands one after the other, without pauses",
    "sleep_after": "a shell runs its commands one after the other, without pauses",
}  # fmt: skip
_PERCENT = re.compile(r"([1-9][0-9]?)%\Z")
_VARIABLE = re.compile(r"\$([A-Za-z_][A-Za-z0-9_]*)")
_DULL = frozenset({"cd", "source", ".", "export", "echo", "sudo", "exec", "clear", "nvm", "pyenv", "set", "ssh"})
_STAYS = 'exec "$SHELL"'


@dataclass(slots=True)
class _Around:
    """What a session or window says for the panes in it."""

    before: list[str] = field(default_factory=list)
    env: dict[str, str] = field(default_factory=dict)
    folder: str = ""
    shell: str = ""
    has_focus: bool = True


def read(text: str, shown: str, folder: str) -> Imported:
    """Return the template that a session file says. `folder` is where the file lies. Raises RequestError."""
    return _Session(load(text, shown), shown, folder).imported()


class _Session:
    def __init__(self, root: Value, shown: str, folder: str) -> None:
        if "windows" not in (root.entries or {}):
            raise RequestError("template.syntax", f"{shown}:{root.line}: a session of tmuxp has `windows`")
        self._root, self._folder = root, folder
        self._notes: list[Note] = []
        self._template = Template(f"Imported from {shown}, a session of tmuxp.")

    def imported(self) -> Imported:
        root, top = self._root, self._template.top
        name = root.told("session_name")
        self._template.top["name"] = Template("").free_name(name or "tmux")
        if name and top["name"] != name:
            top["description"] = literal(name)
        around = _Around(
            before=self._commands(root, "shell_command_before"), env=self._env(root),
            folder=self._start(root.told("start_directory")),
        )  # fmt: skip
        if around.folder:
            top["root"] = around.folder
        if around.env:
            top["env"] = around.env
        windows = root.each("windows")
        focused = next((at for at, one in enumerate(windows) if _flag(one, "focus")), 0)
        options = root.get("options")
        for at, window in enumerate(windows):
            inner = _Around(list(around.before), {}, "", has_focus=at == focused)
            self._window(window, at, inner, options)
        if len(self._template.tabs) == 1:
            self._template.tabs[0].title = ""
        self._notes += [*_unread_options(options, "tmux's options act on tmux"), *root.unread(_SESSION)]
        return Imported("tmuxp", self._template.text(), sorted(self._notes, key=lambda note: note.line))

    def _window(self, window: Value, at: int, around: _Around, outer: Value | None) -> None:
        if window.entries is None:
            self._notes.append(Note(window.line, window.path, "a window is a map with `panes`"))
            return
        title = window.told("window_name") or f"window {at + 1}"
        taken = {tab.title for tab in self._template.tabs}
        title = title if title not in taken else f"{title} {at + 1}"
        around.before += self._commands(window, "shell_command_before")
        around.env |= self._env(window)
        around.folder = self._start(window.told("start_directory"))
        around.shell = window.told("window_shell")
        around.has_focus = around.has_focus and (window.get("focus") is None or _flag(window, "focus"))
        options, after = window.get("options"), window.get("options_after")
        panes = window.get("panes")
        items = (panes.items or []) if panes is not None else []
        names = [self._pane(pane, around) for pane in items] or [self._add(window, {}, [], around)]
        self._template.tabs.append(self._layout(window, title, names, [options, after, outer]))
        for one in (options, after):
            self._notes += _unread_options(one, "tmux's options act on tmux")
        self._notes += window.unread(_WINDOW)

    def _layout(self, window: Value, title: str, names: list[str], options: list[Value | None]) -> Tab:
        told = window.get("layout")
        line = told.text or "" if told is not None else "tiled"
        if told is not None and line not in tmux_layouts.NAMED:
            try:
                return tmux_layouts.raw(line, title, names)
            except tmux_layouts.WrongLayoutError as error:
                self._notes.append(Note(told.line, told.path, f"{error}; the panes are tiled"))
                line = "tiled"
        key = "main-pane-width" if line.startswith("main-vertical") else "main-pane-height"
        size = next((found for one in options if one is not None and (found := one.get(key))), None)
        main = None
        if size is not None:
            percent = _PERCENT.match(size.text or "")
            main = int(percent[1]) if percent else None
            if main is None:
                self._notes.append(
                    Note(size.line, size.path, "panes have shares here, not rows or columns; write it as `60%`")
                )
        return tmux_layouts.named(line, title, names, main)

    def _pane(self, pane: Value, around: _Around) -> str:
        if pane.entries is None:
            commands = [one.text or "" for one in pane.items] if pane.items is not None else [pane.text or ""]
            if commands in (["pane"], ["blank"]):
                commands = []
            return self._add(pane, {}, commands, around)
        told: dict[str, Any] = {}
        pane_around = _Around([*around.before, *self._commands(pane, "shell_command_before")], dict(around.env))
        pane_around.env |= self._env(pane)
        start = pane.told("start_directory")
        pane_around.folder = self._start(start, around.folder) if start else around.folder
        pane_around.shell = pane.told("shell") or around.shell
        if pane.get("title") is not None:
            told["title"] = literal(pane.told("title"))
        commands = self._commands(pane, "shell_command")
        if pane.get("enter") is not None and not _flag(pane, "enter"):
            self._notes += [Note(value.line, value.path, _PANE["enter"]) for value in [pane.get("enter")] if value]
            commands = []
        if pane_around.shell and commands:
            value = pane.get("shell_command") or pane
            self._notes.append(Note(value.line, value.path, f"nothing is typed into {pane_around.shell}"))
            commands = []
        focus = pane.get("focus")
        if focus is not None and _flag(pane, "focus"):
            if around.has_focus and not any(one.get("focus") for one in self._template.panes.values()):
                told["focus"] = True
            else:
                self._notes.append(Note(focus.line, focus.path, "one pane has the focus here"))
        self._notes += pane.unread(_PANE)
        return self._add(pane, told, commands, pane_around)

    def _add(self, at: Value, told: dict[str, Any], commands: list[str], around: _Around) -> str:
        line, path, shell = at.line, at.path, around.shell
        lines = [] if shell else [one for one in (*around.before, *commands) if one.strip()]
        text = "\n".join(lines)
        if not _is_closed(text):
            self._notes.append(Note(line, path, "a quote of these commands is not closed; they are left out"))
            text = ""
        name = self._template.free_name(_name_of(shell or "\n".join(commands)))
        pane: dict[str, Any] = {"command": literal(shell or text) or "shell"}
        if text and not _is_agent(text):
            # What tmuxp types leaves a shell behind, which ignores SIGTERM.
            pane = {"command": f"{literal(text)}\n{_STAYS}", "stop": "SIGHUP"}
        if around.folder:
            pane["cwd"] = around.folder
        if around.env:
            pane["env"] = around.env
        self._template.panes[name] = {**pane, **told}
        return name

    def _commands(self, value: Value, key: str) -> list[str]:
        """Return the commands below a key, each in one of tmuxp's three forms."""
        found: list[str] = []
        for one in value.each(key):
            if one.entries is None:
                found.append(one.text or "")
                continue
            told = one.told("cmd")
            if one.get("enter") is not None and not _flag(one, "enter"):
                self._notes.append(Note(one.line, f"{one.path}.enter", _PANE["enter"]))
            else:
                found.append(told)
            self._notes += one.unread(_PANE)
        return found

    @staticmethod
    def _env(value: Value) -> dict[str, str]:
        return {name: _braced(one.text or "") for name, one in value.pairs("environment")}

    def _start(self, told: str, above: str = "") -> str:
        """Return a folder as our template says it: `./` is relative to the file, the rest to the folder above."""
        if not told:
            return ""
        if told in (".", "./") or told.startswith(("./", "../")):
            return posixpath.normpath(posixpath.join(self._folder, told))
        path = _braced(told)
        if path == "${PWD}" or path.startswith("${PWD}/"):
            path = path.removeprefix("${PWD}").lstrip("/") or "."  # where it is loaded: the project folder
        if above and not path.startswith(("/", "~", "$")):
            path = posixpath.join(above, path)
        return path.rstrip("/") or "/"


def _unread_options(options: Value | None, why: str) -> list[Note]:
    return [Note(note.line, note.key, why) for note in options.unread()] if options is not None else []


def _flag(value: Value, key: str) -> bool:
    found = value.get(key)
    return found is not None and found.is_true


def _braced(text: str) -> str:
    """Write `$NAME` as `${NAME}`, the only form that is expanded outside of a shell here."""
    return _VARIABLE.sub(r"${\1}", text)


def _name_of(command: str) -> str:
    """Return a name for a pane: the first word of its commands that says something."""
    for is_dull in (False, True):
        for line in command.splitlines():
            try:
                words = shlex.split(line, comments=True)
            except ValueError:
                words = line.split()
            if words and (is_dull or words[0] not in _DULL):
                return posixpath.basename(words[0].rstrip("/")) or "pane"
    return "shell"


def _is_agent(text: str) -> bool:
    return "\n" not in text and text.split(maxsplit=1)[0] in ("claude", "claude-code")


def _is_closed(text: str) -> bool:
    """Tell whether no quote stays open; a shell at a prompt would wait for more."""
    quote = ""
    signs = iter(text)
    for sign in signs:
        if sign == "\\" and quote != "'":
            next(signs, "")
        elif quote:
            quote = "" if sign == quote else quote
        elif sign in "'\"`":
            quote = sign
    return not quote
