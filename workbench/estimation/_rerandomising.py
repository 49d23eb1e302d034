"""The test that the randomisation itself justifies: the study's own design deals the arms again and again.

Outcomes stay with the participants; only the arms are dealt again, by the strata, blocks or minimisation that the
study used, in the order in which people came. Reference, from memory: Rosenberger and Lachin 2016, chapter 6.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from workbench import world
from workbench.errors import Refused
from workbench.messages import Message
from workbench.study.randomisation import Design, generate, minimise
from workbench.study.randomisation.draws import SEED_BITS

if TYPE_CHECKING:
    from workbench.study.record import Study

Row = Mapping[str, Any]
Floats = npt.NDArray[np.float64]
WORDS = SEED_BITS // 32


def deals(record: Study, arms: Sequence[str], *, seed: int, n: int) -> Iterator[dict[str, str]]:
    """Arms by participant id, dealt ``n`` times as the study would have.

    Parameters
    ----------
    record : the snapshot, with its lists and allocations; no secret is needed.
    arms : of the protocol.
    seed : of the seeds of the deals. n : how many.

    Raises
    ------
    Refused
        When nobody was randomised.
    """
    lists = [(Design.of(row["design"], arms), _allocated(record, row["id"])) for row in record.rows("rand_list")]
    lists = [(design, rows) for design, rows in lists if rows]
    if not lists:
        raise Refused(Message("estimation.no_allocation"))
    return dealt(lists, seed=seed, n=n)


def dealt(lists: Sequence[tuple[Design, Sequence[Row]]], *, seed: int, n: int) -> Iterator[dict[str, str]]:
    """Arms by participant id, dealt ``n`` times as designs do it.

    Parameters
    ----------
    lists : each design with those that it randomised, in their order: ``participant_id``, ``stratum``, ``seq`` and
        ``covariates`` of each.
    seed : of the seeds of the deals. n : how many.
    """
    words = world.chance.generator(seed)
    for _ in range(n):
        made: dict[str, str] = {}
        for design, rows in lists:
            own = sum(int(word) << 32 * i for i, word in enumerate(words.integers(2**32, size=WORDS)))
            made |= _minimised(design, rows, own) if design.kind == "minimisation" else _listed(design, rows, own)
        yield made


@dataclass(frozen=True, slots=True)
class Compared:
    """An arm against the reference: the difference of means, and its probability among the deals."""

    value: float
    p: float


def compared(
    rest: Floats,
    who: Sequence[str],
    observed: Sequence[str],
    arms: Sequence[str],
    again: Iterable[Mapping[str, str]],
) -> dict[str, Compared]:
    """How often another deal gives as large a difference as was seen, the one that was seen among them.

    Parameters
    ----------
    rest : outcome of each participant, or what covariates leave of it, shape ``(n,)``, in its unit.
    who, observed : their ids, and the arms that they were in.
    arms : the reference first.
    again : arms by id, of each deal; who is in none of them stays where they were.
    """
    extreme = dict.fromkeys(arms[1:], 0)
    values = {arm: gap(rest, observed, arm, arms[0]) for arm in arms[1:]}
    n = 0
    for one in again:
        n += 1
        own = [one.get(person, arm) for person, arm in zip(who, observed, strict=True)]
        for arm, value in values.items():
            found = gap(rest, own, arm, arms[0])
            # A deal that leaves an arm without anybody is no evidence against what was seen.
            extreme[arm] += found is None or abs(found) >= abs(value or 0.0) * (1 - 1e-12)
    return {arm: Compared(float(value or 0.0), (1 + extreme[arm]) / (1 + n)) for arm, value in values.items()}


def gap(rest: Floats, arms: Sequence[str], arm: str, reference: str) -> float | None:
    """Difference of the means of two arms; None where one of them has nobody.

    Parameters
    ----------
    rest : as :func:`compared` takes it.
    arms : of each participant.
    arm, reference : which two.
    """
    inside, other = (np.array([one == name for one in arms]) for name in (arm, reference))
    if not inside.any() or not other.any():
        return None
    return float(rest[inside].mean() - rest[other].mean())


def _allocated(record: Study, list_id: str) -> list[Row]:
    return sorted(record.rows("allocation", list_id=list_id), key=lambda row: (row["stratum"], row["seq"]))


def _listed(design: Design, rows: Sequence[Row], seed: int) -> dict[str, str]:
    # A longer list begins with the shorter one, so that slots which nobody reached need not be drawn.
    drawn = generate(replace(design, slots=max(row["seq"] for row in rows)), seed)
    return {row["participant_id"]: drawn[row["stratum"]][row["seq"] - 1] for row in rows}


def _minimised(design: Design, rows: Sequence[Row], seed: int) -> dict[str, str]:
    history: list[tuple[Mapping[str, str], str]] = []
    made = {}
    for row in rows:
        arm, _state = minimise(design, seed, history, row["covariates"], int(row["seq"]))
        history.append((row["covariates"], arm))
        made[row["participant_id"]] = arm
    return made
