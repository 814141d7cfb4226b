"""`watch:`: real files, real restarts; what git ignores, editors' ways to save, and a kernel without room."""

from __future__ import annotations

import errno
import os
import subprocess
import time
from collections.abc import AsyncGenerator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import anyio
import anyio.to_thread
import pytest

from tests.hub.handlers.test_process import add, get, text_of
from tests.support.daemon import Daemon
from tests.support.waiting import until
from wezparallel.hub.pool import watched
from wezparallel.hub.pool.globs import globs
from wezparallel.hub.pool.watching import Watching
from wezparallel.hub.state.model import Process, State
from wezparallel.protocol.process import ProcessSettings

if TYPE_CHECKING:
    from anyio.abc import TaskGroup

    from wezparallel.hub.app import Hub

pytestmark = pytest.mark.one_daemon

COUNTING = "echo up; exec sleep 100"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A folder with one file to watch."""
    folder = tmp_path / "root"
    (folder / "src").mkdir(parents=True)
    (folder / "src" / "app.py").write_text("1")
    os.utime(folder / "src" / "app.py", (1, 1))  # what changed in the moment before somebody watches may count
    return folder


def watch(daemon: Daemon, root: Path, name: str = "w/one", script: str = COUNTING, **fields: Any) -> None:
    """Add a process that watches Python files, and wait until its watcher has counted them."""
    add(daemon, name, script, root=str(root), **{"watch": ["src/**/*.py"]} | fields)
    until(lambda: is_watched(daemon, root / "src"), 10, "the watcher")


def is_watched(daemon: Daemon, folder: Path) -> bool:
    """Tell whether the hub has asked the kernel to watch a folder."""
    inode = f"ino:{folder.stat().st_ino:x} "
    for entry in Path(f"/proc/{daemon.hub_pid()}/fdinfo").iterdir():
        try:
            if inode in entry.read_text():
                return True
        except OSError:
            continue
    return False


def run_of(daemon: Daemon, name: str = "w/one") -> int:
    """Return the number of the run that is up, else 0."""
    record = get(daemon, name)
    return int(record["run"]) if record["state"] == "running" else 0


def quiet(daemon: Daemon, root: Path) -> None:
    """Return when whatever was changed before was acted on: a later change of another's file was."""
    (root / "src" / "mark").write_text(os.urandom(4).hex())
    before = run_of(daemon, "w/mark")
    until(lambda: run_of(daemon, "w/mark") > before > 0, 10, "the mark")


def test_a_change_restarts_once_and_says_which_file(daemon: Daemon, root: Path) -> None:
    with daemon.client() as client:
        events = client.subscribe(["process.stopping"])
        watch(daemon, root)
        (root / "src" / "app.py").write_text("2")
        until(lambda: run_of(daemon) == 2, 10, "the restart")
        told = next(iter(events))["Event"]
    assert told["data"]["reason"] == "src/app.py changed"
    assert told["by"]["via"] == "watch"
    record = get(daemon, "w/one")
    assert (record["restarts"], record["tries"], record["reason"]) == (0, 0, None)


def test_what_no_glob_names_and_what_git_ignores_restarts_nobody(daemon: Daemon, root: Path) -> None:
    subprocess.run(["git", "init", "-q", str(root)], check=True)
    (root / ".gitignore").write_text("gen/\n*_made.py\n")
    (root / "src" / "gen").mkdir()
    watch(daemon, root)
    add(daemon, "w/mark", COUNTING, watch=["src/mark"])
    until(lambda: run_of(daemon, "w/mark") == 1, 10, "the mark")
    assert not is_watched(daemon, root / "src" / "gen")
    (root / "src" / "gen" / "x.py").write_text("1")
    (root / "src" / "new_made.py").write_text("1")
    (root / "src" / "notes.txt").write_text("1")
    (root / "top.py").write_text("1")
    quiet(daemon, root)
    assert run_of(daemon) == 1
    (root / "src" / "app.py").write_text("2")
    until(lambda: run_of(daemon) == 2, 10, "the restart")


def test_a_save_by_rename_counts_once(daemon: Daemon, root: Path) -> None:
    watch(daemon, root)
    add(daemon, "w/mark", COUNTING, watch=["src/mark"])
    until(lambda: run_of(daemon, "w/mark") == 1, 10, "the mark")
    file = root / "src" / "app.py"
    file.rename(root / "src" / "app.py~")  # as vim does it
    file.write_text("2")
    (root / "src" / ".app.py.tmp").write_text("3")  # as most others do
    (root / "src" / ".app.py.tmp").rename(file)
    until(lambda: run_of(daemon) == 2, 10, "the restart")
    quiet(daemon, root)
    assert run_of(daemon) == 2
    assert text_of(daemon, "w/one") == "up\nup\n"


def test_a_file_in_a_new_folder_counts(daemon: Daemon, root: Path) -> None:
    watch(daemon, root)
    (root / "src" / "deep").mkdir()
    (root / "src" / "deep" / "new.py").write_text("1")
    until(lambda: run_of(daemon) == 2, 10, "the restart")
    until(lambda: is_watched(daemon, root / "src" / "deep"), 10, "the new folder")
    (root / "src" / "deep" / "new.py").write_text("2")
    until(lambda: run_of(daemon) == 3, 10, "the next restart")


def test_several_share_a_watcher_and_only_those_concerned_restart(daemon: Daemon, root: Path) -> None:
    watch(daemon, root)
    add(daemon, "w/two", COUNTING, cwd=str(root / "src"), watch=["*.{css,js}"])
    until(lambda: run_of(daemon, "w/two") == 1, 10, "the second")
    (root / "src" / "a.css").write_text("1")
    until(lambda: run_of(daemon, "w/two") == 2, 10, "its restart")
    assert run_of(daemon) == 1


def test_what_has_given_up_is_tried_again_and_what_was_stopped_is_not(daemon: Daemon, root: Path) -> None:
    watch(daemon, root, script="test -e src/fixed.py && exec sleep 100; exit 1", restart="never")
    add(daemon, "w/stopped", COUNTING, watch=["src/**/*.py"])
    daemon.call("ProcessStop", process="w/stopped")
    until(lambda: get(daemon, "w/one")["state"] == "exited", 10, "the end")
    (root / "src" / "fixed.py").write_text("1")
    until(lambda: run_of(daemon) == 2, 10, "the next try")
    assert get(daemon, "w/stopped")["state"] == "stopped"


def test_an_agent_is_never_restarted(daemon: Daemon, root: Path) -> None:
    watch(daemon, root)
    add(daemon, "w/agent", COUNTING, agent="claude_code", watch=["src/**/*.py"])
    (root / "src" / "app.py").write_text("2")
    until(lambda: run_of(daemon) == 2, 10, "the restart of the other")
    assert get(daemon, "w/agent")["run"] == 1


def test_it_is_watched_again_after_the_hubs_death_and_left_after_a_stop(daemon: Daemon, root: Path) -> None:
    watch(daemon, root)
    before = daemon.kill_hub()
    until(lambda: daemon.hub_pid() != before, 10, "the next hub")
    until(lambda: is_watched(daemon, root / "src"), 10, "its watcher")
    (root / "src" / "app.py").write_text("2")
    until(lambda: run_of(daemon) == 2, 10, "the restart")
    daemon.call("ProcessStop", process="w/one")
    until(lambda: not is_watched(daemon, root / "src"), 10, "the end of the watcher")


def test_who_changes_its_own_files_is_left_alone_after_a_while(daemon: Daemon, root: Path) -> None:
    with daemon.client() as client:
        events = client.subscribe(["hub.error"])
        add(daemon, "w/loop", "date +%N > src/own.py; exec sleep 100", root=str(root), watch=["src/*.py"])
        told = next(iter(events))["Event"]
    assert "w/loop was restarted 10 times" in told["data"]["message"]


def test_git_is_asked_what_it_ignores_also_of_what_is_tracked_and_nested(root: Path) -> None:
    subprocess.run(["git", "init", "-q", str(root)], check=True)
    (root / ".gitignore").write_text("*.tmp.py\n/build\n")
    (root / "src" / ".gitignore").write_text("own.py\n!kept.tmp.py\n")
    (root / "build").mkdir()
    for name in ("src/own.py", "src/kept.tmp.py", "src/x.tmp.py", "build/a.py", "src/tracked.tmp.py"):
        (root / name).write_text("1")
    subprocess.run(["git", "-C", str(root), "add", "-f", "src/tracked.tmp.py"], check=True)
    found = watched.look(str(root), globs(["**/*.py"]))
    assert set(found.files) == {"src/app.py", "src/kept.tmp.py", "src/tracked.tmp.py"}
    assert set(found.folders) == {"", "src"}
    assert set(watched.differing(str(root), {}, ["src/own.py", "src/app.py"])) == {"src/app.py"}


def test_a_repository_cannot_have_git_run_a_program(root: Path) -> None:
    subprocess.run(["git", "init", "-q", str(root)], check=True)
    subprocess.run(["git", "-C", str(root), "config", "core.fsmonitor", f"touch {root}/ran; false"], check=True)
    watched.look(str(root), globs(["**/*.py"]))
    watched.ignored_of(str(root), ["a.py"])
    assert not (root / "ran").exists()


async def no_room(*_folders: str, stop_event: object) -> AsyncGenerator[set[tuple[Any, str]], None]:
    """A kernel that has no watch left."""
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    yield set()


class Surroundings:
    """As much of a hub as watching needs: it notes what is published and who is restarted."""

    def __init__(self, tasks: TaskGroup) -> None:
        self.tasks, self.hub_id, self.stopping = tasks, "h-1", anyio.Event()
        self.state = State()
        self.bus = self.pool = self.worktrees = self
        self.said: list[str] = []
        self.told = anyio.Event()
        self.restarted = anyio.Event()
        self.restarts = 0

    def now_ms(self) -> int:
        """Return the wall clock."""
        return time.time_ns() // 1_000_000

    def folder(self, _process: Process) -> None:
        """Say that nothing has a worktree."""

    def publish(self, _name: str, data: dict[str, Any]) -> None:
        """Note what is said."""
        self.said.append(data["message"])
        self.told.set()

    def caused_by(self, _by: dict[str, Any]) -> AbstractContextManager[None]:
        """Name nobody."""
        return nullcontext()

    def want_restart(self, _process: Process) -> None:
        """Note that somebody is restarted."""
        self.restarts += 1
        self.restarted.set()


def test_without_room_in_the_kernel_files_are_looked_at_and_that_is_said_once(root: Path) -> None:
    async def run() -> None:
        async with anyio.create_task_group() as tasks:
            hub = Surroundings(tasks)
            watching = Watching(cast("Hub", hub), no_room, poll_s=0.02)
            settings = ProcessSettings(name="one", argv=["x"], cwd=str(root), watch=["src/*.py"])
            process = hub.state.processes["one"] = Process("one", None, settings)
            watching.look(process)
            for text in ("22", "333"):
                hub.restarted = anyio.Event()
                with anyio.fail_after(20):
                    await hub.told.wait()
                    (root / "src" / "app.py").write_text(text)
                    await hub.restarted.wait()
            process.desired = "down"
            watching.look(process)
            hub.stopping.set()
        assert len(hub.said) == 1
        assert "every 0.02 s instead; raise fs.inotify.max_user_watches" in hub.said[0]

    anyio.run(run)


def test_a_file_that_is_away_for_a_moment_counts_once(root: Path) -> None:
    file = root / "src" / "app.py"

    async def run() -> None:
        taken = anyio.Event()

        async def come_back() -> None:
            await anyio.to_thread.run_sync(file.write_text, "2")

        async def bursts(*_folders: str, stop_event: anyio.Event) -> AsyncGenerator[set[tuple[Any, str]], None]:
            threads = anyio.to_thread.current_default_thread_limiter()
            threads.total_tokens = 1  # whoever looks at once has looked before the file is back
            file.rename(root / "src" / "away")
            hub.tasks.start_soon(come_back)
            yield {(3, str(file))}
            yield {(1, str(file))}
            threads.total_tokens = 2
            taken.set()
            stop_event.set()

        async with anyio.create_task_group() as tasks:
            hub = Surroundings(tasks)
            watching = Watching(cast("Hub", hub), bursts)
            settings = ProcessSettings(name="one", argv=["x"], cwd=str(root), watch=["src/*.py"])
            process = hub.state.processes["one"] = Process("one", None, settings)
            watching.look(process)
            with anyio.fail_after(20):
                await hub.restarted.wait()
                await taken.wait()
            watching.forget("one")
            hub.stopping.set()
        assert hub.restarts == 1

    anyio.run(run)
