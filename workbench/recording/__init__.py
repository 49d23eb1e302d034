"""The crash-safe signal journal (XDF), its readers, and the run-file convention.

:class:`Journal` writes, :func:`read` reads any XDF file, :class:`RunWriter` and :class:`RunFile` write and
read one run. ``recover`` and ``inspect`` live in :mod:`workbench.recording.recover`.
"""

from __future__ import annotations

from workbench.recording.corrector import Corrector
from workbench.recording.hashing import decision_hash, file_sha256
from workbench.recording.journal import Journal
from workbench.recording.run_file import RunFile
from workbench.recording.run_writer import RunWriter
from workbench.recording.session_ledger import append_rows, read_rows
from workbench.recording.space import ensure_space, free_bytes, needed_bytes
from workbench.recording.xdf import XdfFile, XdfStream, read

__all__ = [
    "Corrector",
    "Journal",
    "RunFile",
    "RunWriter",
    "XdfFile",
    "XdfStream",
    "append_rows",
    "decision_hash",
    "ensure_space",
    "file_sha256",
    "free_bytes",
    "needed_bytes",
    "read",
    "read_rows",
]
