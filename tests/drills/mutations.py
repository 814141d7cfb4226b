"""Clients that change things all the time, each request with a key, whatever happens to the hub.

`python -m tests.drills.mutations SOCKET EFFECTS SEED`. Each small process writes a line into the file EFFECTS when it
starts; counters print what they are told. Says `ready`, `problem {text}`, `events {events}` in parts, and `done` with
what was asked; effects.py judges.
"""

from __future__ import annotations

import json
import os
import random
import socket
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.drills.actor import is_told_to_end, say
from wezparallel.client.sync import Client
from wezparallel.errors import WezparallelError

PATIENCE_S = 60.0
PAUSE_S = 0.015
STARTED = 'printf "%s %s\\n" "$WEZPARALLEL_PROCESS" "$WEZPARALLEL_RUN" >> "$0"; '
COUNT = 'while IFS= read -r line; do printf "got %s\\n" "$line"; done'
SIGNALS = {"KILL": 9, "TERM": 15, "SEGV": 11, "USR1": 10}
EVENTS_A_LINE = 500
TOLD_AGAIN = 9000  # events; the hub tells the last 10,000 again, or gives a snapshot


class Worker:
    """One client with a connection and a purpose of its own."""

    def __init__(self, path: str, effects: str, stop: threading.Event, seed: str) -> None:
        self.path, self.effects, self.stop = path, effects, stop
        self.random = random.Random(seed)
        self.client = Client(path, patience_s=PATIENCE_S)
        self.asked = self.repeated = self.abandoned = 0

    def mutate(self, name: str, /, **fields: Any) -> dict[str, Any]:
        """Send a mutation; every fourth is sent again with its key, and must get the same reply.

        Some are sent first by a client that goes away at once.
        """
        self.asked += 1
        key = f"{self.random.getrandbits(96):024x}"
        if self.asked % 7 == 0:
            self._abandon({name: {**fields, "key": key}})
        reply = self.client.call(name, {**fields, "key": key}, timeout_s=PATIENCE_S)
        if self.asked % 4 == 0:
            self.repeated += 1
            with Client(self.path, patience_s=PATIENCE_S) as other:
                again = other.call(name, {**fields, "key": key}, timeout_s=PATIENCE_S)
            if again != reply:
                say("problem", text=f"{name} with the same key answered {again}, before {reply}")
        return reply

    def _abandon(self, request: dict[str, Any]) -> None:
        self.abandoned += 1
        with socket.socket(socket.AF_UNIX) as sock:
            sock.connect(self.path)
            try:
                sock.sendall(json.dumps(request).encode() + b"\n")
            except ConnectionError:
                return  # the hub was killed just now

    def pause(self) -> None:
        """Leave the machine to others."""
        self.stop.wait(PAUSE_S * self.random.random() * 2)


def add_until_stopped(worker: Worker, number: int) -> dict[str, Any]:
    """Add processes that start at once and end in a known way; remove some of them again."""
    added: dict[str, dict[str, Any]] = {}
    while not worker.stop.is_set():
        process_id = f"drill/add-{number}-{len(added):04d}"
        delay = worker.random.choice((0, 0, 0.05, 0.3, 1.0))
        if worker.random.random() < 0.3:
            name, signal = worker.random.choice(list(SIGNALS.items()))
            end, expected = f"kill -s {name} $$", [None, signal]
        else:
            code = worker.random.randrange(256)
            end, expected = f"exit {code}", [code, None]
        reply = worker.mutate(
            "ProcessAdd", id=process_id, command="/bin/sh", args=["-c", f"{STARTED}sleep {delay}; {end}",
            worker.effects], restart="never", tty=worker.random.random() < 0.5,
        )  # fmt: skip
        added[process_id] = {"exit": expected, "removed": False, "now": reply["now"]}
        if reply["now"] != "spawned":
            say("problem", text=f"{process_id} was not spawned: {reply}")
        if len(added) % 5 == 0:
            victim = worker.random.choice([key for key, facts in added.items() if not facts["removed"]])
            worker.mutate("ProcessRemove", process=victim)
            added[victim]["removed"] = True
        worker.pause()
    return {"added": added}


def type_until_stopped(worker: Worker, tty: bool) -> dict[str, Any]:
    """Type numbered lines into a process that prints each of them."""
    process_id = "drill/count-tty" if tty else "drill/count-pipe"
    quiet = "stty -echo; " if tty else ""
    worker.mutate(
        "ProcessAdd", id=process_id, command="/bin/sh", args=["-c", f"{STARTED}{quiet}echo ready; {COUNT}",
        worker.effects], tty=tty, restart="never",
    )  # fmt: skip
    while not worker.client.call("LogRead", {"process": process_id})["chunks"]:
        worker.stop.wait(0.02)
    typed = 0
    while not worker.stop.is_set():
        line = f"line-{typed:06d}"
        worker.mutate("ProcessType", process=process_id, text=line if tty else line + "\n", enter=tty)
        typed += 1
        worker.pause()
    return {"typed": {process_id: typed}}


def churn_until_stopped(worker: Worker, number: int) -> dict[str, Any]:
    """Stop, start and restart one process; each answer must fit what was asked."""
    process_id = f"drill/churn-{number}"
    added = worker.mutate(
        "ProcessAdd", id=process_id, command="/bin/sh", args=["-c", STARTED + "exec sleep 3600", worker.effects],
        tty=bool(number % 2),
    )  # fmt: skip
    runs = [added["process"]["run_id"]]
    stops = 0
    while not worker.stop.is_set():
        what = worker.random.choice(("stop", "restart", "kill"))
        if what == "restart":
            reply = worker.mutate("ProcessRestart", process=process_id)
            stops += 1
        else:
            reply = worker.mutate("ProcessStop" if what == "stop" else "ProcessKill", process=process_id)
            stops += 1
            if reply["process"]["state"] != "stopped" or reply["process"]["run_id"] != runs[-1]:
                say("problem", text=f"{what} of {process_id} answered {reply}")
            worker.pause()
            reply = worker.mutate("ProcessStart", process=process_id)
        run_id = reply["process"]["run_id"]
        if run_id in runs or reply["process"]["state"] != "running":
            say("problem", text=f"{what} of {process_id} answered {reply}; its runs were {runs[-3:]}")
        runs.append(run_id)
        worker.pause()
    return {"runs": {process_id: runs}, "stops": {process_id: stops}}


def open_until_stopped(worker: Worker, number: int) -> dict[str, Any]:
    """Create, close, open and delete a workspace over and over; each time it is a new one, with a new log."""
    name = f"again-{number}"
    process_id = f"{name}/a"
    starts = stops = rounds = 0
    script = Path(worker.effects + ".sh")  # in a template's command `$` has a meaning of its own
    script.write_text(STARTED.replace("$0", "$1") + 'echo "born $MARK"; exec sleep 3600\n')
    source = f"processes:\n  a:\n    command: {json.dumps(['/bin/sh', str(script), worker.effects])}\n"
    while not worker.stop.is_set():
        mark = f"{rounds}-{worker.random.getrandbits(32):08x}"
        environment = {"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "MARK": mark}
        reply = worker.mutate("WorkspaceCreate", name=name, source=source, root="/", environment=environment)
        starts += 1
        for _again in range(worker.random.randrange(3)):
            worker.pause()
            worker.mutate("WorkspaceClose", name=name)
            reply = worker.mutate("WorkspaceOpen", name=name)
            starts += 1
            stops += 1
        if [outcome["now"] for outcome in reply["processes"]] != ["spawned"]:
            say("problem", text=f"the workspace was opened: {reply}")
        shown = _first_output(worker, process_id)
        if not shown.startswith(f"born {mark}\n"):
            say("problem", text=f"the log of a new {process_id} should begin with 'born {mark}', not with {shown!r}")
        worker.mutate("WorkspaceDelete", name=name)
        stops += 1
        rounds += 1
        worker.pause()
    return {"workspaces": {process_id: {"starts": starts, "stops": stops, "rounds": rounds}}}


def _first_output(worker: Worker, process_id: str) -> str:
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        chunks = worker.client.call("LogRead", {"process": process_id})["chunks"]
        if chunks:
            return str(chunks[0]["text"])
        worker.stop.wait(0.02)
    return ""


def follow_until(path: str, since: int, epoch: str, enough: threading.Event) -> list[dict[str, Any]]:
    """Follow the journal from `since` on, over every hub's death."""
    messages: list[dict[str, Any]] = []
    with Client(path, patience_s=PATIENCE_S) as client:
        subscription = client.subscribe(["*"], since=since, epoch=epoch)
        quiet = 0
        while quiet < 3 or not enough.is_set():
            message = subscription.next(0.2)
            quiet = 0 if message else quiet + 1
            if message:
                messages.append(message)
    return messages


def told_again(path: str, epoch: str, events: list[dict[str, Any]]) -> str:
    """Ask for the past once more; return how it differs from what was told while it happened."""
    live = [message for message in events[-TOLD_AGAIN:] if "Event" in message]
    if not live:
        return "no event was told"
    again: list[dict[str, Any]] = []
    with Client(path, patience_s=PATIENCE_S) as client:
        subscription = client.subscribe(["*"], since=live[0]["Event"]["seq"] - 1, epoch=epoch)
        while len(again) < len(live) and (message := subscription.next(2.0)):
            again.append(message)
    if again == live:
        return ""
    at = next((at for at, pair in enumerate(zip(live, again, strict=False)) if pair[0] != pair[1]), len(again))
    return f"of {len(live)} events {at} were told again, then {again[at : at + 1]}"


def main(path: str, effects: str, seed: str) -> None:
    """Run all workers until told to end."""
    stop, enough = threading.Event(), threading.Event()
    results: list[dict[str, Any]] = []
    totals = {"asked": 0, "repeated": 0, "abandoned": 0}
    lock = threading.Lock()

    def run(purpose: Callable[[Worker, Any], dict[str, Any]], argument: Any) -> None:
        worker = Worker(path, effects, stop, f"{seed} {purpose.__name__} {argument}")
        try:
            result = purpose(worker, argument)
            with lock:
                results.append(result)
                totals["asked"] += worker.asked
                totals["repeated"] += worker.repeated
                totals["abandoned"] += worker.abandoned
        except (WezparallelError, OSError, KeyError) as error:
            code = getattr(error, "code", "")
            say("problem", text=f"{purpose.__name__} {argument}: {type(error).__name__} {code} {error}")
        finally:
            worker.client.close()

    with Client(path, patience_s=PATIENCE_S) as client:
        status = client.call("Status")
    events: list[dict[str, Any]] = []
    follower = threading.Thread(
        target=lambda: events.extend(follow_until(path, status["seq"], status["epoch"], enough))
    )
    follower.start()
    purposes: list[tuple[Any, Any]] = [
        (add_until_stopped, 0), (add_until_stopped, 1), (type_until_stopped, False), (type_until_stopped, True),
        (churn_until_stopped, 0), (churn_until_stopped, 1), (open_until_stopped, 0), (open_until_stopped, 1),
    ]  # fmt: skip
    threads = [threading.Thread(target=run, args=purpose) for purpose in purposes]
    for thread in threads:
        thread.start()
    say("ready")
    while not is_told_to_end(0.5):
        pass
    stop.set()
    for thread in threads:
        thread.join()
    _settle(path)
    enough.set()
    follower.join()
    difference = told_again(path, status["epoch"], events)
    if difference:
        say("problem", text=difference)
    for at in range(0, len(events), EVENTS_A_LINE):
        say("events", events=events[at : at + EVENTS_A_LINE])
    merged: dict[str, Any] = {"added": {}, "typed": {}, "runs": {}, "stops": {}, "workspaces": {}}
    for result in results:
        for name, value in result.items():
            merged[name].update(value)
    say("done", first_seq=status["seq"], workers=len(results), wanted=len(purposes), **totals, **merged)


def _settle(path: str) -> None:
    """Wait until what ends by itself has ended."""
    deadline = time.monotonic() + PATIENCE_S
    with Client(path, patience_s=PATIENCE_S) as client:
        while time.monotonic() < deadline:
            listed: list[dict[str, Any]] = []
            after = None
            while True:
                page = client.call("ProcessList", {"workspace": "drill", "limit": 500, "after": after})
                listed += page["processes"]
                after = page["next"]
                if after is None:
                    break
            if not any("/add-" in p["process_id"] and p["state"] not in {"exited", "stopped"} for p in listed):
                return
            threading.Event().wait(0.1)


if __name__ == "__main__":
    main(*sys.argv[1:])
