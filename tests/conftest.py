"""Shared fixtures: where the real recordings are, and where numba keeps its cache."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real recordings; tests skip with the reason where it is absent."""
    folder = Path(os.environ.get("WORKBENCH_TEST_DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"no shared recordings: {folder} is not a folder (set WORKBENCH_TEST_DATA)")
    return folder
