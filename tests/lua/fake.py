"""WezTerm's Lua side without WezTerm: Lua 5.4 with the strict stand-in of fake_wezterm.lua, driven from a test.

One `FakeWezterm` is one process of WezTerm with one home folder. Nothing runs by itself: `load` evaluates a
configuration, `press`, `emit`, `choose` … do what a person does, and each of them drains the handlers; `advance` lets
virtual time pass. A handler that fails makes the call raise `LuaFaultError`, unless `lenient` is set.

    wezterm = FakeWezterm(home)              # the fixture `home` has ~/.wezterm as `init` links it
    wezterm.answer = lambda argv: (True, '{"Pong":{}}\n', '')
    wezterm.load("local c = require('wezterm').config_builder() … return c")
    wezterm.press("n", "CTRL|SHIFT")
    wezterm.overlay["kind"] == "InputSelector"; wezterm.choose("web_dev", "Web")
    wezterm.call("return require('wezparallel.state').read().version")
"""

from __future__ import annotations

from typing import Any

from lupa import lua54

from tests.lua.lua_process import LuaFaultError, LuaProcess, plain


class FakeWezterm(LuaProcess):
    """One process of WezTerm: `flavour` is `stable` or `nightly`; without `gui` it is the mux server."""

    # The configuration.

    def load(self, text: str) -> Any:
        """Evaluate a wezterm.lua; the first time in a GUI, one window opens with a shell in it."""
        self.config_text = text
        chunk = self._chunk(text, "wezterm.lua")
        (config,) = self._run_task(chunk, "wezterm.lua")
        if config is None:
            raise LuaFaultError("the configuration returned nothing")
        self._checked(config)
        first = self.fake.config is None
        self.fake.config = config
        if first and self.host["gui"]:
            self.emit("gui-startup", None)
            if not list(self.world.order.values()):
                self.fake.new_window(self._table({}))
            self.drain()
        return config

    def reload(self) -> Any:
        """Evaluate the configuration again in what counts as a fresh Lua state; mux, GLOBAL and tasks go on."""
        loaded = self.lua.globals().package.loaded
        for name in set(loaded.keys()) - self._loaded_at_start - {"wezterm"}:
            loaded[name] = None
        self.fake.forget_state()
        config = self.load(self.config_text)
        for number in range(1, len(self.world.slots) + 1):
            slot = self.slot(number)
            self.fake.emit_window(slot, "window-config-reloaded", self.window(number), self.pane(window=number))
        self.drain()
        return config

    def _checked(self, config: Any) -> None:
        try:
            self.lua.eval("function(f, c) f.check_config(c) end")(self.fake, config)
        except lua54.LuaError as error:
            raise LuaFaultError(str(error)) from error

    # What happens.

    def call(self, code: str, *args: Any) -> Any:
        """Run a body of Lua as a task (it may yield), drain, and return what it returned as plain data."""
        results = self._run_task(self._chunk(code, "call"), "call", *(self._table(arg) for arg in args))
        values = [plain(value) for value in results]
        return values[0] if len(values) == 1 else tuple(values) or None

    def call_sync(self, code: str, *args: Any) -> Any:
        """Run a body of Lua outside every coroutine, as a sync event does; async calls fail there."""
        try:
            result = self._chunk(code, "call_sync")(*(self._table(arg) for arg in args))
        except lua54.LuaError as error:
            raise LuaFaultError(str(error)) from error
        return tuple(map(plain, result)) if isinstance(result, tuple) else plain(result)

    def start(self, code: str, *args: Any) -> None:
        """Begin a task and drain; what it awaits (a held child, a timer) may keep it going."""
        self.fake.spawn("start", None, self._chunk(code, "start"), *(self._table(arg) for arg in args))
        self.drain()

    def emit(self, name: str, *args: Any) -> None:
        """Fire an event with the arguments given; `window()` and `pane()` make those of the first window."""
        self.fake.emit(name, *args)
        self.drain()

    def emit_sync(self, name: str, *args: Any) -> Any:
        """Fire a sync event; returns what its first handler returned, as plain data."""
        try:
            return plain(self.fake.emit_sync(name, *(self._table(arg) for arg in args)))
        except lua54.LuaError as error:
            raise LuaFaultError(str(error)) from error

    def press(self, key: str, mods: str = "", window: int = 1) -> None:
        """Press a key: the key table on top first, then `config.keys`, where the last of equals wins."""
        slot = self.slot(window)
        tables = list(slot.key_tables.values())
        if tables:
            table = tables[-1]
            entry = _bound(self._effective(slot, "key_tables")[table.name], key, mods)
            if table.one_shot is not False:
                slot.key_tables = self._table({})
            if entry is not None:
                return self.perform(entry.action, window)
        entry = _bound(self._effective(slot, "keys"), key, mods)
        if entry is None:
            raise LuaFaultError(f"nothing is bound to {mods} {key}")
        return self.perform(entry.action, window)

    def perform(self, action: Any, window: int = 1) -> None:
        """Perform an action in a window, on its active pane."""
        slot = self.slot(window)
        self.fake.perform(slot, self._table(action), self.active_pane(window))
        self.drain()

    def choose(self, choice: str | None, label: str | None = None, window: int = 1) -> None:
        """Answer an InputSelector by the id of a choice (None: Escape)."""
        shown = self.slot(window).overlay
        if shown is None or shown.kind != "InputSelector":
            raise LuaFaultError("no selector is shown")
        if choice is not None:
            known = {
                item.id if item.id is not None else item.label: item.label for item in shown.given.choices.values()
            }
            if choice not in known:
                raise LuaFaultError(f"no choice {choice!r} among {sorted(known)}")
            label = label or known[choice]
        self.fake.answer_overlay(self.slot(window), shown.given.action, choice, label)
        self.drain()

    def type_line(self, line: str | None, window: int = 1) -> None:
        """Answer a PromptInputLine (None: Escape)."""
        shown = self.slot(window).overlay
        if shown is None or shown.kind != "PromptInputLine":
            raise LuaFaultError("no prompt is shown")
        self.fake.answer_overlay(self.slot(window), shown.given.action, line)
        self.drain()

    def confirm(self, yes: bool, window: int = 1) -> None:
        """Answer a Confirmation of nightlies."""
        shown = self.slot(window).overlay
        if shown is None or shown.kind != "Confirmation":
            raise LuaFaultError("no confirmation is shown")
        self.fake.answer_overlay(self.slot(window), shown.given.action if yes else shown.given.cancel)
        self.drain()

    def advance(self, seconds: float) -> None:
        """Let virtual time pass: timers and the status tick."""
        self.fake.advance(seconds)
        self._raise_errors()

    def finish_child(self, success: bool, stdout: str = "", stderr: str = "") -> None:
        """Answer the oldest child that was held."""
        self.fake.finish_child(success, stdout, stderr)
        self.drain()

    def set_user_var(self, pane: int, name: str, value: str) -> None:
        """A program in the pane sets a user variable."""
        self.fake.set_user_var(pane, name, value)
        self.drain()

    def kill_pane(self, pane: int) -> None:
        """The program of a pane ends, or somebody closes it."""
        self.fake.kill_pane(pane)
        self.drain()

    def resize(self, cols: int, rows: int, window: int = 1) -> None:
        """The person resizes a GUI window."""
        self.fake.resize_window(self.slot(window), cols, rows)
        self.drain()

    # What is there.

    @property
    def world(self) -> Any:
        """The mux as Lua holds it: windows, tabs, panes (with args, env, cwd, title, user_vars, sent), orphans."""
        return self.fake.world

    def slot(self, window: int = 1) -> Any:
        """GUI window number `window`, counted from 1, as Lua holds it (left, right, overlay, key_tables, focused)."""
        slot = self.world.slots[window]
        if slot is None:
            raise LuaFaultError(f"there is no window {window}")
        return slot

    def window(self, window: int = 1) -> Any:
        """The window object that handlers get."""
        return self.fake.gui_window(self.slot(window))

    def pane(self, pane: int | None = None, window: int = 1) -> Any:
        """The pane object that handlers get: the active one, else by id."""
        return self.fake.wrap_pane(self.active_pane(window) if pane is None else pane)

    def active_pane(self, window: int = 1) -> int:
        """Id of the pane that has the focus in a window."""
        shown = self.world.windows[self.slot(window).window]
        return int(self.world.tabs[shown.active].active)

    def status(self, side: str = "right", window: int = 1) -> str:
        """The text at one side of the status."""
        return str(self.slot(window)[side])

    @property
    def overlay(self) -> dict[str, Any] | None:
        """What asks in the first window: kind and what it was given."""
        shown = self.slot().overlay
        return None if shown is None else {"kind": shown.kind, **plain(shown.given)}

    @property
    def toasts(self) -> list[dict[str, str]]:
        """Toasts so far."""
        return plain(self.fake.toasts) or []

    @property
    def logs(self) -> list[str]:
        """What was logged."""
        return plain(self.fake.logs) or []

    @property
    def performed(self) -> list[Any]:
        """Every action performed so far, nested ones too."""
        return plain(self.world.performed) or []

    @property
    def workspace(self) -> str:
        """The active workspace."""
        return str(self.world.workspace)

    @property
    def workspaces(self) -> list[str]:
        """All workspaces that have a window."""
        return plain(self.fake.workspace_names()) or []

    def tabs(self, workspace: str) -> list[Any]:
        """The tabs of all windows of a workspace, as Lua holds them."""
        windows = [self.world.windows[number] for number in self.world.order.values()]
        return [
            self.world.tabs[tab]
            for window in windows
            if window.workspace == workspace
            for tab in window.tabs.values()
        ]

    def places(self, tab: Any) -> list[dict[str, int]]:
        """Where the panes of a tab are: pane, left, top, width, height."""
        return plain(self.fake.places(tab))

    # Between the two.

    def _effective(self, slot: Any, option: str) -> Any:
        """Return an option as it holds in a window: its override, else the configuration."""
        overridden = slot.overrides[option] if slot.overrides is not None else None
        return self.fake.config[option] if overridden is None else overridden


def _mods(text: str | None) -> frozenset[str]:
    return frozenset(word.strip() for word in (text or "").split("|") if word.strip() not in ("", "NONE"))


def _bound(keys: Any, key: str, mods: str) -> Any:
    found = None
    for entry in (keys or {}).values():
        if entry.key == key and _mods(entry.mods) == _mods(mods):
            found = entry
    return found
