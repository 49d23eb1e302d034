"""Figures of the study record are taken from records that verify, and say what they need."""

from __future__ import annotations

import os

import pytest

from workbench import bench
from workbench.bench import record
from workbench.study.keys import key_folder


@pytest.fixture
def small(monkeypatch):
    """Small studies, made again."""
    for name, n in (("RUNS", 2), ("TRIALS", 20), ("PEOPLE", 6), ("ASKED", 2)):
        monkeypatch.setattr(record, name, n)
    for made in (record._home, record._long, record._people):
        made.cache_clear()
    yield {(item.what): item for item in record.ITEMS}
    for made in (record._home, record._long, record._people):
        made.cache_clear()


def test_verify_form_and_worklist_are_measured_with_keys_of_their_own(small):
    before = sorted(os.listdir(key_folder())) if key_folder().exists() else []
    rows = [
        bench.measure(small[what], rounds=2)
        for what in ("verify, a file", "save of a form, p95, a file", "worklist, a file")
    ]
    verified, saved, listed = (row.result for row in rows)
    # Two runs of twenty trials and a gap are among them.
    assert "audit rows" in verified.detail
    assert int(verified.detail.split(";")[2].split()[0]) > 2 * (20 + 2)
    assert verified.low <= verified.value <= verified.high
    assert "of 6 forms of 31 items" in saved.detail
    assert saved.value > 0
    # Six visits of each.
    assert listed.detail == "36 rows of the worklist, 2 rounds"
    assert (sorted(os.listdir(key_folder())) if key_folder().exists() else []) == before


def test_what_needs_a_server_says_which_variable_names_one(small, monkeypatch):
    monkeypatch.delenv(record.SERVER, raising=False)
    row = bench.measure(small["verify, a server"], rounds=1)
    assert row.result is None
    assert row.note == "no server: WORKBENCH_BENCH_POSTGRESQL names a PostgreSQL database"


@pytest.mark.release
def test_the_memory_of_the_service_is_that_of_its_process(small):
    row = bench.measure(small["memory of the service"], rounds=1)
    assert 20 < row.result.value < 2000
    assert "RSS after 2 worklists" in row.result.detail
