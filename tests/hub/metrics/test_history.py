"""Minutes are made of the samples in them; what is unknown is not zero."""

from __future__ import annotations

from wezparallel.hub.metrics.history import MACHINE, STEP_S, Figures, Minutes

MINUTE = 1_700_000_040_000


def test_a_minute_comes_out_when_the_next_begins() -> None:
    minutes = Minutes()
    assert minutes.turn(MINUTE + 1_000) == []
    minutes.add("shop/api", 10.0, 1000)
    assert minutes.turn(MINUTE + 11_000) == []
    minutes.add("shop/api", 30.0, 3000)
    minutes.add(MACHINE, 50.0, None)
    assert minutes.turn(MINUTE + 60_000) == [
        Figures("shop/api", STEP_S, MINUTE, 2, 20.0, 30.0, 2000, 3000),
        Figures(MACHINE, STEP_S, MINUTE, 1, 50.0, 50.0, None, None),
    ]
    assert minutes.turn(MINUTE + 120_000) == []


def test_an_unknown_figure_counts_for_nothing() -> None:
    minutes = Minutes()
    minutes.turn(MINUTE)
    minutes.add("shop/api", None, 1000)
    minutes.add("shop/api", 30.0, None)
    minutes.add("shop/gone", None, None)
    assert minutes.finish() == [Figures("shop/api", STEP_S, MINUTE, 2, 30.0, 30.0, 1000, 1000)]


def test_a_clock_that_goes_back_begins_another_minute() -> None:
    minutes = Minutes()
    minutes.turn(MINUTE)
    minutes.add("shop/api", 1.0, 1)
    assert [row.at for row in minutes.turn(MINUTE - 60_000)] == [MINUTE]
    minutes.add("shop/api", 1.0, 1)
    assert [row.at for row in minutes.finish()] == [MINUTE - 60_000]
