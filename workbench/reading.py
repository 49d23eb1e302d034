"""Reading what others wrote: bounded in kind, size and depth, and refused in one sentence.

A path from a person or a file from elsewhere may be a device that never ends, a pipe that nobody writes, a file
larger than the memory, text that is not UTF-8, or JSON nested deeper than any program's stack. Every reader of
such input goes through here, so that it ends, and ends with the name of the file and a remedy.
"""

from __future__ import annotations

import errno
import hashlib
import json
import lzma
import os
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from workbench.errors import BadValue, WorkbenchError
from workbench.messages import Message

LARGEST_TEXT = 256 * 2**20
"""Bytes of the largest text or JSON file that is read."""

BLOCK = 64 * 2**10
"""Bytes that are read at once where a file holds fewer, or where its size is not known."""

DEEPEST = 100
"""Levels of lists and mappings in JSON."""

BROKEN_ARCHIVE = (
    OSError, ValueError, LookupError, TypeError, EOFError, RuntimeError, MemoryError, ArithmeticError,
    struct.error, zlib.error, lzma.LZMAError, zipfile.BadZipFile,
)  # fmt: skip
"""What NumPy and zipfile raise for a damaged archive: one bit can name encryption, another packing or version."""

_KINDS = (
    (stat.S_ISFIFO, Message("file.pipe")),
    (stat.S_ISCHR, Message("file.device")),
    (stat.S_ISBLK, Message("file.device")),
    (stat.S_ISSOCK, Message("file.socket")),
)


def why(error: OSError | ValueError) -> str:
    """What the system says of a path it cannot use."""
    if isinstance(error, OSError) and error.errno is not None:
        return os.strerror(error.errno)
    return str(error) or type(error).__name__


def is_there(path: Path, what: str, *, error: type[WorkbenchError] = BadValue) -> bool:
    """Whether a path leads to something; one that cannot be looked at is an error, not an absence.

    Parameters
    ----------
    path : of a file or folder.
    what : names it in the sentence, such as ``"study folder"``.
    error : raised when the system refuses: no right to the folder above, a name that is too long.
    """
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except (OSError, ValueError) as reason:
        raise error(Message("file.not_usable", what=what, path=shown(path), why=why(reason))) from reason
    return True


def shown(path: Path | str, *, longest: int = 200) -> str:
    """A path as it can stand in a sentence: one line, and its ends where it is long."""
    text = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in str(path))
    return text if len(text) <= longest else f"{text[: longest // 2]} … {text[-longest // 2 :]}"


def read_bytes(path: Path, what: str, *, largest: int, error: type[WorkbenchError] = BadValue) -> bytes:
    """The bytes of a regular file.

    Parameters
    ----------
    path : of the file; a pipe, device, socket or folder is refused without being read.
    what : names the file in the sentence, such as ``"recording"``.
    largest : bytes that are read at most; a larger file is refused before it is read.
    error : class that is raised.

    Raises
    ------
    WorkbenchError
        Of the class ``error``: what was found at the path, what is allowed, and the remedy.
    """
    with _opened(path, what, error) as descriptor:
        size = os.fstat(descriptor).st_size
        if size > largest:
            raise error(
                Message("file.too_large", what=what, path=shown(path), size=f"{size:,}", most=f"{largest:,}")
            )
        with open(descriptor, "rb", closefd=False) as file:
            # In blocks to the end: a file may grow, or the system not know its size; memory for ``largest``
            # bytes is not asked for where there are few. One byte more than allowed tells that there are more.
            blocks, room = [], largest + 1
            while room and (block := file.read(min(max(size + 1, BLOCK), room))):
                blocks.append(block)
                room -= len(block)
            data = b"".join(blocks)
    if len(data) > largest:
        most = f"{largest:,}"
        raise error(Message("file.too_large_over", what=what, path=shown(path), size=most, most=most))
    return data


def read_start(path: Path, what: str, n: int, *, error: type[WorkbenchError] = BadValue) -> bytes:
    """The first ``n`` bytes of a regular file of any size; else as :func:`read_bytes`.

    Parameters
    ----------
    path : of the file.
    what : it is, for the sentence.
    n : bytes.
    error : class of the refusal.
    """
    with _opened(path, what, error) as descriptor:
        return os.read(descriptor, n)


def sha256(path: Path, what: str, *, error: type[WorkbenchError] = BadValue) -> str:
    """SHA-256 of a regular file of any size, read in blocks; else as :func:`read_bytes`.

    Parameters
    ----------
    path : of the file.
    what : it is, for the sentence.
    error : class of the refusal.
    """
    with _opened(path, what, error) as descriptor, open(descriptor, "rb", closefd=False) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def blocks(path: Path, what: str, n: int, *, error: type[WorkbenchError] = BadValue) -> Iterator[bytes]:
    """A regular file of any size in blocks, as far as it reached when it was opened; else as :func:`read_bytes`.

    Parameters
    ----------
    path : of the file.
    what : it is, for the sentence.
    n : bytes of a block at most.
    error : class of the refusal.
    """
    with _opened(path, what, error) as descriptor:
        left = os.fstat(descriptor).st_size
        while left and (block := os.read(descriptor, min(n, left))):
            left -= len(block)
            yield block


@contextmanager
def _opened(path: Path, what: str, error: type[WorkbenchError]) -> Iterator[int]:
    """A regular file, open for reading; what the system refuses inside the block is raised as ``error``."""
    try:
        # Without O_NONBLOCK the opening of a pipe waits for a writer that may never come.
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    except (OSError, ValueError) as reason:
        raise _refused(path, what, reason, error) from reason
    try:
        _refuse_other(os.fstat(descriptor).st_mode, path, what, error)
        yield descriptor
    except (OSError, MemoryError) as reason:
        raise _refused(path, what, reason, error) from reason
    finally:
        os.close(descriptor)


def _refuse_other(mode: int, path: Path, what: str, error: type[WorkbenchError]) -> None:
    """Refuse what is no regular file."""
    if stat.S_ISDIR(mode):
        raise _refused(path, what, IsADirectoryError(errno.EISDIR, ""), error)
    if not stat.S_ISREG(mode):
        kind = next((name for is_kind, name in _KINDS if is_kind(mode)), Message("file.no_regular"))
        raise error(Message("file.is_other", what=what, path=shown(path), kind=kind))


def size_unopened(path: Path, what: str, *, error: type[WorkbenchError] = BadValue) -> int:
    """Bytes of a regular file that may be read, without opening it; else as :func:`read_bytes`.

    Parameters
    ----------
    path : of the file.
    what : it is, for the sentence.
    error : class of the refusal.
    """
    try:
        found = path.stat()
        _refuse_other(found.st_mode, path, what, error)
        if not os.access(path, os.R_OK, effective_ids=os.access in os.supports_effective_ids):
            raise PermissionError(errno.EACCES, "")
    except (OSError, ValueError) as reason:
        raise _refused(path, what, reason, error) from reason
    return found.st_size


def read_text(
    path: Path,
    what: str,
    *,
    largest: int = LARGEST_TEXT,
    error: type[WorkbenchError] = BadValue,
    signed: bool = False,
) -> str:
    """The text of a UTF-8 file, bounded as by :func:`read_bytes`.

    Parameters
    ----------
    path, what, largest, error : as :func:`read_bytes` takes them.
    signed : drop a byte order mark, as spreadsheets write it.

    Raises
    ------
    WorkbenchError
        Also where a byte is not UTF-8; the text names its place.
    """
    return decoded(
        read_bytes(path, what, largest=largest, error=error),
        Message("file.named", what=what, path=shown(path)),
        error=error,
        signed=signed,
    )


def decoded(data: bytes, what: str, *, error: type[WorkbenchError] = BadValue, signed: bool = False) -> str:
    """Bytes as UTF-8 text; ``what`` names their source, ``signed`` drops a byte order mark.

    Parameters
    ----------
    data : bytes.
    what : names their source.
    error : class of the refusal.
    signed : drop a byte order mark.
    """
    try:
        return data.decode("utf-8-sig" if signed else "utf-8")
    except UnicodeDecodeError as reason:
        n, byte = f"{reason.start:,}", f"{data[reason.start]:02x}"
        raise error(Message("file.no_utf8", what=what, n=n, byte=byte)) from reason


def parse_json(text: str | bytes, what: str, *, error: type[WorkbenchError] = BadValue) -> Any:
    """A JSON text as plain data, at most :data:`DEEPEST` levels deep.

    Parameters
    ----------
    text : the JSON.
    what : names it in the sentence.
    error : class that is raised.

    Raises
    ------
    WorkbenchError
        When it is no JSON or is nested too deeply.
    """
    try:
        content = json.loads(text)
    except RecursionError as reason:
        raise error(Message("file.too_deep", what=what, most=DEEPEST)) from reason
    except ValueError as reason:
        raise error(Message("file.no_json", what=what, why=str(reason))) from reason
    # A text is no deeper than it opens brackets; most open few.
    opened = (text.count("{") + text.count("[")) if isinstance(text, str) else text.count(b"{") + text.count(b"[")
    if opened < DEEPEST:
        return content
    # Level by level and not by recursion, which deep nesting would exhaust.
    level, depth = [content], 0
    while level:
        depth += 1
        if depth > DEEPEST:
            raise error(Message("file.too_deep", what=what, most=DEEPEST))
        below = [
            item.values() if isinstance(item, dict) else item for item in level if isinstance(item, dict | list)
        ]
        level = [item for items in below for item in items]
    return content


def _refused(path: Path, what: str, reason: Exception, error: type[WorkbenchError]) -> WorkbenchError:
    if isinstance(reason, MemoryError):
        return error(Message("file.no_memory", what=what, path=shown(path)))
    explanation = why(reason) if isinstance(reason, OSError | ValueError) else str(reason)
    return error(Message("file.not_read", what=what, path=shown(path), why=explanation))
