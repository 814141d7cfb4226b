"""The drill of the hub's death: writers flood, viewers watch, clients mutate, and the hub is killed again and again.

Afterwards everything is counted: pids, bytes, exits, effects, connects, and how long each new hub took to answer.
"""

from __future__ import annotations

import argparse
import os
import random
import select
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from tests.drills import numbered
from tests.drills.actor import Actor
from tests.drills.effects import Judge
from tests.drills.killing import IDLE, Killer, plan
from tests.drills.report import Progress, Report
from tests.support.daemon import Daemon
from wezparallel import paths
from wezparallel.client.sync import Client
from wezparallel.errors import WezparallelError
from wezparallel.hub.comms.callers import start_time
from wezparallel.wire.logformat import RESIZE, RUN, STDERR, STDOUT, TTY
from wezparallel.wire.logreader import LogReader

STALL_S = 60.0
FREE_BYTES_A_KILL = 100 << 20  # with less to print, writers pace themselves, or they were done before the kills
PACED_S_A_KILL = 2.5


class Writer:
    """One process that floods."""

    def __init__(self, number: int, total: int) -> None:
        self.process_id = f"drill/writer-{number:02d}"
        self.tty = number % 2 == 0
        self.both = number % 4 == 3
        per_line = numbered.LINE_BYTES + self.tty
        self.blocks = max(1, total // (numbered.LINES * per_line * (1 + self.both)))
        self.size = self.blocks * numbered.LINES * per_line * (1 + self.both)
        self.streams = [TTY] if self.tty else [STDOUT, STDERR] if self.both else [STDOUT]
        self.pid = 0
        self.start = 0

    def add(self, client: Client, go: Path, last_s: float) -> None:
        """Have it started; it waits for the file `go`, and takes `last_s` seconds at least."""
        pace_s = last_s / (self.blocks * len(self.streams))
        args = ["-I", "-S", numbered.__file__, str(go), str(self.blocks), f"{pace_s:.6f}"]
        reply = client.call(
            "ProcessAdd",
            {"id": self.process_id, "command": sys.executable, "args": [*args, *(["both"] if self.both else [])],
             "tty": self.tty, "log_cap_bytes": 2 * self.size + (64 << 20), "restart": "never"},
        )  # fmt: skip
        self.pid = reply["process"]["pid"]
        self.start = start_time(self.pid)


class HubDrill:
    """One run of it."""

    def __init__(self, options: argparse.Namespace, home: Path, runtime: str) -> None:
        self.options = options
        self.chance = random.Random(options.seed)
        self.daemon = Daemon(runtime, home)
        self.daemon.env["WEZPARALLEL_WORKSPACES_MAX_PROCESSES"] = "10000"  # its clients add some every second
        self.daemon.env["WEZPARALLEL_LOGS_TOTAL"] = "1000000"  # every byte is looked for afterwards
        self.env = {**self.daemon.env, "TERM": "xterm-256color"}
        self.keeper_socket = f"{runtime}/keeper.sock"
        self.logs = str(home / "state" / paths.NAME / "logs")
        self.go = home / "go"
        self.effects = home / "effects"
        self.effects.touch()
        self.writers = [Writer(number, options.total // options.writers) for number in range(options.writers)]
        self.total = sum(writer.size for writer in self.writers)
        self.readers = [LogReader(os, paths.log_dir(writer.process_id, self.logs)) for writer in self.writers]
        self.progress = Progress()
        self.actors: dict[str, Actor] = {}
        self.began = time.monotonic()
        self.flood_s = 0.0
        size = f"{self.total / 1e9:.2f} GB" if self.total >= 1e9 else f"{self.total / 1e6:.0f} MB"
        self.report = Report(
            f"drill hub: {options.writers} writers print {size}, the hub is killed {options.kills} times"
            + (f", {options.upgrades} upgrades in a row" if options.upgrades else "")
            + (", a crowd of terminals" if options.crowd else "")
            + f", seed {options.seed}"
        )

    def run(self) -> bool:
        """Run the drill and print its report; tell whether everything held."""
        self.daemon.start()
        try:
            self._begin()
            self._flood_and_kill()
            self._wait_for_the_end()
            self._judge_mutations()
            self._kill_idle()
            self._check_pids()
            self._check_viewers()
            self._check_connects()
            self._check_logs()
        except (AssertionError, OSError, WezparallelError) as error:
            self.report.check("the drill came to its end", f"{type(error).__name__}", [f"{error!r}"])
        finally:
            self.progress.clear()
            for actor in self.actors.values():
                if actor.process.poll() is None:
                    actor.process.kill()
                    actor.process.wait()
            self.daemon.stop()
        self._check_own_logs()
        self.report.print()
        return self.report.is_good

    def logged(self) -> int:
        """Return how many bytes of the writers stand in the logs."""
        return sum(reader.end for reader in self.readers)

    def _actor(self, name: str, module: str, *args: str) -> Actor:
        self.actors[name] = Actor(f"tests.drills.{module}", *args, env=self.env)
        return self.actors[name]

    def _begin(self) -> None:
        options = self.options
        self.prober = self._actor("prober", "prober", self.daemon.socket)
        paced = self.total < FREE_BYTES_A_KILL * options.kills
        last_s = PACED_S_A_KILL * options.kills if paced else 0.0
        with self.daemon.client() as client:
            for writer in self.writers:
                self.progress.show(f"starting {writer.process_id}")
                writer.add(client, self.go, last_s)
        shown = self.writers[0]
        watched = next((w for w in self.writers if w.both), self.writers[-1])
        flags = ["tty"] if watched.tty else []
        self.gapless = self._actor(
            "gapless", "viewers", "gapless", self.keeper_socket, watched.process_id, str(watched.blocks), *flags
        )
        self.terminal = self._actor(
            "terminal", "viewers", "terminal", self.keeper_socket, shown.process_id, str(shown.blocks)
        )
        self.mutations = self._actor(
            "mutations", "mutations", self.daemon.socket, str(self.effects), str(options.seed)
        )
        begin = [(self.gapless, "attached"), (self.terminal, "attached"), (self.mutations, "ready"),
                 (self.prober, "hub")]  # fmt: skip
        if options.crowd:
            self.crowd = self._actor(
                "crowd", "crowd", self.keeper_socket, shown.process_id, str(shown.blocks), str(options.seed)
            )
            begin.append((self.crowd, "attached"))
        for actor, kind in begin:
            if actor.wait_for(kind, STALL_S) is None:
                raise AssertionError(f"the drill's {actor.name} did not begin")
        self.killer = Killer(self.daemon, self.prober, self.chance)

    def _flood_and_kill(self) -> None:
        self.go.touch()
        self.flood_began = time.monotonic()
        half = self.options.kills // 2
        for number, where in enumerate(plan(self.options.kills, self.chance), 1):
            if number == half + 1:
                self._upgrade()
            self.progress.show(f"{self._done()}; kill {number} of {self.options.kills}: {where}")
            self.killer.pause()
            took_s = self.killer.kill(where)
            floods = self.logged() < self.total
            budget_s = self.options.flood_budget if floods else self.options.idle_budget
            self.report.kill(where, "flood" if floods else "no flood", took_s, budget_s)

    def _upgrade(self) -> None:
        """Have the keeper become its own program anew, several times in a row; its hub follows each time."""
        faults = []
        argv = [sys.executable, "-m", "wezparallel", "daemon", "upgrade"]
        assert self.daemon.keeper is not None
        for number in range(self.options.upgrades):
            self.progress.show(f"{self._done()}; upgrade {number + 1} of {self.options.upgrades}")
            pid = self.killer.hub_pid()
            done = subprocess.run(argv, env=self.env, capture_output=True, text=True, timeout=STALL_S, check=False)
            if done.returncode:
                faults.append(f"upgrade {number + 1} ended with {done.returncode}: {done.stdout}{done.stderr}")
            elif self.killer.hub_pid() == pid:
                faults.append(f"upgrade {number + 1}: the same hub serves")
            if self.daemon.keeper.poll() is not None:
                raise AssertionError(f"the keeper ended at upgrade {number + 1}")
        if self.options.upgrades:
            load = "under the flood" if self.logged() < self.total else "after the flood"
            self.report.check("every upgrade went through", f"{self.options.upgrades} {load}", faults)

    def _wait_for_the_end(self) -> None:
        logged, since = -1, time.monotonic()
        while logged < self.total and time.monotonic() - since < STALL_S:
            now = self.logged()
            if now != logged:
                logged, since = now, time.monotonic()
            self.flood_s = time.monotonic() - self.flood_began
            self.progress.show(f"{self._done()}; waiting for the end")
            select.select([], [], [], 0.25)
        self.progress.show("all is printed; waiting for the viewers")
        self.gapless.wait_for("complete", STALL_S)
        self.terminal.wait_for("last", STALL_S)
        if self.options.crowd:
            self.crowd.wait_for("last", STALL_S)

    def _judge_mutations(self) -> None:
        self.progress.show("waiting for the mutations to end")
        self.mutations.end(3 * STALL_S)
        problems = [said["text"] for said in self.mutations.said("problem")]
        done = self.mutations.said("done")
        if not done:
            self.report.check("mutations", "they ended early", [*problems, "the mutating clients crashed"])
            return
        facts = done[0]
        messages = [message for said in self.mutations.said("events") for message in said["events"]]
        judge = Judge(facts, messages, str(self.effects), self.logs)
        listed = {record["process_id"]: record for record in self._list()}
        asked = f"{facts['asked']}; {facts['repeated']} repeated, {facts['abandoned']} abandoned"
        self.report.check("each mutation was answered", asked, problems)
        runs = len(judge.run_starts)
        self.report.check("each start had one effect", f"{runs} runs", judge.start_faults())
        stops = sum(facts["stops"].values())
        removed = sum(added["removed"] for added in facts["added"].values())
        self.report.check("each stop, each removal", f"{stops} stops, {removed} removals", judge.stop_faults())
        typed = sum(facts["typed"].values())
        self.report.check("each typed line arrived once", f"{typed} lines", judge.typing_faults())
        self.report.check("exits are exact", f"{len(facts['added'])} exits", judge.exit_faults(listed))
        self.report.check("the journal has no gap", f"{len(judge.events)} events", judge.journal_faults())

    def _kill_idle(self) -> None:
        for number in range(self.options.idle_kills):
            self.progress.show(f"killing the idle hub, {number + 1} of {self.options.idle_kills}")
            select.select([], [], [], self.chance.uniform(2.1, 2.6))
            self.report.kill(IDLE, "idle", self.killer.kill(IDLE), self.options.idle_budget)
        self.report.check("every kill met a new hub", f"{len(self.report.kills)} kills", self.killer.faults)

    def _check_pids(self) -> None:
        faults = []
        listed = {record["process_id"]: record for record in self._list()}
        for writer in self.writers:
            record = listed.get(writer.process_id)
            if record is None or record["pid"] != writer.pid or record["state"] != "running" or record["run"] != 1:
                faults.append(f"{writer.process_id} had pid {writer.pid}, it is listed as {record}")
            elif start_time(writer.pid) != writer.start:
                faults.append(f"{writer.process_id}: pid {writer.pid} is another process now")
        viewers = listed.get(self.writers[0].process_id, {}).get("viewers")
        self.report.check("all pids are the same", f"{len(self.writers)} writers", faults)
        self.report.check(
            "the hub knows the terminal viewer", f"{viewers} viewers", [] if viewers else ["it does not"]
        )

    def _check_viewers(self) -> None:
        self.gapless.end()
        self.terminal.end()
        end = (self.gapless.said("end") or [{"fault": "it crashed", "bytes": 0}])[0]
        self.report.check(
            "the gapless viewer missed nothing", f"{end['bytes']} bytes", [end["fault"]] if end["fault"] else []
        )
        shown = (self.terminal.said("end") or [{}])[0]
        wanted = {"alive": True, "last": True, "code": 0, "restored": True}
        faults = [
            f"{name} is {shown.get(name)}: {shown}" for name, value in wanted.items() if shown.get(name) != value
        ]
        self.report.check("the terminal viewer saw the end, detached", f"{shown.get('shown', 0)} bytes shown", faults)

        if self.options.crowd:
            self.crowd.end(3 * STALL_S)
            end = (self.crowd.said("end") or [{"faults": ["it crashed"], "last": False}])[0]
            faults = [*end["faults"], *([] if end["last"] else ["who came back at the end did not see it"])]
            found = f"{end.get('comings')} attached, {end.get('resizes')} resizes, {end.get('shown', 0)} bytes shown"
            self.report.check("a crowd of terminals is as it was", found, faults)

    def _check_connects(self) -> None:
        self.prober.end()
        totals = (self.prober.said("totals") or [{}])[0]
        faults = totals.get("failures", ["the prober crashed"])
        found = (
            f"{totals.get('connects')} connects, {totals.get('cut')} cut by a kill, {totals.get('refused')} put off"
        )
        self.report.check("no connect failed", found, faults)

    def _check_logs(self) -> None:
        faults = []
        for writer, reader in zip(self.writers, self.readers, strict=True):
            self.progress.show(f"reading the log of {writer.process_id}")
            checkers = {stream: numbered.Checker(writer.blocks, writer.tty) for stream in writer.streams}
            for chunk in reader.chunks(0):
                if chunk.kind in checkers:
                    checkers[chunk.kind].feed(chunk.data)
                elif chunk.kind not in {RESIZE, RUN}:
                    faults.append(f"{writer.process_id}: a record of kind {chunk.kind} at {chunk.offset}")
            reader.close()
            faults += [f"{writer.process_id}, stream {stream}: {checker.verdict()}"
                       for stream, checker in checkers.items() if checker.verdict()]  # fmt: skip
        speed = self.total / 1e6 / max(self.flood_s, 0.001)
        self.report.check("no number is missing in any log", f"{self.total} bytes, {speed:.0f} MB/s", faults)

    def _check_own_logs(self) -> None:
        hub_log = self.daemon.home / "state" / paths.NAME / "hub.log"
        lines = hub_log.read_text(errors="replace").splitlines()
        faults = [line for line in lines if "level='error'" in line or "Traceback" in line or "Error" in line]
        said = (self.daemon.home / "keeper.err").read_text(errors="replace").splitlines()
        faults += [f"keeper: {line}" for line in said if "bug:" in line or "ended" in line]
        self.report.check("hub and keeper logged no fault", f"{len(lines)} and {len(said)} lines", faults)
        if faults and self.options.keep:
            print(f"kept: {self.daemon.home}")

    def _list(self) -> list[dict[str, Any]]:
        listed: list[dict[str, Any]] = []
        with self.daemon.client() as client:
            after: str | None = None
            while True:
                page = client.call("ProcessList", {"workspace": "drill", "limit": 500, "after": after})
                listed += page["processes"]
                after = page["next"]
                if after is None:
                    return listed

    def _done(self) -> str:
        logged = self.logged()
        seconds = time.monotonic() - self.flood_began
        return f"{logged / 1e6:.0f} of {self.total / 1e6:.0f} MB, {logged / 1e6 / max(seconds, 0.1):.0f} MB/s"


def main(options: argparse.Namespace) -> int:
    """Run the drill in folders of its own; return the exit code."""
    home = Path(tempfile.mkdtemp(prefix="wzp-drill-"))
    runtime = tempfile.mkdtemp(prefix="wzp-", dir="/tmp")
    try:
        return 0 if HubDrill(options, home, runtime).run() else 1
    finally:
        shutil.rmtree(runtime, ignore_errors=True)
        if not options.keep:
            shutil.rmtree(home, ignore_errors=True)
        else:
            print(f"kept: {home}")
