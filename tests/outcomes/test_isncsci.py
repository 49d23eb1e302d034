"""ISNCSCI 2019: the rules, the errors that implementations make, and reference cases."""

from __future__ import annotations

import json

import pytest

from workbench.outcomes import isncsci


def cases(shared_data, name):
    text = (shared_data / "isncsci" / name).read_text(encoding="utf-8")
    return json.loads(text)["cases"] if name.endswith(".json") else [json.loads(line) for line in text.splitlines()]


@pytest.mark.parametrize(("name", "n"), [("praxis_2019_cases.json", 128), ("random_cases.jsonl", 1000)])
def test_undisputed_fields_equal_the_reference(shared_data, name, n):
    found = cases(shared_data, name)
    assert len(found) == n
    for case in found:
        result = isncsci.classify(case["exam"]).result
        assert result.keys() == case["expected"].keys()
        for field, expected in case["expected"].items():
            if field not in (*case["disputed"], *case["star_disputed"]):
                assert result[field] == expected, (case["id"], field)
