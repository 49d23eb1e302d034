"""The commands of a run again: its controller is driven by what it was given, and by the replayed decisions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from workbench import control, messages
from workbench.errors import BadValue
from workbench.messages import Message
from workbench.recording import RunFile
from workbench.vocabulary import Decision


class CommandComparison(NamedTuple):
    """Recorded commands against recomputed ones.

    Attributes
    ----------
    n : how many were compared, None where they cannot be recomputed.
    first : place of the first that differs, -1 when none does.
    sentence : in words, None where there is nothing to say.
    """

    n: int | None = None
    first: int = -1
    sentence: Message | None = None


def compare_commands(run: RunFile, decisions: Sequence[Decision], *, complete: bool) -> CommandComparison:
    """Drive the controller of a run again.

    Parameters
    ----------
    run : the recording.
    decisions : as replayed, so that commands follow from samples alone.
    complete : whether the recording reaches to the end of its run.
    """
    recorded, entries = run.commands(), run.control()
    if not entries:
        return CommandComparison(sentence=Message("replay.commands_unknown") if recorded else None)
    if not control.of_this_version(entries):
        return CommandComparison(sentence=Message("replay.commands_of_other_version"))
    try:
        commands = list(control.recompute(entries, decisions))
    except BadValue as error:
        # A difference, as where chunks of the recording are lost: what was found of its decisions still holds.
        return CommandComparison(first=0, sentence=Message("replay.commands_impossible", why=messages.of(error)))
    # A recording that was cut may hold the last inputs without their commands, never the other way round.
    at = first_unequal(recorded, commands if complete else commands[: len(recorded)])
    if at >= 0:
        return CommandComparison(len(recorded), at, Message("replay.command", n=at + 1, all=len(recorded)))
    return CommandComparison(len(recorded), sentence=Message("replay.equal_commands", n=len(recorded)))


def first_unequal(recorded: Sequence[object], replayed: Sequence[object]) -> int:
    """Place of the first that differs or is missing, -1 when none does."""
    for at, (a, b) in enumerate(zip(recorded, replayed)):
        if a != b:
            return at
    return -1 if len(recorded) == len(replayed) else min(len(recorded), len(replayed))
