"""Batches: the same results from any executor in any order, each task once, metrics alone."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from workbench import batch
from workbench.batch import Job, Processes, Serial, Task
from workbench.batch.manifest import Manifest, ordered, program
from workbench.batch.pipelines import permuted
from workbench.batch.stress import Backwards, killing, local_cluster, recorded, spawned, write_run
from workbench.errors import BadValue
from workbench.recording import RunFile, file_sha256
from workbench.runs import fitting
from workbench.study import Study
from workbench.study.chain import canonical, sha256
from workbench.study.changes import GiveConsent, WithdrawConsent
from workbench.vocabulary import Participant, Recording, Run, Session, Visit

pytestmark = pytest.mark.job

N = 4
PARAMS = {"hop_s": 0.1}


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A folder with recordings and their decoder, and the manifest that decodes them again."""
    folder = tmp_path_factory.mktemp("site")
    return folder, recorded(folder, N, seed=1)


@pytest.fixture(scope="module")
def done(site, tmp_path_factory):
    """What one process made of it, and the folder of its results."""
    folder = tmp_path_factory.mktemp("serial")
    return batch.run(site[1], site[0] / "recordings", folder), folder


@pytest.fixture
def half(site, tmp_path):
    """Another site, which has two of the recordings under names of its own."""
    (tmp_path / "own").mkdir()
    shutil.copytree(site[0] / "decoders", tmp_path / "decoders")
    for k, path in enumerate(sorted((site[0] / "recordings").glob("*.xdf"))[:2]):
        shutil.copy(path, tmp_path / "own" / f"{k}.xdf")
    return tmp_path / "own"


def first(site):
    """The first task, alone, and its recording."""
    folder, manifest = site
    task = manifest.tasks[0]
    return replace(manifest, tasks=(task,)), folder / manifest.recordings[task.recording]


@pytest.mark.job
def test_every_run_is_decoded_again_to_the_same_bits_and_its_trials_are_counted(site, done):
    ran, folder = done
    assert (ran.ok, ran.tasks, ran.computed, ran.kept) == (True, N, N, 0)
    for result in batch.merged([folder]):
        run = RunFile(site[0] / site[1].recordings[result.task.recording])
        assert result.metrics["equal"]
        assert result.metrics["decisions"] == len(run.decisions()) > 50
        assert result.metrics["n"] == len(run.trials()) > 0
        assert result.metrics["right"] == sum(trial.outcome == "correct" for trial in run.trials())


def test_another_order_gives_the_same_results(site, done, tmp_path):
    ran = batch.run(site[1], site[0] / "recordings", tmp_path, executor=Backwards())
    assert ran.combined == done[0].combined
    assert {path.name: path.read_bytes() for path in tmp_path.glob("*.json")} == {
        path.name: path.read_bytes() for path in done[1].glob("*.json")
    }


def test_what_has_a_result_is_not_done_again_and_what_is_torn_is(site, done, tmp_path):
    folder = shutil.copytree(done[1], tmp_path / "results")
    torn, changed, *_ = sorted(folder.glob("*.json"))
    torn.write_bytes(torn.read_bytes()[:-20])
    changed.write_text(changed.read_text().replace('"equal":true', '"equal":false'))
    again = batch.run(site[1], site[0] / "recordings", folder)
    assert (again.computed, again.kept, again.combined) == (2, N - 2, done[0].combined)


def test_a_result_holds_metrics_and_hashes_alone(site, done):
    for path in done[1].glob("*.json"):
        content = json.loads(path.read_text())
        assert set(content) == {"format", "id", "task", "program", "metrics", "sha256"}
        assert all(isinstance(value, int | str | None) for value in content["metrics"].values())
        assert not any(word in path.read_text() for word in ("run-0", "recordings", str(site[0])))


def test_a_site_does_what_it_has_names_what_it_has_not_and_the_halves_make_the_whole(site, done, half, tmp_path):
    ran = batch.run(site[1], half, tmp_path / "half")
    assert (ran.computed, len(ran.failed)) == (2, N - 2)
    assert all("is not at this site; run the manifest where it is" in why for why in ran.failed.values())
    assert len(list((tmp_path / "half").iterdir())) == 2
    both = batch.merged([tmp_path / "half", done[1]])
    assert batch.combined_hash(both) == done[0].combined
    assert len(batch.frame(both)) == N


def test_a_changed_recording_and_a_missing_decoder_are_a_sentence_and_no_result(site, tmp_path):
    manifest, path = first(site)
    (tmp_path / "recordings").mkdir()
    copy = Path(shutil.copy(path, tmp_path / "recordings"))
    lacking = batch.run(manifest, tmp_path / "recordings", tmp_path / "results")
    assert "copy its folder there" in next(iter(lacking.failed.values()))
    copy.write_bytes(copy.read_bytes()[:-1])
    changed = batch.run(manifest, tmp_path / "recordings", tmp_path / "results")
    assert "was changed: its SHA-256 is" in next(iter(changed.failed.values()))
    assert list((tmp_path / "results").iterdir()) == []


def test_one_task_with_two_results_is_refused(site, done, tmp_path):
    own = batch.merged([done[1]])[0]
    other = type(own).of(own.task, own.program, {**own.metrics, "right": own.metrics["right"] + 1})
    other.save(tmp_path)
    with pytest.raises(BadValue, match="has two different results"):
        batch.merged([done[1], tmp_path])


def test_a_manifest_is_read_as_it_was_written(site, tmp_path):
    site[1].save(tmp_path / "m.json")
    assert Manifest.read(tmp_path / "m.json") == site[1]


WRONG = {
    "not as it was planned": lambda content: {"left_out": {"x": 3}},
    "there is no pipeline 'invent'": lambda content: _first_task(content, pipeline="invent"),
    "64 hexadecimal digits": lambda content: _first_task(content, decoder="../decoders"),
    "integers from 0 on": lambda content: _first_task(content, seed=True),
    "a task has the entries": lambda content: {"tasks": [{"recording": 1}]},
    "lies below the folder": lambda content: {
        "recordings": dict.fromkeys(content["recordings"], "../../etc/passwd")
    },
    "which it does not list": lambda content: {"recordings": {}},
    "lacks an entry": lambda content: {"tasks": None},
    "has the format 9": lambda content: {"format": 9},
}


def _first_task(content, **change):
    return {"tasks": [content["tasks"][0] | change, *content["tasks"][1:]]}


@pytest.mark.parametrize("sentence", WRONG)
def test_a_wrong_manifest_is_refused_in_a_sentence(site, tmp_path, sentence):
    content = site[1].content()
    content |= WRONG[sentence](content)
    sha256 = "0" * 64 if "planned" in sentence else _hash_of(content)
    (tmp_path / "m.json").write_text(json.dumps({**content, "sha256": sha256}))
    with pytest.raises(BadValue, match=sentence.replace("'", ".")):
        Manifest.read(tmp_path / "m.json")


def _hash_of(content):
    return sha256(canonical(content))


def test_a_manifest_of_another_program_is_refused_and_its_tasks_have_other_ids(site, tmp_path):
    other = replace(site[1], program="0" * 64)
    assert not other.ids().keys() & site[1].ids().keys()
    with pytest.raises(BadValue, match="install the version that planned it"):
        batch.run(other, site[0] / "recordings", tmp_path)


# ------------------------------------------------------------------ cross-validation


@pytest.fixture(scope="module")
def calibration(tmp_path_factory):
    """A calibration run, and what a fit on it found."""
    folder = tmp_path_factory.mktemp("calibration")
    path = write_run(folder / "c.xdf", seed=3, n_trials=6)
    return path, fitting.fit(folder, [path], "bandpower_lda", PARAMS)["metrics"]


def crossed(path, seed, results):
    sha256 = file_sha256(path)
    tasks = [Task(sha256, "cross_validate", "bandpower_lda", PARAMS, seed, fold) for fold in range(fitting.FOLDS)]
    manifest = Manifest(program(), {sha256: path.name}, ordered(tasks, program()))
    ran = batch.run(manifest, path.parent, results)
    assert ran.ok, ran.failed
    return batch.merged([results])


@pytest.mark.job
def test_the_folds_of_a_run_are_those_of_its_fit_and_permuted_labels_are_others(calibration, tmp_path):
    path, metrics = calibration
    as_they_are = crossed(path, 0, tmp_path / "0")
    assert sum(one.metrics["n"] for one in as_they_are) == metrics["n"]
    assert sum(one.metrics["right"] for one in as_they_are) == metrics["correct"]
    by_fold = {one.task.fold + 1: one.metrics["counts"] for one in as_they_are}
    assert {table["run"]: table["counts"] for table in metrics["confusion"]} == {
        fold: counts for fold, counts in by_fold.items() if sum(map(sum, counts))
    }
    others = crossed(path, 1, tmp_path / "1")
    assert sum(one.metrics["right"] for one in others) < metrics["correct"]


def test_a_permutation_keeps_each_period_whole_and_each_class_as_often():
    labels = np.array(["grasp"] * 3 + ["rest"] * 2 + ["grasp"] * 4 + ["rest"] * 3)
    cued = np.array([0] * 5 + [1] * 7)
    windows = fitting.Windows(np.zeros((12, 1)), labels, cued, cued, np.arange(12), np.zeros(12, dtype=int), 0)
    seen = set()
    for seed in range(1, 20):
        got = permuted(windows, seed=(seed, 5))
        by_period = [set(got.labels[got.cued == period]) for period in np.unique(got.cued)]
        assert [len(one) for one in by_period] == [1, 1, 1, 1]
        assert sorted(name for one in by_period for name in one) == ["grasp", "grasp", "rest", "rest"]
        assert (permuted(windows, seed=(seed, 5)).labels == got.labels).all()
        seen.add(tuple(got.labels))
    assert len(seen) > 3


# ------------------------------------------------------------------ from a study


@pytest.fixture
def study(site, tmp_path):
    """A study with an online run of one participant and a calibration of another."""
    folder = tmp_path / "study"
    _, path = first(site)
    with Study.create(folder, code="B", title="batch", actor="test") as study:
        (folder / "recordings").mkdir(exist_ok=True)
        shutil.copytree(site[0] / "decoders", folder / "decoders", dirs_exist_ok=True)
        for k, (source, kind) in enumerate(((path, "online"), (site[0] / "calibration.xdf", "calibration"))):
            shutil.copy(source, folder / "recordings")
            person = study.append(Participant(f"P0{k}", simulated=True))
            session = study.append(Session(study.append(Visit(person, "baseline")), "therapist"))
            sha256 = str(RunFile(source).plan["decoder_sha256"])
            run = Run(session, 1, kind, "grasp_rest", "finished", id=f"run-{k}", decoder_sha256=sha256)
            digest, size = file_sha256(source), source.stat().st_size
            file = Recording(f"run-{k}", f"recordings/{source.name}", digest, size, 1000, 1000.0, "finished")
            study.append_run(run, trials=[], ledger=[], recordings=[file])
            agreed = ("participation", "neural_data_use", "decoder_training")
            study.apply(GiveConsent(person, agreed, "1.0", "2026-03-01"), study.script_signer("Dr B"), "signed")
    return folder


def withdraw(folder, pseudonym, purpose):
    with Study.open(folder, actor="test") as study:
        (person,) = [row["id"] for row in study.rows("participant") if row["pseudonym"] == pseudonym]
        study.apply(WithdrawConsent(person, (purpose,), "2026-03-02"), study.script_signer("Dr B"), "asked")


def test_a_study_is_planned_and_whoever_took_back_the_consent_is_left_out_then_and_later(study, tmp_path):
    def planned():
        return batch.plan(study, ["redecode", "cross_validate"], decoder="bandpower_lda", params=PARAMS, seeds=1)

    manifest = planned()
    assert len(manifest.tasks) == 1 + 2 * fitting.FOLDS
    assert manifest.left_out == {
        "cross_validate: not a calibration run": 1,
        "redecode: run without a decoder": 1,
    }
    withdraw(study, "P01", "decoder_training")
    assert planned().left_out["cross_validate: consent withdrawn"] == 1
    assert "redecode: consent withdrawn" not in planned().left_out
    withdraw(study, "P00", "neural_data_use")
    with pytest.raises(BadValue, match="no run of .* is left for redecode: redecode: consent withdrawn"):
        batch.plan(study, ["redecode"])
    ran = batch.run(manifest, study / "recordings", tmp_path / "results")
    assert (ran.left_out, ran.computed, ran.failed) == (len(manifest.tasks), 0, {})


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        ({"pipelines": ["invent"]}, "there is no pipeline 'invent'; they are redecode, cross_validate"),
        ({"pipelines": []}, "needs a pipeline"),
        ({"pipelines": ["cross_validate"]}, "name it with --decoder"),
        ({"pipelines": ["redecode"], "seeds": 2}, "go with --pipeline cross_validate"),
        ({"pipelines": ["cross_validate"], "decoder": "bandpower_lda", "seeds": -1}, "--seeds must be from 0"),
    ],
)
def test_a_wrong_plan_is_refused_in_a_sentence(tmp_path, asked, sentence):
    with pytest.raises(BadValue, match=sentence):
        batch.plan(tmp_path, **asked)


# ------------------------------------------------------------------ workers


class Deadly(Job):
    """A job that ends the process that takes it."""

    def __reduce__(self):
        return os._exit, (9,)


@pytest.mark.release
def test_a_killed_worker_changes_nothing_and_a_task_that_kills_its_worker_is_named(site, done, tmp_path):
    ran = batch.run(
        site[1], site[0] / "recordings", tmp_path / "r", executor=Processes(2), progress=killing(spawned)
    )
    assert (ran.ok, ran.combined) == (True, done[0].combined)
    task = site[1].tasks[0]
    jobs = [
        Job(
            task, site[1].program, str(site[0] / site[1].recordings[task.recording]), (str(site[0] / "decoders"),)
        ),
        Deadly(site[1].tasks[1], site[1].program, ""),
    ]
    outcomes = {one.id: one for one in Processes(2).outcomes(jobs)}
    assert outcomes[jobs[0].id] == next(Serial().outcomes(jobs[:1]))
    assert "ended its worker 3 times" in outcomes[jobs[1].id].why
    assert spawned() == []


@pytest.mark.release
def test_dask_gives_the_same_results_also_when_a_worker_is_killed(site, done, tmp_path):
    pytest.importorskip("distributed")
    with local_cluster(2) as client:
        ran = batch.run(
            site[1],
            site[0] / "recordings",
            tmp_path,
            executor=batch.on_dask(client),
            progress=killing(lambda: list(client.run(os.getpid).values())),
        )
    assert (ran.ok, ran.computed, ran.combined) == (True, N, done[0].combined)
