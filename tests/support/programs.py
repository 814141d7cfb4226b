"""Other installations of the program: venvs with a copy of the package each, changed as a later version might be."""

from __future__ import annotations

import os
import re
import shutil
import sysconfig
import venv
from pathlib import Path

import wezparallel

PACKAGE = Path(wezparallel.__file__).parent
SCRIPT = "#!{python}\nimport sys\nfrom wezparallel.frontends.cli.door import main\nsys.exit(main())\n"


class Program:
    """One venv, and the copy of the package in it."""

    def __init__(self, root: Path, version: str = "1.0.0") -> None:
        self.root = root
        self.version = version
        self.package = root / "lib" / "wezparallel"
        self.python = str(root / "venv" / "bin" / "python3")
        self.command = str(root / "venv" / "bin" / "wezparallel")
        shutil.copytree(PACKAGE, self.package)
        venv.create(root / "venv", symlinks=True)
        site = next((root / "venv" / "lib").glob("python3*/site-packages"))
        # Folders named in a .pth bring no .pth of their own: the checkout that these tests run from is no part.
        (site / "program.pth").write_text(f"{root / 'lib'}\n{sysconfig.get_paths()['purelib']}\n")
        self.metadata = site / f"wezparallel-{version}.dist-info" / "METADATA"
        self.metadata.parent.mkdir()
        self.metadata.write_text(f"Metadata-Version: 2.1\nName: wezparallel\nVersion: {version}\n")
        Path(self.command).write_text(SCRIPT.format(python=self.python))
        Path(self.command).chmod(0o755)

    def copy(self, root: Path, version: str) -> Program:
        """Return another installation of the same code."""
        other = Program(root, version)
        shutil.rmtree(other.package)
        shutil.copytree(self.package, other.package)
        return other

    def change(self, module: str, *changes: tuple[str, str]) -> None:
        """Replace text in a module; each piece must stand there once. A running program keeps what it read."""
        path = self.package / module
        text = path.read_text()
        for old, new in changes:
            assert text.count(old) == 1, f"{module} has {text.count(old)} of {old!r}"
            text = text.replace(old, new)
        path.unlink()
        path.write_text(text)

    def say_version(self, version: str) -> None:
        """Be installed as another version, in place."""
        self.version = version
        self.metadata.write_text(f"Metadata-Version: 2.1\nName: wezparallel\nVersion: {version}\n")

    def speak(self, low: int, high: int) -> None:
        """Speak other versions of the private protocol from now on."""
        path = self.package / "wire" / "hello.py"
        text = re.sub(r"(?m)^MIN_VERSION = \d+$", f"MIN_VERSION = {low}", path.read_text())
        text = re.sub(r"(?m)^MAX_VERSION = \d+$", f"MAX_VERSION = {high}", text)
        path.unlink()
        path.write_text(text)
        shutil.rmtree(path.parent / "__pycache__", ignore_errors=True)  # size and second may be those of before

    def remove(self) -> None:
        """Delete it, as a user cleans up after an upgrade."""
        shutil.rmtree(self.root)


def to_neighbour(program: Program) -> None:
    """Change a copy into the next protocol version.

    Every message and record has a further field, each side says something new (the keeper with a descriptor beside
    it), the handed-over state holds a descriptor that nobody else knows, and optional fields are left out.
    """
    program.speak(1, 2)
    program.change(
        "keeper/hub_link.py",
        ('        body = {"m": name, **fields}\n', '        body = {"m": name, "newer": {"x": [1]}, **fields}\n'),
        ('            "log_start": writer.start,\n', ""),
        (
            '        self.tell(m.ENV, {"env_ids": list(keeper.envs)})\n',
            '        self.tell(m.ENV, {"env_ids": list(keeper.envs)})\n'
            '        self.tell("novelty", {"what": "nobody knows"}, [0])\n',
        ),
    )
    program.change(
        "hub/pool/keeper_link.py",
        (
            "        self._out += frames.pack(frames.MESSAGE, _encode(message).encode())\n",
            '        novelty = {"m": "novelty", "newer": True}\n'
            '        for each in (novelty, {**message, "newer": [2]}):\n'
            "            self._out += frames.pack(frames.MESSAGE, _encode(each).encode())\n",
        ),
    )
    program.change(
        "keeper/carried.py",
        ("FORMAT = 1\n", "FORMAT = 2\n"),
        ('        "umask": keeper.around.umask,\n', ""),
        ('        "facts": process.facts,\n', '        "newer": {"x": 1},\n'),
        ('        "members": run.members,\n', '        "members": run.members,\n        "newer": 3,\n'),
        (
            '    state["fds"] = descriptors(state)\n',
            '    state["newer"] = {"fd": os.dup(0)}\n'
            '    state["fds"] = [*descriptors(state), state["newer"]["fd"]]\n'
            '    for part in (*state["processes"], *state["runs"], *state["viewers"], state["hub"]):\n'
            '        part["more"] = "new"\n',
        ),
    )


def arguments(pid: int) -> list[str]:
    """Return a process's command line."""
    return Path(f"/proc/{pid}/cmdline").read_bytes().decode().split("\0")[:-1]


def times_executed(pid: int) -> bytes:
    """Return something that changes with each execve."""
    return Path(f"/proc/{pid}/auxv").read_bytes()


def environment(base: dict[str, str], **more: str) -> dict[str, str]:
    """Return an environment that does not say where Python finds its code."""
    kept = {name: value for name, value in base.items() if not name.startswith("PYTHON")}
    return {**kept, "PATH": os.environ["PATH"], **more}
