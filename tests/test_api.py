"""The package as a program uses it: what it takes, what comes back, what each refusal says."""

import io
import pydoc
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import simulator
from simulator import (
    BadScenario,
    CannotRead,
    Error,
    NoSuchFormat,
    SeveralSessions,
    UnknownLanguage,
    UnknownScenario,
    compare,
    explain,
    matrix,
    read,
    replay,
    speak,
)

LOG = """\
S: 220 mx.example.com ESMTP
C: EHLO a.example
S: 250-mx.example.com
S: 250 STARTTLS
C: QUIT
S: 221 Bye
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "session.txt"
    path.write_text(LOG, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    "log",
    [
        lambda file: LOG,
        lambda file: LOG.encode(),
        lambda file: file,
        lambda file: io.StringIO(LOG),
        lambda file: io.BytesIO(LOG.encode()),
        lambda file: LOG.splitlines(),
        lambda file: iter(LOG.splitlines(keepends=True)),
        lambda file: LOG.encode().splitlines(),
    ],
    ids=["text", "octets", "path", "text file", "binary file", "lines", "iterator", "octet lines"],
)
def test_a_log_may_come_as_anything_that_holds_lines(
    log: Callable[[Path], object], file: Path
) -> None:
    [session] = read(log(file))  # type: ignore[arg-type]
    assert [getattr(event, "verb", "") for event in session.events].count("EHLO") == 1
    assert explain(log(file)).session == session  # type: ignore[arg-type]


def test_what_was_explained_stays_explained() -> None:
    once = explain(LOG)
    assert explain(once) == once == explain(once.session)


@pytest.mark.parametrize(
    ("asked", "kind", "says"),
    [
        (lambda: replay(tls="1.1"), BadScenario, "no TLS '1.1': the lab speaks '1.2' and '1.3'"),  # type: ignore[arg-type]
        (lambda: replay(tls=1.3), BadScenario, "no TLS 1.3: the lab speaks '1.2' and '1.3'"),  # type: ignore[arg-type]
        (lambda: replay("documentde"), UnknownScenario, "did you mean 'documented'"),
        (lambda: replay(5), BadScenario, "int is no scenario"),  # type: ignore[arg-type]
        (lambda: replay(Path("none.toml")), BadScenario, "none.toml: No such file"),
        (lambda: compare("documentde"), UnknownScenario, "did you mean 'documented'"),
        (lambda: compare(None), BadScenario, "NoneType is no scenario"),  # type: ignore[arg-type]
        (lambda: matrix("dragon"), BadScenario, "the matrix has no 'dragon'"),
        (lambda: explain(""), CannotRead, "is empty"),
        (lambda: explain("\n\n"), CannotRead, "only blanks in it"),
        (lambda: explain("mail.log"), CannotRead, r"a file is given as Path\('mail.log'\)"),
        (lambda: explain(Path("none.log")), CannotRead, "none.log: No such file"),
        (lambda: explain(5), CannotRead, "int is no log"),  # type: ignore[arg-type]
        (lambda: explain([LOG, 5]), CannotRead, "int is no line of a log"),  # type: ignore[arg-type]
        (lambda: explain(LOG + LOG), SeveralSessions, "explain each that `read` gives"),
        (lambda: explain(LOG, format="nope"), NoSuchFormat, "no format 'nope'"),
        (lambda: speak("xx"), UnknownLanguage, "no language 'xx'"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_sentence(
    asked: Callable[[], object], kind: type[Error], says: str
) -> None:
    with pytest.raises(kind, match=says) as refused:
        asked()
    assert isinstance(refused.value, Error)
    assert "\n" not in str(refused.value)


def test_two_sessions_side_by_side() -> None:
    played = replay("plain")
    both = compare(played, played.session)
    assert both.parting is None
    assert compare(LOG_SESSION, "plain", tls="1.2").parting == 0
    assert "EHLO a.example" in str(compare(LOG_SESSION, played))
    assert both._repr_svg_().startswith("<svg")


LOG_SESSION = explain(LOG).session


def test_the_matrix_knows_who_was_fooled() -> None:
    found = matrix("strip")
    fooled = {cell.client for cell in found.cells if cell.category == "fooled"}
    assert "documented" in fooled
    assert not fooled & {"required", "plain"}
    assert "fooled" in str(found)
    assert found._repr_svg_().startswith("<svg")
    assert "strip" in repr(found)


def test_help_reads_like_a_readme() -> None:
    told = pydoc.plain(pydoc.render_doc(simulator))
    for name in ("replay", "read", "explain", "compare", "matrix", "speak"):
        assert f"\n    {name}(" in told, name
    for refusal in simulator.__all__:
        value = getattr(simulator, refusal)
        if isinstance(value, type) and issubclass(value, Error) and value is not Error:
            assert f"`{refusal}`" in (simulator.__doc__ or ""), refusal


def test_every_name_is_what_its_type_says() -> None:
    assert set(simulator.__all__) <= set(dir(simulator))
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = simulator.nothing


def test_the_package_loads_nothing_before_it_is_asked() -> None:
    code = "import sys, simulator; sys.exit('asyncio' in sys.modules or 'msgspec' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], timeout=240, check=False).returncode == 0
