"""`logs` over several processes: in the order of their times, named, between two times, going on."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime

import pytest

from tests.frontends.cli.test_logs import follow
from tests.support.commandline import CommandLine
from tests.support.daemon import Daemon
from tests.support.waiting import until

pytestmark = pytest.mark.one_daemon

TELLS = "for n in 1 2 3; do until [ -e {0}$n ]; do sleep 0.02; done; echo {0} $n; done; exec sleep 1000"
TEMPLATE = "processes:\n" + "".join(
    f"  {name}: {{ command: '{TELLS.format(name)}' }}\n" for name in ("db", "jobs", "web")
)


class Shop:
    """A workspace whose processes write a line when they are told to."""

    def __init__(self, cli: CommandLine, daemon: Daemon) -> None:
        self.cli = cli
        self.daemon = daemon
        daemon.call("WorkspaceCreate", name="shop", root=str(cli.cwd), source=TEMPLATE)

    def tell(self, line: str) -> None:
        """Have `web 1` written."""
        (self.cli.cwd / line.replace(" ", "")).touch()
        name = line.split(" ", maxsplit=1)[0]
        until(lambda: line in str(self.daemon.call("LogRead", process=f"shop/{name}")["chunks"]), 10, line)

    def logs(self, *words: str) -> list[str]:
        done = self.cli("logs", *words)
        assert done.code == 0, done.err
        return done.out.splitlines()


@pytest.fixture
def shop(real: CommandLine, daemon: Daemon) -> Shop:
    one = Shop(real, daemon)
    for line in ("web 1", "jobs 1", "db 1"):
        one.tell(line)
    return one


def pass_a_moment() -> str:
    """Return a time that is later than all that was written, and earlier than what will be."""
    begun = time.time()
    until(lambda: time.time() > begun + 0.3, 5, "the index's step")
    middle = datetime.now(tz=UTC).isoformat()
    until(lambda: time.time() > begun + 0.35, 5, "the next moment")
    return middle


IN_TURN = ["web  | web 1", "jobs | jobs 1", "db   | db 1"]


def test_lines_come_in_the_order_of_their_times_behind_their_names(shop: Shop) -> None:
    assert shop.logs("shop/") == IN_TURN
    assert shop.logs("db", "web") == ["web | web 1", "db  | db 1"]
    assert shop.logs("shop/*b") == ["web | web 1", "db  | db 1"]


def test_without_a_name_they_are_those_of_the_folders_workspace(shop: Shop) -> None:
    assert shop.logs() == IN_TURN
    done = shop.cli("logs", cwd=shop.cli.cwd.parent)
    assert done.code == 2
    assert "--all" in done.err


def test_all_are_those_of_every_workspace(shop: Shop, daemon: Daemon) -> None:
    daemon.call("ProcessAdd", id="other/one", command="echo", args=["hello"], restart="never")
    until(lambda: shop.logs("other/one") == ["hello"], 10, "hello")
    assert shop.logs("--all") == ["shop/web  | web 1", "shop/jobs | jobs 1", "shop/db   | db 1", "other/one | hello"]


def test_a_workspace_that_is_not_there_is_named(shop: Shop) -> None:
    done = shop.cli("logs", "shap/")
    assert done.code == 3
    assert "did you mean shop" in done.err


def test_the_last_lines_are_the_last_of_all(shop: Shop) -> None:
    assert shop.logs("shop/", "-n", "2") == IN_TURN[1:]


def test_what_is_searched_is_searched_in_all_that_is_kept(shop: Shop) -> None:
    pass_a_moment()
    shop.tell("web 2")
    assert shop.logs("shop/", "--grep", "[12]$", "-n", "1") == ["web  | web 2"]
    assert shop.logs("web", "--grep", "WEB 1", "-i", "-n", "1") == ["web 1"]
    nothing = shop.cli("logs", "--grep", "nowhere")
    assert nothing.out == ""
    assert "nothing like that" in nothing.err
    assert shop.cli("logs", "--grep", "(").code == 2


def test_between_two_times_stands_what_came_then(shop: Shop) -> None:
    first = pass_a_moment()
    shop.tell("web 2")
    second = pass_a_moment()
    shop.tell("db 2")
    assert shop.logs("shop/", "--since", first, "--until", second) == ["web  | web 2"]
    assert shop.logs("shop/", "--until", first) == IN_TURN
    assert shop.logs("web", "--until", first) == ["web 1"]
    assert shop.logs("web", "--until", first, "-n", "1") == ["web 1"]
    assert shop.logs("shop/", "--since", second) == ["db   | db 2"]
    assert shop.cli("logs", "web", "--until", "soon").code == 2
    assert shop.cli("logs", "web", "--until", first, "-f").code == 2


def test_as_json_a_line_says_whose_it_is(shop: Shop) -> None:
    lines = [json.loads(line) for line in shop.logs("shop/", "--json")]
    assert [(line["process_id"], line["text"]) for line in lines] == [
        ("shop/web", "web 1\n"), ("shop/jobs", "jobs 1\n"), ("shop/db", "db 1\n")
    ]  # fmt: skip
    assert all(line["run_id"] for line in lines)


def test_raw_lines_have_no_names(shop: Shop) -> None:
    assert shop.cli("logs", "shop/", "--raw").out.splitlines() == ["web 1", "jobs 1", "db 1"]


def test_on_a_terminal_names_are_coloured(shop: Shop) -> None:
    terminal = shop.cli.on_terminal("logs", "shop/")
    assert terminal.lines == IN_TURN
    assert b"\x1b[32mweb " in terminal.raw


def test_following_goes_on_with_all_and_with_who_comes(shop: Shop, daemon: Daemon) -> None:
    with follow(shop.cli, "shop/", "-n", "1") as following:
        assert following.stdout.readline() == b"db   | db 1\n"
        shop.tell("jobs 2")
        assert following.stdout.readline() == b"jobs | jobs 2\n"
        daemon.call("ProcessAdd", id="shop/late", command="echo", args=["hello"], restart="never")
        assert following.stdout.readline() == b"late | hello\n"
        daemon.call("ProcessRestart", process="shop/web")
        assert following.stdout.readline() == b"web  | web 1\n"


def test_following_shows_what_is_found_alone(shop: Shop) -> None:
    with follow(shop.cli, "web", "db", "--grep", "2") as following:
        shop.tell("web 2")
        assert following.stdout.readline() == b"web | web 2\n"


def test_what_follows_belongs_to_the_run_that_was_read(shop: Shop) -> None:
    with follow(shop.cli, "web", "--json") as following:
        before = json.loads(following.stdout.readline())
        shop.tell("web 2")
        after = json.loads(following.stdout.readline())
    assert after["run_id"] == before["run_id"] is not None


def test_following_is_not_ended_by_the_hubs_death(shop: Shop, daemon: Daemon) -> None:
    with follow(shop.cli, "shop/", "-n", "1") as following:
        assert following.stdout.readline() == b"db   | db 1\n"
        daemon.kill_hub()
        shop.tell("jobs 2")
        assert following.stdout.readline() == b"jobs | jobs 2\n"
        daemon.call("ProcessAdd", id="shop/late", command="echo", args=["hello"], restart="never")
        assert following.stdout.readline() == b"late | hello\n"


def test_a_question_without_an_end_is_shown_and_its_answer_goes_on(real: CommandLine, daemon: Daemon) -> None:
    for name in ("asks", "waits"):
        daemon.call("ProcessAdd", id=f"shop/{name}", command="sh", args=["-c", "printf 'name: '; read x; echo hi $x"],
                    tty=True, restart="never")  # fmt: skip
    with follow(real, "shop/asks", "shop/waits") as following:
        assert sorted(following.stdout.readline() for _ in range(2)) == [b"asks  | name: \n", b"waits | name: \n"]
        daemon.call("ProcessType", process="shop/asks", text="you", enter=True)
        assert following.stdout.readline() == b"asks  | you\n"
        assert following.stdout.readline() == b"asks  | hi you\n"


def test_who_has_not_run_yet_is_waited_for(real: CommandLine, daemon: Daemon) -> None:
    daemon.call("ProcessAdd", id="first", command="sh", args=["-c", "read x"], tty=True, restart="never")
    daemon.call("ProcessAdd", id="later", command="echo", args=["hello"], depends_on={"first": "exited_ok"},
                restart="never")  # fmt: skip
    with follow(real, "later") as following:
        daemon.call("ProcessType", process="first", text="x", enter=True)
        assert following.stdout.readline() == b"hello\n"


def test_without_a_daemon_many_are_read_from_their_folders(shop: Shop, daemon: Daemon) -> None:
    daemon.stop()
    try:
        assert shop.logs("shop/") == IN_TURN
        assert shop.logs("--all", "-n", "1") == ["db   | db 1"]
        assert shop.logs("shop/web", "--until", "1h") == []
        assert shop.cli("logs").code == 2
    finally:
        daemon.start()
