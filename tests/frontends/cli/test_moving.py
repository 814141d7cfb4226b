"""`switch`, `focus`, `open`, `rename`, `notify`, `env` and `top` with the real daemon."""

from __future__ import annotations

import json
import os

import pytest

from tests.support.commandline import CommandLine
from tests.support.daemon import Daemon
from tests.support.waiting import until
from wezparallel.frontends.cli.top import SORTS, Table

pytestmark = pytest.mark.one_daemon

TWO = "layout: |\n  a b\npanes:\n  a: sleep 1000\n  b: sleep 1000\n"


@pytest.fixture
def shop(real: CommandLine) -> CommandLine:
    (real.cwd / "wezparallel.yaml").write_text(TWO)
    done = real("up", "--trust")
    assert done.code == 0, done.err
    return real


def test_switch_and_focus_go_to_a_process_and_the_current_workspace_is_known(
    shop: CommandLine, daemon: Daemon
) -> None:
    with shop.terminal("focus", "b") as terminal:
        terminal.wait_for("attached to shop/b")
    with shop.terminal("switch", "shop") as terminal:
        terminal.wait_for("attached to shop/b")
    assert "shop is the current workspace, at shop/b" in shop("switch", "shop").out
    assert "current" in shop("ls").out
    assert json.loads(shop("focus", "a", "--json").out)["workspace"]["focus"] == "shop/a"
    daemon.call("ProcessStop", process="shop/a")
    assert "wezparallel start shop/a" in shop("switch", "shop").err
    daemon.call("WorkspaceClose", name="shop")
    done = shop("switch", "shop")
    assert (done.code, "wezparallel open shop" in done.err) == (4, True)
    assert "2 of 2 up" in shop("open", "shop").out
    with shop.terminal("open", "shop") as terminal:
        terminal.wait_for("attached to shop/a")


def test_a_renamed_workspace_is_known_by_its_new_name_everywhere(shop: CommandLine) -> None:
    assert shop("rename", "shop", "store").out == "shop is called store now\n"
    with shop.terminal("attach", "store/a") as terminal:
        terminal.wait_for("attached to shop/a")
    assert "2 processes" in shop("down", "store").out
    assert shop("start", "store/a").code == 0
    assert shop("logs", "store/a").code == 0
    assert shop("stop", "store/*").code == 0
    assert shop("rename", "shop", "x").code == 3
    assert shop("rename", "store", "a/b").code == 2


def test_a_process_asks_for_a_look_from_within_and_by_name(shop: CommandLine, daemon: Daemon) -> None:
    assert shop("notify", "x").code == 2
    assert shop("notify", "--process", "nobody", "x").code == 3
    assert shop("notify", "--process", "a", "x" * 501).code == 2
    assert shop("notify", "--process", "a", "the", "build", "is", "done").code == 0
    shown = shop.on_terminal()
    assert "1 needs you: shop/a: the build is done" in shown.text
    assert "look: wezparallel attach shop/a" in shown.text
    assert shop("notify", "--process", "a", "--clear").code == 0
    assert "none needs you" in shop().out
    shop.environment["WEZPARALLEL_PROCESS"] = "shop/b"  # as the keeper sets it
    assert shop("notify").code == 0
    assert daemon.call("ProcessGet", process="shop/b")["process"]["notified"]["text"] == "asks for a look"


def test_an_environment_is_shown_with_secrets_covered_and_told_whole_on_a_terminal_only(shop: CommandLine) -> None:
    shop.environment |= {"API_TOKEN": "swordfish", "PLAIN": "two words"}
    assert shop("up", "--refresh-env").code == 0
    done = shop("env", "a")
    assert "PLAIN='two words'" in done.out
    assert "# API_TOKEN" in done.out.splitlines()
    assert "swordfish" not in done.out + shop("env", "a", "--json").out
    assert shop("env", "a", "--show-secrets").code == 2
    assert "••••••".encode() in shop.on_terminal("env", "a").raw
    assert b"swordfish" in shop.on_terminal("env", "a", "--show-secrets").raw
    assert shop("env", "nobody").code == 3


def test_top_lives_sorts_and_leaves_the_screen_as_it_was(shop: CommandLine, daemon: Daemon) -> None:
    with shop.terminal("top") as terminal:
        terminal.wait_for("s sort (cpu)")
        terminal.wait_for("0 %")  # the second sample
        terminal.type("s")
        terminal.wait_for("s sort (memory)")
        daemon.call("ProcessStop", process="shop/b")
        terminal.wait_for("stopped")
        terminal.wait_for("1 of 2 run")
        terminal.type("q")
        assert terminal.wait() == 0
        assert terminal.raw.rstrip().endswith(b"\x1b[?1049l")
    done = shop("top")
    assert (done.code, len(done.out.splitlines())) == (0, 5)
    assert len(json.loads(shop("top", "--json").out)["processes"]) == 2


def test_top_keeps_name_and_state_at_forty_columns_and_ends_with_its_terminal(shop: CommandLine) -> None:
    with shop.terminal("top", columns=40) as terminal:
        terminal.wait_for("shop/a")
        assert all(len(line) <= 40 for line in terminal.lines)
        assert "running" in terminal.text
        terminal.type("\x03")
        assert terminal.wait() in (0, 130)


def one(name: str, **fields: object) -> dict[str, object]:
    return {
        "process_id": name, "name": name, "state": "running", "pid": 1, "cpu_percent": 0.0, "memory_bytes": 1,
        "workspace": None, "command": "x", "started_at": None, **fields,
    }  # fmt: skip


def test_top_sorts_by_what_is_asked_for_and_unknown_figures_come_last() -> None:
    table = Table([one("b", cpu_percent=5.0), one("a", cpu_percent=None), one("c", memory_bytes=9, state="failed")])
    order = {}
    for sort in SORTS:
        table.sort = sort
        order[sort] = "".join(str(process["process_id"]) for process in table.sorted())
    assert order == {"cpu": "bac", "memory": "cab", "need": "cab", "name": "abc"}


def test_top_scrolls_no_further_than_there_are_rows(wezparallel: CommandLine) -> None:
    from types import SimpleNamespace  # noqa: PLC0415

    from wezparallel.frontends.cli.render import Screen  # noqa: PLC0415

    screen = Screen(open(os.devnull, "w", encoding="utf-8"), columns=80, colour=False)  # noqa: SIM115
    context = SimpleNamespace(screen=screen, now=0.0)
    table = Table([one(f"p{number:02}") for number in range(30)])
    table.sort = "name"
    table.press("page_down", 100)
    lines = table.lines(context, 10)  # type: ignore[arg-type]
    screen.out.close()
    assert len(lines) == 10
    assert "p29" in lines[-2]
    assert "25–30 of 30" in lines[-1]
    table.press("up", 1)
    table.press("page_up", 100)
    assert "p00" in table.lines(context, 10)[3]  # type: ignore[arg-type]


def test_top_with_nothing_says_what_to_do(real: CommandLine) -> None:
    assert "wezparallel up" in real("top").out
    until(lambda: real("top", "nobody").code == 3, 5, "the refusal")
