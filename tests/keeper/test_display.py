"""What a terminal is shown of what it missed: nothing is skipped, nothing is shown twice, nothing is asked again."""

from __future__ import annotations

import os
import re
import select
import signal
import sys
from contextlib import closing

from tests.support.handing import HandedTerminal, Relay
from tests.support.viewing import HeldKeeper, shell
from tests.support.waiting import until
from wezparallel.wire import frames, hello

COUNT = 20_000
ASKS = b"\x1b]52;c;?\x07"  # for the clipboard; nobody but a terminal answers that
# Answers with numbered lines that ask and colour, then with what was typed.
NUMBERS = f"""
import os
os.write(1, b"ready")
os.read(0, 1)
for number in range({COUNT}): os.write(1, b"\\x1b[3%dm%07d\\x1b]52;c;?\\x07\\r\\n" % (number % 8, number))
os.write(1, b"end.")
while True: os.write(1, os.read(0, 1000))
"""
NUMBERED = b"".join(b"\x1b[3%dm%07d\r\n" % (number % 8, number) for number in range(COUNT))
FLOOD = """
import os
os.write(1, b"ready\\x1b[?2004h")
os.read(0, 1)
for _ in range(160): os.write(1, b"x" * 65536)
os.write(1, b"\\x1b[?1006h\\x1b[c")
answer = b""
while not answer.endswith(b"c"): answer += os.read(0, 1)
os.write(1, b"got " + answer[2:] + b".")
os.read(0, 1)
"""


def start(held: HeldKeeper, program: str) -> None:
    script = held.home / "program.py"
    script.write_text(program)
    shell(held, f"stty raw -echo; exec {sys.executable} -IS {script}", log_cap=1 << 28)
    until(lambda: b"ready" in held.log("w/sh"), 10, "the program")


def missed(held: HeldKeeper, pane: HandedTerminal) -> None:
    """Have the terminal away while the program says everything."""
    pane.expect(b"ready")
    pane.ask_back()
    pane.read()
    pane.shown = b""
    held.hub.write("w/sh", b"\n")
    until(lambda: held.log("w/sh").endswith(b"end."), 10, "the numbers")


def send_home(held: HeldKeeper, pane: HandedTerminal) -> None:
    """Have the terminal given back; the keeper shows no more until it reads that it was asked."""
    os.kill(held.process.pid, signal.SIGSTOP)
    pane.talk.say(frames.DETACH)
    os.kill(held.process.pid, signal.SIGCONT)
    while frames.RETURNED not in pane.talk.look():
        pane.read(0.01)
    pane.returned()
    pane.read()


def digits(shown: bytes) -> bytes:
    """Return the numbers without colours, as far as they are shown."""
    texts = re.sub(rb"\x1b\][^\x07\x18\x1b]*(?:\x07|\x1b\\)?", b"", shown)  # half a question may be among it
    return b"".join(re.findall(rb"[0-9]+", re.sub(rb"\x1b\[[0-9;?]*[a-zA-Z]?|\x1b[^\[]?|\x1b\Z", b"", texts)))


def test_a_terminal_that_goes_again_while_it_is_shown_what_it_missed_misses_nothing(held: HeldKeeper) -> None:
    start(held, NUMBERS)
    with closing(HandedTerminal(held, "w/sh", offset=0)) as pane:
        missed(held, pane)
        shown = []
        offsets = []
        for _ in range(5):
            pane.hand_over()
            select.select([pane.master], [], [], 10)
            pane.shown += os.read(pane.master, 1000)
            send_home(held, pane)
            shown.append(pane.shown)
            pane.shown = b""
            offsets.append(pane.offset)
        assert 0 < offsets[0] < len(held.log("w/sh")), "some of it was shown, and not all"
        pane.hand_over()
        shown.append(pane.drain(b"end."))
        # A terminal that is sent home has first finished, or cancelled, the sequence in which it was.
        assert digits(b"".join(shown)) == digits(NUMBERED)
        assert ASKS not in b"".join(shown)
        pane.type(ASKS)
        pane.expect(ASKS)


def test_a_terminal_that_goes_in_the_middle_of_a_flood_goes_on_with_whole_sequences(held: HeldKeeper) -> None:
    start(held, NUMBERS)
    with closing(HandedTerminal(held, "w/sh", offset=0)) as pane:
        pane.expect(b"ready")
        pane.type(b"\n")
        shown = []
        for _ in range(8):
            select.select([pane.master], [], [], 10)
            pane.shown += os.read(pane.master, 1001)
            send_home(held, pane)
            shown.append(pane.shown)
            pane.shown = b""
            pane.hand_over()
        shown.append(pane.drain(b"end."))
        # What was cut has been cancelled, and came again as a whole.
        whole = re.sub(rb"\x1b(?:\[[0-9;?]*|\][^\x07\x18]*)?\x18", b"", b"".join(shown))
        assert digits(re.sub(rb"\x1b\]52[^\x07]*\x07", b"", whole)) == digits(NUMBERED)


def test_half_a_sequence_that_a_terminal_took_before_it_went_comes_whole(held: HeldKeeper) -> None:
    shell(held, r"stty raw -echo; printf 'ready\033[3'; head -c 1 >/dev/null; printf '1mred'; exec cat")
    with closing(HandedTerminal(held, "w/sh", offset=0)) as pane:
        pane.expect(b"ready\x1b[3")
        pane.ask_back()
        assert pane.offset == len(b"ready")
        pane.read()
        pane.shown = b""
        pane.hand_over()
        pane.type(b"\n")
        assert b"\x1b[31mred" in pane.expect(b"red")


def test_an_upgrade_while_a_terminal_is_shown_what_it_missed_is_not_seen(held: HeldKeeper) -> None:
    start(held, NUMBERS)
    with closing(HandedTerminal(held, "w/sh", offset=0)) as pane:
        missed(held, pane)
        pane.hand_over()
        shown = b""
        for _ in range(3):
            select.select([pane.master], [], [], 10)
            shown += pane.read()
            held.upgrade()
            held.hub.sync()
        pane.shown = shown
        assert pane.drain(b"end.").endswith(NUMBERED + b"end.")


def test_a_relay_is_shown_what_it_missed_without_the_questions_in_it(held: HeldKeeper) -> None:
    start(held, NUMBERS)
    with closing(Relay(held, "w/sh")) as relay:
        relay.say(frames.DETACH)
        offset = relay.wait_for(frames.RETURNED)
        held.hub.write("w/sh", b"\n")
        until(lambda: held.log("w/sh").endswith(b"end."), 10, "the numbers")
        held.hub.write("w/sh", b"\x1b[3")
        until(lambda: held.log("w/sh").endswith(b"\x1b[3"), 10, "half a sequence")
        relay.say(frames.GO, offset)
        shown, behind = b"", 0
        while not shown.endswith(b"end.\x1b[3"):
            data = relay.wait_for(frames.DATA)
            shown += data[9:]
            behind = int.from_bytes(data[:8], "big") + len(data) - 9
        assert shown.endswith(NUMBERED + b"end.\x1b[3")
        assert behind == len(held.log("w/sh")), "what it would go on from"
        relay.type(b"1mlive" + ASKS)
        assert relay.expect(ASKS) == b"1mlive" + ASKS


def test_a_terminal_that_skips_what_it_cannot_take_leaves_no_question_unanswered(held: HeldKeeper) -> None:
    start(held, FLOOD)
    with closing(HandedTerminal(held, "w/sh", offset=0)) as pane:
        pane.expect(b"ready\x1b[?2004h")
        pane.type(b"\n")
        until(lambda: held.log("w/sh").endswith(b"\x1b[c"), 20, "the flood's end")
        skipped = pane.expect(b"got ?62;22c.")
        assert b"bytes skipped" in skipped
        assert b"\x1b[?1006h" in skipped


def test_a_relay_that_skips_is_brought_into_the_modes_of_now(held: HeldKeeper) -> None:
    start(held, FLOOD)
    with closing(Relay(held, "w/sh")) as relay:
        relay.type(b"\n")
        until(lambda: held.log("w/sh").endswith(b"\x1b[c"), 20, "the flood's end")
        skipped = relay.expect(b"got ?62;22c.")
        left, _, entered = skipped.partition(b"bytes skipped")
        assert b"\x1b[?2004l" in left[-400:]
        assert b"\x1b[?1006h" in entered
        assert b"\x1b[?2004h" in entered


def test_a_gapless_terminal_skips_nothing_and_answers_for_itself(held: HeldKeeper) -> None:
    start(held, FLOOD)
    with closing(HandedTerminal(held, "w/sh", offset=0, flags=hello.GAPLESS)) as pane:
        pane.expect(b"ready\x1b[?2004h")
        pane.type(b"\n")
        assert len(pane.drain(b"\x1b[c")) == 160 * 65536 + len(b"\x1b[?1006h\x1b[c")
        pane.type(b"\x1b[?1;2c")
        pane.expect(b"got ?1;2c.")
