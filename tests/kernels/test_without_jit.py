"""The kernels as Python runs them: the same tests pass, and they reach every line."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.skipif(os.environ.get("NUMBA_DISABLE_JIT") == "1", reason="this is the run without JIT")
def test_the_kernel_tests_pass_without_jit_and_reach_every_line(tmp_path):
    env = {**os.environ, "NUMBA_DISABLE_JIT": "1", "COVERAGE_FILE": str(tmp_path / "coverage")}
    coverage = [sys.executable, "-m", "coverage"]
    tests = [str(p) for p in sorted((ROOT / "tests/kernels").glob("test_*.py"))]
    run = [
        *coverage,
        "run",
        "--source=workbench/kernels",
        "-m",
        "pytest",
        "-q",
        "-n",
        "0",
        "-p",
        "no:cacheprovider",
    ]
    done = subprocess.run([*run, *tests], cwd=ROOT, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-1000:]
    report = subprocess.run(
        [*coverage, "report", "--show-missing", "--fail-under=100"],
        cwd=ROOT,
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )
    assert report.returncode == 0, report.stdout
