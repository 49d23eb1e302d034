"""From a study's record to a manifest: which recordings may take part, and which tasks follow."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench import decoders
from workbench.batch.manifest import LARGEST_SEED, MOST_TASKS, Manifest, Task, checked_pipeline, ordered, program
from workbench.errors import BadValue
from workbench.runs.fitting import FOLDS
from workbench.study import stores
from workbench.study.chain import clean
from workbench.vocabulary import ConsentPurpose

if TYPE_CHECKING:
    from workbench.study import Study

NEEDED: Mapping[str, tuple[ConsentPurpose, ...]] = {
    "redecode": ("neural_data_use",),
    "cross_validate": ("neural_data_use", "decoder_training"),
}
"""Purposes of consent, none of which may have been taken back."""
Row = Mapping[str, Any]


def plan(
    study_folder: Path | str,
    pipelines: Sequence[str],
    *,
    decoder: str = "",
    params: Mapping[str, Any] | None = None,
    seeds: int = 0,
) -> Manifest:
    """A manifest of all runs of a study that a pipeline can take.

    Parameters
    ----------
    study_folder : of the study.
    pipelines : names of :data:`workbench.batch.PIPELINES`.
    decoder, params : of ``cross_validate``: the decoder that is fitted.
    seeds : of ``cross_validate``: how many permutations of the labels beside the labels as they are.

    Raises
    ------
    BadValue
        An unknown pipeline, one without its decoder, a number of seeds out of range, or no run that can be taken.
    UnknownName
        A decoder that there is not.
    """
    from workbench.study import Study

    names = list(dict.fromkeys(checked_pipeline(name) for name in pipelines))
    if not names:
        raise BadValue("a manifest needs a pipeline; name one or more with --pipeline")
    _check(names, decoder, params or {}, seeds)
    folder, made = Path(study_folder), list[Task]()
    left_out, hints = Counter[str](), dict[str, str]()
    with Study.open(folder, actor="batch") as study:
        refused = _withdrawn(study, names)
        for row in study.rows("run"):
            files = study.rows("recording", run_id=row["id"])
            for name in names:
                reason = _reason(row, files, refused[name], name, folder)
                if reason:
                    left_out[f"{name}: {reason}"] += 1
                    continue
                sha256 = str(files[0]["sha256"])
                hints[sha256] = str(files[0]["path"])
                made += _tasks(name, sha256, str(row["decoder_sha256"] or ""), decoder, params or {}, seeds)
    if not made:
        why = "; ".join(f"{reason} ({n})" for reason, n in sorted(left_out.items())) or "it has no run"
        raise BadValue(f"no run of {folder} is left for {', '.join(names)}: {why}; name another pipeline or study")
    if len(made) > MOST_TASKS:
        raise BadValue(f"{len(made):,} tasks are more than the {MOST_TASKS:,} of a manifest; ask for fewer seeds")
    of = program()
    return Manifest(of, dict(sorted(hints.items())), ordered(made, of), dict(sorted(left_out.items())))


def refused_recordings(recordings: Path) -> dict[str, frozenset[str]]:
    """Pipeline → hashes of recordings of participants who took back their consent to it.

    A consent may be taken back between plan and run; where the record lies with the recordings, it is asked again.

    Parameters
    ----------
    recordings : folder of the recordings; the record is looked for in it and above it.
    """
    from workbench.study import Study

    home = next((one for one in (recordings, recordings.parent) if stores.holds_record(one)), None)
    if home is None:
        return {}
    with Study.open(home, actor="batch") as study:
        withdrawn = _withdrawn(study, tuple(NEEDED))
        return {
            name: frozenset(
                str(file["sha256"])
                for row in study.rows("run")
                if row["id"] in runs
                for file in study.rows("recording", run_id=row["id"])
            )
            for name, runs in withdrawn.items()
        }


def _check(names: Sequence[str], decoder: str, params: Mapping[str, Any], seeds: int) -> None:
    if "cross_validate" not in names and (decoder or params or seeds):
        raise BadValue("--decoder, --set and --seeds go with --pipeline cross_validate; leave them out")
    if not 0 <= seeds <= LARGEST_SEED:
        raise BadValue(f"--seeds must be from 0 to {LARGEST_SEED}, got {seeds}")
    if "cross_validate" in names:
        if not decoder:
            raise BadValue(
                "cross_validate fits a decoder; name it with --decoder, one of workbench.decoders.available()"
            )
        if decoder in decoders.JOINT_RULES:
            raise BadValue(
                f"cross_validate fits decoders of one stream, and {decoder} joins several; name another"
            )
        decoders.load(decoder)
        clean(params)


def _withdrawn(study: Study, names: Sequence[str]) -> dict[str, frozenset[str]]:
    """Pipeline → ids of the runs of participants who took back a consent that it needs."""
    from workbench.study.changes import consents

    persons = {row["id"]: row["pseudonym"] for row in study.rows("participant")}
    of_visit = {row["id"]: persons.get(row["participant_id"]) for row in study.rows("visit")}
    of_session = {row["id"]: of_visit.get(row["visit_id"]) for row in study.rows("session")}
    of_run = {row["id"]: of_session.get(row["session_id"]) for row in study.rows("run")}
    refused = {}
    for name in names:
        gone = {person for purpose in NEEDED[name] for person in consents.withdrawn(study, purpose)}
        refused[name] = frozenset(run for run, person in of_run.items() if person in gone)
    return refused


def _reason(row: Row, files: Sequence[Row], refused: frozenset[str], name: str, folder: Path) -> str:
    """Why a run is in no task, ``""`` where it is."""
    if row["id"] in refused:
        return "consent withdrawn"
    if not files or not (folder / str(files[0]["path"])).is_file():
        return "no recording in the study's folder"
    if name == "redecode" and not row["decoder_sha256"]:
        return "run without a decoder"
    if name == "cross_validate" and row["kind"] != "calibration":
        return "not a calibration run"
    return ""


def _tasks(name: str, sha256: str, stored: str, decoder: str, params: Mapping[str, Any], seeds: int) -> list[Task]:
    if name == "redecode":
        return [Task(sha256, name, stored)]
    return [
        Task(sha256, name, decoder, dict(params), seed, fold) for seed in range(seeds + 1) for fold in range(FOLDS)
    ]
