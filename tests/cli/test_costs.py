"""`workbench costs`: the sheet in words and for programs."""

from __future__ import annotations

import pytest

from tests.study.conftest import fill
from workbench.study import Study
from workbench.study.changes import BeginFitting
from workbench.vocabulary import Participant


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A study with one charged fitting, a draft of which nothing was supplied, and a participant without any."""
    with Study.create(tmp_path_factory.mktemp("c") / "s", code="C", title="T", actor="t", keyed=False) as study:
        ids = fill(study)
        study.apply(BeginFitting(ids["visit"], "Therapist T", nhsa_code="X-1"), study.script_signer("Dr B"))
        study.append(Participant("P02"))
        return study.folder


def test_the_sheet_says_what_was_done_what_it_would_cost_and_what_was_not_supplied(inside, folder):
    said = inside("costs", folder)
    assert said.code == 0
    assert said.out.splitlines() == [
        "P01 (simulated)",
        "  fittings: 2, 1 complete, 40.0 min each on average",
        "    baseline: complete, 2026-03-01T08:00:00Z, 40.0 min; uploads: 1",
        "      not supplied: NHSA code, registration certificate",
        "    baseline: draft, no step has times; steps without times: equipment preparation, electrode placement, "
        "acquisition, algorithm debugging, function verification, data analysis, system optimisation, "
        "data upload; uploads: 0",
        "      not supplied: site, province, licence class, UDI, registration certificate, "
        "whether the product needs professional fitting, payer, decoder, calibration recordings, channels, "
        "rate, calibration time, impedance before, impedance after, function test",
        "  mean minutes per step: equipment preparation 5.0, electrode placement 5.0, acquisition 5.0, "
        "algorithm debugging 5.0, function verification 5.0, data analysis 5.0, system optimisation 5.0, "
        "data upload 5.0",
        "  fittings until stable control: not computed, as no criterion was supplied",
        "  2026-03-01 非侵入式脑机接口适配费 (code not supplied, cap 900; price document 2026, Guangdong): "
        "900 = 900 CNY, payer research fund; not charged: research",
        "  charged: nothing; shadow billing: 900 CNY",
        "  warning: the device code X-1 does not look as is remembered, unchecked, of NHSA codes (27 characters, "
        "the first of them C); look it up in the published table",
        "Product X: coding 2026-02-01, Guangdong, reference not supplied (decision 1)",
    ]


def test_a_program_reads_the_same_sheet(inside, folder):
    result = inside("costs", folder, "--json").answer("costs")
    (sheet,), (step,) = result["sheets"], result["evidence"]
    assert (sheet["participant"], sheet["simulated"], sheet["n_complete"]) == ("P01", True, 1)
    assert (sheet["charged"], sheet["shadow"], sheet["fittings_until_stable"]) == ({}, {"CNY": "900"}, None)
    assert [one["minutes"] for one in sheet["fittings"]] == [40.0, None]
    assert (sheet["charges"][0]["item_code"], sheet["charges"][0]["not_charged"]) == ("", "research")
    assert (step["stage"], step["reference"]) == ("coding", "")


def test_one_participant_is_asked_for_by_pseudonym(inside, folder):
    said = inside("costs", folder, "--participant", "P02")
    assert said.out.splitlines()[:2] == ["P02", "  fittings: 0, 0 complete"]
    inside("costs", folder, "--participant", "P99").refused(
        "no participant 'P99'; there are P01, SIM-02, SIM-03, P02"
    )


def test_a_study_without_fittings_says_so(inside, tmp_path):
    with Study.create(tmp_path / "s", code="C", title="T", actor="t", keyed=False):
        pass
    assert inside("costs", tmp_path / "s").out == "no fitting and no charge is in the record\n"
