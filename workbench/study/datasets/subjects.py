"""A row a participant: arm where it may be told, strata, populations with their reasons, what was known before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

from workbench.study.chain import canonical
from workbench.study.datasets._material import LEFT, Material

if TYPE_CHECKING:
    from workbench.study.datasets.visits import VisitRow

Population = Literal["itt", "mitt", "pp"]
POPULATIONS: tuple[Population, ...] = get_args(Population)
"""Everybody randomised; those of them with a value after baseline; those of them without a major deviation."""
ArmState = Literal["told", "concealed", "none"]


@dataclass(frozen=True, slots=True)
class SubjectRow:
    """One participant.

    Attributes are the columns of the dataset, each explained in :mod:`workbench.study.datasets.dictionary`.
    """

    participant: str
    participant_id: str
    simulated: bool
    site: str
    protocol_version: str
    status: str
    left: bool
    arm: str
    arm_state: str
    randomised_on: str
    stratum: str
    injury_level: str
    ais: str
    injured_on: str
    trained_side: str
    consented_on: str
    itt: bool
    itt_why: str
    mitt: bool
    mitt_why: str
    pp: bool | None
    pp_why: str
    entry_seq: int | None
    entry_hash: str

    def in_population(self, population: Population) -> bool:
        """Whether somebody is in a population."""
        return bool(getattr(self, population))


def subjects(made: Material, values: Sequence[VisitRow]) -> tuple[SubjectRow, ...]:
    """Every participant of a record, in the order of entry.

    Parameters
    ----------
    made : record, arms and settings.
    values : rows of visits, from which it follows who has a value after baseline.
    """
    enrolled = {row["participant_id"]: row for row in made.record.rows("enrolment")}
    after = _after_baseline(made, values)
    major = _major(made)
    rows = []
    for person in made.people.values():
        own = person["id"]
        enrolment, allocated = enrolled.get(own, {}), made.allocated.get(own)
        written = made.trail.of_row("enrolment" if enrolment else "participant", str(enrolment.get("id", own)))
        itt, itt_why = _itt(made, enrolment, randomised=allocated is not None)
        mitt, mitt_why = (own in after, "") if itt else (False, "not_itt")
        pp, pp_why = _pp(made, major.get(own, ()), mitt=mitt)
        rows.append(
            SubjectRow(
                person["pseudonym"], own, bool(person["simulated"]), str(enrolment.get("site", "")),
                made.versions.get(own, ""), str(enrolment.get("status", "")), enrolment.get("status") in LEFT,
                made.arms.get(own, ""), _arm_state(made, own, randomised=allocated is not None),
                str(allocated["day"]) if allocated else "",
                canonical(allocated["covariates"]) if allocated else "",
                person["injury_level"], person["ais"], person["injured_on"], person["trained_side"],
                person["consented_on"], itt, itt_why, mitt,
                mitt_why or ("value_after_baseline" if mitt else "no_value_after_baseline"), pp, pp_why,
                written.seq, written.hash,
            )
        )  # fmt: skip
    return tuple(rows)


def _arm_state(made: Material, participant_id: str, *, randomised: bool) -> ArmState:
    if made.arms.get(participant_id):
        return "told"
    return "concealed" if randomised else "none"


def _itt(made: Material, enrolment: Mapping[str, object], *, randomised: bool) -> tuple[bool, str]:
    if made.randomises:
        return randomised, "randomised" if randomised else "not_randomised"
    # Nobody is randomised: everybody who came beyond the screening is in the study.
    inside = enrolment.get("status", "") not in ("", "screening", "screen_failure")
    return inside, "enrolled" if inside else "not_enrolled"


def _after_baseline(made: Material, values: Sequence[VisitRow]) -> set[str]:
    number = {row.visit: row.visit_number for row in values if row.visit == made.baseline}.get(made.baseline, 0)
    return {
        row.participant_id
        for row in values
        if row.value is not None and row.visit != made.baseline and row.visit_number > number
    }


def _major(made: Material) -> dict[str, tuple[str, ...]]:
    """Categories of major deviations by participant id."""
    if made.concealed:
        return {}
    found: dict[str, dict[str, None]] = {}
    for row in made.record.rows("deviation"):
        if row["category"] in made.settings.major and row["participant_id"]:
            found.setdefault(row["participant_id"], {})[row["category"]] = None
    return {person: tuple(sorted(own)) for person, own in found.items()}


def _pp(made: Material, deviations: Sequence[str], *, mitt: bool) -> tuple[bool | None, str]:
    if not mitt:
        return False, "not_mitt"
    # Some categories, such as a decoder that was not approved, only one arm can have.
    if made.concealed:
        return None, "concealed"
    return not deviations, f"deviation: {', '.join(deviations)}" if deviations else "no_major_deviation"
