"""What the notebooks lay on the table."""

import socket
import ssl
from collections.abc import Iterator
from pathlib import Path
from xml.etree.ElementTree import fromstring

import pytest

from simulator import notebook, replay, workbench
from simulator.session import Command


@pytest.fixture(autouse=True)
def english() -> Iterator[None]:
    yield
    notebook.speak("en")


@pytest.mark.parametrize(
    ("folder", "variable", "language"),
    [
        ("notebooks/pt-BR", "", "pt_BR"),
        ("notebooks/pt-br/deeper/still", "", "pt_BR"),
        ("notebooks/en", "pt_BR", "en"),
        ("notebooks", "", "en"),
        ("notebooks", "pt-BR", "pt_BR"),
    ],
)
def test_the_folder_says_which_language(
    folder: str, variable: str, language: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / folder).mkdir(parents=True)
    monkeypatch.chdir(tmp_path / folder)
    monkeypatch.setenv("EHLO_TWICE_LANG", variable)
    notebook.speak("en")
    workbench.here()
    assert notebook.spoken() == language


def test_data_is_found_from_any_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert workbench.data("survey-2026-11-25.json")["servers"]
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "mine.json").write_text("[1]", "utf-8")
    assert workbench.data("mine.json") == [1]
    with pytest.raises(FileNotFoundError, match=r"no data/other\.json"):
        workbench.data("other.json")


def test_ledgers_fall_at_the_handshake() -> None:
    session = replay("documented")
    before, after = (str(workbench.ledgers(session, step)) for step in (6, 7))
    assert "\n  SIZE 10485760" in before
    assert "\n  (SIZE 10485760)" in after
    assert "<s style" in workbench.ledgers(session, 7)._repr_html_()
    with pytest.raises(IndexError):
        workbench.ledgers(session, 99)


def test_the_wire_shows_no_more_than_an_eavesdropper_sees() -> None:
    seen = str(workbench.wire(replay("documented"), most=1000))
    assert "EHLO mx4.example.com" in seen
    assert "ClientHello" in seen
    assert "MAIL FROM" not in seen
    assert "MAIL FROM" in str(workbench.wire(replay("plain")))


def test_pictures_show_themselves() -> None:
    for picture in (workbench.drawing(replay("plain")), workbench.beside("skipped-ehlo")):
        # A notebook shows it as an image, and then it has to be well-formed.
        assert fromstring(picture.svg).tag.endswith("svg")
        assert picture._repr_html_().startswith("<img ")
        assert str(picture)
        assert f'alt="{picture.alt}"' in picture._repr_html_()
    assert "in the clear" in workbench.drawing(replay("plain")).alt
    assert workbench.beside("plain").alt == "No TLS at all ⇄ The documented session"
    assert "503" in str(workbench.beside("skipped-ehlo"))


def test_turning_a_knob_plays() -> None:
    knobs = workbench.knobs()
    assert "INSIDE TLS" in str(knobs.play())
    assert "REFUSED 503" in str(knobs.play(client="skips"))
    assert "INSIDE TLS" in str(knobs.play(server="lax"))
    assert "text/html" in knobs._repr_mimebundle_()
    titles = dict(knobs.choices())
    assert (titles["client"], titles["server"]) == ("skips the second EHLO", "keeps the old EHLO")


def test_a_server_for_a_client_of_ones_own() -> None:
    with workbench.serving("documented") as server:
        connection = socket.create_connection(server.address, timeout=5)
        connection.recv(4096)
        for line in (b"EHLO me.example.net\r\n", b"STARTTLS\r\n"):
            connection.sendall(line)
            connection.recv(4096)
        context = ssl.create_default_context(cafile=server.authority)
        with context.wrap_socket(connection, server_hostname=server.name) as inside:
            inside.sendall(b"MAIL FROM:<me@example.net>\r\n")
            assert inside.recv(4096).startswith(b"503")
    [session] = server.sessions
    said = [event.verb for event in session.session.events if isinstance(event, Command)]
    assert said == ["EHLO", "STARTTLS", "MAIL"]
    assert session.verdict.second_ehlo == "missing"


def test_a_server_that_fails_to_serve_says_so() -> None:
    from simulator.lab import UnknownScenario

    with pytest.raises(UnknownScenario), workbench.serving("no-such-thing"):
        pass


def test_a_failing_client_does_not_leave_the_server_behind() -> None:
    with pytest.raises(ZeroDivisionError), workbench.serving() as server:
        raise ZeroDivisionError
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(server.address, timeout=1)


@pytest.mark.parametrize(
    ("guess", "happened", "said"),
    [
        (250, 503, "You said 250; it was 503."),
        ("503", 503, "You said 503; so it was."),
        ("Client", {"client"}, "You said Client; so it was."),
        ({"SIZE", "8BITMIME"}, {"8BITMIME", "SIZE"}, "You said 8BITMIME, SIZE; so it was."),
        (set(), {"SIZE"}, "You said –; it was SIZE."),
    ],
)
def test_a_prediction_is_set_beside_what_happened(
    guess: object, happened: object, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    workbench.predict(guess).was(happened)
    assert capsys.readouterr().out == said + "\n"


def test_the_dots_are_no_prediction(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("EHLO_TWICE_PREDICT", raising=False)
    with pytest.raises(workbench.NoPrediction, match="in place of the dots") as refused:
        workbench.predict(...)
    assert refused.value._render_traceback_() == [str(refused.value)]
    notebook.speak("pt_BR")
    with pytest.raises(workbench.NoPrediction, match="no lugar dos pontos"):
        workbench.predict(...)
    monkeypatch.setenv("EHLO_TWICE_PREDICT", "off")
    workbench.predict(...).was(503)
    assert "503" in capsys.readouterr().out
