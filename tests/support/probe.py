"""Run inside a process of the daemon: tries everything that an agent may not do, in one way of hiding who it is.

    python -S probe.py ROOT RUNTIME WAY OUT FORGED

OUT.asked says what: {"requests": […], "process": "work/cat", "private": true}. What it was told is written to OUT,
one JSON object of name to answer. FORGED is the run id that it claims to be of, in the ways that claim one.
"""

from __future__ import annotations

import array
import json
import os
import signal
import socket
import sys

sys.path.insert(0, sys.argv[1])

from wezparallel.wire import frames, hello

RUNTIME, WAY, OUT, FORGED = sys.argv[2:6]


def connect(name: str) -> socket.socket:
    sock = socket.socket(socket.AF_UNIX)
    sock.settimeout(10)
    sock.connect(f"{RUNTIME}/{name}.sock")
    return sock


def sent_by_another(name: str, ends: bool) -> socket.socket:
    """Let a child connect and hand the connection over; it ends, or stays as long as we do."""
    ours, theirs = socket.socketpair()
    pid = os.fork()
    if not pid:
        ours.close()
        sock = connect(name)
        theirs.sendmsg([b"x"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [sock.fileno()]))])
        if not ends:
            theirs.recv(1)
        os._exit(0)
    theirs.close()
    _, extra, _, _ = ours.recvmsg(1, socket.CMSG_SPACE(4))
    if ends:
        os.waitpid(pid, 0)
        ours.close()
    else:
        kept.append(ours)
    sock = socket.socket(fileno=array.array("i", extra[0][2])[0])
    sock.settimeout(10)
    return sock


kept: list[socket.socket] = []


def reach(name: str) -> socket.socket:
    if WAY in ("passed", "gone"):
        return sent_by_another(name, WAY == "gone")
    return connect(name)


def ask(request: object) -> object:
    with reach("hub") as sock:
        sock.sendall(json.dumps(request).encode() + b"\n")
        return json.loads(sock.makefile("rb").readline())


def greet(role: int, body: bytes, *more: tuple[int, bytes]) -> object:
    """Say hello to the keeper; return its first refusal, or what else it says."""
    with reach("keeper") as sock:
        sock.sendall(frames.pack(frames.HELLO, hello.client_hello(role, body)))
        for kind, payload in more:
            sock.sendall(frames.pack(kind, payload))
        reader = frames.FrameReader()
        while data := sock.recv(65536):
            for kind, payload in reader.feed(data):
                if kind == frames.REFUSED:
                    return {"Error": json.loads(payload)}
                if kind == frames.MESSAGE:
                    message = json.loads(payload)
                    return {"Error": message} if message["m"] == "refused" else message
                if kind == frames.WELCOME:
                    return "welcome"
        return "closed"


def look(role: int, flags: int, process: str) -> object:
    strings = [process, "xterm", "", "", "", "", "", ""]
    viewer = hello.Viewer(flags, (24, 80, 0, 0), hello.FROM_END, (0, 0), None, strings)
    return greet(role, viewer.pack())


def steer(name: str) -> object:
    return greet(
        hello.ROLE_CONTROL, b"", (frames.MESSAGE, json.dumps({"m": name, "n": 1, "children": True}).encode())
    )


def main() -> None:
    with open(OUT + ".asked") as file:
        asked = json.loads(file.read())
    told = {next(iter(request)): ask(request) for request in asked["requests"]}
    process = asked["process"]
    told["terminal"] = look(hello.ROLE_TERMINAL, 0, process)
    told["relay"] = look(hello.ROLE_FRAMES, hello.RELAYS, process)
    told["read-only terminal"] = look(hello.ROLE_TERMINAL, hello.READ_ONLY, process)
    told["frames"] = look(hello.ROLE_FRAMES, 0, process)
    told["control status"] = steer("status")
    if asked["private"]:
        told["control exit"] = steer("exit")
        told["control start"] = steer("start_hub")
        upgrade = (frames.UPGRADE, json.dumps({"argv": ["/bin/false"]}).encode())
        told["control upgrade"] = greet(hello.ROLE_CONTROL, b"", upgrade)
        told["hub"] = greet(hello.ROLE_HUB, hello.pack_strings(["h-forged"]))
    with open(OUT + ".part", "w") as file:
        json.dump(told, file)
    os.rename(OUT + ".part", OUT)


def daemonise() -> None:
    """Become a child of the subreaper, in a session of our own."""
    leader = os.getpid()
    if os.fork():
        os.wait()  # a session's end hangs its terminal up for all who are still in it
        if WAY != "orphan":
            signal.pause()
        os._exit(0)
    os.setsid()
    middle = os.getpid()
    if os.fork():
        os._exit(0)
    while os.getppid() == middle:
        os.sched_yield()
    assert os.getppid() != leader


def again(env: dict[str, str]) -> None:
    """Run this program anew, in another environment."""
    argv = [sys.executable, "-S", __file__, *sys.argv[1:3], "plain", OUT, FORGED]
    os.execve(sys.executable, argv, env)


if WAY == "setsid":
    if os.fork():
        os.wait()
        os._exit(0)
    os.setsid()
elif WAY in ("daemon", "bare daemon", "forged daemon", "orphan"):
    daemonise()
if WAY in ("bare", "bare daemon"):
    again({})
if WAY in ("forged", "forged daemon"):
    again({"WEZPARALLEL_RUN": FORGED})
main()
