"""The kernels of the decision path: the same bits on this processor, an older one, and without a compiler."""

from __future__ import annotations

import hashlib
import os
import platform
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from workbench.kernels import correlation, covariance, linalg, riemann, shrinkage, templates
from workbench.signals import Decimator, Resampler, SignalSettings, SignalStream

ROOT = Path(__file__).resolve().parents[2]
CODE = (
    "import sys; from tests.parity.test_kernel_bits import case_hash; print(case_hash(sys.argv[1], sys.argv[2]))"
)
OLDER = {
    "NUMBA_CPU_NAME": "generic",
    "GLIBC_TUNABLES": "glibc.cpu.hwcaps=-FMA,-AVX2_Usable",
    "OPENBLAS_CORETYPE": "Nehalem",
}


def algebra(arrays):
    """Everything that is made of two covariances."""
    x, y = arrays["x"], arrays["y"]
    n = x.shape[1]
    a, b, out, vectors = (np.empty((n, n)) for _ in range(4))
    values, two, vector = np.empty(n), np.empty(2), np.empty(n * (n + 1) // 2)
    covariance.covariance(x, np.empty_like(x), a)
    covariance.covariance(y, np.empty_like(y), b)
    yield a
    shrinkage.oas(b, len(y))
    shrinkage.shrink(a, 0.05)
    linalg.symmetric_eigen(a, values, vectors)
    yield from (values.copy(), vectors.copy())
    linalg.generalised_eigen(a, b, values, vectors)
    yield from (values, vectors)
    for function in (riemann.matrix_log, riemann.matrix_sqrt, riemann.matrix_inverse_sqrt):
        function(a, out)
        yield out.copy()
    riemann.tangent_vector(b, out, vector)
    riemann.distances(b, np.stack([out, np.eye(n)]), two)
    yield from (vector, two, np.array([riemann.distance(a, b)]))
    riemann.geodesic(a, b, 0.1, out)
    yield out


def evoked(arrays):
    """Correlations of a window of two bands with references and templates of three classes."""
    window, q = arrays["window"], arrays["q"]
    rho, one = np.empty((2, 3)), np.empty(3)
    filters, weights = np.empty((3, window.shape[1])), np.empty((3, q.shape[1] // 3))
    correlation.canonical_correlations(window, q, rho)
    yield rho.copy()
    correlation.canonical_filters(window, q, one, filters, weights)
    yield from (one, filters, weights)
    templates.template_correlations(window, arrays["filters"], q, arrays["templates"], 1, rho)
    yield rho


def streams(arrays):
    """Filtered lanes of few and of many channels, in one and in two bands; decimated and resampled."""
    for n_channels in (3, 17):
        x = np.ascontiguousarray(arrays["raw"][:, :n_channels])
        for n_bands in (1, 2):
            bands = ((8, 13), (15, 30))[:n_bands]
            settings = SignalSettings(bands=bands, window_s=0.25, history_s=0.1)
            design = {
                key: arrays[f"{n_bands} {key}"] for key in ("notch", "notch_rest", "band", "band_rest", "settle")
            }
            stream = SignalStream(settings, design, fs=200.0, n_channels=n_channels)
            stream.step(x)
            yield stream.window(len(x))[0]
        yield Decimator(
            {k: arrays[f"low {k}"] for k in ("sections", "rest", "factor", "delay")}, n_channels=n_channels
        ).step(x)
        ratio = {k: arrays[f"ratio {k}"] for k in ("taps", "down", "delay")}
        yield Resampler(ratio, n_channels=n_channels).step(x)


CASES = {"algebra": algebra, "evoked": evoked, "streams": streams}


def case_hash(name, file):
    with np.load(file) as stored:
        arrays = {key: np.ascontiguousarray(stored[key]) for key in stored.files}
    digest = hashlib.sha256()
    for part in CASES[name](arrays):
        assert np.isfinite(part).all()
        digest.update(np.ascontiguousarray(part).tobytes())
    return digest.hexdigest()


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    """Input drawn and designed once, so that no other arithmetic comes in."""
    from workbench.signals import design, design_decimator, design_resampler

    rng = np.random.default_rng(11)
    q = np.concatenate([np.linalg.qr(rng.normal(size=(40, 4)))[0] for _ in range(3)], axis=1)
    arrays = {
        "x": rng.normal(300, 10, (45, 6)),
        "y": rng.normal(0, 7, (30, 6)),
        "raw": rng.normal(5000, 20, (130, 17)),
        "window": rng.normal(0, 5, (40, 6)),
        "q": q,
        "filters": rng.normal(size=(2, 2, 6)),
        "templates": rng.normal(size=(2, 120, 3)),
    }
    for n_bands in (1, 2):
        settings = SignalSettings(bands=((8, 13), (15, 30))[:n_bands], window_s=0.25)
        made = design(settings, fs=200.0, n_channels=3)
        arrays |= {f"{n_bands} {key}": value for key, value in made.items()}
    arrays |= {f"low {key}": value for key, value in design_decimator(5, fs=200.0).items()}
    arrays |= {f"ratio {key}": value for key, value in design_resampler(200.0, 128.0).items()}
    path = tmp_path_factory.mktemp("bits") / "input.npz"
    np.savez(path, **arrays)
    return path


def elsewhere(name, file, **env):
    done = subprocess.run(
        [sys.executable, "-c", CODE, name, str(file)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), **env},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.mark.release
@pytest.mark.skipif(platform.machine() not in ("x86_64", "AMD64"), reason="the older processor is an x86 one")
@pytest.mark.parametrize("name", CASES)
def test_an_older_processor_gives_the_same_bits(name, file):
    assert elsewhere(name, file, **OLDER) == case_hash(name, file)


@pytest.mark.job
@pytest.mark.parametrize("name", CASES)
def test_the_interpreter_gives_the_same_bits_as_the_compiler(name, file):
    assert elsewhere(name, file, NUMBA_DISABLE_JIT="1") == case_hash(name, file)
