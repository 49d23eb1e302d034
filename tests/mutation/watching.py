"""Sees which test file runs which lines and how long it takes: a plugin of pytest, under ``coverage run``.

Processes that a test starts find the name of its file in their environment, and note their lines under it.
"""

from __future__ import annotations

import json
import os
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from coverage import Coverage

SECONDS: Counter[str] = Counter()
FAILED: set[str] = set()
LEFT_OUT: set[str] = set()


def _file(item: pytest.Item) -> str:
    return item.path.relative_to(item.config.rootpath).as_posix()


def pytest_deselected(items: Sequence[pytest.Item]) -> None:
    """Note files with a test that the suite leaves to CI or to a release."""
    LEFT_OUT.update(map(_file, items))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Note lines under the file of the test that runs."""
    name = os.environ["MUTATION_TEST"] = _file(item)
    coverage = Coverage.current()
    assert coverage is not None, "run me as `coverage run -m pytest -p tests.mutation.watching`"
    coverage.switch_context(name)
    began = time.monotonic()
    result = yield
    SECONDS[name] += time.monotonic() - began
    return result


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """Note files with a test that fails."""
    report = yield
    if report.failed:
        FAILED.add(_file(item))
    return report


def pytest_sessionfinish() -> None:
    """Write the time of each file whose tests all passed, s; 0 where the suite runs none of them."""
    spent = dict.fromkeys(LEFT_OUT, 0.0) | SECONDS
    passed = {name: seconds for name, seconds in spent.items() if name not in FAILED}
    Path(os.environ["MUTATION_OUTCOME"]).write_text(json.dumps(passed), encoding="utf-8")
