"""Recursive PLS: the batch regression where nothing is forgotten, and the plain loops where something is."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.cross_decomposition import PLSRegression

from tests import naive
from workbench.decoding.recursive import RecursivePls
from workbench.errors import BadSignal
from workbench.kernels.moments import add_products, times_symmetric


def rows_and_targets(n=200, p=30, m=3, seed=0):
    rng = np.random.default_rng(seed)
    hidden = rng.normal(size=(n, 4))
    rows = hidden @ rng.normal(size=(4, p)) + 0.5 * rng.normal(size=(n, p)) + rng.normal(size=p)
    return rows, hidden[:, :3] @ rng.normal(size=(3, m)) + 0.3 * rng.normal(size=(n, m)) + 2.0


def learned(rows, targets, *, n_components, block=50, keep=1.0, shape=None):
    model = RecursivePls(rows.shape[1], targets.shape[1], n_components=n_components, shape=shape)
    for first in range(0, len(rows), block):
        model.learn(rows[first : first + block], targets[first : first + block], keep=keep)
    return model


@pytest.mark.parametrize(("n", "p"), [(1, 3), (7, 5), (19, 70), (16, 600)])
def test_sums_of_products_take_the_rows_in_order_and_times_a_vector_give_what_the_whole_matrix_does(n, p):
    rng = np.random.default_rng(n)
    rows, before = rng.normal(size=(n, p)), rng.normal(size=(p, p))
    lower = np.tril_indices(p)
    sums = before[lower]
    add_products(rows, 0.75, sums)
    whole = naive.add_products(rows, 0.75, before)
    assert np.array_equal(sums, whole[lower])
    vector, out = rng.normal(size=p), np.empty(p)
    times_symmetric(sums, vector, out)
    assert np.array_equal(out, naive.times_symmetric(whole, vector))
    whole = np.tril(whole) + np.tril(whole, -1).T
    np.testing.assert_allclose(out, whole @ vector, rtol=1e-9, atol=1e-9 * np.abs(whole).max())


@pytest.mark.parametrize("m", [1, 3])
def test_without_forgetting_it_is_the_batch_regression_of_scikit_learn(m):
    rows, targets = rows_and_targets(m=m)
    line = learned(rows, targets, n_components=4).line()
    peer = PLSRegression(4, scale=True, max_iter=10_000, tol=1e-15).fit(rows, targets)
    # Of several targets scikit-learn's power iteration ends before rounding does; the plain loops go to the end.
    largest = np.abs(peer.coef_).max()
    np.testing.assert_allclose(line.weights, peer.coef_, rtol=0, atol=(1e-11 if m == 1 else 1e-7) * largest)
    weights, bias = naive.partial_least_squares(rows, targets, np.ones(len(rows)), n_components=4)
    np.testing.assert_allclose(line.weights, weights, rtol=0, atol=1e-12 * largest)
    np.testing.assert_allclose(line.bias, bias, rtol=1e-12)


@pytest.mark.parametrize("shape", [None, (2, 5, 3)])
def test_what_is_forgotten_counts_by_its_age_as_in_the_plain_loops(shape):
    rows, targets = rows_and_targets(n=150)
    line = learned(rows, targets, n_components=4, keep=0.99, shape=shape).line()
    ages = 0.99 ** np.repeat([100.0, 50.0, 0.0], 50)
    weights, bias = naive.partial_least_squares(rows, targets, ages, n_components=4, shape=shape)
    np.testing.assert_allclose(line.weights, weights, rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(line.bias, bias, rtol=1e-6, atol=1e-9)


def test_weights_of_an_n_way_regression_have_rank_one():
    rows, targets = rows_and_targets(m=1)
    weights = learned(rows, targets, n_components=1, shape=(2, 5, 3)).line().weights
    spread = rows.std(axis=0, ddof=1)
    folded = (weights[0] * spread).reshape(2, 5, 3)
    for unfolded in (folded.reshape(2, -1), folded.transpose(1, 0, 2).reshape(5, -1)):
        values = np.linalg.svd(unfolded, compute_uv=False)
        assert values[1] < 1e-9 * values[0]


def test_the_number_of_components_is_that_which_predicted_blocks_before_they_were_learned():
    rng = np.random.default_rng(3)
    rows, targets = rng.normal(size=(120, 40)), rng.normal(size=(120, 1))
    targets += rows[:, :1]
    model = RecursivePls(40, 1, n_components=8)
    errors, judged = np.zeros(8), 0.0
    for first in range(0, 120, 30):
        block = slice(first, first + 30)
        if first:
            before = [
                PLSRegression(f, tol=1e-15).fit(rows[:first], targets[:first]).predict(rows[block])
                for f in range(1, 9)
            ]
            mse = np.array([((said.ravel() - targets[block, 0]) ** 2).mean() for said in before])
            mse /= targets[:first].var(ddof=1)
            judged = 0.95 * judged + 1.0
            errors += (mse - errors) / judged
            model.prepare()
        model.validate(rows[block], targets[block])
        model.learn(rows[block], targets[block])
    np.testing.assert_allclose(model.errors, errors, rtol=1e-7)
    assert model.best == int(np.argmin(errors)) + 1 < 8


def test_components_end_where_only_rounding_is_left_and_constant_features_have_no_weight():
    rng = np.random.default_rng(4)
    rows = np.repeat(rng.normal(size=(60, 2)), 2, axis=1)
    rows = np.column_stack([rows, np.full(60, 7.0)])
    targets = rows[:, :1] - rows[:, 2:3]
    line = learned(rows, targets, n_components=6).line()
    assert np.isfinite(line.weights).all()
    assert line.weights[0, 4] == 0.0
    np.testing.assert_allclose(rows @ line.weights.T + line.bias, targets, atol=1e-9)


def test_of_targets_that_do_not_vary_only_their_value_is_left():
    rows, _ = rows_and_targets(n=40)
    for value in (0.0, 3.0):
        line = learned(rows, np.full((40, 2), value), n_components=4).line()
        np.testing.assert_allclose(line.weights, 0.0, atol=1e-12)
        np.testing.assert_allclose(line.bias, value, atol=1e-12)


def test_rows_that_are_not_finite_are_refused():
    rows, targets = rows_and_targets(n=20)
    rows[3, 4] = np.inf
    with pytest.raises(BadSignal, match="do not vary"), np.errstate(invalid="ignore"):
        learned(rows, targets, n_components=2).line()


def test_faded_moments_give_the_same_line_and_count_for_less():
    rows, targets = rows_and_targets()
    model = learned(rows, targets, n_components=3)
    before = model.line()
    model.fade(0.1)
    assert model.weight == pytest.approx(20.0)
    more, other = rows_and_targets(seed=1)
    model.learn(more, other)
    whole = learned(np.vstack([rows, more]), np.vstack([targets, other]), n_components=3).line()
    new = learned(more, other, n_components=3).line()
    after = model.line()
    assert np.linalg.norm(after.weights - new.weights) < np.linalg.norm(whole.weights - new.weights)
    assert np.linalg.norm(after.weights - before.weights) > 0.0
