"""The decoder and its parameters for each paradigm, fixed before the first evaluation.

They come from the papers that the decoders name and from the simulators, never from the recordings that are
judged. ``window_s`` is measured from the cue; every epoch carries a lead-in in front of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from workbench import decoders
from workbench.errors import BadValue, UnknownName

if TYPE_CHECKING:
    from workbench.evaluation._contract import Dataset

FEW_CHANNELS = 8
"""With fewer channels spatial filters have too little to work with, and band power takes their place."""


@dataclass(frozen=True, slots=True)
class Default:
    """A decoder with its parameters, and why.

    Attributes
    ----------
    decoder : name. params : of its constructor. few : decoder for fewer channels than :data:`FEW_CHANNELS`,
        ``""`` where it is the same. reason : one sentence with its source.
    """

    decoder: str
    reason: str
    params: Mapping[str, Any] = field(default_factory=dict)
    few: str = ""
    others: tuple[str, ...] = ()
    """Decoders of the same paradigm, for comparison."""


DEFAULTS: dict[str, Default] = {
    "motor_imagery": Default(
        "csp_lda",
        "8–30 Hz and three pairs of filters, as in Ramoser et al. 2000; with few channels log band power and LDA, "
        "as in Pfurtscheller and Neuper 2001",
        few="bandpower_lda",
        others=("bandpower_svm", "fbcsp", "riemann_mdm", "tangent_space_lda", "fgmdm"),
    ),
    "self_paced_eeg": Default(
        "tangent_space_lda",
        "covariances of 2 s at 8–30 Hz in tangent space (Barachant et al. 2012), and a detector of their running "
        "mean, set for one false onset in two minutes of held-out rest; chosen on runs 3 to 6 of S001 of the "
        "motor data base, which are not judged",
        decoders.SELF_PACED_EEG,
        few="bandpower_lda",
        others=("csp_lda", "fgmdm"),
    ),
    "emg_gestures": Default(
        "emg_lda",
        "four time-domain features of windows of 0.25 s and a linear discriminant, as in Hudgins et al. 1993 and "
        "Englehart and Hudgins 2003",
        others=("tangent_space_lda", "bandpower_lda"),
    ),
    "slow_potentials": Default(
        "mrcp_lda",
        "the slow potential itself, samples at 16 Hz and a shrinkage LDA; the whole epoch and no high-pass, for "
        "the task is a shift of the baseline over seconds (Birbaumer et al. 1999)",
        {"band": (0.0, 7.0), "reference": "none"},
    ),
    "ssvep": Default(
        "fbcca",
        "needs no calibration and no phase lock of stimulus and cue (Chen et al. 2015)",
        others=("cca",),
    ),
    "p300": Default(
        "xdawn_tangent_space",
        "xDAWN filters (Rivet et al. 2009), then the covariance of prototype and signal in tangent space",
        others=("xdawn_lda",),
    ),
}


def all_of(paradigm: str, *, n_channels: int) -> tuple[str, ...]:
    """The paradigm's default, then the decoders it can be compared with."""
    name, _ = default_of(paradigm, n_channels=n_channels)
    default = DEFAULTS[paradigm]
    # Without repeats and in order: the default of few channels may be the paradigm's own.
    return tuple(dict.fromkeys((name, *filter(None, (default.decoder, default.few)), *default.others)))


def default_of(paradigm: str, *, n_channels: int) -> tuple[str, dict[str, Any]]:
    """Name and parameters of the paradigm's decoder. Raises UnknownName with the paradigms there are."""
    if paradigm not in DEFAULTS:
        raise UnknownName(f"no default for paradigm {paradigm!r}; there are {', '.join(DEFAULTS)}")
    default = DEFAULTS[paradigm]
    # Parameters of the other decoder do not apply to this one, so it gets its own defaults.
    few = default.few and n_channels < FEW_CHANNELS
    return (default.few, {}) if few else (default.decoder, dict(default.params))


def chosen(
    dataset: Dataset, *, decoder: str, params: Mapping[str, Any] | None, fs: float, n_channels: int
) -> tuple[str, dict[str, Any]]:
    """Name and parameters of the decoder that is judged.

    Parameters
    ----------
    dataset : its paradigm has a default, and it may know parameters.
    decoder : name, ``""`` for the default. params : requested ones.
    fs : rate in Hz. n_channels : of the recordings.

    Raises
    ------
    BadValue
        For a requested parameter that the decoder does not have or cannot take.
    """
    default, default_params = default_of(dataset.paradigm, n_channels=n_channels)
    name, requested = decoder or default, params or {}
    decoder_class = decoders.load(name)
    names = decoder_class.parameter_names()
    for key in requested:
        if key not in names:
            raise BadValue(f"{name} has no parameter {key!r}; it has {', '.join(names)}")
    # Later ones win: the caller's over the data set's over the paradigm's.
    candidates = {**(default_params if name == default else {}), **dataset.parameters, **requested}
    used = {key: value for key, value in candidates.items() if key in names}
    try:
        # Designing the settings already fails for a value of the wrong type, before any fit.
        decoder_class(fs, **used).settings_for(n_channels)
    except TypeError as error:
        problem = f"{name} cannot take {dict(requested)} ({error})"
        raise BadValue(f"{problem}; give numbers where it wants numbers") from error
    return name, used
