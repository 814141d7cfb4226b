"""Judges what the mutations of the drill brought about: every one exactly one effect, every exit exact.

Three witnesses are compared: the replies, the journal as a subscriber got it, and what the processes themselves left
behind (a line in a file at each start, a printed line for each typed one).
"""

from __future__ import annotations

import os
import re
from collections import Counter
from typing import Any

from wezparallel import paths
from wezparallel.wire.logreader import LogReader

_GOT = re.compile(rb"got line-(\d+)\r?\n")


class Judge:
    """Collects faults, by what they are about."""

    def __init__(self, done: dict[str, Any], messages: list[dict[str, Any]], effects: str, logs: str) -> None:
        self.done = done
        self.events = [message["Event"] for message in messages if "Event" in message]
        self.others = [message for message in messages if "Event" not in message]
        self.logs = logs
        self.journal: Counter[tuple[str, str]] = Counter(
            (event["name"], event["data"].get("process_id")) for event in self.events
        )
        self.started: Counter[str] = Counter()
        self.run_starts: Counter[str] = Counter()
        with open(effects, encoding="ascii") as file:
            for line in file:
                process_id, run_id = line.split()
                self.started[process_id] += 1
                self.run_starts[run_id] += 1

    def journal_faults(self) -> list[str]:
        """Return where the journal has gaps or doubles, as the subscriber saw it."""
        faults = [f"instead of an event came {str(message)[:200]}" for message in self.others]
        last = self.done["first_seq"]
        for event in self.events:
            if event["seq"] != last + 1:
                faults.append(f"event {event['seq']} ({event['name']}) came after {last}")
            last = event["seq"]
        return faults

    def start_faults(self) -> list[str]:
        """Return starts that were not asked for, or did not happen, by all three witnesses."""
        faults = [f"run {run_id} started {count} times" for run_id, count in self.run_starts.items() if count != 1]
        wanted = dict.fromkeys(self.done["added"], 1)
        wanted |= dict.fromkeys(self.done["typed"], 1)
        wanted |= {process_id: len(runs) for process_id, runs in self.done["runs"].items()}
        wanted |= {process_id: facts["starts"] for process_id, facts in self.done["workspaces"].items()}
        # A process that is removed or stopped at once may be gone before its shell has written its line.
        at_most = {process_id for process_id, facts in self.done["added"].items() if facts["removed"]}
        at_most |= set(self.done["runs"]) | set(self.done["workspaces"])
        for process_id, count in wanted.items():
            starts, told = self.started[process_id], self.journal["process.running", process_id]
            if starts > count or (starts < count and process_id not in at_most):
                faults.append(f"{process_id} was started {count} times and ran {starts} times")
            if told != count:
                faults.append(f"{process_id} was started {count} times, the journal tells of {told}")
        faults += [f"{process_id} was never asked for" for process_id in self.started.keys() - wanted.keys()]
        return faults

    def stop_faults(self) -> list[str]:
        """Return stops and removals without their one event."""
        faults = []
        for process_id, count in self.done["stops"].items():
            ends = self.journal["process.stopped", process_id]
            if ends != count:
                faults.append(f"{process_id} was stopped {count} times, the journal tells of {ends}")
        for process_id, facts in self.done["workspaces"].items():
            told = [
                self.journal[name, process_id] for name in ("process.added", "process.stopped", "process.removed")
            ]
            if told != [facts["rounds"], facts["stops"], facts["rounds"]]:
                faults.append(f"{process_id}: {facts}, the journal tells of {told} added, stopped, removed")
        for process_id, facts in self.done["added"].items():
            removals = self.journal["process.removed", process_id]
            if removals != facts["removed"]:
                faults.append(f"{process_id}: removed is {facts['removed']}, the journal tells of {removals}")
            if facts["removed"] and os.path.exists(paths.log_dir(process_id, self.logs)):
                faults.append(f"the log of {process_id} is still there")
        return faults

    def exit_faults(self, listed: dict[str, dict[str, Any]]) -> list[str]:
        """Return exits that are not what the process did."""
        ends: dict[str, list[dict[str, Any]]] = {}
        for event in self.events:
            if event["name"] in {"process.exited", "process.stopped"}:
                ends.setdefault(event["data"]["process_id"], []).append(event["data"])
        faults = []
        for process_id, facts in self.done["added"].items():
            told = [[end.get("exit_code"), end.get("signal")] for end in ends.get(process_id, [])]
            removed_early = facts["removed"] and told != [facts["exit"]]
            if removed_early and len(told) == 1 and ends[process_id][0]["state"] == "stopped":
                continue
            if told != [facts["exit"]]:
                faults.append(f"{process_id} ended with {facts['exit']}, the journal tells of {told}")
            record = listed.get(process_id)
            if facts["removed"] != (record is None):
                faults.append(f"{process_id}: removed is {facts['removed']}, but it is listed as {record}")
            elif record is not None and [record["exit_code"], record["signal"]] != facts["exit"]:
                faults.append(f"{process_id} ended with {facts['exit']}, it is listed as {record}")
        return faults

    def typing_faults(self) -> list[str]:
        """Return lines that were typed and not printed exactly once, in order."""
        faults = []
        for process_id, count in self.done["typed"].items():
            reader = LogReader(os, paths.log_dir(process_id, self.logs))
            output = reader.read(reader.start, reader.end)
            reader.close()
            numbers = [int(number) for number in _GOT.findall(output)]
            if numbers != list(range(count)):
                odd = [(n, c) for n, c in Counter(numbers).items() if c != 1]
                missing = sorted(set(range(count)) - set(numbers))
                faults.append(
                    f"{process_id}: {count} lines were typed, {len(numbers)} arrived; missing {missing[:5]}, "
                    f"more than once {odd[:5]}"
                )
        return faults
