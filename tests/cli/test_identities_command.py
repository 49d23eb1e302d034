"""`workbench identities`: names come from standard input or the terminal, and one command alone shows them."""

from __future__ import annotations

import io
import os
import pty
import subprocess
import sys

import pytest

from workbench import commands
from workbench.commands.identities import PROMPTS
from workbench.study import Study, identity_keys, pseudonyms
from workbench.study.identities import FILE, Identities
from workbench.study.identity_file import FRAME
from workbench.vocabulary import Participant

CODE, OTHER = "NEO-K7QF-M3XH-7", "K7QF-M3XH-V"
NAME, NUMBER, BORN, CONTACT = "Anna Canary-Müller", "CAN4711", "1977-11-03", "canary@example.org"
ANNA = f"{NAME}\n{NUMBER}\n{BORN}\n{CONTACT}\n"
CANARIES = ("Canary", "Müller", "M\\xfcller", "CAN4711", BORN, CONTACT)
PASSPHRASE = "four random plain words"


@pytest.fixture
def run(capsys, monkeypatch, tmp_path):
    monkeypatch.setenv("WORKBENCH_KEYS", str(tmp_path / "keys"))

    def call(*arguments, stdin: str | bytes = ""):
        given = stdin if isinstance(stdin, bytes) else stdin.encode()
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(given), "utf-8"))
        code = commands.main([str(a) for a in arguments])
        said = capsys.readouterr()
        return code, said.out, said.err

    return call


@pytest.fixture
def study(run, tmp_path):
    with Study.create(tmp_path / "study", code="N", title="t", actor="a") as made:
        made.append(Participant(OTHER))
        made.append(Participant("P-001"))
    return tmp_path / "study"


@pytest.fixture
def apart(run, study, tmp_path):
    assert run("identities", "create", tmp_path / "apart", "--study", study)[0] == 0
    return tmp_path / "apart"


def refused(answer, *words):
    code, out, err = answer
    assert (code, out) == (2, "")
    assert len(err.splitlines()) == 1
    assert all(word in err for word in words), err
    return err


def test_a_person_is_entered_shown_amended_found_and_erased(run, apart):
    assert run("identities", "add", apart, "neo k7qf m3xh 7", stdin=ANNA) == (0, f"{CODE} is entered\n", "")
    assert (
        run("identities", "amend", apart, CODE, "--reason", "moved", "--field", "contact", stdin="post\n")[0] == 0
    )
    code, out, err = run("identities", "show", apart, CODE.lower(), "--reason", "call")
    assert (code, err) == (0, "")
    assert [line.split("  ")[-1].strip() for line in out.splitlines()] == [NAME, NUMBER, BORN, "post"]
    assert run("identities", "find", apart, "--reason", "letter", stdin=f"{NUMBER}\n") == (0, f"{CODE}\n", "")
    code, out, _ = run("identities", "find", apart, "--reason", "letter", stdin="7\n")
    assert (code, out) == (1, "nobody here has this hospital number\n")
    code, out, _ = run("identities", "erase", apart, CODE, "--reason", "asked for it")
    assert (code, "copies of the file that were made before can still be read" in out) == (0, True)
    refused(run("identities", "show", apart, CODE, "--reason", "call"), "was erased; nothing is left to read")
    refused(run("identities", "add", apart, CODE, stdin=ANNA), "take a new one")
    log = [line.split("  ")[3:] for line in run("identities", "log", apart)[1].splitlines()]
    assert log == [
        ["create", "-", ""],
        ["add", CODE, "added"],
        ["amend", CODE, "moved"],
        ["show", CODE, "call"],
        ["find", CODE, "letter"],
        ["find", "-", "letter"],
        ["erase", CODE, "asked for it"],
    ]
    assert run("identities", "verify", apart)[1].splitlines()[0] == "the identities hold"


def test_a_person_without_number_date_and_contact_is_entered_with_a_name_alone(run, apart):
    assert run("identities", "add", apart, CODE, stdin="Li Lei")[0] == 0
    assert "name             Li Lei\n" in run("identities", "show", apart, CODE, "--reason", "call")[1]
    refused(run("identities", "add", apart, OTHER, stdin=""), "name: nothing was given")


def test_a_code_of_the_site_is_taken_when_that_is_said(run, apart):
    refused(run("identities", "add", apart, "P-001", stdin=ANNA), "a code has 9 characters")
    assert run("identities", "add", apart, "P-001", "--own-code", stdin=ANNA)[0] == 0
    assert NAME in run("identities", "show", apart, "P-001", "--reason", "call")[1]


def test_a_new_pseudonym_is_unused_in_record_and_identities_and_the_record_takes_it(run, study, apart):
    code, out, _ = run("identities", "pseudonym", study, "--prefix", "neo", "--identities", apart)
    assert code == 0
    fresh = out.strip()
    assert fresh.startswith("NEO-")
    assert pseudonyms.checked(fresh) == fresh
    with Study.open(study, actor="a") as opened:
        opened.append(Participant(fresh))
    assert run("identities", "pseudonym", study)[1] != run("identities", "pseudonym", study)[1]
    refused(run("identities", "pseudonym", study, "--prefix", "ä"), "a prefix has at most 12 letters")


@pytest.mark.parametrize("asked", [False, True])
def test_what_the_record_and_the_store_use_is_handed_over_as_taken(run, study, apart, monkeypatch, asked):
    run("identities", "add", apart, CODE, stdin=ANNA)
    run("identities", "erase", apart, CODE, "--reason", "asked")
    seen = []
    monkeypatch.setattr(pseudonyms, "new", lambda prefix, taken, chance: seen.append(taken) or "x")
    run("identities", "pseudonym", study, *(["--identities", apart] if asked else []))
    assert seen == [{OTHER, "P-001"} | ({CODE} if asked else set())]


def test_identities_are_made_in_the_study_when_that_is_said(run, study):
    refused(run("identities", "create", study / "deep", "--study", study), "lies within the study", "--in-study")
    assert run("identities", "create", study, "--study", study, "--in-study")[0] == 0
    assert (study / FILE).is_file()


def test_a_store_that_does_not_hold_ends_with_1_and_names_the_entry(run, apart):
    run("identities", "add", apart, CODE, stdin=ANNA)
    data = bytearray((apart / FILE).read_bytes())
    data[2 * FRAME + 100] ^= 1
    (apart / FILE).write_bytes(data)
    code, out, _ = run("identities", "verify", apart)
    assert (code, "entry 2 (from byte 8,192 on) was changed" in out) == (1, True)
    refused(run("identities", "show", apart, CODE, "--reason", "call"), "nothing is read or written")


def test_the_key_is_backed_up_and_restored_under_a_passphrase(run, apart, tmp_path, monkeypatch):
    run("identities", "add", apart, CODE, stdin=ANNA)
    file = tmp_path / "backup"
    assert run("identities", "backup", apart, file, stdin=f"{PASSPHRASE}\n")[0] == 0
    monkeypatch.setenv("WORKBENCH_KEYS", str(tmp_path / "elsewhere"))
    refused(run("identities", "show", apart, CODE, "--reason", "call"), "is not on this computer")
    refused(run("identities", "restore", file, stdin="wrong words\n"), "does not open")
    assert run("identities", "restore", file, stdin=f"{PASSPHRASE}\n")[0] == 0
    assert NAME in run("identities", "show", apart, CODE, "--reason", "call")[1]


BAD = {
    "not UTF-8": f"{NAME}\n".encode("latin-1"),
    "broken line": f"{NAME}\x1b[0m\n{NUMBER}\n".encode(),
    "long": NAME.encode() * 20_000,
    "no date": f"{NAME}\n{NUMBER}\n{NAME}\n".encode(),
    "long number": f"{NAME}\n{NUMBER * 9}\n".encode(),
    "long contact": f"{NAME}\n{NUMBER}\n{BORN}\n{CONTACT * 90}\n".encode(),
}


@pytest.mark.parametrize("given", BAD.values(), ids=BAD)
def test_what_is_refused_is_not_repeated(run, apart, tmp_path, given):
    said = refused(run("identities", "add", apart, CODE, stdin=given))
    code, out, err = run("identities", "find", apart, "--reason", "x", stdin=given)
    assert code in (1, 2)
    said += out + err
    written = [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]
    assert [canary for canary in CANARIES if canary in said] == []
    assert [c for c in CANARIES if any(c.encode() in content for content in written)] == []


def test_no_command_but_show_prints_an_identity_and_none_writes_one(run, apart, study, tmp_path):
    said = [
        run("identities", "add", apart, CODE, stdin=ANNA),
        run("identities", "add", apart, CODE, stdin=ANNA),
        run("identities", "add", apart, NAME, stdin=ANNA),
        run("identities", "show", apart, NAME, "--reason", "call"),
        run("identities", "find", apart, "--reason", "letter", stdin=f"{NUMBER}\n"),
        run("identities", "amend", apart, CODE, "--reason", "x", "--field", "born", stdin=f"{NAME}\n"),
        run("identities", "log", apart),
        run("identities", "verify", apart),
        run("identities", "pseudonym", study, "--identities", apart),
        run("identities", "backup", apart, tmp_path / "backup", stdin=f"{PASSPHRASE}\n"),
    ]
    (tmp_path / "keys").chmod(0o700)
    identity_keys.path_of(Identities.open(apart, actor="a").id).chmod(0o644)
    said.append(run("identities", "show", apart, CODE, "--reason", "call"))
    assert [code for code, _, _ in said] == [0, 2, 2, 2, 0, 2, 0, 0, 0, 0, 2]
    printed = "".join(out + err for _, out, err in said)
    written = [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]
    assert [canary for canary in CANARIES if canary in printed] == []
    assert [c for c in CANARIES if any(c.encode() in content for content in written)] == []


def test_at_a_terminal_each_value_is_asked_for(apart):
    ours, theirs = pty.openpty()
    started = subprocess.Popen(
        [sys.executable, "-m", "workbench", "identities", "add", str(apart), CODE],
        stdin=theirs,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    os.close(theirs)
    os.write(ours, ANNA.encode())
    out, err = started.communicate(timeout=120)
    os.close(ours)
    assert (started.returncode, out) == (0, f"{CODE} is entered\n")
    assert err.split(": ") == [*PROMPTS.values(), ""]
    assert Identities.open(apart, actor="a").show(CODE, reason="x").contact == CONTACT
