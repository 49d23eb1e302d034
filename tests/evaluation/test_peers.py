"""Algorithms of other libraries are judged in the place of ours: same windows, same folds, same rule."""

from __future__ import annotations

import numpy as np
import pytest

from tests.evaluation import test_judge, test_stream
from workbench import decoders, evaluation
from workbench.commands import main

pytestmark = pytest.mark.job


class Power:
    """The class whose mean power is nearest: an algorithm that is nobody's."""

    def fit(self, windows, y):
        self.means = np.array([(windows[y == k] ** 2).mean(axis=(0, 1, 3)) for k in np.unique(y)])

    def scores(self, windows):
        power = (windows**2).mean(axis=(1, 3))
        return -((np.log(power)[:, None] - np.log(self.means)) ** 2).sum(axis=2)


POWER = evaluation.Peer("nobody's power", "numpy", lambda ours: Power())


def test_a_peer_is_judged_on_the_epochs_of_ours():
    ours, peer = (evaluation.judge(test_judge.dataset(), test_judge.made(), peer=one) for one in (None, POWER))
    assert (peer.decoder, peer.n, peer.truth) == ("nobody's power", ours.n, ours.truth)
    assert peer.correct == 24


def test_a_peer_decides_in_the_stream_by_the_rule_of_ours():
    runs = test_stream.self_paced()
    params = {"bands": [(8.0, 30.0)], "window_s": 1.0, "evidence": {"calibrate": None, "novelty": None}}
    ours, peer = (
        evaluation.judge_stream(test_stream.dataset(), runs, decoder="bandpower_lda", params=params, peer=one)
        for one in (None, POWER)
    )
    assert [trial.condition for trial in peer.trials] == [trial.condition for trial in ours.trials]
    assert [truth for truth, _ in peer.windows] == [truth for truth, _ in ours.windows]
    assert peer.window_accuracy > 0.8
    assert peer.decoder == "nobody's power"


def test_every_installed_peer_scores_each_class_of_the_decoder_it_stands_beside():
    pairs = [(name, peer) for name, peers in evaluation.PEERS.items() for peer in peers if peer.installed]
    if not pairs:
        pytest.skip("no library of peers is installed")
    rng = np.random.Generator(np.random.PCG64(1))
    windows, y = rng.normal(0.0, 5.0, (12, 1, 3, 100)), np.arange(12) % 2
    for name, peer in pairs:
        kind = decoders.load(name)
        used = {"frequencies": {"a": 10.0, "b": 12.0}} if "frequencies" in kind.parameter_names() else {}
        model = peer.make(kind(100.0, **used))
        model.fit(windows, y)
        assert model.scores(windows[:3]).shape == (3, 2), peer.name


@pytest.mark.parametrize("classes", [("feet", "hands"), ("feet", "hands", "rest")])
def test_a_filter_bank_of_mne_finds_the_band_and_the_sources_that_tell_the_classes_apart(classes, capsys):
    pytest.importorskip("mne")
    (peer,) = evaluation.PEERS["fbcsp"]
    rng = np.random.default_rng(5)
    windows, y = rng.normal(0.0, 5.0, (180, 4, 5, 100)), np.arange(180) % len(classes)
    # Only the third band tells anything.
    for k in range(len(classes)):
        windows[y == k, 2, k] *= 1.6
    model = peer.make(decoders.load("fbcsp")(100.0))
    model.fit(windows[:120], y[:120])
    # What it prints would stand in a table that is written to a file.
    assert capsys.readouterr().out == ""
    assert {column // 4 for column in model._chosen.tolist()} >= {2}
    assert (model.scores(windows[120:]).argmax(axis=1) == y[120:]).mean() > 0.9
    model.fit(windows[:120][:, :2], y[:120])
    assert (model.scores(windows[120:][:, :2]).argmax(axis=1) == y[120:]).mean() < 0.7


def test_minimum_distance_of_pyriemann_decides_as_ours_does():
    pytest.importorskip("pyriemann")
    (peer,) = [one for one in evaluation.PEERS["riemann_mdm"] if one.package == "pyriemann"]
    ours, theirs = (
        evaluation.judge(test_judge.dataset(), test_judge.made(), decoder="riemann_mdm", peer=one)
        for one in (None, peer)
    )
    assert theirs.decided == ours.decided


def test_the_command_says_which_peer_is_not_installed(shared_data, monkeypatch, capsys):
    absent = evaluation.Peer("Nobody's MDM", "package_that_nobody_has.here", lambda ours: Power())
    monkeypatch.setitem(evaluation.PEERS, "riemann_mdm", (absent, POWER))
    folder = shared_data / "graz_gdf"
    assert main(["evaluate", "graz_gdf", str(folder), "--decoder", "riemann_mdm", "--peers"]) == 0
    said = capsys.readouterr()
    assert "Nobody's MDM is left out: package_that_nobody_has is not installed" in said.err
    assert "nobody's power" in said.out
