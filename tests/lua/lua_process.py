"""Lua 5.4 with the strict stand-in of fake_wezterm.lua in it, and what Python answers to it: programs, files, JSON.

`FakeWezterm` (fake.py) is what a test drives.
"""

from __future__ import annotations

import glob
import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

from lupa import lua54

HERE = Path(__file__).parent
EPOCH = 1_780_000_000  # what os.time() says when the virtual clock stands at 0
HELD = "held"  # an answer that is given later by `finish_child`, or never
EXECUTABLE_DIR = "/opt/wezterm/bin"

Answer = tuple[bool, str, str]

_CONFINE = """
local host, fake, is_ours = ...
local real_date, real_time = os.date, os.time
os.getenv = function(name) return host.getenv(name) end
os.time = function(when) return when and real_time(when) or host.epoch + math.floor(fake.now) end
os.date = function(format, when) return real_date(format or '%c', when or os.time()) end
for _, name in ipairs { 'execute', 'exit' } do
  os[name] = function() error('os.' .. name .. ' blocks or ends the GUI', 2) end
end
io.popen = function() error('io.popen freezes the GUI', 2) end
package.loadlib = function() error("can't load C modules in safe mode", 2) end
package.cpath = ''
while package.searchers[3] do table.remove(package.searchers) end
debug, python = nil, nil
package.loaded.debug = nil
setmetatable(_G, {
  __newindex = function(_, name) error('a global was made: ' .. tostring(name), 2) end,
  __metatable = 'globals',
})
"""


class LuaFaultError(Exception):
    """A handler or a call failed in Lua."""


def plain(value: Any) -> Any:
    """Return a Lua value as Python data: tables with `[1]` are lists, others dicts."""
    if lua54.lua_type(value) != "table":
        return value
    entries = dict(value.items())
    if entries and all(isinstance(key, int) for key in entries):
        return [plain(entries[key]) for key in sorted(entries)]
    return {key: plain(item) for key, item in entries.items()}


def really(argv: list[str]) -> Answer:
    """Answer by running the program, as WezTerm would."""
    done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=20, stdin=subprocess.DEVNULL)
    return done.returncode == 0, done.stdout, done.stderr


class LuaProcess:
    """One process of WezTerm with one home folder; nothing of it runs but in `drain`."""

    def __init__(
        self, home: Path, flavour: str = "stable", *, gui: bool = True, env: dict[str, str] | None = None
    ) -> None:
        self.home = home
        self.env = {"HOME": str(home), "WEZTERM_UNIX_SOCKET": "/run/wezterm/gui-sock-1", **(env or {})}
        self.children: list[list[str]] = []
        self.answer: Callable[[list[str]], Answer | str] = lambda _argv: (False, "", "no answer was set")
        self.plugins: list[dict[str, str]] = []
        self.process_info: Callable[[int], dict[str, Any] | None] = lambda _pid: None
        self.lenient = False
        self.config_text = ""
        self.lua = lua54.LuaRuntime(unpack_returned_tuples=True, register_eval=False)
        self.host = self._table(
            {
                "flavour": flavour, "gui": gui, "home": str(home), "pid": 4242, "epoch": EPOCH,
                "executable_dir": EXECUTABLE_DIR, "getenv": self.env.get, "json_scalar": _json_scalar,
                "json_parse": self._json_parse, "run_child": self._run_child, "glob": self._glob,
                "plugins": lambda: self._table(self.plugins),
                "process_info": lambda pid: self._table(self.process_info(pid)),
            }
        )  # fmt: skip
        self.wezterm, self.fake = self._part("fake_wezterm")(self.host, self._part)
        self._loaded_at_start = set(self.lua.globals().package.loaded.keys())
        self.lua.globals().package.loaded["wezterm"] = self.wezterm
        self.lua.globals().package.path = ";".join(
            f"{home}/{folder}/{form}"
            for folder in (".config/wezterm", ".wezterm")
            for form in ("?.lua", "?/init.lua")
        )
        self.lua.execute(_CONFINE, self.host, self.fake)

    def drain(self) -> None:
        """Run everything that is ready."""
        self.fake.drain()
        self._raise_errors()

    def take_errors(self) -> list[str]:
        """Errors of handlers so far, then none (with `lenient`)."""
        errors = plain(self.fake.errors) or []
        self.fake.errors = self._table({})
        return errors

    def _run_task(self, chunk: Any, name: str, *args: Any) -> tuple[Any, ...]:
        outcome: list[tuple[bool, tuple[Any, ...]]] = []
        self.fake.spawn(name, lambda ok, *results: outcome.append((ok, results)), chunk, *args)
        self.drain()
        if not outcome:
            raise LuaFaultError(f"{name} awaits something: see `start`")
        ok, results = outcome[0]
        if not ok:
            raise LuaFaultError("\n".join(self.take_errors()) or str(results))
        return results or (None,) if name == "wezterm.lua" else results

    def _raise_errors(self) -> None:
        if not self.lenient and len(self.fake.errors):
            raise LuaFaultError("\n".join(self.take_errors()))

    def _chunk(self, text: str, name: str) -> Any:
        chunk = self.lua.eval("function(text, name) return load(text, name, 't') end")(text, "@" + name)
        if isinstance(chunk, tuple):
            raise LuaFaultError(chunk[1])
        return chunk

    def _part(self, name: str) -> Any:
        return self._chunk((HERE / f"{name}.lua").read_text(), name)

    def _table(self, value: Any) -> Any:
        if isinstance(value, dict):
            table = self.lua.table()
            for key, item in value.items():
                table[key] = self._table(item)
            return table
        if isinstance(value, list):
            table = self.lua.table()
            for index, item in enumerate(value, 1):
                table[index] = self._table(item)
            return table
        return value

    def _json_parse(self, text: str) -> Any:
        try:
            return self._table(json.loads(text)), None
        except ValueError as error:
            return None, str(error)

    def _run_child(self, argv: Any) -> tuple[Any, ...]:
        words = [str(word) for word in argv.values()]
        self.children.append(words)
        program = (
            words[2:] if words[:1] == ["/usr/bin/env"] and words[1].startswith("WEZTERM_UNIX_SOCKET=") else words
        )
        if program[:2] == [f"{EXECUTABLE_DIR}/wezterm", "cli"]:
            return self._cli(program[2:])
        try:
            answer = self.answer(words)
        except OSError as error:
            return "raised", str(error)
        return (HELD,) if isinstance(answer, str) else ("ended", *answer)

    def _cli(self, words: list[str]) -> tuple[Any, ...]:
        """Only what needs no second process to be true: kill-pane, and what must never be forgotten."""
        if words[:1] != ["--no-auto-start"]:
            return "ended", False, "", "without --no-auto-start a missing server is started"
        if words[1:3] == ["kill-pane", "--pane-id"]:
            try:
                self.fake.kill_pane(int(words[3]))
            except lua54.LuaError as error:
                return "ended", False, "", f"ERROR wezterm > {error}; terminating"
            return "ended", True, "", ""
        answer = self.answer([f"{EXECUTABLE_DIR}/wezterm", "cli", *words])
        return (HELD,) if isinstance(answer, str) else ("ended", *answer)

    def _glob(self, pattern: str, base: str | None) -> Any:
        return self._table(sorted(glob.glob(f"{base}/{pattern}" if base else pattern)))


def _json_scalar(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
