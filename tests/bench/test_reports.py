"""Figures of reports are taken from reports that were written, and count their pages."""

from __future__ import annotations

import pytest

from workbench import bench
from workbench.bench import reports


@pytest.mark.release
def test_a_final_report_and_the_flow_of_participants_are_measured(monkeypatch):
    monkeypatch.setattr(reports, "PEOPLE", 12)
    monkeypatch.setattr(reports, "SCREENED", 6)
    written, flow = (bench.measure(item, rounds=1).result for item in reports.ITEMS)
    assert written.detail.startswith("HTML and PDF of ")
    assert int(written.detail.split()[4]) > 5
    assert written.value > flow.value > 0


def test_the_pages_of_a_pdf_are_counted_and_not_their_tree():
    assert reports.pages_of(b"<< /Type /Pages /Count 2 >> << /Type/Page >> << /Type /Page /Parent 1 0 R >>") == 2
