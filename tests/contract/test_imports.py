"""What the small programs may load. import-linter sees arrows between modules, not what is in memory in the end."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "wezparallel"

HEAVY = {"pydantic", "pydantic_core", "anyio", "asyncio", "structlog", "psutil", "yaml", "uvloop"}
COSTLY = {"typing", "dataclasses", "inspect"}
"""Of the standard library, what costs 0.5 to 2 MB or a millisecond and is not needed at run time."""

C_MODULES = {"_socket", "_struct", "termios", "fcntl", "select", "array"}


def modules_of(floor: str) -> list[str]:
    """Return the dotted names of a floor's modules."""
    return sorted(
        "wezparallel."
        + str(path.relative_to(PACKAGE)).removesuffix(".py").removesuffix("/__init__").replace("/", ".")
        for path in (PACKAGE / floor).rglob("*.py")
    )


BARE = [
    *modules_of("wire"),
    *modules_of("keeper"),
    "wezparallel.client.call",
    "wezparallel.client.attach",
    "wezparallel.client.sync",
    "wezparallel.errors",
    "wezparallel.paths",
    "wezparallel.frontends.cli.door",
]


def python(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a bare interpreter: no site-packages, no PYTHON variables."""
    command = [sys.executable, "-I", "-S", *arguments]
    return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=30, check=False)


def loaded_by(statement: str) -> set[str]:
    """Return what stands in sys.modules after a statement, without what every interpreter has."""
    head = f"import sys; sys.path.insert(0, {str(ROOT)!r}); before = set(sys.modules)\n"
    done = python("-c", head + statement + "\nprint(*sorted(set(sys.modules) - before))")
    assert done.returncode == 0, done.stderr
    return set(done.stdout.split())


def imported_by(*arguments: str) -> set[str]:
    """Return what a program imports up to its end, as the interpreter tells it."""
    return _import_times(python("-X", "importtime", *arguments).stderr) - _bare()


def _bare() -> set[str]:
    return _import_times(python("-X", "importtime", "-c", "pass").stderr)


def _import_times(stderr: str) -> set[str]:
    lines = [line for line in stderr.splitlines() if line.startswith("import time:")]
    return {line.rpartition("|")[2].strip() for line in lines} - {"imported package"}


@pytest.mark.parametrize("module", BARE)
def test_a_small_program_loads_nothing_heavy(module: str) -> None:
    tops = {name.partition(".")[0] for name in loaded_by(f"import {module}")}
    assert not tops & (HEAVY | COSTLY)


@pytest.mark.parametrize("module", BARE)
def test_a_small_program_stands_on_the_standard_library(module: str) -> None:
    tops = {name.partition(".")[0] for name in loaded_by(f"import {module}")}
    assert tops <= sys.stdlib_module_names | {"wezparallel"}


def test_the_door_starts_a_small_program_without_loading_the_command_line() -> None:
    calls = "door.command_line('attach', ['web/api']); door.command_line('call', [])"
    loaded = loaded_by(f"from wezparallel.frontends.cli import door; {calls}")
    assert {name for name in loaded if name.startswith("wezparallel")} == {
        "wezparallel", "wezparallel.frontends", "wezparallel.frontends.cli", "wezparallel.frontends.cli.door",
    }  # fmt: skip


@pytest.mark.parametrize("program", ["attach", "call"])
def test_the_door_starts_it_in_a_bare_interpreter_by_absolute_path(program: str) -> None:
    done = python(
        "-c",
        f"import sys; sys.path.insert(0, {str(ROOT)!r})\n"
        f"from wezparallel.frontends.cli import door; print(*door.command_line({program!r}, ['x']), sep='\\n')",
    )
    interpreter, isolated, no_site, file, argument = done.stdout.split("\n")[:5]
    assert (interpreter, isolated, no_site, argument) == (sys.executable, "-I", "-S", "x")
    assert Path(file) == PACKAGE / "client" / f"{program}.py"


def test_call_imports_c_modules_alone(tmp_path: Path) -> None:
    imported = imported_by(
        str(PACKAGE / "client" / "call.py"), "--socket", str(tmp_path / "none"), "--no-start", '{"Ping":{}}'
    )
    assert imported <= {"_socket"}


@pytest.fixture
def keeper_socket() -> Iterator[socket.socket]:
    """A socket where a keeper would listen; short enough for its name."""
    folder = tempfile.mkdtemp(prefix="wzp-", dir="/tmp")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(f"{folder}/keeper.sock")
        listener.listen()
        listener.settimeout(20)
        yield listener
    shutil.rmtree(folder)


def test_attach_imports_c_modules_and_our_own_alone_before_its_hello(keeper_socket: socket.socket) -> None:
    master, slave = os.openpty()
    file = str(PACKAGE / "client" / "attach.py")
    with subprocess.Popen(
        [sys.executable, "-I", "-S", "-X", "importtime", file, "web/api", "--socket", keeper_socket.getsockname()],
        stdin=slave, stdout=slave, stderr=subprocess.PIPE, text=True,
    ) as client:  # fmt: skip
        connection, _ = keeper_socket.accept()
        with connection:
            assert connection.recv(1)
            client.kill()
        assert client.stderr is not None
        imported = _import_times(client.stderr.read()) - _bare()
    os.close(master)
    os.close(slave)
    others = {name for name in imported if not name.startswith("wezparallel")}
    assert others <= C_MODULES | {"__future__", "struct"}
    assert "wezparallel.wire.hello" in imported
