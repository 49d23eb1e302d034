"""A simulated trial of twelve with a known effect, its snapshot, and what a plan of many methods gave on it."""

from __future__ import annotations

from contextlib import contextmanager

import pytest

from workbench import estimation
from workbench.estimation.known_trial import KnownTrial, definition, simulate
from workbench.study import Study, allocations, datasets
from workbench.study.protocol import Protocol

HEAD = """
[plan]
protocol = "1.0.0"
reference = "sham"
seed = 7

[[event]]
name = "left the study"
kind = "left"
"""
THRESHOLD = 'threshold = { value = 6, unit = "points", version = "1981", source = "protocol 1.0.0, estimands" }'
WEEKS = '["Week 4", "Week 8", "Week 12"]'


def analysis(name, method, *lines, estimand="primary", visits='["Week 12"]', variable="arat.total"):
    return "\n".join(
        [
            "", "[[analysis]]", f'name = "{name}"', f'estimand = "{estimand}"', f'method = "{method}"',
            f'variable = "{variable}"', f"visits = {visits}", *lines, "",
        ]
    )  # fmt: skip


PLAN = "".join(
    [
        HEAD,
        analysis("primary", "mmrm", 'covariates = ["baseline"]', 'role = "primary"', visits=WEEKS),
        analysis("unknown", "ancova", variable="arat.grips"),
        analysis("ancova", "ancova", 'covariates = ["baseline", "stratum.site"]'),
        analysis("t", "t_test"),
        analysis("ranks", "rank_sum"),
        analysis("dealt", "rerandomisation", "settings = { replications = 200 }"),
        analysis("reference", "reference_based", 'covariates = ["baseline"]', visits=WEEKS),
        analysis("responders", "responders", THRESHOLD, estimand="responders"),
        analysis("no-threshold", "responders", estimand="responders"),
        '[multiplicity]\nprocedure = "fixed-sequence"\norder = ["primary", "unknown", "ancova"]\n',
    ]
)


@contextmanager
def keys_of(folder):
    """With the keys that lie beside a study."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WORKBENCH_KEYS", str(folder.parent / "keys"))
        yield


@pytest.fixture(scope="session")
def made(tmp_path_factory):
    """Folder of the study; its keys lie beside it."""
    folder = tmp_path_factory.mktemp("known") / "study"
    with keys_of(folder):
        return simulate(folder, KnownTrial(n=12, leave=0.2, seed=1))


@pytest.fixture
def folder(made):
    """Of the study, with its keys at hand."""
    with keys_of(made):
        yield made


@pytest.fixture(scope="session")
def protocol():
    return Protocol.from_definition(definition())


@pytest.fixture(scope="session")
def analysed(made):
    """The whole plan, run once."""
    with keys_of(made), Study.open(made, actor="tester") as study:
        return estimation.analyse(study, plan=PLAN, where="plan.toml", signer=study.script_signer("statistician"))


@pytest.fixture(scope="session")
def data(made):
    """The datasets with arms."""
    with keys_of(made), Study.open(made, actor="tester") as study:
        return datasets.datasets(study, arms=allocations.arms(study, study.script_signer("statistician")))
