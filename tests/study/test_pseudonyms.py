"""Pseudonyms: random, never taken twice, and what is misread is found."""

from __future__ import annotations

import itertools
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.doors import SeededChance
from workbench import world
from workbench.errors import BadValue
from workbench.study import nouns, pseudonyms

LOOK_ALIKES = ("0O", "1IL", "2Z", "5S", "8B", "UV")
PREFIXES = ("", "NEO", "S01", "ABCDEFGHIJKL")
CHARACTERS = pseudonyms.VALUES[:-1]


def drawn(prefix="", seed=1):
    return pseudonyms.new(prefix, (), SeededChance(seed))


def refused(code):
    try:
        pseudonyms.checked(code)
    except BadValue:
        return True
    return False


def test_no_two_characters_of_the_alphabet_look_alike():
    for group in LOOK_ALIKES:
        assert len(set(group) & set(pseudonyms.ALPHABET)) <= 1
    assert set(pseudonyms.ALPHABET) <= set(CHARACTERS)
    assert len(set(pseudonyms.ALPHABET)) == len(pseudonyms.ALPHABET) == 22


def test_the_weights_prove_that_single_errors_and_transpositions_are_found():
    longest = pseudonyms.LONGEST_PREFIX + pseudonyms.DRAWN + 1
    weights = [pow(2, i, 37) for i in range(longest)]
    assert all(37 % divisor for divisor in range(2, 37))
    assert 0 not in weights
    assert len(set(weights)) == longest


@pytest.mark.parametrize("prefix", PREFIXES)
def test_every_single_wrong_character_is_found(prefix):
    for seed in range(5):
        code = drawn(prefix, seed)
        places = [n for n, c in enumerate(code) if c != "-"]
        assert not refused(code)
        for n, other in itertools.product(places, CHARACTERS):
            assert refused(code[:n] + other + code[n + 1 :]) == (other != code[n])


@pytest.mark.parametrize("prefix", PREFIXES)
def test_every_two_characters_that_changed_places_are_found(prefix):
    for seed in range(5):
        code = drawn(prefix, seed).replace("-", "")
        for a, b in itertools.combinations(range(len(code)), 2):
            swapped = list(code)
            swapped[a], swapped[b] = code[b], code[a]
            assert refused("".join(swapped)) == (code[a] != code[b])


@given(
    st.text(CHARACTERS, max_size=pseudonyms.LONGEST_PREFIX),
    st.integers(0, 2**32),
    st.data(),
)
def test_a_code_is_read_back_and_none_of_its_misreadings_is(prefix, seed, data):
    code = drawn(prefix, seed)
    assert pseudonyms.checked(code) == code
    bare = code.replace("-", "")
    n = data.draw(st.integers(0, len(bare) - 1))
    other = data.draw(st.sampled_from(CHARACTERS).filter(lambda c: c != bare[n]))
    with pytest.raises(BadValue):
        pseudonyms.checked(bare[:n] + other + bare[n + 1 :])
    m = data.draw(st.integers(0, len(bare) - 2))
    if bare[m] != bare[m + 1]:
        with pytest.raises(BadValue):
            pseudonyms.checked(bare[:m] + bare[m + 1] + bare[m] + bare[m + 2 :])


@pytest.mark.parametrize("prefix", PREFIXES)
def test_a_code_is_a_pseudonym_that_the_record_takes(prefix):
    nouns.check("participant", {"pseudonym": drawn(prefix)})


def test_a_code_is_read_in_every_way_that_it_is_typed():
    code = drawn("NEO")
    assert code.startswith("NEO-")
    full_width = "".join(chr(ord(c) + 0xFEE0) for c in code.replace("-", ""))
    for typed in (code.lower(), code.replace("-", ""), code.replace("-", " "), f" {code} ", full_width):
        assert pseudonyms.checked(typed) == code


@pytest.mark.parametrize("typed", ["", "P-001", "Canary Name-Here", "K7QF-M3XH-0", "\udcff" * 9, "x" * 10**6])
def test_what_is_no_code_is_refused_in_one_sentence_that_does_not_repeat_it(typed):
    with pytest.raises(BadValue) as raised:
        pseudonyms.checked(typed)
    assert "Canary" not in str(raised.value)
    assert len(str(raised.value)) < 200


def test_a_wrong_check_character_is_said_to_be_one():
    code = drawn()
    other = next(c for c in pseudonyms.ALPHABET if c != code[-1])
    with pytest.raises(BadValue, match="does not fit the others"):
        pseudonyms.checked(code[:-1] + other)


@pytest.mark.parametrize("prefix", ["A-B", "ä", "A" * 13, " ", "*"])
def test_a_prefix_that_would_blur_the_code_is_refused(prefix):
    with pytest.raises(BadValue, match="a prefix has at most 12 letters"):
        pseudonyms.new(prefix, (), world.chance)


def test_a_taken_code_is_skipped():
    first = drawn(seed=3)
    second = pseudonyms.new("", {first}, SeededChance(3))
    assert second != first
    assert pseudonyms.new("", {first, second}, SeededChance(3)) not in {first, second}


def test_ten_thousand_codes_are_different_and_tell_no_order():
    codes = [pseudonyms.new("", (), world.chance) for _ in range(10_000)]
    assert len(set(codes)) >= 9_999  # two are equal in one of 650 runs, three practically never
    for place in (0, 3, 5, 8):
        counts = Counter(code[place] for code in codes)
        assert set(counts) == set(pseudonyms.ALPHABET)
        assert max(counts.values()) < 700  # of 455 on average, with a standard deviation of 21
    assert 0.45 < sum(a < b for a, b in itertools.pairwise(codes)) / len(codes) < 0.55
