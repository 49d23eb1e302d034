"""The test that the randomisation itself justifies: the study's own design deals the arms again and again.

Outcomes stay with the participants; only the arms are dealt again, by the strata, blocks or minimisation that the
study used, in the order in which people came. Reference, from memory: Rosenberger and Lachin 2016, chapter 6.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from workbench import world
from workbench.errors import Refused
from workbench.messages import Message
from workbench.study.randomisation import Design, generate, minimise
from workbench.study.randomisation.draws import SEED_BITS

if TYPE_CHECKING:
    from workbench.study.record import Study

Row = Mapping[str, Any]
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
    words = world.chance.generator(seed)
    for _ in range(n):
        made: dict[str, str] = {}
        for design, rows in lists:
            own = sum(int(word) << 32 * i for i, word in enumerate(words.integers(2**32, size=WORDS)))
            made |= _minimised(design, rows, own) if design.kind == "minimisation" else _listed(design, rows, own)
        yield made


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
