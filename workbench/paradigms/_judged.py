"""The trial of a cue that names its condition: right where that is decided, whenever it comes."""

from __future__ import annotations

from workbench.vocabulary import LocatedCue, Trial, TrialOutcome


def judged_trial(
    index: int, cue: LocatedCue, at: int, *, fs: float, decided: str, compared: bool, excluded: str
) -> Trial:
    """A trial that ends with one decision, or without any.

    Parameters
    ----------
    index : of the trial in its run.
    cue : that began it.
    at : sample at which it ends; with a decision, that of it.
    fs : rate in Hz.
    decided : condition that was decided on, ``""`` for none.
    compared : whether it is known what was meant, and a decoder is there.
    excluded : why it does not count, ``""`` where it does.
    """
    if excluded:
        outcome: TrialOutcome = "excluded"
    elif not compared:
        outcome = "recorded"
    elif decided == cue.label:
        outcome = "correct"
    else:
        outcome = "wrong" if decided else "missed"
    return Trial(
        index=index,
        condition=cue.label,
        cue_sample=cue.sample,
        cue_stamp=cue.stamp,
        end_sample=at,
        outcome=outcome,
        decided=decided,
        onset_sample=at if decided else None,
        latency_s=(at - cue.sample) / fs if decided else None,
        excluded=excluded,
    )
