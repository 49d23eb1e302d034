"""Every reader of what others wrote, with files of every wrong kind; and no reader that nobody thought of."""

from __future__ import annotations

import ast
import contextlib
import io
import json
import shutil
import signal
import tracemalloc
import zipfile
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

import workbench
from tests import house
from workbench import decoders
from workbench.decoders import _store
from workbench.errors import RecordingFault, WorkbenchError
from workbench.reading import DEEPEST, parse_json, read_bytes, read_text, shown
from workbench.stress.hostile import _material

PACKAGE = Path(workbench.__file__).parent

BY_COMMANDS = {
    "commands/_main.py", "commands/_arguments.py", "commands/_demo_session.py", "commands/export.py",
    "commands/score.py", "commands/simulate.py", "commands/stress.py", "reading.py",
    "systems/replay_recordings.py", "decoders/_store.py", "devices/_recorded.py", "evaluation/_contract.py",
    "evaluation/ssvep_exo.py",
    "live/_engine_folder.py", "live/plan.py", "exchange/redcap.py", "outcomes/_lines.py", "outcomes/_tables.py",
    "recording/files.py", "recording/index.py", "recording/recover.py", "recording/session_ledger.py",
    "recording/xdf.py", "recording/xml.py", "study/anchors.py", "study/record_file.py", "study/reading.py",
    "study/record.py", "study/verification.py", "study/files.py", "study/migrate.py", "study/migrations.py",
    "study/keys.py", "devices/_bids.py", "runs/stopping.py", "runs/approve.py", "study/database.py",
    "study/protocol.py", "systems/_protocol.py", "hardware/setup.py", "hardware/certificates.py",
    "study/identities.py", "study/identity_file.py", "study/randomisation/sealing.py",
    "study/randomisation/arms.py",
    "study/moving.py", "study/deletion.py",
    "study/backup.py", "study/manifest.py", "commands/import.py", "commands/protocol.py", "exchange/_xml.py",
    "exchange/_redcap_names.py", "study/snapshots.py", "study/signature_checks.py",
    "study/stores/sqlite.py", "study/stores/postgresql.py", "study/stores/pointer.py",
    "bench/published/_numbers.py", "bench/published/reference_based.py", "reports/_trial_results.py",
    "commands/analyse.py", "estimation/plan.py", "estimation/running.py", "batch/manifest.py", "batch/results.py",
    "batch/pipelines.py", "dashboard/trial_results.py", "analysis/recovery.py",
    "commands/power.py", "commands/stimulation.py", "commands/systems.py", "dashboard/new_study.py",
    "evaluation/_emg_myo.py", "stress/statistics.py", "stress/kept.py", "physiology/_person.py",
    "devices/simulated_spinal_participant.py", "systems/_stimulation.py", "runs/home_store.py",
    "systems/_card_figures.py",
}  # fmt: skip
"""Read what a user names or a study holds: the hostile cases of the commands, or of READERS below, reach them."""

OWN_TEXTS = {
    "evaluation/_document.py", "exchange/_core_data_set.py", "outcomes/_thresholds.py", "reports/html.py",
    "reports/pdf.py", "reports/texts.py", "reports/docx.py",
    "reports/trial.py", "widgets/_base.py", "widgets/_locale.py", "kernels/_jit.py",
    "devices/_lsl_library.py", "devices/_driver.py", "systems/_bound.py", "messages.py", "registry.py",
    "study/reporting_rules.py", "study/standard_forms/__init__.py", "dashboard/access.py",
    "exchange/datasets.py", "batch/stress.py", "bench/reports.py", "reports/_programs.py",
    "dashboard/signed_report.py",
}  # fmt: skip
"""Read files of the package or of the system alone, or what they have just written."""

BETWEEN_OWN_PROCESSES = {
    "bench/outcomes.py", "bench/recursive.py",
    "devices/_players.py", "devices/_playing.py", "devices/_device_process.py",
    "devices/simulated_participant.py", "live/_display.py", "runs/fit_process.py", "engine/server.py",
    "live/_starting.py", "live/_wire.py", "live/client.py", "stress/lossless.py", "engine/process.py",
    "runs/fitting.py", "stress/recording.py", "stress/record.py", "stress/trial.py", "stress/crowd.py",
    "stress/behind.py",
    "widgets/_stores.py",
    "widgets/dashboard.py", "widgets/log_view.py", "study/drafts.py", "devices/_pairing.py",
    "devices/_last_metre.py", "engine/alarms.py", "live/_stopfile.py", "engine/standstill.py",
    "stress/safety.py", "stress/breakable.py", "stress/soak.py", "hardware/discovery.py",
    "study/allocation_keys.py", "hardware/measurement.py", "clinic/service.py", "stress/peers.py",
    "simulation/shadow.py", "simulation/life.py", "bench/live.py", "bench/_live_session.py",
    "widgets/_tickets.py", "widgets/guarded.py", "dashboard/contact_mapping.py",
}  # fmt: skip
"""Read what another process of the workbench wrote; their own tests try bad messages."""

FROM_DEVICES = {"devices/serial_line.py", "conformance/_engine_side.py"}
"""Read some bytes of what a device said; their own tests try bad answers."""

HOSTILE = {"stress/hostile/_judge.py", "stress/hostile/_material.py"}
DOORS = {"world.py", "simulation/disk.py"}
"""Open files for other modules, which stand in the lists above."""

CALLS = {
    "open", "os.open", "os.fdopen", "gzip.open", "sqlite3.connect", "np.load", "np.loadtxt", "np.genfromtxt",
    "mne.io.read_raw", "mne.read_events", "json.load", "json.loads", "ElementTree.fromstring", "ElementTree.parse",
    "ElementTree.XMLParser", "pd.read_csv", "csv.reader", "csv.DictReader", "zipfile.ZipFile", "mmap.mmap",
    "world.disk.open", "world.disk.descriptor", "world.disk.file", "world.disk.database",
    "world.disk.shared_memory",
}  # fmt: skip
"""What opens a file or parses a text."""


LAST = {name.split(".")[-1] for name in CALLS} | {"read_text", "read_bytes"}
"""Of dotted names: to write all of every call in full would take seconds."""


def readers() -> set[str]:
    found = set()
    for path in PACKAGE.rglob("*.py"):
        for node in house.nodes(house.syntax(path)):
            function = node.func if isinstance(node, ast.Call) else None
            last = getattr(function, "attr", getattr(function, "id", ""))
            name = ast.unparse(function) if last in LAST else ""
            if name in CALLS or name.endswith((".read_text", ".read_bytes")):
                found.add(path.relative_to(PACKAGE).as_posix())
    return found


@pytest.mark.job
def test_every_file_that_reads_something_is_listed_with_who_bounds_it():
    known = BY_COMMANDS | OWN_TEXTS | BETWEEN_OWN_PROCESSES | FROM_DEVICES | HOSTILE | DOORS
    assert readers() - known == set(), "say who tries bad input on it, and read through workbench.reading"


def _decoder(path: Path) -> object:
    from workbench import decoders

    return decoders.read(path)


def _replayed(path: Path) -> object:
    from workbench.devices import replay

    return replay.head(path)


def _table(path: Path) -> object:
    from workbench.outcomes._tables import read_table

    return read_table(path)


def _plan(path: Path) -> object:
    from workbench.live import SessionPlan

    return SessionPlan.from_json(read_text(path, "plan"))


def _ledger(path: Path) -> object:
    from workbench.recording import read_rows

    return read_rows(path)


def _index(path: Path) -> object:
    from workbench.recording import index

    return index.read(path.with_name(path.name.removesuffix(".idx")))


def _anchors(path: Path) -> object:
    from workbench.study import anchors

    return anchors.read(path)


def _system(path: Path) -> object:
    from workbench.systems._protocol import stated_in

    return stated_in(path)


def _setup(path: Path) -> object:
    from workbench.hardware import setup

    return setup.load(path.parent.parent, path.stem)


def _certificate(path: Path) -> object:
    from workbench.hardware import certificates

    return certificates.load(path.parent.parent, "glove")


def _snapshot(path: Path) -> object:
    from workbench.study import snapshot_files

    return list(snapshot_files.read(path)[1])


def _results(path: Path) -> object:
    from workbench.reports import _trial_results

    return _trial_results.read(path, "study", None)


def _analysis_plan(path: Path) -> object:
    from workbench import estimation
    from workbench.estimation.known_trial import definition
    from workbench.study.protocol import Protocol

    return estimation.read(path, Protocol.from_definition(definition()))


def _manifest(path: Path) -> object:
    from workbench.batch import Manifest

    return Manifest.read(path)


def _result(path: Path) -> object:
    from workbench.batch.results import Result

    return Result.read(path)


def _person(path: Path) -> object:
    from workbench.physiology import read_person

    return read_person(path)


def _body_state(path: Path) -> object:
    from workbench.devices.simulated_spinal_participant import _begun
    from workbench.physiology import Person

    return _begun(Person(), path, 0.0)


def _programme(path: Path) -> object:
    from workbench.systems._stimulation import _programme

    return _programme(path)


def _kept(path: Path) -> object:
    from workbench.stress.kept import Kept

    return Kept(path, "record", {"seed": 1})


READERS = {
    "decoder": _decoder, "replay": _replayed, "table": _table, "plan": _plan, "ledger": _ledger, "index": _index,
    "anchors": _anchors, "system": _system, "setup": _setup, "certificate": _certificate,
    "snapshot": _snapshot, "analysis plan": _analysis_plan, "results": _results,
    "manifest": _manifest, "result": _result, "person": _person, "state": _body_state, "programme": _programme,
    "keep": _kept,
}  # fmt: skip


@contextmanager
def within(seconds: float):
    def late(*_):
        raise AssertionError("no answer in time")

    before = signal.signal(signal.SIGALRM, late)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@pytest.fixture(scope="module")
def material(tmp_path_factory):
    folder = tmp_path_factory.mktemp("material")
    yield _material.bad_paths(folder / "paths") | _material.bad_texts(folder / "texts")
    (folder / "paths" / "forbidden").chmod(0o700)


@pytest.mark.job
@pytest.mark.parametrize("reader", sorted(READERS))
def test_a_reader_refuses_or_reads_but_never_hangs_or_breaks(reader, material, tmp_path):
    for what, path in material.items():
        name = what.replace(" ", "-")
        given = [path]
        if len(str(path)) < 1000 and reader in ("decoder", "results"):
            (tmp_path / name).mkdir()
            given = [tmp_path / name]
            (given[0] / f"{reader}.json").symlink_to(path)
        if len(str(path)) < 1000 and reader == "setup":
            given = [tmp_path / "setup" / f"site-{len(name)}.json"]
            given[0].parent.mkdir(exist_ok=True)
            given[0].unlink(missing_ok=True)
            given[0].symlink_to(path)
        if len(str(path)) < 1000 and reader == "certificate":
            given = [tmp_path / name / "certificates" / "glove.json"]
            given[0].parent.mkdir(parents=True)
            given[0].symlink_to(path)
        if len(str(path)) < 1000 and reader == "replay":
            given = [tmp_path / f"{name}{suffix}" for suffix in (".xdf", ".edf", ".fif")]
            for link in given:
                link.symlink_to(path)
        for one in given:
            with within(30.0):
                try:
                    READERS[reader](one)
                except WorkbenchError as error:
                    sentence = str(error)
                    assert sentence
                    assert "\n" not in shown(one)


def test_json_is_bounded_in_depth_and_in_kind():
    assert parse_json("[" * DEEPEST + "]" * DEEPEST, "x")
    for text in (
        "[" * (DEEPEST + 1) + "]" * (DEEPEST + 1),
        _material.NESTED,
        "{",
        b"\xff",
        '{"a": 1' + "0" * 5000,
    ):
        with pytest.raises(WorkbenchError, match="^x "):
            parse_json(text, "x")


def test_a_file_is_bounded_in_size_and_kind(tmp_path):
    (tmp_path / "large").write_bytes(b"12345")
    assert read_bytes(tmp_path / "large", "file", largest=5) == b"12345"
    for path, words in (
        (tmp_path / "large", "has 5 bytes, at most 4 are read"),
        (Path("/dev/zero"), "it is a device"),
        (tmp_path, "Is a directory"),
        (Path("nul\0"), "embedded null"),
        (tmp_path / ("n" * 300), "File name too long"),
    ):
        with pytest.raises(WorkbenchError, match=words):
            read_bytes(path, "file", largest=4)


def test_a_small_file_is_read_with_little_memory_however_large_a_file_may_be(tmp_path):
    data = bytes(range(256)) * 1000
    (tmp_path / "small").write_bytes(data)
    tracemalloc.start()
    try:
        assert read_bytes(tmp_path / "small", "file", largest=8 * 2**30) == data
        assert tracemalloc.get_traced_memory()[1] < 2**20
    finally:
        tracemalloc.stop()


def test_a_file_whose_size_the_system_does_not_know_is_read_to_its_end_and_bounded():
    whole = read_bytes(Path("/proc/self/maps"), "file", largest=2**20)
    assert len(whole) > 1000
    with pytest.raises(WorkbenchError, match="over 1,000"):
        read_bytes(Path("/proc/self/maps"), "file", largest=1000)


def test_odd_lines_of_the_mount_table_are_passed_over(tmp_path):
    from workbench.study import record_file

    mounts = tmp_path / "mounts"
    lines = [
        "",
        "x",
        "none",
        "d / ext4 rw 0 0",
        "d \\x \\ nfs",
        f"d {tmp_path}\\ nfs rw",
        f"d {tmp_path}/a\\040b nfs rw",
    ]
    mounts.write_bytes("\n".join([*lines, "\xff\0 q"]).encode("latin-1"))
    assert record_file.filesystem(tmp_path, mounts=mounts) == "ext4"
    assert record_file.filesystem(tmp_path / "a b", mounts=mounts) == "nfs"
    assert record_file.filesystem(Path("nul\0"), mounts=mounts) == ""


STORED = Path(__file__).parents[1] / "decoders" / "layout_2" / "gate"
BODY = json.loads((STORED / "decoder.json").read_text(encoding="utf-8"))["decoder"]
WRONG = (None, "x", [], {}, [[1], [2, 3]], -1, 1e400, 10**400)


def forged(folder, body):
    """A decoder folder whose hash fits whatever stands in it."""
    shutil.copytree(STORED, folder)
    with np.load(folder / "arrays.npz") as archive:
        arrays = {name: np.ascontiguousarray(archive[name]) for name in archive.files}
    text = json.dumps({"sha256": _store._hash(body, arrays), "decoder": body})
    (folder / "decoder.json").write_text(text, encoding="utf-8")
    return folder


@pytest.mark.parametrize("key", sorted(BODY))
def test_a_decoder_whose_hash_fits_nonsense_is_read_or_refused_but_never_breaks(tmp_path, key):
    bodies = [{name: BODY[name] for name in BODY if name != key}, *(BODY | {key: value} for value in WRONG)]
    for at, body in enumerate(bodies):
        with within(30.0), contextlib.suppress(WorkbenchError):
            decoders.read(forged(tmp_path / str(at), body))
    for at, body in enumerate(WRONG):
        with within(30.0), pytest.raises(WorkbenchError):
            decoders.read(forged(tmp_path / f"whole-{at}", body))


@pytest.mark.release
def test_a_decoder_whose_arrays_expand_beyond_any_decoder_is_refused_before_they_do(tmp_path):
    """Half a gigabyte of zeros is half a megabyte in the folder."""
    folder = forged(tmp_path / "bomb", BODY)
    head = io.BytesIO()
    np.lib.format.write_array_header_1_0(head, {"descr": "<f8", "fortran_order": False, "shape": (2**26,)})
    zeros = bytes(2**24)
    with (
        zipfile.ZipFile(folder / "arrays.npz", "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("low_.npy", "w") as member,
    ):
        member.write(head.getvalue())
        for _ in range(2**5):
            member.write(zeros)
    assert (folder / "arrays.npz").stat().st_size < 2**20
    with within(30.0), pytest.raises(RecordingFault, match="bytes, at most 268,435,456 are read"):
        decoders.read(folder)
