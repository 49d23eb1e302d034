"""What was observed: every participant over the visits, and without arms nothing that could tell one."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest

import workbench as wb
from tests.estimation.conftest import PLAN
from tests.study import databases
from workbench import estimation
from workbench.errors import BadValue, UnknownName
from workbench.reports import result_words
from workbench.study import Study, allocations
from workbench.study.changes import GrantRole
from workbench.study.datasets import VisitRow


@pytest.fixture
def pooled(folder):
    with wb.open_study(folder) as study:
        return estimation.pooled(study, plan=PLAN, where="plan.toml")


@pytest.mark.job
def test_a_course_holds_the_values_of_the_dataset_by_arm_and_the_means_are_theirs(analysed):
    (arat,) = analysed.courses
    assert (arat.variable, arat.visits) == ("arat.total", ("Baseline", "Week 4", "Week 8", "Week 12"))
    assert set(arat.arms) == {"sham", "stimulation"}
    last = [line.values[-1] for line in arat.lines if line.arm == "sham" and line.values[-1] is not None]
    point = arat.points("sham")[-1]
    assert (point.n, point.mean, point.sd) == (len(last), np.mean(last), pytest.approx(np.std(last, ddof=1)))
    assert sum(arat.points()[-1].missing.values()) + arat.points()[-1].n == 12
    assert all(analysed.rows[row.key] is row for line in arat.lines for row in line.rows if row)


@pytest.mark.job
def test_a_blinded_reader_gets_the_same_values_without_an_arm_an_entry_or_a_reading_in_the_chain(
    folder, pooled, analysed
):
    (own,), (all_told,) = pooled.courses, analysed.courses
    assert sorted(map(str, (one.values for one in own.lines))) == sorted(
        map(str, (one.values for one in all_told.lines))
    )
    told = {getattr(row, one.name) for row in pooled.rows.values() for one in fields(VisitRow) if one.name != "key"
            and not isinstance(getattr(row, one.name), tuple)}  # fmt: skip
    assert not told & {"sham", "stimulation"}
    assert {(row.entry_seq, row.entry_hash) for row in pooled.rows.values()} == {(None, "")}
    with Study.open(folder, actor="tester") as study:
        before = study.head()
        estimation.pooled(study, plan=PLAN, where="plan.toml")
        assert study.head() == before


def test_who_may_learn_arms_is_asked_by_the_rule_of_their_reading_and_leaves_no_entry(folder, tmp_path):
    databases.copied(folder, tmp_path / "study")
    with Study.open(tmp_path / "study", actor="tester") as study:
        script = study.script_signer("manager")
        people = {}
        for login, blinded in (("sato", False), ("kim", True)):
            who = study.add_person(login, login, "correct horse", ("monitor",))
            study.apply(GrantRole(who, "statistician", "GCP 2026", blinded=blinded), script, "joins")
            people[login] = study.sign_in(login, "correct horse")
        head = study.head()
        assert allocations.refusal(study, people["sato"]) is None
        assert allocations.refusal(study, people["kim"]).code == "allocation.blinded"
        assert study.head() == head


def test_the_forest_on_the_screen_has_the_numbers_of_the_results(analysed):
    figure = wb.plot.forest(analysed)
    marks = {trace.name: trace.x[0] for trace in figure.data if trace.mode == "markers"}
    of = {one.name: one for one in analysed.results.analyses}
    assert marks["Primary: primary"] == pytest.approx(of["primary"].estimates[0].value, rel=1e-9)
    assert [trace.customdata[0] for trace in figure.data if trace.mode == "markers"][0] == "primary"
    assert "unknown" not in str(marks)
    with pytest.raises(UnknownName, match="no analysis of the estimand 'mine'; it has primary, responders"):
        wb.plot.forest(analysed, estimand="mine")


def test_the_individual_lines_and_the_mean_are_drawn_as_observed(analysed, pooled):
    figure = wb.plot.courses(analysed)
    course = analysed.courses[0]
    drawn = {trace.name: tuple(trace.y) for trace in figure.data if trace.legendgroup == "one" and trace.name}
    assert all(drawn[line.participant] == line.values for line in course.lines)
    assert len([trace for trace in wb.plot.courses(pooled).data if trace.name == "mean"]) == 1
    with pytest.raises(UnknownName, match=r"no observed variable 'grip'; there is arat\.total"):
        wb.plot.courses(analysed, variable="grip")


def test_a_plan_of_which_nothing_could_be_estimated_has_reasons_in_the_place_of_a_figure(analysed):
    words = result_words.of_results(estimation.results.plain(analysed.results), "zh-CN")
    refused = [row for one in words.estimands for row in one.rows if row.refused]
    assert [row.analysis for row in refused] == ["unknown", "no-threshold"]
    # In the language of the page, and never a number.
    assert all("无：" in row.estimate and row.p == "–" for row in refused)
    only = estimation.Analysed(
        analysed.results.__class__(
            **{one.name: getattr(analysed.results, one.name) for one in fields(analysed.results)}
            | {"analyses": tuple(one for one in analysed.results.analyses if one.name == "no-threshold")}
        ),
        {}, (), {},
    )  # fmt: skip
    with pytest.raises(BadValue, match="nothing was estimated of responders: Secondary: no-threshold: none: "):
        wb.plot.forest(only)
