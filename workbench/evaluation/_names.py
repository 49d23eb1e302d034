"""Names of our decoders in other libraries, and their methods that are left out, with the reason.

Names were looked up in the public sources of MetaBCI (``brainda.algorithms``), pyRiemann, MNE-Python and meegkit.
"""

from __future__ import annotations

ELSEWHERE: dict[str, str] = {
    "activity_level": "BioSPPy: onsets of EMG; scikit-learn: LDA on band power",
    "bandpower_lda": "MetaBCI: band power with SKLDA; scikit-learn: LinearDiscriminantAnalysis with shrinkage",
    "bandpower_level": "scikit-learn: Ridge on band power; a state by LogisticRegression beside it",
    "bandpower_ridge": "MNE: ReceptiveField and TimeDelayingRidge on band power; scikit-learn: Ridge",
    "bandpower_svm": "scikit-learn: SVC on band power",
    "cycle_phase": "gaitmap: events of strides, afterwards; scikit-learn: LDA on band power",
    "csp_lda": "MetaBCI: CSP, MultiCSP; MNE: CSP; pyRiemann: spatialfilters.CSP",
    "fbcsp": "MetaBCI: FBCSP, FBMultiCSP",
    "emg_envelope": "scikit-learn: Ridge on the root mean square, without pulses",
    "emg_lda": "LibEMG: feature set HTD with LDA",
    "kalman": "Neural_Decoding: KalmanFilterDecoder",
    "rew_mslm": "no open implementation found; scikit-learn: PLSRegression for gate and experts, afterwards",
    "rew_pls": "scikit-learn: PLSRegression, where nothing is forgotten",
    "riemann_mdm": "MetaBCI: MDRM; pyRiemann: MDM",
    "tangent_space_lda": "MetaBCI: TSClassifier; pyRiemann: TangentSpace",
    "fgmdm": "MetaBCI: FgMDRM; pyRiemann: FgMDM",
    "mrcp_lda": "MNE: resampled epochs with Vectorizer and LDA",
    "cca": "MetaBCI: SCCA; scikit-learn: CCA",
    "fbcca": "MetaBCI: FBSCCA",
    "ecca": "MetaBCI: ECCA, FBECCA",
    "mset_cca": "MetaBCI: MsetCCA, FBMsetCCA",
    "trca": "MetaBCI: TRCA, FBTRCA; meegkit: trca.TRCA without ensemble",
    "etrca": "MetaBCI: TRCA with ensemble; meegkit: trca.TRCA with ensemble",
    "tdca": "MetaBCI: TDCA, FBTDCA",
    "wiener": "Neural_Decoding: WienerFilterDecoder; scikit-learn: RidgeCV on lagged features",
    "xdawn_lda": "MNE: Xdawn; pyRiemann: Xdawn with LDA",
    "xdawn_tangent_space": "pyRiemann: XdawnCovariances with TangentSpace",
    "errp": "pyRiemann: XdawnCovariances on feedback epochs",
}
"""Decoder → its name elsewhere."""

MECHANISMS: tuple[tuple[str, str, str], ...] = (
    ("MetaBCI dynamic_stopping.bayes", "evidence setting for stopping by calibrated confidence", "covered"),
    ("MetaBCI recenter, rescale, rotate; pyRiemann transfer", "recentre, rescale, procrustes", "covered"),
    ("MetaBCI RecursiveAlignment", "adaptation by recentring", "covered"),
    ("MetaBCI SKLDA", "the shrinkage LDA inside every linear decoder", "covered"),
    ("MetaBCI dynamic_stopping.lda, ce", "", "left out: the calibrated posterior needs no second classifier"),
    ("MetaBCI ItCCA, TtCCA, MsCCA, MsetCCAR", "", "left out: ecca and trca work on the same templates"),
    ("MetaBCI TRCAR, sceTRCA", "", "left out: variants of trca for few trials; cca needs none at all"),
    ("MetaBCI SSCOR", "", "left out: solves the same problem as trca with another normalisation"),
    ("MetaBCI DSP, DCPM", "", "left out: tdca is the later form of the same discriminant"),
    ("MetaBCI STDA", "", "left out: xdawn_lda reduces space and time in one step less"),
    ("MetaBCI SPoC", "", "left out: bandpower_ridge weighs the channels in the regression itself"),
    ("MetaBCI FGDA, RiemannCSP, RSF", "", "left out: fgmdm and tangent_space_lda cover the geometry"),
    ("MetaBCI LST, MEKT, SAME", "", "left out: transfer between people; recentring covers one person's sessions"),
    (
        "MetaBCI deep_learning",
        "",
        "left out: no calibration of minutes trains them, and their bits are not reproducible",
    ),
)
"""Name elsewhere, name here, and whether it is covered."""

_LEVEL = "`activity_level`, `measure="
GATES: tuple[tuple[str, str, str, str], ...] = (
    (
        "a muscle is active, from its onset",
        f'{_LEVEL}"muscle"`',
        '`["above", 1.0]`',
        "Solnik et al. 2010, doi:10.1007/s00421-010-1521-8",
    ),
    (
        "the eyes are still: no blink, no eye movement",
        f'{_LEVEL}"eyes"`',
        '`["below", 1.0]`',
        "Fatourechi et al. 2007, doi:10.1016/j.clinph.2006.10.019",
    ),
    (
        "the workload is no higher than in the calibration",
        f'{_LEVEL}"workload"`',
        '`["below", 1.0]`',
        "Smith et al. 2001, Human Factors 43, 366–380",
    ),
    (
        "a stretch of each breath, such as expiration",
        "`cycle_phase`, `bands=[[0.1, 0.6]]`, `channel=0`, `window_s=20`",
        "`[0.5, 0.95]`",
        "Park et al. 2020, doi:10.1038/s41467-019-13967-9",
    ),
    (
        "another decoder names a class",
        "any of probabilities",
        '`["grasp", 0.6]`',
        "Pfurtscheller et al. 2010, doi:10.3389/fnpro.2010.00003",
    ),
)
"""What opens a gate, the decoder that says it, the rule, and the paper."""

BESIDE_DECODERS: tuple[tuple[str, str, str], ...] = (
    (
        "contractions of a muscle by the Teager-Kaiser energy",
        "`signals.emg.energy_contractions`",
        "Solnik et al. 2010, doi:10.1007/s00421-010-1521-8",
    ),
    (
        "the same by two thresholds",
        "`signals.emg.double_threshold_contractions`",
        "Bonato et al. 1998, doi:10.1109/10.661154",
    ),
    ("envelope of EMG between the pulses of a stimulator", "`signals.emg.envelope`, `without_template`", "ours"),
    (
        "steps by the angular velocity of a shank",
        "`signals.gait.steps`",
        "Aminian et al. 2002, doi:10.1016/S0021-9290(02)00008-8",
    ),
    (
        "amplitude of an evoked compound action potential",
        "`signals.ecap.without_exponentials`, `ecap`",
        "Chakravarthy et al. 2020, doi:10.2147/JPR.S289098",
    ),
    (
        "current that holds such a response",
        "`control.next_pulse`",
        "Parker et al. 2020, doi:10.1049/htl.2019.0110",
    ),
    (
        "envelope over the phases of strides, target of the best, how they follow it",
        "`signals.strides.by_phase`, `target`, `tracking`",
        "ours",
    ),
    (
        "stimulation that is learned from stride to stride",
        "`control.next_stride`",
        "Freeman et al. 2012, doi:10.1109/MCS.2011.2173261",
    ),
    (
        "what was meant while a cursor was driven (ReFIT)",
        '`decoders.load("kalman").refit`',
        "Gilja et al. 2012, doi:10.1038/nn.3265",
    ),
)
"""What is computed beside the decoders, where, and by which paper."""
