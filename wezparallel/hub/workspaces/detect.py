"""Draws a template from what is found in a folder. Reads small files, runs nothing, and is deterministic.

What a project says about itself comes first (a Procfile before scripts, scripts before a Makefile); at most one
server and one test pane are taken, so that the picture stays small. Above: the handlers, which compile what is drawn.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field

from wezparallel.hub.workspaces.source import cells, fold
from wezparallel.hub.workspaces.variables import literal

MAX_PANES = 6  # beside the agent; more is not a first picture
MAX_FILE = 256 * 1024  # bytes that are looked at
_PLAIN = re.compile(r"[A-Za-z0-9_./][A-Za-z0-9_./ =@%+-]*\Z")
_WORDS = re.compile(r"(true|false|null|~|[0-9.]+)\Z", re.IGNORECASE)
_PROCFILE_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]{0,63}\Z")
_TARGET = re.compile(r"^([A-Za-z0-9_-]+)[ \t]*:(?!=)", re.MULTILINE)
_COMPOSE = ("compose.yaml", "compose.yml", "docker-compose.yaml", "docker-compose.yml")
_LOCKS = (("pnpm-lock.yaml", "pnpm"), ("yarn.lock", "yarn"), ("bun.lockb", "bun"), ("bun.lock", "bun"))


@dataclass(slots=True)
class _Drawing:
    root: str
    has_program: Callable[[str], bool]
    panes: dict[str, str] = field(default_factory=dict)
    found: list[str] = field(default_factory=list)

    def has(self, name: str) -> bool:
        return os.path.exists(os.path.join(self.root, name))

    def text(self, name: str) -> str:
        path = os.path.join(self.root, name)
        if not os.path.isfile(path):
            return ""
        try:
            with open(path, encoding="utf-8", errors="replace") as file:
                return file.read(MAX_FILE)
        except OSError:
            return ""

    def add(self, name: str, command: str) -> bool:
        """Add a pane unless there is one of that name already."""
        if any(fold(name) == fold(one) for one in self.panes) or len(self.panes) >= MAX_PANES:
            return False
        self.panes[name] = command
        return True

    def note(self, name: str, parts: list[str]) -> None:
        """Note what was used of a file."""
        self.found.append(f"{name} ({', '.join(parts)})" if parts else name)


def detect(root: str, search_path: str | None = None) -> tuple[str, list[str]]:
    """Return the YAML of a template for a folder, and what it was drawn from.

    `search_path` is the PATH to look for programs in, ours if None. There is always something to open: at the least
    a shell.
    """
    drawing = _Drawing(root, lambda program: shutil.which(program, path=search_path) is not None)
    for look in (_procfile, _package, _python, _rust, _go, _makefile, _compose, _git):
        look(drawing)
    has_agent = drawing.has_program("claude")
    if has_agent:
        drawing.note("claude", [])
    if not drawing.panes:
        drawing.panes["shell"] = "shell"
    return _source(drawing, has_agent), drawing.found


def _procfile(drawing: _Drawing) -> None:
    name = next((one for one in ("Procfile.dev", "Procfile") if drawing.text(one)), None)
    if name is None:
        return
    used: list[str] = []
    for line in drawing.text(name).splitlines():
        process, _, command = (part.strip() for part in line.partition(":"))
        # `release` runs once at a deployment, not on a desk.
        if _PROCFILE_NAME.match(process) and process != "release" and command and command.isprintable():
            used += [process] if drawing.add(process, command) else []
    if used:
        drawing.note(name, used)


def _package(drawing: _Drawing) -> None:
    try:
        package = json.loads(drawing.text("package.json") or "null")
    except (ValueError, RecursionError):
        return
    if not isinstance(package, dict):
        return
    scripts = package.get("scripts")
    scripts = scripts if isinstance(scripts, dict) else {}
    manager = _package_manager(drawing, package)
    used: list[str] = []
    server = next((one for one in ("dev", "start", "serve") if isinstance(scripts.get(one), str)), None)
    if server and not _has_server(drawing):
        drawing.add("server", f"{manager} start" if server == "start" else f"{manager} run {server}")
        used.append(server)
    test = scripts.get("test")
    # npm init writes a test script that only fails.
    if isinstance(test, str) and "no test specified" not in test and drawing.add("tests", f"{manager} test"):
        used.append("test")
    drawing.note("package.json", used)


def _package_manager(drawing: _Drawing, package: dict[str, object]) -> str:
    for lock, manager in _LOCKS:
        if drawing.has(lock):
            return manager
    named = str(package.get("packageManager", "")).split("@", maxsplit=1)[0]
    return named if named in {"pnpm", "yarn", "bun"} else "npm"


def _python(drawing: _Drawing) -> None:
    project = drawing.text("pyproject.toml")
    uses_pytest = "pytest" in project or drawing.has("pytest.ini") or drawing.has("conftest.py")
    runner = "uv run " if drawing.has("uv.lock") else "poetry run " if drawing.has("poetry.lock") else ""
    used: list[str] = []
    if drawing.has("manage.py") and not _has_server(drawing):
        drawing.add("server", f"{runner}python manage.py runserver")
        drawing.note("manage.py", [])
    if (uses_pytest or drawing.has("tests/conftest.py")) and drawing.add("tests", f"{runner}pytest"):
        used.append("pytest")
    if project:
        drawing.note("pyproject.toml", used)
    elif used:
        drawing.note("pytest", [])


def _rust(drawing: _Drawing) -> None:
    if not drawing.has("Cargo.toml"):
        return
    # Both rerun at every change, as a pane beside an editor should.
    watcher = "bacon" if drawing.has_program("bacon") else "cargo watch -x test"
    can_watch = watcher == "bacon" or drawing.has_program("cargo-watch")
    drawing.add("tests", watcher if can_watch else "cargo test")
    drawing.note("Cargo.toml", [])


def _go(drawing: _Drawing) -> None:
    if not drawing.has("go.mod"):
        return
    if drawing.has("main.go") and not _has_server(drawing):
        drawing.add("server", "go run .")
    drawing.add("tests", "go test ./...")
    drawing.note("go.mod", [])


def _makefile(drawing: _Drawing) -> None:
    name = next((one for one in ("GNUmakefile", "makefile", "Makefile") if drawing.text(one)), None)
    if name is None:
        return
    targets = set(_TARGET.findall(drawing.text(name)))
    used: list[str] = []
    server = next((one for one in ("dev", "run", "serve", "start", "watch") if one in targets), None)
    if server and not _has_server(drawing) and drawing.add("server", f"make {server}"):
        used.append(server)
    test = next((one for one in ("test", "tests", "check") if one in targets), None)
    if test and drawing.add("tests", f"make {test}"):
        used.append(test)
    if used:
        drawing.note(name, used)


def _compose(drawing: _Drawing) -> None:
    name = next((one for one in _COMPOSE if drawing.has(one)), None)
    if name is not None and drawing.add("services", "docker compose up"):
        drawing.note(name, [])


def _git(drawing: _Drawing) -> None:
    if drawing.has(".git"):
        drawing.note("git", [])


def _has_server(drawing: _Drawing) -> bool:
    """Tell whether something that serves is there already; a Procfile calls it `web`."""
    return any(name in drawing.panes for name in ("server", "web"))


def _source(drawing: _Drawing, has_agent: bool) -> str:
    origin = (
        f"# Drawn from {_listed(drawing.found)}." if drawing.found else "# Nothing was found here; a shell it is."
    )
    lines = [origin]
    names = list(drawing.panes)
    agent = next(name for name in ("coder", "claude", "agent") if name not in names) if has_agent else ""
    if agent or len(names) > 1:
        lines += ["layout: |"]
        rows = [[agent, name] for name in names] if agent else _pairs(names)
        width = max(cells(name) for row in rows for name in row[:1])
        lines += ["  " + "  ".join(_padded(name, width) for name in row).rstrip() for row in rows]
    lines += ["panes:"]
    if agent:
        lines += [f"  {agent}: {{ agent: claude_code, focus: true }}"]
    # What `${PORT}` means in a Procfile is for the shell to say.
    lines += [f"  {_quoted(name)}: {_quoted(literal(command))}" for name, command in drawing.panes.items()]
    return "\n".join(lines) + "\n"


def _pairs(names: list[str]) -> list[list[str]]:
    """Return the first pane at the left, the others one below the other at its right."""
    return [[names[0], name] for name in names[1:]]


def _padded(name: str, width: int) -> str:
    return name + " " * (width - cells(name))


def _listed(found: list[str]) -> str:
    return found[0] if len(found) == 1 else f"{', '.join(found[:-1])} and {found[-1]}"


def _quoted(text: str) -> str:
    if _PLAIN.match(text) and not _WORDS.match(text) and text == text.strip():
        return text
    return json.dumps(text, ensure_ascii=False)
