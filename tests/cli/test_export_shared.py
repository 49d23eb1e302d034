"""`workbench export` in the forms that others work with: whole or not at all, and for whom."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from workbench.exchange import datasets
from workbench.study import Study, changes, protocol
from workbench.vocabulary import Participant

SAMPLES = Path(__file__).parents[2] / "data_samples"
SECRET = "correct horse"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The sample study with the example protocol, and two people of whom one is blinded."""
    made = shutil.copytree(SAMPLES / "study", tmp_path_factory.mktemp("x") / "study")
    with Study.open(made, actor="a") as study:
        people = [study.script_signer(name) for name in ("Dr B", "Dr C")]
        definition = protocol.read(SAMPLES / "protocol_neo_hand.toml").definition()
        study.apply(changes.AdoptProtocol(definition), [one.confirm() for one in people])
        study.append(Participant("SIM-02", simulated=True))
        person = study.add_person("blind", "B Lind", SECRET, ("operator",))
        study.apply(changes.GrantRole(person, "assessor", "GCP", blinded=True), people[0], "joins")
    return made


@pytest.fixture(scope="module")
def unblinded(folder, tmp_path_factory):
    """The same before anybody was blinded."""
    return shutil.copytree(SAMPLES / "study", tmp_path_factory.mktemp("y") / "study")


def test_datasets_are_a_folder_that_reads_back_and_is_never_replaced(run, unblinded, tmp_path):
    out = tmp_path / "sdtm"
    code, said, _ = run("export", unblinded, "--form", "dataset-json", "--out", out)
    assert code == 0
    assert f"{out}: 1 rows of DM" in said
    assert "48 rows of FT" in said
    assert len(datasets.from_json((out / "ft.json").read_bytes()).rows) == 48
    (out / "ft.json").write_text("mine")
    code, _, error = run("export", unblinded, "--form", "dataset-json", "--out", out)
    assert (code, (out / "ft.json").read_text()) == (2, "mine")
    assert "never replaced" in error


def test_recordings_are_a_folder_of_bids(run, unblinded, tmp_path):
    code, said, _ = run("export", unblinded, "--form", "bids", "--out", tmp_path / "bids")
    assert code == 0
    assert "2 recordings of 1 participants" in said
    description = json.loads((tmp_path / "bids" / "dataset_description.json").read_text())
    assert description["BIDSVersion"] == "1.11.1"


def test_what_is_refused_leaves_nothing_behind(run, folder, tmp_path):
    out = tmp_path / "out"
    for form, *more in (("bids",), ("dataset-json", "--arms"), ("fhir-r5", "--as", "nobody")):
        code, _, error = run("export", folder, "--form", form, "--out", out, *more, stdin=f"{SECRET}\n")
        assert code == 2
        assert "Traceback" not in error
    assert list(tmp_path.iterdir()) in ([], [tmp_path / "keys"])
    code, _, error = run("export", folder, "--form", "audit", "--out", out, "--arms")
    assert code == 2
    assert "--as, --arms and --reason go with --form dataset-json" in error
    assert not out.exists()


def test_who_signs_in_blinded_gets_datasets_that_say_what_is_not_in_them(run, folder, tmp_path):
    command = ("export", folder, "--form", "dataset-json", "--as", "blind", "--out", tmp_path / "out")
    code, said, _ = run(*command, stdin=f"{SECRET}\n")
    assert code == 0
    assert "for readers from whom the arm is kept" in said


def test_a_study_is_written_as_fhir_and_as_usdm_that_comes_back_with_the_hash_of_the_protocol(
    run, folder, tmp_path
):
    code, said, _ = run("export", folder, "--form", "fhir-r5", "--out", tmp_path / "study.json")
    assert code == 0
    assert "1 study, 2 research subjects" in said
    code, said, _ = run("export", folder, "--form", "usdm", "--out", tmp_path / "usdm.json")
    assert code == 0
    assert "2 arms, 6 visits, 3 criteria, 1 estimands, 1 devices" in said
    code, said, _ = run("protocol", "import", tmp_path / "usdm.json", "--out", tmp_path / "p.toml")
    assert code == 0
    assert protocol.read(SAMPLES / "protocol_neo_hand.toml").sha256 in said
