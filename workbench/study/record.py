"""The study record: one SQLite file a study, one write path, an audit chain that shows tampering."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any

from sqlalchemy import select

from workbench.errors import BadValue, RecordFault, UnknownName
from workbench.study import anchors, chain, place, schema
from workbench.study.clock import utc_now, uuid7
from workbench.study.nouns import Noun, Values, check, flat, values_of
from workbench.study.reading import Reader
from workbench.study.verification import Verification, verify
from workbench.study.writer import Writer, transaction
from workbench.vocabulary import LedgerRow, Recording, Run, Trial


class Study(Reader):
    """A study record. Make one with :meth:`create` or :meth:`open`; several processes may hold it at once.

    Attributes
    ----------
    folder : the study folder; recordings, decoders and reports lie in it, the record is ``study.db``.
    path : the record's file.
    id, code, title : of the study.
    actor : who writes, in every audit row.
    """

    def __init__(self, folder: Path, *, actor: str, anchor_copy: Path | None = None) -> None:
        if not actor.strip():
            raise BadValue("a study record needs an actor, the name of who writes; got an empty text")
        self.folder = Path(folder)
        super().__init__(self.folder / place.FILE)
        self.actor = actor
        self.id = self.code = self.title = ""
        self._anchors = [self.folder / anchors.FILE, *([anchor_copy] if anchor_copy else [])]

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
    ) -> Study:
        """Create a new study record in ``folder``, which is made when absent.

        Parameters
        ----------
        folder : the study folder, on a local disk.
        code, title : short code and full title of the study.
        actor : who does it.
        allow_network : accept a network filesystem; the override is written into the audit chain.
        anchor_copy : a second anchors file, best on another disk.

        Raises
        ------
        RecordFault
            There is a record already, the folder cannot be written, or it lies on a network filesystem.
        """
        folder = Path(folder)
        check("study", {"code": code})
        network = place.refuse_network(folder, allow=allow_network)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            os.close(os.open(folder / place.FILE, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        except OSError as error:
            if (folder / place.FILE).exists():
                raise RecordFault(
                    f"{folder} holds a study record already ({place.FILE}); open it, or choose another folder"
                ) from error
            raise RecordFault(
                f"the study folder {folder} cannot be written ({error.strerror}); choose another"
            ) from error
        with cls._begun(folder, actor=actor, anchor_copy=anchor_copy) as study:
            study._lay_foundation(code=code, title=title)
            study._load()
            study._note_override(network)
            study.anchor(why="create")
        return study

    @classmethod
    def open(
        cls, folder: Path | str, *, actor: str, allow_network: bool = False, anchor_copy: Path | None = None
    ) -> Study:
        """Open the study record in ``folder``.

        Parameters
        ----------
        folder : the study folder.
        actor : who writes from now on.
        allow_network, anchor_copy : as in :meth:`create`.

        Raises
        ------
        RecordFault
            No record, an empty, foreign, damaged or newer file, or a network filesystem.
        """
        folder = Path(folder)
        place.check_file(folder / place.FILE)
        network = place.refuse_network(folder, allow=allow_network)
        with cls._begun(folder, actor=actor, anchor_copy=anchor_copy) as study:
            study._load()
            study._note_override(network)
        return study

    @classmethod
    @contextmanager
    def _begun(cls, folder: Path, *, actor: str, anchor_copy: Path | None) -> Iterator[Study]:
        """A study that lets go of its file when the block that opens it fails."""
        study = cls(folder, actor=actor, anchor_copy=anchor_copy)
        with ExitStack() as undo:
            undo.callback(study.close)
            yield study
            undo.pop_all()

    def close(self) -> None:
        """Let go of the file. Closing twice is harmless."""
        self._closer()

    def __enter__(self) -> Study:
        """The study itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the record."""
        self.close()

    def _lay_foundation(self, *, code: str, title: str) -> None:
        with self._connected() as connection:
            connection.exec_driver_sql(f"PRAGMA application_id={schema.APPLICATION_ID}")
            connection.exec_driver_sql(f"PRAGMA user_version={schema.SCHEMA_VERSION}")
            connection.exec_driver_sql("PRAGMA journal_mode=WAL")
            with transaction(connection):
                schema.create(connection)
                row: Values = {
                    "id": uuid7(),
                    "code": code,
                    "title": title,
                    "created_utc": utc_now(),
                    "schema_version": schema.SCHEMA_VERSION,
                    "schema_sha256": chain.schema_hash(tuple(r) for r in connection.exec_driver_sql(chain.MASTER)),
                    "nonce": secrets.token_hex(16),
                }
                given = {"study_id": row["id"], **{n: row[n] for n in ("schema_sha256", "created_utc", "nonce")}}
                writer = Writer(connection, actor=self.actor, start=chain.genesis(**given))
                writer.insert(schema.study, row, reason="")

    def _load(self) -> None:
        with self._connected() as connection:
            application = connection.exec_driver_sql("PRAGMA application_id").scalar()
            version = connection.exec_driver_sql("PRAGMA user_version").scalar()
            if application != schema.APPLICATION_ID:
                raise RecordFault(
                    f"{self.path} is an SQLite file but no study record; give the study's own folder"
                )
            if version != schema.SCHEMA_VERSION:
                raise RecordFault(
                    f"{self.path} has schema version {version}, this workbench reads {schema.SCHEMA_VERSION}; "
                    "open it with the version that wrote it"
                )
            there = connection.exec_driver_sql("SELECT COUNT(*) FROM sqlite_master WHERE name = 'study'").scalar()
            row = connection.execute(select(schema.study)).mappings().first() if there else None
            if row is None:
                raise RecordFault(
                    f"{self.path} was never finished being created; delete it and create the study again"
                )
            self.id, self.code, self.title = row["id"], row["code"], row["title"]

    def _note_override(self, network: str) -> None:
        if network:
            with self._writing("override") as writer:
                reason = f"opened on the network filesystem {network} by explicit request"
                version = (writer.get(schema.study, id=self.id) or {})["row_version"]
                payload = {"new": None, "old": None, "reason": reason}
                writer.log("override", "study", self.id, version=version, payload=payload)

    # ------------------------------------------------------------------------------ transactions
    @contextmanager
    def _writing(self, why: str) -> Iterator[Writer]:
        with self._connected() as connection:
            with transaction(connection):
                writer = Writer(connection, actor=self.actor)
                before = writer.seq
                yield writer
            if writer.seq > before:
                self._leave_anchor(why, writer.seq, writer.hash)

    def _leave_anchor(self, why: str, seq: int, digest: str) -> None:
        for path in self._anchors:
            try:
                anchors.append(path, study=self.id, seq=seq, hash=digest, why=why)
            except OSError:
                # The row is stored and must not be reported as lost; verify tells how far the anchors are behind.
                continue

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
        with self._writing("append") as writer:
            table, values = self._of_run(writer, noun, run_id)
            return writer.put(table, values, reason=reason)[0]

    def append_trials(self, run_id: str, trials: Iterable[Trial], *, reason: str = "") -> int:
        """Append the trials of a run in one transaction. Returns how many were new."""
        return self._append_all(run_id, trials, reason=reason)

    def append_ledger(self, run_id: str, rows: Iterable[LedgerRow], *, reason: str = "") -> int:
        """Append the run's whole ledger, in order, in one transaction. Returns how many rows were new."""
        return self._append_all(run_id, rows, reason=reason)

    def append_session_ledger(self, session_id: str, rows: Iterable[LedgerRow], *, reason: str = "") -> int:
        """Append all that was entered while no run of the session was on, in order. Returns how many were new."""
        with self._writing("append") as writer:
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
        """
        with self._writing("run") as writer:
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
        found = self._table(table)
        if table not in schema.AMENDABLE:
            raise RecordFault(f"{table} is append-only; append a new row that says what was wrong")
        with self._writing("amend") as writer:
            version = writer.change(
                found, row_id, flat(changes), action="amend", reason=reason, expected=row_version
            )
        if table == "study":
            self._load()
        return version

    def approve_decoder(self, sha256: str, *, by: str, effector: str, participant_id: str) -> int:
        """Approve a fitted decoder, by its hash, for one effector and one participant.

        Returns the decoder's new row version; approving it again for the same changes nothing.

        Raises
        ------
        UnknownName
            The decoder or the participant is not in the record.
        BadValue
            Nobody approves, or the effector's name holds white space or ``@``, which set two uses apart.
        """
        if not by.strip():
            raise BadValue("an approval needs the name of who approves, got an empty text")
        if not effector or "@" in effector or effector.split() != [effector]:
            raise BadValue(f"the name of an effector has no space and no @, got {effector!r}; name its profile")
        with self._writing("approve") as writer:
            there = writer.get(schema.decoder, sha256=sha256)
            if there is None:
                raise UnknownName(f"there is no decoder {sha256[:12]!r} in the record; fit and append it first")
            if writer.get(schema.participant, id=participant_id) is None:
                raise UnknownName(f"there is no participant {participant_id!r} in the record; append it first")
            use = f"{effector}@{participant_id}"
            granted = there["approved_for"].split()
            if use in granted:
                return int(there["row_version"])
            changes: Values = {"approved_by": by, "approved_for": " ".join([*granted, use])}
            reason = f"approved for {effector} with participant {participant_id}"
            return writer.change(schema.decoder, there["id"], changes, action="approve", reason=reason)

    def redact(self, table: str, row_id: str, changes: Mapping[str, Any], *, reason: str) -> int:
        """Remove what never should have been entered (ICH E6(R3) 4.2.2 b). Returns how many entries went.

        The row takes ``changes`` (also in append-only tables), the payloads of its earlier entries are
        deleted and overwritten, and an audit row says who did it and why. The chain holds: it commits to
        salted hashes. Backups keep the old text; so does the write-ahead log while another process reads.
        """
        found = self._table(table)
        with self._writing("redact") as writer:
            writer.change(found, row_id, flat(changes), action="redact", reason=reason)
            gone = writer.drop_payloads(found, row_id)
        with self._connected() as connection:
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        return gone

    def anchor(self, *, why: str, to: Path | None = None) -> tuple[int, str]:
        """Write the head to the anchors files (and to ``to``) and wait for the disk. Returns the head.

        Raises
        ------
        RecordFault
            When an anchors file cannot be written.
        """
        seq, digest = self.head()
        for path in [*self._anchors, *([to] if to else [])]:
            try:
                anchors.append(path, study=self.id, seq=seq, hash=digest, why=why, durable=True)
            except OSError as error:
                raise RecordFault(
                    f"the anchor cannot be written to {path} ({error.strerror}); choose another file"
                ) from error
        return seq, digest

    def _of_run(self, writer: Writer, noun: Noun, run_id: str, number: int | None = None) -> tuple[str, Values]:
        table, values = values_of(noun)
        if table in ("trial", "ledger"):
            if not run_id:
                raise BadValue(f"a {type(noun).__name__} needs its run, got run_id=''; pass run_id=")
            values |= {"id": "", "run_id": run_id}
        if table == "ledger":
            values["number"] = writer.count(schema.ledger, run_id=run_id) if number is None else number
        return table, values

    def _put_all(self, writer: Writer, run_id: str, nouns: Iterable[Trial | LedgerRow], *, reason: str) -> int:
        rows = (self._of_run(writer, noun, run_id, number) for number, noun in enumerate(nouns))
        return sum(writer.put(table, values, reason=reason)[1] for table, values in rows)

    def _append_all(self, run_id: str, nouns: Iterable[Trial | LedgerRow], *, reason: str) -> int:
        with self._writing("append") as writer:
            return self._put_all(writer, run_id, nouns, reason=reason)

    def verify(self, *, files: bool = True, known: Iterable[tuple[int, str]] = ()) -> Verification:
        """Recompute everything: see :func:`workbench.study.verify`."""
        return verify(self.folder, files=files, known=known, copies=self._anchors[1:])
