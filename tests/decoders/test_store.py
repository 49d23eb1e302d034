"""A stored decoder that was damaged is refused in a sentence, whatever the damage makes of its archive."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from tests.shares import examples
from workbench import decoders
from workbench.decoders import _store
from workbench.errors import DecoderMismatch, RecordingFault

STORED = sorted((Path(__file__).parent / "layout_2").iterdir())[0]


@pytest.mark.job
@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_whatever_bit_of_its_arrays_is_flipped_a_decoder_is_the_saved_one_or_refused(tmp_path, save):
    folder = tmp_path / "decoder"
    shutil.copytree(STORED, folder)
    path = folder / "arrays.npz"
    with np.load(path) as archive:
        arrays = dict(archive)
    save(path, **arrays)
    saved = decoders.read(folder).sha256_
    whole = path.read_bytes()
    refused = 0
    for at in range(0, len(whole), 1 + len(whole) // examples(400)):
        for bit in range(8):
            changed = bytearray(whole)
            changed[at] ^= 1 << bit
            path.write_bytes(changed)
            try:
                assert decoders.read(folder).sha256_ == saved
            except (RecordingFault, DecoderMismatch):
                refused += 1
    assert refused > 0


def test_arrays_that_would_fill_the_memory_are_refused_before_they_are_unpacked(tmp_path, monkeypatch):
    folder = tmp_path / "decoder"
    shutil.copytree(STORED, folder)
    monkeypatch.setattr(_store, "LARGEST", 1000)
    with pytest.raises(RecordingFault, match="its arrays take .* bytes, at most 1,000 are read"):
        decoders.read(folder)
