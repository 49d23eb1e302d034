"""The study record: one database per study, one write path, an audit chain that shows tampering."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from datetime import date
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from workbench import world
from workbench.errors import BadValue, RecordFault, Refused, UnknownName
from workbench.html_repr import card
from workbench.messages import Message
from workbench.study import (
    anchors,
    applying,
    approvals,
    audit_trail,
    chain,
    keys,
    listings,
    migrate,
    migrations,
    overview,
    people,
    reading,
    record_file,
    schema,
    snapshot_files,
    snapshots,
    stores,
    worklist,
)
from workbench.study.applying import Actor, Change
from workbench.study.cards import register_cards
from workbench.study.clock import utc_now, uuid7
from workbench.study.database import Database
from workbench.study.drafts import Drafts
from workbench.study.keys import KeyRing
from workbench.study.nouns import Noun, Values, check, flat, noun_of, told, values_of
from workbench.study.overview import Overview
from workbench.study.people import Signer
from workbench.study.stores import Store
from workbench.study.stores.sqlite import SQLite
from workbench.study.verification import Verification, verify
from workbench.study.worklist import WorklistRow
from workbench.study.write_path import WritePath, pin
from workbench.study.writer import Writer, transaction
from workbench.vocabulary import Approval, Entry, LedgerRow, Recording, Run, Trial

if TYPE_CHECKING:
    from pandas import DataFrame

register_cards()


class Study:
    """A study record. Make one with :meth:`create` or :meth:`open`; several processes may hold it at once.

    Parameters
    ----------
    folder : the study folder.
    actor : who writes.
    anchor_copy : a second anchors file.
    store : where the record lies; by default where the folder says.
    drafts : folder of what is being typed; by default the study's.

    Attributes
    ----------
    folder : the study folder; recordings, decoders and reports lie in it.
    path : the record's file ``study.db``, the one that names its database, or a snapshot's.
    id, code, title : of the study.
    actor : who writes, in every audit row.
    drafts : what was typed and is not yet an assessment; outside the chain.
    database, writing : the open file, and the one way into it; for the modules of this room.
    """

    def __init__(
        self,
        folder: Path,
        *,
        actor: str,
        anchor_copy: Path | None = None,
        store: Store | None = None,
        drafts: Path | None = None,
    ) -> None:
        if not actor.strip():
            raise BadValue(Message("study.no_actor"))
        self.folder = Path(folder)
        store = store or stores.at(self.folder)
        self.path = store.path
        self.actor = actor
        self.id = self.code = self.title = ""
        self.drafts = Drafts(drafts or self.folder)
        self.database = Database(store)
        anchor_files = [self.folder / anchors.FILE, *([anchor_copy] if anchor_copy else [])]
        self.writing = WritePath(self.database, actor=actor, anchor_files=anchor_files)

    @property
    def read_only(self) -> str:
        """Why nothing can be written, ``""`` when it can; set it, and every write is refused with it."""
        return self.writing.refusal

    @read_only.setter
    def read_only(self, reason: str) -> None:
        self.writing.refusal = reason

    # ------------------------------------------------------------------------------ open and close
    @classmethod
    def create(
        cls,
        folder: Path | str,
        *,
        code: str,
        title: str,
        actor: str,
        allow_network: bool = False,
        anchor_copy: Path | None = None,
        keyed: bool = True,
        database: str = "",
    ) -> Study:
        """Create a new study record in ``folder``, which is made when absent.

        Parameters
        ----------
        folder : the study folder, on a local disk.
        code, title : short code and full title of the study.
        actor : who does it.
        allow_network : accept a network filesystem; the override is written into the audit chain.
        anchor_copy : a second anchors file, best on another disk.
        keyed : make keys for it, in the key folder (:mod:`workbench.study.keys`); False for a sample that is
            published, which everybody may write.
        database : URL of a PostgreSQL database that holds the record, without a password; ``""`` is a file in the
            folder.

        Raises
        ------
        BadValue
            A URL that is none, or that holds a password.
        RecordFault
            There is a record already, the folder cannot be written, it lies on a network filesystem, or the
            database cannot be reached.
        """
        folder = Path(folder)
        check("study", {"code": code})
        store = stores.new(folder, database=database, code=code)
        network = record_file.refuse_network(folder, allow=allow_network)
        with ExitStack() as undo:
            _claim(folder, store, undo)
            with cls._begun(folder, actor=actor, anchor_copy=anchor_copy, store=store) as study:
                study._lay_foundation(code=code, title=title, keyed=keyed)
                undo.pop_all()
                study._load()
                study._note_override(network)
                study.anchor(why="create")
        return study

    @classmethod
    def open(
        cls, folder: Path | str, *, actor: str, allow_network: bool = False, anchor_copy: Path | None = None
    ) -> Study:
        """Open the study record in ``folder``.

        One of an older schema opens for reading only, lifted into a temporary copy; ``workbench migrate`` brings
        it up to date. One whose keys are not on this computer opens for reading; writing is refused. A snapshot
        opens for reading as the record was; its chain is the head alone.

        Parameters
        ----------
        folder : the study folder, or a snapshot file.
        actor : who writes from now on.
        allow_network, anchor_copy : as in :meth:`create`.

        Raises
        ------
        RecordFault
            No record, an empty, foreign, damaged or newer file, or a network filesystem.
        """
        folder = Path(folder)
        if snapshot_files.is_one(folder):
            return cls._open_snapshot(folder, actor=actor)
        store = stores.at(folder)
        store.check()
        network = record_file.refuse_network(folder, allow=allow_network)
        with ExitStack() as undo:
            view, version = migrate.view(store, undo)
            with cls._begun(folder, actor=actor, anchor_copy=anchor_copy, store=view or store) as study:
                if view is not None:
                    study.read_only = Message(
                        "study.read_only",
                        path=str(study.path),
                        version=version,
                        folder=str(folder),
                        newest=schema.SCHEMA_VERSION,
                    )
                    # From here the copy lives as long as the study; a failure above has already removed it.
                    study.database.keep_until_closed(undo.pop_all())
                study._load()
                study._note_override(network)
        return study

    @classmethod
    def _open_snapshot(cls, path: Path, *, actor: str) -> Study:
        """A snapshot file as a study that cannot be written; recordings are those of the study that it lies in."""
        folder = snapshot_files.study_folder(path)
        with ExitStack() as undo:
            view, header = snapshots.view(path, undo)
            store = SQLite(path, view=view)
            # What is being typed now is no part of a snapshot; beside its view there are no drafts.
            with cls._begun(folder, actor=actor, anchor_copy=None, store=store, drafts=view.parent) as study:
                study.read_only = Message("snapshot.read_only", name=header.name, seq=header.head[0])
                study.database.keep_until_closed(undo.pop_all())
                study._load()
        return study

    @classmethod
    @contextmanager
    def _begun(
        cls, folder: Path, *, actor: str, anchor_copy: Path | None, store: Store, drafts: Path | None = None
    ) -> Iterator[Study]:
        """A study that closes its record when the block that opens it fails."""
        study = cls(folder, actor=actor, anchor_copy=anchor_copy, store=store, drafts=drafts)
        with ExitStack() as undo:
            undo.callback(study.close)
            yield study
            undo.pop_all()

    def close(self) -> None:
        """Sign the head when this study wrote something, and close the file. Closing twice is harmless."""
        if self.writing.wrote and self.database.is_open:
            # The entries are stored and covered by the chain; the next signature covers them too.
            with suppress(RecordFault), self.writing.begin("close") as writer:
                writer.sign_head(why="close")
        self.writing.wrote = False
        self.database.close()

    def __enter__(self) -> Study:
        """The study itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the record."""
        self.close()

    def _lay_foundation(self, *, code: str, title: str, keyed: bool) -> None:
        with self.database.connected() as connection:
            store = self.database.store
            store.prepare(connection)
            with transaction(connection, stored=lambda: self.database.holds(writer.seq, writer.hash)):
                store.create(connection)
                row: Values = {
                    "id": uuid7(),
                    "code": code,
                    "title": title,
                    "created_utc": utc_now(),
                    "schema_version": schema.SCHEMA_VERSION,
                    "schema_sha256": store.schema_hash(connection),
                    "nonce": world.chance.token_hex(16),
                }
                facts = {"study_id": row["id"], **{n: row[n] for n in ("schema_sha256", "created_utc", "nonce")}}
                writer = Writer(connection, actor=self.actor, start=chain.genesis(**facts))
                writer.insert(schema.study, row, reason="")
                if keyed:
                    ring = KeyRing(str(row["id"]))
                    writer.enter_key(ring, reason="keys made with the study")
            # After the commit: a pin on a row that was rolled back would accuse the record for ever.
            if keyed and writer.key:
                pin(connection, ring, writer.key.epoch)

    def _load(self) -> None:
        with self.database.connected() as connection:
            store = self.database.store
            version = store.version(connection)
            if version != schema.SCHEMA_VERSION:
                raise RecordFault(
                    Message(
                        "study.schema_version",
                        path=str(self.path),
                        version=str(version),
                        oldest=migrations.OLDEST,
                        newest=schema.SCHEMA_VERSION,
                    )
                )
            query = select(schema.study)
            row = connection.execute(query).mappings().first() if store.has_tables(connection) else None
            if row is None:
                raise RecordFault(Message("study.half_created", path=str(self.path)))
            self.id, self.code, self.title = row["id"], row["code"], row["title"]
            self.writing.study_id = self.id

    def _note_override(self, network: str) -> None:
        if network and not self.read_only:
            with self.writing.begin("override") as writer:
                reason = f"opened on the network filesystem {network} by explicit request"
                version = (writer.get(schema.study, id=self.id) or {})["row_version"]
                payload = {"new": None, "old": None, "reason": reason}
                writer.log("override", "study", self.id, version=version, payload=payload)

    # ------------------------------------------------------------------------------ read
    def rows(self, table: str, **where: Any) -> list[dict[str, Any]]:
        """Rows of a table in the order they were entered, those that equal ``where`` in its columns.

        Raises
        ------
        UnknownName
            No such table or column; the text lists those there are.
        """
        with self.database.connected() as connection:
            return reading.rows(connection, table, where)

    def get(self, table: str, row_id: str) -> dict[str, Any]:
        """One row by its id. Raises UnknownName when there is none."""
        rows = self.rows(table, id=row_id)
        if not rows:
            raise UnknownName(Message("study.no_row", table=table, id=told(row_id)))
        return rows[0]

    def nouns(self, table: str, **where: Any) -> list[Noun]:
        """Like :meth:`rows`, as nouns of the vocabulary."""
        return [noun_of(table, row) for row in self.rows(table, **where)]

    def has_run(self, run_id: str) -> bool:
        """Whether the run is in the record."""
        return bool(self.rows("run", id=run_id))

    def head(self) -> tuple[int, str]:
        """``(seq, hash)`` of the newest audit row: print it on every report."""
        with self.database.connected() as connection:
            return reading.head(connection)

    def entries(self, *, after: int = 0) -> list[Entry]:
        """The audit chain from row ``after + 1`` on."""
        with self.database.connected() as connection:
            return reading.entries(connection, after=after)

    def history(self, table: str, row_id: str) -> list[dict[str, Any]]:
        """What happened to one row, oldest first.

        Each is ``{"seq", "utc", "actor", "action", "row_version", "reason", "new", "old", "redacted"}``:
        ``new`` the whole row afterwards, ``old`` the columns that changed as they were before, both by
        column as Python values; None when redacted, for ``old`` also at creation.
        """
        with self.database.connected() as connection:
            return reading.history(connection, table, row_id)

    def count(self, table: str) -> int:
        """Number of rows of a table."""
        with self.database.connected() as connection:
            return reading.count(connection, table)

    # ------------------------------------------------------------------------------ write
    def append(self, noun: Noun, *, reason: str = "", run_id: str = "") -> str:
        """Append one noun with its audit row, in one transaction. Returns its id.

        Parameters
        ----------
        noun : a noun of the record; an empty ``id`` is given one (UUID version 7).
        reason : why, in words; kept in the audit chain.
        run_id : for a :class:`Trial` or :class:`LedgerRow`, the run it belongs to.

        What a machine makes (session, run, trial, recording, decoder, ledger row, report) may be
        appended again: the same content changes nothing.

        Raises
        ------
        BadValue
            A value outside what its column takes.
        UnknownName
            What it belongs to is not in the record.
        RecordFault
            The same key is there with other content; for an assessment, the same visit, measure,
            condition and side. Amend that one with a reason.
        """
        with self.writing.begin("append") as writer:
            table, values = self._of_run(writer, noun, run_id)
            if isinstance(noun, Approval) and writer.get(schema.decoder, sha256=noun.decoder_sha256) is None:
                raise UnknownName(Message("study.no_decoder", hash=repr(noun.decoder_sha256[:12])))
            return writer.put(table, values, reason=reason)[0]

    def append_trials(self, run_id: str, trials: Iterable[Trial], *, reason: str = "") -> int:
        """Append the trials of a run in one transaction. Returns how many were new.

        Parameters
        ----------
        run_id : of the run.
        trials : in order.
        reason : kept in the audit chain.
        """
        return self._append_all(run_id, trials, reason=reason)

    def append_ledger(self, run_id: str, rows: Iterable[LedgerRow], *, reason: str = "") -> int:
        """Append the run's whole ledger, in order, in one transaction. Returns how many rows were new.

        Parameters
        ----------
        run_id : of the run.
        rows : all of them, in order.
        reason : kept in the audit chain.
        """
        return self._append_all(run_id, rows, reason=reason)

    def append_session_ledger(self, session_id: str, rows: Iterable[LedgerRow], *, reason: str = "") -> int:
        """Append all that was entered while no run of the session was on, in order. Returns how many were new.

        Parameters
        ----------
        session_id : of the session.
        rows : all of them, in order.
        reason : kept in the audit chain.
        """
        with self.writing.begin("append") as writer:
            return sum(
                writer.put(
                    "session_ledger",
                    {**values_of(row)[1], "id": "", "session_id": session_id, "number": number},
                    reason=reason,
                )[1]
                for number, row in enumerate(rows)
            )

    def append_run(
        self,
        run: Run,
        *,
        trials: Iterable[Trial] = (),
        ledger: Iterable[LedgerRow] = (),
        recordings: Iterable[Recording] = (),
        reason: str = "",
    ) -> str:
        """Append a run with its trials, ledger and recordings, all or nothing. Returns the run's id.

        Repeating it changes nothing; a longer ledger or more trials are added.

        Parameters
        ----------
        run : the run.
        trials, ledger : all of them, in order.
        recordings : its signal files.
        reason : kept in the audit chain.
        """
        with self.writing.begin("run") as writer:
            run_id, _ = writer.put(*values_of(run), reason=reason)
            for recording in recordings:
                table, values = values_of(recording)
                writer.put(table, {**values, "run_id": run_id}, reason=reason)
            self._put_all(writer, run_id, trials, reason=reason)
            self._put_all(writer, run_id, ledger, reason=reason)
            return run_id

    def amend(
        self, table: str, row_id: str, changes: Mapping[str, Any], *, reason: str, row_version: int | None = None
    ) -> int:
        """Change columns of one row, with a reason. Returns the new row version.

        Parameters
        ----------
        table, row_id : which row.
        changes : column → new value; ``{"condition": Condition(...)}`` for an assessment.
        reason : why; must not be empty.
        row_version : the version the change was made for; another one in the record refuses the change.

        Raises
        ------
        RecordFault
            The table is append-only, the column never changes, or the row changed meanwhile.
        """
        rows = reading.table_of(table)
        if table not in schema.AMENDABLE:
            raise RecordFault(Message("study.append_only", table=table))
        change, columns = schema.BY_CHANGE.get(table, ("", ()))
        if set(changes) & set(columns):
            raise Refused(Message("safety.by_change", table=table, change=change))
        with self.writing.begin("amend") as writer:
            version = writer.change(
                rows, row_id, flat(changes), action="amend", reason=reason, expected=row_version
            )
        # Code and title are kept on this object.
        if table == "study":
            self._load()
        return version

    def apply(self, change: Change, actor: Actor, reason: str = "") -> str:
        """Make one change of the trial's data, with all that follows from it, or nothing. Returns the row's id.

        Parameters
        ----------
        change : one of :mod:`workbench.study.changes`.
        actor : who signed in; for a change that must be signed, as many fresh confirmations as it asks for.
        reason : why; needed wherever something that stands in the record is changed.

        Raises
        ------
        Refused
            A role is missing or was taken away, a signature is missing, the row is locked, or the change itself
            refuses; nothing was written.
        BadValue, UnknownName, RecordFault
            A value, name or row that is not right, or a row that changed meanwhile.
        """
        return applying.apply(self, change, actor, reason)

    def apply_all(
        self, changes: Sequence[Change], signer: Signer, reason: str = "", *, dry_run: bool = False
    ) -> tuple[str, ...]:
        """Make several changes in one transaction: all of them, or none where any is refused.

        Parameters
        ----------
        changes : none of them of a kind that must be signed.
        signer : who signed in.
        reason : why, for each of them.
        dry_run : make them, see what is refused, and undo all of it.

        Returns
        -------
        tuple of str
            For each change why it was refused, ``""`` where it was not.

        Raises
        ------
        Refused
            A role is missing for one of the kinds.
        RecordFault
            The record cannot be written.
        """
        return applying.apply_all(self, changes, signer, reason, dry_run=dry_run)

    # ------------------------------------------------------------------------------ people and keys
    def add_person(self, login: str, name: str, password: str, roles: Sequence[str] = ("operator",)) -> str:
        """Enter somebody who may sign. Returns the person's id.

        Parameters
        ----------
        login : short name for signing in, unique in the study.
        name : printed name, as it stands under a signature.
        password : 8 to 1024 characters; kept as an argon2id hash.
        roles : one or more of :data:`workbench.study.people.ROLES`.

        Raises
        ------
        BadValue
            An empty login or name, an unknown role, a password too short.
        RecordFault
            The login is taken.
        """
        return people.add(self, login=login, name=name, password=password, roles=roles)

    def sign_in(self, login: str, password: str) -> Signer:
        """Sign in; audited either way.

        Raises
        ------
        Refused
            The same sentence for a wrong login and a wrong password; after three of them, the time to wait.
        """
        return people.sign_in(self, login, password)

    def script_signer(self, name: str) -> Signer:
        """A script that stands in for somebody: for simulated participants only, and marked so in the record."""
        if not name.strip():
            raise BadValue(Message("study.script_name"))
        return Signer(self.folder, name, "script")

    def people(self) -> list[dict[str, Any]]:
        """Who may sign or once could: ``id``, ``login``, ``name``, ``roles``, ``state``."""
        return people.listed(self)

    def sign(self, payload: Mapping[str, Any], *, purpose: str) -> dict[str, Any]:
        """Sign plain data with the record's newest key: see :func:`workbench.study.keys.seal`.

        Raises
        ------
        RecordFault
            The record has no keys, or they are not on this computer.
        """
        if self.read_only:
            raise RecordFault(self.read_only)
        epochs = [int(row["epoch"]) for row in self.rows("study_key")]
        if not epochs:
            raise RecordFault(Message("study.no_keys", path=str(self.path), folder=str(self.folder)))
        return keys.seal(payload, purpose=purpose, study_id=self.id, key=KeyRing(self.id).key(max(epochs)))

    def rotate_keys(self, *, reason: str) -> int:
        """Bring new keys into use, the first ones where there were none. Returns their epoch.

        Raises
        ------
        BadValue
            When there is no reason.
        RecordFault
            When the present keys are not on this computer, or the key file cannot be written.
        """
        if not reason.strip():
            raise BadValue(Message("keys.no_reason"))
        with self.writing.begin("key") as writer:
            return writer.enter_key(KeyRing(self.id), reason=reason).epoch

    # ------------------------------------------------------------------------------ decisions on decoders
    def is_approved(self, sha256: str, *, effector: str, participant_id: str) -> bool:
        """Whether the newest decision on that decoder, for that effector and participant, approves it.

        Parameters
        ----------
        sha256 : of the decoder.
        effector, participant_id : the use.
        """
        return approvals.holds(self, self.approval_of(sha256, effector=effector, participant_id=participant_id))

    def approval_of(self, sha256: str, *, effector: str, participant_id: str) -> dict[str, Any] | None:
        """The newest decision on a decoder for one use, None when there is none.

        Parameters
        ----------
        sha256 : of the decoder.
        effector, participant_id : the use.
        """
        return approvals.newest(self, sha256, effector=effector, participant_id=participant_id)

    def approvals(self, participant_id: str | None = None, sha256: str | None = None) -> list[dict[str, Any]]:
        """Every decision, oldest first, of a participant or decoder or of all."""
        return approvals.decisions(self, participant_id=participant_id, sha256=sha256)

    def approved_decoder(
        self, *, effector: str, participant_id: str, system: str = "", place: str = "clinic"
    ) -> dict[str, Any] | None:
        """The decoder that an online run would use, with its ``"approval"``; None when there is none.

        Parameters
        ----------
        effector, participant_id : the use.
        system : ``"name task"`` of the session; decoders made for another one are passed over. ``""`` for any.
        place : of the session; what was made at home is used there alone.
        """
        return approvals.in_use(self, effector=effector, participant_id=participant_id, system=system, place=place)

    def decoders_awaiting(self, participant_id: str, *, system: str = "") -> list[dict[str, Any]]:
        """Decoders fitted on a participant's recordings that nobody has decided on, newest last.

        ``system`` leaves out those made for another system and task than this ``"name task"``.
        """
        return approvals.awaiting(self, participant_id, system=system)

    def worklist(self, on: date | None = None) -> list[WorklistRow]:
        """Visits that are due, early, late or open on a day (today): see :mod:`workbench.study.worklist`."""
        return worklist.rows(self, self.drafts.list(), on or world.clock.local().date())

    def overview(self, on: date | None = None) -> Overview:
        """How the study stands on a day (today): see :mod:`workbench.study.overview`."""
        return overview.read(self, on or world.clock.local().date(), now=world.clock.now())

    def redact(self, table: str, row_id: str, changes: Mapping[str, Any], *, reason: str) -> int:
        """Remove what never should have been entered (ICH E6(R3) 4.2.2 b). Returns how many entries went.

        The row takes ``changes`` (also in append-only tables), the payloads of its earlier entries are
        deleted and overwritten, and an audit row says who did it and why. The chain holds: it commits to
        salted hashes. Backups keep the old text; so does the write-ahead log while another process reads, and that
        of a PostgreSQL server until it is recycled.

        Parameters
        ----------
        table, row_id : which row.
        changes : column → what stands there from now on.
        reason : why; must not be empty.

        Raises
        ------
        RecordFault
            The table holds what the record is verified with.
        Refused
            While the record of before a migration lies beside this one: it holds the text too.
        """
        rows = reading.table_of(table)
        if table not in schema.REDACTABLE:
            raise RecordFault(Message("study.never_redacted", table=table))
        # Otherwise the text would stay readable in the file beside the record, whatever this one says.
        if kept := [path.name for path in migrate.kept_beside(self.path)]:
            raise Refused(Message("study.redaction_kept", files=list(kept)))
        with self.writing.begin("redact") as writer:
            writer.change(rows, row_id, flat(changes), action="redact", reason=reason)
            gone = writer.drop_payloads(rows, row_id)
        with self.database.connected() as connection:
            self.database.store.overwrite(connection, table, schema.audit_payload.name)
        return gone

    def anchor(self, *, why: str, to: Path | None = None) -> tuple[int, str]:
        """Write the head to the anchors files (and to ``to``) and wait for the disk. Returns the head.

        Raises
        ------
        RecordFault
            When an anchors file cannot be written.
        """
        if not self.read_only:
            with self.writing.begin("anchor") as writer:
                writer.sign_head(why=why)
        head = self.head()
        self.writing.anchor(why=why, to=to, head=head)
        return head

    def _of_run(self, writer: Writer, noun: Noun, run_id: str, number: int | None = None) -> tuple[str, Values]:
        table, values = values_of(noun)
        if table in ("trial", "ledger"):
            if not run_id:
                raise BadValue(Message("study.no_run", kind=type(noun).__name__))
            values |= {"id": "", "run_id": run_id}
        if table == "ledger":
            values["number"] = writer.count(schema.ledger, run_id=run_id) if number is None else number
        return table, values

    def _put_all(self, writer: Writer, run_id: str, nouns: Iterable[Trial | LedgerRow], *, reason: str) -> int:
        rows = (self._of_run(writer, noun, run_id, number) for number, noun in enumerate(nouns))
        return sum(writer.put(table, values, reason=reason)[1] for table, values in rows)

    def _append_all(self, run_id: str, nouns: Iterable[Trial | LedgerRow], *, reason: str) -> int:
        with self.writing.begin("append") as writer:
            return self._put_all(writer, run_id, nouns, reason=reason)

    def verify(self, *, files: bool = True, known: Iterable[tuple[int, str]] = ()) -> Verification:
        """Recompute everything from the files as they lie there: see :func:`workbench.study.verify`."""
        place = self.path if snapshot_files.is_one(self.path) else self.folder
        return verify(place, files=files, known=known, copies=self.writing.anchor_files[1:])

    # ------------------------------------------------------------------------------ tables for researchers
    def participants(self) -> DataFrame:
        """Participants, one a row. See :mod:`workbench.tables`."""
        from workbench import tables

        return tables.participants(self)

    def visits(self) -> DataFrame:
        """Visits, planned and held. See :mod:`workbench.tables`."""
        from workbench import tables

        return tables.visits(self)

    def sessions(self) -> DataFrame:
        """Sessions; ``session`` counts within the visit. See :mod:`workbench.tables`."""
        from workbench import tables

        return tables.sessions(self)

    def runs(self) -> DataFrame:
        """Runs; ``run`` is their number within the session. See :mod:`workbench.tables`."""
        from workbench import tables

        return tables.runs(self)

    def trials(self) -> DataFrame:
        """Trials of every run. See :mod:`workbench.tables`."""
        from workbench import tables

        return tables.trials(self)

    def recordings(self) -> DataFrame:
        """Recordings; ``file`` is the path to open. See :mod:`workbench.tables`."""
        from workbench import tables

        return tables.recordings(self)

    def decoders(self) -> DataFrame:
        """Fitted decoders, with the figures of their own cross-validation. See :mod:`workbench.tables`."""
        from workbench import tables

        return tables.decoders(self)

    def assessments(self) -> DataFrame:
        """Assessments, with their condition and total. See :mod:`workbench.tables`."""
        from workbench import tables

        return tables.assessments(self)

    def adverse_events(self) -> DataFrame:
        """Adverse events, with what was stated of them last. See :mod:`workbench.tables`."""
        from workbench import tables

        return tables.adverse_events(self)

    def outcomes(self) -> DataFrame:
        """Every outcome, one number a row: see :func:`workbench.analysis.outcomes_table`."""
        from workbench import analysis, tables

        return tables.of_dataclass(analysis.Outcome, analysis.outcomes_table(self).rows)

    def fittings(self) -> DataFrame:
        """Fittings of the device, with the minutes of each step: see :func:`workbench.study.costs.fittings`."""
        from workbench import tables
        from workbench.study import costs

        return tables.of_dataclass(costs.Fitting, costs.fittings(self))

    def ledger(self) -> DataFrame:
        """Rows of the integrity ledger. See :mod:`workbench.tables`."""
        from workbench import tables

        return tables.ledger(self)

    def audit_trail(self, participant: str = "") -> DataFrame:
        """Entries of the chain, of all or of one participant. See :mod:`workbench.study.audit_trail`."""
        from workbench import tables

        return tables.of_dataclass(audit_trail.AuditRow, audit_trail.read(self, participant))

    def queries(self) -> DataFrame:
        """Queries, open and closed. See :mod:`workbench.study.listings`."""
        from workbench import tables

        return tables.of_dataclass(listings.QueryRow, listings.queries(self))

    def deviations(self) -> DataFrame:
        """Deviations from the protocol, open and closed. See :mod:`workbench.study.listings`."""
        from workbench import tables

        return tables.of_dataclass(listings.DeviationRow, listings.deviations(self))

    def forms(self) -> DataFrame:
        """Values of forms, one a row. See :mod:`workbench.study.listings`."""
        from workbench import tables

        return tables.of_dataclass(listings.FormItemRow, listings.form_items(self))

    def treatments(self) -> DataFrame:
        """What participants receive beside the study. See :mod:`workbench.study.treatments`."""
        from workbench import tables
        from workbench.study import treatments

        return tables.of_dataclass(treatments.TreatmentRow, treatments.treatments(self))

    def analysis(
        self, dataset: str, *, arms: Mapping[str, str] | None = None, baseline: str = "", baseline_rule: str = ""
    ) -> DataFrame:
        """A dataset that the trial is analysed from. See :mod:`workbench.study.datasets` and ``docs/analysis.md``.

        Parameters
        ----------
        dataset : ``"subjects"``, ``"visits"``, ``"events"``, or ``"dictionary"``, which explains their columns.
        arms : arm by participant id, from :func:`workbench.study.allocations.arms`; None tells none.
        baseline : name of the baseline visit; ``""`` for the one that is called so.
        baseline_rule : which of several baseline records counts: ``"first"``, ``"last"`` or ``"mean"``.

        Raises
        ------
        UnknownName
            No such dataset.
        BadValue
            No such baseline visit, or several baseline records and no rule.
        """
        from workbench import tables
        from workbench.study import datasets

        settings = datasets.Settings(baseline, baseline_rule)
        kind, rows = datasets.rows_of(dataset, lambda: datasets.datasets(self, arms=arms, settings=settings))
        return tables.of_dataclass(kind, rows)

    def _repr_html_(self) -> str:
        seq, digest = self.head()
        counted = ("participant", "visit", "session", "run", "trial", "decoder", "assessment")
        people = self.rows("participant")
        return card(
            "Study",
            f"{self.code}: {self.title}",
            [
                ("folder", self.folder),
                *((f"{name}s", self.count(name)) for name in counted),
                ("newest entry", f"{seq} ({digest[:12]})"),
            ],
            remarks=[self.read_only] if self.read_only else [],
            simulated=bool(people) and all(person["simulated"] for person in people),
        )


def _claim(folder: Path, store: Store, undo: ExitStack) -> None:
    """Make the folder and take it for the record: of two processes that create at once, one gets it."""
    try:
        world.disk.mkdir(folder, mode=0o777, parents=True, exist_ok=True)
        store.claim(undo)
    except OSError as error:
        # Told from the error: a folder that may not be entered may not be asked what it holds either.
        if isinstance(error, FileExistsError) and Path(error.filename) == store.path:
            raise RecordFault(Message("study.holds_record", folder=str(folder), file=store.path.name)) from error
        raise RecordFault(
            Message("study.folder_not_writable", folder=str(folder), why=str(error.strerror))
        ) from error
