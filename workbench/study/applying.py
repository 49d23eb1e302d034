"""``study.apply(change, actor, reason)``: every change of the trial's data, from any screen, import or command.

A change is a frozen dataclass that says who may make it and makes it, inside one transaction that also holds what
follows from it. Who may: the roles are read inside that transaction, so that one taken away a moment ago counts. A
change that must be signed takes a fresh confirmation of each signer, and leaves their signatures on the row.
In a study on one account this shows honest users what is allowed and leaves evidence; it is no lock (see
:mod:`workbench.study.people`).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import permutations
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from sqlalchemy import Table, select

from workbench import messages, world
from workbench.errors import BadValue, RecordFault, Refused, UnknownName
from workbench.messages import SAID, Message
from workbench.study import chain, schema, verified
from workbench.study.clock import utc_now
from workbench.study.nouns import Values, check, told
from workbench.study.people import Confirmation, Signer
from workbench.study.writer import BY_NAME, Question, Writer, codes, raw
from workbench.vocabulary import DeviationCategory

if TYPE_CHECKING:
    from workbench.study.protocol import Protocol
    from workbench.study.record import Study
    from workbench.study.verification import Verification

Actor = Signer | Confirmation | Sequence[Confirmation]
Target = tuple[str, str]
"""A table and the id of a row."""


class Change(ABC):
    """One change of the record: the base of the dataclasses in :mod:`workbench.study.changes`.

    Attributes
    ----------
    ROLES : who may make it, any of them.
    SIGNED_BY : for each signature that it needs, the roles of which the signer has one; none for most.
    """

    __slots__ = ()
    ROLES: ClassVar[tuple[str, ...]] = ()
    SIGNED_BY: ClassVar[tuple[tuple[str, ...], ...]] = ()

    def prepare(self, study: Study) -> Verification | None:  # noqa: B027 - most changes need nothing beforehand
        """What takes long and is done before the record is held. Raises Refused.

        Returns
        -------
        Verification or None
            What the change rests on, if it verified the record: entered in its transaction, and gone with it.
        """

    def ahead(self) -> tuple[Question, ...]:
        """What it reads first, whatever stands there: asked for together with the lock of the record."""
        return ()

    @abstractmethod
    def apply(self, record: Applying) -> str:
        """Make the change inside its transaction; returns the id of its row."""

    def settle(self, study: Study) -> None:  # noqa: B027 - and most leave nothing outside the record
        """What is left outside the record once the change is stored; never fails."""


class Applying:
    """The record while one change is made: an open transaction and who makes it.

    Parameters
    ----------
    writer : of the open transaction.
    signers : who makes the change; the first one is the actor of its entries.
    reason : given for it, ``""`` for none.
    folder : of the study.

    Attributes
    ----------
    actor, signers, reason, folder : as given.
    utc : when it is made.
    today : the day of the place on which it is made.
    protocols : versions of the protocol that were read, by their id: of a thousand forms each is read once.
    """

    def __init__(self, writer: Writer, signers: Sequence[Signer], reason: str, folder: Path) -> None:
        self._writer = writer
        self.folder = folder
        self.signers = tuple(signers)
        self.actor = self.signers[0]
        self.reason = reason
        self.utc = utc_now()
        # Days are those of the place: where the sun rises early, today is tomorrow in UTC.
        self.today = world.clock.local().date()
        self.protocols: dict[str, Protocol] = {}

    # ------------------------------------------------------------------------------ read
    def row(self, table: str, row_id: str) -> Values:
        """A row by its id. Raises UnknownName, also for a table that there is not."""
        known = _known(table)
        row = self._writer.get(known, id=row_id) if row_id else None
        if row is None:
            raise UnknownName(Message("study.no_row", table=known.name, id=told(row_id)))
        return row

    def rows(self, table: str, **where: Any) -> list[Values]:
        """Rows of a table in the order of entry, those that equal ``where``."""
        return self._writer.found(BY_NAME[table], **where)

    def ahead(self, *questions: Question) -> None:
        """Ask at once what :meth:`rows` and :meth:`row` would ask one after the other.

        Parameters
        ----------
        *questions : table, and what its rows equal in some of its columns.
        """
        self._writer.ahead(questions)

    def stored(self) -> Iterator[tuple[str, Values]]:
        """Every row of every data table with its table, as SQLite keeps it, secrets veiled; in order of entry."""
        for table in schema.DATA:
            for row in self._writer.stored(table):
                yield table.name, chain.veiled(table.name, row)

    def head(self) -> tuple[int, str]:
        """``(seq, hash)`` of the newest audit row."""
        return self._writer.seq, self._writer.hash

    def bound(self, target: Target) -> list[Any]:
        """A row as a signature of it would hold it now: table, id, version and hash."""
        return bind(self._read, [target])[0]

    def _read(self, table: str, row_id: str) -> Values | None:
        return self._writer.get(BY_NAME[table], id=row_id)

    def participant_of(self, table: str, row_id: str) -> str:
        """Id of the participant that a row belongs to, ``""`` for none. Raises UnknownName for no such row."""
        return participant_of(self._writer, table, self.row(table, row_id))

    # ------------------------------------------------------------------------------ write
    def insert(self, table: str, **values: Any) -> str:
        """Add a row; ``by`` and ``utc`` are filled in where the table has them. Returns its id.

        Raises
        ------
        BadValue, UnknownName, Refused
            A value that the column does not take, a row it belongs to that is not there, or a lock.
        """
        columns = BY_NAME[table].columns
        stamped = {"by": self.actor.name, "utc": self.utc}
        values = {**{name: value for name, value in stamped.items() if name in columns}, **values}
        check(table, values)
        owner = self._owner(table, values)
        self._refuse_script([owner])
        self.refuse_site(owner, new_site=values["site"] if table == "enrolment" else None)
        if SAID in columns:
            values[SAID] = codes(values)
        return self._writer.insert(BY_NAME[table], values, reason=self.reason)

    def amend(
        self,
        table: str,
        row_id: str,
        changes: Mapping[str, Any],
        *,
        follows: Message | str = "",
        expected: int | None = None,
    ) -> int:
        """Change columns of a row, for the reason given with the change. Returns the new row version.

        Parameters
        ----------
        table, row_id : which row.
        changes : column → new value.
        follows : the reason where none was given, as the row only follows another one.
        expected : version that the change was made for; None is any.
        """
        owner = self.participant_of(table, row_id)
        self._refuse_script([owner])
        self.refuse_site(owner)
        reason = self.reason or follows
        return self._writer.change(
            BY_NAME[table], row_id, dict(changes), action="amend", reason=reason, expected=expected
        )

    def redact(self, table: str, row_id: str, changes: Mapping[str, Any]) -> None:
        """Remove what stands in a row, and the payloads of its earlier entries.

        Parameters
        ----------
        table, row_id : which row.
        changes : column → what stands there from now on.
        """
        self._refuse_script([self.participant_of(table, row_id)])
        self._writer.change(BY_NAME[table], row_id, dict(changes), action="redact", reason=self.reason)
        self._writer.drop_payloads(BY_NAME[table], row_id)

    def deviate(
        self, category: DeviationCategory, participant_id: str | None, target: Target, text: Message | str
    ) -> str:
        """Enter a deviation from the protocol that the record itself noticed. Returns its id.

        Parameters
        ----------
        category : kind of deviation.
        participant_id : whose; None for nobody's.
        target : the row that deviates.
        text : what deviates.
        """
        return self.insert(
            "deviation", participant_id=participant_id, category=category, automatic=True, table_name=target[0],
            row_id=target[1], text=text, impact="", correction="", state="open",
        )  # fmt: skip

    def sign(self, targets: Sequence[Target], *, meaning: str, shown: str = "") -> list[str]:
        """Leave the signature of every signer on rows as they are now. Returns the ids.

        Parameters
        ----------
        targets : the rows.
        meaning : what the signature says (21 CFR 11.50).
        shown : hash of what the signers saw, ``""`` where the change itself made the rows.

        Raises
        ------
        Refused
            When the rows are not what was shown.
        """
        bound = bind(self._read, targets)
        owners = [self.participant_of(*target) for target in targets]
        self._refuse_script(owners)
        for owner in owners:
            self.refuse_site(owner)
        digest = chain.sha256(chain.canonical(bound))
        if shown not in ("", digest):
            raise Refused(Message("signature.changed"))
        return [
            self.insert(
                "signature", signer=signer.name, person_id=signer.person_id, method=signer.method,
                meaning=meaning, targets=bound, sha256=digest,
            )
            for signer in self.signers
        ]  # fmt: skip

    def _owner(self, table: str, row: Mapping[str, Any]) -> str:
        """Id of the participant whom a new row is about, ``""`` where it is about all."""
        if table == "lock_event" and row["table_name"] != "study":
            return self.participant_of(row["table_name"], row["row_id"])
        return participant_of(self._writer, table, row)

    def _refuse_script(self, participants: Sequence[str]) -> None:
        """A script stands in for somebody where every participant concerned is simulated, and nowhere else."""
        script = next((signer.name for signer in self.signers if signer.method == "script"), None)
        if script is None:
            return
        # What is about nobody in particular, such as a role or the protocol, is about everybody.
        concerned = (
            [self.row("participant", one) for one in participants]
            if all(participants)
            else self.rows("participant")
        )
        if not all(person["simulated"] for person in concerned):
            raise Refused(Message("change.script", name=script))

    def refuse_site(self, participant: str, *, new_site: str | None = None) -> None:
        """Who is limited to sites changes nothing of another one, and nothing that is about all of them."""
        for signer in self.signers:
            if not signer.sites:
                continue
            enrolled = self.rows("enrolment", participant_id=participant) if participant else []
            found = [new_site] if new_site is not None else [str(row["site"]) for row in enrolled]
            # Somebody who was not enrolled yet has no site; what is about nobody in particular is about all sites.
            if not participant or any(site not in signer.sites for site in found):
                raise Refused(Message("clinic.site", name=signer.name, sites=list(signer.sites)))


def _known(table: str) -> Table:
    """A table by its name. Raises UnknownName, with the names there are."""
    if table not in BY_NAME:
        raise UnknownName(Message("study.no_table", table=told(table), known=list(BY_NAME)))
    return BY_NAME[table]


def participant_of(writer: Writer, table: str, row: Mapping[str, Any]) -> str:
    """Id of the participant that a row belongs to, ``""`` for none.

    Parameters
    ----------
    writer : of an open transaction.
    table, row : of which row.
    """
    return next((row_id for name, row_id in writer.owners(table, row) if name == "participant"), "")


def bind(read: Callable[[str, str], Mapping[str, Any] | None], targets: Sequence[Target]) -> list[list[Any]]:
    """Rows as a signature holds them: table, id, version, and the SHA-256 of what stands in it.

    Parameters
    ----------
    read : gives the row of a table and id, None when there is none.
    targets : the rows.
    """
    bound = []
    for table, row_id in sorted(set(targets)):
        row = read(_known(table).name, row_id)
        if row is None:
            raise UnknownName(Message("study.no_row", table=table, id=told(row_id)))
        stored = raw(BY_NAME[table], row)
        bound.append([table, row_id, row["row_version"], chain.sha256(chain.canonical(stored))])
    if not bound:
        raise BadValue(Message("signature.nothing"))
    return bound


def apply(study: Study, change: Change, actor: Actor, reason: str = "") -> str:
    """See :meth:`workbench.study.Study.apply`.

    Parameters
    ----------
    study : the open record.
    change : what is changed.
    actor : who makes it.
    reason : why.
    """
    name, given = type(change).__name__, _given(change, actor)
    found = change.prepare(study)
    people = [("person", {"id": signer.person_id}) for signer in given if signer.method != "script"]
    with study.writing.begin(name, actor=given[0].name, ahead=(*people, *change.ahead())) as writer:
        wanted = change.SIGNED_BY or (change.ROLES,)
        # Who was named first need not be whom the first signature is asked of.
        refusals = [_refusal(writer, order, wanted, name) for order in permutations(given)]
        if None not in refusals:
            raise Refused(next(filter(None, refusals)))
        if found is not None:
            verified.enter(writer, study.id, verified.result(found, by=given[0].name, before=name), found.head[1])
        row_id = change.apply(Applying(writer, given, reason, study.folder))
    change.settle(study)
    return row_id


class _Undone(Exception):
    """Ends a transaction of which nothing is kept."""


def apply_all(
    study: Study, changes: Sequence[Change], signer: Signer, reason: str, *, dry_run: bool
) -> tuple[str, ...]:
    """See :meth:`workbench.study.Study.apply_all`.

    Parameters
    ----------
    study : the open record.
    changes : none of them signed.
    signer : who makes them.
    reason : why.
    dry_run : undo all of it.
    """
    for change in changes:
        _given(change, signer)
        name = type(change).__name__
        # What it leaves outside the record, such as a slot that is released, could not be undone with the others.
        if (type(change).prepare, type(change).settle) != (Change.prepare, Change.settle):
            raise BadValue(Message("change.alone", change=name))
    said: list[str] = []
    try:
        with study.writing.begin("apply all", actor=signer.name) as writer:
            for kind in dict.fromkeys(type(change) for change in changes):
                if refusal := _refusal(writer, [signer], (kind.ROLES,), kind.__name__):
                    raise Refused(refusal)
            record = Applying(writer, [signer], reason, study.folder)
            said = [_said(record, change) for change in changes]
            if dry_run or any(said):
                raise _Undone
    except _Undone:
        pass
    return tuple(said)


def _said(record: Applying, change: Change) -> str:
    """Make one change of several; why it was refused, ``""`` where it was not."""
    try:
        change.apply(record)
    except (BadValue, Refused, UnknownName, RecordFault) as error:
        return messages.of(error)
    return ""


def _given(change: Change, actor: Actor) -> list[Signer]:
    """Who makes the change; each confirmation is used up."""
    given = [actor] if isinstance(actor, Signer | Confirmation) else list(actor)
    wanted, name = len(change.SIGNED_BY), type(change).__name__
    if not wanted and len(given) != 1:
        raise BadValue(Message("change.one_actor", change=name, n=len(given)))
    unconfirmed = any(not isinstance(one, Confirmation) for one in given)
    if wanted and (unconfirmed or len(given) != wanted):
        roles = [" / ".join(roles) for roles in change.SIGNED_BY]
        raise Refused(Message("change.signatures", change=name, n=wanted, roles=roles))
    signers = [one.use() if isinstance(one, Confirmation) else one for one in given]
    if len({signer.login or signer.name for signer in signers}) < len(signers):
        raise Refused(Message("change.different", change=name, n=wanted))
    return signers


def _refusal(
    writer: Writer, signers: Sequence[Signer], wanted: Sequence[Sequence[str]], change: str
) -> Message | None:
    """Why somebody may not make a change, by the roles as the record has them now; None when all may."""
    for signer, roles in zip(signers, wanted, strict=True):
        if signer.method == "script":
            continue
        person = writer.get(schema.person, id=signer.person_id)
        if person is None or person["state"] != "active":
            return Message("change.no_access", name=signer.name)
        if not set(person["roles"]) & set(roles):
            has = list(person["roles"])
            return Message("change.role", name=signer.name, change=change, roles=list(roles), has=has)
    return None


def bound_now(study: Study, targets: Sequence[Target]) -> tuple[list[list[Any]], str]:
    """Rows as a signature of them would hold them now, and the hash of all: what is shown to who signs.

    Parameters
    ----------
    study : the open record.
    targets : the rows.
    """
    with study.database.connected() as connection:

        def read(name: str, row_id: str) -> Mapping[str, Any] | None:
            query = select(BY_NAME[name]).where(BY_NAME[name].c.id == row_id)
            row = connection.execute(query).mappings().first()
            return None if row is None else dict(row)

        bound = bind(read, targets)
    return bound, chain.sha256(chain.canonical(bound))
