"""A copy of the sample study: opening a record leaves files of SQLite beside it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

SAMPLE = Path(__file__).resolve().parents[2] / "data_samples" / "study"


@pytest.fixture(scope="session")
def sample_folder(tmp_path_factory):
    return Path(shutil.copytree(SAMPLE, tmp_path_factory.mktemp("sample") / "study"))
