"""Names of our decoders in other libraries, and their methods that are left out, with the reason.

Names were looked up in the public sources of MetaBCI (``brainda.algorithms``), pyRiemann, MNE-Python and meegkit.
"""

from __future__ import annotations

ELSEWHERE: dict[str, str] = {
    "bandpower_lda": "MetaBCI: band power with SKLDA; scikit-learn: LinearDiscriminantAnalysis with shrinkage",
    "bandpower_level": "scikit-learn: Ridge on band power; a state by LogisticRegression beside it",
    "bandpower_ridge": "MNE: ReceptiveField and TimeDelayingRidge on band power; scikit-learn: Ridge",
    "bandpower_svm": "scikit-learn: SVC on band power",
    "cycle_phase": "gaitmap: events of strides, afterwards; scikit-learn: LDA on band power",
    "csp_lda": "MetaBCI: CSP, MultiCSP; MNE: CSP; pyRiemann: spatialfilters.CSP",
    "fbcsp": "MetaBCI: FBCSP, FBMultiCSP",
    "kalman": "Neural_Decoding: KalmanFilterDecoder",
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
