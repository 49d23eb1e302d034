"""One way in for researchers: a study opened, its tables, own epochs judged, a recording as MNE has it."""

from __future__ import annotations

import shutil
import subprocess
import sys

import numpy as np
import pytest

import workbench as wb
from workbench.errors import BadValue, RecordFault, Refused
from workbench.vocabulary import Participant

HEAVY = ("pandas", "mne", "plotly", "sqlalchemy", "matplotlib", "zmq", "scipy.signal")


@pytest.fixture(scope="module")
def study(sample_folder):
    with wb.open_study(sample_folder) as opened:
        yield opened


@pytest.fixture(scope="module")
def runs(study):
    return [wb.RunFile(path) for path in study.recordings().file]


def test_importing_the_package_loads_no_slow_library():
    code = "import sys, workbench; print(*[name for name in sys.argv[1:] if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code, *HEAVY], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


@pytest.mark.parametrize("name", [name for name in wb.__all__ if name != "__version__"])
def test_every_public_name_is_there_and_explained(name):
    assert getattr(wb, name).__doc__


class TestOpeningAStudy:
    def test_what_is_opened_to_read_refuses_to_write_and_says_how_to(self, study):
        with pytest.raises(RecordFault, match=r"reading only.*Study\.open"):
            study.append(Participant("P-002"))

    def test_a_report_of_a_folder_is_entered_in_the_record(self, sample_folder, tmp_path):
        folder = shutil.copytree(sample_folder, tmp_path / "study")
        files = wb.report(folder)
        assert files.html.parent == folder / "reports"
        with wb.open_study(folder) as opened:
            assert opened.rows("report", sha256=files.html_sha256)

    def test_a_report_of_a_study_that_is_only_read_is_refused_before_a_file_is_written(self, study):
        before = sorted((study.folder / "reports").iterdir())
        with pytest.raises(Refused, match=r"wb\.report\(study\.folder\)"):
            wb.report(study)
        assert sorted((study.folder / "reports").iterdir()) == before


class TestARecordingInMne:
    def test_raw_is_in_volts_with_a_cue_as_annotation_at_the_sample_where_the_loop_placed_it(self, runs):
        run = runs[1]
        raw = run.to_raw()
        np.testing.assert_allclose(raw.get_data().T, run.signal.values.astype(float) * 1e-6, rtol=1e-12)
        cue = next(trial for trial in run.trials() if trial.index == 0)
        grasp = next(one for one in raw.annotations if one["description"] == cue.condition)
        assert grasp["onset"] == pytest.approx(cue.cue_sample / run.signal.fs)
        assert set(raw.get_channel_types()) == {"ecog"}

    def test_epochs_hold_the_samples_from_the_cue_on(self, runs):
        run = runs[1]
        epochs = run.to_epochs(tmin=-0.5, tmax=1.0)
        trial = run.trials()[0]
        place = epochs.metadata.index[epochs.metadata.trial == trial.index][0]
        found = epochs.get_data()[list(epochs.metadata.index).index(place)]
        first = trial.cue_sample - round(0.5 * run.signal.fs)
        expected = run.signal.values[first : first + found.shape[1]].T.astype(float) * 1e-6
        np.testing.assert_allclose(found, expected, rtol=1e-12)

    def test_an_epoch_that_ends_before_it_starts_is_refused(self, runs):
        with pytest.raises(BadValue, match="must end after it starts"):
            runs[0].to_epochs(tmin=1.0, tmax=0.5)


class TestLearning:
    def test_six_lines_cross_validate_own_epochs(self, runs):
        import mne

        epochs = mne.concatenate_epochs([run.to_epochs() for run in runs], verbose="ERROR")
        result = wb.evaluate(epochs, "bandpower_lda")
        assert result.simulated
        assert result.validation == "leave one run out"
        assert result.accuracy.n == len(epochs)
        assert result.accuracy.above_chance
        assert str(result.accuracy.limit) in result.line()

    def test_recordings_epochs_and_arrays_of_the_same_signal_give_the_same_decisions(self, study, runs):
        import mne

        epochs = mne.concatenate_epochs([run.to_epochs() for run in runs], verbose="ERROR")
        names = {code: name for name, code in epochs.event_id.items()}
        y = [names[code] for code in epochs.events[:, 2]]
        given = {"fs": 500.0, "lead_in_s": 1.0, "groups": list(epochs.metadata.run)}
        of_epochs = wb.evaluate(epochs, "bandpower_lda")
        assert wb.evaluate(study.recordings(), "bandpower_lda").decided == of_epochs.decided
        assert wb.evaluate(epochs.get_data() * 1e6, "bandpower_lda", y, **given).decided == of_epochs.decided

    def test_the_table_of_folds_adds_up_to_the_evaluation(self, runs):
        result = wb.evaluate(runs[0], "bandpower_lda")
        table = result.to_frame()
        assert table.correct.sum() == result.accuracy.correct
        assert table.n.sum() == result.accuracy.n
        assert result.validation == "5 contiguous blocks"

    def test_a_fitted_decoder_has_the_montage_of_its_recordings_and_is_saved_with_it(self, runs, tmp_path):
        from workbench import decoders

        decoder = wb.fit(runs, "bandpower_lda", tau_s=60.0)
        assert decoder.montage_.channels == runs[0].signal.channels
        sha256 = decoders.save(decoder, tmp_path / "own", montage=decoder.montage_)
        assert decoders.read(tmp_path / "own").sha256_ == sha256

    def test_an_array_without_labels_is_refused_with_what_it_needs(self):
        with pytest.raises(BadValue, match="need y, the class of each, and fs"):
            wb.fit(np.zeros((4, 2, 100)), "bandpower_lda")

    @pytest.mark.parametrize("name", ["y", "groups"])
    def test_labels_that_are_not_one_for_each_epoch_are_refused(self, name):
        X = np.random.default_rng(0).normal(size=(4, 2, 1000)) * 10
        given = {"y": ["a", "b", "a", "b"], "groups": ["1", "1", "2", "2"]}
        given[name] = given[name][:3]
        with pytest.raises(BadValue, match=f"{name} must name each of 4 epochs once, got 3"):
            wb.fit(X, "bandpower_lda", given["y"], fs=250.0, groups=given["groups"])

    def test_a_parameter_that_the_decoder_does_not_have_is_refused_with_those_it_has(self, runs):
        with pytest.raises(BadValue, match=r"has no parameter 'depth'.*tau_s"):
            wb.evaluate(runs, "bandpower_lda", depth=3)
