"""What hub and keeper say to each other: JSON in MESSAGE frames. All that the hub may import of the keeper.

Every message is an object with `"m"`, its name. The hub numbers its requests with `"n"`; the keeper answers each with
`{"m": "ok" | "refused", "re": n, …}`, in order. Descriptors travel beside a frame (SCM_RIGHTS) and are counted in its
`"fds"`. Unknown messages and fields are ignored on both sides.

Field names are the same wherever a thing is named: `run_id`, `process_id`, `pid`, `start` (start time in clock ticks
since boot, field 22 of /proc/PID/stat; 0 where unknown), `exit_code` and `signal` (exactly one is an integer after an
exit; both null: unknown), `at` (milliseconds since the epoch), `offset` (bytes of the process's log).
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NotRequired, TypedDict

    from wezparallel.types import JsonObject, Millis, ProcessId, RunId

    class Stop(TypedDict):
        """How a run is stopped."""

        signal: str
        """`SIGTERM` …"""
        grace_s: float
        kill: str
        """`tree` or `group`: who gets SIGKILL after the grace period"""

    class Spawn(TypedDict):
        """hub → keeper `spawn`. Reply `ok {pid, start, fds}` with duplicates of the master (tty), or of stdin,
        stdout and stderr ends (pipes), in this order; or `refused {code, message}`. A duplicate run id is refused
        with `run.exists` and the run's `pid` and `start`."""

        m: str
        n: int
        run_id: RunId
        process_id: ProcessId
        definition: JsonObject
        """Opaque to the keeper; listed back at adoption."""
        argv: list[str]
        cwd: str
        env_id: str
        env: dict[str, str | None]
        """Overrides on top of the environment `env_id`; null removes a name."""
        tty: bool
        term: NotRequired[str]
        """TERM, in place of the first viewer's"""
        size: NotRequired[tuple[int, int]]
        """rows, columns, in place of those that it had last; a viewer's own size wins"""
        log_cap: int
        """bytes"""
        log: NotRequired[str]
        """`disk` (default), `memory` or `off`: where the output of this run goes"""
        stop: Stop
        agent: bool
        may_type: bool
        nofile: NotRequired[int]
        ulimits: NotRequired[dict[str, int]]
        """Soft limits by name (limits.py); -1: as much as may be"""
        nice: NotRequired[int]
        """Added to the keeper's own niceness"""

    class RunState(TypedDict):
        """keeper → hub `run`, one per run at adoption, with its descriptors."""

        m: str
        run_id: RunId
        process_id: ProcessId
        definition: JsonObject
        pid: int
        start: int
        started_at: Millis
        tty: bool
        stopping: bool
        suspended: bool
        """All of it stands still; what is not told yet follows as `suspended`."""
        log_start: int
        log_end: int
        exit: Exit | None
        """An exit that the hub has not acknowledged; then there may be no descriptors."""
        fds: int

    class Exit(TypedDict):
        """How a run ended."""

        exit_code: int | None
        signal: int | None
        at: Millis
        ran_s: float
        asked: bool
        """The hub asked for it (stop or kill)."""
        offset: int
        """End of the log when the leader had gone and its output was drained."""

    class Exited(Exit):
        """keeper → hub `exited`; repeated at each adoption until `ack`. After a stop: once the tree is empty."""

        m: str
        run_id: RunId
        process_id: ProcessId

    class ViewerReport(TypedDict):
        """keeper → hub `viewer`, for each viewer's hello and end, and one each at adoption."""

        m: str
        process_id: ProcessId
        viewer_id: int
        state: str
        """`attached` or `gone`"""
        pid: int
        size: tuple[int, int]
        pane: str
        """WezTerm's pane id, and in `mux` its socket; empty outside WezTerm"""
        mux: str
        read_only: bool
        kind: str
        """`terminal`, `relay` or `frames`"""
        parent_pid: int
        """Whoever started the client; with `parent_start` it can be seen later whether it still lives"""
        parent_start: int
        reason: NotRequired[str]
        """Why it is gone: `detached`, `hangup` (its terminal was closed), `ended` (nothing more to show), `removed`
        (the process is), or `lost`: the connection ended without a word"""


# hub → keeper. Fields beside `m` and `n` stand in the comment.
SPAWN = "spawn"  # Spawn
STOP = "stop"  # run_id; optional signal, grace_s (override). ok at once; `exited` comes when the tree is empty
KILL = "kill"  # run_id. As stop with SIGKILL at once
SUSPEND = "suspend"  # run_id, key. ok {done, already}; unless done, `suspended` comes when all stands still
RESUME = "resume"  # run_id, key. ok {done, already}; what goes on is told by `suspended`, too
SIGNAL = "signal"  # run_id, signal (name). To the leader's process group
WRITE = "write"  # process_id, key, data (base64). ok {already: bool}; refused process.not_running
RESIZE = "resize"  # process_id, size
RESERVE = "reserve"  # process_id. Makes it known to viewers; size, facts: of the terminal that will show it first
FORGET = "forget"  # process_id. After the commit of a removal: viewers get `removed`, the log is deleted
ACK = "ack"  # run_id. The exit is committed
LOG_CAP = "log_cap"  # process_id, bytes
LOG_ROOM = "log_room"  # bytes: what all logs together may take; the oldest output goes above it, whoever printed it
LOG_EXPIRE = "log_expire"  # process_id, before (milliseconds since the epoch): drop segments that ended before it
LOG_READ = "log_read"  # process_id. ok {kind, start, end}; kind `memory`: fds: 1, a memfd with it (wire/logmemory.py)
ENV_PUT = "env_put"  # env_id, env
ENV_GET = "env_get"  # env_id. ok {env} or refused
ENV_KEEP = "env_keep"  # env_ids: all others are dropped
NUDGE = "nudge"  # viewer_id, name, value. Sets a user variable of its pane in WezTerm, if that can be done now
NOTIFY = "notify"  # viewer_id, title, body. Its terminal shows a notification, if that can be done now
TOGETHER = "together"  # process_ids, on. What is typed at one of these goes to all of them; `on` false: no longer
LISTEN = "listen"  # name, address ("unix:/path" or "tcp:host:port"). ok {fds: 1, address}
UNLISTEN = "unlisten"  # name. Nobody listens there any more
ADOPTED = "adopted"  # the hub has read everything that adoption brought, and serves
PONG = "pong"  # re
EXIT = "exit"  # children: bool. End the hub, with `children` all processes first; the keeper exits when empty

# keeper → hub
OK = "ok"
REFUSED = "refused"
RUN = "run"  # RunState
EXITED = "exited"  # Exited
VIEWER = "viewer"  # ViewerReport
PROCESS = "process"  # process_id: known to viewers without a run, at adoption; together: ids of its group, if any
ENV = "env"  # env_ids: those that the keeper holds, at adoption
LISTENER = "listener"  # name, address, fds: 1; name `public` is the hub's own socket
ADOPT_END = "adopt_end"  # keeper_pid, keeper_started_at, hub_deaths, upgrade {id, failed}: adoption is complete
PING = "ping"  # n
LOST = "lost"  # process_id, offset, bytes: output that could not be written
SUSPENDED = "suspended"  # run_id, process_id, suspended: bool, left: how many of it could not be stopped
CALLED = "called"  # process_id, title, text: it rang (both empty) or sent a notification, and nobody was there
ANSWERED = "answered"  # process_id: somebody typed at one of its terminals, for the first time since then
OUTPUT = "output"  # process_id: first output of a run (for `ready` by default rules)

# control role (`daemon …`): request → answer, the same framing
CONTROL_STATUS = "status"  # ok {pid, version, started_at, hub: {state, pid, deaths}, runs, viewers}
CONTROL_STOP = "exit"  # as EXIT
CONTROL_START = "start_hub"  # removes the mark `stopped`, starts the hub
