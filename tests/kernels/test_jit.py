"""How the kernels are compiled."""

from __future__ import annotations

import subprocess
import sys

from workbench.kernels import _jit


def run(code):
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)


def test_starting_without_blas_twice_changes_nothing():
    before = set(sys.modules)
    _jit.start_without_blas()
    assert set(sys.modules) == before


def test_the_kernels_do_not_import_scipy_linalg():
    done = run("import sys, workbench.kernels.evidence; print('scipy.linalg' in sys.modules)")
    assert done.stdout.strip() == "False", done.stderr


def test_compiled_code_of_others_still_finds_blas():
    code = (
        "import workbench.kernels.evidence, numba, numpy as np\n"
        "f = numba.njit(lambda a: np.kron(a, a)[0, 0] + np.dot(a, a)[0, 0])\n"
        "print(f(np.eye(2)))"
    )
    done = run(code)
    assert done.stdout.strip() == "2.0", done.stderr


def test_a_kernel_is_cached_on_disk_and_compiled_for_one_signature():
    @_jit.kernel("float64(float64)")
    def double(x):
        return 2.0 * x

    assert double(1.5) == 3.0
    assert len(getattr(double, "signatures", [0])) == 1
