"""ISAFSCI, 2nd edition: remaining autonomic function, 0 lost, 1 altered, 2 normal; a profile, no total.

References
----------
Wecht JM, et al. International Standards to document Autonomic Function following SCI (ISAFSCI): second
edition. Top Spinal Cord Inj Rehabil 2021;27(2):23–49.
"""

from __future__ import annotations

from workbench.outcomes._contract import Definition, Item, Subscale
from workbench.outcomes._scoring import Measure, score_sums

NT = "NT"
GRADES = (0, 1, 2)
GENERAL = {
    "heart": "Heart rate",
    "blood_pressure": "Blood pressure",
    "sweating": "Sweating",
    "temperature": "Temperature",
    "bronchopulmonary": "Bronchopulmonary system",
}
SACRAL = {
    "bladder_awareness": "Bladder: awareness of need",
    "bladder_continence": "Bladder: prevention of leakage",
    "bowel_awareness": "Bowel: sensation of need",
    "bowel_continence": "Bowel: prevention of leakage",
    "sexual_arousal": "Sexual: arousal",
    "sexual_orgasm": "Sexual: orgasm",
}
LABELS = {**GENERAL, **SACRAL}

DEFINITION = Definition(
    name="isafsci2",
    version="2021",
    title="International Standards to document Autonomic Function after SCI",
    items=tuple(Item(code, label, GRADES, (NT,)) for code, label in LABELS.items()),
    subscales=(
        *(Subscale(code, label, (code,), 0, 2) for code, label in LABELS.items()),
        Subscale("bladder", "Bladder, composite", ("bladder_awareness", "bladder_continence"), 0, 4),
    ),
    low=None,
    high=None,
    direction="up",
    sides=("",),
    missing="NT is kept as NT; a component that is NT or missing is ND, and so is the bladder composite with it.",
    licence="Free to use; codes and generic descriptors only.",
    sources=("Wecht 2021, Top Spinal Cord Inj Rehabil 27(2):23",),
    extras=(
        Item("arousal_psychogenic", "Sexual: psychogenic arousal", GRADES, (NT,)),
        Item("arousal_reflex", "Sexual: reflex arousal", GRADES, (NT,)),
        Item("ejaculation", "Sexual: ejaculation", GRADES, (NT,)),
        Item("menses", "Sexual: sensation of menses", GRADES, (NT,)),
    ),
    modes=("observed", "interview"),
    notes=(
        "A profile: only the bladder has a composite [S]",
        "Which eleven components are meant, and that the composite is the sum of two, is from memory [M]",
        "Agreement between raters: kappa 0.41 to 0.88 (first edition) [S]",
        "No minimal detectable or important change is established [S]",
    ),
    domain="spasticity, pain, autonomic",
    conditions={},
)

OUTCOME = Measure((DEFINITION,), score_sums)
