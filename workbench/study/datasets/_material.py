"""What all datasets are made from: the record as its reader may see it, arms, protocols, the baseline visit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from workbench.errors import BadValue
from workbench.messages import Message
from workbench.study.concealment import BlindRecord, Sight, sight_of
from workbench.study.datasets._trail import Trail
from workbench.study.protocol import Protocol

if TYPE_CHECKING:
    from workbench.study.record import Study

Row = Mapping[str, Any]
BASELINE = "baseline"
"""Name, in whatever case, of the visit that counts as the baseline where none is named."""
MAJOR = ("eligibility", "rater", "decoder", "limit", "procedure")
"""Categories of deviations that end the per-protocol population where the plan names no others."""
LEFT = ("screen_failure", "withdrawn", "lost")
"""States of the enrolment of who is followed no longer."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What a plan says of the datasets.

    Attributes
    ----------
    baseline : name of the baseline visit; ``""`` for the one that is called so.
    baseline_rule : which of several baseline records counts: ``"first"``, ``"last"``, ``"mean"``.
    major : categories of deviations that end the per-protocol population.
    """

    baseline: str = ""
    baseline_rule: str = ""
    major: tuple[str, ...] = MAJOR


@dataclass(frozen=True, slots=True)
class Material:
    """A record with what its reader may see of it.

    Attributes
    ----------
    record : asked for rows; a concealed one gives what is the same in every arm.
    concealed : whether it is such a one.
    arms : by participant id; empty where none is told.
    allocated : day and covariates by participant id, of everybody who was randomised.
    settings : as given.
    trail : newest entry by row; empty of a concealed record, as numbers of entries count what only one arm brings.
    protocols : by participant id, of those who are enrolled. newest : of the study, None without a protocol.
    versions : number of the version by participant id.
    baseline : name of the baseline visit, ``""`` for none.
    people : rows of participants by id, in the order of entry.
    """

    record: Study
    concealed: bool
    arms: Mapping[str, str]
    allocated: Mapping[str, Row]
    settings: Settings
    trail: Trail
    protocols: Mapping[str, Protocol]
    newest: Protocol | None
    versions: Mapping[str, str]
    baseline: str
    people: Mapping[str, Row]

    def protocol(self, participant_id: str) -> Protocol | None:
        """The version that somebody takes part under, else the newest."""
        return self.protocols.get(participant_id, self.newest)

    @property
    def randomises(self) -> bool:
        """Whether the protocol randomises."""
        return self.newest is not None and bool(self.newest.randomisation)


def material(
    study: Study, *, arms: Mapping[str, str] | None, settings: Settings, trail: Trail | None,
    blinded: bool = False,
) -> Material:  # fmt: skip
    """What the datasets of a study are made from.

    Parameters
    ----------
    study : open record or snapshot.
    arms : arm by participant id, None for a reader to whom none is told.
    settings, trail, blinded : as :func:`workbench.study.datasets.datasets` takes them.
    """
    # Without somebody who may learn the arms it is read as by a person that nobody knows.
    concealed = arms is None and (blinded or sight_of(study, "", "").concealed)
    record = cast("Study", BlindRecord(study, Sight(concealed=True, reader=""))) if concealed else study
    protocols, newest, versions = _protocols(record)
    own = Trail() if concealed else (trail or Trail.of(study))
    return Material(
        record, concealed, _arms(study, newest, arms), _allocated(study), settings, own, protocols, newest,
        versions, _baseline(newest, settings.baseline), {row["id"]: row for row in record.rows("participant")},
    )  # fmt: skip


def _arms(study: Study, newest: Protocol | None, arms: Mapping[str, str] | None) -> Mapping[str, str]:
    """Of a protocol with one arm there is nothing to conceal."""
    if arms is not None or newest is None or len(newest.arms) > 1:
        return dict(arms or {})
    return {row["participant_id"]: newest.arms[0].name for row in study.rows("enrolment")}


def _allocated(study: Study) -> dict[str, Row]:
    """Day and covariates only, which are known before any arm and the same in each."""
    return {
        row["participant_id"]: {"id": row["id"], "day": str(row["utc"])[:10], "covariates": row["covariates"]}
        for row in study.rows("allocation")
    }


def _protocols(record: Study) -> tuple[dict[str, Protocol], Protocol | None, dict[str, str]]:
    versions = {
        row["id"]: (row["version"], Protocol.from_definition(row["definition"], where=row["version"]))
        for row in record.rows("protocol_version")
    }
    enrolled = {row["participant_id"]: row["protocol_version_id"] for row in record.rows("enrolment")}
    newest = list(versions.values())[-1][1] if versions else None
    return (
        {person: versions[one][1] for person, one in enrolled.items()},
        newest,
        {person: versions[one][0] for person, one in enrolled.items()},
    )


def _baseline(protocol: Protocol | None, named: str) -> str:
    known = [visit.name for visit in protocol.visits] if protocol else []
    if not named:
        own = [name for name in known if name.casefold() == BASELINE]
        return own[0] if len(own) == 1 else ""
    if named not in known:
        raise BadValue(Message("dataset.baseline", got=f"{named!r:.60}", allowed=known or [Message("word.none")]))
    return named
