"""Results of a simulated trial against computations by hand, and the files that they are kept in."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from itertools import islice

import numpy as np
import pytest
from scipy import stats

from tests.estimation.conftest import PLAN, analysis
from tests.study import databases
from workbench import estimation
from workbench.errors import RecordFault, Refused, UnknownName
from workbench.estimation import _rerandomising, running
from workbench.study import Study, allocation_keys, allocations, chain
from workbench.study.randomisation import Design

BY_HAND = 1e-7
"""Relative, as results have ten digits."""


def at_end(data, visit="Week 12"):
    """Changes, arms, baselines and sites of those with a value at a visit."""
    sites = {one.participant_id: one.site for one in data.subjects}
    rows = [row for row in data.visits if (row.variable, row.visit) == ("arat.total", visit)]
    return [
        {"change": row.change, "arm": row.arm, "baseline": row.baseline, "site": sites[row.participant_id]}
        for row in rows
        if row.change is not None
    ]


def named(analysed, name):
    return next(one for one in analysed.results.analyses if one.name == name)


def test_the_analysis_of_covariance_is_that_of_the_normal_equations(analysed, data):
    rows = at_end(data)
    y = np.array([row["change"] for row in rows])
    columns = [
        [1.0 for _ in rows], [row["arm"] == "stimulation" for row in rows], [row["baseline"] for row in rows],
        *([row["site"] == site for row in rows] for site in ("north", "south")),
    ]  # fmt: skip
    x = np.array(columns, dtype=float).T
    inverse = np.linalg.inv(x.T @ x)
    beta = inverse @ x.T @ y
    df = len(y) - x.shape[1]
    se = np.sqrt(((y - x @ beta) ** 2).sum() / df * inverse[1, 1])
    half = stats.t(df).ppf(0.975) * se
    (mine,) = named(analysed, "ancova").estimates
    assert (mine.value, mine.se) == pytest.approx((beta[1], se), rel=BY_HAND)
    assert (mine.low, mine.high) == pytest.approx((beta[1] - half, beta[1] + half), rel=BY_HAND)
    assert (mine.p, mine.df, mine.n) == pytest.approx((2 * stats.t(df).sf(beta[1] / se), df, len(y)), rel=BY_HAND)


def test_t_and_ranks_are_those_of_scipy(analysed, data):
    active, sham = (
        [row["change"] for row in at_end(data) if row["arm"] == arm] for arm in ("stimulation", "sham")
    )
    (mine,) = named(analysed, "t").estimates
    expected = stats.ttest_ind(active, sham, equal_var=False)
    interval = expected.confidence_interval()
    assert (mine.value, mine.p) == pytest.approx((np.mean(active) - np.mean(sham), expected.pvalue), rel=BY_HAND)
    assert (mine.low, mine.high) == pytest.approx(tuple(interval), rel=BY_HAND)
    (ranks,) = named(analysed, "ranks").estimates
    assert ranks.value == pytest.approx(np.median(np.subtract.outer(active, sham)))


def test_who_left_before_the_visit_counts_as_no_responder_under_the_composite_strategy(analysed, data):
    improved = {"stimulation": [], "sham": []}
    for person in data.subjects:
        values = [r.change for r in data.visits if (r.participant, r.visit) == (person.participant, "Week 12") and
                  r.variable == "arat.total"]  # fmt: skip
        improved[person.arm].append(values[0] is not None and values[0] >= 6)
    mine = named(analysed, "responders")
    assert {row.arm: (row.value, row.n) for row in mine.means} == {
        arm: (np.mean(own), len(own)) for arm, own in improved.items()
    }
    assert mine.estimates[0].value == pytest.approx(np.mean(improved["stimulation"]) - np.mean(improved["sham"]))
    left = sum(row.kind == "left" for row in data.events)
    assert mine.strategies["left the study"] == {"strategy": "composite", "participants": left}
    assert left


def test_the_intervals_of_the_models_cover_the_simulated_effect(analysed):
    for name in ("primary", "ancova", "reference"):
        (row,) = named(analysed, name).estimates
        assert row.low < 6.0 < row.high


def test_the_randomiser_dealt_with_the_studys_own_seed_gives_the_studys_own_arms(folder):
    with Study.open(folder, actor="tester") as study:
        (row,) = study.rows("rand_list")
        arms = allocations.arms(study, study.script_signer("statistician"))
        design = Design.of(row["design"], ["sham", "stimulation"])
        own = _rerandomising._allocated(study, row["id"])
        assert _rerandomising._listed(design, own, allocation_keys.load(row["id"]).seed) == arms
        dealt = list(islice(_rerandomising.deals(study, ["sham", "stimulation"], seed=1, n=30), 30))
    assert len({tuple(sorted(one.items())) for one in dealt}) > 10
    # Blocks of 2 or 4 in each of three strata: no deal is off by more than two in a stratum.
    for one in dealt:
        for stratum in {entry["stratum"] for entry in own}:
            inside = [one[entry["participant_id"]] for entry in own if entry["stratum"] == stratum]
            assert abs(inside.count("sham") - inside.count("stimulation")) <= 2


def test_a_deal_counts_that_gives_as_large_a_difference_or_leaves_an_arm_without_anybody():
    people, seen = ["1", "2", "3", "4"], ["a", "a", "b", "b"]
    outcomes = np.array([0.0, 0.0, 1.0, 3.0])
    deals = ("aabb", "bbaa", "abab", "aaaa")
    again = [dict(zip(people, deal, strict=True)) for deal in deals]
    found = _rerandomising.compared(outcomes, people, seen, ("a", "b"), again)["b"]
    # What was seen, the same again, its mirror, and a deal without b; not the one with a smaller difference.
    assert (found.value, found.p) == (2.0, 4 / 5)
    assert _rerandomising.compared(outcomes, people, seen, ("a", "b"), again[2:3])["b"].p == 1 / 2
    assert _rerandomising.compared(np.zeros(4), people, seen, ("a", "b"), again)["b"].p == 1.0


def test_a_refused_analysis_has_a_sentence_and_no_number_and_the_others_are_made(analysed):
    refused = {one.name: one for one in analysed.results.refused}
    assert set(refused) == {"unknown", "no-threshold"}
    assert "no row of the visits has arat.grips trained off" in refused["unknown"].refusal
    assert (
        "no threshold says from which improvement of arat.total somebody responds"
        in refused["no-threshold"].refusal
    )
    for one in refused.values():
        assert (one.estimates, one.means, one.arms, one.confirmation, one.rows) == ((), (), None, None, ())
    assert len(analysed.results.analyses) == 9


def test_a_fixed_sequence_ends_at_an_analysis_that_was_refused(analysed):
    assert named(analysed, "primary").confirmation.rejected
    after = named(analysed, "ancova")
    assert after.estimates[0].p < 0.06
    assert (after.confirmation.p_adjusted, after.confirmation.rejected) == (1.0, False)


def test_holm_multiplies_as_it_steps_down(analysed, protocol):
    text = PLAN.replace("fixed-sequence", "holm").replace('"unknown", "ancova"', '"t", "ancova"')
    plan = estimation.parse(text, "plan.toml", protocol)
    one = named(analysed, "primary")
    p = {"primary": 0.02, "t": 0.01, "ancova": 0.04}
    made = [replace(one, name=name, estimates=(replace(one.estimates[0], p=own),)) for name, own in p.items()]
    said = running.confirmed(plan, made)
    assert [row.confirmation.p_adjusted for row in said] == pytest.approx([0.04, 0.03, 0.04])


def test_every_row_of_a_result_is_in_the_visits_dataset_and_leads_to_the_chain(analysed, folder):
    rows = list(csv.DictReader(io.StringIO(analysed.files["visits.csv"].decode())))
    by_key = {row["key"]: row for row in rows}
    assert len(by_key) == len(rows)
    with Study.open(folder, actor="tester") as study:
        hashes = {entry.seq: entry.hash for entry in study.entries()}
    for key in named(analysed, "primary").rows:
        assert hashes[int(by_key[key]["entry_seq"])] == by_key[key]["entry_hash"]


def test_the_files_bear_the_hashes_of_what_they_came_from(analysed, folder):
    content = json.loads(analysed.files["results.json"])
    with Study.open(folder, actor="tester") as study:
        (cut,) = study.rows("snapshot")
    assert content["snapshot"]["sha256"] == cut["sha256"]
    for name, digest in content["datasets"].items():
        assert chain.sha256(analysed.files[f"{name}.csv"].decode()) == digest
    rows = list(csv.DictReader(io.StringIO(analysed.files["results.csv"].decode())))
    assert {row["snapshot_sha256"] for row in rows} == {cut["sha256"]}
    assert [row["value"] for row in rows if row["status"] == "refused"] == ["", ""]
    assert content["simulated"] is True


def test_the_same_snapshot_and_plan_give_the_same_bytes_whatever_was_entered_since(folder, analysed):
    short = PLAN[: PLAN.index('\n[[analysis]]\nname = "ranks"')] + analysis("dealt", "rerandomisation")
    short += "settings = { replications = 100 }\n"
    made = []
    for _ in range(2):
        with Study.open(folder, actor="tester") as study:
            made.append(estimation.analyse(study, plan=short, signer=study.script_signer("statistician")))
    assert made[0].files == made[1].files
    assert made[0].files["visits.csv"] == analysed.files["visits.csv"]


def test_without_a_snapshot_a_plan_is_refused_in_words(tmp_path, monkeypatch):
    monkeypatch.setenv("WORKBENCH_KEYS", str(tmp_path / "keys"))
    with (
        Study.create(tmp_path / "study", code="X", title="x", actor="tester") as study,
        pytest.raises(Refused, match="neither was it locked nor were its data cut"),
    ):
        estimation.analyse(study)


def test_an_unknown_snapshot_a_changed_one_and_concealed_arms_are_refused(folder, tmp_path):
    databases.copied(folder, tmp_path / "study")
    with Study.open(tmp_path / "study", actor="tester") as study:
        with pytest.raises(UnknownName, match="no snapshot 'first'; there are final"):
            estimation.analyse(study, snapshot="first")
        with pytest.raises(Refused, match="the arms are concealed from who asks"):
            estimation.analyse(study)
        path = study.folder / study.rows("snapshot")[0]["path"]
        path.chmod(0o600)
        path.write_bytes(path.read_bytes().replace(b"SIM-001", b"SIM-101"))
        with pytest.raises(RecordFault, match="final"):
            estimation.analyse(study)
