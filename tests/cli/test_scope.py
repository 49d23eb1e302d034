"""`workbench scope`: from the hash of a recording and a range of samples to a picture of those samples."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from workbench.commands import main
from workbench.recording import RunFile
from workbench.study import Study

SAMPLE = Path(__file__).resolve().parents[2] / "data_samples" / "study"
FIRST, LAST = 1200, 3199


@pytest.fixture
def folder(tmp_path):
    return Path(shutil.copytree(SAMPLE, tmp_path / "study"))


@pytest.fixture
def online(folder):
    """The row of its online run's recording."""
    with Study.open(folder, actor="tester") as study:
        return study.rows("recording")[-1]


@pytest.fixture
def call(folder, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def called(*arguments):
        code = main(["scope", str(folder), *(str(one) for one in arguments)])
        said = capsys.readouterr()
        return code, said.out.strip(), said.err.strip()

    return called


def test_the_page_in_a_browser_draws_those_samples_in_their_unit_and_asks_nothing_of_a_network(
    call, chromium, folder, online, tmp_path
):
    code, name, _ = call("--recording", online["sha256"][:12], "--samples", f"{FIRST}-{LAST}")
    assert (code, name) == (0, f"scope-{online['sha256'][:12]}-{FIRST}-{LAST}.html")
    run = RunFile(folder / online["path"])
    asked = []
    page = chromium.new_page()
    page.on("request", lambda request: asked.append(request.url))
    page.goto((tmp_path / name).as_uri())
    page.wait_for_selector("#figure .scatterlayer .trace")
    drawn = page.evaluate("document.getElementById('figure')._fullData.map((one) => [...one.customdata])")
    times = page.evaluate("[...document.getElementById('figure')._fullData[0].x]")
    said = page.inner_text("body")
    page.close()
    assert asked == [(tmp_path / name).as_uri()]
    assert (times[0], times[-1]) == (FIRST / run.signal.fs, LAST / run.signal.fs)
    values = run.units.scale(np.asarray(run.signal.values[FIRST : LAST + 1], dtype=float))
    np.testing.assert_allclose(np.array(drawn).T, values - np.median(values, axis=0), rtol=1e-9)
    assert all(text in said for text in (online["sha256"], "SIM-01", f"{FIRST}:{LAST} of {online['n_samples']}"))


def test_a_recording_that_is_not_what_the_record_holds_is_not_drawn(call, folder, online, tmp_path):
    with (folder / online["path"]).open("r+b") as file:
        file.seek(-1, 2)
        file.write(b"\x00")
    code, _, err = call("--recording", online["sha256"], "--samples", "0:10")
    assert (code, "its SHA-256 differs" in err) == (2, True), err
    assert list(tmp_path.glob("*.html")) == []


@pytest.mark.parametrize(
    ("recording", "samples", "more", "said"),
    [
        ("e3e1", "0:10", (), "at least 8 hexadecimal digits"),
        ("../../study.db", "0:10", (), "at least 8 hexadecimal digits"),
        ("ffffffff", "0:10", (), "0 of the 2 recordings of this study begin with ffffffff"),
        ("", "10:5", (), "samples must be FIRST:LAST, such as 1200:84000, got '10:5'"),
        ("", "nan:5", (), "samples must be FIRST:LAST"),
        ("", "0:99999999", (), "99999999 are not in this recording of 26259; its samples are 0 to 26258"),
        ("", "0:10", ("--channels", "E1,C3"), "has no channel 'C3'; it has E1, E2"),
        ("", "0:10", ("--output", "kept.txt"), "is something else than a picture of samples"),
    ],
)  # fmt: skip
def test_what_there_is_not_is_refused_in_one_sentence_and_nothing_is_written(
    call, online, tmp_path, recording, samples, more, said
):
    (tmp_path / "kept.txt").write_text("mine")
    code, out, err = call("--recording", recording or online["sha256"], "--samples", samples, *more)
    assert (code, out, said in err, err.count("\n")) == (2, "", True, 0)
    assert (tmp_path / "kept.txt").read_text() == "mine"
    assert list(tmp_path.glob("*.html")) == []


def test_the_same_samples_are_the_same_page_in_either_language_and_one_replaces_the_other(
    call, online, tmp_path, monkeypatch
):
    about = ("--recording", online["sha256"], "--samples", "0:99", "--output", "page.html")
    pages = []
    for language in ("en", "zh-CN", "en"):
        assert call(*about, "--language", language)[0] == 0
        pages.append((tmp_path / "page.html").read_bytes())
    assert pages[0] == pages[2] != pages[1]
    assert "样本 0:99".encode() in pages[1]
