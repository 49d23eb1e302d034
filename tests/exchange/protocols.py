"""Protocols of any kind, and a study with entries of any kind, for the tests of what is exchanged."""

from __future__ import annotations

from pathlib import Path

from hypothesis import strategies as st

from tests.study.versions import over
from workbench.exchange._xml import ILLEGAL
from workbench.study import changes, protocol
from workbench.study.protocol import Protocol
from workbench.vocabulary import Participant

EXAMPLE = Path(__file__).resolve().parents[2] / "data_samples" / "protocol_neo_hand.toml"

LARGE = ("isncsci", "grassp", "scim")


def small():
    """The example without its forms of many items, as definition."""
    definition = protocol.read(EXAMPLE).definition()
    forms = [form for form in definition["form"] if form["name"] not in LARGE]
    visits = [
        {**visit, "forms": [name for name in visit.get("forms", ()) if name not in LARGE]}
        for visit in definition["visit"]
    ]
    return {**definition, "form": forms, "visit": visits}


CODES = st.text("abcABC019_.-", min_size=1, max_size=8).filter(lambda text: text[0] not in ".-")
NAMES = st.text(
    st.characters(codec="utf-8", exclude_categories=["C", "Z"], include_characters=" "), min_size=1, max_size=12
).filter(lambda text: text == text.strip() and not ILLEGAL.search(text))
TEXTS = st.text(
    st.characters(codec="utf-8", exclude_categories=["C"], include_characters="\n\t \u2028"),
    min_size=1,
    max_size=20,
).filter(lambda text: bool(text.strip()) and not ILLEGAL.search(text))
"""Texts with blanks and line ends at either end, as a label may have them."""
ENDS = st.one_of(st.integers(-(10**9), 10**9), st.floats(-1e9, 1e9), st.sampled_from([5e-324, 1e12, 0.1, -0.0]))


@st.composite
def items(draw, name):
    """One item with whatever its kind allows."""
    kind = draw(st.sampled_from(["integer", "number", "text", "choice", "date", "yes_no"]))
    item = {"name": name, "label": draw(TEXTS), "kind": kind, "required": draw(st.booleans())}
    if kind in ("integer", "number"):
        ends = sorted(draw(st.lists(ENDS, min_size=4, max_size=4)))
        least, low, high, greatest = (draw(st.sampled_from([end, None])) for end in ends)
        item |= {"unit": draw(st.sampled_from(["", "kg", "1/min"]) | NAMES)}
        item |= {key: end for key, end in (("least", least), ("greatest", greatest)) if end is not None}
        soft = {key: end for key, end in (("low", low), ("high", high)) if end is not None}
        item |= {"in_range_query": soft} if soft else {}
    if kind == "choice":
        words = st.one_of(NAMES, st.sampled_from(["1", "2", "c1", "c2", "a b", "md_unknown", "a|b", "=1", "1, x"]))
        item["choices"] = draw(st.lists(words, min_size=1, max_size=5, unique_by=clean))
    return item


def clean(text):
    from workbench.study.chain import clean_text

    return clean_text(text)


@st.composite
def forms(draw, name):
    """One form: its own items, or an outcome measure."""
    form = {"name": name, "title": draw(NAMES), "double_entry": draw(st.booleans())}
    if draw(st.integers(0, 9)) == 0:
        return {**form, "measure": draw(st.sampled_from(["arat", "10mwt", "pgic"]))}
    names = draw(st.lists(CODES, min_size=1, max_size=4, unique=True))
    return {**form, "items": [draw(items(one)) for one in names]}


@st.composite
def protocols(draw):
    """Valid protocols with forms, visits, arms and criteria of any names and order."""
    base = small()
    form_names = draw(st.lists(CODES, min_size=1, max_size=3, unique=True))
    visit_names = draw(st.lists(NAMES, min_size=1, max_size=3, unique_by=clean))
    visit_names = [name for name in visit_names if name not in protocol.ANCHORS] or ["V"]
    visits = []
    for n, name in enumerate(visit_names):
        days = sorted(draw(st.lists(st.integers(-400, 400), min_size=3, max_size=3)))
        visit = dict(zip(("earliest", "day", "latest"), days, strict=True))
        visit |= {"name": name, "anchor": draw(st.sampled_from([*protocol.ANCHORS, *visit_names[:n]]))}
        asked = draw(st.lists(st.sampled_from(form_names), max_size=3, unique=True))
        sessions = draw(st.sampled_from([[], [{"system": "neo_hand", "procedure": "online"}]]))
        visits.append({**visit, "forms": asked, "sessions": sessions, "repeats": draw(st.booleans())})
    kinds = st.sampled_from(["inclusion", "exclusion"])
    criteria = [
        {"id": code, "text": draw(TEXTS), "kind": draw(kinds), "origin": draw(st.sampled_from(["trial", "label"]))}
        for code in draw(st.lists(CODES, max_size=4, unique=True))
    ]
    study = {**base["study"], "code": draw(NAMES), "title": draw(NAMES)}
    return Protocol.from_definition(
        {
            **base, "study": study, "visit": visits, "form": [draw(forms(name)) for name in form_names],
            "criterion": criteria,
        }
    )  # fmt: skip


def entered(study):
    """A participant with every kind of entry: a value of each item, missing ones, a correction, a draft, both
    entries of a form of two people; ids of the visits by name.
    """
    people = [study.script_signer(name) for name in ("Dr B", "Dr C", "Dr D")]
    definition = Protocol.from_definition(small()).definition()
    study.apply(changes.AdoptProtocol(definition), [one.confirm() for one in people[:2]])
    for name in ("SIM-01", "SIM-02"):
        person = study.append(Participant(name, simulated=True))
        study.apply(changes.Enrol(person, name, "S1"), people[0])
        study.apply(changes.SetAnchor(person, "implant", "2026-03-01"), people[0])
    visits = {
        (study.get("participant", row["participant_id"])["pseudonym"], row["name"]): row["id"]
        for row in study.rows("visit")
    }

    def save(visit, form, values, *, by=0, reason="", **more):
        return study.apply(
            over(study, changes.SaveForm(visits["SIM-01", visit], form, values, **more)), people[by], reason
        )

    vitals = {
        "measured_on": "2026-03-11",
        "systolic": 160,
        "weight": {"value": 70.5, "unit": "kg"},
        "skin_whole": True,
    }
    save("Wound check", "vitals", vitals)
    save("Wound check", "vitals", {**vitals, "systolic": {"missing": "refused"}, "skin_whole": False}, instance=2)
    save("Wound check", "wound", {"state": "closed", "remarks": 'two\nlines, "quoted"'})
    save("Wound check", "wound", {"state": {"missing": "not_done"}, "remarks": "=HYPERLINK(1)"}, reason="mixed up")
    save("Wound check", "wound", {"state": "infected"}, reason="seen again")
    save("Week 12", "arat", {"grasp_1": 2, "grasp_2": {"missing": "not_asked"}}, state="draft")
    save("Week 12", "arat", {"grasp_1": 3}, by=1, entry=2, state="draft")
    return visits
