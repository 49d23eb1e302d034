"""The study from which lives begin: each works on a copy of its own."""

import gc

import pytest

from workbench.simulation import template

QUIET = 6
"""A seed that draws no stroke."""


@pytest.fixture(scope="session")
def made(tmp_path_factory):
    """A study with an approved decoder."""
    scene = template(tmp_path_factory.mktemp("template"))
    # What is loaded stays: it is not walked again by the collection with which each life begins.
    gc.collect()
    gc.freeze()
    return scene
