"""One decoder, one recording: the same evidence bits on this processor, an older one, and without a compiler."""

from __future__ import annotations

import hashlib
import os
import platform
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.shares import some
from workbench import decoders
from workbench.vocabulary import Montage

pytestmark = pytest.mark.job

ROOT = Path(__file__).resolve().parents[2]
FS = 250.0
OLDER = {
    "NUMBA_CPU_NAME": "generic",
    "GLIBC_TUNABLES": "glibc.cpu.hwcaps=-FMA,-AVX2_Usable",
    "OPENBLAS_CORETYPE": "Nehalem",
}
CODE = (
    "import sys; from pathlib import Path; from tests.parity.test_evidence_bits import evidence_hash\n"
    "for folder in sys.argv[2:]: print(evidence_hash(Path(folder), int(sys.argv[1])))"
)


def evidence_hash(folder: Path, size: int) -> str:
    """Hash of every evidence of a stored recording, in blocks of ``size``, with a gap and a hole in it."""
    samples = np.load(folder / "samples.npy")
    stream = decoders.read(folder).start()
    digest, gap = hashlib.sha256(), 3 * len(samples) // 5
    for first in range(0, len(samples), size):
        block = samples[first : first + size]
        cut = min(max(gap - first, 0), len(block))
        stream.step(block[:cut])
        if first <= gap < first + size:
            stream.reset()
        stream.step(block[cut:])
        due = [end for end in range(first + 1, first + len(block) + 1) if end % stream.hop == 0 or end % 111 == 0]
        for end in due:
            evidence = stream.evidence(end)
            flags = (evidence.valid, evidence.rejected)
            digest.update(struct.pack(f"<q??{len(stream.classes)}d", end, *flags, *evidence.probabilities))
    for snapshot in stream.snapshots():
        digest.update(snapshot.sha256.encode())
    return digest.hexdigest()


EVOKED = {"frequencies": {"grasp": 10.0, "rest": 25.0}, "harmonics": 2}


def evoked(name):
    """Parameters that evoked decoders cannot do without."""
    return {key: value for key, value in EVOKED.items() if key in decoders.load(name).parameter_names()}


CASES = [(name, name, evoked(name)) for name in decoders.available()]
CASES += [
    ("whitened", "bandpower_lda", {"reference": "white"}),
    ("sprt_recentred", "riemann_mdm", {"evidence": {"memory": "sprt"}, "adapt": {"rule": "recentre"}}),
    ("leaky_pmean", "tangent_space_lda", {"evidence": {"memory": "leaky"}, "adapt": {"rule": "pmean"}}),
    ("rejecting", "csp_lda", {"evidence": {"reject": 0.3, "calibrate": "isotonic"}}),
]


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """Of each case a folder with its decoder and a recording, and in ``short`` a part of the recording."""
    return {case: fitted_folder(tmp_path_factory.mktemp(case), name, params) for case, name, params in CASES}


@pytest.fixture(params=[case[0] for case in CASES])
def case(request):
    return request.param


@pytest.fixture
def folder(folders, case):
    return folders[case]


def fitted_folder(made, name, params):
    """A fitted decoder and a recording with drifting offset, class changes, a hole and a flat channel."""
    rng = np.random.default_rng(7)
    x = rng.normal(0, 10, (2000, 5)) + np.linspace(2e4, 2.1e4, 2000)[:, None]
    x[500:900, 0] = 2e4 + 0.4 * (x[500:900, 0] - 2e4)
    x[1500:1506, 2] = np.nan
    x[1800:1860, 1] = x[1800, 1]
    epochs = rng.normal(0, 10, (30, 5, 200))
    epochs[::2, 0] *= 0.5
    labels = np.where(np.arange(30) % 2 == 0, "grasp", "rest")
    decoder = decoders.load(name)(fs=FS, window_s=0.5, **params).fit(epochs, labels)
    for place, samples in ((made, x), (made / "short", x[400:800])):
        decoders.save(decoder, place, montage=Montage(("C1", "C2", "C3", "C4", "Cz"), FS))
        np.save(place / "samples.npy", samples)
    return made


def elsewhere(folders, size, **env):
    """The hash of each folder, from one other process for all of them."""
    done = subprocess.run(
        [sys.executable, "-c", CODE, str(size), *map(str, folders.values())],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), **env},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return dict(zip(folders, done.stdout.split(), strict=True))


@pytest.fixture(scope="module")
def here(folders):
    """The hash of each case, in this process and in blocks of a hop."""
    return {case: evidence_hash(folder, 12) for case, folder in folders.items()}


@pytest.fixture(scope="module")
def older(folders):
    return elsewhere(folders, 100, **OLDER)


@pytest.fixture(scope="module")
def interpreted(folders):
    return elsewhere({case: folder / "short" for case, folder in folders.items()}, 40, NUMBA_DISABLE_JIT="1")


@pytest.mark.parametrize("size", some([1, 64, 3, 50, 749], of=3))
def test_the_block_size_changes_no_bit(folder, case, here, size):
    assert evidence_hash(folder, size) == here[case]


@pytest.mark.skipif(platform.machine() not in ("x86_64", "AMD64"), reason="the older processor is an x86 one")
def test_an_older_processor_gives_the_same_bits(case, here, older):
    assert older[case] == here[case]


@pytest.mark.release
def test_the_interpreter_gives_the_same_bits_as_the_compiler(folder, case, interpreted):
    assert interpreted[case] == evidence_hash(folder / "short", 12)


def test_the_hash_sees_one_bit(folder, tmp_path):
    decoder = decoders.read(folder)
    decoder.evidence = {**(decoder.evidence or {}), "memory": None}
    decoder.evidence_.pop("factor", None)  # of noise it is so small that probabilities hide what scores show
    told = ("weights_", "coefficients_", "whiteners_", "templates_", "references_")
    name = next((name for name in told if name in decoder.learned), None)
    assert name, f"{decoder.name}: an array of {decoder.learned} that makes scores must stand among {told}"
    for version in ("as_fitted", "changed"):
        decoders.save(decoder, tmp_path / version, montage=decoder.montage_)
        np.save(tmp_path / version / "samples.npy", np.load(folder / "samples.npy"))
        array = getattr(decoder, name)
        array *= 1.0 + 1e-12
    assert evidence_hash(tmp_path / "changed", 12) != evidence_hash(tmp_path / "as_fitted", 12)
