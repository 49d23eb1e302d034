"""``wb.plot``: pictures of what a study and its recordings hold, with numbers from ``analysis``."""

from __future__ import annotations

import numpy as np
import pytest

import workbench as wb
from workbench import analysis, outcomes
from workbench.errors import BadValue, UnknownName
from workbench.study import Study
from workbench.vocabulary import Assessment, Condition, Participant, Run, Session, Trial, Visit

OFF = Condition(assisted=False, device_on=False, stimulation_on=False)


@pytest.fixture(scope="module")
def study(sample_folder):
    with wb.open_study(sample_folder) as opened:
        yield opened


@pytest.fixture(scope="module")
def online(study):
    return wb.RunFile(study.recordings().file[1])


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Two participants with a left and a right ARAT, and a cued run."""
    with Study.create(
        tmp_path_factory.mktemp("made") / "s", code="M", title="Made", actor="t", keyed=False
    ) as one:
        for name in ("P-001", "P-002"):
            person = one.append(Participant(name))
            visit = one.append(Visit(person, "baseline"))
            for side in ("left", "right"):
                items = dict.fromkeys((item.code for item in outcomes.load("arat").definition.items), 1)
                score = outcomes.score("arat", items)
                one.append(Assessment(visit, "arat", score.version, OFF, items, score.to_json(), "r", side=side))
            run = one.append(Run(one.append(Session(visit, "op")), 1, "online", "left_right", "finished"))
            cues = [("left", "left"), ("right", "left"), ("right", "right"), ("left", "")]
            outcome = ["correct", "wrong", "correct", "missed"]
            one.append_trials(
                run,
                [
                    Trial(i, cued, i, float(i), i + 1, said, decided=decided)
                    for i, ((cued, decided), said) in enumerate(zip(cues, outcome, strict=True))
                ],
            )
        yield one


def subtitle(figure):
    return figure.layout.title.subtitle.text


def test_four_lines_open_a_study_and_draw_an_outcome(sample_folder):
    study = wb.open_study(sample_folder)
    figure = wb.plot.outcome(study, "arat")
    drawn = {trace.name: list(trace.y) for trace in figure.data}
    assert drawn == {"device off, unassisted": [28.0], "device on, assisted": [47.0]}
    assert "higher is better" in subtitle(figure)
    study.close()


def test_the_evidence_of_a_run_is_that_of_its_decisions_with_the_events_that_analysis_counts(online):
    figure = wb.plot.evidence(online)
    decisions = online.decisions()
    np.testing.assert_array_equal(
        np.asarray(figure.data[0].y), [d.probabilities[0] if d.valid else np.nan for d in decisions]
    )
    events = analysis.event_metrics(online.trials(), onset_window_s=1.5, fs=500.0)
    assert f"{events.hits} of {events.n} cues" in subtitle(figure)
    names = [trace.name for trace in figure.data]
    assert f"onset, a hit ({events.hits})" in names


def test_a_calibration_has_no_evidence(study):
    with pytest.raises(BadValue, match="contains no decision"):
        wb.plot.evidence(study.recordings().file[0])


def test_a_class_that_the_decoder_has_not_is_refused_with_those_it_has(online):
    with pytest.raises(UnknownName, match="no class 'wave'; it has grasp, rest"):
        wb.plot.evidence(online, target="wave")


def test_the_scope_shows_the_part_and_the_channels_that_were_asked_for(online):
    figure = wb.plot.scope(online, start_s=3.0, duration_s=1.0, channels=["E3", "E1"])
    assert [trace.name for trace in figure.data] == ["E3", "E1"]
    expected = online.signal.values[1500:2000, 2].astype(float)
    np.testing.assert_allclose(figure.data[0].customdata, expected - np.median(expected), rtol=1e-6)
    assert figure.data[0].x[0] == pytest.approx(3.0)


@pytest.mark.parametrize(
    ("more", "error", "text"),
    [
        ({"channels": ["C3"]}, UnknownName, "no channel 'C3'; it has E1"),
        ({"start_s": 900.0}, BadValue, "nothing from 900 s on"),
    ],
)
def test_a_part_that_is_not_there_is_refused(online, more, error, text):
    with pytest.raises(error, match=text):
        wb.plot.scope(online, **more)


def test_confusion_prints_the_chance_limit_of_analysis(study):
    result = wb.evaluate(study.recordings(), "bandpower_lda")
    figure = wb.plot.confusion(result)
    limit = analysis.chance_limit(result.accuracy.n, classes=2)
    assert f"{result.accuracy.correct} of {result.accuracy.n} right; {limit} or more" in subtitle(figure)


def test_confusion_of_a_table_of_trials_has_a_matrix_a_run_and_counts_what_was_not_decided(made):
    figure = wb.plot.confusion(made.trials())
    assert len(figure.data) == 2
    assert list(figure.data[0].x) == ["left", "right", "none"]
    np.testing.assert_array_equal(figure.data[0].customdata, [[1, 0, 1], [1, 1, 0]])


def test_trials_of_one_condition_have_no_confusion(study):
    with pytest.raises(BadValue, match=r"one condition \(grasp\)"):
        wb.plot.confusion(study.trials())


def test_patterns_have_a_disc_for_each_channel_and_a_panel_for_each_band(study):
    files = study.recordings().file
    decoder = wb.fit(files[0], "bandpower_lda")
    figure = wb.plot.patterns(decoder, files[1])
    assert len(figure.data) == len(decoder.pass_bands())
    high_gamma = [value for _, value in figure.data[-1].customdata]
    assert min(high_gamma) > 0.0  # the simulated participant's high gamma rises with the grasp
    with pytest.raises(UnknownName, match="it has grasp, rest"):
        wb.plot.patterns(decoder, files[1], target="wave")


def test_a_pattern_is_the_correlation_with_the_score():
    rng = np.random.default_rng(3)
    features, scores = rng.normal(size=(40, 3)), rng.normal(size=40)
    features[:, 2] = 5.0
    found = analysis.activation_pattern(features, scores)
    np.testing.assert_allclose(found[:2], [np.corrcoef(features[:, i], scores)[0, 1] for i in (0, 1)])
    assert found[2] == 0.0


def test_trials_of_the_newest_session_are_drawn_with_their_onsets(study):
    figure = wb.plot.trials(study)
    table = study.trials()
    onsets = sorted(table.latency_s.dropna())
    drawn = sorted(y for trace in figure.data if trace.yaxis == "y" for y in trace.y)
    assert drawn == onsets


def test_a_session_without_a_decided_trial_is_refused(study):
    with pytest.raises(UnknownName, match="no decided trial"):
        wb.plot.trials(study, session_id="none")


@pytest.mark.parametrize(
    ("more", "text"),
    [
        ({}, "needs to know which participant; there is P-001, P-002"),
        ({"participant": "P-001"}, "needs to know which side; there is left, right"),
        ({"participant": "P-003"}, "has no participant 'P-003' here; there is P-001, P-002"),
        ({"participant": "P-001", "part": "nose"}, "no subscore 'nose' here; there is total, grasp"),
    ],
)
def test_an_outcome_that_is_not_one_is_refused_with_what_there_is(made, more, text):
    with pytest.raises(UnknownName, match=text):
        wb.plot.outcome(made, "arat", **more)


def test_an_outcome_of_one_participant_and_side_stands_on_the_scale_of_its_subscore(made):
    figure = wb.plot.outcome(made, "arat", participant="P-002", side="left", part="grasp")
    grasp = next(one for one in outcomes.load("arat").definition.subscales if one.code == "grasp")
    assert figure.layout.yaxis.range == (grasp.low, grasp.high)
    assert list(figure.data[0].y) == [6.0]


def test_a_body_chart_needs_an_exam(made):
    with pytest.raises(BadValue, match="needs the cells of an ISNCSCI exam"):
        wb.plot.body_chart(made.assessments().iloc[0])
