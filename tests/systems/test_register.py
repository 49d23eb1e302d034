"""A system of another package: found, bound, and recorded with the distribution, version and hash it came with."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import zipfile

import pytest

from workbench import systems
from workbench.errors import BadValue
from workbench.study import Study
from workbench.vocabulary import Participant, Visit

SOURCE = """
from dataclasses import replace
from workbench import systems
SYSTEM = replace(systems.load("neo_hand"), name="other_hand", title="Another hand")
"""


@pytest.fixture
def install(tmp_path, monkeypatch):
    """Builds a wheel of a package that brings a system, and installs it into a folder on the path."""

    def install(source=SOURCE, *, module="foreign_hand"):
        wheel = tmp_path / f"{module}-2.1-py3-none-any.whl"
        info = f"{module}-2.1.dist-info"
        files = {
            f"{module}.py": source,
            f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {module}\nVersion: 2.1\n",
            f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
            f"{info}/entry_points.txt": f"[workbench.systems]\nother_hand = {module}\n",
            f"{info}/RECORD": f"{module}.py,,\n{info}/METADATA,,\n{info}/RECORD,,\n",
        }
        with zipfile.ZipFile(wheel, "w") as archive:
            for name, text in files.items():
                archive.writestr(name, text)
        place = tmp_path / "site"
        pip = [sys.executable, "-m", "pip", "install", "-q", "--no-index", "--no-deps", "--target", str(place)]
        subprocess.run([*pip, str(wheel)], check=True)
        monkeypatch.syspath_prepend(str(place))
        monkeypatch.delitem(sys.modules, module, raising=False)

    return install


def test_a_system_of_another_package_is_bound_and_recorded_with_distribution_version_and_hash(install, tmp_path):
    install()
    system = systems.load("other_hand")
    with Study.create(tmp_path / "study", code="T", title="t", actor="test") as study:
        visit = study.append(Visit(study.append(Participant("P01")), "V1"))
        plan = systems.simulate(system).new_session(study, visit=visit, operator="Chen L.")
        stored = study.get("session", plan.session_id)["plan"]["system"]
    assert stored == {
        "name": "other_hand",
        "distribution": "foreign_hand",
        "version": "2.1",
        "sha256": hashlib.sha256(SOURCE.encode()).hexdigest(),
        "task": "self_paced",
    }


@pytest.mark.parametrize(
    ("source", "got"),
    [('SYSTEM = "a hand"', "got str"), (SOURCE.replace("other_hand", "third_hand"), "got one named 'third_hand'")],
)
def test_an_entry_that_is_no_system_of_its_name_is_refused(install, source, got):
    install(source)
    with pytest.raises(BadValue, match=f"the entry 'other_hand' must define SYSTEM, a System of that name, {got}"):
        systems.load("other_hand")
