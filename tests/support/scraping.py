"""What Prometheus would see of a daemon."""

from __future__ import annotations

import re
import urllib.request

from tests.support.daemon import Daemon
from tests.support.waiting import until

ANYWHERE = "metrics:\n  address: 127.0.0.1:0\n"
_SAMPLE = re.compile(r"(\w+)(?:\{(.*)\})? (\S+)")
_LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')

Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


def url_of(daemon: Daemon) -> str:
    """Return the address in force, once there is one."""
    until(lambda: daemon.call("Status")["metrics_url"] is not None, 10, "a listener for metrics")
    return str(daemon.call("Status")["metrics_url"])


def text_of(daemon: Daemon) -> str:
    """Scrape once."""
    with urllib.request.urlopen(url_of(daemon), timeout=20) as reply:
        return str(reply.read().decode())


def scrape(daemon: Daemon) -> Samples:
    """Return all samples of one scrape."""
    samples = {}
    for line in text_of(daemon).splitlines():
        found = None if line.startswith("#") else _SAMPLE.fullmatch(line)
        if found:
            samples[found[1], frozenset(_LABEL.findall(found[2] or ""))] = float(found[3])
    return samples


def value(samples: Samples, name: str, **labels: str) -> float | None:
    """Return one sample's value."""
    return samples.get((name, frozenset(labels.items())))
