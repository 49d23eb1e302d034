"""Randomisation: lists in their bounds, sealed, committed, proven; minimisation by hand and by replay."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import fields, replace
from fractions import Fraction
from itertools import islice

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.errors import BadValue, RecordFault, Refused, UnknownName
from workbench.stress import randomisation as stress
from workbench.stress.randomisation import ARMS, BLOCKS, SIMPLE, STRATA, arrivals, is_even
from workbench.stress.randomisation import MINIMISATION as THREE
from workbench.study.chain import canonical
from workbench.study.randomisation import (
    Allocation,
    Design,
    SealedList,
    Secret,
    generate,
    imbalances,
    minimise,
    next_slot,
    open_slot,
    open_slots,
    prove,
    replay_minimisation,
    reveal,
    seal,
    sealing,
)
from workbench.study.randomisation.draws import Draws
from workbench.study.randomisation.lists import blocks

KEY = bytes(range(32))
SEED = 0x0123456789ABCDEF0123456789ABCDEF
FIRST_RAW = [17863262238051502523, 2284056461333285156, 15190664807549140126]
FIRST_DIGITS = [0, 5, 1, 3, 7, 7, 8, 8, 0, 7]
FIRST_ARMS = ("stimulation", "sham", "sham", "stimulation", "sham", "stimulation", "stimulation", "sham")
ROOT = "7fd68a293a50d227dca5eeec5ea891febadde4388fa45e03030aa194004e7f2a"
COMMITMENT = "fbf4a046842b607b75bdd9b1119eb69e75ffb83ec5b2af401709a5b11a4ad8f5"
MINIMISED = "ttthhhthhthhttthhhth"
LAST_STATE = "57a0faa464471003361acce68bd67293d86c51c5f6ed16dcefb8e3a4b8ad9899"
"""What the seed gives, on every machine, as long as the version of the generator is 1."""


def design(table, *, arms=ARMS, **changes):
    return Design.of({**table, **changes}, arms)


def secret(table=BLOCKS, *, seed=SEED, key=KEY, list_id="main", **changes):
    return Secret(list_id, design(table, **changes), seed, key)


@pytest.fixture(scope="module")
def own():
    """A secret and its sealed list."""
    made = secret()
    return made, seal(made)


# ------------------------------------------------------------------------------------ draws
def test_a_stream_is_that_of_the_seed_sequence_with_its_number_as_spawn_key():
    """NumPy promises the raw integers of PCG64 (its docstring, NEP 19) and not the methods of Generator."""
    for seed in (0, 1, 2**32, SEED, 2**128 - 1):
        for number in (0, 1, 7, 2**32 - 1):
            raw = np.random.PCG64(np.random.SeedSequence(seed, spawn_key=(number,))).random_raw(3)
            draws = Draws(seed, number)
            assert [draws.below(2**64) for _ in range(3)] == raw.tolist()


def test_the_stream_of_a_seed_is_the_same_on_every_machine():
    draws = Draws(SEED, 7)
    assert [draws.below(2**64) for _ in range(3)] == FIRST_RAW
    assert [draws.below(10) for _ in range(10)] == FIRST_DIGITS


def test_bounded_draws_and_shuffles_are_even():
    draws = Draws(SEED, 0)
    counts = Counter(draws.below(3) for _ in range(6000))
    assert set(counts) == {0, 1, 2}
    assert all(is_even(count, 6000, 1 / 3) for count in counts.values())
    orders = Counter("".join(draws.shuffled("abc")) for _ in range(6000))
    assert len(orders) == 6
    assert all(is_even(count, 6000, 1 / 6) for count in orders.values())
    values = [draws.unit() for _ in range(1000)]
    assert 0.0 <= min(values) < 0.02
    assert 0.98 < max(values) < 1.0


@pytest.mark.parametrize("seed", [-1, 2**128, 1.0, True, "1", None])
def test_what_is_no_seed_is_refused_and_not_shown(seed):
    for make in (
        lambda: generate(design(BLOCKS), seed),
        lambda: secret(seed=seed),
        lambda: minimise(design(THREE), seed, [], {"sex": "F", "injury": "C5", "site": "1"}, 0),
        lambda: replay_minimisation(design(THREE), seed, []),
    ):
        with pytest.raises(BadValue, match="a seed must be an integer of at most 128 bits") as raised:
            make()
        assert str(2**128) not in str(raised.value)


# ------------------------------------------------------------------------------------ simulated trials
@pytest.mark.job
def test_simulated_trials_stay_within_their_bounds_and_come_again_from_their_seed():
    for figures in stress.randomised(60, SEED):
        assert figures.passed, figures.text()


@pytest.mark.release
def test_a_thousand_simulated_trials_stay_within_their_bounds_and_come_again_from_their_seed():
    for figures in stress.randomised(1000, 1):
        assert figures.passed, figures.text()


def test_arms_that_one_prefers_or_that_come_otherwise_from_their_seed_are_found(monkeypatch):
    monkeypatch.setattr(stress, "generate", lambda design, seed: {"{}": ("a",) * 40})
    assert "40 of 40 in arm a" in stress._simple(1, SEED, lambda: None).text()
    monkeypatch.setattr(stress, "minimise", lambda design, seed, history, covariates, n: ("sham", "00"))
    found = stress._minimised(1, SEED, lambda: None)
    assert not found.passed
    assert found.again == 0


@pytest.mark.parametrize(
    ("ratio", "sizes"),
    [({"a": 1, "b": 1}, [2, 4, 6]), ({"a": 2, "b": 1}, [3, 6]), ({"a": 1, "b": 3, "c": 2}, [6])],
)
def test_every_block_has_the_exact_ratio_and_a_size_that_was_drawn(ratio, sizes):
    table = design(BLOCKS, arms=tuple(ratio), ratio=ratio, blocks=sizes)
    drawn = list(islice(blocks(table, Draws(SEED, 0)), 600))
    for block in drawn:
        part = len(block) // sum(ratio.values())
        assert Counter(block) == {arm: weight * part for arm, weight in ratio.items()}
    lengths = Counter(map(len, drawn))
    assert set(lengths) == set(sizes)
    assert all(is_even(count, 600, 1 / len(sizes)) for count in lengths.values())


def test_a_longer_list_begins_with_the_shorter_one():
    short, long = generate(design(BLOCKS, slots=7), SEED), generate(design(BLOCKS, slots=24), SEED)
    assert {stratum: arms[:7] for stratum, arms in long.items()} == short
    assert {len(arms) for arms in short.values()} == {7}


def test_strata_and_seeds_have_lists_of_their_own():
    lists = generate(design(BLOCKS), SEED)
    assert list(lists) == sorted(lists)
    assert len(set(lists.values())) == 4
    assert generate(design(BLOCKS), SEED + 1) != lists


def test_a_design_that_went_through_the_record_gives_the_same_list():
    """Canonical JSON sorts keys: no draw may depend on the order in which a table was written."""
    table = {**BLOCKS, "ratio": {"stimulation": 2, "sham": 1}, "blocks": [6, 3]}
    stored = json.loads(canonical(design(table).to_json()))
    again = Design.of(stored, sorted(ARMS))
    assert generate(again, SEED) == generate(design(table), SEED)
    assert generate(design(table, strata={"ais": ["B", "A"], "site": ["02", "01"]}), SEED) == generate(again, SEED)


# ------------------------------------------------------------------------------------ sealing
def test_the_list_of_a_seed_is_the_same_on_every_machine(own):
    made, sealed = own
    assert generate(design(BLOCKS), SEED)['{"ais":"A","site":"01"}'][:8] == FIRST_ARMS
    assert sealed.root == ROOT
    assert made.commitment() == sealed.made_from == COMMITMENT
    assert seal(secret()) == sealed


def test_every_slot_opens_to_the_arm_that_was_drawn_also_after_storage(own):
    made, sealed = own
    stored = SealedList.of(json.loads(json.dumps(sealed.to_json())))
    key = Secret.of(json.loads(json.dumps(made.to_json())))
    assert (stored, key) == (sealed, made)
    drawn = generate(made.design, made.seed)
    opened = {(slot.stratum, slot.seq): open_slot(stored, key, slot.stratum, slot.seq) for slot in sealed.slots}
    assert opened == {(s, k): arm for s, arms in drawn.items() for k, arm in enumerate(arms, start=1)}
    assert len(opened) == 96
    assert open_slots(stored, key, opened) == list(opened.values())


def test_ciphertexts_are_equally_long_whatever_arm_and_stratum():
    strata = {"site": ["1", "a site with a long name"], "手": ["左", "右侧"]}
    made = secret(arms=("a", "刺激组 with a long name"), strata=strata, slots=120)
    sealed = seal(made)
    assert {open_slot(sealed, made, slot.stratum, slot.seq) for slot in sealed.slots[:20]} == set(
        made.design.ratio
    )
    assert len({len(slot.cipher) for slot in sealed.slots}) == 1
    assert len({len(open_slot(sealed, made, slot.stratum, slot.seq)) for slot in sealed.slots[:20]}) == 2


def test_a_sealed_list_shows_neither_arm_nor_seed_nor_key_nor_block_sizes(own):
    made, sealed = own
    shown = canonical(sealed.to_json()) + repr(sealed)
    for word in ("stimulation", "sham", f"{made.seed:032x}", str(made.seed), made.key.hex(), "blocks"):
        assert word not in shown
    # Equal arms in equal places of two lists: nothing that is stored can be compared.
    other = seal(secret(list_id="other"))
    assert not {slot.leaf for slot in sealed.slots} & {slot.leaf for slot in other.slots}
    assert not {slot.cipher for slot in sealed.slots} & {slot.cipher for slot in other.slots}


def test_a_secret_is_not_printed(own):
    made, _ = own
    assert str(made.seed) not in repr(made)
    assert repr(made.key) not in repr(made)


def another(value):
    if isinstance(value, int):
        return value + 1
    if isinstance(value, bytes):
        return bytes([value[0] ^ 1]) + value[1:]
    return value[:-1] + ("0" if value[-1] != "0" else "1")


@pytest.mark.parametrize("name", ["list_id", "generator", "made_from", "slots", "root"])
def test_each_field_of_a_list_that_was_changed_once_is_refused(own, name):
    made, sealed = own
    assert {f.name for f in fields(sealed)} == {"list_id", "generator", "made_from", "slots", "root"}
    value = sealed.slots[:-1] if name == "slots" else another(getattr(sealed, name))
    changed = replace(sealed, **{name: value})
    with pytest.raises(RecordFault, match="it was changed"):
        open_slot(changed, made, sealed.slots[0].stratum, 1)
    with pytest.raises(RecordFault, match="it was changed"):
        SealedList.of(changed.to_json())
    assert not prove(changed, made).holds


@pytest.mark.parametrize("name", ["stratum", "seq", "cipher", "leaf"])
@pytest.mark.parametrize("place", [0, 50, 95])
def test_each_field_of_a_slot_that_was_changed_once_is_refused(own, name, place):
    made, sealed = own
    slot = sealed.slots[place]
    assert {f.name for f in fields(slot)} == {"stratum", "seq", "cipher", "leaf"}
    changed = with_slots(sealed, {place: replace(slot, **{name: another(getattr(slot, name))})})
    with pytest.raises(RecordFault, match="was changed"):
        open_slot(changed, made, slot.stratum, slot.seq)
    with pytest.raises(RecordFault, match="was changed"):
        SealedList.of(changed.to_json())
    proof = prove(changed, made)
    assert any(f"slot {slot.seq} of the stratum {slot.stratum} is" in told for told in proof.differences)


def with_slots(sealed, changed):
    return replace(sealed, slots=tuple(changed.get(k, slot) for k, slot in enumerate(sealed.slots)))


def rooted(sealed):
    """A list whose forger also wrote the root again."""
    return replace(sealed, root=sealed.computed_root())


@pytest.mark.parametrize("whole", [False, True])
def test_two_slots_that_were_swapped_do_not_open_even_under_a_forged_root(own, whole):
    made, sealed = own
    drawn = generate(made.design, made.seed)[sealed.slots[0].stratum]
    other = drawn.index(next(arm for arm in drawn if arm != drawn[0]))
    first, second = sealed.slots[0], sealed.slots[other]
    parts = ("cipher", "leaf") if whole else ("cipher",)
    swapped = with_slots(
        sealed,
        {
            0: replace(first, **{name: getattr(second, name) for name in parts}),
            other: replace(second, **{name: getattr(first, name) for name in parts}),
        },
    )
    with pytest.raises(RecordFault, match="is not what its root commits to"):
        open_slot(swapped, made, first.stratum, 1)
    forged = rooted(swapped)
    assert SealedList.of(forged.to_json()) == forged
    for slot in (first, second):
        with pytest.raises(RecordFault, match=f"slot {slot.seq} of the stratum .* does not hold what was sealed"):
            open_slot(forged, made, slot.stratum, slot.seq)
        with pytest.raises(RecordFault, match=f"slot {slot.seq} of the stratum .* does not hold what was sealed"):
            open_slots(forged, made, [(slot.stratum, slot.seq)])
    with pytest.raises(RecordFault, match="is not what its root commits to"):
        open_slots(swapped, made, [(first.stratum, 1)])
    proof = prove(forged, made)
    assert len(proof.differences) == 3
    assert "root" in proof.differences[0]
    assert [f"slot {slot.seq} of" in told for slot, told in zip((first, second), proof.differences[1:])] == [
        True
    ] * 2


def test_a_slot_whose_leaf_commits_to_another_arm_is_refused(own):
    made, sealed = own
    forged = rooted(with_slots(sealed, {0: replace(sealed.slots[0], leaf="0" * 64)}))
    with pytest.raises(RecordFault, match="does not hold what was sealed there"):
        open_slot(forged, made, sealed.slots[0].stratum, 1)
    with pytest.raises(RecordFault, match="does not hold what was sealed there"):
        open_slots(forged, made, [(sealed.slots[0].stratum, 1)])


@pytest.mark.parametrize(
    "other", [{"key": bytes(32)}, {"seed": 1}, {"list_id": "second"}, {"slots": 23}, {"blocks": [2, 4]}]
)
def test_the_secret_of_another_list_is_refused_and_proves_nothing(own, other):
    made, sealed = own
    with pytest.raises(Refused, match="was not made from this secret"):
        open_slot(sealed, secret(**other), sealed.slots[0].stratum, 1)
    with pytest.raises(Refused, match="was not made from this secret"):
        open_slots(sealed, secret(**other), [(sealed.slots[0].stratum, 1)])
    assert not prove(sealed, secret(**other)).holds


def test_a_slot_that_is_not_there_is_refused(own):
    made, sealed = own
    stratum = sealed.slots[0].stratum
    for seq in (0, 25, "1", None):
        with pytest.raises(UnknownName, match=r"has slots 1 to 24 in the stratum"):
            open_slot(sealed, made, stratum, seq)
        with pytest.raises(UnknownName, match=r"has slots 1 to 24 in the stratum"):
            open_slots(sealed, made, [(stratum, seq)])
    with pytest.raises(UnknownName, match="has no stratum"):
        open_slot(sealed, made, "{}", 1)


@pytest.mark.parametrize(
    "change",
    [
        {"format": "another"},
        {"generator": "1"},
        {"generator": True},
        {"list_id": ""},
        {"list_id": "\ud800"},
        {"slots": []},
        {"slots": None},
        {"slots": [["s", 1, "00"]]},
        {"slots": [["\ud800", 1, "00", "0" * 64]]},
        {"slots": [["s", True, "00", "0" * 64]]},
        {"slots": [["s", 1, "xx", "0" * 64]]},
        {"slots": [["s", 1, "00", "0" * 63]]},
        {"slots": [["s", 1, "00" * 40_000, "0" * 64]]},
        {"root": 1},
        {"made_from": "x"},
    ],
)
def test_what_is_no_sealed_list_is_refused_in_a_sentence(own, change):
    with pytest.raises(RecordFault, match="not a sealed randomisation list"):
        SealedList.of({**own[1].to_json(), **change})
    for content in (None, [], "text", {}):
        with pytest.raises(RecordFault, match="not a sealed randomisation list"):
            SealedList.of(content)


@pytest.mark.parametrize(
    "change",
    [
        {"format": "another"},
        {"seed": 5},
        {"seed": "no number"},
        {"seed": "f" * 33},
        {"key": "00"},
        {"key": None},
        {"design": {}},
        {"design": None},
        {"list_id": "\n"},
        {"generator": 0},
    ],
)
def test_what_is_no_secret_is_refused_and_nothing_of_it_is_shown(own, change):
    content = {**own[0].to_json(), **change}
    with pytest.raises(RecordFault, match="not the secret of a randomisation") as raised:
        Secret.of(content)
    assert raised.value.__suppress_context__
    assert not [
        value
        for value in (content["seed"], content["key"])
        if isinstance(value, str) and value in str(raised.value)
    ]


@pytest.mark.parametrize("key", [b"", bytes(31), bytes(33), "0" * 32, None])
def test_a_master_key_is_32_bytes(key):
    with pytest.raises(BadValue, match="a list master key must be 32 random bytes"):
        secret(key=key)


# ------------------------------------------------------------------------------------ proofs
def test_a_list_is_proven_from_its_seed(own):
    made, sealed = own
    proof = prove(sealed, made)
    assert proof.holds
    assert (proof.compared, proof.differences) == (96, ())


def test_a_slot_that_is_missing_added_or_moved_is_named(own):
    made, sealed = own
    last = sealed.slots[-1]
    gone = prove(rooted(replace(sealed, slots=sealed.slots[:-1])), made)
    assert f"slot 24 of the stratum {last.stratum} is missing from the list" in gone.differences
    more = prove(rooted(replace(sealed, slots=(*sealed.slots, replace(last, seq=25)))), made)
    assert any("slot 25" in told and "gives no such slot" in told for told in more.differences)
    moved = prove(replace(sealed, slots=sealed.slots[::-1]), made)
    assert moved.differences == ("the slots are the same, their order in the list is not",)


@pytest.mark.parametrize("n", [1, 2, 3, 4, 5, 7, 8, 9])
def test_each_slot_is_proven_by_its_path_and_no_other_statement_is(n):
    made = secret(SIMPLE, slots=n)
    sealed = seal(made)
    for slot in sealed.slots:
        proof = reveal(sealed, made, slot.stratum, slot.seq)
        assert proof.arm == generate(made.design, made.seed)["{}"][slot.seq - 1]
        assert proof.holds(sealed.root)
        other = next(arm for arm in ARMS if arm != proof.arm)
        wrong = (
            {"arm": other},
            {"seq": slot.seq + 1},
            {"stratum": '{"a":"b"}'},
            {"list_id": "x"},
            {"salt": "00" * 32},
        )
        for change in wrong:
            assert not replace(proof, **change).holds(sealed.root)
        for k, (side, digest) in enumerate(proof.path):
            steps = list(proof.path)
            steps[k] = ("right" if side == "left" else "left", digest)
            assert not replace(proof, path=tuple(steps)).holds(sealed.root)
        assert not proof.holds("0" * 64)


def test_a_later_generator_opens_an_older_list_and_leaves_its_proof_to_the_older_one(own, monkeypatch):
    made, sealed = own
    arm = open_slot(sealed, made, sealed.slots[0].stratum, 1)
    monkeypatch.setattr(sealing, "GENERATOR_VERSION", 2)
    assert open_slot(sealed, made, sealed.slots[0].stratum, 1) == arm
    with pytest.raises(Refused, match="drawn by version 1 of the generator, and this is version 2"):
        prove(sealed, made)


# ------------------------------------------------------------------------------------ order
@given(order=st.lists(st.sampled_from(["A", "B"]), max_size=30))
@settings(max_examples=30, deadline=None)
def test_slots_are_given_in_order_never_twice_and_to_their_end(order):
    sealed = SMALL
    used, given = set(), Counter()
    for level in order:
        stratum = canonical({"ais": level})
        if given[level] == 8:
            with pytest.raises(Refused, match=r"all 8 slots of the stratum .* are used, nothing was drawn"):
                next_slot(sealed, used, stratum)
            continue
        given[level] += 1
        assert next_slot(sealed, used, stratum) == given[level]
        used.add((stratum, given[level]))
    assert len(used) == given.total()


SMALL = seal(secret(strata={"ais": ["A", "B"]}, slots=8))


def test_the_lowest_slot_that_was_never_used_is_next():
    stratum = canonical({"ais": "A"})
    assert next_slot(SMALL, {(stratum, 1), (stratum, 3), (canonical({"ais": "B"}), 2)}, stratum) == 2


def test_a_stratum_that_the_list_does_not_have_is_refused():
    with pytest.raises(UnknownName, match="the list main has no stratum"):
        next_slot(SMALL, set(), canonical({"ais": "C"}))


@pytest.mark.parametrize(
    ("covariates", "words"),
    [
        ({"site": "01"}, "ais is missing, nothing was drawn; enter one of A, B first"),
        ({"site": "01", "ais": ""}, "ais is missing, nothing was drawn"),
        ({"site": "01", "ais": None}, "ais is missing, nothing was drawn"),
        ({}, "site is missing, nothing was drawn"),
        ({"site": "01", "ais": "C"}, "ais must be one of A, B; got 'C', nothing was drawn"),
        ({"site": 1, "ais": "A"}, "site must be one of 01, 02; got 1, nothing was drawn"),
        ({"site": ["01"], "ais": "A"}, "site must be one of 01, 02"),
        ({"site": "01", "ais": "A", "sex": "F"}, "'sex' is no factor of this randomisation"),
        (None, "covariates must give the level of each factor; got None"),
    ],
)
def test_nothing_is_drawn_before_every_stratum_is_known(covariates, words):
    with pytest.raises(BadValue) as raised:
        design(BLOCKS).stratum(covariates)
    assert words in str(raised.value)
    table = design({"kind": "minimisation", "strata": STRATA})
    with pytest.raises(BadValue) as raised:
        minimise(table, SEED, [], covariates, 0)
    assert words in str(raised.value)


def test_a_stratum_is_the_same_in_whatever_order_and_form_its_levels_came():
    table = design(BLOCKS, strata={"ais": ["A"], "ort": ["Zürich"]})
    assert (
        table.stratum({"ort": "Zu\u0308rich", "ais": "A"}) == '{"ais":"A","ort":"Zürich"}' == table.all_strata()[0]
    )


# ------------------------------------------------------------------------------------ minimisation
EXAMPLE = [
    ({"sex": "F", "injury": "C5", "site": "1"}, "A"),
    ({"sex": "F", "injury": "C6", "site": "1"}, "B"),
    ({"sex": "M", "injury": "C5", "site": "2"}, "A"),
    ({"sex": "M", "injury": "C6", "site": "1"}, "B"),
    ({"sex": "F", "injury": "C5", "site": "2"}, "A"),
]
NEW = {"sex": "F", "injury": "C5", "site": "1"}


@pytest.mark.parametrize(
    ("changes", "a", "b"),
    [
        # By hand. Of women 2 have A and 1 has B; of C5 3 and 0; at site 1 1 and 2.
        # With A: |3−1| + |4−0| + |2−2| = 6. With B: |2−2| + |3−1| + |1−3| = 4.
        ({}, 6, 4),
        # Variance of two numbers = half the squared difference. With A: 2 + 8 + 0. With B: 0 + 2 + 2.
        ({"measure": "variance"}, 10, 4),
        # Site counts three times. With A: 2 + 4 + 0. With B: 0 + 2 + 6.
        ({"factors": {"sex": 1, "injury": 1, "site": 3}}, 6, 8),
        # Site and injury weigh 0.1 and 0.2 exactly as floats: 2·1 + 4·0.2 + 0, and 0 + 2·0.2 + 2·0.1.
        (
            {"factors": {"sex": 1, "injury": 0.2, "site": 0.1}},
            2 + 4 * Fraction(0.2),
            2 * Fraction(0.2) + 2 * Fraction(0.1),
        ),
        # 2:1, mean weight 1.5: an A counts 0.75, a B 1.5. With A: |2.25−1.5| + |3−0| + |1.5−3| = 5.25.
        # With B: |1.5−3| + |2.25−1.5| + |0.75−4.5| = 6.
        ({"ratio": {"A": 2, "B": 1}}, Fraction(21, 4), 6),
        # With A: (0.75² + 3² + 1.5²) / 2. With B: (1.5² + 0.75² + 3.75²) / 2.
        ({"ratio": {"A": 2, "B": 1}, "measure": "variance"}, Fraction(189, 32), Fraction(135, 16)),
    ],
)
def test_scores_are_those_that_were_worked_by_hand(changes, a, b):
    table = design(THREE, arms=("A", "B"), **changes)
    assert imbalances(table, EXAMPLE, NEW) == {"A": a, "B": b}
    certain = replace(table, p=1)
    assert {minimise(certain, SEED, EXAMPLE, NEW, n)[0] for n in range(5, 40)} == {"A" if a < b else "B"}


def test_three_arms_are_scored_over_all_of_them():
    # Of women 2, 1, 0 have A, B, C. Ranges with A, B, C: 3−0, 2−0, 2−1. Variances of (3,1,0), (2,2,0), (2,1,1).
    table = design({"kind": "minimisation", "strata": {"sex": ["F", "M"]}}, arms=("A", "B", "C"))
    history = [({"sex": sex}, arm) for sex, arm in (("F", "A"), ("F", "B"), ("M", "C"), ("F", "A"))]
    assert imbalances(table, history, {"sex": "F"}) == {"A": 3, "B": 2, "C": 1}
    variance = {"A": Fraction(7, 3), "B": Fraction(4, 3), "C": Fraction(1, 3)}
    assert imbalances(replace(table, measure="variance"), history, {"sex": "F"}) == variance


def shares(table, history, covariates, *, n=1500):
    counts = Counter(minimise(table, SEED, history, covariates, k)[0] for k in range(10, 10 + n))
    return counts, n


@pytest.mark.job
def test_the_preferred_arm_has_probability_p_and_the_others_share_the_rest():
    two, n = shares(design(THREE, arms=("A", "B")), EXAMPLE, NEW)
    assert is_even(two["B"], n, 0.8)
    assert two["A"] > 0
    three, n = shares(design(THREE, arms=("A", "B", "C"), p=0.7), EXAMPLE, NEW)
    assert is_even(three["C"], n, 0.7)
    assert is_even(three["A"], n, 0.15)
    assert is_even(three["B"], n, 0.15)


def test_a_tie_is_drawn_and_is_one_also_between_unequal_imbalances():
    even, n = shares(replace(design(THREE, arms=("A", "B")), p=1), [], NEW)
    assert is_even(even["A"], n, 0.5)
    weights = {"sex": 0.25, "injury": 0.5, "site": 0.75}
    table = replace(design(THREE, arms=("A", "B"), factors=weights), p=1)
    # One woman and one C5 have A, one at site 1 has B. With A: 2·0.25 + 2·0.5 + 0; with B: 0 + 0 + 2·0.75.
    history = [({"sex": "F", "injury": "C5", "site": "2"}, "A"), ({"sex": "M", "injury": "C6", "site": "1"}, "B")]
    assert set(imbalances(table, history, NEW).values()) == {Fraction(3, 2)}
    tied, n = shares(table, history, NEW)
    assert is_even(tied["A"], n, 0.5)


@pytest.mark.release
@pytest.mark.parametrize("ratio", [{"A": 2, "B": 1}, {"A": 1, "B": 1, "C": 2}])
def test_minimised_arms_keep_an_unequal_ratio(ratio):
    table = design(THREE, arms=tuple(ratio), ratio=ratio)
    counts, trials, n = Counter(), 40, 48
    for trial in range(trials):
        history = []
        for k, covariates in enumerate(arrivals(trial, n, THREE["strata"])):
            history.append((covariates, minimise(table, trial, history, covariates, k)[0]))
        counts.update(arm for _, arm in history)
    for arm, weight in ratio.items():
        assert abs(counts[arm] / (trials * n) - weight / sum(ratio.values())) < 0.01


def allocated(table, n=20):
    history, stored = [], []
    for k, covariates in enumerate(arrivals(1, n, THREE["strata"])):
        arm, state = minimise(table, SEED, history, covariates, k)
        history.append((covariates, arm))
        stored.append(Allocation(k, covariates, arm, state))
    return stored


def test_a_minimisation_is_replayed_and_is_the_same_on_every_machine():
    stored = allocated(design(THREE))
    assert replay_minimisation(design(THREE), SEED, stored).holds
    assert "".join(made.arm[1] for made in stored) == MINIMISED
    assert stored[-1].state == LAST_STATE
    loaded = [Allocation(**json.loads(canonical({f.name: getattr(m, f.name) for f in fields(m)}))) for m in stored]
    assert replay_minimisation(Design.of(json.loads(canonical(design(THREE).to_json())), ARMS), SEED, loaded).holds


@pytest.mark.parametrize("place", [0, 10, 19])
@pytest.mark.parametrize("name", ["n", "covariates", "arm", "state"])
def test_each_field_of_an_allocation_that_was_changed_once_is_named(name, place):
    stored = allocated(design(THREE))
    made = stored[place]
    other = {
        "n": made.n + 1,
        "covariates": {**made.covariates, "sex": "F" if made.covariates["sex"] == "M" else "M"},
        "arm": next(arm for arm in ARMS if arm != made.arm),
        "state": another(made.state),
    }
    stored[place] = replace(made, **{name: other[name]})
    proof = replay_minimisation(design(THREE), SEED, stored)
    assert proof.compared == 20
    assert proof.differences[0].startswith(f"allocation {place + 1} ")


def test_another_seed_design_or_order_is_named():
    stored = allocated(design(THREE))
    assert not replay_minimisation(design(THREE), SEED + 1, stored).holds
    assert not replay_minimisation(design(THREE, p=0.81), SEED, stored).holds
    history = [(made.covariates, made.arm) for made in stored]
    again = Allocation(19, NEW, *minimise(design(THREE), SEED, history[:19], NEW, 19))
    late = Allocation(40, NEW, *minimise(design(THREE), SEED, history[:18], NEW, 40))
    early = Allocation(30, NEW, *minimise(design(THREE), SEED, [*history[:18], (NEW, late.arm)], NEW, 30))
    assert replay_minimisation(design(THREE), SEED, [*stored[:19], again]).holds
    (told,) = replay_minimisation(design(THREE), SEED, [*stored[:18], late, early]).differences
    assert told == "allocation 20 has draw number 30, which is not above 40, that of the one before"
    assert not replay_minimisation(design(THREE), SEED, [*stored[:-2], stored[-1], stored[-2]]).holds
    unfit = [*stored, Allocation(20, {"sex": "F"}, "sham", "")]
    (only,) = replay_minimisation(design(THREE), SEED, unfit).differences
    assert (
        only == "allocation 21 cannot be repeated: injury is missing, nothing was drawn; enter one of C5, C6 first"
    )


def test_a_state_cannot_be_computed_without_the_seed_and_a_draw_depends_on_its_number_alone():
    table = design(THREE)
    covariates = {"sex": "F", "injury": "C5", "site": "1"}
    assert minimise(table, SEED, [], covariates, 3)[1] != minimise(table, SEED + 1, [], covariates, 3)[1]
    states = {minimise(table, SEED, [], covariates, n)[1] for n in range(20)}
    assert len(states) == 20
    assert {minimise(table, SEED, [], covariates, n)[0] for n in range(20)} == set(ARMS)


@pytest.mark.parametrize(
    ("history", "n", "words"),
    [
        ([], -1, "an integer of 0 or more"),
        ([], True, "an integer of 0 or more"),
        ([], 1.0, "an integer of 0 or more"),
        ([], 2**32, "from 0 to 4294967295"),
        (EXAMPLE[:1], 1, "entry 1 of the history must be covariates and one of the arms sham, stimulation"),
        ([({**NEW}, "sham")], 0, "an integer of 1 or more, since every allocation of the history used one"),
        ([("sham",)], 1, "entry 1 of the history"),
        ([5], 1, "entry 1 of the history"),
        ([({"sex": "F"}, "sham")], 1, "injury is missing"),
        ({}, 1, "the history must be a list"),
    ],
)
def test_a_history_or_number_that_is_none_is_refused(history, n, words):
    with pytest.raises(BadValue) as raised:
        minimise(design(THREE), SEED, history, NEW, n)
    assert words in str(raised.value)


def test_a_list_is_not_minimised_and_a_minimisation_has_no_list():
    with pytest.raises(BadValue, match="a minimisation has no list"):
        seal(secret(THREE))
    for call in (
        lambda: minimise(design(SIMPLE), SEED, [], {}, 0),
        lambda: replay_minimisation(design(SIMPLE), 1, []),
    ):
        with pytest.raises(
            BadValue, match="only a randomisation of kind minimisation is minimised; got kind simple"
        ):
            call()


def test_the_seed_of_a_minimisation_is_committed_to():
    made = secret(THREE)
    assert Secret.of(made.to_json()).commitment() == made.commitment()
    others = [
        secret(THREE, seed=1),
        secret(THREE, p=0.9),
        secret(THREE, list_id="b"),
        secret(THREE, key=bytes(32)),
    ]
    assert len({made.commitment(), *(other.commitment() for other in others)}) == 5


# ------------------------------------------------------------------------------------ designs
GONE = object()


@pytest.mark.parametrize(
    ("table", "changes", "words"),
    [
        (
            BLOCKS,
            {"kind": "block"},
            "the kind of a randomisation must be one of blocks, simple, minimisation; got 'block'",
        ),
        (BLOCKS, {"kind": GONE}, "must be one of blocks, simple, minimisation; got None"),
        (BLOCKS, {"kind": ["blocks"]}, "must be one of blocks, simple, minimisation"),
        (BLOCKS, {"seed": 1}, "[randomisation] takes kind, ratio, blocks, strata, slots; got 'seed'"),
        (BLOCKS, {1: 1}, "[randomisation] takes kind, ratio, blocks, strata, slots; got 1"),
        (BLOCKS, {"p": 0.8}, "p means nothing in a randomisation of kind blocks"),
        (SIMPLE, {"blocks": [2]}, "blocks means nothing in a randomisation of kind simple"),
        (THREE, {"slots": 5}, "slots means nothing in a randomisation of kind minimisation"),
        (BLOCKS, {"blocks": GONE}, "a randomisation of kind blocks needs blocks"),
        (BLOCKS, {"slots": GONE}, "a randomisation of kind blocks needs slots"),
        (SIMPLE, {"slots": GONE}, "a randomisation of kind simple needs slots"),
        (THREE, {"strata": GONE}, "a randomisation of kind minimisation needs strata"),
        (BLOCKS, {"ratio": {"stimulation": 1}}, "ratio must give"),
        (
            BLOCKS,
            {"ratio": {"stimulation": 1, "other": 1}},
            "ratio must give each arm of the protocol (stimulation, sham)",
        ),
        (BLOCKS, {"ratio": {"stimulation": 1, "sham": 0}}, "an integer from 1 to 100"),
        (BLOCKS, {"ratio": {"stimulation": 1, "sham": 1.0}}, "an integer from 1 to 100"),
        (BLOCKS, {"ratio": {"stimulation": 1, "sham": True}}, "an integer from 1 to 100"),
        (BLOCKS, {"ratio": {"stimulation": 1, "sham": 101}}, "an integer from 1 to 100"),
        (BLOCKS, {"ratio": [1, 1]}, "ratio must give"),
        (BLOCKS, {"blocks": []}, "blocks must list 1 to 20 different sizes"),
        (BLOCKS, {"blocks": [3]}, "each a multiple of 2 (the sum of the ratio)"),
        (BLOCKS, {"blocks": [0]}, "blocks must list"),
        (BLOCKS, {"blocks": [-2]}, "blocks must list"),
        (BLOCKS, {"blocks": [2, 2]}, "blocks must list"),
        (BLOCKS, {"blocks": [2.0]}, "blocks must list"),
        (BLOCKS, {"blocks": [1002]}, "at most 1000"),
        (BLOCKS, {"blocks": 4}, "blocks must list"),
        (BLOCKS, {"blocks": "24"}, "blocks must list"),
        (BLOCKS, {"slots": 0}, "slots must be an integer from 1 to 10,000"),
        (BLOCKS, {"slots": 2.5}, "slots must be an integer"),
        (BLOCKS, {"slots": True}, "slots must be an integer"),
        (BLOCKS, {"slots": 10_001}, "slots must be an integer"),
        (BLOCKS, {"strata": ["site"]}, "strata must give the levels of at most 20 factors"),
        (BLOCKS, {"strata": {"": ["a"]}}, "strata must give"),
        (BLOCKS, {"strata": {f"f{k}": ["a"] for k in range(21)}}, "strata must give"),
        (BLOCKS, {"strata": {"site": []}}, "the levels of site must be a list of 1 to 200 different texts"),
        (BLOCKS, {"strata": {"site": ["a", "a"]}}, "the levels of site"),
        (BLOCKS, {"strata": {"site": ["Zürich", "Zu\u0308rich"]}}, "the levels of site"),
        (BLOCKS, {"strata": {"site": [1, 2]}}, "the levels of site"),
        (BLOCKS, {"strata": {"site": "ab"}}, "the levels of site"),
        (BLOCKS, {"strata": {"site": ["a\u200b"]}}, "the levels of site"),
        (BLOCKS, {"strata": {"site": ["a" * 81]}}, "the levels of site"),
        (
            BLOCKS,
            {"strata": {f"f{k}": ["a", "b"] for k in range(13)}},
            "a list has at most 5,000 strata, these factors make 8,192",
        ),
        (
            BLOCKS,
            {"slots": 10_000, "strata": {"site": [str(k) for k in range(11)]}},
            "a list has at most 100,000 slots over all strata, this one would have 110,000",
        ),
        (THREE, {"strata": {}}, "factors must give each of none a weight"),
        (THREE, {"strata": ["sex"]}, "strata must give"),
        (THREE, {"factors": {"sex": 1}}, "factors must give each of injury, sex, site a weight"),
        (THREE, {"factors": {"sex": 1, "injury": 1, "site": 0}}, "a weight above 0 and at most 100"),
        (THREE, {"factors": {"sex": 1, "injury": 1, "site": float("nan")}}, "a weight above 0"),
        (THREE, {"factors": {"sex": 1, "injury": 1, "site": True}}, "a weight above 0"),
        (THREE, {"factors": {"sex": 1, "injury": 1, "site": "1"}}, "a weight above 0"),
        (THREE, {"factors": ["sex", "injury", "site"]}, "factors must give"),
        (THREE, {"measure": "sd"}, "measure must be one of range, variance; got 'sd'"),
        (THREE, {"p": 0.5}, "p must be a number above 0.5 and at most 1; got 0.5"),
        (THREE, {"p": 1.01}, "p must be"),
        (THREE, {"p": float("nan")}, "p must be"),
        (THREE, {"p": True}, "p must be"),
        (THREE, {"p": "0.8"}, "p must be"),
    ],
)
def test_each_fault_of_a_design_is_told_in_a_sentence(table, changes, words):
    content = {name: value for name, value in {**table, **changes}.items() if value is not GONE}
    with pytest.raises(BadValue) as raised:
        Design.of(content, ARMS)
    assert words in str(raised.value)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    "arms", [[], ["a"], ["a", "a"], ["a", ""], ["a", " b"], ["a", 1], "ab", None, list(map(str, range(21)))]
)
def test_arms_are_two_or_more_different_names(arms):
    with pytest.raises(BadValue, match="a randomisation needs 2 to 20 different arms"):
        Design.of(SIMPLE, arms)


@pytest.mark.parametrize("table", [None, [], "blocks", 5])
def test_what_is_no_table_is_no_design(table):
    with pytest.raises(BadValue, match=r"\[randomisation\] must be a table"):
        Design.of(table, ARMS)


@pytest.mark.parametrize("table", [BLOCKS, SIMPLE, THREE])
def test_a_design_is_read_back_from_its_plain_data(table):
    made = design(table)
    assert Design.of(json.loads(json.dumps(made.to_json())), ARMS) == made
    assert made.ratio == {"stimulation": 1, "sham": 1}


def test_a_design_that_is_made_without_a_table_is_checked_as_well():
    with pytest.raises(BadValue, match="blocks must list"):
        Design("blocks", {"a": 1, "b": 1}, blocks=(3,), slots=5)
    with pytest.raises(BadValue, match="must be one of blocks"):
        Design("other", {"a": 1, "b": 1})
