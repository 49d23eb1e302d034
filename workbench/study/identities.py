"""Who the participants are: an encrypted file apart from the study record, under a key apart from the record's.

Every person has a data key, wrapped by the store's master key and kept in one slot of the file. Erasing overwrites
the slot: what was entered of the person cannot be read from the file again, not even with the master key. A copy
that was made before keeps its slot. Whatever is done with an identity, reading it too, is first written as an
entry and confirmed by the disk. Nothing of an identity is in any error, ``repr`` or file in the clear: sentences
name the field and quote nothing, not even a pseudonym, which may be a name in the wrong place.
"""

from __future__ import annotations

import hashlib
import os
import re
import unicodedata
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field, fields, replace
from datetime import date
from pathlib import Path

from workbench import reading, world
from workbench.errors import BadValue, RecordFault, Refused, UnknownName
from workbench.messages import Message
from workbench.study import anchors, identity_file, identity_keys, nouns, pseudonyms
from workbench.study.clock import utc_now, uuid7
from workbench.study.identity_file import FRAME, PERSONAL, SLOT, WIPED, Action, Entry, Journal, Person, Seals

FILE = "identities.wbi"
LONGEST = {"name": 120, "hospital_number": 40, "born": 10, "contact": 300, "reason": 200, "actor": 100}
"""Most characters of each text: with four bytes each they fit the size that every entry has."""
DATE = re.compile(r"\d{4}-\d\d-\d\d")


@dataclass(frozen=True, slots=True)
class Identity:
    """Who somebody is; shows nothing when it is printed.

    Attributes
    ----------
    name : needed, at most 120 characters.
    hospital_number : at most 40 characters, ``""`` where there is none.
    born : ISO date, ``""`` where it is not known.
    contact : at most 300 characters, on one line.
    """

    name: str = field(repr=False)
    hospital_number: str = field(default="", repr=False)
    born: str = field(default="", repr=False)
    contact: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Checked:
    """What verifying a store found.

    Attributes
    ----------
    problems, warnings : one sentence each.
    entries, people, erased : how many there are.
    head : number and hash of the last entry.
    """

    problems: tuple[str, ...]
    warnings: tuple[str, ...]
    entries: int
    people: int
    erased: int
    head: tuple[int, str]

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        return not self.problems


class Identities:
    """The identities of a study's participants. Make a store with :meth:`create` or :meth:`open`.

    Several processes may use one at once. Every method raises RecordFault where the file cannot be read or written
    or is damaged, and BadValue for a reason that is empty or too long.

    Parameters
    ----------
    folder : in which ``identities.wbi`` lies.
    actor : who does it, in every entry.

    Attributes
    ----------
    path : the file.
    id, study : of the store, and of the study whose people it holds.
    """

    def __init__(self, folder: Path | str, *, actor: str) -> None:
        self.path = Path(folder) / FILE
        self._actor = _needed(actor, "actor")
        start = reading.read_start(self.path, Message("identities.noun_file"), FRAME, error=RecordFault)
        about = identity_file.about(start)
        if about is None:
            raise RecordFault(Message("identities.no_store", path=reading.shown(self.path)))
        self.id, self.study = about["id"], about["study"]
        key = identity_keys.load(self.id)
        if identity_file.key_id(key.secret) != about["key"]:
            raise RecordFault(Message("identities.other_key", path=str(identity_keys.path_of(self.id))))
        self._foreign = key.header != hashlib.sha256(start).hexdigest()
        self._seals = Seals(key.secret, self.id)
        self._journal = Journal(self._seals, start)
        self._compared = False

    @classmethod
    def create(
        cls, folder: Path | str, *, study: Path | str, study_id: str, actor: str, inside: bool = False
    ) -> Identities:
        """Make an empty store and its key.

        Parameters
        ----------
        folder : of the store; made when absent.
        study, study_id : folder and id of the study.
        actor : who does it.
        inside : allow a folder within that of the study, which whoever copies the study then takes along.

        Raises
        ------
        Refused
            When the folder lies within the study's.
        RecordFault
            When there is a store already, or folder or key cannot be written.
        """
        folder, by = Path(folder), _needed(actor, "actor")
        if not inside and _within(folder, Path(study)):
            raise Refused(Message("identities.inside", folder=reading.shown(folder)))
        path = folder / FILE
        if reading.is_there(path, Message("identities.noun_file"), error=RecordFault):
            raise RecordFault(Message("identities.there", path=reading.shown(path)))
        master, utc = world.chance.token_bytes(identity_file.KEY), utc_now()
        about = {"id": uuid7(), "key": identity_file.key_id(master), "study": study_id, "utc": utc}
        start = identity_file.header(about)
        digest = hashlib.sha256(start).hexdigest()
        entry = Entry(1, utc, by, "create", "", "")
        first = Seals(master, about["id"]).frame(entry, previous=digest, slot=b"", personal=b"")
        # The key first: a file whose key was never stored could not be read by anybody.
        identity_keys.keep(identity_keys.MasterKey(about["id"], study_id, digest, utc, master.hex()))
        try:
            world.disk.mkdir(folder, parents=True, exist_ok=True)
            world.disk.save(path, start + first, keep=True)
        except OSError as error:
            raise RecordFault(_not_usable(path, error)) from error
        made = cls(folder, actor=by)
        # Of two processes that create at once, one gets the file.
        if made.id != about["id"]:
            raise RecordFault(Message("identities.there", path=reading.shown(path)))
        with made._alone():
            made._anchor()
        return made

    @classmethod
    def open(cls, folder: Path | str, *, actor: str) -> Identities:
        """Open the store in ``folder``; what a crash left is put right: a torn tail cut, an erasure finished.

        Raises
        ------
        RecordFault
            When there is none, it is damaged or older than a kept head, or its key is not on this computer.
        """
        store = cls(folder, actor=actor)
        with store._alone():
            return store

    # ------------------------------------------------------------------------------ what one does
    def add(self, pseudonym: str, identity: Identity, *, reason: str = "added") -> None:
        """Enter a person.

        Parameters
        ----------
        pseudonym : as in the record; one that was never used in this store.
        identity : of the person.
        reason : for the entry.

        Raises
        ------
        BadValue
            When the pseudonym cannot be a participant's, or a field what :class:`Identity` says.
        Refused
            When it was used before, also for somebody who was erased.
        """
        code, why, texts = _own_code(pseudonym), _needed(reason, "reason"), _texts(identity)
        with self._alone() as handle:
            if code in self._journal.people:
                raise Refused(Message("identities.used"))
            seq, data_key = len(self._journal.hashes), world.chance.token_bytes(identity_file.KEY)
            slot = self._seals.wrap(data_key, seq, code)
            personal = self._seals.hide(texts, data_key, seq)
            self._append(handle, "add", code, why, slot=slot, personal=personal)

    def amend(self, pseudonym: str, changes: Mapping[str, str], *, reason: str) -> None:
        """Change some of what is known of a person; earlier entries stay in the file.

        Parameters
        ----------
        pseudonym : of the person.
        changes : new text by field of :class:`Identity`.
        reason : why.

        Raises
        ------
        UnknownName, Refused
            As :meth:`show`.
        BadValue
            When there is no change, no such field, or a text is not what :class:`Identity` says.
        """
        known, why = [part.name for part in fields(Identity)], _needed(reason, "reason")
        if not changes or not set(changes) <= set(known):
            raise BadValue(Message("identities.fields", allowed=known))
        with self._alone() as handle:
            code, person = self._person(pseudonym)
            data_key, before = self._revealed(handle, code, person)
            texts = _texts(replace(before, **changes))
            personal = self._seals.hide(texts, data_key, len(self._journal.hashes))
            self._append(handle, "amend", code, why, personal=personal)

    def show(self, pseudonym: str, *, reason: str) -> Identity:
        """Who somebody is; that it was read is on the disk before this returns.

        Parameters
        ----------
        pseudonym : as it is, or as it was typed where it has a check character.
        reason : why it is read.

        Raises
        ------
        UnknownName
            When nobody has it.
        Refused
            When the person was erased.
        """
        why = _needed(reason, "reason")
        with self._alone() as handle:
            code, person = self._person(pseudonym)
            _, identity = self._revealed(handle, code, person)
            self._append(handle, "show", code, why)
        return identity

    def find(self, hospital_number: str, *, reason: str) -> tuple[str, ...]:
        """Pseudonyms of a hospital number, by reading everybody's: no index of them is stored.

        Parameters
        ----------
        hospital_number : compared as it was entered, blanks around it aside.
        reason : why; an entry is made for each that was found, or one that nobody was.
        """
        number, why = _needed(hospital_number, "hospital_number"), _needed(reason, "reason")
        with self._alone() as handle:
            living = [(code, person) for code, person in self._journal.people.items() if not person.erased]
            found = tuple(
                code
                for code, person in living
                if self._revealed(handle, code, person)[1].hospital_number == number
            )
            for code in found or ("",):
                self._append(handle, "find", code, why)
        return found

    def erase(self, pseudonym: str, *, reason: str) -> None:
        """Destroy a person's data key: nothing entered of them can be read from this file again. Entries stay.

        Parameters
        ----------
        pseudonym : of the person; it stays used.
        reason : why.

        Raises
        ------
        UnknownName, Refused
            As :meth:`show`.
        """
        why = _needed(reason, "reason")
        with self._alone() as handle:
            code, _ = self._person(pseudonym)
            self._append(handle, "erase", code, why)

    def pseudonyms(self) -> tuple[str, ...]:
        """Every pseudonym that was ever used here, those of the erased too."""
        with self._alone():
            return tuple(self._journal.people)

    def entries(self, pseudonym: str = "") -> tuple[Entry, ...]:
        """Who did what, oldest first; with a pseudonym, what was done with that person."""
        with self._alone():
            code = self._person(pseudonym, erased=True)[0] if pseudonym else ""
            return tuple(entry for entry in self._journal.entries if not code or entry.pseudonym == code)

    # ------------------------------------------------------------------------------ inside
    @contextmanager
    def _locked(self, flags: int) -> Iterator[int]:
        """The file, while other processes wait."""
        try:
            lock = world.disk.descriptor(self.path.with_name(f"{FILE}.lock"), os.O_RDWR | os.O_CREAT)
            try:
                world.disk.lock(lock, wait=True)
                handle = world.disk.descriptor(self.path, flags)
                try:
                    yield handle
                finally:
                    world.disk.close(handle)
            finally:
                world.disk.close(lock)
        except OSError as error:
            raise RecordFault(_not_usable(self.path, error)) from error

    @contextmanager
    def _alone(self) -> Iterator[int]:
        """The file, with everything that others wrote taken in."""
        with self._locked(os.O_RDWR) as handle:
            self._catch_up(handle)
            yield handle

    def _catch_up(self, handle: int) -> None:
        left = self._follow(handle)
        faults = self._journal.faults()
        if self._foreign or faults:
            raise RecordFault(Message("identities.damaged", path=reading.shown(self.path)))
        if not self._compared:
            self._refuse_old()
            self._compared = True
        if left:
            world.disk.truncate(handle, _place(len(self._journal.hashes)))
            world.disk.sync(handle)
        self._finish_erasures(handle)

    def _refuse_old(self) -> None:
        """Refuse a copy that is older than a head that was kept: people who were erased may be whole in it."""
        heads = _heads(self.id)[0]
        if lacking := _against(heads, self._journal.hashes):
            path, where = reading.shown(self.path), str(identity_keys.anchors_of(self.id))
            raise RecordFault(Message("identities.old_copy", path=path, why=lacking[0], heads=where))

    def _follow(self, handle: int) -> int:
        """Take in the frames that are new; how many bytes behind them a crash has left."""
        size, journal = os.fstat(handle).st_size, self._journal
        # Of a full store everybody can still be erased.
        if size > _place(2 * identity_file.MOST_ENTRIES + 1):
            raise RecordFault(Message("identities.full", most=f"{identity_file.MOST_ENTRIES:,}"))
        if size < _place(len(journal.hashes)):
            raise RecordFault(Message("identities.shrunk", path=reading.shown(self.path)))
        while (start := _place(len(journal.hashes))) + FRAME <= size:
            frame = _read(handle, start, FRAME)
            last = start + 2 * FRAME > size
            # A power cut may leave the length of a frame without its content. What was acknowledged has an anchor.
            if last and self._seals.audit(frame, len(journal.hashes)) is None and not self._anchored():
                return size - start
            journal.follow(frame)
        return size - start

    def _anchored(self) -> bool:
        """Whether the frame that would follow was once acknowledged, or nothing tells that it was not."""
        seqs = [anchor.seq for anchor in _heads(self.id)[0]]
        return not seqs or max(seqs) >= len(self._journal.hashes)

    def _append(
        self, handle: int, action: Action, pseudonym: str, reason: str, *, slot: bytes = b"", personal: bytes = b""
    ) -> None:
        journal = self._journal
        if action != "erase" and len(journal.hashes) > identity_file.MOST_ENTRIES:
            raise RecordFault(Message("identities.full", most=f"{identity_file.MOST_ENTRIES:,}"))
        entry = journal.next(action, utc=utc_now(), actor=self._actor, pseudonym=pseudonym, reason=reason)
        frame = self._seals.frame(entry, previous=journal.hashes[-1], slot=slot, personal=personal)
        try:
            os.lseek(handle, _place(entry.seq), os.SEEK_SET)
            world.disk.write_all(handle, frame)
            world.disk.sync(handle)
        except OSError as error:
            # Where that fails too, the next opening cuts it.
            with suppress(OSError):
                world.disk.truncate(handle, _place(entry.seq))
            path, why = reading.shown(self.path), reading.why(error)
            raise RecordFault(Message("identities.not_written", path=path, why=why)) from error
        journal.follow(frame)
        # An erasure takes the key away even where its head cannot be kept.
        self._finish_erasures(handle)
        self._anchor()

    def _anchor(self) -> None:
        """Keep the head beside the key, where whoever cuts the file's tail does not reach it."""
        where, seq = identity_keys.anchors_of(self.id), len(self._journal.hashes) - 1
        try:
            anchors.append(
                where, study=self.id, seq=seq, hash=self._journal.hashes[-1], why="identities", durable=True
            )
        except OSError as error:
            raise RecordFault(
                Message("identities.not_anchored", n=seq, path=str(where), why=reading.why(error))
            ) from error

    def _finish_erasures(self, handle: int) -> None:
        for seq in self._journal.unfinished():
            try:
                # Another process may have wiped it since this one read the frame.
                if _read(handle, _place(seq), SLOT) != WIPED:
                    os.lseek(handle, _place(seq), os.SEEK_SET)
                    world.disk.write_all(handle, WIPED)
                    world.disk.sync(handle)
            except OSError as error:
                path, why = reading.shown(self.path), reading.why(error)
                raise RecordFault(Message("identities.not_wiped", path=path, why=why)) from error
            self._journal.wiped.add(seq)

    def _person(self, pseudonym: str, *, erased: bool = False) -> tuple[str, Person]:
        people = self._journal.people
        code = unicodedata.normalize("NFC", pseudonym)
        if code not in people:
            # Only now: a site's own codes have no check character.
            code = _as_written(pseudonym)
        if code not in people:
            raise UnknownName(Message("identities.unknown"))
        if people[code].erased and not erased:
            raise Refused(Message("identities.erased"))
        return code, people[code]

    def _revealed(self, handle: int, code: str, person: Person) -> tuple[bytes, Identity]:
        """Data key and identity of somebody who was not erased."""
        data_key = self._seals.unwrap(_read(handle, _place(person.added), SLOT), person.added, code)
        personal = _read(handle, _place(person.newest) + SLOT, PERSONAL)
        plain = None if data_key is None else self._seals.reveal(personal, data_key, person.newest)
        if data_key is None or plain is None:
            raise RecordFault(Message("identities.damaged", path=reading.shown(self.path)))
        return data_key, Identity(**plain)


def verify(folder: Path | str) -> Checked:
    """Check every byte of a store: header, entries, chain, wrapped keys, erasures, and the heads kept elsewhere.

    Changes nothing, and makes no entry: no identity is handed out.

    Raises
    ------
    RecordFault
        When there is no store, its header is damaged, its key is not on this computer, or the file cannot be read.
    """
    store = Identities(folder, actor="verify")
    journal = store._journal
    problems: list[str] = []
    warnings: list[str] = []
    with store._locked(os.O_RDONLY) as handle:
        left = store._follow(handle)
        locked_out = _without_key(store, handle)
        _compare(store, problems, warnings)
    if store._foreign:
        problems.append(Message("identities.header"))
    faults = sorted({*journal.faults(), *locked_out})
    problems += [Message("identities.changed", n=entry, byte=f"{_place(entry):,}") for entry in faults]
    problems += [Message("identities.unfinished", n=entry) for entry in journal.unfinished()]
    if left:
        warnings.append(Message("identities.torn", n=left))
    erased = sum(person.erased for person in journal.people.values())
    last = len(journal.hashes) - 1
    return Checked(
        tuple(problems), tuple(warnings), last, len(journal.people) - erased, erased, (last, journal.hashes[-1])
    )


def _without_key(store: Identities, handle: int) -> list[int]:
    """Frames of living people whose identity the master key does not open."""
    lost = []
    for code, person in store._journal.people.items():
        if not person.erased:
            try:
                store._revealed(handle, code, person)
            except RecordFault:
                lost.append(person.added)
    return lost


def _compare(store: Identities, problems: list[str], warnings: list[str]) -> None:
    """Heads that were kept beside the key against the chain."""
    heads, unreadable = _heads(store.id)
    if not heads:
        warnings.append(Message("identities.no_anchors", path=str(identity_keys.anchors_of(store.id))))
    problems += _against(heads, store._journal.hashes)
    warnings += [Message("identities.anchor_unreadable", where=where) for where in unreadable]


def _against(heads: list[anchors.Anchor], hashes: list[str]) -> list[Message]:
    """What of the heads that were kept is not on the chain."""
    problems = []
    newest = max((anchor.seq for anchor in heads), default=0)
    if newest >= len(hashes):
        problems.append(Message("identities.cut", n=newest, got=len(hashes) - 1))
    off = [a for a in heads if 0 <= a.seq < len(hashes) and hashes[a.seq] not in ("", a.hash)]
    if off:
        problems.append(Message("identities.off", n=off[0].seq, where=off[0].where))
    return problems


def _heads(store: str) -> tuple[list[anchors.Anchor], list[str]]:
    path = identity_keys.anchors_of(store)
    if not reading.is_there(path, Message("file.noun_anchors"), error=RecordFault):
        return [], []
    heads, unreadable = anchors.read(path)
    return [anchor for anchor in heads if anchor.study == store], unreadable


def backup(folder: Path | str, file: Path | str, passphrase: str) -> Path:
    """Back up the key of a store under a passphrase: see :func:`workbench.study.identity_keys.backup`.

    Parameters
    ----------
    folder : of the store.
    file : the backup; must not exist.
    passphrase : at least 12 characters.
    """
    return identity_keys.backup(Identities(folder, actor="backup").id, file, passphrase)


# ------------------------------------------------------------------------------------ bytes and texts
def _within(folder: Path, study: Path) -> bool:
    try:
        return folder.resolve().is_relative_to(study.resolve())
    except (OSError, RuntimeError, ValueError):
        # A link to itself, a name that is too long: no folder, which is told when it is made.
        return False


def _place(seq: int) -> int:
    """Where a frame begins, bytes."""
    return seq * FRAME


def _read(handle: int, start: int, size: int) -> bytes:
    os.lseek(handle, start, os.SEEK_SET)
    data = b""
    while len(data) < size and (more := os.read(handle, size - len(data))):
        data += more
    return data


def _not_usable(path: Path, error: OSError) -> Message:
    return Message("file.not_usable", what=Message("identities.noun_file"), path=reading.shown(path),
                   why=reading.why(error))  # fmt: skip


def _noun(name: str) -> Message:
    return {
        "name": Message("identities.noun_name"),
        "hospital_number": Message("identities.noun_hospital_number"),
        "born": Message("identities.noun_born"),
        "contact": Message("identities.noun_contact"),
        "reason": Message("identities.noun_reason"),
        "actor": Message("identities.noun_actor"),
    }[name]


def _line(value: object, name: str) -> str:
    """A text in NFC on one line, without blanks around it. Raises BadValue that does not quote it."""
    if not isinstance(value, str):
        raise BadValue(Message("identities.no_text", what=_noun(name), got=type(value).__name__))
    text = unicodedata.normalize("NFC", value).strip()
    if len(text) > LONGEST[name]:
        raise BadValue(Message("identities.long", what=_noun(name), most=LONGEST[name], n=len(text)))
    # Half a character pair counts as unprintable too, and could not be stored.
    if not text.isprintable():
        raise BadValue(Message("identities.unprintable", what=_noun(name)))
    return text


def _needed(value: object, name: str) -> str:
    text = _line(value, name)
    if not text:
        raise BadValue(Message("identities.empty", what=_noun(name)))
    return text


def _texts(identity: Identity) -> dict[str, str]:
    """What is stored of an identity. Raises BadValue that does not quote it."""
    texts = {name: _line(value, name) for name, value in asdict(identity).items()}
    _needed(texts["name"], "name")
    if texts["born"] and not _is_date(texts["born"]):
        raise BadValue(Message("identities.born"))
    return texts


def _as_written(typed: str) -> str:
    """A pseudonym with a check character from one that was typed; a misread one is told, any other is unknown."""
    try:
        return pseudonyms.checked(typed)
    except BadValue as error:
        if getattr(error.args[0], "code", "") == "identities.code_check":
            raise
    # What has another length or other characters may be a code of the site's own.
    raise UnknownName(Message("identities.unknown"))


def _own_code(pseudonym: str) -> str:
    """A pseudonym as the record would take it; one with a check character as it is written, not as typed."""
    with suppress(BadValue):
        return pseudonyms.checked(pseudonym)
    try:
        nouns.check("participant", {"pseudonym": pseudonym})
    except BadValue:
        pass
    else:
        return unicodedata.normalize("NFC", pseudonym)
    # Not from the error above, which quotes what may be a name in the wrong place.
    raise BadValue(Message("identities.code", most=nouns.LONGEST_PSEUDONYM))


def _is_date(text: str) -> bool:
    try:
        return bool(DATE.fullmatch(text) and date.fromisoformat(text))
    except ValueError:
        return False
