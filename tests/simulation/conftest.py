"""The study from which lives begin: each works on a copy of its own."""

import pytest

from workbench.simulation import template

QUIET = 6
"""A seed that draws no stroke."""


@pytest.fixture(scope="session")
def made(tmp_path_factory):
    """A study with an approved decoder."""
    return template(tmp_path_factory.mktemp("template"))
