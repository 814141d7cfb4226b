"""The format of a process's log. Pure: the file functions are handed in (`os` will do).

One folder holds the output of one process over all its runs. An offset is the count of bytes appended before it;
offsets never restart. The bytes lie in segments, `<first offset, 20 digits>.log`, each beside an index of the same
name, `.idx`: records of fixed size that say what begins at an offset and when. A segment's index needs no other:
it begins with the stream, run and size that were in force, the latter two marked CARRIED.

Output that a full disk did not take counts, too: it leaves a hole before the next segment, whose index begins with
what happened meanwhile and with a LOST record, all marked CARRIED. Any other hole was deleted.

The order of writes is the whole consistency: a record that says whose bytes follow is written before them, and
there is no fsync. Above stand the one writer (logfile.py) and all readers (logreader.py).
"""

from __future__ import annotations

from struct import Struct

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    from wezparallel.types import RunId

    class FileFacts(Protocol):
        """What is read of a stat result."""

        @property
        def st_size(self) -> int: ...
        @property
        def st_nlink(self) -> int: ...
        @property
        def st_mtime_ns(self) -> int: ...

    class Files(Protocol):
        """The file functions that logs need; the `os` module has them."""

        O_RDONLY: int
        O_RDWR: int
        O_WRONLY: int
        O_APPEND: int
        O_CREAT: int

        def open(self, path: str, flags: int, mode: int = ..., /) -> int: ...
        def close(self, fd: int, /) -> None: ...
        def write(self, fd: int, data: bytes | bytearray | memoryview, /) -> int: ...
        def pread(self, fd: int, size: int, offset: int, /) -> bytes: ...
        def fstat(self, fd: int, /) -> FileFacts: ...
        def stat(self, path: str, /) -> FileFacts: ...
        def ftruncate(self, fd: int, size: int, /) -> None: ...
        def listdir(self, path: str, /) -> list[str]: ...
        def unlink(self, path: str, /) -> None: ...
        def rmdir(self, path: str, /) -> None: ...
        def makedirs(self, name: str, mode: int, exist_ok: bool, /) -> None: ...


RECORD = Struct("!QQBQQ")  # time in ms, offset, kind, two values
SEGMENT_BYTES = 16 * 1024 * 1024
STEP_MS = 250  # bytes are at most so much later than the newest record before them says

# Kinds of records. The first three begin (or go on with) a stream at an offset; the frames of viewers use them too.
STDOUT = 1
STDERR = 2
TTY = 3
RESIZE = 4  # rows, columns
RUN = 5  # the run id's high and low half
EXIT = 6  # EXIT_*, code or signal
DELETED = 7  # from, to
LOST = 8  # count of bytes that could not be written: carried, those before the segment; else, here
STREAMS = frozenset((STDOUT, STDERR, TTY))
CARRIED = 0x80  # said of a record that repeats, at a segment's start, what an earlier segment told

EXIT_UNKNOWN = 0
EXIT_CODE = 1
EXIT_SIGNAL = 2

_BLOCK = RECORD.size * 2048


def segment_path(directory: str, first: int, suffix: str) -> str:
    """Return the path of a segment (`log`) or of its index (`idx`)."""
    return f"{directory}/{first:020d}.{suffix}"


def list_segments(files: Files, directory: str) -> list[int]:
    """Return the first offsets of the segments that exist, oldest first; none when there is no folder."""
    try:
        names = files.listdir(directory)
    except FileNotFoundError:
        return []
    return sorted(int(name[:20]) for name in names if len(name) == 24 and name[20:] == ".log" and name[:20].isdigit())


def unlink_segment(files: Files, directory: str, first: int) -> bool:
    """Unlink a segment and its index, as far as they are there; return whether they are gone."""
    for suffix in ("log", "idx"):
        try:
            files.unlink(segment_path(directory, first, suffix))
        except FileNotFoundError:
            continue
        except OSError:
            return False
    return True


def write_all(files: Files, fd: int, data: bytes | bytearray) -> bool:
    """Write all of something; return whether the disk took it."""
    at = 0
    while at < len(data):
        try:
            written = files.write(fd, data[at:])
        except OSError:
            return False
        if not written:
            return False
        at += written
    return True


def read_index(files: Files, fd: int) -> bytes:
    """Return the whole records of an open index; a torn one at its end is not there yet."""
    blocks = []
    at = 0
    while block := files.pread(fd, _BLOCK, at):
        blocks.append(block)
        at += len(block)
    data = b"".join(blocks)
    return data[: len(data) - len(data) % RECORD.size]


def run_values(run_id: RunId) -> tuple[int, int]:
    """Return the two values of a RUN record."""
    number = int(run_id, 16)
    return number >> 64, number & 0xFFFF_FFFF_FFFF_FFFF


def run_id_of(values: tuple[int, int]) -> RunId:
    """Return the run id that a RUN record holds."""
    return f"{values[0]:016x}{values[1]:016x}"


def exit_values(code: int | None, signal: int | None) -> tuple[int, int]:
    """Return the two values of an EXIT record; both None: nobody knows."""
    if code is not None:
        return EXIT_CODE, code
    return (EXIT_UNKNOWN, 0) if signal is None else (EXIT_SIGNAL, signal)


def exit_of(values: tuple[int, int]) -> tuple[int | None, int | None]:
    """Return (exit code, signal) of an EXIT record; both are None when the exit is unknown."""
    how, value = values
    return (value if how == EXIT_CODE else None), (value if how == EXIT_SIGNAL else None)
