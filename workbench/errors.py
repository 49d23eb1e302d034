"""Errors, named after the fact. Every text says what, what was got, what is allowed, and the remedy.

Users see the sentence of a :class:`WorkbenchError` and never its traceback (``commands.main`` and the
widgets print ``str(error)``); anything else that escapes is a defect of ours.
"""

from __future__ import annotations


class WorkbenchError(Exception):
    """Root of every error that is meant for a reader; a long message in it quotes no text at length."""

    def __init__(self, *args: object) -> None:
        # By its method: this room imports none, and a message knows how to shorten itself.
        super().__init__(*(one.bounded() if hasattr(one, "bounded") else one for one in args))


class BadValue(WorkbenchError, ValueError):
    """A value outside what is allowed: a parameter, a cell, a file's content."""


class BadSignal(WorkbenchError, ValueError):
    """Samples that a computation cannot use: wrong channel count or rate, one class only, NaN, rank."""


class UnknownName(WorkbenchError, KeyError):
    """A name that is not in a registry folder or in the record."""

    def __str__(self) -> str:
        return str(self.args[0]) if self.args else ""


class StreamFault(WorkbenchError):
    """An LSL stream is missing, duplicated, lost, or not what the stream contract says."""


class RecordingFault(WorkbenchError):
    """A recording cannot be written, read, or trusted."""


class DecoderMismatch(WorkbenchError):
    """A decoder made for another montage, rate or paradigm, or whose hash is not the approved one."""


class RecordFault(WorkbenchError):
    """The study record cannot be opened, written, or trusted."""


class RecordLocked(RecordFault):
    """Another process holds the study record; nothing is wrong with it, try again."""


class EngineFault(WorkbenchError):
    """The live engine does not run, does not answer, or refused a command."""


class Refused(WorkbenchError):
    """A request that a rule forbids: arming a bad montage, leaving a latched stop, an unset threshold."""
