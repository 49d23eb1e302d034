"""Parameters of a simulated participant: one frozen, hashed table per preset, each number with its reason.

The parameters are justified by physiology and never by a decoder's score. Data generated from them are
simulated, are labelled so wherever they go, and are never evidence.

References
----------
.. [1] Miller KJ, Sorensen LB, Ojemann JG, den Nijs M (2009). Power-law scaling in the brain surface
   electric potential. PLoS Comput Biol 5(12):e1000609. doi:10.1371/journal.pcbi.1000609
.. [2] Pfurtscheller G, Lopes da Silva FH (1999). Event-related EEG/MEG synchronization and
   desynchronization: basic principles. Clin Neurophysiol 110(11):1842-1857.
   doi:10.1016/S1388-2457(99)00141-8
.. [3] Wang W, Collinger JL, Degenhart AD, et al. (2013). An electrocorticographic brain interface in an individual
   with tetraplegia. PLoS ONE 8(2):e55344. doi:10.1371/journal.pone.0055344
.. [4] Shibasaki H, Hallett M (2006). What is the Bereitschaftspotential? Clin Neurophysiol 117(11):2341-2356.
   doi:10.1016/j.clinph.2006.04.025
"""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import asdict, dataclass, replace

from workbench.errors import UnknownName
from workbench.messages import Message

Weights = tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Physiology:
    """Parameters of one preset. Amplitudes are RMS in µV, frequencies Hz, times s, lengths mm.

    Attributes
    ----------
    name, kind, fs, channels, positions_mm : the montage; positions on a flattened cortex or scalp.
    mixing_mm, rhythm_mixing_mm : length constant of the exponential fall of a source with distance, for the
        background and for what follows intent (mu, beta, high gamma); 0 = each electrode has its own.
    background_uv, corner_hz, exponent_low, knee_hz, exponent_high : 1/f background (power spectral
        exponents below and above the knee; flat below the corner).
    mu_hz, beta_hz : centre and half width at half power of the rhythms; mu_uv, beta_uv their RMS.
    alpha_uv, alpha_weights : posterior alpha that does not follow intent.
    gamma_hz : band of the background whose amplitude rises with activity.
    amplifier_uv : white noise of the amplifier.
    erd, gamma_gain : ranges from which a participant's desynchronisation (fraction of band power) and
        high-gamma gain (fraction of amplitude) are drawn.
    tau_s : time constant of the causal rise and fall.
    rebound, rebound_s : beta rebound (fraction of band power) and when it runs, after the stop.
    start_s, stop_s : mean, standard deviation, least and greatest reaction time to a cue and to its end.
    patterns : name of an intent and the weight of each source in it, 0–1.
    slow_uv, slow_s : greatest negative potential before a movement, µV where the weight is 1, and how long before
        it begins; 0 for none. A reaction to a cue must then take at least as long.
    """

    name: str
    kind: str
    fs: float
    channels: tuple[str, ...]
    positions_mm: tuple[tuple[float, float], ...]
    mixing_mm: float
    rhythm_mixing_mm: float
    background_uv: float
    corner_hz: float
    exponent_low: float
    knee_hz: float
    exponent_high: float
    mu_hz: tuple[float, float]
    mu_uv: float
    beta_hz: tuple[float, float]
    beta_uv: float
    alpha_uv: float
    alpha_weights: Weights
    gamma_hz: tuple[float, float]
    amplifier_uv: float
    erd: tuple[float, float]
    gamma_gain: tuple[float, float]
    tau_s: float
    rebound: float
    rebound_s: tuple[float, float]
    start_s: tuple[float, float, float, float]
    stop_s: tuple[float, float, float, float]
    patterns: tuple[tuple[str, Weights], ...]
    slow_uv: float = 0.0
    slow_s: float = 0.0

    def sha256(self) -> str:
        """Hash of every parameter, over canonical JSON; a preset without slow potentials keeps its older hash."""
        parameters = asdict(self)
        if not self.slow_uv:
            del parameters["slow_uv"], parameters["slow_s"]
        text = json.dumps(parameters, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()


REASONS = {
    "mixing_mm": "dura and fluid blur epidural potentials over about 10 mm, skull and scalp over about 50 mm",
    "rhythm_mixing_mm": "on the cortex the generators that follow intent are local to an electrode; the skull "
    "blurs them like the rest",
    "background_uv": "surface potentials of the resting cortex are tens of µV, of the scalp about ten",
    "corner_hz": "the power law does not hold below about 1 Hz, where amplifiers also cut",
    "exponent_low": "about 2 below a knee near 70 Hz on the cortex [1]; scalp EEG about 1 to 1.5",
    "knee_hz": "near 70 Hz [1]",
    "exponent_high": "4.0 ± 0.1 from 80 to 500 Hz [1]; shape constant, amplitude rises with activity",
    "mu_hz": "Rolandic mu, 10 ± 2 Hz [2]",
    "mu_uv": "a peak of about 10 dB over the background of its band, so that the power of the band falls by "
    "nearly the drawn fraction: desynchronisation is defined on band power [2]",
    "beta_hz": "sensorimotor beta, 22 ± 5 Hz [2]",
    "beta_uv": "a smaller peak than mu, about 7 dB",
    "alpha_uv": "posterior alpha is the largest rhythm of the scalp; it does not follow the hand",
    "gamma_hz": "60 to 140 Hz follows local activity",
    "amplifier_uv": "input noise of a clinical amplifier, 0.6 to 1 µV",
    "erd": "scalp desynchronisation is 30 to 60 % [2]; weaker and more diffuse after spinal cord injury",
    "gamma_gain": "+20 to +100 % under the dura, attenuated above it",
    "tau_s": "the rhythm follows intent within about a quarter of a second",
    "rebound": "beta rebound is 50 to 100 % [2]; 60 %",
    "rebound_s": "0.5 to 1.3 s after the movement ends [2]",
    "start_s": "attempted movement shows about 0.5 s after the cue: reaction 0.35 s and the rise of tau_s",
    "stop_s": "stopping is a simple reaction, slightly quicker than starting",
    "slow_uv": "the potential before a movement reaches about 10 µV at the vertex [4]",
    "slow_s": "it begins 1 to 2 s before a movement at one's own pace [4]",
    "patterns": "hand area under one end of the strips, falling to a quarter at the other; hand movement is "
    "contralateral with a weaker ipsilateral share, foot movement medial; on a subdural grid high gamma is tuned "
    "to the direction of the movement by a cosine, preferred directions lie mixed over the arm area [3]; of a leg "
    "the ankle lies next to the midline and the hip farthest from it, in areas that overlap; in walking "
    "the joints of a leg are meant together and the legs in turn",
}
"""Why each parameter has the value it has; the presets differ only in the montage behind it."""

_STRIPS = tuple((10.0 * column, 10.0 * row) for row in range(2) for column in range(4))

NEO = Physiology(
    name="neo",
    kind="ECoG",
    fs=1000.0,
    channels=tuple(f"E{i}" for i in range(1, 9)),
    positions_mm=_STRIPS,
    mixing_mm=10.0,
    rhythm_mixing_mm=0.0,
    background_uv=25.0,
    corner_hz=1.0,
    exponent_low=2.0,
    knee_hz=70.0,
    exponent_high=4.0,
    mu_hz=(10.0, 2.0),
    mu_uv=16.0,
    beta_hz=(22.0, 5.0),
    beta_uv=8.0,
    alpha_uv=0.0,
    alpha_weights=(0.0,) * 8,
    gamma_hz=(60.0, 140.0),
    amplifier_uv=0.8,
    erd=(0.25, 0.45),
    gamma_gain=(0.10, 0.35),
    tau_s=0.25,
    rebound=0.6,
    rebound_s=(0.5, 1.3),
    start_s=(0.35, 0.06, 0.20, 0.60),
    stop_s=(0.30, 0.05, 0.15, 0.50),
    patterns=(("grasp", tuple(1.0 - 0.75 * i / 7 for i in range(8))),),
)

_SCALP = {
    "FC3": (-70, 35), "FCz": (0, 35), "FC4": (70, 35),
    "C5": (-105, 0), "C3": (-70, 0), "C1": (-35, 0), "Cz": (0, 0), "C2": (35, 0), "C4": (70, 0), "C6": (105, 0),
    "CP3": (-70, -35), "CPz": (0, -35), "CP4": (70, -35),
    "P3": (-60, -70), "Pz": (0, -70), "P4": (60, -70),
}  # fmt: skip
_LEFT_SIDE = {"C3": 1.0, "CP3": 0.8, "C1": 0.6, "FC3": 0.6, "C5": 0.6}
_RIGHT_SIDE = {"C4": 1.0, "CP4": 0.8, "C2": 0.6, "FC4": 0.6, "C6": 0.6}
_IPSILATERAL = 0.3


def _scalp(**share: float) -> Weights:
    """Weights of the scalp sources: ``left`` and ``right`` hemisphere, ``middle`` for the foot area."""
    middle = {"Cz": 1.0, "FCz": 0.6, "CPz": 0.6}
    parts = ((_LEFT_SIDE, "left"), (_RIGHT_SIDE, "right"), (middle, "middle"))
    return tuple(sum(area.get(name, 0.0) * share.get(key, 0.0) for area, key in parts) for name in _SCALP)


EEG = Physiology(
    name="eeg",
    kind="EEG",
    fs=250.0,
    channels=tuple(_SCALP),
    positions_mm=tuple((float(x), float(y)) for x, y in _SCALP.values()),
    mixing_mm=50.0,
    rhythm_mixing_mm=50.0,
    background_uv=10.0,
    corner_hz=1.0,
    exponent_low=1.25,
    knee_hz=70.0,
    exponent_high=1.25,
    mu_hz=(10.0, 2.0),
    mu_uv=5.0,
    beta_hz=(22.0, 5.0),
    beta_uv=2.5,
    alpha_uv=8.0,
    alpha_weights=tuple(1.0 if name.startswith("P") else 0.0 for name in _SCALP),
    gamma_hz=(60.0, 120.0),
    amplifier_uv=0.8,
    erd=(0.30, 0.60),
    gamma_gain=(0.0, 0.0),
    tau_s=0.25,
    rebound=0.6,
    rebound_s=(0.5, 1.3),
    start_s=(0.35, 0.06, 0.20, 0.60),
    stop_s=(0.30, 0.05, 0.15, 0.50),
    patterns=(
        ("left", _scalp(right=1.0, left=_IPSILATERAL)),
        ("right", _scalp(left=1.0, right=_IPSILATERAL)),
        ("hands", _scalp(left=1.0, right=1.0)),
        ("feet", _scalp(middle=1.0)),
    ),
)

MRCP = replace(
    EEG,
    name="mrcp",
    # Asked to prepare and to move 2 s after the cue.
    start_s=(2.0, 0.15, 1.6, 2.4),
    patterns=(("hand", _scalp(middle=1.0, left=0.3, right=0.15)), ("foot", _scalp(middle=1.0))),
    slow_uv=10.0,
    slow_s=1.5,
)
"""Scalp EEG with a slow negative potential before each movement, which is prepared for 2 s after its cue."""

DIRECTIONS = {"right": (1.0, 0.0), "up": (0.0, 1.0), "left": (-1.0, 0.0), "down": (0.0, -1.0)}
"""Intents that are movements of a cursor, and their unit vectors; a movement between two is some of both."""


def _tuned(n: int) -> tuple[tuple[str, Weights], ...]:
    """Cosine tuning: weights of ``n`` sources whose preferred directions lie evenly around the circle, mixed.

    A source is as active as the movement goes its way, and not below its rest.
    """
    # 7 and 16 share no factor: each direction occurs once, and neighbours on the grid prefer different ones.
    angles = [2 * math.pi * (7 * i % n) / n for i in range(n)]
    return tuple(
        (name, tuple(max(0.0, x * math.cos(angle) + y * math.sin(angle)) for angle in angles))
        for name, (x, y) in DIRECTIONS.items()
    )


GRID = replace(
    NEO,
    name="grid",
    fs=500.0,
    channels=tuple(f"G{i}" for i in range(1, 17)),
    positions_mm=tuple((4.0 * column, 4.0 * row) for row in range(4) for column in range(4)),
    mixing_mm=4.0,
    alpha_weights=(0.0,) * 16,
    gamma_gain=(0.20, 1.00),
    patterns=_tuned(16),
)
"""Subdural grid over the arm area of the motor cortex."""

_ARRAY = tuple((4.0 * column, 4.5 * row) for row in range(4) for column in range(4))
"""Places of the electrodes of one side, mm, the first column beside the midline."""
_JOINT_AT = {"ankle": (0.0, 6.75), "knee": (6.0, 6.75), "hip": (12.0, 6.75)}
_JOINT_MM = 6.0
"""Length over which the activity of a joint's area falls, mm."""


def _joint(side: str, joint: str) -> tuple[str, Weights]:
    """Weights of a joint's movement on both arrays, the left hemisphere first; the opposite one leads."""
    area = [math.exp(-math.dist(place, _JOINT_AT[joint]) / _JOINT_MM) for place in _ARRAY]
    shares = (_IPSILATERAL, 1.0) if side == "left" else (1.0, _IPSILATERAL)
    return f"{side}_{joint}", tuple(share * weight for share in shares for weight in area)


LEGS = replace(
    NEO,
    name="legs",
    fs=500.0,
    channels=tuple(f"{side}{i}" for side in "LR" for i in range(1, 17)),
    # The two hemispheres lie apart: what blurs within a side hardly reaches the other.
    positions_mm=(*((-10.0 - x, y) for x, y in _ARRAY), *((10.0 + x, y) for x, y in _ARRAY)),
    alpha_weights=(0.0,) * 32,
    patterns=tuple(_joint(side, joint) for side in ("left", "right") for joint in ("hip", "knee", "ankle")),
)
"""Two epidural arrays over the leg areas, with the amplitudes, reactions and noise of the epidural strips."""

_JOINTS = tuple(weights for _, weights in LEGS.patterns)
GAIT = replace(
    LEGS,
    name="gait",
    patterns=(("walk", tuple(sum(shares) / 2 for shares in zip(*_JOINTS, strict=True))),),
)
"""The same arrays in somebody who walks: the joints of a leg together and the legs in turn, so that each is meant
half of the time."""

PRESETS = {preset.name: preset for preset in (NEO, EEG, MRCP, GRID, LEGS, GAIT)}


def preset(name: str) -> Physiology:
    """The preset of that name.

    Raises
    ------
    UnknownName
        The text lists the presets.
    """
    if name not in PRESETS:
        raise UnknownName(Message("simulated.preset", name=repr(name), known=list(PRESETS)))
    return PRESETS[name]
