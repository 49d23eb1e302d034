"""A protocol is one file: read, checked as a whole, hashed by what it says, compared with its amendment."""

from __future__ import annotations

import copy
import itertools
import json
import re
from datetime import date
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench import messages
from workbench.errors import BadValue, UnknownName
from workbench.study import chain
from workbench.study.forms import MISSING_CODES, Form, Item, SoftRange
from workbench.study.people import ROLES
from workbench.study.protocol import ANCHORS, LARGEST, Protocol, difference, parse, precedence, read
from workbench.study.protocol_reading import MOST_TOLD, BadProtocol
from workbench.vocabulary import FindingKind, RecalibrationRule

EXAMPLE = Path(__file__).resolve().parents[2] / "data_samples" / "protocol_neo_hand.toml"
TEXT = EXAMPLE.read_text(encoding="utf-8")

SMALL = """
consent = { purposes = { required = ["treatment"] }, document_version = "1", document_sha256 = "%s" }
[study]
code = "S"
title = "T"
version = "1.0.0"
sponsor = "P"
jurisdictions = ["EU"]
effective_from = 2026-12-01
[[arm]]
name = "a"
title = "A"
[[visit]]
name = "V1"
anchor = "consent"
day = 0
earliest = 0
latest = 3
forms = ["f"]
[[form]]
name = "f"
title = "F"
items = [{ name = "x", label = "X", kind = "number" }]
""" % ("0" * 64)


@pytest.fixture(scope="module")
def example():
    return read(EXAMPLE)


def problems(text):
    """Every problem of a file as ``place: what``."""
    with pytest.raises(BadProtocol) as raised:
        parse(text, "p.toml")
    assert raised.value.count == len(raised.value.problems)
    return [str(problem) for problem in raised.value.problems]


def only_problem(old, new, *, text=SMALL):
    """The one problem of the small file in which one text is replaced."""
    assert text.count(old) == 1, old
    (problem,) = problems(text.replace(old, new))
    return problem


# ---------------------------------------------------------------------------------------- reading
def test_the_example_says_what_its_file_says(example):
    assert (example.about.code, example.about.version) == ("EXAMPLE-HAND", "1.0.0")
    assert example.about.effective_from == date(2026, 12, 1)
    assert example.about.title.startswith("EXAMPLE, invented")
    baseline = example.visits[1]
    assert (baseline.anchor, baseline.day, baseline.earliest, baseline.latest) == ("Screening", 7, 1, 28)
    training = example.visits[3]
    assert (training.repeats, [one.procedure for one in training.sessions]) == (True, ["calibration", "online"])
    assert example.randomisation["ratio"] == {"interface": 1, "timed": 1}
    design = example.design()
    assert (design.kind, design.blocks, design.strata) == ("blocks", (2, 4), {"side": ("left", "right")})
    assert example.consent.purposes.optional == ("data_sharing", "decoder_training", "upload", "video")
    assert example.form("vitals").items[1].in_range_query == SoftRange(90.0, 150.0)
    assert example.form("arat").double_entry
    with pytest.raises(UnknownName, match="no form 'mood'"):
        example.form("mood")


def test_the_example_names_systems_that_offer_its_sessions():
    from workbench import systems

    assert read(EXAMPLE, procedures_of=lambda name: systems.load(name).procedures)


def test_a_small_file_is_enough():
    assert parse(SMALL, "p.toml").visits[0].forms == ("f",)


def test_a_date_may_be_a_text_and_says_the_same():
    as_text = SMALL.replace("2026-12-01", '"2026-12-01"')
    assert parse(as_text, "p.toml") == parse(SMALL, "p.toml")


# ---------------------------------------------------------------------------------------- hash
def test_a_definition_makes_the_same_protocol_and_the_same_hash_also_by_way_of_json(example):
    definition = example.definition()
    again = Protocol.from_definition(json.loads(json.dumps(definition)))
    assert again == example
    assert again.definition() == definition
    assert again.sha256 == example.sha256 == chain.sha256(chain.canonical(definition))


def reordered(value):
    """The same data with the keys of every table the other way round."""
    if isinstance(value, dict):
        return {key: reordered(value[key]) for key in reversed(value)}
    return [reordered(one) for one in value] if isinstance(value, list) else value


def test_comments_spacing_and_the_order_of_keys_change_nothing_in_the_hash(example):
    bare = "\n".join(re.sub(r"\s+#.*|^#.*", "", line) for line in TEXT.splitlines())
    spaced = bare.replace(" = ", "   =   ").replace("\n", "\n\n# a comment\n")
    assert bare != TEXT
    assert parse(spaced, "p.toml").sha256 == example.sha256
    assert Protocol.from_definition(reordered(example.definition())).sha256 == example.sha256


def test_the_order_of_sections_in_the_file_changes_nothing_in_the_hash(example):
    parts = re.split(r"(?m)^(?=\[randomisation\])|^(?=\[\[criterion\]\])", TEXT, maxsplit=2)
    head, randomisation, rest = parts
    assert parse(head + rest + "\n" + randomisation, "p.toml").sha256 == example.sha256


def test_a_default_that_is_written_out_says_the_same(example):
    stated = TEXT.replace('anchor = "consent"', 'anchor = "consent"\nrepeats = false\nsessions = []')
    assert parse(stated, "p.toml").sha256 == example.sha256


def leaves(value, path=()):
    """Paths of all texts, numbers, flags and of the keys that a protocol chooses."""
    if isinstance(value, dict):
        for key, below in value.items():
            yield from leaves(below, (*path, key))
    elif isinstance(value, list):
        for n, below in enumerate(value):
            yield from leaves(below, (*path, n))
    else:
        yield path


CLOSED = (
    *ANCHORS, *get_args(FindingKind), "US", "EU", "inclusion", "exclusion", "trial", "label", "calibration",
    "sham", "integer", "number", "text", "date", "yes_no", "arat", "vitals", "events", *ROLES, "1.0.7",
    "2026-12-24", "a" * 64,
)  # fmt: skip
"""Words of closed sets and texts of a form, one of which fits where a free text does not."""


def renamed(value, old, new):
    """The data with a text replaced wherever it stands, also as a key, but for kinds, which are of closed sets."""
    if isinstance(value, dict):
        return {
            new if key == old else key: below if key == "kind" else renamed(below, old, new)
            for key, below in value.items()
        }
    if isinstance(value, list):
        return [renamed(below, old, new) for below in value]
    return new if value == old and isinstance(value, str) else value


def put(data, path, value):
    changed = copy.deepcopy(data)
    place = changed
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    return changed


def mutated(data, path):
    """Definitions that differ at one leaf; some are valid. What is no choice any more loses its choices."""
    value = data
    for key in path:
        value = value[key]
    if path[:2] in (("randomisation", "kind"), ("randomisation", "ratio")):
        # The blocks belong to the kind, and are multiples of the ratio's sum.
        table = dict(data["randomisation"])
        other = {"kind": "simple"} if path[1] == "kind" else {"ratio": {**table["ratio"], path[2]: 2}}
        table = {**table, **other, "blocks": [3, 6]}
        return [
            put(data, path[:1], table if path[1] == "ratio" else {k: table[k] for k in table if k != "blocks"})
        ]
    if path[:2] == ("randomisation", "blocks"):
        return [put(data, path, value + 4)]
    if path[:2] == ("population", "sex"):
        return [put(data, path[:2], [value])]  # both words of the closed set are there
    if isinstance(value, bool):
        return [put(data, path, not value)]
    if isinstance(value, int | float):
        return [put(data, path, value + step) for step in (1, -1)]
    if value == "choice":
        item = {**data["form"][path[1]]["items"][path[3]], "kind": "text"}
        item.pop("choices")
        return [put(data, path[:-1], item)]
    words = (put(data, path, word) for word in CLOSED if word != value)
    return itertools.chain(words, [renamed(data, value, f"{value}x")])


def accepted(definition):
    try:
        return Protocol.from_definition(definition)
    except BadValue:
        return None


@pytest.mark.job
def test_each_field_that_is_changed_changes_the_hash_and_is_named_as_the_difference(example):
    definition = example.definition()
    paths = list(leaves(definition))
    assert len(paths) > 150
    sha256 = example.sha256
    for path in paths:
        one = next((one for one in map(accepted, mutated(definition, path)) if one is not None), None)
        assert one is not None, f"no other value of {path} is valid"
        assert one.sha256 != sha256, path
        assert path[0] in {change.section for change in difference(example, one)}, path


def test_each_entry_that_is_left_out_changes_the_hash(example):
    definition = example.definition()
    for section, entries in definition.items():
        for n in range(len(entries) if isinstance(entries, list) else 0):
            other = {**definition, section: entries[:n] + entries[n + 1 :]}
            if (one := accepted(other)) is not None:
                assert one.sha256 != example.sha256


NAMES = st.text(st.characters(categories=["L", "Nd"], include_characters=" -'"), min_size=1, max_size=12).filter(
    lambda text: text == text.strip()
)
NUMBERS = st.one_of(st.integers(-(10**9), 10**9), st.floats(-1e9, 1e9))
JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), NUMBERS, NAMES),
    lambda below: st.one_of(st.lists(below, max_size=3), st.dictionaries(NAMES, below, max_size=3)),
    max_leaves=8,
)
TWO = [{"name": name, "title": name} for name in ("a", "b")]
DRAWN = {"kind": "minimisation", "strata": {"side": ["left", "right"]}}


@st.composite
def definitions(draw):
    """Definitions of valid protocols: visits anchored at any visit before them, numbers and names of any kind."""
    base = parse(SMALL, "p.toml").definition()
    names = draw(st.lists(NAMES, min_size=1, max_size=5, unique_by=lambda one: chain.clean_text(one)))
    names = [name for name in names if name not in ANCHORS] or ["V"]
    visits = []
    for n, name in enumerate(names):
        days = sorted(draw(st.lists(st.integers(-400, 400), min_size=3, max_size=3)))
        visit = dict(zip(("earliest", "day", "latest"), days, strict=True))
        visit |= {"name": name, "anchor": draw(st.sampled_from([*ANCHORS, *names[:n]]))}
        visits.append({**visit, "forms": draw(st.sampled_from([[], ["f"]])), "repeats": draw(st.booleans())})
    events = draw(st.dictionaries(NAMES, NAMES, max_size=3).filter(one_form))
    estimand = {name: draw(NAMES) for name in ("name", "population", "variable", "summary")}
    slots = {"kind": "simple", "slots": draw(st.integers(1, 10))}
    levels = st.lists(NAMES, min_size=1, max_size=3, unique_by=chain.clean_text)
    strata = {"strata": draw(st.dictionaries(NAMES, levels, max_size=3).filter(one_form))}
    randomisation = draw(
        st.sampled_from([{}, slots, slots | strata, DRAWN, {**DRAWN, "p": 1}, {**DRAWN, "p": 1.0}])
    )
    return {
        **base,
        "visit": draw(st.permutations(visits)),
        "estimand": [{**estimand, "intercurrent_events": events}],
        "session_limit": [{"name": draw(NAMES), "greatest": draw(NUMBERS), "unit": draw(NAMES)}],
        "arm": TWO,
        "randomisation": randomisation,
        **draw(st.sampled_from([{}, {"population": {"sex": ["male"], "least_age": 18, "greatest_age": 65}}])),
    }


def one_form(names):
    return len({chain.clean_text(name) for name in names}) == len(names)


@pytest.mark.job
@settings(max_examples=100, deadline=None)
@given(definitions())
def test_any_protocol_comes_back_from_its_definition(definition):
    protocol = Protocol.from_definition(definition)
    again = Protocol.from_definition(json.loads(json.dumps(protocol.definition())))
    assert again == protocol
    assert again.sha256 == protocol.sha256
    assert difference(protocol, again) == ()


@pytest.mark.job
@settings(max_examples=60, deadline=None)
@given(definitions(), definitions())
def test_two_protocols_have_no_difference_exactly_when_their_hashes_are_equal(one, other):
    old, new = Protocol.from_definition(one), Protocol.from_definition(other)
    assert (difference(old, new) == ()) == (old.sha256 == new.sha256)
    assert len(difference(new, old)) == len(difference(old, new))


# ---------------------------------------------------------------------------------------- what is refused
CHECK = '[[implant_check]]\nname = "w"\nkind = "wound"\n'
ARM, LATEST, NUMBER = "[[arm]]", "latest = 3", 'kind = "number"'
TWO_ARMS = '[[arm]]\nname = "b"\ntitle = "B"\n[randomisation]\nkind = "simple"\nslots = 4\n'
PEOPLE = '[population]\nsex = ["female"]\n'
HOME = (
    '[home_use]\npresent = ["caregiver"]\npresent_min = 60\nday_min = 60\nskin_min = 90\ncall = "Study line"\n'
    'emergency = "120"\nrelease = "Open the valve."\n'
)
ANEW = (
    "[home_use.recalibration]\ncues = 20\nafter_days = 2\nalone_days = 30\nmost_in_a_row = 3\n"
    "least_accuracy = 0.8\nmost_worse = 0.05\n"
)
ITEMS = 'items = [{ name = "x", label = "X", kind = "number" }]'
VISIT, FORM_F, ITEM, DRAW = "[[visit]] 'V1'", "[[form]] 'f'", "[[form]] 'f', items 'x'", "[randomisation]"


@pytest.mark.parametrize(
    ("old", "new", "place", "words"),
    [
        (LATEST, "latest = 3\ncolour = 1", VISIT, "no key 'colour'; allowed are day, earliest"),
        (ARM, "[arms]\n[[arm]]", "p.toml", "no key 'arms'; allowed are study, arm, visit"),
        ('sponsor = "P"', "", "[study]", "sponsor is missing; give a text of one line"),
        ('sponsor = "P"', 'sponsor = " "', "[study]", "sponsor must be a text of one line"),
        ('sponsor = "P"', 'sponsor = "a\\u202eb"', "[study]", "sponsor must be"),
        ('sponsor = "P"', "sponsor = 3", "[study]", "sponsor must be a text of one line, at most 200"),
        ('version = "1.0.0"', 'version = "1.0"', "[study]", "version must be a version, as 1.0.0"),
        ('version = "1.0.0"', 'version = "01.0.0"', "[study]", "got '01.0.0'"),
        ('["EU"]', '["EU", "JP"]', "[study]", "a list of names out of US, EU, CN"),
        ('["EU"]', '["EU", "EU"]', "[study]", "jurisdictions names 'EU' twice"),
        ('["EU"]', "[]", "[study]", "jurisdictions must be"),
        ("2026-12-01", '"2026-02-30"', "[study]", "must be a date, as 2026-12-01; got '2026-02-30'"),
        ("2026-12-01", "2026-12-01T09:00:00", "[study]", "effective_from must be a date"),
        ('name = "a"', 'name = "a b"', "[[arm]] 'a b'", "name must be a name of at most 64 letters"),
        (ARM, '[[arm]]\nname = "a"\ntitle = "B"\n[[arm]]', "[[arm]] 'a'", "is there twice"),
        ("day = 0", "day = 4", VISIT, "earliest <= day <= latest; got 0, 4, 3"),
        (LATEST, "latest = -1", VISIT, "must hold its day"),
        (LATEST, "latest = 3.0", VISIT, "latest must be an integer from -36500 to 36500; got 3.0"),
        (LATEST, "latest = true", VISIT, "latest must be an integer"),
        (LATEST, "latest = 99999", VISIT, "latest must be an integer"),
        ('"consent"', '"Screening"', VISIT, "anchor 'Screening' is neither a visit of this file nor one of"),
        ('name = "V1"', 'name = "implant"', "[[visit]] 'implant'", "must not have the name of an anchor"),
        ('"consent"', '"V1"', VISIT, "the anchors form a circle: 'V1' → 'V1'"),
        ('["f"]', '["f", "g"]', VISIT, "form 'g' is not defined"),
        ('["f"]', '["f", "f"]', VISIT, "forms names 'f' twice"),
        ('["f"]', '"f"', VISIT, "forms must be a list of names"),
        (LATEST, 'latest = 3\nsessions = [{ system = "s", procedure = "run" }]', "[[visit]] 'V1', sessions 1",
         "procedure must be one of calibration, online"),
        (ITEMS, "", FORM_F, "either items or a measure"),
        ('title = "F"', 'title = "F"\nstate = "device+assisted"', FORM_F, "by + in this order; got 'device"),
        ('title = "F"', 'title = "F"\nstate = "with the glove"', FORM_F, "state must be one of off, assisted"),
        (ITEMS, 'measure = "aratt"', FORM_F,
         "no outcome measure 'aratt'; there are 10mwt"),
        ('title = "F"', 'title = "F"\nmeasure = "arat"', FORM_F, "either items or a measure"),
        (NUMBER, 'kind = "colour"', ITEM, "kind must be one of integer, number, text"),
        (NUMBER, 'kind = "text", unit = "kg"', ITEM, "unit belongs to items of the kind"),
        (NUMBER, 'kind = "choice"', ITEM, "choices is missing"),
        (NUMBER, 'kind = "choice", choices = ["a", "a"]', ITEM, "choices names 'a' twice"),
        (NUMBER, 'kind = "number", choices = ["a"]', ITEM, "choices belongs to items"),
        (NUMBER, 'kind = "number", least = nan', ITEM, "least must be a number; got nan"),
        (NUMBER, 'kind = "number", least = 2, greatest = 1', ITEM,
         "least must not lie above greatest; got 2 and 1"),
        (NUMBER, 'kind = "number", in_range_query = {}', "[[form]] 'f', items 'x', in_range_query",
         "low and high are missing"),
        (NUMBER, 'kind = "number", greatest = 5, in_range_query = { high = 6 }', ITEM,
         "high must not lie above greatest"),
        ('[{ name = "x"', '[{ name = "x", label = "Y", kind = "text" }, { name = "x"', FORM_F, "items names 'x'"),
        ('"0000', '"g000', "[consent]", "document_sha256 must be a SHA-256"),
        ('["treatment"]', '["treatment"], optional = ["treatment"]', "[consent], purposes", "both required and"),
        (ARM, f"{TWO_ARMS}ratio = {{ b = 1 }}\n[[arm]]", DRAW, "ratio must give each arm of the protocol (b, a)"),
        (ARM, f"{TWO_ARMS}ratio = [1, 1]\n[[arm]]", DRAW, "integer from 1 to 100; got (1, 1)"),
        (ARM, f"{TWO_ARMS}blocks = [2]\n[[arm]]", DRAW, "blocks means nothing in a randomisation of kind simple"),
        (ARM, f'{TWO_ARMS}strata = ["side"]\n[[arm]]', DRAW, "strata must give the levels"),
        (ARM, '[randomisation]\nkind = "permuted_blocks"\n[[arm]]', DRAW, "must be one of blocks, simple, minim"),
        (ARM, '[randomisation]\nkind = "simple"\nslots = 4\n[[arm]]', DRAW, "needs 2 to 20 different arms"),
        (ARM, "[randomisation]\nseed = inf\n[[arm]]", DRAW, "cannot be kept as JSON"),
        (ARM, '[roles]\nlock = ["boss"]\n[[arm]]', "[roles]", "lock must be a list of names out of operator"),
        (ARM, '[[estimand]]\nname = "e"\npopulation = "p"\nvariable = "v"\nsummary = "s"\n[[arm]]',
         "[[estimand]] 'e'", "intercurrent_events is missing"),
        (ARM, CHECK + "day = 3\nearliest = -1\nlatest = 5\n[[arm]]", "[[implant_check]] 'w'", "0 <= earliest"),
        (ARM, CHECK + "day = 3\nearliest = 1\nlatest = 5\nevery = 4\n[[arm]]", "[[implant_check]] 'w'", "got 4"),
        (ARM, '[[stopping_rule]]\nname = "s"\ncounts = "c"\n[[arm]]', "[[stopping_rule]] 's'", "limit is missing"),
        (ARM, '[[criterion]]\nid = "I1"\ntext = "t"\nkind = "inclusion"\norigin = "web"\n[[arm]]',
         "[[criterion]] 'I1'", "origin must be one of trial, label"),
        (ARM, f"{PEOPLE}least_age = 70\ngreatest_age = 18\n[[arm]]", "[population]", "got 70 and 18"),
        (ARM, f"{PEOPLE}least_age = 18\n[[arm]]", "[population]", "greatest_age is missing"),
        (ARM, f"{PEOPLE}least_age = 18\ngreatest_age = 70\nparticipants = -1\n[[arm]]", "[population]", "got -1"),
        (ARM, '[population]\nsex = ["m"]\nleast_age = 1\ngreatest_age = 2\n[[arm]]', "[population]",
         "sex must be a list of names out of female, male"),
        (ARM, f"{HOME}reset = [\"participant\"]\n[[arm]]", "[home_use]",
         "reset must be a list of names out of caregiver, site"),
        (ARM, f"{HOME}present = []\nreset = [\"site\"]\n[[arm]]".replace('present = ["caregiver"]\n', ""),
         "[home_use]", "present must be"),
        (ARM, f"{HOME}reset = [\"site\"]\n[[arm]]".replace("day_min = 60", "day_min = 0"), "[home_use]",
         "day_min must be from 1 to 720 min, got 0"),
        *[
            (ARM, f"{HOME}reset = [\"site\"]\n{ANEW.replace(old, new)}[[arm]]", "[home_use], recalibration", words)
            for old, new, words in (
                ("cues = 20", "cues = 4", "cues must be from 10 to 200 cues, got 4"),
                ("cues = 20", "cues = 20.5", "cues must be an integer from"),
                ("after_days = 2", "after_days = -1", "after_days must be from 0 to 365 days, got -1"),
                ("after_days = 2", "after_days = 31", "got 31 and 30 days"),
                ("alone_days = 30", "alone_days = 400", "alone_days must be from 1 to 365 days, got 400"),
                ("most_in_a_row = 3", "most_in_a_row = 0", "most_in_a_row must be from 1 to 20 times, got 0"),
                ("least_accuracy = 0.8", "least_accuracy = 80", "from 0.5 to 1 (a fraction of 1), got 80"),
                ("most_worse = 0.05", "most_worse = 0.6", "from 0 to 0.5 (a fraction of 1), got 0.6"),
                ("most_worse = 0.05", "", "most_worse is missing"),
                ("most_worse = 0.05", "most_worse = 0.05\nworst = 1", "no key 'worst'; allowed are cues"),
            )
        ],
        ("[[form]]", "[[form]]\n[[form]]", "[[form]] 1", ""),
    ],
)  # fmt: skip
def test_each_problem_names_its_place_and_what_is_allowed(old, new, place, words):
    if place == "[[form]] 1":
        assert [one.partition(":")[0] for one in problems(SMALL.replace(old, new))] == [place] * 3
        return
    problem = only_problem(old, new)
    assert problem.startswith(f"{place}: "), problem
    assert words in problem, problem
    assert problem.endswith(".")


def test_a_rule_for_use_at_home_without_recalibration_keeps_its_hash_and_one_with_it_has_another():
    before = parse(SMALL.replace(ARM, f'{HOME}reset = ["site"]\n[[arm]]'), "p.toml")
    # As they were before there was such a table.
    assert before.sha256 == "b6ef03d5e49303fb4a7ea39ec8f6435410a86efbfc329b7c439614ed8526e77c"
    assert before.home_use.sha256 == "75ca81cab93dd96f38fa1d7a4408e12bb4cc3e58916390947f9c110facb2dad8"
    after = parse(SMALL.replace(ARM, f'{HOME}reset = ["site"]\n{ANEW}[[arm]]'), "p.toml")
    assert after.home_use.recalibration == RecalibrationRule(20, 2, 30, 3, 0.8, 0.05)
    assert after.home_use.sha256 != before.home_use.sha256
    again = Protocol.from_definition(json.loads(json.dumps(after.definition())))
    assert (again, again.home_use) == (after, after.home_use)


@pytest.mark.parametrize("section", ["study", "arm", "visit", "consent"])
def test_a_protocol_needs_its_sections_and_an_absent_one_is_one_problem(section):
    definition = parse(SMALL, "p.toml").definition()
    definition.pop(section)
    with pytest.raises(BadProtocol) as raised:
        Protocol.from_definition(definition)
    assert [str(one).partition(";")[0] for one in raised.value.problems] == [f"definition: {section} is missing"]


def test_anchors_in_a_circle_are_named_once_each_with_the_whole_circle():
    visit = '[[visit]]\nname = "{}"\nanchor = "{}"\nday = 0\nearliest = 0\nlatest = 0\n'
    pairs = (("a", "b"), ("b", "c"), ("c", "a"), ("d", "a"), ("e", "e"), ("g", "V1"))
    found = problems(SMALL.replace("[[form]]", "".join(visit.format(*pair) for pair in pairs) + "[[form]]"))
    assert [one.partition("; ")[0] for one in found] == [
        "[[visit]] 'a': the anchors form a circle: 'a' → 'b' → 'c' → 'a'",
        "[[visit]] 'e': the anchors form a circle: 'e' → 'e'",
    ]


def test_all_problems_of_a_file_are_told_at_once_in_both_languages():
    text = SMALL.replace('sponsor = "P"', "").replace("latest = 3", "latest = -3").replace('["f"]', '["g"]')
    assert len(problems(text)) == 3
    with pytest.raises(BadProtocol, match=r"^p.toml cannot be used; to be corrected \(3\): \[study\]: ") as raised:
        parse(text, "p.toml")
    told = messages.translate(messages.of(raised.value), language="zh-CN")
    assert told.startswith("p.toml 无法使用；需更正 3 处：[study]：缺少 sponsor；请给出单行文本")


def test_of_many_problems_the_first_are_told_and_all_are_counted():
    text = SMALL + "".join(f'[[arm]]\nname = "b{n}"\n' for n in range(500))
    with pytest.raises(BadProtocol) as raised:
        parse(text, "p.toml")
    assert (raised.value.count, len(raised.value.problems)) == (500, MOST_TOLD)
    assert "to be corrected (500, of which the first 20)" in str(raised.value)


@pytest.mark.job
def test_a_file_full_of_problems_is_read_no_further_than_to_a_thousand():
    text = "[[form]]\nitems = [" + "{}," * 300_000 + "]"
    with pytest.raises(BadProtocol, match=r"to be corrected \(more than 1000, of which the first 20\)") as raised:
        parse(text, "p.toml")
    assert raised.value.count == 1001


def test_sessions_are_checked_against_what_the_system_offers():
    text = SMALL.replace("latest = 3", 'latest = 3\nsessions = [{ system = "glove", procedure = "sham" }]')

    def offers(*procedures):
        def procedures_of(name):
            if not procedures:
                raise UnknownName(f"no entry {name!r}")
            return procedures

        return procedures_of

    assert parse(text, "p.toml", procedures_of=offers("sham"))
    with pytest.raises(BadProtocol, match="does not offer procedure sham; it offers online"):
        parse(text, "p.toml", procedures_of=offers("online"))
    with pytest.raises(BadProtocol, match=r"\[\[visit\]\] 'V1', sessions 1: no entry 'glove'"):
        parse(text, "p.toml", procedures_of=offers())


def test_a_protocol_of_a_record_opens_where_its_measure_is_not_installed():
    definition = parse(SMALL, "p.toml").definition()
    definition["form"] = [{"name": "f", "title": "F", "measure": "of_another_package"}]
    assert Protocol.from_definition(definition).forms[0].measure == "of_another_package"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[study", "is no valid TOML"),
        ("day = 2026-02-30", "is no valid TOML (Invalid date"),
        ("a = " + "1" * 5000, "is no valid TOML"),
        ("a = " + "[" * 5000 + "]" * 5000, "nested more than 100 levels"),
        ("a = " + "[" * 200 + "]" * 200, "nested more than 100 levels"),
        ("\nb = 1\n" + ".".join("a" * 100_000) + " = 1", "p.toml, line 3: 20 words joined by dots"),
        ("[" + " . ".join(["'a b'"] * 50_000) + "]", "line 1: 20 words joined by dots"),
    ],
)
def test_what_is_no_protocol_at_all_is_refused_in_one_sentence(text, words):
    with pytest.raises(BadValue) as raised:
        parse(text, "p.toml")
    assert words in str(raised.value)
    assert len(str(raised.value)) < 400


def test_a_file_of_more_than_its_size_is_refused_before_it_is_parsed(tmp_path):
    path = tmp_path / "p.toml"
    path.write_text(SMALL + "#" * LARGEST, encoding="utf-8")
    with pytest.raises(BadValue, match="protocol file .* is too large|has .* bytes"):
        read(path)
    path.write_bytes(SMALL.encode("utf-8-sig"))
    assert read(path).sha256 == parse(SMALL, "p.toml").sha256


@pytest.mark.parametrize("data", [[], None, {"study": 3}, {1: 2}, {"arm": {"name": "a"}}, {"visit": [[]]}])
def test_data_of_another_shape_is_refused_and_never_breaks(data):
    with pytest.raises(BadValue):
        Protocol.from_definition(data)


@pytest.mark.job
@settings(max_examples=100, deadline=None)
@given(st.data())
def test_any_value_in_any_place_is_taken_or_refused_in_a_sentence(data):
    definition = parse(TEXT, "p.toml").definition()
    path = data.draw(st.sampled_from(list(leaves(definition))))
    cut = path[: data.draw(st.integers(1, len(path)))]
    value = data.draw(st.one_of(JSON, st.just(10**6000), st.just("\ud800"), st.just(float("nan"))))
    refused = None
    try:
        Protocol.from_definition(put(definition, cut, value))
    except BadProtocol as error:
        refused = error
    assert refused is None or messages.translate(messages.of(refused), language="zh-CN")


# ---------------------------------------------------------------------------------------- amendments
def test_an_amendment_is_told_entry_by_entry_and_field_by_field(example):
    text = TEXT.replace("latest = 98", "latest = 100").replace('version = "1.0.0"', 'version = "1.1.0"')
    text = text.replace('kind = "number", unit = "kg", least = 20', 'kind = "number", unit = "kg", least = 25')
    text = text.replace('{ name = "pulse"', '{ name = "rate"').replace("blocks = [2, 4]", "blocks = [4]")
    text = text.replace('id = "E1"', 'id = "E2"')
    changes = difference(example, parse(text, "p.toml"))
    assert [str(change.text) for change in changes] == [
        "study, version: '1.0.0' → '1.1.0'",
        "criterion 'E1' is removed",
        "criterion 'E2' is added",
        "visit 'Week 12', latest: 98 → 100",
        "form 'vitals', items 'pulse' is removed",
        "form 'vitals', items 'rate' is added",
        "form 'vitals', items 'weight' least: 20.0 → 25.0",
        "randomisation, blocks: [2, 4] → [4]",
    ]
    assert [change.moves_participants for change in changes] == [False, *[True] * 6, False]


@pytest.mark.parametrize(
    ("old", "new", "sentence", "moves"),
    [
        ("latest = 3", "latest = 3\nrepeats = true", "visit 'V1', repeats: none → True", True),
        ('title = "A"', 'title = "B"', "arm 'a', title: 'A' → 'B'", True),
        ('sponsor = "P"', 'sponsor = "Q"', "study, sponsor: 'P' → 'Q'", False),
        ('["treatment"]', '["care"]', "consent, purposes required: ['treatment'] → ['care']", False),
    ],
)
def test_a_field_is_told_with_what_it_was_and_is(old, new, sentence, moves):
    (change,) = difference(parse(SMALL, "p"), parse(SMALL.replace(old, new), "p"))
    assert (change.text, change.moves_participants) == (sentence, moves)


def test_a_name_in_another_normal_form_is_the_same_name():
    """U+2F800 is a compatibility ideograph that normal form C replaces."""
    event = '[[estimand]]\nname = "e"\npopulation = "p"\nvariable = "v"\nsummary = "s"\n'
    event += "intercurrent_events = {{ {} }}\n"
    forms = ('"\\U0002F800" = "x"', '"\u4e3d" = "x"')
    one, other = (parse(SMALL.replace(ARM, event.format(form) + ARM), "p") for form in forms)
    assert one.sha256 == other.sha256
    assert one.estimands[0].intercurrent_events == {"\u4e3d": "x"}
    (problem,) = problems(SMALL.replace(ARM, event.format(", ".join(forms)) + ARM))
    assert "is there twice" in problem


def test_another_order_is_a_difference_and_one_is_not_true():
    one, two = '{ name = "x", label = "X", kind = "number" }', '{ name = "y", label = "Y", kind = "text" }'
    first = SMALL.replace(one, f"{one}, {two}")
    second = SMALL.replace(one, f"{two}, {one}")
    (change,) = difference(parse(first, "p"), parse(second, "p"))
    assert (change.text, change.old, change.new) == (
        "form 'f', items: the order is another",
        ["x", "y"],
        ["y", "x"],
    )
    one, other = (
        Protocol.from_definition(
            {**parse(SMALL, "p").definition(), "arm": TWO, "randomisation": {**DRAWN, "p": p}}
        )
        for p in (1, 1.0)
    )
    assert one.sha256 != other.sha256
    assert [str(change.text) for change in difference(one, other)] == ["randomisation, p: 1 → 1.0"]


def test_a_changed_design_is_told_key_by_key():
    old = parse(SMALL.replace(ARM, f"{TWO_ARMS}[[arm]]"), "p")
    longer = TWO_ARMS.replace("slots = 4", "slots = 6\nratio = { a = 2, b = 1 }")
    changes = difference(old, parse(SMALL.replace(ARM, f"{longer}[[arm]]"), "p"))
    assert [str(change.text) for change in changes] == [
        "randomisation, slots: 4 → 6",
        "randomisation, ratio: none → {'a': 2, 'b': 1}",
    ]
    assert not any(change.moves_participants for change in changes)


def test_versions_are_ordered_as_semver_org_orders_them():
    """The row of semver.org 2.0.0, 11, and the two parts that play no role there."""
    row = (
        "1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-alpha.beta", "1.0.0-beta", "1.0.0-beta.2", "1.0.0-beta.11",
        "1.0.0-rc.1", "1.0.0", "2.0.0", "2.1.0", "2.1.1", "2.1.10",
    )  # fmt: skip
    assert sorted(reversed(row), key=precedence) == list(row)
    assert len({precedence(one) for one in row}) == len(row)
    assert precedence("1.0.0+a-b") == precedence("1.0.0+c") == precedence("1.0.0")


# ---------------------------------------------------------------------------------------- forms
FORM = Form(
    "f",
    "F",
    (
        Item("n", "N", "integer", unit="mmHg", least=40.0, greatest=300.0, required=True,
             in_range_query=SoftRange(90.0, 150.0)),
        Item("x", "X", "number", least=0.0, in_range_query=SoftRange(high=5.0)),
        Item("t", "T", "text"),
        Item("c", "C", "choice", choices=("open", "closed")),
        Item("d", "D", "date"),
        Item("y", "Y", "yes_no"),
    ),
)  # fmt: skip


def said(values):
    """``(item, sentence)`` of errors and of queries."""
    errors, queries = FORM.check(values)
    return [(one.item, str(one.text)) for one in errors], [(one.item, str(one.text)) for one in queries]


def test_values_that_fit_bring_no_word():
    values = {"n": 120, "x": 1.5, "t": "fine", "c": "open", "d": "2028-02-29", "y": False}
    assert FORM.check(values) == ((), ())
    assert FORM.check({"n": {"value": 120, "unit": "mmHg"}, "x": None}) == ((), ())


@pytest.mark.parametrize("code", MISSING_CODES)
def test_a_required_item_takes_a_reason_but_not_absence(code):
    assert FORM.check({"n": {"missing": code}, "y": {"missing": code}}) == ((), ())
    errors, queries = said({})
    assert [item for item, _ in errors] == ["n"]
    assert (
        "n is required; enter a value, or why it is missing: not_asked, not_done, unknown, refused" in errors[0][1]
    )
    assert queries == []


@pytest.mark.parametrize(
    ("values", "item", "words"),
    [
        ({"n": "120"}, "n", "n must be an integer; got '120'"),
        ({"n": 120.0}, "n", "n must be an integer"),
        ({"n": True}, "n", "n must be an integer; got True"),
        ({"n": 39}, "n", "n must be from 40 to 300 mmHg; got 39 mmHg"),
        ({"n": 301}, "n", "got 301 mmHg"),
        ({"n": 10**6000}, "n", "n must be an integer; got int"),
        ({"n": {"value": 16, "unit": "kPa"}}, "n", "n is entered in the unit mmHg; got 'kPa'"),
        ({"n": {"value": 39, "unit": "mmHg"}}, "n", "from 40 to 300 mmHg"),
        ({"n": {"value": 120}}, "n", "takes a value, a value with its unit, or the code"),
        ({"n": {"missing": "lost"}}, "n", "'lost' does not say why; allowed are not_asked"),
        ({"n": {"missing": "refused", "value": 3}}, "n", "takes a value"),
        ({"n": [120]}, "n", "n must be an integer"),
        ({"n": 120, "x": float("nan")}, "x", "x must be a number; got nan"),
        ({"n": 120, "x": -0.1}, "x", "x must be at least 0; got -0.1"),
        ({"n": 120, "x": {"value": 1, "unit": "kg"}}, "x", "x is entered in the unit none; got 'kg'"),
        ({"n": 120, "t": " "}, "t", "t must be a text that is not blank"),
        ({"n": 120, "c": "ajar"}, "c", "c must be one of open, closed; got 'ajar'"),
        ({"n": 120, "d": "2027-02-29"}, "d", "d must be a date, as 2026-12-01; got '2027-02-29'"),
        ({"n": 120, "y": "yes"}, "y", "y must be true or false; got 'yes'"),
        ({"n": 120, "z": 1}, "z", "form f has no item 'z'; it has n, x, t, c, d, y"),
    ],
)
def test_each_value_that_does_not_fit_is_an_error_at_its_item(values, item, words):
    errors, queries = said(values)
    assert [name for name, _ in errors] == [item]
    assert words in errors[0][1]
    assert queries == []


def test_a_value_outside_the_expected_range_is_taken_and_asked_about():
    errors, queries = said({"n": {"value": 151, "unit": "mmHg"}, "x": 5.5})
    assert errors == []
    assert queries == [
        ("n", "n is 151 mmHg, expected from 90 to 150 mmHg; confirm or correct it"),
        ("x", "x is 5.5, expected at most 5; confirm or correct it"),
    ]
    assert said({"n": 90, "x": 5}) == said({"n": 150}) == ([], [])


def test_a_form_that_is_a_measure_takes_what_the_measure_takes(example):
    form = example.form("arat")
    assert form.check({"grasp_1": 2, "grasp_2": {"missing": "refused"}, "grasp_3": None}) == ((), ())
    errors, queries = form.check({"grasp_1": 7, "grip_9": 1, "grasp_2": {"missing": "x"}})
    assert [one.item for one in errors] == ["grasp_1", "grip_9", "grasp_2"]
    assert queries == ()


@pytest.mark.job
@settings(max_examples=100, deadline=None)
@given(st.dictionaries(st.one_of(st.sampled_from(["n", "x", "t", "c", "d", "y"]), st.text(max_size=3)), JSON))
def test_any_value_of_a_form_is_taken_or_told(values):
    errors, queries = FORM.check(values)
    assert {one.item for one in errors}.isdisjoint({one.item for one in queries})
    assert all(isinstance(one.text, messages.Message) for one in (*errors, *queries))


@pytest.mark.parametrize("key", ["p", "factors", "slots", "ratio", "blocks", "strata", "measure", "kind"])
def test_a_number_without_a_text_is_refused_in_a_sentence_wherever_a_design_holds_it(example, key):
    for value in (10**6000, {"side": 10**6000}, [10**6000]):
        for table in (DRAWN, example.randomisation):
            definition = {**example.definition(), "randomisation": {**table, key: value}}
            with pytest.raises(BadValue):
                Protocol.from_definition(definition)
