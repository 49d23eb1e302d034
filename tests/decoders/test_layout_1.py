"""Decoders that were saved before evidence was a mapping decide as they did: stored runs must replay."""

from __future__ import annotations

import json

import numpy as np
import pytest

from workbench import decoders
from workbench.decoders import _store
from workbench.vocabulary import Montage

FS = 200.0


@pytest.mark.parametrize(("gamma", "memory"), [(0.3, "gate"), (None, None)])
def test_a_decoder_of_layout_1_keeps_its_gate_its_hash_and_its_evidence(tmp_path, gamma, memory):
    rng = np.random.default_rng(0)
    x, y = rng.normal(0, 10, (30, 3, 120)), np.array(["grasp", "rest"] * 15)
    x[::2, 0] *= 0.5
    evidence = {"memory": memory, "dwell_s": [4.0, 2.0]} | ({} if gamma is None else {"gamma": gamma})
    decoder = decoders.load("bandpower_lda")(fs=FS, window_s=0.4, evidence=evidence).fit(x, y)
    decoders.save(decoder, tmp_path, montage=Montage(("a", "b", "c"), FS))
    whole = json.loads((tmp_path / "decoder.json").read_text())
    body = whole["decoder"] | {"format": 1}
    kept = {name: value for name, value in body["params"].items() if name not in ("evidence", "adapt")}
    body["params"] = kept | {"rest": "rest", "gamma": gamma, "dwell_s": [4.0, 2.0]}
    with np.load(tmp_path / "arrays.npz") as archive:
        sha256 = _store._hash(body, dict(archive))
    (tmp_path / "decoder.json").write_text(json.dumps({"sha256": sha256, "decoder": body}))
    again = decoders.read(tmp_path)
    assert again.sha256_ == sha256
    signal = rng.normal(0, 10, (800, 3))
    made = []
    for one in (decoder, again):
        stream = one.start()
        stream.step(signal)
        made.append([stream.evidence(end) for end in (400, 630, 800)])
    assert made[0] == made[1]
