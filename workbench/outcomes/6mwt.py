"""6-minute walk test: distance in metres, rests allowed.

References
----------
van Hedel HJ, Wirz M, Dietz V. Assessing walking ability in subjects with spinal cord injury: validity and
reliability of 3 walking tests. Arch Phys Med Rehabil 2005;86(2):190–196.
Scivoletto G, Tamburella F, Laurenza L, Foti C, Ditunno JF, Molinari M. Validity and reliability of the 10-m
walk test and the 6-min walk test in spinal cord injury patients. Spinal Cord 2011;49(6):736–740.
doi:10.1038/sc.2010.180
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workbench.messages import Message
from workbench.outcomes._contract import Definition, Item, ScorerResult, Subscale
from workbench.outcomes._scoring import Measure, make_subscore
from workbench.outcomes._unable import UNABLE, zero_when_unable
from workbench.outcomes._walking import AIDS

SOURCE = "van Hedel 2005, Arch Phys Med Rehabil 86:190–196"
SECONDS = 360.0
LONGEST_M = 1200.0


def _score(definition: Definition, values: Mapping[str, Any], options: Mapping[str, Any]) -> ScorerResult:
    counted = zero_when_unable(values, ("distance",))
    metres = counted["distance"]
    results = {"distance": metres, "speed": None if metres is None else metres / SECONDS}
    rules = {"distance": "metres in 6 min; unable is 0", "speed": "metres divided by 360 s; unable is 0"}
    scores = {
        s.code: make_subscore(s, counted, results[s.code], rule=rules[s.code], source=SOURCE)
        for s in definition.subscales
    }
    # More turns on a short track cost distance (see the notes): without its length a result cannot be compared.
    warning = Message("outcome.6mwt_track")
    return ScorerResult(scores, warnings=(warning,) if metres and values["track_length"] is None else ())


OUTCOME = Measure(
    (
        Definition(
            name="6mwt",
            version="6 min",
            title="6-minute walk test",
            items=(Item("distance", "distance walked", (), (UNABLE,), 0, LONGEST_M, "m"),),
            subscales=(
                Subscale("distance", "Distance", ("distance",), 0, LONGEST_M, "m"),
                Subscale("speed", "Speed", ("distance",), 0, LONGEST_M / SECONDS, "m/s"),
            ),
            low=None,
            high=None,
            direction="up",
            sides=("",),
            missing="A test that was not done is not determinable (ND); unable to walk is 0 m.",
            licence="Free to use.",
            sources=(SOURCE, "Scivoletto 2011, doi:10.1038/sc.2010.180"),
            extras=(
                Item("track_length", "length of the track", (), (), 5, 400, "m"),
                Item("rests", "number of rests", tuple(range(31))),
                AIDS,
            ),
            modes=("observed",),
            notes=(
                "The track changes the result: median 226.7 m on a long, 187.6 m on a short one [S]",
                "Thresholds of the 10-metre walk do not hold for this test (Forrest 2014) [S]",
            ),
            domain="gait and balance",
            conditions={"track_length": None},
            noted=("rests", "walking_aid"),
        ),
    ),
    _score,
)
