"""How the kernels are compiled."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numba
import pytest

from workbench import kernels
from workbench.kernels import _jit, _numba_start

pytestmark = pytest.mark.job


def run(code, **environment):
    env = {**os.environ, **environment}
    return subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=False)


def test_starting_numba_twice_changes_nothing():
    before = set(sys.modules)
    _numba_start.start()
    assert set(sys.modules) == before


def test_the_kernels_import_neither_scipy_linalg_nor_coverage():
    code = "import sys, workbench.kernels.evidence; print({'scipy.linalg', 'coverage'} & set(sys.modules))"
    done = run(code)
    assert done.stdout.strip() == "set()", done.stderr


def test_no_collection_walks_what_numba_needs_until_the_process_ends_and_garbage_is_still_collected():
    code = "import workbench.kernels.evidence, gc; print(gc.get_freeze_count() > 50_000, gc.isenabled())"
    done = run(code)
    assert done.stdout.strip() == "True True", done.stderr


@pytest.mark.release
def test_compiled_code_of_others_still_finds_blas():
    code = (
        "import workbench.kernels.evidence, numba, numpy as np\n"
        "f = numba.njit(lambda a: np.kron(a, a)[0, 0] + np.dot(a, a)[0, 0])\n"
        "print(f(np.eye(2)))"
    )
    done = run(code)
    assert done.stdout.strip() == "2.0", done.stderr


def test_a_kernel_is_cached_on_disk_and_compiled_for_one_signature(monkeypatch):
    monkeypatch.setattr(numba.config, "DISABLE_JIT", 0)

    @_jit.kernel("float64(float64)")
    def double(x):
        return 2.0 * x

    assert double(1.5) == 3.0
    assert len(double.signatures) == 1
    assert double.stats.cache_hits or double.stats.cache_misses
    assert _jit.SOURCES[id(double)] == {__file__}


def test_a_kernel_is_loaded_at_its_first_call_and_for_its_own_types_only(monkeypatch):
    monkeypatch.setattr(numba.config, "DISABLE_JIT", 0)

    @_jit.kernel("float64(float64)")
    def half(x):
        return x / 2.0

    @_jit.kernel("float64(int64)")
    def half_of_whole(n):
        return half(n)

    assert half.signatures == half_of_whole.signatures == []
    assert half_of_whole(3) == 1.5
    assert half.signatures == [(numba.float64,)]
    assert half(3) == 1.5
    assert half.signatures == [(numba.float64,)]
    with pytest.raises(TypeError, match="No matching definition"):
        half("3")


def test_nothing_is_left_to_load_once_kernels_are_ready(monkeypatch):
    monkeypatch.setattr(numba.config, "DISABLE_JIT", 0)

    @_jit.kernel("float64(float64)")
    def third(x):
        return x / 3.0

    assert id(third) in _jit.WAITING
    kernels.ready()
    assert not _jit.WAITING
    assert len(third.signatures) == 1


def test_what_no_cache_holds_is_compiled_beforehand_and_a_part_with_those_that_call_it(monkeypatch):
    monkeypatch.setattr(numba.config, "DISABLE_JIT", 0)

    @_jit.kernel("float64(float64)")
    def seventh(x):
        return x / 7.0

    @_jit.part
    def eighth(x):
        return x / 8.0

    monkeypatch.setitem(_jit.ON_DISK, id(seventh), lambda: False)
    kernels.compile_missing()
    assert len(seventh.signatures) == 1
    assert id(seventh) not in _jit.WAITING
    assert id(eighth) in _jit.WAITING
    assert eighth.signatures == []

    @_jit.kernel("float64(float64)")
    def seventh_again(x):
        return x / 7.0

    before = _jit.ON_DISK[id(seventh_again)]()
    assert seventh_again(7.0) == 1.0
    assert sum(seventh_again.stats.cache_hits.values()) == before


def test_what_the_cache_holds_is_not_loaded_where_only_the_missing_is_compiled(tmp_path):
    head = "from workbench import kernels\nfrom workbench.kernels._jit import WAITING, kernel\n"
    tail = (
        "def sixth(x):\n    return x / 6.0\nkernels.compile_missing()\nprint(id(sixth) in WAITING, sixth(3.0))\n"
    )

    def started(signature):
        (tmp_path / "sixth.py").write_text(f"{head}\n@kernel('{signature}')\n{tail}")
        code = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); import sixth"
        return run(code, NUMBA_DISABLE_JIT="0").stdout.strip()

    assert [started("float64(float64)") for _ in range(2)] == ["False 0.5", "True 0.5"]
    # Another file by its content, and another kernel by its types: both are compiled.
    assert started("float32(float32)") == "False 0.5"


def test_many_threads_may_call_a_kernel_first(monkeypatch):
    monkeypatch.setattr(numba.config, "DISABLE_JIT", 0)

    @_jit.kernel("float64(float64)")
    def fourth(x):
        return x / 4.0

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(fourth, range(64))) == [n / 4.0 for n in range(64)]
    assert len(fourth.signatures) == 1


def test_a_thread_that_comes_second_finds_the_kernel_loaded(monkeypatch):
    monkeypatch.setattr(numba.config, "DISABLE_JIT", 0)

    @_jit.kernel("float64(float64)")
    def fifth(x):
        return x / 5.0

    load = _jit.WAITING[id(fifth)]
    assert fifth(1.0) == 0.2
    load()
    assert len(fifth.signatures) == 1


def test_a_kernel_is_compiled_again_when_one_that_it_calls_has_changed(tmp_path):
    head = "from workbench.kernels._jit import kernel\n"
    caller = (
        "from inner import inner\n\n@kernel('float64(float64)')\ndef outer(x):\n    return inner(x)\n"
        "print(outer(1.0))\n"
    )
    (tmp_path / "outer.py").write_text(head + caller)
    seen = []
    # Of another length: a bytecode file is known by the size of its source and the second of its change.
    for factor in (2.0, 30.0):
        code = f"\n@kernel('float64(float64)')\ndef inner(x):\n    return {factor} * x\n"
        (tmp_path / "inner.py").write_text(head + code)
        seen.append(run(f"import sys; sys.path.insert(0, {str(tmp_path)!r}); import outer").stdout.strip())
    assert seen == ["2.0", "30.0"]


def test_kernels_take_constants_of_their_own_file_only():
    """The cache follows kernels from file to file, not constants."""
    for path in Path(_jit.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and str(node.module).startswith("workbench.kernels"):
                names = [alias.name for alias in node.names if alias.name.isupper()]
                assert names == [], (
                    f"{path.name} imports {names}; define them in the file or take them as arguments"
                )
