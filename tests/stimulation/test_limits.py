"""Files of limits: what they must hold, their hash, and who puts them into force."""

from __future__ import annotations

from pathlib import Path

import pytest
import tomli_w

from tests.stimulation.worked import definition, limits, signed
from workbench.errors import BadValue, Refused
from workbench.stimulation import BOUNDS, Signature, SignedLimits, from_definition, parse_limits, raised


def test_a_file_is_read_and_its_hash_is_that_of_its_content_and_not_of_its_layout():
    one = parse_limits(tomli_w.dumps(definition()), file="paddle.toml")
    assert one == limits()
    other = "# a remark\n" + tomli_w.dumps(dict(sorted(definition().items())))
    assert parse_limits(other, file="paddle.toml").sha256 == one.sha256
    assert from_definition(one.definition()).sha256 == one.sha256


@pytest.mark.parametrize("name", BOUNDS)
def test_any_other_value_of_any_limit_is_another_hash(name):
    value = limits().limits.get(name, 39.0)
    assert limits(limits={name: value * 0.9}).sha256 != limits().sha256


@pytest.mark.parametrize("name", [name for name, bound in BOUNDS.items() if "epidural" not in bound.optional])
def test_no_limit_of_a_site_may_be_left_out(name):
    with pytest.raises(BadValue, match=f"{name} is missing"):
        limits(limits={name: None})


@pytest.mark.parametrize(("value", "said"), [(-1.0, "above 0"), (float("nan"), "nan"), (True, "True")])
def test_a_limit_that_is_no_number_is_refused(value, said):
    with pytest.raises(BadValue, match=said):
        limits(limits={"charge_uc": value})


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"unknown": 1}, "unknown is not known"),
        ({"format": 2}, "format = 1, got 2"),
        ({"site": "muscle"}, "site must be one of epidural, cortical, surface"),
        ({"area_cm2": "0.06"}, "area_cm2"),
        ({"version": 2}, "replaces"),
        ({"contacts": True}, "contacts"),
        ({"limits": {"impedance_least_ohm": 2000.0}}, "below impedance_most_ohm"),
        ({"limits": {"dose_session_uc": 5001.0}}, "dose_day_uc"),
        ({"limits": {"duty": 1.5}}, "at most 1"),
        ({"limits": {"charge": 1.8}}, "charge is not known"),
    ],
)
def test_what_contradicts_itself_is_refused_in_words(changes, said):
    with pytest.raises(BadValue, match=said):
        limits(**changes)


@pytest.mark.parametrize(
    ("name", "beyond"), [("density_uc_cm2", 50.0), ("shannon_k", 2.18), ("net_dc_na", 150.0), ("watchdog_s", 0.5)]
)
def test_a_limit_beyond_the_usual_one_needs_an_override_with_its_value_and_a_reason(name, beyond):
    override = {"limit": name, "value": beyond, "reason": "approved by the ethics committee, ref. 7"}
    with pytest.raises(BadValue, match=f"{name} is {beyond:g}, beyond the usual"):
        limits(limits={name: beyond})
    with pytest.raises(BadValue, match="needs an override"):
        limits(limits={name: beyond}, override=[{**override, "value": beyond + 1}])
    with pytest.raises(BadValue, match="needs an override"):
        limits(limits={name: beyond}, override=[{**override, "reason": " "}])
    assert limits(limits={name: beyond}, override=[override])[name] == beyond
    with pytest.raises(BadValue, match="belongs to no limit beyond"):
        limits(override=[override])


def test_the_usual_limits_are_those_of_the_document():
    text = (Path(__file__).parents[2] / "docs" / "stimulation.md").read_text(encoding="utf-8")
    usual = {name: dict(bound.usual) for name, bound in BOUNDS.items() if bound.usual}
    every = ("epidural", "cortical", "surface")
    assert usual == {
        "density_uc_cm2": {"epidural": 30.0, "cortical": 25.0},
        "shannon_k": {"epidural": 1.75, "cortical": 1.75},
        "rms_ma_cm2": {"surface": 2.0},
        "net_dc_na": dict.fromkeys(every, 100.0),
        "ceiling_step_ma": {"epidural": 0.1, "cortical": 0.1, "surface": 1.0},
        "ceiling_rise_per_s": dict.fromkeys(every, 0.1),
        "impedance_change": dict.fromkeys(every, 0.3),
        "watchdog_s": dict.fromkeys(every, 0.25),
        "delivery_tolerance": dict.fromkeys(every, 0.1),
    }
    assert all(f"`{name}`" in text for name in usual)
    assert {name for name, bound in BOUNDS.items() if bound.least} == {"refractory_s", "impedance_least_ohm"}
    plain = definition()
    del plain["window_s"]
    assert (from_definition(plain).window_s, from_definition(plain).independent_sources) == (60.0, False)


def test_on_the_skin_the_current_density_is_limited_and_shannons_k_need_not_be():
    skin = {"site": "surface", "area_cm2": 19.6, "limits": {"density_uc_cm2": None, "shannon_k": None}}
    with pytest.raises(BadValue, match="rms_ma_cm2 is missing"):
        limits(**skin)
    on_skin = {**skin, "limits": {**skin["limits"], "rms_ma_cm2": 2.0}}
    assert limits(**on_skin)["shannon_k"] is None


def test_what_allows_more_than_the_version_before_is_named():
    first = limits()
    second = limits(version=2, replaces=first.sha256, limits={"burst_s": 12.0, "refractory_s": 0.4, "duty": 0.4})
    assert raised(first, second) == ("burst_s", "refractory_s")
    assert raised(first, limits(independent_sources=True)) == ("independent_sources",)
    assert set(raised(None, first)) == set(first.limits)


def test_two_people_sign_and_one_of_them_is_an_investigator():
    one = limits()
    assert signed(one, "chen", "lin").limits is one
    for people in (("chen",), ("chen", "chen")):
        with pytest.raises(Refused, match="signed by 1 people of the 2 needed"):
            signed(one, *people)
    stamps = [Signature(name, "engineer", "2026-11-26T08:00:00Z", one.sha256) for name in ("chen", "lin")]
    with pytest.raises(Refused, match="role investigator"):
        SignedLimits(one, tuple(stamps))


def test_a_signature_on_other_limits_counts_for_nothing():
    other = signed(limits(limits={"charge_uc": 1.7}), "chen", "lin")
    with pytest.raises(Refused, match="signed by 0 people"):
        SignedLimits(limits(), other.signatures)


def test_what_a_file_states_as_its_hash_is_not_believed():
    from dataclasses import replace

    assert replace(limits(), sha256="0" * 64).sha256 == limits().sha256


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("format = ", "no TOML"),
        ("", "format = 1, got None"),
        ("format = 1\nlimits = 3", "electrode of a file of limits is missing"),
    ],
)
def test_a_file_that_is_none_is_refused_in_one_sentence(text, said):
    with pytest.raises(BadValue, match=said):
        parse_limits(text, file="limits.toml")
