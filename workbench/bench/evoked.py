"""G6: ensemble TRCA with its filters, beside meegkit."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workbench import decoders
from workbench.bench._items import Item, Result, race
from workbench.vocabulary import FloatArray

FS = 250.0
CLASSES, BLOCKS, CHANNELS, SECONDS = 12, 6, 9, 1.0
BANDS = tuple((8.0 * n - 2.0, 88.0) for n in range(1, 6))


def _trials() -> tuple[FloatArray, NDArray[np.str_]]:
    """Phase-locked responses of 12 classes in noise, ``(n, n_channels, n_times)``, simulated."""
    rng = np.random.Generator(np.random.PCG64(5))
    t = np.arange(round(SECONDS * FS)) / FS
    labels = np.array([f"c{k:02d}" for k in range(CLASSES)] * BLOCKS)
    mix = rng.normal(0.0, 1.0, CHANNELS)
    waves = np.array([np.sin(2 * np.pi * (8.0 + 0.5 * int(name[1:])) * t) for name in labels])
    return rng.normal(0.0, 3.0, (len(labels), CHANNELS, len(t))) + mix[None, :, None] * waves[:, None, :], labels


def _ours(x: FloatArray, y: NDArray[np.str_]) -> decoders.WindowDecoder:
    decoder = decoders.load("etrca")(
        FS, bands=BANDS, window_s=SECONDS, latency_s=0.0, mains_hz=0.0, evidence={"calibrate": None}
    )
    # Without calibration, which the peer does not have.
    return decoder.fit(x, y)


def _theirs(x: FloatArray, y: NDArray[np.str_]) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from meegkit.trca import TRCA

        model = TRCA(FS, [[list(band), [band[0] - 2.0, 100.0]] for band in BANDS], ensemble=True)
        model.fit(x.transpose(2, 1, 0).copy(), np.searchsorted(np.unique(y), y))
    return model


def _run(part: str, rounds: int) -> Result:
    x, y = _trials()
    if part == "fit":
        return race(lambda: _ours(x, y), lambda: _theirs(x, y), rounds=max(3, rounds // 3), name="meegkit")
    our_model, peer_model, epoch = _ours(x, y), _theirs(x, y), x[:1]
    peer_epoch = epoch.transpose(2, 1, 0).copy()

    def peer() -> object:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return peer_model.predict(peer_epoch)

    return race(lambda: our_model.predict(epoch), peer, rounds=rounds, name="meegkit")


SIZE = f"{CLASSES} classes, {BLOCKS} blocks, {CHANNELS} channels, {SECONDS:g} s, {len(BANDS)} bands"
ITEMS = (
    Item("G6", "fit of ensemble TRCA, filters included", SIZE, "×", ">=", 4.0, lambda n: _run("fit", n), 30.0),
    Item(
        "G6",
        "one decision of ensemble TRCA, filters included",
        SIZE,
        "×",
        ">=",
        4.0,
        lambda n: _run("one", n),
        10.0,
    ),
)
