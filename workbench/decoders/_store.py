"""Decoders on disk: arrays and JSON with a hash. Never a pickle."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from workbench import messages, reading, registry
from workbench.decoders._base import WindowDecoder
from workbench.decoders._joined import JoinedDecoder
from workbench.decoding.joined import SIGNAL
from workbench.errors import BadValue, DecoderMismatch, RecordingFault, UnknownName, WorkbenchError
from workbench.fitting.checks import channel_difference
from workbench.messages import Message
from workbench.signals import SignalSettings, units
from workbench.vocabulary import FloatArray, Montage

FORMAT = 5
"""Version of the folder's layout: 3 may contain a limit of novelty, 5 one of neighbours' correlations. Older ones
are read too, and decide as they did. A version that knows only older ones refuses: it would ignore a limit."""

JOINT_FORMAT = 6
"""Version of the layout of a decoder of several streams; 4 is read too, with members of layout 3."""

JOINT_FORMATS = (4, JOINT_FORMAT)

LARGEST = 256 * 2**20
"""Bytes of the arrays of the largest decoder that is read."""

SHARED = ("low_", "high_", "log_prior_")
"""Arrays that every decoder learns."""

GROUPS = ("design", "evidence", "adaptation")
"""Groups of arrays by name: attribute ``design_`` and so on, prefix ``design_`` in the file."""


def save(decoder: WindowDecoder, folder: Path, *, montage: Montage, meta: Mapping[str, Any] | None = None) -> str:
    """Write ``decoder.json`` and ``arrays.npz``, and return the hash that names the decoder from then on.

    Parameters
    ----------
    decoder : fitted.
    folder : made if it is not there.
    montage : channels and rate it was fitted on.
    meta : JSON-able facts about the fit (recordings, counts, author); part of the hash.

    Returns
    -------
    str
        SHA-256 over the canonical JSON and the bytes of the arrays, in hexadecimal.

    Raises
    ------
    NotFitted
        When the decoder is not fitted; scikit-learn's ``NotFittedError`` and a :class:`BadSignal`.
    DecoderMismatch
        When the montage has another number of channels, another rate, or other names than the epochs of the fit.
    """
    _check_fitted_on(decoder, montage)
    arrays = _arrays(decoder)
    body = _described(decoder, arrays, montage=montage, meta=meta)
    sha256 = _write(folder, body, arrays)
    decoder.montage_, decoder.sha256_ = montage, sha256
    return sha256


def save_joined(
    decoder: JoinedDecoder,
    folder: Path,
    *,
    montages: Mapping[str, Montage],
    meta: Mapping[str, Any] | None = None,
) -> str:
    """Write a decoder of several streams as :func:`save` writes one of one stream.

    Parameters
    ----------
    decoder : of fitted members.
    folder : made if it is not there.
    montages : by role, of the streams that it decodes.
    meta : JSON-able facts about the fit; part of the hash.

    Returns
    -------
    str
        As :func:`save`; the names of a member's arrays begin with its role.

    Raises
    ------
    DecoderMismatch
        As :func:`save` of a member.
    """
    arrays: dict[str, FloatArray] = {}
    members: dict[str, Any] = {}
    montages = decoder.montages(montages)
    for role, member in decoder.members.items():
        _check_fitted_on(member, montages[role])
        own = _arrays(member)
        members[role] = _described(member, own, montage=montages[role], meta=None)
        arrays |= {f"{role}.{name}": array for name, array in own.items()}
    body = {
        "format": JOINT_FORMAT,
        "name": decoder.name,
        "joint": decoder.described(),
        "classes": decoder.classes_.tolist(),
        "members": members,
        "meta": dict(meta or {}),
    }
    decoder.sha256_ = _write(folder, body, arrays)
    for role, member in decoder.members.items():
        member.montage_ = montages[role]
    return decoder.sha256_


def _check_fitted_on(decoder: WindowDecoder, montage: Montage) -> None:
    """Raise unless a decoder is fitted, and on this montage."""
    decoder.require_fitted()
    if len(montage.channels) != decoder.n_channels_in_ or montage.fs != decoder.fs:
        raise DecoderMismatch(
            Message(
                "decoder.other_montage",
                n=decoder.n_channels_in_,
                fs=f"{decoder.fs:g}",
                got=len(montage.channels),
                got_fs=f"{montage.fs:g}",
            )
        )
    named = tuple(getattr(decoder, "feature_names_in_", montage.channels))
    if named != montage.channels:
        raise DecoderMismatch(
            Message("decoder.other_names", difference=channel_difference(named, montage.channels))
        )


def _described(
    decoder: WindowDecoder, arrays: Mapping[str, FloatArray], *, montage: Montage, meta: Mapping[str, Any] | None
) -> dict[str, Any]:
    """A fitted decoder without its arrays, as JSON has it."""
    return {
        "format": FORMAT,
        "name": decoder.name,
        "params": decoder.get_params(),
        "settings": decoder.settings.to_json(),
        "classes": decoder.classes_.tolist(),
        "n_channels": decoder.n_channels_in_,
        "lead_in": decoder.lead_in_,
        "montage": asdict(montage),
        "meta": dict(meta or {}),
        "arrays": {name: list(array.shape) for name, array in arrays.items()},
    }


def _write(folder: Path, body: Mapping[str, Any], arrays: Mapping[str, FloatArray]) -> str:
    """Write a description and its arrays; returns their hash."""
    # The hash is of the JSON as it will be read, in which tuples are lists.
    body = json.loads(json.dumps(body, allow_nan=False))
    sha256 = _hash(body, arrays)
    folder.mkdir(parents=True, exist_ok=True)
    # The arrays first: a decoder.json without its arrays must not exist.
    _replace(folder / "arrays.npz", lambda file: np.savez(file, allow_pickle=False, **arrays))
    text = json.dumps({"sha256": sha256, "decoder": body}, indent=1, sort_keys=True, ensure_ascii=False)
    _replace(folder / "decoder.json", lambda file: file.write(text.encode()))
    return sha256


def read(folder: Path) -> WindowDecoder | JoinedDecoder:
    """Read a decoder back and verify its hash.

    Raises
    ------
    RecordingFault
        When the folder contains no decoder, or files that cannot be read.
    DecoderMismatch
        When the content is not what the hash says, or was written by a newer version.
    """
    path = folder / "decoder.json"
    if not reading.is_there(path, Message("file.noun_decoder"), error=RecordingFault):
        raise RecordingFault(Message("decoder.none_in_folder", folder=str(folder)))
    text = reading.read_text(path, Message("file.noun_decoder"), error=RecordingFault)
    document = reading.parse_json(
        text,
        Message("file.named", what=Message("file.noun_decoder"), path=reading.shown(path)),
        error=RecordingFault,
    )
    try:
        body, stored = dict(document["decoder"]), document["sha256"]
        arrays = _stored_arrays(folder / "arrays.npz")
    except reading.BROKEN_ARCHIVE as error:
        raise RecordingFault(Message("decoder.not_read", folder=str(folder), why=messages.of(error))) from error
    # Before the layout is looked at: a damaged file may state any layout.
    if _hash(body, arrays) != stored:
        raise DecoderMismatch(
            Message(
                "decoder.changed",
                folder=str(folder),
                hash=_hash(body, arrays)[:12],
                stored=str(stored)[:12],
            )
        )
    if body.get("format") not in range(1, JOINT_FORMAT + 1):
        raise DecoderMismatch(
            Message("decoder.layout", folder=str(folder), got=str(body.get("format")), newest=JOINT_FORMAT)
        )
    restored = _restored_joint if body["format"] in JOINT_FORMATS else _restored
    return restored(body, arrays, stored)


def recordings_in(folder: Path) -> list[dict[str, str]]:
    """``run`` and ``sha256`` of the recordings that a stored decoder names; :func:`read` has checked its hash."""
    text = reading.read_text(folder / "decoder.json", Message("file.noun_decoder"), error=RecordingFault)
    meta = reading.parse_json(text, Message("file.noun_decoder"), error=RecordingFault)["decoder"]["meta"]
    named = meta.get("recordings", [])
    return [{"run": str(one["run"]), "sha256": str(one["sha256"])} for one in named if isinstance(one, dict)]


def check_inputs(decoder: WindowDecoder | JoinedDecoder, montages: Mapping[str, Montage]) -> None:
    """Raise :class:`DecoderMismatch` unless the decoded streams are those that the decoder was saved with.

    Parameters
    ----------
    decoder : saved or read.
    montages : by role.
    """
    members = decoder.members if isinstance(decoder, JoinedDecoder) else {SIGNAL: decoder}
    for role in decoder.inputs:
        if role not in montages:
            raise DecoderMismatch(Message("decoder.needs_role", role=repr(role), roles=list(montages)))
        # What reads channels of the signal was fitted on those of this montage.
        check_montage(members[role], montages[role])


def check_montage(decoder: WindowDecoder, montage: Montage) -> None:
    """Raise :class:`DecoderMismatch` unless the montage is the one the decoder was saved with.

    Channels must be the same, in the same order, at the same rate and in the same unit: a stream in
    V or mV has µV behind the intake, so that its montage says so.
    """
    own = getattr(decoder, "montage_", None)
    if own is None:
        raise DecoderMismatch(Message("decoder.no_montage"))
    if own.fs != montage.fs:
        raise DecoderMismatch(Message("decoder.other_rate", fitted=f"{own.fs:g}", got=f"{montage.fs:g}"))
    # A montage names the unit of the samples that reach the decoder, which scales nothing itself.
    if not units.equal(own.unit, montage.unit):
        raise DecoderMismatch(Message("decoder.other_unit", fitted=own.unit, got=montage.unit))
    if own.channels != montage.channels:
        how = channel_difference(own.channels, montage.channels)
        raise DecoderMismatch(Message("decoder.other_channels", how=how))


def _stored_arrays(path: Path) -> dict[str, FloatArray]:
    """The arrays of a decoder, float64. Raises what NumPy does, and ValueError for more bytes than are read."""
    reading.read_start(path, Message("file.noun_decoder_arrays"), 4, error=RecordingFault)
    with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
        # zipfile extracts no more than the declared size, so a file that expands further does no harm.
        size = sum(member.file_size for member in archive.zip.infolist())
        if size > LARGEST:
            raise ValueError(f"its arrays take {size:,} bytes, at most {LARGEST:,} are read")
        return {name: np.ascontiguousarray(archive[name], dtype=np.float64) for name in archive.files}


def _arrays(decoder: WindowDecoder) -> dict[str, FloatArray]:
    arrays = {name: np.ascontiguousarray(getattr(decoder, name)) for name in (*SHARED, *decoder.learned)}
    for group in GROUPS:
        by_name = getattr(decoder, f"{group}_")
        arrays |= {f"{group}_{name}": np.ascontiguousarray(array) for name, array in by_name.items()}
    # Sorted, so that the file does not depend on the order in which arrays were learned.
    return dict(sorted(arrays.items()))


def _restored(body: dict[str, Any], arrays: dict[str, FloatArray], sha256: str) -> WindowDecoder:
    try:
        decoder_class = registry.load("workbench.decoders", str(body.get("name")), "DECODER")
    except UnknownName as error:
        raise DecoderMismatch(
            Message("decoder.not_here", name=repr(body.get("name")), why=messages.of(error))
        ) from error
    try:
        params = _params_of_1(body["params"]) if body["format"] == 1 else body["params"]
        decoder: WindowDecoder = decoder_class(**{**decoder_class.before, **params})
        decoder.settings_ = SignalSettings.from_json(body["settings"])
        decoder.classes_ = np.array(body["classes"])
        decoder.n_channels_in_ = int(body["n_channels"])
        decoder.lead_in_ = float(body["lead_in"])
        for group in GROUPS:
            by_name = {n.removeprefix(f"{group}_"): a for n, a in arrays.items() if n.startswith(f"{group}_")}
            setattr(decoder, f"{group}_", by_name)
        for name in (*SHARED, *decoder.learned):
            setattr(decoder, name, arrays[name])
        montage = body["montage"]
        decoder.montage_ = Montage(tuple(montage["channels"]), montage["fs"], montage["kind"], montage["unit"])
    except (AttributeError, LookupError, OverflowError, TypeError, ValueError, WorkbenchError) as error:
        raise DecoderMismatch(Message("decoder.lacks", hash=sha256[:12], why=messages.of(error))) from error
    decoder.sha256_ = sha256
    return decoder


def _restored_joint(body: dict[str, Any], arrays: dict[str, FloatArray], sha256: str) -> JoinedDecoder:
    try:
        joint, members = dict(body["joint"]), {}
        for role, described in dict(body["members"]).items():
            own = {n.removeprefix(f"{role}."): a for n, a in arrays.items() if n.startswith(f"{role}.")}
            members[role] = _restored(described, own, _hash(described, own))
        decoder = JoinedDecoder(
            body["name"],
            members,
            weights=dict(joint["weights"]),
            gates=dict(joint["gates"]),
            critical=tuple(joint["critical"]),
            picks={role: tuple(map(int, own)) for role, own in dict(joint.get("picks", {})).items()},
        )
    except (AttributeError, LookupError, TypeError, ValueError, BadValue) as error:
        raise DecoderMismatch(Message("decoder.lacks", hash=sha256[:12], why=messages.of(error))) from error
    decoder.sha256_ = sha256
    return decoder


def _params_of_1(params: Mapping[str, Any]) -> dict[str, Any]:
    """Parameters of layout 1, in which the gate was a matter of ``bandpower_lda`` alone."""
    current = {name: value for name, value in params.items() if name not in ("rest", "gamma", "dwell_s")}
    if "gamma" in params:
        evidence = {"rest": params["rest"], "dwell_s": params["dwell_s"]}
        current["evidence"] = evidence | (
            {"memory": None} if params["gamma"] is None else {"gamma": params["gamma"]}
        )
    return current


def _hash(body: Mapping[str, Any], arrays: Mapping[str, FloatArray]) -> str:
    """SHA-256 over the canonical JSON, then name, shape and little-endian bytes of each array by name."""
    text = json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    digest = hashlib.sha256(text.encode())
    for name in sorted(arrays):
        digest.update(f"\n{name} {list(arrays[name].shape)}\n".encode())
        digest.update(arrays[name].astype("<f8").tobytes())
    return digest.hexdigest()


def _replace(path: Path, write: Any) -> None:
    """Write to a neighbour, sync, and put it in place, so that no half-written file carries the name."""
    part = path.with_name(path.name + ".part")
    with part.open("wb") as file:
        write(file)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)
