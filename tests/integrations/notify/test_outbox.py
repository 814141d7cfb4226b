"""A queue of one address: order, attempts, backoff, bounds."""

from __future__ import annotations

from collections.abc import Callable

import anyio
import anyio.lowlevel
import pytest

from wezparallel.integrations.notify.channels import AttemptError
from wezparallel.integrations.notify.outbox import LONGEST_PAUSE_S, MOST_WAITING, Limits, Outbox, Outcome
from wezparallel.integrations.notify.rules import Message, of_test

FAST = Limits(tries=5, backoff_s=0.001)


def message(number: int) -> Message:
    return of_test(str(number), "phone")


class Address:
    """An address that fails as it is told, then takes everything."""

    def __init__(self, *failures: AttemptError, limits: Limits = FAST) -> None:
        self.failures = list(failures)
        self.attempts: list[str] = []
        self.outcomes: list[Outcome] = []
        self.said: list[str] = []
        self.limits = limits

    def box(self) -> Outbox:
        return Outbox("phone", self.attempt, self.limits, self.outcomes.append, self.said.append)

    async def attempt(self, message: Message) -> None:
        self.attempts.append(message.message_id)
        if self.failures:
            raise self.failures.pop(0)

    def run(self, *messages: Message, enough: Callable[[], bool]) -> None:
        async def main() -> None:
            box = self.box()
            with anyio.fail_after(20):
                async with anyio.create_task_group() as tasks:
                    for one in messages:
                        box.put(one)
                    tasks.start_soon(box.run)
                    while not enough():
                        await anyio.lowlevel.checkpoint()
                    box.scope.cancel()

        anyio.run(main)


def test_a_dead_address_is_tried_again_and_keeps_the_order() -> None:
    address = Address(AttemptError("HTTP 503"), AttemptError("HTTP 503"))
    address.run(message(1), message(2), enough=lambda: len(address.outcomes) == 2)
    assert address.attempts == ["test-1", "test-1", "test-1", "test-2"]
    assert [(one.message.message_id, one.tries, one.reason) for one in address.outcomes] == [
        ("test-1", 3, None), ("test-2", 1, None),
    ]  # fmt: skip
    assert address.said[0].startswith("phone: attempt 1 failed: HTTP 503; the next in ")


def test_it_is_given_up_after_so_many_attempts_and_the_next_one_goes() -> None:
    address = Address(*[AttemptError("Connection refused")] * 5)
    address.run(message(1), message(2), enough=lambda: len(address.outcomes) == 2)
    assert [(one.tries, one.reason) for one in address.outcomes] == [(5, "Connection refused"), (1, None)]


def test_what_no_other_attempt_can_mend_is_tried_once() -> None:
    address = Address(AttemptError("HTTP 404", again=False))
    address.run(message(1), enough=lambda: bool(address.outcomes))
    assert address.outcomes == [Outcome(message(1), 1, "HTTP 404")]


@pytest.mark.parametrize(("tries", "least", "most"), [(1, 0.8, 1.2), (2, 1.6, 2.4), (5, 12.8, 19.2)])
def test_pauses_double(tries: int, least: float, most: float) -> None:
    async def main() -> None:
        box = Address(limits=Limits()).box()
        for _ in range(50):
            assert least <= box._pause(tries, None) <= most
        assert box._pause(60, None) <= LONGEST_PAUSE_S * 1.2
        assert box._pause(1, 77.0) == 77.0  # the other side asked for it

    anyio.run(main)


def test_too_many_that_wait_cost_the_oldest_but_the_one_on_its_way() -> None:
    address = Address()

    async def main() -> None:
        box = address.box()
        for number in range(MOST_WAITING + 2):
            box.put(message(number))
        waiting = [one.message_id for one, _ in box.waiting()]
        assert len(waiting) == MOST_WAITING
        assert waiting[:2] == ["test-0", "test-3"]

    anyio.run(main)
    assert [one.message.message_id for one in address.outcomes] == ["test-1", "test-2"]
    assert all(one.reason for one in address.outcomes)


def test_a_fault_in_one_way_is_a_failed_attempt_that_tells_no_address() -> None:
    address = Address()

    async def broken(_message: Message) -> None:
        raise ValueError("https://hush.example/token")

    async def main() -> None:
        box = Outbox("phone", broken, Limits(tries=1), address.outcomes.append, address.said.append)
        assert await box.once(message(1)) == "a fault of ours: ValueError"

    anyio.run(main)
