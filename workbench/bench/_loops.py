"""One process of `bench live`: ``python -m workbench.bench._loops NAME SOURCE CHANNELS``.

It receives the stream whose source id is ``SOURCE`` with the loop of that name, and returns on a stream
``SOURCE-back`` how many samples it knew. It ends with its standard input, so that no process outlives the one that
started it.

Loops that decide filter 8–30 Hz with carried state, take the covariance of the last second (oracle approximating
shrinkage) and decide between two classes in the tangent space, all fitted on the same noise.
"""

from __future__ import annotations

import os
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workbench.vocabulary import Chunk, Decision, FloatArray

FS, HOP, WINDOW = 1000.0, 20, 1000
"""Rate in Hz; samples from decision to decision; samples that each rests on."""
BAND = (8.0, 30.0)
POLL_S = 0.0005
"""Interval at which a loop polls that cannot wait for samples, s."""

Answer = Callable[[int], None]
"""Takes the number of samples on which an answer rests."""

NEEDS = {"mne-lsl": ("mne_lsl", "pyriemann"), "ezmsg": ("ezmsg.lsl", "ezmsg.sigproc", "pyriemann")}
"""Packages of each peer."""


def missing(name: str) -> str:
    """The first package that a loop needs and that is not installed, ``""`` when all are."""
    for package in NEEDS.get(name, ()):
        try:
            if find_spec(package) is None:
                return package
        # A package inside one that is not there.
        except ModuleNotFoundError:
            return package
    return ""


def noise(n: int, n_channels: int, *, seed: int) -> FloatArray:
    """Noise that is mixed, so that channels are correlated.

    Parameters
    ----------
    n, n_channels : samples, and channels of each.
    seed : of the noise; the mixing is always the same.

    Returns
    -------
    ``(n, n_channels)`` float64, µV.
    """
    rng = np.random.Generator(np.random.PCG64(seed))
    mixing = np.random.Generator(np.random.PCG64(1)).normal(0.0, 1.0, (n_channels, n_channels))
    return np.asarray(rng.normal(0.0, 10.0, (n, n_channels)) @ mixing.T)


def training(n_channels: int) -> tuple[FloatArray, NDArray[np.str_]]:
    """Epochs of 2 s ``(n, n_channels, n_times)``, µV, and their classes; in one of them a channel is stronger."""
    epochs = np.array([noise(2 * WINDOW, n_channels, seed=100 + k).T for k in range(24)])
    epochs[::2, 0] *= 1.5
    return epochs, np.array(["grasp", "rest"] * 12)


# ------------------------------------------------------------------ the loops
def _echo(source: str, n_channels: int, answer: Answer) -> None:
    """Raw pylsl: nothing is decided, so that its time is that of the transport."""
    from workbench.devices import _lsl_library

    pylsl = _lsl_library.library()
    inlet = pylsl.StreamInlet(pylsl.resolve_byprop("source_id", source, 1, 10.0)[0], processing_flags=0)
    seen = 0
    while True:
        _, stamps = inlet.pull_chunk(1.0, 4096, min_samples=1, as_numpy=True)
        seen += len(stamps)
        if len(stamps):
            answer(seen)


def _ours(source: str, n_channels: int, answer: Answer) -> None:
    """The inlet and the loop of a session, without its journal and its control."""
    from workbench import decoders, paradigms
    from workbench.decode import decode
    from workbench.devices import lsl

    decoder = decoders.load("tangent_space_lda")(
        FS, bands=(BAND,), window_s=WINDOW / FS, hop_s=HOP / FS, reference="none", mains_hz=0.0
    ).fit(*training(n_channels), lead_in=1.0)
    inlet = lsl.connect(source)

    def chunks() -> Iterator[Chunk]:
        first = 0
        while True:
            values, stamps = inlet.pull(1.0)
            if len(stamps):
                yield Chunk(first, np.asarray(values, dtype=np.float64), stamps)
                first += len(stamps)

    for made in decode(chunks(), paradigms.load("grasp_rest")(), decoder, fs=FS):
        if isinstance(made, Decision):
            answer(made.sample)


def classifier(n_channels: int) -> Any:
    """pyRiemann's covariances and tangent space with a linear classifier, fitted on the same noise.

    A logistic regression, as scikit-learn takes half a minute to fit its discriminant on 2,080 numbers an epoch;
    one decision takes the same time with either.
    """
    from scipy import signal

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from pyriemann.estimation import Covariances
        from pyriemann.tangentspace import TangentSpace
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    epochs, classes = training(n_channels)
    sos = signal.butter(4, BAND, "bandpass", fs=FS, output="sos")
    filtered = signal.sosfilt(sos, epochs, axis=2)[:, :, -WINDOW:]
    return make_pipeline(Covariances("oas"), TangentSpace(), LogisticRegression()).fit(filtered, classes)


def _mne_lsl(source: str, n_channels: int, answer: Answer) -> None:
    """MNE-LSL's stream, acquired by explicit calls, which is faster than by its thread; then pyRiemann."""
    from mne_lsl import set_log_level
    from mne_lsl.stream import StreamLSL

    set_log_level("ERROR")
    model = classifier(n_channels)
    stream = StreamLSL(WINDOW / FS, source_id=source).connect(acquisition_delay=None, timeout=10.0)
    stream.filter(*BAND, iir_params={"order": 4, "ftype": "butter", "output": "sos"})
    due, seen = WINDOW, 0
    while True:
        before = stream.n_new_samples
        stream.acquire()
        seen += stream.n_new_samples - before
        if seen < due:
            time.sleep(POLL_S)
            continue
        window, _ = stream.get_data()
        model.predict_proba(window[None])
        answer(seen)
        due = seen + HOP


def _ezmsg(source: str, n_channels: int, answer: Answer) -> None:
    """A graph of ezmsg's inlet, filter and windows in one process; then pyRiemann."""
    import ezmsg.core as ez
    from ezmsg.lsl.inlet import LSLInfo, LSLInletSettings, LSLInletUnit
    from ezmsg.sigproc.butterworthfilter import ButterworthFilter, ButterworthFilterSettings
    from ezmsg.sigproc.window import Window, WindowSettings
    from ezmsg.util.messages.axisarray import AxisArray

    model, n_windows = classifier(n_channels), 0

    class Decide(ez.Unit):  # type: ignore[misc]
        """Decides on each window."""

        INPUT = ez.InputStream(AxisArray)

        @ez.subscriber(INPUT)  # type: ignore[untyped-decorator]
        async def decide(self, message: AxisArray) -> None:
            """Decide on one window ``(n_times, n_channels)``."""
            nonlocal n_windows
            model.predict_proba(message.data.T[None])
            # Its windows begin with zeros, so that there is one for each hop from the first on.
            n_windows += 1
            answer(n_windows * HOP)

    units = {
        "INLET": LSLInletUnit(LSLInletSettings(info=LSLInfo(name=source), use_lsl_clock=True, processing_flags=0)),
        "FILTER": ButterworthFilter(
            ButterworthFilterSettings(order=4, cuton=BAND[0], cutoff=BAND[1], coef_type="sos")
        ),
        "WINDOW": Window(WindowSettings(window_dur=WINDOW / FS, window_shift=HOP / FS, zero_pad_until="full")),
        "DECIDE": Decide(),
    }
    ez.run(
        components=units,
        connections=(
            (units["INLET"].OUTPUT_SIGNAL, units["FILTER"].INPUT_SIGNAL),
            (units["FILTER"].OUTPUT_SIGNAL, units["WINDOW"].INPUT_SIGNAL),
            (units["WINDOW"].OUTPUT_SIGNAL, units["DECIDE"].INPUT),
        ),
        force_single_process=True,
    )


def _inlet(source: str, n_channels: int, answer: Answer) -> None:
    """The acquisition of a session in a separate process: nothing is decided."""
    from workbench.devices import lsl

    connected, seen = lsl.connect(source), 0
    while True:
        _, stamps = connected.pull(1.0)
        seen += len(stamps)
        if len(stamps):
            answer(seen)


def _kernel(source: str, n_channels: int, answer: Answer) -> None:
    """A notebook's kernel that acquires in a thread; between the signals to hold and to rest it only computes."""
    threading.Thread(target=_inlet, args=(source, n_channels, answer), daemon=True).start()
    while True:
        if HOLDING.wait(1.0):
            # Python's own arithmetic on large integers: one operation keeps the interpreter's lock for long.
            pow(7, 200_003, 10**4000 + 1)


HOLDING = threading.Event()
"""Set while the kernel shall hold the interpreter's lock."""

LOOPS: dict[str, Callable[[str, int, Answer], None]] = {
    "echo": _echo,
    "workbench": _ours,
    "mne-lsl": _mne_lsl,
    "ezmsg": _ezmsg,
    "inlet": _inlet,
    "kernel": _kernel,
}
"""Name → loop, called with the source id of its stream, the number of channels, and what takes its answers."""


def main(name: str, source: str, n_channels: int) -> None:
    """Run a loop until the standard input ends.

    Parameters
    ----------
    name : of the loop, one of :data:`LOOPS`.
    source : source id of its stream.
    n_channels : of that stream.
    """
    from workbench.devices import lsl
    from workbench.vocabulary import StreamSpec

    spec = StreamSpec(f"{source}-back", "Markers", 0.0, source_id=f"{source}-back")
    back = lsl.Outlet(spec, dtype="double64", n_channels=1)

    def answer(n_known: int) -> None:
        back.push(np.array([[float(n_known)]]), np.array([lsl.local_clock()]))

    def listen() -> None:
        for line in sys.stdin:
            (HOLDING.set if line.strip() == "hold" else HOLDING.clear)()
        os._exit(0)

    threading.Thread(target=listen, daemon=True).start()
    LOOPS[name](source, n_channels, answer)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
