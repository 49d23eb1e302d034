"""The tests of kernels, without the compiler, and of decoders pass and reach every line."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CONVENTIONS = (
    "a_decoder_that_is_not_fitted_raises_the_error_of_either_name[csp_lda]",
    "a_linear_decoder_has_patterns_in_the_shape_of_what_they_explain",
    "epochs_and_their_samples_in_microvolts_are_fitted_alike",
    "epochs_of_other_channels_or_another_order_are_refused_by_name",
    "only_what_fit_takes_can_be_requested",
    "routing_hands_blocks_and_the_lead_in_on_to_fit",
    "sparse_input_is_refused_in_words",
    "the_table_names_the_hash_of_a_stored_decoder",
    "the_table_of_a_decoder_shows_its_parameters_and_what_was_fitted_escaped",
    "what_is_no_class_and_no_signal_is_refused_in_words",
)
"""Cases of the conventions of scikit-learn."""


def coverage(folder, *arguments, compiled=True):
    """Run ``coverage`` on one thread; its report is kept in ``folder``. Compiled lines of kernels do not show."""
    alone = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "NUMBA_DISABLE_JIT": "0" if compiled else "1"}
    env = {**os.environ, **alone, "COVERAGE_FILE": str(folder / "coverage")}
    command = [sys.executable, "-m", "coverage", *arguments]
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-1000:]


REPEATED = ("savez", "takes_every_memory", "noise_of_any_power", "cost_an_adapting_decoder_nothing")
"""Cases for every decoder, or every bit, that reach no line which those of one do not."""


def reach_every_line(folder, source, *runs, compiled=True):
    for which in runs:
        pytest_run = ["-m", "pytest", "-q", "-n", "0", "-p", "no:cacheprovider", *which]
        coverage(folder, "run", "--append", f"--source={source}", *pytest_run, compiled=compiled)
    coverage(folder, "report", "--show-missing", "--skip-covered", "--fail-under=100")


@pytest.mark.release
def test_kernels_reach_every_line_without_the_compiler(tmp_path):
    reach_every_line(tmp_path, "workbench/kernels", ["tests/kernels"], compiled=False)


@pytest.mark.release
def test_decoders_reach_every_line(tmp_path):
    """Where a line is missing: add a case that reaches it to tests/decoders, the contract, or the list above."""
    rooms = ",".join(f"workbench/{room}" for room in ("decoders", "decoding", "fitting"))
    once = f"csp_lda or not ({' or '.join(REPEATED)})"
    decoders = ["tests/decoders", "tests/paradigms", "--ignore=tests/decoders/test_one_run.py", "-k", once]
    conventions = [f"tests/contract/test_scikit_learn.py::test_{case}" for case in CONVENTIONS]
    contract = ["tests/contract/test_decoders.py", *conventions, "-k", "csp_lda or test_scikit_learn"]
    reach_every_line(tmp_path, rooms, decoders, contract)
