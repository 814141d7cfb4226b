"""Figures and runs of the past, in a real database."""

from __future__ import annotations

from wezparallel.hub.metrics.history import COARSE_STEP_S, STEP_S, Figures
from wezparallel.hub.state.model import Run
from wezparallel.hub.state.past import Wanted

DAY = 24 * 3600 * 1000
NOW = 1_700_000_100_000 - 1_700_000_100_000 % 900_000 + 60_000


def minute(
    at: int, samples: int = 6, cpu: float | None = 10.0, memory: int | None = 100, subject: str = "a"
) -> Figures:
    cpu_max = None if cpu is None else cpu * 2
    memory_max = None if memory is None else memory * 2
    return Figures(subject, STEP_S, at, samples, cpu, cpu_max, memory, memory_max)


def coarse(store, subject: str = "a") -> list[Figures]:
    return store.figures(subject, COARSE_STEP_S, (0, NOW + DAY), 100)


def test_a_quarter_weighs_its_minutes_by_their_samples(store, turns) -> None:
    quarter = NOW - 60_000 - 900_000
    store.put_figures([
        minute(quarter, 1, 10.0, 100), minute(quarter + 60_000, 3, 50.0, 500),
        minute(quarter + 120_000, 9, None, None), minute(quarter + 900_000, 6, 99.0, 999),
    ])  # fmt: skip
    store.settle_figures(NOW)
    turns.settle(store)
    assert coarse(store) == [Figures("a", COARSE_STEP_S, quarter, 13, 40.0, 100.0, 400, 1000)]


def test_quarters_may_be_made_again_and_again(store, turns) -> None:
    quarter = NOW - 60_000 - 900_000
    store.put_figures([minute(quarter, 2, 10.0, 100)])
    for _ in range(3):
        store.settle_figures(NOW)
    turns.settle(store)
    assert [row.samples for row in coarse(store)] == [2]


def test_a_quarter_stays_when_its_minutes_have_gone(store, turns) -> None:
    quarter = NOW - 60_000 - 900_000
    store.put_figures([minute(quarter), minute(quarter + 840_000)])
    store.settle_figures(NOW)
    for later in (60_000, 300_000, 14 * 60_000, 3_600_000, DAY):
        store.settle_figures(quarter + DAY + later)
    turns.settle(store)
    assert store.figures("a", STEP_S, (0, NOW), 10) == []
    assert [(row.at, row.samples) for row in coarse(store)] == [(quarter, 12)]
    store.settle_figures(NOW + 31 * DAY)
    turns.settle(store)
    assert coarse(store) == []


def test_figures_go_with_their_process(store, turns, make_process) -> None:
    store.put_process(make_process("shop/api"))
    store.put_figures([minute(NOW, subject="shop/api"), minute(NOW, subject="")])
    store.delete_process("shop/api")
    turns.settle(store)
    assert store.figures("shop/api", STEP_S, (0, NOW), 10) == []
    assert len(store.figures("", STEP_S, (0, NOW), 10)) == 1


def runs(store) -> None:
    store.put_run(Run("r1", "a", 1, "exited", 10, started_at=10, ended_at=20, exit_code=0))
    store.put_run(Run("r2", "b", 1, "exited", 10, started_at=10, ended_at=25, exit_code=3))
    store.put_run(Run("r3", "a", 2, "exited", 30, started_at=30, ended_at=40, exit_code=None, signal=9, asked=True))
    store.put_run(Run("r4", "a", 3, "lost", 50, started_at=50, ended_at=60))
    store.put_run(Run("r5", "b", 2, "spawned", 70, started_at=70, peak_cpu_percent=12.5, peak_memory_bytes=4096))
    store.put_run(Run("r6", "b", 3, "planned", 80))


def ids(store, **wanted) -> list[str]:
    fields = {"process_ids": None, "since": None, "failed": False, "after": None, "limit": 10, **wanted}
    return [run.run_id for run in store.history(Wanted(**fields))]


def place(run: Run) -> tuple[int, int, str]:
    return run.stored_at, run.number, run.run_id


def test_runs_come_latest_first_and_planned_ones_not_at_all(store, turns) -> None:
    runs(store)
    turns.settle(store)
    assert ids(store) == ["r5", "r4", "r3", "r2", "r1"]
    assert ids(store, process_ids=["a"]) == ["r4", "r3", "r1"]
    assert ids(store, process_ids=[]) == []
    assert ids(store, since=40) == ["r5", "r4", "r3"]
    assert ids(store, failed=True) == ["r4", "r2"]
    (newest,) = store.history(Wanted(None, None, False, None, 1))
    assert (newest.peak_cpu_percent, newest.peak_memory_bytes) == (12.5, 4096)


def test_pages_leave_nothing_out_where_runs_began_together(store, turns) -> None:
    runs(store)
    turns.settle(store)
    seen, after = [], None
    while page := store.history(Wanted(None, None, False, after, 1)):
        seen += [run.run_id for run in page]
        after = place(page[-1])
    assert seen == ids(store)


def test_the_place_in_the_list_holds_when_the_run_is_written_again(store, turns) -> None:
    runs(store)
    turns.settle(store)
    after = place(store.history(Wanted(None, None, False, None, 1))[0])
    store.put_run(Run("r5", "b", 2, "exited", 70, started_at=70, ended_at=90, exit_code=0))
    turns.settle(store)
    assert [run.run_id for run in store.history(Wanted(None, None, False, after, 2))] == ["r4", "r3"]
