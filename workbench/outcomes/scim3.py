"""Spinal Cord Independence Measure, version III: 19 items in three areas, total 0–100, higher is better.

References
----------
Itzkovich M, Gelernter I, Biering-Sørensen F, et al. The Spinal Cord Independence Measure (SCIM) version III:
reliability and validity in a multi-center international study. Disabil Rehabil 2007;29(24):1926–1933.
doi:10.1080/09638280601046302
"""

from __future__ import annotations

from workbench.outcomes._contract import Definition, Item
from workbench.outcomes._scoring import Measure, score_sums
from workbench.outcomes._sides import items_starting_with, sum_of

SOURCE = "Itzkovich 2007, doi:10.1080/09638280601046302"
_TO = {most: tuple(range(most + 1)) for most in (1, 2, 3, 4, 8)}

ITEMS = (
    Item("self_feeding", "feeding", _TO[3]),
    Item("self_bathing_upper", "bathing, upper body", _TO[3]),
    Item("self_bathing_lower", "bathing, lower body", _TO[3]),
    Item("self_dressing_upper", "dressing, upper body", _TO[4]),
    Item("self_dressing_lower", "dressing, lower body", _TO[4]),
    Item("self_grooming", "grooming", _TO[3]),
    Item("sphincter_respiration", "respiration", (0, 2, 4, 6, 8, 10)),
    Item("sphincter_bladder", "bladder management", (0, 3, 6, 9, 11, 13, 15)),
    Item("sphincter_bowel", "bowel management", (0, 5, 8, 10)),
    Item("sphincter_toilet", "use of toilet", (0, 1, 2, 4, 5)),
    Item("room_bed", "mobility in bed", (0, 2, 4, 6)),
    Item("room_bed_wheelchair", "transfer bed to wheelchair", _TO[2]),
    Item("room_wheelchair_toilet", "transfer wheelchair to toilet", _TO[2]),
    Item("walk_indoors", "mobility indoors", _TO[8]),
    Item("walk_moderate", "mobility, moderate distances", _TO[8]),
    Item("walk_outdoors", "mobility outdoors", _TO[8]),
    Item("walk_stairs", "stairs", _TO[3]),
    Item("walk_wheelchair_car", "transfer wheelchair to car", _TO[2]),
    Item("walk_ground_wheelchair", "transfer ground to wheelchair", _TO[1]),
)
"""Item code, descriptor and the list of values: the lists have gaps, so a range would not do."""

OUTCOME = Measure(
    (
        Definition(
            name="scim3",
            version="III",
            title="Spinal Cord Independence Measure III",
            items=ITEMS,
            subscales=(
                sum_of("self_care", "Self-care", items_starting_with(ITEMS, "self_")),
                sum_of(
                    "respiration_sphincter",
                    "Respiration and sphincter management",
                    items_starting_with(ITEMS, "sphincter_"),
                ),
                sum_of("mobility", "Mobility", items_starting_with(ITEMS, "room_", "walk_")),
                sum_of("room_toilet", "Mobility in room and toilet", items_starting_with(ITEMS, "room_")),
                sum_of("indoors_outdoors", "Mobility indoors and outdoors", items_starting_with(ITEMS, "walk_")),
            ),
            low=0,
            high=100,
            direction="up",
            sides=("",),
            missing="A missing item makes its subscores and the total not determinable (ND); nothing is prorated.",
            licence="Freely available; codes and generic descriptors only.",
            sources=(SOURCE,),
            modes=("observed", "interview", "self-report"),
            notes=(
                "19 items; self-care 0–20, respiration and sphincter 0–40, mobility 0–40, total 0–100 [S]",
                "The value lists of all 19 items were compared with public forms, and their maxima add up [S]",
                "The mode has to be stored: self-report scores run higher than observed ones (Fekete 2013) [S]",
            ),
            domain="function",
            conditions={},
        ),
    ),
    score_sums,
)
