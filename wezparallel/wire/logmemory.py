"""The file functions that logs need (logformat.Files), with the files in memory.

So a log in memory is written and read by the same code as one on disk, with the same index and the same cap. The
keeper keeps such logs (keeper/ring.py), and hands a copy to the hub or to its own successor: `dump`, `load`.
"""

from __future__ import annotations

from struct import Struct

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wezparallel.wire.logformat import Files

FIRST_FD = 1 << 30  # above every descriptor of the kernel
_HEAD = Struct("!HQ")  # of a dumped file: length of its name, of its bytes


class MemoryFile:
    """One file, and what a stat says of it."""

    __slots__ = ("data", "st_nlink")
    st_mtime_ns = 0

    def __init__(self) -> None:
        self.data = bytearray()
        self.st_nlink = 1

    @property
    def st_size(self) -> int:
        """Bytes in it."""
        return len(self.data)


class MemoryFiles:
    """A few files in one process's memory. Folders are what stands before the last slash of a path."""

    O_RDONLY = 0
    O_WRONLY = 1
    O_RDWR = 2
    O_APPEND = 0
    O_CREAT = 4

    def __init__(self) -> None:
        self._files: dict[str, MemoryFile] = {}
        self._open: dict[int, MemoryFile] = {}
        self._next = FIRST_FD

    def open(self, path: str, flags: int, _mode: int = 0, /) -> int:
        """Open a file; with O_CREAT make it."""
        file = self._files.get(path)
        if file is None:
            if flags != self.O_WRONLY | self.O_CREAT and flags != self.O_RDWR | self.O_CREAT:
                raise _missing(path)
            file = self._files[path] = MemoryFile()
        self._next += 1
        self._open[self._next] = file
        return self._next

    def close(self, fd: int, /) -> None:
        """Close it."""
        del self._open[fd]

    def write(self, fd: int, data: bytes | bytearray | memoryview, /) -> int:
        """Append."""
        self._open[fd].data += data
        return len(data)

    def pread(self, fd: int, size: int, offset: int, /) -> bytes:
        """Read."""
        return bytes(self._open[fd].data[offset : offset + size])

    def fstat(self, fd: int, /) -> MemoryFile:
        """Tell of an open file."""
        return self._open[fd]

    def stat(self, path: str, /) -> MemoryFile:
        """Tell of a file."""
        if path not in self._files:
            raise _missing(path)
        return self._files[path]

    def ftruncate(self, fd: int, size: int, /) -> None:
        """Cut it."""
        del self._open[fd].data[size:]

    def listdir(self, path: str, /) -> list[str]:
        """Return the names in a folder; none make it a missing one."""
        names = [name[len(path) + 1 :] for name in self._files if name.startswith(path + "/")]
        if not names:
            raise _missing(path)
        return names

    def unlink(self, path: str, /) -> None:
        """Take a file's name; who has it open reads on."""
        if path not in self._files:
            raise _missing(path)
        self._files.pop(path).st_nlink = 0

    def rmdir(self, path: str, /) -> None:
        """Do nothing: a folder without files is none."""

    def makedirs(self, name: str, mode: int, exist_ok: bool, /) -> None:
        """Do nothing: a folder comes with its files."""

    def dump(self) -> bytes:
        """Return all files of the one folder, without its name."""
        parts = []
        for path, file in self._files.items():
            name = path.rpartition("/")[2].encode()
            parts += [_HEAD.pack(len(name), len(file.data)), name, bytes(file.data)]
        return b"".join(parts)

    @classmethod
    def load(cls, data: bytes, directory: str) -> MemoryFiles:
        """Return the files that were dumped, in a folder. Raises ValueError on what is none."""
        files = cls()
        at = 0
        while at < len(data):
            if at + _HEAD.size > len(data):
                raise ValueError("a dumped log that is cut")
            name_length, length = _HEAD.unpack_from(data, at)
            at += _HEAD.size
            name = data[at : at + name_length].decode()
            at += name_length
            file = files._files[f"{directory}/{name}"] = MemoryFile()
            file.data += data[at : at + length]
            if len(file.data) < length:
                raise ValueError("a dumped log that is cut")
            at += length
        return files


class Beside:
    """The files of one folder of which some lie in memory. For readers: nothing is made or removed by it."""

    def __init__(self, memory: MemoryFiles, disk: Files) -> None:
        self._memory = memory
        self._disk = disk
        self.O_RDONLY = disk.O_RDONLY

    def __getattr__(self, name: str) -> object:
        return getattr(self._disk, name)

    def open(self, path: str, flags: int, /) -> int:
        """Open a file to read."""
        try:
            return self._memory.open(path, MemoryFiles.O_RDONLY)
        except FileNotFoundError:
            return self._disk.open(path, flags)

    def close(self, fd: int, /) -> None:
        """Close it."""
        (self._memory if fd > FIRST_FD else self._disk).close(fd)

    def pread(self, fd: int, size: int, offset: int, /) -> bytes:
        """Read."""
        return (self._memory if fd > FIRST_FD else self._disk).pread(fd, size, offset)

    def fstat(self, fd: int, /) -> object:
        """Tell of an open file."""
        return (self._memory if fd > FIRST_FD else self._disk).fstat(fd)

    def stat(self, path: str, /) -> object:
        """Tell of a file."""
        try:
            return self._memory.stat(path)
        except FileNotFoundError:
            return self._disk.stat(path)

    def listdir(self, path: str, /) -> list[str]:
        """Return the names in a folder."""
        try:
            names = self._memory.listdir(path)
        except FileNotFoundError:
            return self._disk.listdir(path)
        try:
            return list({*names, *self._disk.listdir(path)})
        except OSError:
            return names


def _missing(path: str) -> FileNotFoundError:
    return FileNotFoundError(2, "No such file", path)
