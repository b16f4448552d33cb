"""Where the software runs: started, asked, stopped. A process of its own, perhaps in namespaces.

    python -m simulator.survey.inside JOB

JOB is the JSON of a `Job`; the answers go to stdout as JSON. Whatever was started ends with it.
"""

from __future__ import annotations

import contextlib
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec
import trustme

from simulator.checks import client, server
from simulator.checks.cases import AUTH, Result, Status
from simulator.errors import Error
from simulator.lab.play import run
from simulator.language import N_, Text, say
from simulator.session import Command, Handshake, Reply, Session
from simulator.smtp import parse_keyword
from simulator.survey import mailbox
from simulator.survey.places import SERVER_HOST
from simulator.survey.questions import Kind, Question, ServerQuestion, questions
from simulator.survey.results import Answer
from simulator.survey.software import Setting, Software

START = 180.0
"""Seconds that a server has until it answers on its port."""
PORTS = range(20_000, 32_000)
"""Below those that systems give to connections (RFC 6335 §6; Linux from 32768)."""
DELIVERY = 30.0
"""Seconds that a message has until it lies in the mailbox."""
FORGOTTEN = ("mail", "mail-size", "resumed-mail", "resumed-mail-12")
"""The questions that a server which asks for an EHLO answers well only if it forgot the first."""
RECEIVED = "received"
"""The question that sends a message."""
NAME = "before.example"
"""What the questions say in the clear."""
USER, PASSWORD = "u", "p"
"""The account that a server has, where it has one."""
PATIENCE = 20.0
"""Seconds that a server has for an answer."""


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """What to run and ask: the survey's questions, or, `by_cases`, those that `check server` has.
    `paths` come before those of the environment."""

    software: Software
    setting: str
    paths: tuple[str, ...] = ()
    environment: dict[str, str] = {}
    by_cases: bool = False


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What came of it: the software's version, and its answers; or of each case, what came of it
    and why."""

    release: str
    answers: tuple[Answer, ...] = ()
    cases: dict[str, tuple[Status, str]] = {}


class Silent(Error, OSError):
    """The software does not run, or does not answer: the message says why."""


def main(arguments: list[str]) -> int:
    """Do the job; one line on stderr and exit code 2 where it cannot be done."""
    job = msgspec.json.decode(arguments[0], type=Job)
    os.environ.update(job.environment)
    # It was for this process alone.
    os.environ.pop("PYTHONPATH", None)
    os.environ["PATH"] = os.pathsep.join([*job.paths, os.environ.get("PATH", os.defpath)])
    try:
        release = _release(job)
        if job.by_cases:
            asked = Asked(release=release, cases=_cases(job))
        else:
            asked = Asked(release=release, answers=tuple(_answers(job)))
    except Error as error:
        sys.stderr.write(f"{error}\n")
        return 2
    sys.stdout.buffer.write(msgspec.json.encode(asked))
    return 0


def _words(job: Job, words: tuple[str, ...]) -> list[str]:
    """A command of the software: in its own system where it has one, in its folder."""
    if not os.environ.get("SURVEY_ROOT"):
        return [shutil.which(words[0]) or words[0], *words[1:]]
    path = "PATH=/usr/sbin:/usr/bin:/sbin:/bin"
    into = 'cd /survey && exec "$@"'
    enter = os.environ["SURVEY_INTO"].split()
    return [*enter, "env", path, "HOME=/root", "sh", "-c", into, "sh", *words]


def _release(job: Job) -> str:
    """Its version, as its own command tells it."""
    words = _words(job, job.software.version)
    try:
        told = subprocess.run(  # noqa: S603 - the recipe's own command
            words,
            cwd=job.software.folder,
            capture_output=True,
            timeout=START,
            check=True,
            stdin=subprocess.DEVNULL,
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise Silent(f"{job.software.name}: cannot tell its version: {error}") from None
    lines = (told.stdout or told.stderr).decode(errors="replace").strip().splitlines()
    return lines[0].strip() if lines else ""


def _answers(job: Job) -> Iterator[Answer]:
    setting = next(found for found in job.software.setting if found.name == job.setting)
    if job.software.kind == "server":
        yield from _of_started(job, setting)
    else:
        program = _program(job)
        met = [one for one in questions().client if one.id not in job.software.without]
        results = run(client.check(program, [question.case() for question in met]))
        shown: dict[str, Kind] = {}
        for question, result in zip(met, results, strict=True):
            kind, short, text = _of_client(question, result)
            if shown.get(question.needs, "heeds") != "heeds":
                kind, short, text = "unasked", "", f"not asked: it needs {question.needs}"
            shown[question.id] = kind
            yield _judged(question, kind, short, text, result, setting.public)


def _of_started(job: Job, setting: Setting) -> Iterator[Answer]:
    """What a server answers, which is started again where a question was its end."""
    without = {*job.software.without, *(() if job.software.mailbox else (RECEIVED,))}
    asked = [one for one in questions().server if one.id not in without]
    results: list[Result] = []
    while True:
        with _started(job) as host:
            before = len(results)
            cases = [question.case() for question in asked[before:]]
            try:
                run(server.check(host, cases, results.append))
            except server.Unreachable:
                if len(results) == before:
                    raise
                continue
            for answer in _of_server(asked, results, setting.public):
                yield _written(job, answer) if answer.question == RECEIVED else answer
            return


def _cases(job: Job) -> dict[str, tuple[Status, str]]:
    if job.software.kind == "server":
        with _started(job) as host:
            results = run(server.check(host))
    else:
        results = run(client.check(_program(job)))
    return {result.case.id: (result.status, say(result.why)) for result in results}


def _program(job: Job) -> client.Program:
    """The client's command, in its folder and its setting from now on."""
    setting = next(found for found in job.software.setting if found.name == job.setting)
    os.environ.update(setting.options)
    words = _words(job, job.software.run)
    os.chdir(job.software.folder)
    return client.Program(words, job.software.patience)


@contextlib.contextmanager
def _started(job: Job) -> Iterator[server.Host]:
    """The server, which answers on a port; all its processes end with this."""
    with tempfile.TemporaryDirectory(prefix="survey-") as made:
        work = Path(made)
        work.chmod(0o755)
        authority = trustme.CA(key_type=trustme.KeyType.ECDSA)
        leaf = authority.issue_cert(SERVER_HOST, key_type=trustme.KeyType.ECDSA)
        certificate, key = work / "cert.pem", work / "key.pem"
        certificate.write_bytes(b"".join(blob.bytes() for blob in leaf.cert_chain_pems))
        key.write_bytes(leaf.private_key_pem.bytes())
        trusted = work / "authority.pem"
        trusted.write_bytes(authority.cert_pem.bytes())
        port = _free_port()
        setting = next(found for found in job.software.setting if found.name == job.setting)
        environment = {
            "PORT": str(port),
            "CERT": str(certificate),
            "KEY": str(key),
            "WORK": made,
            **setting.options,
        }
        log = work / "output.txt"
        with log.open("wb") as output:
            process = subprocess.Popen(  # noqa: S603 - the recipe's own command
                _words(job, job.software.run),
                cwd=job.software.folder,
                env=os.environ | environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            _wait(job, process, port, log)
            yield server.Host(
                host="127.0.0.1",
                port=port,
                name=SERVER_HOST,
                authority=str(trusted),
                user=USER,
                password=PASSWORD,
                pause=0,
                patience=PATIENCE,
            )
        finally:
            _end(process)


def _free_port() -> int:
    """A port that nothing holds, and that no connection gets by chance before the server has it:
    systems give those above."""
    for port in random.sample(PORTS, len(PORTS)):
        with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port
    raise Silent(f"no port between {PORTS.start} and {PORTS.stop - 1} is free on 127.0.0.1")


def _wait(job: Job, process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    """Until somebody greets at that port."""
    until = time.monotonic() + START
    while time.monotonic() < until:
        try:
            with socket.create_connection(("127.0.0.1", port), 2) as connection:
                connection.settimeout(5)
                if connection.recv(4).startswith(b"220"):
                    return
        except OSError:
            pass
        if process.poll() is not None and not os.environ.get("SURVEY_ROOT"):
            break
        time.sleep(0.2)
    last = log.read_text(errors="replace").strip().splitlines()[-1:] or ["it said nothing"]
    raise Silent(f"{job.software.name}: does not answer on its port: {last[0]}")


def _end(process: subprocess.Popen[bytes]) -> None:
    for number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(5)
            return


def _of_server(
    asked: Sequence[ServerQuestion], results: list[Result], public: dict[str, str]
) -> Iterator[Answer]:
    insists = True
    for question, result in zip(asked, results, strict=True):
        values = result.why.values
        told = values.get("answer", "")
        answer = say(told) if isinstance(told, Text) else str(told)
        step = str(values.get("step", ""))
        session = result.sessions[0]
        if result.status == "skipped":
            kind: Kind = "unasked"
            short, text = "", say(result.why)
        elif step:
            # Who could not log in has no login to keep.
            kind = "unclear" if step == AUTH else question.otherwise
            short, text = f"{_word(answer)} to {_verb(step)}", f"{step}: {answer}"
        elif question.lacks:
            kind = "heeds" if result.status == "passed" else "breaks"
            short = _lists(session)
            text = short
        elif not answer or answer in ("closed", "silence"):
            kind, short, text = "unclear", "broke off", N_("the session broke off")
        else:
            kind, short, text = _shows(question, answer), _word(answer), answer
            if question.id == "mail-unannounced":
                insists = kind == "heeds"
            elif question.id in FORGOTTEN and kind == "lax" and insists:
                # It asks for an EHLO, and the one said in the clear was enough for it.
                kind = "breaks"
        yield _judged(question, kind, short, text, result, public)


def _written(job: Job, answer: Answer) -> Answer:
    """The answer with the Received line on the message, if one was taken."""
    [session] = answer.sessions
    if not answer.text.startswith("250"):
        return msgspec.structs.replace(answer, sessions=(mailbox.told(session, ""),))
    root = Path(os.environ.get("SURVEY_ROOT", "/"))
    line = mailbox.received(root, job.software.mailbox, DELIVERY)
    session = mailbox.told(session, line)
    # Some write it beside what they looked up themselves: anywhere in the line it is kept.
    kept = NAME in line
    name = re.match(r"Received: from (\S+)", line)
    other = name[1] if name else "no name" if line else "no message"
    return msgspec.structs.replace(
        answer,
        kind="breaks" if kept else "told" if line else "unclear",
        short=NAME if kept else other,
        text=line or N_("the message was taken, and not found"),
        sessions=(session,),
    )


def _shows(question: ServerQuestion, answer: str) -> Kind:
    if answer.startswith(question.breaks):
        return "breaks"
    if answer.startswith(question.heeds):
        return "heeds"
    return "lax" if question.heeds else "told"


def _word(answer: str) -> str:
    """A reply code, or the first word of what came instead."""
    return answer.partition(" ")[0].rstrip(":")


def _verb(step: str) -> str:
    """What was answered: the verbs of the step."""
    return " + ".join(line.partition(" ")[0] for line in step.split(" + "))


def _lists(session: Session) -> str:
    """What became of STARTTLS and AUTH from one list to the other."""
    listed: dict[bool, set[str]] = {}
    for event in session.events:
        if isinstance(event, Reply) and event.code == 250 and len(event.lines) > 1:
            found = (parse_keyword(line) for line in event.lines[1:])
            listed[event.secure] = {keyword.name for keyword in found if keyword}
    both = [listed.get(secure, set()) for secure in (False, True)]
    return ", ".join(
        f"{name} {' → '.join('yes' if name in names else 'no' for names in both)}"
        for name in ("STARTTLS", "AUTH")
    )


def _of_client(question: Question, result: Result) -> tuple[Kind, str, str]:
    """What a case showed of a client: its kind, in a word, and in words."""
    why = result.why.id.format(**result.why.values)
    match result.status:
        case "skipped":
            return "unasked", "", why
        case "unclear":
            return "unclear", "", why
        case "passed":
            kind: Kind = "heeds"
        case _:
            kind = "breaks" if result.case.level == "must" else "lax"
    if question.id == "ehlo-again":
        names = _names(result.sessions)
        inside = len(names[True])
        if not inside and _says_helo(result.sessions):
            more = " (HELO)"
        else:
            more = " (another name)" if inside and set(names[True]) != set(names[False]) else ""
        return kind, f"{len(names[False])} → {inside}{more}", why
    return kind, "yes" if kind == "heeds" else "no", why


def _says_helo(sessions: tuple[Session, ...]) -> bool:
    """Did the client say HELO inside TLS?"""
    return any(
        isinstance(event, Command) and event.secure and event.verb == "HELO"
        for session in sessions
        for event in session.events
    )


def _names(sessions: tuple[Session, ...]) -> dict[bool, list[str]]:
    """The arguments of EHLO in the clear and inside TLS, in the session that went furthest."""
    best = max(sessions, key=lambda session: len(session.events))
    names: dict[bool, list[str]] = {False: [], True: []}
    for event in best.events:
        if isinstance(event, Command) and event.verb == "EHLO":
            names[event.secure].append(event.argument)
    return names


def _judged(
    question: Question,
    kind: Kind,
    short: str,
    text: str,
    result: Result,
    public: dict[str, str],
) -> Answer:
    shown = public.get(question.id, "") if question.secret and kind in ("breaks", "lax") else ""
    return Answer(
        question=question.id,
        kind=kind,
        short=short,
        text=text,
        prose=result.why if result.why.values and say(result.why) == text else None,
        public=shown,
        sessions=tuple(_lean(session) for session in result.sessions if kind != "unasked"),
    )


def _lean(session: Session) -> Session:
    """The session without the bytes of its wire and what is only of this run."""
    replace = msgspec.structs.replace
    return replace(
        session,
        wire=(),
        secrets=(),
        started=None,
        client=replace(session.client, port=0),
        server=replace(session.server, port=0),
        events=tuple(
            replace(event, wire=(), at=round(event.at, 3))
            if not isinstance(event, Handshake)
            else replace(event, wire=(), at=round(event.at, 3), server_certificate=None)
            for event in session.events
        ),
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
