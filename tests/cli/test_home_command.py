"""What was recorded at home travels by four commands, each of which may be repeated."""

from __future__ import annotations

import json

import pytest

from tests.runs.test_home_store import record
from workbench.recording.session_ledger import append_rows
from workbench.study.keys import public_keys
from workbench.vocabulary import LedgerRow, Session


@pytest.fixture
def places(tmp_path, monkeypatch):
    """A home in which something happened, its site, and the folder between them."""
    monkeypatch.setenv("WORKBENCH_KEYS", str(tmp_path / "keys"))
    home, visit = record(tmp_path / "home")
    with home:
        home.append(Session(visit, "home", id="s1", simulated=True, plan={"place": "home"}))
        (home.folder / "recordings").mkdir()
        append_rows(home.folder / "recordings" / "s1.ledger.jsonl", [LedgerRow("note", 0.5, 1.5, extent="fine")])
    site, _visit = record(tmp_path / "site")
    site.close()
    return tmp_path / "home", tmp_path / "site", tmp_path / "box"


def test_four_commands_bring_a_file_to_the_site_and_its_receipt_home_and_say_nothing_twice(inside, places):
    home, site, box = places
    keys = public_keys(site)
    assert "s1.ledger.jsonl" in inside("home", "offer", home, box).out
    assert "P1  s1.ledger.jsonl" in inside("home", "receive", site, box, "--recipient", "Site 1").out
    settled = inside("home", "settle", home, box, "--site-key", keys[max(keys)]).out
    assert settled.startswith("receipt   ")
    assert "files here that the site has: 1" in settled
    assert inside("home", "offer", home, box).out == ""
    assert inside("home", "receive", site, box, "--recipient", "Site 1").out == ""
    assert "receipt" not in inside("home", "settle", home, box, "--site-key", keys[max(keys)]).out
    assert "0 recordings on 0 days" in inside("home", "look", site, "P1").out


def test_receipts_under_another_key_are_refused_in_one_sentence(inside, places):
    home, site, box = places
    inside("home", "offer", home, box)
    inside("home", "receive", site, box, "--recipient", "Site 1")
    inside("home", "settle", home, box, "--site-key", "0" * 64).refused("key")


def test_the_site_reads_what_became_of_each_decoder_that_was_made_at_home(inside, places):
    _home, site, _box = places
    kept = site / "home_uploads" / "P1"
    kept.mkdir(parents=True)
    checks = [
        {"name": "least", "value": "36 of 40 (90.0 %)", "limit": "at least 80 %"},
        {"name": "worse", "value": "2.5 percentage points", "limit": "at most 5 percentage points"},
    ]
    decision = {
        "utc": "2026-03-01T09:30:00.000Z", "decision": "approve", "decoder_sha256": "ab" * 32, "checks": checks,
        "reason": "decided by the rule\x1b[2J",
    }  # fmt: skip
    (kept / "d1.decision.json").write_text(json.dumps(decision), encoding="utf-8")
    told = inside("home", "look", site, "P1").out
    assert (
        "2026-03-01T09:30:00.000Z  decoder abababababab used, 36 of 40 (90.0 %) right, 2.5 percentage points"
        in told
    )
    # Nothing of outside commands the terminal.
    assert "\x1b" not in told
    found = json.loads(inside("home", "look", site, "P1", "--json").out)
    assert found["result"]["recalibrations"][0]["figures"]["least"] == ["36 of 40 (90.0 %)", "at least 80 %"]
