"""What is filled in is, to the letter, what reading and explaining each session shows."""

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from simulator import formats
from simulator.explainer import explain, veiled_all
from simulator.formats import shapes
from simulator.masking import Veil
from simulator.verdict import Verdict
from simulator.views.casting import Casting
from simulator.views.view import Cast, Page, view

NAMES = [
    "unknown",
    "mail{n}.example.com",
    "h{n}.example.org",
    "tlsv1-{n}.example.net",
    "{n}-550-blocked.example",
    "scan-{n}.probe.example",
    "mx.password.example",
    "timeout{n}.refused.example",
    "a{n}.b{n}.c",
]
HEADS = (
    "Nov {d:2} {h:02}:{m:02}:{s:02} mx1",
    "2026-11-{d:02}T{h:02}:{m:02}:{s:02}.{f:06}+01:00 mx-250",
)
SAID = """
SSL_accept error from {p}: -1
lost connection after STARTTLS from {p}
disconnect from {p} ehlo=1 starttls=0/1 commands=1/2

SSL_accept error from {p}: lost connection
warning: TLS library problem: error:0A00010B:SSL routines::wrong version number
disconnect from {p}

SSL_accept error from {p}: -1
warning: TLS library problem: error:0A000416:SSL routines::sslv3 alert: SSL alert number 46
lost connection after STARTTLS from {p}
disconnect from {p} ehlo=1 starttls=0/1 commands=1/2

warning: hostname {n} does not resolve to address {a}
lost connection after STARTTLS from {p}
disconnect from {p}

NOQUEUE: reject: MAIL from {p}: 530 5.7.0 Must issue a STARTTLS command first; helo=<{n}>
disconnect from {p} ehlo=1 mail=0/1 commands=1/2

warning: {p}: SASL LOGIN authentication failed: UGFzc3dvcmQ6
disconnect from {p} ehlo=1 auth=0/1 commands=1/2

Anonymous TLS connection established from {p}: TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256)
disconnect from {p} ehlo=2 starttls=1 quit=1 commands=4
"""


def lines(rng: random.Random, sessions: int) -> Iterator[str]:
    """Sessions one after another, some with lines of other processes about."""
    head, names, said_here = (
        rng.choice(HEADS),
        rng.sample(NAMES, 4),
        rng.sample(SAID.strip().split("\n\n"), 4),
    )
    for _ in range(sessions):
        name = rng.choice(names).format(n=rng.choice((7, 42, 46, 113, 250, 454, 550)))
        address = f"203.0.{rng.choice((7, 113))}.{rng.randrange(90, 256)}"
        peer = {"p": f"{name}[{address}]", "n": name, "a": address}
        pid = rng.choice((421, 1234, 7890))
        said = ("connect from {p}", *rng.choice(said_here).splitlines())
        for number, one in enumerate(said):
            clock = {
                "d": rng.choice((3, 14)),
                "h": 11,
                "m": 41,
                "s": 20 + number,
                "f": rng.randrange(10**6),
            }
            yield f"{head.format(**clock)} postfix/smtpd[{pid}]: {one.format(**peer)}"
            if rng.random() < 0.05:
                yield f"{head.format(**clock)} postfix/anvil[9]: statistics: max cache size 1"


def both(path: Path, name: str, page: Page, ahead: int, **how: bool) -> tuple[str, str, int]:
    """All sessions with a problem, filled in and explained, and how many were filled in."""
    shown = view(name)
    assert shown.cast is not None
    assert shown.pieces is not None
    casting = Casting(shown, page, Veil(**how))
    found = list(casting.all(formats.sifted(path, problem), problem, ahead))
    each = (explain(session) for session in formats.read(path))
    wanted = (explanation for explanation in each if explanation.verdict.problem)
    plain = "".join(shown.pieces(veiled_all(wanted, Veil(**how), ahead), page))
    return "".join(shown.cast(found, page)), plain, sum(isinstance(one, Cast) for one in found)


def problem(verdict: Verdict) -> bool:
    return verdict.problem


@pytest.fixture(autouse=True)
def fast(monkeypatch: pytest.MonkeyPatch) -> None:
    """No log is too small for the fast way."""
    monkeypatch.setattr(formats, "LARGE", 0)


@pytest.mark.parametrize("seed", range(8))
def test_filled_in_is_explained(seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = random.Random(seed)
    path = tmp_path / "log"
    path.write_text("".join(f"{line}\n" for line in lines(rng, 300)))
    monkeypatch.setattr(shapes, "PIECE", rng.choice((777, 1 << 17)))
    page = Page(rng.choice(("en", "pt_BR")), width=rng.choice((60, 80, 110)), colour=seed % 2 == 0)
    name = "markdown" if seed % 4 == 3 else "annotated"
    cast, plain, count = both(path, name, page, seed % 3 * 50)
    assert cast == plain
    assert count


def test_with_the_secrets_shown(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_text("".join(f"{line}\n" for line in lines(random.Random(1), 200)))
    cast, plain, count = both(path, "annotated", Page(), 0, secrets=False)
    assert cast == plain
    assert count


def test_with_other_names_nothing_is_filled_in(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_text("".join(f"{line}\n" for line in lines(random.Random(2), 100)))
    cast, plain, count = both(path, "annotated", Page(), 0, names=True)
    assert cast == plain
    assert not count


def failures(sessions: int) -> list[str]:
    """Handshakes that fail alike."""
    peer = "h12.example.com[203.0.113.{n}]"
    once = [
        "connect from " + peer,
        "SSL_accept error from " + peer + ": -1",
        "lost connection after STARTTLS from " + peer,
        "disconnect from " + peer + " ehlo=1 starttls=0/1 commands=1/2",
    ]
    return [one.format(n=n) for n in range(10, 10 + sessions) for one in once]


def write(path: Path, said: list[str]) -> Path:
    path.write_text("".join(f"Nov 25 10:00:00 mx postfix/smtpd[91]: {one}\n" for one in said))
    return path


def test_of_those_that_fail_alike_most_are_filled_in(tmp_path: Path) -> None:
    cast, plain, count = both(write(tmp_path / "log", failures(60)), "annotated", Page(), 0)
    assert cast == plain
    assert count > 40


@pytest.mark.parametrize("ahead", [0, 20, 500])
def test_a_secret_is_masked_in_what_came_before(ahead: int, tmp_path: Path) -> None:
    """A name that turns out to be a secret is masked where it was filled in already."""
    said = failures(50)
    said[161:161] = ["warning: AUTH PLAIN password=h12.example.com"]
    cast, plain, _ = both(write(tmp_path / "log", said), "annotated", Page(), ahead)
    assert cast == plain
