"""Units of samples: the one place where the text of a unit is parsed, compared or turned into a factor.

Whatever spelling a stream, a file or a caller uses, the workbench computes in µV. What is not a voltage (an
acceleration, a force, counts) keeps its numbers and is never judged as µV. The text as it was announced stays
beside the factor, in the contract, in the recording and in the record.

Reference: The International System of Units, 9th ed., BIPM 2019, tables 4 and 7 (symbols and prefixes).
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache, cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workbench.errors import BadSignal, BadValue
from workbench.messages import Message
from workbench.vocabulary import FloatArray, Montage, StreamSpec

MICROVOLT = "uV"
"""The unit in which everything is computed, as it is written in contracts and montages."""

VOLT_LIKE_UV = 1e-3
"""A typical standard deviation below this, read as µV, is a thousandth of any amplifier's noise: it is volts."""

BEYOND_UV = 1e9
"""No sample in µV reaches this; what does is refused like a value that is not finite."""

PLAUSIBLE_UV = (0.1, 5000.0)
"""Root mean square in µV of a body's signal at an electrode: below it is less than an amplifier's own noise,
above it is more than any biopotential."""

_BIOPOTENTIALS = (
    "eeg ecog ieeg seeg dbs lfp emg semg hdemg eog ecg ekg exg erp bio biosignal biosignals bipolar eng"
)
BIOPOTENTIALS = frozenset(_BIOPOTENTIALS.split())
"""Content types of streams, in lower case, whose samples are voltages."""


class Kind(StrEnum):
    """What a unit measures, as far as the workbench distinguishes."""

    VOLTAGE = "voltage"
    OTHER = "other"
    UNKNOWN = "unknown"
    UNSTATED = "unstated"


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit that was parsed.

    Attributes
    ----------
    text : as it was announced.
    kind : voltage, another known quantity, unknown, or unstated (no text).
    symbol : ``"uV"`` for every voltage, since samples are scaled to it; the usual symbol of another quantity;
        the text itself where it is unknown.
    factor : what a sample is multiplied by to be in ``symbol``; 1 for all but voltages.
    """

    text: str
    kind: Kind
    symbol: str
    factor: float


_PREFIXES = {"": 1e6, "m": 1e3, "u": 1.0, "n": 1e-3, "p": 1e-6, "k": 1e9}
_WORDS = {"": "", "milli": "m", "micro": "u", "nano": "n", "pico": "p", "kilo": "k"}


def _voltages() -> dict[str, float]:
    """Spellings of a voltage, folded, and their factor to µV."""
    table = {f"{prefix}v": factor for prefix, factor in _PREFIXES.items()}
    for word, prefix in _WORDS.items():
        for volt in ("volt", "volts", "v"):
            table[f"{word}{volt}"] = _PREFIXES[prefix]
    for prefix, factor in _PREFIXES.items():
        table |= {f"{prefix}volt": factor, f"{prefix}volts": factor}
    for power, factor in ((-3, 1e3), (-6, 1.0), (-9, 1e-3)):
        table |= {f"10^{power}v": factor, f"1e{power}v": factor, f"1e-0{-power}v": factor}
    return table


_VOLTAGES = _voltages()

_OTHERS = {
    "g": "g gs gforce g-force gravity",
    "m/s^2": "m/s^2 m/s2 m/s/s ms-2 ms^-2 m.s-2 m·s-2 meterspersecondsquared metrespersecondsquared",
    "N": "n newton newtons",
    "N·m": "nm n·m n*m newtonmeter newtonmetre",
    "kg": "kg kilogram kilograms kgf",
    "deg": "deg degs degree degrees °",
    "rad": "rad radian radians",
    "deg/s": "deg/s °/s dps degrees/s degreespersecond degs/s deg/sec",
    "rad/s": "rad/s rad/sec radianspersecond",
    "counts": "count counts cnt adc adu lsb raw bit bits digit digits adcunits",
    "arbitrary": "au a.u. a.u arb arb. arbitrary arbitraryunits normalized normalised norm unitless none 1",
    "%": "% percent",
    "degC": "degc °c c celsius",
    "Hz": "hz hertz khz",
    "1/min": "bpm 1/min /min beats/min",
    "Ohm": "ohm ohms ω kohm kohms kω mohm",
    "Pa": "pa kpa mmhg cmh2o bar mbar psi",
    "T": "t mt ut nt pt ft t/m ft/cm gauss tesla microtesla",
    "px": "px pixel pixels",
    "s": "s sec second seconds ms us millisecond milliseconds microsecond microseconds",
    "m": "m cm mm um meter meters metre metres",
    "m/s": "m/s cm/s mm/s",
    "A": "a ma ua na ampere amperes",
    "S": "s/m us/cm siemens microsiemens",
    "code": "code codes trigger triggers marker bool boolean binary integer int index sample samples #",
    "quaternion": "quaternion quat q",
}
_KNOWN = {spelling: symbol for symbol, spellings in _OTHERS.items() for spelling in spellings.split()}
_UNSTATED = frozenset(("", "n/a", "unknown", "undefined", "unspecified", "null", "?", "-"))


def _plain(text: str) -> str:
    """The text without brackets and blanks, in one spelling of micro, minus and superscripts; case is kept."""
    # NFKC folds superscript digits, full-width letters and the micro sign U+00B5.
    plain = unicodedata.normalize("NFKC", text).replace("−", "-").strip().strip("[](){}")
    for micro in ("μ", "µ"):
        plain = plain.replace(micro, "u")
    return "".join(plain.split()).replace("_", "").replace("**", "^")


def _is_ambiguous(plain: str) -> bool:
    """``MV`` spells megavolts but usually means millivolts: nobody can know, so somebody has to declare it."""
    return plain.startswith(("MV", "Mv"))


@cache
def parse(text: str) -> Unit:
    """The unit behind a text.

    Every spelling of a voltage is accepted: ``uV``, ``µV`` with either micro sign, ``microvolts``, ``mV``,
    ``volts``, ``nV`` … A text that is not known gives the kind ``unknown``, never a guess.
    """
    plain = _plain(text)
    folded = plain.casefold()
    if folded in _UNSTATED:
        return Unit(text, Kind.UNSTATED, "", 1.0)
    # Case is folded for everything but the one prefix in which it decides between units.
    if folded in _VOLTAGES and not _is_ambiguous(plain):
        return Unit(text, Kind.VOLTAGE, MICROVOLT, _VOLTAGES[folded])
    if folded in _KNOWN:
        return Unit(text, Kind.OTHER, _KNOWN[folded], 1.0)
    return Unit(text, Kind.UNKNOWN, text.strip(), 1.0)


def is_voltage(text: str) -> bool:
    """Whether samples in this unit are scaled to µV and judged as such."""
    return parse(text).kind is Kind.VOLTAGE


def is_known(text: str) -> bool:
    """Whether a text states a unit that the workbench knows."""
    return parse(text).kind in (Kind.VOLTAGE, Kind.OTHER)


def canonical(text: str) -> str:
    """The unit that samples have once scaled: ``"uV"`` for every voltage."""
    return parse(text).symbol


def montage_of(spec: StreamSpec) -> Montage:
    """The montage that a decoder of this stream is made for."""
    return Montage(spec.measured, spec.fs, spec.type.lower(), canonical(spec.unit))


def same(text: str, other: str) -> bool:
    """Whether two texts mean the same unit once scaled: any two voltages do, as both become µV."""
    return canonical(text) == canonical(other)


def equal(text: str, other: str) -> bool:
    """Whether samples in one unit are samples in the other without being scaled; V and µV are not."""
    return same(text, other) and parse(text).factor == parse(other).factor


def is_biopotential(content_type: str) -> bool:
    """Whether the content type of a stream (``"EEG"``, ``"ECoG"``, ``"EMG"`` …) means voltages."""
    return content_type.strip().casefold() in BIOPOTENTIALS


@dataclass(frozen=True)
class StreamUnits:
    """The factors for the samples of one stream, and who stated the unit.

    Attributes
    ----------
    announced : text of each channel as the source gave it, empty where it said nothing.
    factors : ``(n_channels,)`` float64, to µV; 1 where a channel is not a voltage.
    source : ``"announced"``, ``"declared"`` (by a named operator), ``"waived"`` (nobody knows: recording only)
        or ``"recorded"`` (a stream that is recorded and never decoded).
    by : who declared, or the reason of the waiver.
    """

    announced: tuple[str, ...]
    factors: FloatArray
    source: str = "announced"
    by: str = ""

    @cached_property
    def changes(self) -> bool:
        """Whether any channel is scaled."""
        return bool((self.factors != 1.0).any())

    @property
    def text(self) -> str:
        """The announced texts, each once, in order."""
        return ", ".join(dict.fromkeys(unit for unit in self.announced if unit)) or ""

    def scale(self, values: NDArray[Any]) -> NDArray[Any]:
        """Samples ``(n_times, n_channels)`` of any number type, in µV where they are voltages, float64.

        Without a factor the array is returned as it is. Live and in a replay this is the same product.
        """
        return np.asarray(values, dtype=np.float64) * self.factors if self.changes else values

    def described(self) -> dict[str, Any]:
        """JSON-able, for the recording and the record; :meth:`of` gives the same back."""
        return {
            "units": list(self.announced),
            "factors": self.factors.tolist(),
            "source": self.source,
            "by": self.by,
        }

    @classmethod
    def of(cls, described: Mapping[str, Any]) -> StreamUnits:
        """From what :meth:`described` returned."""
        factors = np.array([float(value) for value in described["factors"]], dtype=np.float64)
        units = tuple(str(unit) for unit in described.get("units", ()))
        return cls(units, factors, str(described.get("source", "announced")), str(described.get("by", "")))


def of_stream(spec: StreamSpec, announced: Sequence[str], n_channels: int) -> StreamUnits:
    """Units of a stream, by what it announces and what the contract says.

    Parameters
    ----------
    spec : the line of the contract; its ``unit`` applies to every measured channel.
    announced : unit text of each channel, empty where the source announces none.
    n_channels : of the stream.

    Raises
    ------
    BadSignal
        A unit that differs from the contract, that is unknown or unstated and neither declared nor waived,
        channels of another kind among those that are decoded, or a contract without a unit. The text is a phrase
        about the stream.
    """
    texts = tuple(announced) if announced else ("",) * n_channels
    parsed = [parse(text) for text in texts]
    if spec.role != "signal":
        return _recorded(spec, texts, parsed)
    names = spec.channels or tuple(str(k + 1) for k in range(n_channels))
    decoded = spec.measured or names
    measured = {name: unit for name, unit in zip(names, parsed) if name in decoded}
    unclear = {name: unit for name, unit in measured.items() if _says_nothing(unit, spec)}
    expected = parse(spec.unit)
    _refuse_others(spec, expected, {name: unit for name, unit in measured.items() if name not in unclear})
    source, by = "announced", ""
    if unclear:
        source, by = _stated(spec, list(unclear), [unit.text for unit in unclear.values()])
    if expected.kind is Kind.UNSTATED and source != "waived":
        # Quality lights and montage go by the contract: without a unit no amplitude would be judged.
        raise BadSignal(Message("units.contract_has_none"))
    factor = {name: unit.factor for name, unit in measured.items()}
    if source == "declared":
        factor |= dict.fromkeys(unclear, expected.factor)
    return StreamUnits(texts, np.array([factor.get(name, 1.0) for name in names]), source, by)


def _recorded(spec: StreamSpec, texts: tuple[str, ...], parsed: Sequence[Unit]) -> StreamUnits:
    """Units of a stream that is not decoded: the announced units apply, unless the contract says otherwise."""
    stated = sorted({unit.text for unit in parsed if unit.kind is not Kind.UNSTATED})
    others = [text for text in stated if not same(text, spec.unit)]
    if spec.channels and spec.unit and others:
        raise BadSignal(Message("units.other", units=[repr(text) for text in others], expected=repr(spec.unit)))
    return StreamUnits(texts, np.array([unit.factor for unit in parsed]), "recorded")


def _refuse_others(spec: StreamSpec, expected: Unit, clear: Mapping[str, Unit]) -> None:
    """Refuse a channel whose clear unit is not the expected one, and a unit that no biopotential has."""
    for name, unit in clear.items():
        if expected.kind is not Kind.UNSTATED and not same(unit.text, spec.unit):
            got = repr(unit.text)
            raise BadSignal(
                Message("units.other_in_channel", channel=repr(name), unit=got, expected=repr(spec.unit))
            )
    if expected.kind is Kind.OTHER and is_biopotential(spec.type) and not spec.unit_waived:
        remedy = Message("units.declare")
        raise BadSignal(Message("units.no_voltage", unit=repr(spec.unit), type=repr(spec.type), remedy=remedy))


_INDEFINITE = frozenset(("counts", "arbitrary", "code"))
"""Known words that state no size; of a biopotential they say as little as nothing."""


def _says_nothing(unit: Unit, spec: StreamSpec) -> bool:
    """Whether a unit leaves open by how much a channel is to be scaled."""
    if unit.kind is Kind.OTHER:
        return unit.symbol in _INDEFINITE and is_biopotential(spec.type)
    return unit.kind is not Kind.VOLTAGE


def _stated(spec: StreamSpec, channels: Sequence[str], texts: Sequence[str]) -> tuple[str, str]:
    """Source of a unit that the stream does not make clear: declared or waived, or refused."""
    if spec.unit_declared_by.strip():
        if parse(spec.unit).kind in (Kind.UNKNOWN, Kind.UNSTATED):
            raise BadSignal(Message("units.unknown", unit=repr(spec.unit), by=spec.unit_declared_by))
        return "declared", spec.unit_declared_by.strip()
    if spec.unit_waived.strip():
        return "waived", spec.unit_waived.strip()
    stated = sorted({text for text in texts if parse(text).kind is not Kind.UNSTATED})
    what = Message("units.not_announced")
    if stated:
        what = Message("units.without_size", units=[repr(text) for text in stated])
    if len(channels) != len(spec.measured):
        what = Message("units.of_channels", what=what, channels=list(channels[:6]))
    raise BadSignal(Message("units.and_remedy", what=what, remedy=Message("units.declare")))


def implausible(rms_uv: Sequence[float]) -> Message | None:
    """A phrase when the amplitude of a montage, as it is declared, cannot come from a body; None when it can.

    Parameters
    ----------
    rms_uv : root mean square about the mean of each channel, µV; the median is judged, so that single flat or
        loose electrodes do not count.
    """
    if not len(rms_uv):
        return None
    median = float(np.median(np.asarray(rms_uv, dtype=np.float64)))
    low, high = PLAUSIBLE_UV
    if low <= median <= high:
        return None
    return Message("units.implausible", n=f"{median:.3g}", low=f"{low:g}", high=f"{high:g}")


def epochs_uv(X: Any, *, fs: float | None = None) -> Any:
    """Epochs as arrays in µV, from arrays or MNE; the door of ``fit`` and ``predict``.

    Parameters
    ----------
    X : ``(n_epochs, n_channels, n_times)`` in µV, or ``mne.Epochs``, which are in V by definition and are scaled;
        or a list of such Epochs, as scikit-learn makes in a cross-validation.
    fs : rate in Hz that the decoder works at; the one that Epochs carry must be the same.

    Returns
    -------
    The array as it came, or ``(n_epochs, n_channels, n_times)`` float64, µV, of Epochs.

    Raises
    ------
    BadValue
        Epochs of another rate.
    BadSignal
        Epochs with channels that are not voltages, or an array whose amplitude says that it is in V.
    """
    if hasattr(X, "get_data") and hasattr(X, "info"):
        return _of_mne(X, fs)
    if isinstance(X, list | tuple) and X and hasattr(X[0], "get_data"):
        # scikit-learn splits what it does not know item by item, so Epochs come back as a list of single epochs.
        return np.concatenate([_of_mne(item, fs) for item in X])
    refuse_volts(np.asarray(X))
    return X


def _of_mne(epochs: Any, fs: float | None) -> FloatArray:
    """MNE keeps every voltage in V (https://mne.tools, documentation of ``mne.Info``)."""
    rate = float(epochs.info["sfreq"])
    # MNE computes rates from intervals in some formats: a millionth is rounding, not another rate.
    if fs is not None and abs(rate - fs) > 1e-6 * fs:
        raise BadValue(Message("signal.epochs_rate", rate=f"{rate:g}", fs=f"{fs:g}"))
    other_types = sorted({kind for kind in epochs.get_channel_types() if not is_biopotential(kind)})
    if other_types:
        raise BadSignal(Message("signal.epochs_types", types=list(other_types)))
    return from_mne(epochs.get_data(copy=False))


def from_mne(volts: NDArray[Any]) -> FloatArray:
    """Voltages as MNE has them, any shape, in µV, float64."""
    return np.asarray(volts, dtype=np.float64) * parse("V").factor


def refuse_volts(samples: NDArray[Any]) -> None:
    """Raise :class:`BadSignal` when the amplitude of ``(…, n_times)`` samples says that they are in V, not µV."""
    if samples.ndim < 2 or not samples.size or samples.dtype.kind not in "fiu":
        return
    # A value that is not finite, or too large to square, says nothing about the unit; the caller refuses it.
    spread = samples[(np.abs(samples) < BEYOND_UV).all(axis=-1)].std(axis=-1)
    spread = spread[spread > 0]
    typical = float(np.median(spread)) if spread.size else 1.0
    if typical < VOLT_LIKE_UV:
        raise BadSignal(Message("signal.volts", sd=f"{typical:.2g}"))
