"""Figures of whole trees: right, or unknown."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from wezparallel.hub.pool.sampler import Row, Sampler, Usage, proc_table, psutil_table

MB = 1 << 20
linux = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


class World:
    """A process table and a clock that the test sets."""

    def __init__(self) -> None:
        self.now = 100.0
        self.table: dict[int, Row] = {}

    def put(
        self, pid: int, parent: int, *, session: int = 0, start: int = 7, cpu_s: float = 0.0, zombie: bool = False
    ):
        self.table[pid] = Row(parent, session, start, cpu_s, MB, zombie)

    def sampler(self) -> Sampler:
        return Sampler(lambda: dict(self.table), lambda: self.now)


@pytest.fixture
def world() -> World:
    world = World()
    world.put(1, 0)
    world.put(10, 1, session=10, cpu_s=5.0)
    world.put(11, 10, session=10, cpu_s=1.0)
    world.put(12, 11, session=12)
    world.put(99, 1, session=99, cpu_s=50.0)
    return world


def test_a_tree_is_counted_as_a_whole_and_percent_needs_two_samples(world):
    sampler = world.sampler()
    assert sampler.sample({"a": (10, 7)}) == {"a": Usage(None, 3 * MB, 3)}
    world.now += 2
    world.put(11, 10, cpu_s=2.0)
    world.put(12, 11, cpu_s=1.0)
    assert sampler.sample({"a": (10, 7)}) == {"a": Usage(100.0, 3 * MB, 3)}


def test_the_time_of_a_child_that_ended_is_not_lost(world):
    sampler = world.sampler()
    sampler.sample({"a": (10, 7)})
    world.now += 1
    del world.table[11], world.table[12]
    world.put(10, 1, session=10, cpu_s=5.0 + 1.0 + 0.5)  # its own, what 11 had before, and what 11 used since
    assert sampler.sample({"a": (10, 7)})["a"] == Usage(50.0, MB, 1)


def test_an_orphan_in_the_session_belongs_to_the_tree_with_what_is_below_it(world):
    world.put(20, 1, session=10)
    world.put(21, 20, session=21)
    assert world.sampler().sample({"a": (10, 7)})["a"].processes == 5


def test_what_outlives_its_leader_is_still_counted(world):
    del world.table[10]
    world.put(11, 1, session=10)
    assert world.sampler().sample({"a": (10, 7)})["a"].processes == 2


def test_when_an_orphan_took_its_time_along_percent_is_unknown(world):
    world.put(20, 1, session=10, cpu_s=9.0)
    sampler = world.sampler()
    sampler.sample({"a": (10, 7)})
    world.now += 1
    del world.table[20]
    assert sampler.sample({"a": (10, 7)})["a"].cpu_percent is None
    world.now += 1
    assert sampler.sample({"a": (10, 7)})["a"].cpu_percent == 0


def test_another_process_with_the_same_pid_is_unknown(world):
    assert world.sampler().sample({"a": (10, 8)}) == {"a": Usage(None, None, 0)}
    assert world.sampler().sample({"a": (10, 0)})["a"].processes == 3


def test_a_vanished_process_is_unknown(world):
    assert world.sampler().sample({"a": (4711, 7)}) == {"a": Usage(None, None, 0)}


def test_a_new_run_begins_without_a_percentage(world):
    sampler = world.sampler()
    sampler.sample({"a": (10, 7)})
    world.now += 1
    assert sampler.sample({"a": (99, 7)})["a"] == Usage(None, MB, 1)


def test_two_samples_in_a_row_give_the_same_figures(world):
    sampler = world.sampler()
    sampler.sample({"a": (10, 7)})
    world.now += 1
    world.put(10, 1, session=10, cpu_s=5.5)
    first = sampler.sample({"a": (10, 7)})
    world.now += 0.01
    world.put(10, 1, session=10, cpu_s=5.51)
    assert sampler.sample({"a": (10, 7)}) == first


def test_a_zombie_counts_neither_as_process_nor_as_memory(world):
    world.put(12, 11, session=12, zombie=True)
    assert world.sampler().sample({"a": (10, 7)})["a"] == Usage(None, 2 * MB, 2)


@linux
def test_a_real_tree_is_found_in_the_real_table():
    script = "sh -c 'sleep 1000 & echo up; wait' & wait"
    with subprocess.Popen(["sh", "-c", script], stdout=subprocess.PIPE, start_new_session=True) as sh:
        try:
            assert sh.stdout.readline() == b"up\n"
            row = proc_table()[sh.pid]
            assert (row.parent, row.session, row.zombie) == (os.getpid(), sh.pid, False)
            sampler = Sampler()
            usage = sampler.sample({"a": (sh.pid, row.start), "gone": (sh.pid, row.start + 1)})
            assert usage["a"].processes == 3
            assert usage["a"].memory_bytes > 0
            assert usage["gone"] == Usage(None, None, 0)
        finally:
            os.killpg(sh.pid, signal.SIGKILL)


@linux
def test_a_name_with_parentheses_and_spaces_does_not_confuse(tmp_path):
    program = tmp_path / "a) R 1 (b"
    program.symlink_to("/bin/sh")
    with subprocess.Popen(
        [str(program), "-c", "echo up; read x"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as child:
        child.stdout.readline()
        assert proc_table()[child.pid].parent == os.getpid()
        child.kill()


@linux
def test_the_time_of_children_that_were_waited_for_is_in_the_row_of_their_parent():
    burn = f"{sys.executable} -I -S -c 'import time\nwhile time.process_time() < 0.1: pass'; echo up; read x"
    with subprocess.Popen(["sh", "-c", burn], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as sh:
        sh.stdout.readline()
        assert proc_table()[sh.pid].cpu_s >= 0.08
        sh.kill()


def test_both_ways_to_read_the_table_agree_about_ourselves():
    slow = psutil_table()[os.getpid()]
    assert (slow.parent, slow.session, slow.start) == (os.getppid(), os.getsid(0), 0)
    assert slow.memory_bytes > MB
    if sys.platform == "linux":
        fast = proc_table()[os.getpid()]
        assert (fast.parent, fast.session) == (slow.parent, slow.session)
        assert abs(fast.cpu_s - slow.cpu_s) < 5
