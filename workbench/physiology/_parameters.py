"""Parameters of the models: frozen tables with their sources. None was ever changed for a decoder's score.

Where a source's figure was read (abstract, table or figure text), it stands beside the number. ``P`` marks a
proposal of ours: a plausible number without a source that we read, which changes how strong an effect is and not
whether it is there. ``docs/physiology.md`` prints both.

References
----------
.. [1] Wallace DM, Ross BH, Thomas CK (2005). Motor unit behavior during clonus. J Appl Physiol 99(6):2166-2172.
   doi:10.1152/japplphysiol.00649.2005
.. [2] Zijdewind I, Bakels R, Thomas CK (2014). Motor unit firing rates during spasms in thenar muscles of spinal
   cord injured subjects. Front Hum Neurosci 8:922. doi:10.3389/fnhum.2014.00922
.. [3] Hofstoetter US, Freundl B, Binder H, Minassian K (2018). Common neural structures activated by epidural and
   transcutaneous lumbar spinal cord stimulation. PLoS ONE 13(1):e0192013. doi:10.1371/journal.pone.0192013
.. [4] Danner SM, Krenn M, Hofstoetter US, et al. (2016). Body position influences which neural structures are
   recruited by lumbar transcutaneous stimulation. PLoS ONE 11(1):e0147479. doi:10.1371/journal.pone.0147479
.. [5] Saito A, Masugi Y, Nakagawa K, Obata H, Nakazawa K (2019). Repeatability of spinal reflexes of lower limb
   muscles evoked by transcutaneous spinal cord stimulation. PLoS ONE 14(4):e0214818.
   doi:10.1371/journal.pone.0214818
.. [6] Sayenko DG, Atkinson DA, Dy CJ, et al. (2015). Spinal segment-specific transcutaneous stimulation
   differentially shapes activation pattern among motor pools in humans. J Appl Physiol 118(11):1364-1374.
   doi:10.1152/japplphysiol.01128.2014
.. [7] Parker JL, Karantonis DM, Single PS, Obradovic M, Cousins MJ (2012). Compound action potentials recorded in
   the human spinal cord during neurostimulation for pain relief. Pain 153(3):593-601.
   doi:10.1016/j.pain.2011.11.023
.. [8] Mekhail N, Levy RM, Deer TR, et al. (2022). Durability of clinical and quality-of-life outcomes of
   closed-loop spinal cord stimulation for chronic back and leg pain. JAMA Neurol 79(3):251-260.
   doi:10.1001/jamaneurol.2021.4998
.. [9] Nooijen CFJ, ter Hoeve N, Field-Fote EC (2009). Gait quality is improved by locomotor training in
   individuals with SCI regardless of training approach. J NeuroEng Rehabil 6:36. doi:10.1186/1743-0003-6-36
.. [10] Lorach H, Galvez A, Spagnolo V, et al. (2023). Walking naturally after spinal cord injury using a
   brain-spine interface. Nature 618:126-133. doi:10.1038/s41586-023-06094-5
.. [11] Yee B, Nightingale TE, Ramirez AL, Walter M, Krassioukov AV (2021). Heart rate changes associated with
   autonomic dysreflexia in daily life of individuals with chronic spinal cord injury. medRxiv.
   doi:10.1101/2021.05.08.21256033
.. [12] Rosado-Rivera D, Radulovic M, Handrakis JP, et al. (2011). Comparison of 24-hour cardiovascular and
   autonomic function in paraplegia, tetraplegia, and control groups. J Spinal Cord Med 34(4):395-403. PMC3152811
.. [13] Klein CS, Häger-Ross CK, Thomas CK (2006). Fatigue properties of human thenar motor units paralysed by
   chronic spinal cord injury. J Physiol 573(1):161-171. PMC1779696
.. [14] Bickel CS, Slade JM, VanHiel LR, Warren GL, Dudley GA (2004). Variable-frequency-train stimulation of
   skeletal muscle after spinal cord injury. J Rehabil Res Dev 41(1):33-40
.. [15] Balbinot G, Li G, Wiest MJ, et al. (2021). Properties of the surface electromyogram following traumatic
   spinal cord injury: a scoping review. J NeuroEng Rehabil 18:105. doi:10.1186/s12984-021-00888-2
"""

from __future__ import annotations

from dataclasses import dataclass

Range = tuple[float, float]

GROUPS = ("quadriceps", "hamstrings", "tibialis anterior", "triceps surae")
"""Muscle groups of a leg that surface EMG records."""
MUSCLES = tuple(f"{side} {group}" for side in ("left", "right") for group in GROUPS)
"""Channels of the EMG."""
POOLS = (*GROUPS, "hip flexors")
"""Motor pools of a leg: those of :data:`GROUPS`, and one that lies too deep for surface EMG."""
CONTACTS = 16
"""Contacts of the lumbar lead: 0 to 7 on the left from rostral to caudal, 8 to 15 on the right."""
EMG_FS, GAIT_FS, ECAP_FS, PRESSURE_FS, SWEEP_FS = 2000.0, 100.0, 50.0, 2.0, 16000.0
"""Rates of EMG, kinematics and gyroscopes, ECAP sweeps (the pulse rate), pressures, and within a sweep, Hz."""
SWEEP = 48
"""Samples of an ECAP sweep from the end of its pulse: 3 ms."""


@dataclass(frozen=True, slots=True)
class Muscle:
    """Surface EMG. Amplitudes in µV RMS unless said, times s, rates Hz.

    Attributes
    ----------
    band_hz : of the interference pattern; 20-450 Hz is the usual pass band of surface EMG [15].
    rises_hz, falls_hz : where its power rises and falls between, so that most of it lies at 50-150 Hz; P.
    rest_uv : baseline of skin and amplifier; P.
    full_uv : range of a full voluntary contraction; P.
    drive_hz, drive_share : band and size of the slow fluctuation of the common drive; P.
    rise_s : time constant with which activation follows effort; P.
    crosstalk : share of a neighbour's amplitude that is also recorded; P.
    residual : grade → range of the share of a full contraction that is left; P; that activity remains below the
        lesion also where it seems absent: [15].
    clonus_hz : mean rates of six persons lay between 4.7 and 7.0 Hz [1]; here from 5, as issue 15 asks.
    spasm_level : mean and spread of a spasm's size, 0.39 and 0.33 of the greatest evoked force in [2], 0.05 to 1.
    spasm_s : median and log spread of its length; clonus lasted up to 30 s in four of six [1]; median P.
    """

    band_hz: Range = (20.0, 450.0)
    rises_hz: float = 60.0
    falls_hz: float = 120.0
    rest_uv: float = 3.0
    full_uv: Range = (200.0, 500.0)
    drive_hz: float = 3.0
    drive_share: float = 0.15
    rise_s: float = 0.1
    crosstalk: float = 0.1
    residual: tuple[tuple[str, Range], ...] = (
        ("A", (0.0, 0.02)), ("B", (0.0, 0.05)), ("C", (0.02, 0.15)), ("D", (0.15, 0.60)),
    )  # fmt: skip
    clonus_hz: Range = (5.0, 7.0)
    spasm_level: Range = (0.39, 0.33)
    spasm_s: Range = (8.0, 0.6)


@dataclass(frozen=True, slots=True)
class Reflex:
    """Posterior-root-muscle reflexes to a lead over the lumbar cord, and what stimulation adds to the EMG.

    Attributes
    ----------
    segment : pool → place of its roots along the cord, in segments: L1 is 0, S2 is 6; proximal muscles lie
        rostral to distal ones [6]; numbers P.
    segment_width : spread of a pool about it, segments; P.
    least_ma : range of the threshold where a contact lies at a pool, at 300 µs; P.
    side_factor : of the threshold across the midline; P.
    spread : log spread of the threshold of a contact and a pool; visit_spread : of one person from visit to visit,
        whose repeatability has intraclass correlations of 0.487 to 0.874 [5]; P within that.
    slope : width of the recruitment sigmoid over its threshold; P.
    chronaxie_us : of the fibres; P.
    latency_ms : pool → onset; thigh muscles before those of the lower leg, the same for epidural and
        transcutaneous but for triceps surae [3]; numbers P.
    full_mv : range of the greatest response, peak to peak; P.
    width_ms : standard deviation of its course; P.
    depression : range of how far a response depletes what the next can use; at 30 ms 14 ± 5 % of it was left,
        supine [4], at 50 ms none [5]. recovery_s : time constant of its return; P.
    artefact_mv : range of the artefact of 1 mA at a muscle, artefact_s : range of its decay; P. clip_mv : where
        the amplifier saturates; P.
    direct_ms : from a pulse on a muscle to its response. direct_mv : its greatest size; P.
    """

    segment: tuple[tuple[str, float], ...] = (
        ("quadriceps", 2.2), ("hamstrings", 4.4), ("tibialis anterior", 3.6), ("triceps surae", 5.4),
        ("hip flexors", 0.6),
    )  # fmt: skip
    segment_width: float = 1.2
    least_ma: Range = (0.8, 1.6)
    side_factor: float = 1.8
    spread: float = 0.10
    visit_spread: float = 0.10
    slope: float = 0.12
    chronaxie_us: float = 250.0
    latency_ms: tuple[tuple[str, float], ...] = (
        ("quadriceps", 10.0), ("hamstrings", 11.0), ("tibialis anterior", 18.0), ("triceps surae", 17.5),
        ("hip flexors", 9.0),
    )  # fmt: skip
    full_mv: Range = (0.5, 3.0)
    width_ms: float = 2.0
    depression: Range = (0.92, 0.98)
    recovery_s: float = 0.6
    artefact_mv: Range = (0.1, 0.5)
    artefact_s: Range = (0.002, 0.004)
    clip_mv: float = 5.0
    direct_ms: float = 4.0
    direct_mv: float = 4.0


@dataclass(frozen=True, slots=True)
class Ecap:
    """Response of the dorsal columns to a pulse on a thoracic lead.

    Attributes
    ----------
    slope_uv_ma : median and log spread of its growth; P. It grows with the current above a threshold and is not
        measurable below it [7].
    threshold_ma : range; P. full_uv : where it saturates; P.
    posture : distance from lead to cord, 1 while sitting; P. The amplitude falls with its square.
    breath_hz, breath_share : of the distance; P. cough_per_min, cough_share, cough_s : P.
    noise_uv : standard deviation of a sample; P. artefact_uv_ma, artefact_s : what is left of the pulse's own
        artefact per mA, and its decay; P.
    n1_s, p2_s : trough and peak after the pulse; P; inside the windows of ``workbench.signals.ecap``.
    """

    slope_uv_ma: Range = (60.0, 0.3)
    threshold_ma: Range = (2.0, 4.5)
    full_uv: float = 500.0
    posture: tuple[tuple[str, float], ...] = (("sitting", 1.0), ("standing", 1.1), ("lying", 0.85))
    breath_hz: float = 0.25
    breath_share: float = 0.02
    cough_per_min: float = 1.0
    cough_share: float = 0.45
    cough_s: float = 0.15
    noise_uv: float = 3.0
    artefact_uv_ma: float = 10.0
    artefact_s: float = 0.00032
    n1_s: float = 0.0008
    p2_s: float = 0.0014


@dataclass(frozen=True, slots=True)
class Gait:
    """Walking as one oscillator with two legs half a cycle apart.

    Attributes
    ----------
    stride_s : length of a stride of somebody strong and of somebody weak; SCI walkers are slower, with shorter
        steps, than others [9]; numbers P.
    variation : its coefficient of variation, strong and weak; P.
    step_m : range of a full step; P. failed_m : a step below 10 cm failed, as in [10].
    need, need_spread : drive that a swing needs without support, and how far that varies; P.
    stimulated : what stimulation at the right phase adds to the drive, opposed : takes at the wrong one; P.
    hip, knee, ankle : joint angles at every tenth of a normal stride from the foot's touch, deg, flexion positive;
        the course every textbook has, read from no data set.
    gyro_noise : deg/s; P. angle_noise : deg; P.
    """

    stride_s: Range = (1.2, 4.0)
    variation: Range = (0.03, 0.15)
    step_m: Range = (0.30, 0.60)
    failed_m: float = 0.10
    need: float = 0.30
    need_spread: float = 0.08
    stimulated: float = 0.30
    opposed: float = 0.25
    hip: tuple[float, ...] = (30.0, 25.0, 17.0, 8.0, -2.0, -9.0, -5.0, 12.0, 27.0, 33.0)
    knee: tuple[float, ...] = (5.0, 16.0, 14.0, 7.0, 4.0, 12.0, 36.0, 59.0, 50.0, 16.0)
    ankle: tuple[float, ...] = (0.0, -5.0, 3.0, 7.0, 10.0, 5.0, -18.0, -8.0, 0.0, 1.0)
    gyro_noise: float = 2.0
    angle_noise: float = 0.5


@dataclass(frozen=True, slots=True)
class Pressure:
    """Blood pressure and heart rate, and dysreflexia.

    Attributes
    ----------
    systolic, rate : group → mean and SD by day; tetraplegia 103 ± 12 mmHg and 70 ± 10 a minute, paraplegia at T6
        or above 115 ± 7 and 87 ± 9, below 114 ± 16 and 87 ± 13 [12].
    diastolic : share of the systolic; P.
    rise : range of the rise at full strength where nobody states it; confirmed episodes had a median of 37 mmHg
        and of -8 beats a minute [11]. begins : strength at which it begins; P.
    rate_per_mmhg : from those medians.
    up_s, down_s : time constants; P.
    mayer_hz, mayer_mmhg, breath_mmhg, noise_mmhg : slow waves, breathing, and the reading; P.
    """

    systolic: tuple[tuple[str, Range], ...] = (
        ("tetraplegia", (103.0, 12.0)), ("high paraplegia", (115.0, 7.0)), ("low paraplegia", (114.0, 16.0)),
    )  # fmt: skip
    rate: tuple[tuple[str, Range], ...] = (
        ("tetraplegia", (70.0, 10.0)), ("high paraplegia", (87.0, 9.0)), ("low paraplegia", (87.0, 13.0)),
    )  # fmt: skip
    diastolic: float = 0.62
    rise: Range = (20.0, 60.0)
    begins: float = 0.3
    rate_per_mmhg: float = -8.0 / 37.0
    up_s: float = 25.0
    down_s: float = 60.0
    mayer_hz: float = 0.1
    mayer_mmhg: float = 2.0
    breath_mmhg: float = 1.5
    noise_mmhg: float = 1.0


@dataclass(frozen=True, slots=True)
class Change:
    """What changes within a visit and from visit to visit.

    Attributes
    ----------
    fatigue_most, fatigue_s : how much of a muscle's response stimulation takes at most, and its time constant in
        seconds of full activation: paralysed thenar units kept 8 to 60 % after 2 min of 13 pulses of 40 Hz a
        second [13]; quadriceps lost 67 % of its torque in 180 contractions [14]. voluntary : what effort costs; P.
    rest_s : time constant of its return; P.
    skill_h : range of the time constant of learning, in hours of practice; P. skill_gain : what full skill adds to
        the voluntary activation; P.
    drift_week : log spread a week of the distance of the lead, as a random walk; P.
    """

    fatigue_most: float = 0.8
    fatigue_s: float = 30.0
    voluntary: float = 0.1
    rest_s: float = 600.0
    skill_h: Range = (5.0, 10.0)
    skill_gain: float = 0.2
    drift_week: float = 0.02


MUSCLE, REFLEX, ECAP, GAIT, PRESSURE, CHANGE = Muscle(), Reflex(), Ecap(), Gait(), Pressure(), Change()
"""The only instances: nothing changes them."""
