"""How a study is written: one transaction at a time, keyed, signed when due, and anchored outside the file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from sqlalchemy import Connection, select

from workbench.errors import RecordFault
from workbench.messages import Message
from workbench.study import anchors, schema
from workbench.study.database import Database
from workbench.study.keys import KeyRing
from workbench.study.writer import HEAD, Question, Writer, asks, transaction


class WritePath:
    """The one way into an open record.

    Parameters
    ----------
    database : the open record.
    actor : who writes, in every audit row.
    anchor_files : where the head is left after each transaction.

    Attributes
    ----------
    study_id : whose keys are used; set when the record was read.
    refusal : why nothing can be written, ``""`` when it can.
    wrote : something was written since the file was opened.
    """

    def __init__(self, database: Database, *, actor: str, anchor_files: Sequence[Path]) -> None:
        self._database = database
        self._actor = actor
        self.anchor_files = tuple(anchor_files)
        self.study_id = ""
        self.refusal = ""
        self.wrote = False

    @contextmanager
    def begin(self, why: str, *, actor: str = "", ahead: Sequence[Question] = ()) -> Iterator[Writer]:
        """A transaction: what its block writes is stored when it ends, or nothing of it.

        Parameters
        ----------
        why : of the anchor that it leaves.
        actor : who writes, ``""`` for whom the record was opened for.
        ahead : what will be read first, and is asked for together with the lock.

        Raises
        ------
        RecordFault
            When the record cannot be written, its keys are not here, or it is held by another process.
        """
        if self.refusal:
            raise RecordFault(self.refusal)
        with self._database.connected() as connection:
            asked = [HEAD, *(asks(question) for question in ahead)]
            with transaction(
                connection, stored=lambda: self._database.holds(writer.seq, writer.hash), asked=asked
            ) as (head, *found):
                # Asked again behind the lock: a migration may have swapped the file while this waited for it.
                self._database.refuse_replaced()
                # Read behind the lock: a rotation that was under way has left its key by now.
                ring = KeyRing(self.study_id)
                writer = Writer(connection, actor=actor or self._actor, ring=ring, head=head)
                writer.ahead(ahead, found)
                before = writer.seq
                with writer.sending():
                    yield writer
                    writer.sign_if_due()
            # After the commit: an anchor of a head that was rolled back would accuse a sound record.
            if writer.seq > before:
                self.wrote = True
                self._leave_anchors(why, writer.seq, writer.hash)
            # A key that came by a backup, or whose pin could not be written before, is pinned at the next write.
            if writer.key and writer.key.epoch not in ring.pins:
                pin(connection, ring, writer.key.epoch)

    def anchor(self, *, why: str, to: Path | None, head: tuple[int, str]) -> None:
        """Write a head to the anchors files and wait for the disk.

        Parameters
        ----------
        why : of the anchor.
        to : one more file.
        head : sequence number and hash of the newest entry.

        Raises
        ------
        RecordFault
            When an anchors file cannot be written.
        """
        for path in [*self.anchor_files, *([to] if to else [])]:
            try:
                anchors.append(path, study=self.study_id, seq=head[0], hash=head[1], why=why, durable=True)
            except OSError as error:
                raise RecordFault(
                    Message("study.anchor_not_written", path=str(path), why=str(error.strerror))
                ) from error

    def _leave_anchors(self, why: str, seq: int, digest: str) -> None:
        for path in self.anchor_files:
            try:
                anchors.append(path, study=self.study_id, seq=seq, hash=digest, why=why)
            except OSError:
                # The row is stored and must not be reported as lost; verify says how far the anchors are behind.
                continue


def pin(connection: Connection, ring: KeyRing, epoch: int) -> None:
    """Keep beside the key where in the chain it came into use.

    Parameters
    ----------
    connection : to the record.
    ring : the keys of the study.
    epoch : of the key.
    """
    entered = select(schema.audit.c.seq, schema.audit.c.hash).join(
        schema.study_key,
        (schema.audit.c.table_name == "study_key") & (schema.audit.c.row_id == schema.study_key.c.id),
    )
    row = connection.execute(entered.where(schema.study_key.c.epoch == epoch).order_by(schema.audit.c.seq)).first()
    # The entries are stored; the pin is one more anchor, and is left at the next write when it cannot be now.
    if row is not None:
        with suppress(RecordFault):
            ring.pin(epoch, int(row.seq), str(row.hash))
