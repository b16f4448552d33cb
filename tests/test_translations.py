"""The catalogues: complete, true to the tokens of the protocol, and used by every view."""

from __future__ import annotations

import ast
import re
import string
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import pytest
from babel.messages.catalog import Catalog, Message

from simulator import alignment, exercises, formats, language, summary
from simulator.causes import causes
from simulator.cells import LABELS, Cell
from simulator.exercises.exercise import load as load_exercise
from simulator.exercises.exercise import words
from simulator.explainer import Explanation, explain
from simulator.lab import Scenario, arena, load, names, scenarios
from simulator.restore import restore
from simulator.rules import rules
from simulator.session import Session, from_json
from simulator.views import annotated, comparison, grid, overview, player, repairs
from simulator.views.view import Page, Story, View, views
from tests.views import sessions
from tools import catalogues

SIMULATOR = Path(catalogues.ROOT) / "simulator"
RECORDED = Path(__file__).parent / "sessions" / "documented.json"


def messages(catalogue: Catalog) -> list[Message]:
    return [message for message in catalogue if message.id]


@cache
def translated(code: str) -> list[tuple[str, str]]:
    """Source and translation of every text that a language has."""
    po = SIMULATOR / "locales" / code / "LC_MESSAGES" / "ehlo_twice.po"
    return [
        (str(m.id), str(m.string))
        for m in messages(catalogues.read(po))
        if m.string and not m.fuzzy
    ]


CODES = [po.parts[-3] for po in catalogues.catalogues()]
each_language = pytest.mark.parametrize("code", CODES)


# --- completeness ------------------------------------------------------------------------------


def marked() -> Iterator[str]:
    """Every text that is marked for translation, found by the parser of Python itself.

    The extractor of the catalogues reads tokens, and does not see what stands in an f-string.
    """
    for path in sorted(SIMULATOR.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            match node:
                case ast.Call(func=ast.Name(id="N_"), args=[argument]):
                    yield ast.literal_eval(argument)


def test_no_text_is_marked_inside_an_f_string() -> None:
    """Before Python 3.12 an f-string is one token, and the extractor sees nothing in it."""
    hidden = [
        (path.name, call.lineno)
        for path in sorted(SIMULATOR.rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.JoinedStr)
        for call in ast.walk(node)
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "N_"
    ]
    assert hidden == []


def story(scenario: Scenario, code: str) -> Story:
    """What a scenario asks its reader."""
    return Story(
        title=scenario.prose("title", code),
        question=scenario.prose("question", code),
        watch=scenario.prose("watch", code),
        conclude=scenario.prose("conclude", code),
    )


def told() -> Iterator[str]:
    """Every text for translation that the program reads from its data."""
    for cause in causes().values():
        yield from (cause.title, cause.cause, cause.ruled_out, cause.remedy)
    yield from filter(None, (found.log_more for found in formats.known()))
    for scenario in scenarios():
        yield from story(scenario, language.SOURCE)
    sides = arena.sides()
    for group in (sides.client, sides.server, sides.middlebox):
        yield from (policy.title for policy in group.values())
    yield from words().values()
    for exercise in map(load_exercise, exercises.names()):
        yield from (exercise.title, exercise.task, *exercise.hints, *exercise.says.values())
        for variant in exercise.variant:
            yield from filter(None, (variant.about, variant.because))
        for trial in exercise.trial:
            yield from (trial.about, trial.failed)


@pytest.mark.parametrize("source", [marked, told])
def test_extraction_sees_every_text(source: Callable[[], Iterator[str]]) -> None:
    extracted = {message.id for message in messages(catalogues.template())}
    assert set(source()) - extracted == set()


def test_brazilian_portuguese_is_complete() -> None:
    po = SIMULATOR / "locales" / catalogues.COMPLETE / "LC_MESSAGES" / "ehlo_twice.po"
    assert catalogues.lacking(po) == []
    found = {m.id for m in messages(catalogues.read(po))}
    assert found == {m.id for m in messages(catalogues.template())}


def test_the_other_languages_are_reported() -> None:
    """What they lack is said in English there: a word to whoever translates, and no fault."""
    left = catalogues.report()
    if left:
        pytest.skip("; ".join(left))


# --- form --------------------------------------------------------------------------------------


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


@each_language
def test_placeholders_are_those_of_the_source(code: str) -> None:
    assert [
        (source, said)
        for source, said in translated(code)
        if placeholders(source) != placeholders(said)
    ] == []


def ending(text: str) -> str:
    """The class of punctuation that a text ends with."""
    last = text[-1:]
    classes = {".": ".。", ":": ":：", "?": "?？", "!": "!！", "…": "…", ",": ",、，", ")": ")）"}
    return next((name for name, marks in classes.items() if last in marks), "")


@each_language
def test_a_text_ends_as_its_source_does(code: str) -> None:
    assert [
        (source, said)
        for source, said in translated(code)
        if " " in source and ending(source) != ending(said)
    ] == []


@each_language
def test_no_space_is_gained_or_lost(code: str) -> None:
    assert [
        said
        for source, said in translated(code)
        if (source[:1].isspace(), source[-1:].isspace())
        != (said[:1].isspace(), said[-1:].isspace())
        or ("  " in said and "  " not in source)
        or said != said.replace("\u00a0", " ")
    ] == []


# --- tokens ------------------------------------------------------------------------------------

TOKEN = re.compile(
    r"""
      `[^`]+`                                # anything in backquotes
    | <[A-Z]+>(?:\.?<[A-Z]+>)*               # <CR><LF>
    | §[\dA-Z.]+\b                           # a section
    | \bTLS\ \d\.\d\b                        # a version
    | \b\d+(?:\.\d+)*\b                      # a number: reply codes, RFCs, versions
    | \b[A-Z]\.\d+\b                         # X.509
    | \b\d*[A-Z][A-Z\d]+(?:-[A-Z\d]+)*(?=s?\b)  # verbs, EHLO keywords, MUST, abbreviations
    | \b(?:[A-Z][a-z]+){2,}\b                # ClientHello
    | \b[a-z]+(?:_[a-z]+)+\b                 # application_data
    | \b\w[\w-]*(?:\.[a-z][\w-]+)+\b         # host names, file names
    | (?<![\wÀ-ɏ-])--?[a-z][\w-]*            # options of a command
    | \b(?:Received|Finished|Base64|ehlo-twice)\b
    """,
    re.VERBOSE | re.ASCII,  # Japanese puts no space beside a token
)


def prose(text: str) -> str:
    """A template without its placeholders."""
    return " ".join(literal for literal, _, _, _ in string.Formatter().parse(text))


def words_of(text: str) -> str:
    """A template without what stands in it for a computer."""
    return re.sub(r"`[^`]*`", " ", prose(text))


def tokens(text: str) -> set[str]:
    return set(TOKEN.findall(prose(text)))


MAY_COME = re.compile(r"\d{1,2}|TLS")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("the client says EHLO, as it MUST NOT", {"EHLO", "MUST", "NOT"}),
        ("503 (RFC 5321 §4.1.4), see §F.3.", {"503", "RFC", "5321", "§4.1.4", "§F.3"}),
        ("TLS 1.3 says application_data", {"TLS 1.3", "application_data"}),
        ("`ehlo-twice rules` on mx.example.com", {"`ehlo-twice rules`", "mx.example.com"}),
        ("End data with <CR><LF>.<CR><LF>", {"<CR><LF>.<CR><LF>"}),
        ("{text} A ServerHello in X.509.", {"ServerHello", "X.509"}),
        ("openssl s_client -starttls", {"s_client", "-starttls"}),
        ("A sentence. The next one is 8BITMIME-less, {EHLO}.", {"8BITMIME"}),
    ],
)  # fmt: skip
def test_what_a_token_is(text: str, found: set[str]) -> None:
    assert tokens(text) == found


@each_language
def test_no_token_is_lost(code: str) -> None:
    assert [
        (source, said, tokens(source) - tokens(said))
        for source, said in translated(code)
        if tokens(source) - tokens(said)
    ] == []


@each_language
def test_no_token_is_made_up(code: str) -> None:
    """But a small number may stand for a word (the second EHLO is the 2nd), and a record of TLS may
    have to be told from other records by name."""
    assert [
        (source, said, new)
        for source, said in translated(code)
        if (new := {t for t in tokens(said) - tokens(source) if not MAY_COME.fullmatch(t)})
    ] == []


# --- words -------------------------------------------------------------------------------------

GLOSSARY = {
    r"handshakes?\b": r"handshake",
    r"in the clear\b": r"texto claro",
    r"inside TLS\b": r"dentro (?:de|do) TLS",
    r"(?<![.-])\bkeywords?\b": r"palavras?-chave",
    r"\bcertificates?\b": r"certificado",
    r"\benvelope\b": r"envelope",
    r"\bmail transactions?\b": r"transaç(?:ão|ões) de e-mail",
    r"\bsenders?\b": r"remetente",
    r"\brecipients?\b": r"destinatário",
    r"\breply code\b": r"código de resposta",
    r"one on the path\b": r"no caminho",
    r"\bcipher suites?\b": r"suítes? de cifras",
    r"\bheader\b": r"cabeçalho",
    r"\bgreets\b": r"saúda|cumpriment|saudação",
    r"\blogin\b": r"autenticação|login",
}
"""One word of the field for each word of the field, in Brazilian Portuguese."""

EUROPEAN = re.compile(
    r"ficheiro|ecrã|utilizador|palavra-passe|ligação|registo\b|recepção|receção|contacto|\bfacto\b"
    r"|\bestá a \w+r\b|encript|telemóvel|servidor de correio|\bteu\b|\bvosso\b",
    re.IGNORECASE,
)


@pytest.mark.parametrize("word", GLOSSARY)
def test_a_word_of_the_field_is_always_the_same(word: str) -> None:
    found = [
        (source, said) for source, said in translated("pt_BR") if re.search(word, words_of(source))
    ]
    assert found, "no text uses this word any more"
    assert [said for _, said in found if not re.search(GLOSSARY[word], said, re.IGNORECASE)] == []


def test_portuguese_is_brazilian() -> None:
    assert [said for _, said in translated("pt_BR") if EUROPEAN.search(said)] == []


NOT_USED = {
    # Marks are wide beside kana and kanji, sentences polite, and the list has one name.
    "ja": (
        r"[぀-ヿ一-鿿][:,]|[぀-ヿ一-鿿] ?\(|(?:である|ている|がある|がない|する)。"
        r"|一覧[にがはか]|提示(?!でき)|\d回"
    ),
    # A particle takes its form from the word before, which a placeholder does not show.
    "ko": (
        r"\{(?:verb|who|name|key|code)\}(?:이|가|은|는|을|를|과|와)(?![가-힣(])|QUIT[를와]"
        r"|기회주의|세요|암호문"
    ),
    # A reply has one name, an octet too, and stops are wide.
    "zh_CN": r"(?<!对)应答|八位组|您|[一-鿿）][:,;]|[一-鿿] ?\(",
    "ru": (
        r"(?i)в открытом виде|хост|(?:второе|первое|ённое) EHLO"
        r"|(?:слушает|кто угодно|что-то) по пути"
    ),
    # Base64 is decoded, and nothing is decrypted by that.
    "de": (
        r"Oktett|\bCiphers?\b(?!-)|\bKopf\b|Entschlüsseln Sie|auf dem Weg\b|im Weg steht"
        r"|EHLO (?:ge)?sag|HELO sag|TLS (?:ist|bleibt) an[,.]"
    ),
    # The space before a mark is one at which no line breaks, and a vowel elides an article.
    "fr": (
        r" [;:?!»](?!\w)|« |\b(?:de|le) (?:EHLO|AUTH)\b|offert|\b[Rr]edi(?:t|re|sent)\b"
        r"|sur le chemin|mandataire|\b(?:[Ll]es?|ce|son) logs?\b"
    ),
    # Advice is given to "voi", and "accesso" could be more than AUTH.
    "it": (
        r"(?:^|\. )(?:Attivare|Controllare|Creare|Eseguire|Fare|Guardare|Impostare|Provare) "
        r"|ottett|primo elenco|[bB]utta|'accesso\b|il login|nuovo dovuto|altra parte (?!potrebbe)"
    ),
    # "Sesión" is one of SMTP or of TLS: a login begins none. "Por qué toma" asks why it takes.
    "es": (
        r"octeto|(?i:inici\w+ (?:de )?sesión)|cabecera|desech|\btiran?\b|[Tt]exto claro"
        r"|por qué toma"
    ),
    "pt_BR": r"octeto|texto puro|joga(?:dos?)? fora|disse EHLO",
}
"""What a language does not write, though each text alone would be understood."""


@pytest.mark.parametrize("code", NOT_USED)
def test_a_language_is_written_one_way(code: str) -> None:
    said = [re.sub(r"`[^`]*`", "", said) for _, said in translated(code)]
    assert [text for text in said if re.search(NOT_USED[code], text)] == []


def test_spanish_tells_plain_text_from_what_is_in_the_clear() -> None:
    said = [(source.lower(), text.lower()) for source, text in translated("es")]
    assert [
        text
        for source, text in said
        if ("in the clear" in source and "en claro" not in text)
        or ("texto plano" in text and "plain text" not in source)
    ] == []


SAME = {
    "{tls} {mail}",
    "ms",
    "envelope",
    "login",
    "Bytes",
    "TLS",
    "hosts",
    "Message-IDs",
    "UUIDs",
    'MailKit: new SmtpClient(new ProtocolLogger("smtp.log")).',
    "250-XXXXXXXA",
    "530 Must issue a STARTTLS command first",
}
"""What reads alike in both languages."""


def test_nothing_is_left_in_english() -> None:
    assert {said for source, said in translated("pt_BR") if source == said} == SAME


# --- in the views ------------------------------------------------------------------------------

_STRANGERS = frozenset((
    "name", "argument", "lines", "text", "subject", "names", "issuer", "detail", "scenario",
    "connection", "cipher", "raw",
))  # fmt: skip
"""Fields of a session that hold what was on the wire, not words of our own."""


def shout(value: Any, key: str = "") -> Any:
    """Plain data, in capitals where it comes from strangers."""
    match value:
        case dict():
            return {name: shout(inner, name) for name, inner in value.items()}
        case list() | tuple():
            return [shout(inner, key) for inner in value]
        case str() | bytes() if key in _STRANGERS:
            return value.upper()
    return value


def shouted(session: Session) -> Explanation:
    """The same session, all that its peers say in capitals: small letters are then our prose."""
    plain = shout(msgspec.to_builtins(session, builtin_types=(bytes, datetime)))
    return explain(msgspec.convert({**plain, "scenario": "TEST"}, Session))


@cache
def explained(name: str) -> Explanation:
    if name == "recorded":
        return shouted(from_json(RECORDED.read_bytes()))
    return shouted(sessions.ALL[name])


def _compared(one: Explanation) -> alignment.Comparison:
    return alignment.compare(one, explained("failed"), ("ONE", "OTHER"))


def _matrix(code: str) -> str:
    kinds = {kind.upper(): kind.upper() for kind in LABELS}
    cells = tuple(
        Cell(client="C", server=kind.upper(), middlebox="M", category=kind, code=503)
        for kind in LABELS
    )
    return grid.text(cells, {"C": "C"}, kinds, code) + grid.markdown(cells, {"C": "C"}, kinds, code)


def _repairs(code: str) -> str:
    page = """\
seg 16 de maio 18:34:30 2005 Informação: 5165207 Enviado: 'CORREIO DE:<A@EXAMPLE.COM>'
seg 16 de maio 18:34:30 2005 Informação: 5165207 Rcvds: 250-TAMANHO 10485760'
seg 16 de maio 18:34:30 2005 Informação: 5165207 Recebido: ''250 ÇÃO'
"""
    found = restore(page)
    assert found.repairs
    assert found.unknown
    loud = msgspec.structs.replace(
        found,
        repairs=tuple(
            msgspec.structs.replace(r, found=r.found.upper(), restored=r.restored.upper(),
                                    reason=_loud(r.reason))
            for r in found.repairs
        ),
        unknown=tuple(u._replace(text=u.text.upper(), why=_loud(u.why)) for u in found.unknown),
        left_out=(1, 2),
    )  # fmt: skip
    return repairs.render(loud, code) + repairs.render(restore(""), code)


def _overview(code: str) -> str:
    counted = summary.Summary(
        sessions=3,
        tls=Counter(list(overview.TLS)),
        second_ehlo=Counter(list(overview.SECOND)),
        faults=Counter([*causes(), *(rule.id for rule in rules())]),
    )
    return overview.render(counted, code) + overview.markdown(counted, code)


def _loud(text: language.Text) -> language.Text:
    return language.Text(text.id, {name: str(v).upper() for name, v in text.values.items()})


NOT_WORDS = {"bytes", "json", "jsonl", "pcapng", "pdf", "player", "png", "session", "svg"}
"""Views that hold more than words, or none."""


def _text_of(view: View) -> Callable[[Explanation, str], str]:
    return lambda one, code: str(view.render(one, Page(code)))


VIEWS: dict[str, Callable[[Explanation, str], str]] = {
    **{name: _text_of(view) for name, view in views().items() if name not in NOT_WORDS},
    "list": player.listing,
    "comparison": lambda one, code: comparison.text(_compared(one), code),
    "comparison as markdown": lambda one, code: comparison.markdown(_compared(one), code),
}
SESSIONS = ("recorded", "attacked", "failed", "implicit")

NOT_PROSE = re.compile(
    r"""
      <q\ .*?</q>                           # a quotation of an RFC stays in English
    | (?s:<style>.*?</style>)
    | <[^>]+> | &\w+;                       # markup
    | https?://[^\s)]+
    | ^\s*(?:sequenceDiagram|accDescr|accTitle|title|end|rect\ rgb|participant\ \w\ as)
    | ^\s*Note\ (?:over|left\ of|right\ of)
    | ^```text$
    | ehlo-twice\ replay
    | \b(?:client|server|second|ehlo|mail|list|keyword|waits|tls|starttls|auth|esmtps|requiretls
        |password)(?:\\?-\w+)+\b              # a rule is called by its name
    """,
    re.VERBOSE | re.MULTILINE,
)


class Pseudo:
    """A made-up language: its letters are all the same; placeholders stay."""

    def gettext(self, text: str) -> str:
        return re.sub(r"\w+(?![^{]*\})", lambda word: "ж" * len(word[0]), text)


@pytest.fixture
def pseudo(monkeypatch: pytest.MonkeyPatch) -> str:
    """The code of the made-up language."""
    real = language._catalogue
    monkeypatch.setattr(language, "_catalogue", lambda c: Pseudo() if c == "xx" else real(c))
    return "xx"


def unsaid(shown: str) -> list[str]:
    """Words in small letters that did not come out of the catalogue."""
    return re.findall(r"\b[a-z]{2,}\b", NOT_PROSE.sub(" ", shown))


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("name", SESSIONS)
def test_every_word_of_a_view_is_in_the_catalogue(view: str, name: str, pseudo: str) -> None:
    assert unsaid(VIEWS[view](explained(name), pseudo)) == []


@pytest.mark.parametrize("shows", [_matrix, _repairs, _overview])
def test_every_word_of_a_table_is_in_the_catalogue(
    shows: Callable[[str], str], pseudo: str
) -> None:
    assert unsaid(shows(pseudo)) == []


@pytest.mark.parametrize("name", names())
def test_every_word_of_a_scenario_is_in_the_catalogue(name: str, pseudo: str) -> None:
    shown = annotated.render(explained("recorded"), pseudo, story=story(load(name), pseudo))
    assert unsaid(shown) == []


ENGLISH = re.compile(r"\b(?:the|are|of|which|what|client|whose)\b")
"""Words that hardly a sentence does without, and that no peer of an exercise says."""
NOT_OURS = re.compile(r"(?m)^ {4}.*|\S*/\S*|RFC \d+ §[\d.]+: “[^”]*”")
"""What was typed, where a file is, and quotations."""


@pytest.mark.parametrize("name", exercises.names())
def test_every_word_of_an_exercise_is_in_the_catalogue(
    name: str, pseudo: str, tmp_path: Path
) -> None:
    kept = tmp_path / "progress.json"
    hinted = exercises.hint(name, language=pseudo, progress=kept)
    answered = exercises.check(name, "A", language=pseudo, progress=kept)
    listed = exercises.overview(language=pseudo, progress=kept)
    for shown in (exercises.show(name, language=pseudo, progress=kept), hinted, answered, listed):
        assert "ж" in str(shown)
        assert ENGLISH.findall(NOT_OURS.sub("", str(shown))) == []


@pytest.mark.parametrize("view", VIEWS)
def test_a_word_beside_the_catalogue_would_be_found(view: str, pseudo: str) -> None:
    english, shown = (VIEWS[view](explained("recorded"), code) for code in ("en", pseudo))
    # A view may hold tokens of the protocol alone; it is the same in every language then.
    assert unsaid(english) != [] or english == shown
    assert "ж" in shown or english == shown


@cache
def translatable() -> frozenset[str]:
    return frozenset(str(message.id) for message in messages(catalogues.template()))


class Spy:
    """A catalogue that remembers which texts it was asked for that no translator ever sees.

    What a language lacks of those that translators do see, one test says for all of them.
    """

    def __init__(self) -> None:
        self.lacking: set[str] = set()

    def gettext(self, text: str) -> str:
        self.lacking |= {text} - translatable() - SAME
        return text


@pytest.mark.parametrize("name", sessions.ALL)
def test_nothing_is_said_in_english(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    spy = Spy()
    monkeypatch.setattr(language, "_catalogue", lambda _: spy)
    explanation = explain(sessions.ALL[name])
    for view in VIEWS.values():
        view(explanation, "pt_BR")
    assert spy.lacking == set()


@pytest.mark.parametrize("view", views().values(), ids=views())
def test_no_view_is_in_english(view: View, monkeypatch: pytest.MonkeyPatch) -> None:
    spy = Spy()
    monkeypatch.setattr(language, "_catalogue", lambda _: spy)
    view.render(explain(from_json(RECORDED.read_bytes())), Page("pt_BR"))
    assert spy.lacking == set()


@pytest.mark.parametrize("shows", [_matrix, _repairs, _overview])
def test_no_table_is_in_english(
    shows: Callable[[str], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    spy = Spy()
    monkeypatch.setattr(language, "_catalogue", lambda _: spy)
    shows("pt_BR")
    assert spy.lacking == set()
