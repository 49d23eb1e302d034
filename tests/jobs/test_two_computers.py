"""An amplifier on another computer, reached by its address as the set-up of a site keeps it."""

from __future__ import annotations

import pytest

from workbench.errors import Refused
from workbench.stress.peers import computers, two_computers

pytestmark = [pytest.mark.release, pytest.mark.timeout(300)]


def test_an_amplifier_on_another_computer_is_found_by_its_address_and_nothing_is_lost():
    try:
        with computers():
            pass
    except Refused as refusal:
        pytest.skip(str(refusal))
    figures = two_computers(5.0)
    assert figures.passed, figures.text()
    assert figures.unnamed == 0
