"""The kit: one zip with which a class of laptops without network can begin.

The site to be opened from disk, slides, sheets, notebooks, captures, and wheels for each system and
each Python; a page in both languages says where to start. What other people made (wheels, fonts,
reveal.js) is in the zip alone, never in this repository.
"""

from __future__ import annotations

import hashlib
import html
import json
import os
import shutil
import subprocess
import sys
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from simulator.views import pcapng
from tools.site.page import LANGUAGES, ROOT
from tools.site.plays import play, scenarios
from tools.workshop import sheets, slides, wheels

BUILD = ROOT / "build" / "workshop"
CACHE = BUILD / "wheels"
NAME = "ehlo-twice-workshop"
ZIP = ROOT / "dist" / f"{NAME}.zip"
SITE = ROOT / "build" / "site-offline"
STORED = {".whl", ".png", ".woff2", ".pdf", ".zip"}
"""Files that are compressed already."""


class Incomplete(Exception):
    """The kit cannot be put together: the message says what is missing, and how to get it."""


def build() -> Path:
    """Write dist/ehlo-twice-workshop.zip. Raises `Incomplete`, `NoBrowser`."""
    if not (SITE / "en" / "index.html").is_file():
        raise Incomplete("no site for the room: run `make site-offline` first")
    if not (ROOT / "notebooks" / "en").is_dir():
        raise Incomplete("there are no notebooks in notebooks/en")
    folder = BUILD / "kit" / NAME
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    shutil.copytree(SITE, folder / "site")
    slides.build()
    shutil.copytree(slides.BUILD, folder / "slides")
    (folder / "print").mkdir()
    for path in sheets.build():
        shutil.copy(path, folder / "print")
    shutil.copytree(
        ROOT / "notebooks",
        folder / "notebooks",
        ignore=shutil.ignore_patterns(".ipynb_checkpoints", "__pycache__"),
    )
    (folder / "captures").mkdir()
    for scenario in scenarios():
        told = pcapng.render(play(scenario.name).session)
        (folder / "captures" / f"{scenario.name}.pcapng").write_bytes(told)
    missing = gather(folder / "wheels")
    start(folder, missing)
    return pack(folder)


def gather(folder: Path) -> dict[wheels.Target, list[str]]:
    """All wheels, and one list of what to install; returns the laptops that cannot be served."""
    text = (ROOT / "requirements" / "notebooks.txt").read_text(encoding="utf-8")
    lock = wheels.locked(text)
    # What has no wheel is asked for once for each lock.
    known = CACHE / f"missing-{hashlib.sha256(text.encode()).hexdigest()[:16]}.json"
    told: dict[str, list[str]] = json.loads(known.read_text("utf-8")) if known.is_file() else {}

    def fetch(target: wheels.Target) -> list[str]:
        return wheels.download(lock, target, CACHE, told.get(str(target), ()))

    # What the first one fetched is good for the others, but for a quarter of it.
    first, *others = wheels.TARGETS
    told[str(first)] = fetch(first)
    with ThreadPoolExecutor(min(4, os.cpu_count() or 1)) as pool:
        told |= zip(map(str, others), pool.map(fetch, others), strict=True)
    known.write_text(json.dumps(told), encoding="utf-8")
    missing = {target: told[str(target)] for target in wheels.TARGETS if told[str(target)]}
    folder.mkdir(parents=True)
    there = sorted(CACHE.glob("*.whl"))
    needed: set[Path] = set()
    for target in wheels.TARGETS:
        if target not in missing:
            needed |= wheels.serve(there, lock, target)
    for path in needed:
        shutil.copy(path, folder)
    own = _own_wheel(folder)
    digest = hashlib.sha256(own.read_bytes()).hexdigest()
    version = own.name.split("-")[1]
    lines = [*OFFLINE, *lock, f"ehlo-twice=={version} --hash=sha256:{digest}"]
    (folder / "requirements.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return missing


def _own_wheel(folder: Path) -> Path:
    command = [
        *(sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"),
        *("--disable-pip-version-check", f"--wheel-dir={folder}", str(ROOT)),
    ]
    subprocess.run(command, check=True)  # noqa: S603
    [own] = folder.glob("ehlo_twice-*.whl")
    return own


def pack(folder: Path) -> Path:
    """The folder as one zip."""
    ZIP.parent.mkdir(parents=True, exist_ok=True)
    partial = ZIP.with_suffix(".partial")
    with zipfile.ZipFile(partial, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                how = zipfile.ZIP_STORED if path.suffix in STORED else zipfile.ZIP_DEFLATED
                archive.write(path, path.relative_to(folder.parent), how)
    partial.replace(ZIP)
    return ZIP


# --- where to start -----------------------------------------------------------------------------

INSTALL = "pip install -r wheels/requirements.txt"
OFFLINE = ("--no-index", "--find-links .", "--require-hashes")
"""What that file says first, so that nobody has to type it."""


def commands(language: str) -> dict[str, tuple[str, ...]]:
    """What one types in the unpacked folder, by system: three commands, and the notebooks."""
    said = "" if language == "en" else f" --lang {LANGUAGES[language]}"
    unix = (
        "python3 -m venv room",
        f"room/bin/{INSTALL}",
        f"room/bin/ehlo-twice replay{said}",
        f"room/bin/jupyter lab notebooks/{language}",
    )
    windows = (
        "py -m venv room",
        rf"room\Scripts\{INSTALL}",
        rf"room\Scripts\ehlo-twice replay{said}",
        rf"room\Scripts\jupyter lab notebooks/{language}",
    )
    return {"Linux": unix, "macOS": unix, "Windows (PowerShell)": windows}


TOLD = {
    "en": {
        "title": "Start here",
        "need": "Each laptop needs Python 3.11, 3.12 or 3.13, and nothing else: no network. "
        "Open a terminal in this folder and type the three lines of your system.",
        "then": "The notebooks, in the browser:",
        "look": "Or only look: the site, the slides, the sheets to print.",
        "not": "Not on these laptops (macos-x86_64 is a Mac with an Intel processor): the packages "
        "named have no wheel there. Open the site from this folder, or share with a neighbour.",
        "debian": "On Debian and Ubuntu the first line wants the package python3-venv.",
        "where": "site/en/teach/guide.html|For the teacher: instructor guide;"
        "site/en/index.html|The site;slides/en.html|Slides (S: notes);"
        "slides/en.pdf|Slides for paper;print/handout.en.pdf|Handout;"
        "print/cards.en.pdf|Cards to lay in order;print/quiz.en.pdf|Quiz, before and after;"
        "captures|Captures for Wireshark",
    },
    "pt-BR": {
        "title": "Comece aqui",
        "need": "Cada notebook precisa do Python 3.11, 3.12 ou 3.13, e de mais nada: nem de rede. "
        "Abra um terminal nesta pasta e digite as três linhas do seu sistema.",
        "then": "Os notebooks Jupyter, no navegador:",
        "look": "Ou apenas olhe: o site, os slides, as folhas para imprimir.",
        "not": "Nestes computadores, não (macos-x86_64 é um Mac com processador Intel): os pacotes "
        "indicados não têm wheel para eles. Abra o site desta pasta ou use o de um colega.",
        "debian": "No Debian e no Ubuntu, a primeira linha precisa do pacote python3-venv.",
        "where": "site/pt-BR/teach/guide.html|Para quem ensina: guia do instrutor;"
        "site/pt-BR/index.html|O site;slides/pt-BR.html|Slides (S: notas);"
        "slides/pt-BR.pdf|Slides para imprimir;print/handout.pt-BR.pdf|Folha de apoio;"
        "print/cards.pt-BR.pdf|Cartas para pôr em ordem;"
        "print/quiz.pt-BR.pdf|Questionário, antes e depois;captures|Capturas para o Wireshark",
    },
}

STYLE = """body{max-width:52rem;margin:2rem auto;padding:0 1rem;font:17px/1.55 system-ui,sans-serif;
color:#1d2329;background:#fdfcf9}h1,h2{font-family:Georgia,serif}h1{border-bottom:4px solid #36a06b}
pre{background:#f6f4ee;padding:.8rem 1rem;border-radius:.4rem;white-space:pre-wrap}
section{margin:3rem 0}
"""


def start(folder: Path, missing: dict[wheels.Target, list[str]]) -> None:
    """START-HERE.html, in both languages on one page."""
    body = "".join(_start(language, missing) for language in TOLD)
    (folder / "START-HERE.html").write_text(
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>START HERE · COMECE '
        f"AQUI</title><style>{STYLE}</style></head><body>{body}</body></html>\n",
        encoding="utf-8",
    )


def _start(language: str, missing: dict[wheels.Target, list[str]]) -> str:
    told = TOLD[language]
    blocks = "".join(
        f"<h2>{system}</h2><pre>{html.escape(chr(10).join(lines[:3]))}</pre>"
        f"<p>{told['then']}</p><pre>{html.escape(lines[3])}</pre>"
        for system, lines in commands(language).items()
    )
    links = "".join(
        '<li><a href="{}">{}</a></li>'.format(*entry.split("|"))
        for entry in told["where"].split(";")
    )
    lacking = ""
    if missing:
        items = "".join(
            f"<li>{target}: {html.escape(', '.join(names))}</li>"
            for target, names in missing.items()
        )
        lacking = f"<p>{told['not']}</p><ul>{items}</ul>"
    return (
        f'<section lang="{language}"><h1>{told["title"]}</h1><p>{told["need"]}</p>{lacking}'
        f"{blocks}<p>{told['debian']}</p><p>{told['look']}</p><ul>{links}</ul></section>"
    )
