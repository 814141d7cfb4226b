"""What is installed is whole: templates, Lua and the plugin travel in the wheel, and it works where it lands."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built by pip."""
    folder = tmp_path_factory.mktemp("wheel")
    here = ["--no-build-isolation"] if find_spec("hatchling") else []
    command = [sys.executable, "-m", "pip", "wheel", str(ROOT), "--no-deps", "--quiet", "-w", str(folder), *here]
    command += ["--disable-pip-version-check", "--retries", "0"]
    built = subprocess.run(command, capture_output=True, text=True, timeout=50, check=False)
    if built.returncode != 0:
        pytest.skip(f"pip builds no wheel here: {built.stderr.strip().splitlines()[-1:]}")
    (path,) = folder.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the wheel's files; our dependencies come from the interpreter that runs the tests."""
    folder = tmp_path_factory.mktemp("site")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    return folder


def run(installed: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the interpreter with the installed copy first on its path, away from the source."""
    env = {**os.environ, "PYTHONPATH": str(installed)}
    return subprocess.run(
        [sys.executable, *arguments], env=env, cwd=installed, capture_output=True, text=True, timeout=30, check=False
    )


@pytest.mark.parametrize("folder", ["config/prometheus", "config/templates", "lua", "plugin"])
def test_every_file_of_a_shared_folder_is_in_the_wheel(installed: Path, folder: str) -> None:
    wanted = {str(path.relative_to(ROOT)) for path in (ROOT / folder).rglob("*") if path.is_file()}
    share = installed / "wezparallel" / "share"
    assert wanted == {str(path.relative_to(share)) for path in (share / folder).rglob("*") if path.is_file()}


def test_every_module_and_migration_is_in_the_wheel(installed: Path) -> None:
    source = ROOT / "wezparallel"
    wanted = {path.relative_to(source) for path in source.rglob("*") if path.suffix in {".py", ".sql", ".typed"}}
    assert not {str(path) for path in wanted if not (installed / "wezparallel" / path).is_file()}


def test_the_tests_stay_at_home(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        tops = {name.partition("/")[0] for name in archive.namelist()}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"wezparallel"}


def test_the_wheel_names_its_two_commands(installed: Path) -> None:
    (entry_points,) = installed.glob("*.dist-info/entry_points.txt")
    assert "wezparallel = wezparallel.frontends.cli.door:main" in entry_points.read_text()
    assert "wzp = wezparallel.frontends.cli.door:main" in entry_points.read_text()


def test_an_installed_copy_tells_its_version(installed: Path) -> None:
    code = "import sys; from wezparallel.frontends.cli.door import main; sys.exit(main())"
    done = run(installed, "-c", code, "--version")
    assert (done.returncode, done.stderr) == (0, "")
    assert "0.1.0" in done.stdout


def test_an_installed_copy_finds_its_built_in_templates(installed: Path) -> None:
    code = (
        "from wezparallel.hub.workspaces import discovery\n"
        "print(*[one.path for one in discovery.candidates('/nowhere') if one.origin == 'built-in'], sep='\\n')"
    )
    done = run(installed, "-c", code)
    assert done.returncode == 0, done.stderr
    found = {str(Path(line).relative_to(installed / "wezparallel" / "share")) for line in done.stdout.splitlines()}
    assert found == {
        str(path.relative_to(ROOT))
        for path in (ROOT / "config" / "templates").glob("*.yaml")
        if path.stem != "framework"
    }


def test_init_of_an_installed_copy_links_its_own_lua(installed: Path, tmp_path: Path) -> None:
    env = {name: value for name, value in os.environ.items() if not name.startswith(("WEZ", "XDG_"))}
    env |= {"PYTHONPATH": str(installed), "HOME": str(tmp_path), "WEZPARALLEL_RUNTIME_DIR": str(tmp_path / "r")}
    argv = [sys.executable, "-m", "wezparallel", "init"]
    done = subprocess.run(argv, env=env, cwd=tmp_path, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    share = installed / "wezparallel" / "share"
    assert (tmp_path / ".wezterm" / "wezparallel").readlink() == share / "lua" / "wezparallel"
    assert (tmp_path / ".wezterm" / "wezparallel" / "init.lua").is_file()
