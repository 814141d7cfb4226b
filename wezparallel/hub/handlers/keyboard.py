"""Handlers of typing: into one process, or the same into several."""

from __future__ import annotations

import base64
import binascii
import secrets
from typing import TYPE_CHECKING

import anyio

from wezparallel.errors import RequestError
from wezparallel.hub.pool import checks, notices
from wezparallel.hub.pool.supervise import alive
from wezparallel.keeper import messages
from wezparallel.protocol import keyboard as words

if TYPE_CHECKING:
    from wezparallel.hub.app import Hub
    from wezparallel.hub.comms.dispatch import Accepted
    from wezparallel.types import JsonObject


def type_(hub: Hub, command: words.ProcessType) -> Accepted:
    """Check that there is someone to type to."""
    _bytes_to_type(command)
    process_id = _begin(hub, command.process)
    return {"process_id": process_id, "write_key": command.key or secrets.token_hex(8)}


async def typed(hub: Hub, command: words.ProcessType, accepted: Accepted) -> words.ProcessTyped:
    """Hand the bytes to the keeper, which remembers the key: a repetition types nothing."""
    data = _bytes_to_type(command)
    await _write(hub, accepted["process_id"], accepted["write_key"], data)
    return words.ProcessTyped(process_id=accepted["process_id"], bytes=len(data))


def type_many(hub: Hub, command: words.ProcessTypeMany) -> Accepted:
    """Check to whom it can be typed; if to nobody, say why of the first."""
    _bytes_to_type(command)
    process_ids: list[str] = []
    refused: list[JsonObject] = []
    first: RequestError | None = None
    for named in dict.fromkeys(command.processes):
        try:
            process_ids.append(_begin(hub, named))
        except RequestError as error:
            first = first or error
            refused.append({"process_id": named, "error": error.to_json()})
    if not process_ids and first is not None:
        raise first
    return {"processes": process_ids, "refused": refused, "write_key": command.key or secrets.token_hex(8)}


async def typed_many(hub: Hub, command: words.ProcessTypeMany, accepted: Accepted) -> words.ProcessesTyped:
    """Hand the bytes to the keeper for each at once: a program that does not read holds up no other."""
    data = _bytes_to_type(command)
    failed: dict[str, RequestError] = {}

    async def write(number: int, process_id: str) -> None:
        try:
            await _write(hub, process_id, f"{accepted['write_key']}.{number}", data)
        except RequestError as error:
            failed[process_id] = error

    async with anyio.create_task_group() as tasks:
        for number, process_id in enumerate(accepted["processes"]):
            tasks.start_soon(write, number, process_id)
    refused = [words.NotTyped.model_validate(one) for one in accepted["refused"]]
    refused += [words.NotTyped(process_id=process_id, error=error.to_json()) for process_id, error in failed.items()]
    done = [process_id for process_id in accepted["processes"] if process_id not in failed]
    return words.ProcessesTyped(processes=done, refused=refused, bytes=len(data))


def _begin(hub: Hub, named: str) -> str:
    """Return the id of a process that is about to be typed into. Raises RequestError."""
    process = hub.process(named)
    checks.check_held(process.process_id, process.settings)
    if not alive(process.run):
        raise RequestError(
            "process.not_running",
            f"{process.process_id} does not run; start it with ProcessStart",
            state=process.state,
        )
    notices.clear(hub, process)
    hub.spares.claim(process)
    return process.process_id


async def _write(hub: Hub, process_id: str, key: str, data: bytes) -> None:
    encoded = base64.b64encode(data).decode()
    await hub.link.call({"m": messages.WRITE, "process_id": process_id, "key": key, "data": encoded})


def _bytes_to_type(command: words.ProcessType | words.ProcessTypeMany) -> bytes:
    if command.encoding == "base64":
        try:
            data = base64.b64decode(command.text, validate=True)
        except (binascii.Error, ValueError):
            name = type(command).__name__
            raise RequestError("command.bad_value", f"{name}.text is not base64", field="text") from None
    else:
        data = command.text.encode("utf-8", "surrogatepass")
    return data + b"\r" if command.enter else data
