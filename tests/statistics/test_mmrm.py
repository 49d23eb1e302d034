"""The mixed model for repeated measures: closed forms, invariances, refusals."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from tests.statistics.conftest import drawn
from workbench.errors import BadValue, Refused, UnknownName
from workbench.statistics import _likelihood
from workbench.statistics.covariances import BY_COLUMNS, BY_ROW, Structure, evaluate, parameter_names
from workbench.statistics.mixed import mixed
from workbench.statistics.mmrm import Options, mmrm

TERMS = ("arm", "visit", "arm:visit")
SOME = [Structure.UNSTRUCTURED, Structure.TOEPLITZ_HETEROGENEOUS, Structure.AUTOREGRESSIVE]
PLAIN = [one for one in Structure if one not in BY_ROW]


def fit(table, **more):
    more = {"terms": TERMS, **more}
    return mmrm(table, outcome="y", participant="id", visit="visit", **more)


def last(model):
    return model.differences("arm", at={"visit": model.visits[-1]})["stim", "sham"]


def rows(table, order):
    return {name: [values[i] for i in order] for name, values in table.items()}


@pytest.mark.parametrize("structure", Structure)
def test_derivatives_of_every_covariance_agree_with_differences(structure):
    draw = np.random.default_rng(3)
    m, at = 4, draw.normal(size=(4, 2))
    names = parameter_names(structure, 2 if structure in BY_COLUMNS else m)
    theta = np.array([(2.0 if n.startswith(("Var", "Res")) else 0.3) + 0.05 * i for i, n in enumerate(names)])
    if structure is Structure.UNSTRUCTURED:
        theta = (np.eye(m) * 3 + 0.4)[np.tril_indices(m)]
    here = evaluate(structure, theta, m, at)
    h = 1e-5
    for k in range(len(theta)):
        up, down = (evaluate(structure, theta + sign * h * np.eye(len(theta))[k], m, at) for sign in (1, -1))
        assert np.allclose((up.value - down.value) / (2 * h), here.first[k], atol=1e-7)
        assert np.allclose((up.first - down.first) / (2 * h), here.second[k], atol=1e-6)


@pytest.mark.parametrize("method", ["reml", "ml"])
@pytest.mark.parametrize("structure", SOME)
def test_gradient_and_hessian_of_the_deviance_agree_with_differences(trial, structure, method):
    model = fit(trial, structure=structure, method=method)
    theta = model.point.theta * 1.02
    here = _likelihood.at(model.problem, theta)
    for k in range(len(theta)):
        h = 1e-4 * max(1.0, abs(theta[k]))
        up, down = (_likelihood.at(model.problem, theta + sign * h * np.eye(len(theta))[k]) for sign in (1, -1))
        assert (up.deviance - down.deviance) / (2 * h) == pytest.approx(here.gradient[k], rel=1e-4, abs=1e-5)
        assert np.allclose((up.gradient - down.gradient) / (2 * h), here.hessian[k], rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("inference", ["satterthwaite", "kenward-roger", "kenward-roger-linear"])
def test_a_complete_unstructured_model_is_students_test_at_each_visit(inference):
    table = drawn(5, missing=0.0)
    model = fit(table, inference=inference)
    y = np.array(table["y"]).reshape(-1, 3)
    arm = np.array(table["arm"]).reshape(-1, 3)[:, 0] == "stim"
    for j, visit in enumerate(model.visits):
        ours = model.differences("arm", at={"visit": visit})["stim", "sham"]
        theirs = stats.ttest_ind(y[arm, j], y[~arm, j])
        assert ours.t == pytest.approx(theirs.statistic, rel=1e-7)
        assert ours.df == pytest.approx(len(y) - 2, rel=1e-6)
        assert ours.p == pytest.approx(theirs.pvalue, rel=1e-6)


def test_a_complete_unstructured_model_has_the_pooled_covariance_of_the_arms():
    table = drawn(6, missing=0.0)
    y, arm = np.array(table["y"]).reshape(-1, 3), np.arange(24) % 2 == 1
    rest = np.where(arm[:, None], y - y[arm].mean(axis=0), y - y[~arm].mean(axis=0))
    assert np.allclose(fit(table).sigma(), rest.T @ rest / 22, rtol=1e-8)


@pytest.mark.parametrize("structure", PLAIN)
def test_the_order_of_rows_changes_nothing(trial, structure):
    order = np.random.default_rng(1).permutation(len(trial["y"]))
    one, two = last(fit(trial, structure=structure)), last(fit(rows(trial, order), structure=structure))
    assert (two.value, two.se, two.df) == pytest.approx((one.value, one.se, one.df), rel=1e-7)


@settings(max_examples=12, deadline=None)
@given(scale=st.floats(1e-3, 1e4), shift=st.floats(-1e4, 1e4), seed=st.integers(0, 50))
def test_scaling_and_shifting_the_outcome_scales_the_effect_and_leaves_its_test(scale, shift, seed):
    table = drawn(seed)
    one = last(fit(table))
    two = last(fit({**table, "y": [scale * v + shift for v in table["y"]]}))
    assert two.value == pytest.approx(scale * one.value, rel=1e-5, abs=1e-6 * scale)
    assert (two.se, two.df) == pytest.approx((scale * one.se, one.df), rel=1e-5)
    assert two.p == pytest.approx(one.p, rel=1e-4)


def test_renaming_the_arms_turns_the_sign_and_nothing_else(trial):
    one = last(fit(trial))
    swapped = {**trial, "arm": [{"sham": "stim", "stim": "sham"}[a] for a in trial["arm"]]}
    two = last(fit(swapped))
    assert (two.value, two.se, two.p) == pytest.approx((-one.value, one.se, one.p), rel=1e-7)


def test_the_reference_of_a_factor_changes_no_mean_and_no_test(trial):
    one, two = fit(trial), fit(trial, levels={"arm": ("stim", "sham"), "visit": ("V2", "V0", "V1")})
    for key, mean in one.means("arm", "visit").items():
        assert two.means("arm", "visit")[key].value == pytest.approx(mean.value, rel=1e-8)
    for term, test in one.type_three().items():
        assert two.type_three()[term].f == pytest.approx(test.f, rel=1e-6)


def test_kenward_and_rogers_errors_are_the_linear_ones_where_the_covariance_is_linear(trial):
    for structure in (Structure.UNSTRUCTURED, Structure.COMPOUND, Structure.TOEPLITZ):
        one, two = (last(fit(trial, structure=structure, inference=inference))
                    for inference in ("kenward-roger", "kenward-roger-linear"))  # fmt: skip
        assert one.se == pytest.approx(two.se, rel=1e-10)


def test_a_fit_that_ends_as_sas_does_is_one_on_the_ratios_with_the_best_residual_variance(trial):
    top = fit(trial, structure=Structure.COMPOUND)
    for tolerance in (1.0, 1e-8, 1e-14):
        ended = fit(trial, structure=Structure.COMPOUND, options=Options(tolerance=tolerance))
        # The deviance does not change with the scale of the whole covariance.
        assert abs(ended.point.theta @ ended.point.gradient) < 1e-9 * ended.n
        assert top.deviance - 1e-9 <= ended.deviance < top.deviance + 0.1
    assert last(ended).value == pytest.approx(last(top).value, rel=1e-6)
    # It never ends before a step of Newton's, however close scoring came.
    assert fit(trial, structure=Structure.COMPOUND, options=Options(tolerance=1e9)).deviance == pytest.approx(
        fit(trial, structure=Structure.COMPOUND, options=Options(tolerance=1.0)).deviance
    )


def test_groups_without_common_participants_fit_as_two_models_would(trial):
    both = fit(trial, options=Options(group="arm"))
    for arm in ("sham", "stim"):
        own = rows(trial, [i for i, one in enumerate(trial["arm"]) if one == arm])
        assert np.allclose(both.sigma(arm), fit(own, terms=("visit",)).sigma(), rtol=1e-5)


def test_a_random_intercept_is_compound_symmetry(trial):
    one = fit(trial, structure=Structure.COMPOUND, inference="satterthwaite")
    two = mixed(trial, outcome="y", terms=TERMS, participant="id")
    assert two.model.deviance == pytest.approx(one.deviance, rel=1e-9)
    assert two.model.covariance == pytest.approx(one.covariance, rel=1e-5)


def test_the_restricted_likelihood_with_more_freedom_is_never_lower(trial):
    free = fit(trial).deviance
    assert all(fit(trial, structure=structure).deviance >= free - 1e-8 for structure in PLAIN)


def test_a_sandwich_with_leverage_is_wider(trial):
    plain, blown = (last(fit(trial, inference=inference)) for inference in ("empirical", "empirical-jackknife"))
    assert blown.se > plain.se > 0


@pytest.mark.parametrize(
    ("change", "error", "says"),
    [
        ({"y": lambda t: [float("nan")] * len(t["y"])}, BadValue, "no row has a value of y"),
        ({"y": lambda t: [4.0] * len(t["y"])}, BadValue, "y does not vary"),
        ({"y": lambda t: [v if a < "st" else "" for a, v in zip(t["arm"], t["y"])]}, BadValue, "arm stim has no"),
        ({"y": lambda t: ["x", *t["y"][1:]]}, BadValue, "y must be numbers, got 'x'"),
        ({"visit": lambda t: ["V0", "V0", *t["visit"][2:]]}, BadValue, "participant P00 has visit V0 twice"),
        ({"arm": lambda t: ["sham"] * len(t["arm"])}, BadValue, "factor arm needs at least 2 levels"),
        ({"base": lambda t: [""] + t["base"][1:]}, BadValue, "covariate base is absent"),
        ({"id": lambda t: ["", *t["id"][1:]]}, BadValue, "id is absent in a row"),
    ],
)  # fmt: skip
def test_a_table_that_cannot_be_analysed_is_refused_in_a_sentence(trial, change, error, says):
    table = {**trial, **{name: make(trial) for name, make in change.items()}}
    with pytest.raises(error, match=says):
        fit(table, terms=(*TERMS, "base"))


def test_a_term_that_others_explain_is_refused_by_name(trial):
    twice = {**trial, "double": [2 * b for b in trial["base"]]}
    with pytest.raises(BadValue, match="the term double cannot be told apart"):
        fit(twice, terms=(*TERMS, "base", "double"))


def test_visits_that_nobody_has_together_have_no_covariance_and_no_p_value(trial):
    apart = rows(trial, [i for i in range(len(trial["y"])) if (i // 3 % 4 < 2) == (trial["visit"][i] != "V2")])
    with pytest.raises(Refused, match="did not converge, so that nothing is reported"):
        fit(apart)


def test_an_unknown_column_level_or_term_is_named(trial):
    model = fit(trial)
    for ask in (lambda: fit(trial, terms=("drug",)), lambda: last(replace(model, visits=("V9",)))):
        with pytest.raises(UnknownName, match="there is no column drug|visit has no level V9"):
            ask()
    with pytest.raises(BadValue, match="base is no factor"):
        model.means("base")
    with pytest.raises(BadValue, match="needs 6 weights"):
        model.contrast([0.0] * 6)


@pytest.mark.parametrize("choice", [{"structure": "UN"}, {"method": "mle"}, {"inference": "kr"}])
def test_a_choice_that_there_is_not_is_refused_with_those_there_are(trial, choice):
    with pytest.raises(UnknownName, match="there is no .*; choose from "):
        fit(trial, **choice)


def test_a_perfect_line_for_everybody_is_refused():
    table = {"id": list("aabbcc"), "t": [0.0, 1.0] * 3, "y": [0.0, 1.0] * 3}
    with pytest.raises(BadValue, match="y does not vary"):
        mixed(table, outcome="y", terms=("t",), participant="id", random=("t",))
