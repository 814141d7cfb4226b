"""Handlers of the log commands. The keeper writes the logs; here they are read from its files."""

from __future__ import annotations

import base64
import os
import re
from datetime import datetime
from typing import TYPE_CHECKING

from wezparallel import paths
from wezparallel.errors import RequestError
from wezparallel.hub.state.model import rfc3339
from wezparallel.protocol import log as words
from wezparallel.protocol.log import LogChunk

if TYPE_CHECKING:
    from wezparallel.hub.app import Hub

_AGE = re.compile(r"(\d+(?:\.\d+)?)(s|m|h|d)")
_UNIT_S = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def read(hub: Hub, command: words.LogRead) -> words.Log:
    """Return a piece of a log."""
    from wezparallel.wire.logreader import LogReader  # noqa: PLC0415  only who reads logs pays for it

    process = hub.process(command.process)
    reader = LogReader(os, paths.log_dir(process.process_id))
    try:
        start, end = reader.start, reader.end
        at = _from(reader, command, hub.now_ms(), start)
        chunks: list[LogChunk] = []
        taken = 0
        next_offset: int | None = None
        for chunk in reader.chunks(at, end):
            if taken + len(chunk.data) > command.max_bytes and taken:
                next_offset = chunk.offset
                break
            taken += len(chunk.data)
            if command.stream is None or chunk.stream == command.stream:
                chunks.append(_chunk(chunk))
        return words.Log(process_id=process.process_id, start=start, end=end, chunks=chunks, next=next_offset)
    finally:
        reader.close()
