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
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from simulator.views import pcapng
from tools.site.page import LANGUAGES, ROOT
from tools.site.plays import play, scenarios
from tools.words import word
from tools.workshop import sheets, slides, wheels

BUILD = ROOT / "build" / "workshop"
CACHE = BUILD / "wheels"
NAME = "ehlo-twice-workshop"
DIST = ROOT / "dist"
SITE = ROOT / "build" / "site-offline"
STORED = {".whl", ".png", ".woff2", ".pdf", ".zip"}
"""Files that are compressed already."""


Missing = dict[wheels.Target, list[str]]
"""Laptops that cannot be served, each with the packages that have no wheel for it."""


class Incomplete(Exception):
    """The kit cannot be put together: the message says what is missing, and how to get it."""


def build(only: Sequence[wheels.Target] = ()) -> list[Path]:
    """Write the kits below dist/: the teacher's, and one for learners for each system.

    With `only`, one zip for those laptops alone. Raises `Incomplete`, `NoBrowser`.
    """
    if not (SITE / "en" / "index.html").is_file():
        raise Incomplete("no site for the room: run `make site-offline` first")
    if not (ROOT / "notebooks" / "en").is_dir():
        raise Incomplete("there are no notebooks in notebooks/en")
    slides.build()
    printed = sheets.build()
    served = only or wheels.TARGETS
    missing = gather(BUILD / "kit" / "wheels", served)
    if only and missing:
        told = "; ".join(f"{target}: {', '.join(names)}" for target, names in missing.items())
        raise Incomplete(f"no wheel for {told}")
    DIST.mkdir(parents=True, exist_ok=True)
    made = [_teachers(printed, missing)] if not only else []
    for system, targets in _by_system(served).items():
        there = [target for target in targets if target not in missing]
        if there:
            made.append(_learners(system, there, printed, missing, bool(only)))
    checked = DIST / f"{NAME}-check.py"
    checked.write_text(check(missing), encoding="utf-8")
    return [*made, checked]


def _by_system(targets: Sequence[wheels.Target]) -> dict[str, list[wheels.Target]]:
    return {
        system: [target for target in targets if target.system == system]
        for system in dict.fromkeys(target.system for target in targets)
    }


def _teachers(printed: list[Path], missing: Missing) -> Path:
    """Site, slides, every sheet, and the notebooks: what the teacher carries; no wheels."""
    folder = _folder(NAME, missing)
    shutil.copytree(SITE, folder / "site")
    shutil.copytree(slides.BUILD, folder / "slides")
    for path in printed:
        shutil.copy(path, folder / "print")
    start(folder, missing, teacher=True)
    return pack(folder)


def _learners(
    system: str,
    targets: list[wheels.Target],
    printed: list[Path],
    missing: Missing,
    only: bool,
) -> Path:
    """Site without guide and key, notebooks, captures, handout, and what one system installs."""
    pythons = f"-py{'-'.join(target.python for target in targets)}" if only else ""
    folder = _folder(f"{NAME}-{system}{pythons}", missing)
    shutil.copytree(SITE, folder / "site")
    for language in LANGUAGES:
        without(folder / "site" / language)
    for path in printed:
        if path.name.startswith("handout."):
            shutil.copy(path, folder / "print")
    _installs(folder / "wheels", targets)
    start(folder, missing, teacher=False, system=system)
    return pack(folder)


TEACHERS_PAGES = ("guide", "answers", "quiz", "solutions")
WITHHELD = (
    '<!doctype html><meta charset="utf-8"><title>–</title>'
    "<p>This page is in the kit of the teacher. · Esta página está no kit de quem ensina.</p>"
    '<p><a href="../index.html">↩</a></p>\n'
)


def without(site: Path) -> None:
    """Take the teacher's pages out of a site that learners are given, its search included."""
    for name in TEACHERS_PAGES:
        for page in (site / "teach" / f"{name}.html", site / "teach" / name / "index.html"):
            if page.is_file():
                page.write_text(WITHHELD, encoding="utf-8")
    pages = tuple(f"teach/{name}" for name in TEACHERS_PAGES)
    for index in (site / "search").glob("search_index.*"):
        text = index.read_text(encoding="utf-8")
        head, brace, body = text.partition("{")
        found, end = json.JSONDecoder().raw_decode(brace + body)
        found["docs"] = [doc for doc in found["docs"] if not doc["location"].startswith(pages)]
        told = json.dumps(found, ensure_ascii=False, separators=(",", ":"))
        index.write_text(head + told + (brace + body)[end:], encoding="utf-8")


def _folder(name: str, missing: Missing) -> Path:
    folder = BUILD / "kit" / name
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "print").mkdir(parents=True)
    (folder / "check.py").write_text(check(missing), encoding="utf-8")
    shutil.copy(ROOT / "workshop" / "jupyter_lab_config.py", folder)
    shutil.copytree(
        ROOT / "notebooks",
        folder / "notebooks",
        ignore=shutil.ignore_patterns(".ipynb_checkpoints", "__pycache__"),
    )
    (folder / "captures").mkdir()
    for scenario in scenarios():
        told = pcapng.render(play(scenario.name).session)
        (folder / "captures" / f"{scenario.name}.pcapng").write_bytes(told)
    return folder


def check(missing: Missing) -> str:
    """The program that says, at home, whether a laptop will do."""
    told = (ROOT / "workshop" / "check.py").read_text(encoding="utf-8")
    served = sorted(f"{t.system} {t.python}" for t in wheels.TARGETS if t not in missing)
    return told.replace("SERVED = ()", f"SERVED = {tuple(served)!r}")


def wanted(text: str) -> list[wheels.Target]:
    """The laptops that `linux`, `windows,3.12` or `macos-arm64,3.13` names. Raises `Incomplete`."""
    system, _, python = text.partition(",")
    found = [
        target
        for target in wheels.TARGETS
        if target.system.startswith(system) and python in ("", target.python)
    ]
    if not found or not system:
        raise Incomplete(
            f"--for {text}: there are {', '.join(wheels.SYSTEMS)}, each with Python "
            f"{', '.join(wheels.PYTHONS)}: --for linux-x86_64,3.12"
        )
    return found


def gather(folder: Path, targets: Sequence[wheels.Target]) -> Missing:
    """Fetch the wheels of these laptops; returns those that cannot be served, and why."""
    text = (ROOT / "requirements" / "notebooks.txt").read_text(encoding="utf-8")
    lock = wheels.locked(text)
    # What has no wheel is asked for once for each lock.
    known = CACHE / f"missing-{hashlib.sha256(text.encode()).hexdigest()[:16]}.json"
    told: dict[str, list[str]] = json.loads(known.read_text("utf-8")) if known.is_file() else {}

    def fetch(target: wheels.Target) -> list[str]:
        return wheels.download(lock, target, CACHE, told.get(str(target), ()))

    # What the first one fetched is good for the others, but for a quarter of it.
    first, *others = targets
    told[str(first)] = fetch(first)
    with ThreadPoolExecutor(min(4, os.cpu_count() or 1)) as pool:
        told |= zip(map(str, others), pool.map(fetch, others), strict=True)
    known.write_text(json.dumps(told), encoding="utf-8")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    _own_wheel(folder)
    return {target: told[str(target)] for target in targets if told[str(target)]}


def _installs(folder: Path, targets: Sequence[wheels.Target]) -> None:
    """The wheels of these laptops, and one list of what to install."""
    text = (ROOT / "requirements" / "notebooks.txt").read_text(encoding="utf-8")
    lock = wheels.locked(text)
    folder.mkdir(parents=True)
    there = sorted(CACHE.glob("*.whl"))
    needed: set[Path] = set()
    for target in targets:
        needed |= wheels.serve(there, lock, target)
    for path in needed:
        shutil.copy(path, folder)
    [own] = (BUILD / "kit" / "wheels").glob("ehlo_twice-*.whl")
    shutil.copy(own, folder)
    digest = hashlib.sha256(own.read_bytes()).hexdigest()
    version = own.name.split("-")[1]
    lines = [*OFFLINE, *lock, f"ehlo-twice=={version} --hash=sha256:{digest}"]
    (folder / "requirements.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")


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
    target = DIST / f"{folder.name}.zip"
    partial = target.with_suffix(".partial")
    with zipfile.ZipFile(partial, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                how = zipfile.ZIP_STORED if path.suffix in STORED else zipfile.ZIP_DEFLATED
                archive.write(path, path.relative_to(folder.parent), how)
    partial.replace(target)
    return target


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
        f"room/bin/ehlo-twice replay plain --view esa{said}",
        f"room/bin/jupyter lab notebooks/{language}",
    )
    windows = (
        "py -m venv room",
        rf"room\Scripts\{INSTALL}",
        rf"room\Scripts\ehlo-twice replay plain --view esa{said}",
        rf"room\Scripts\jupyter lab notebooks/{language}",
    )
    return {"Linux": unix, "macOS": unix, "Windows (PowerShell)": windows}


LEARNER = (
    ("site/{language}/index.html", "site"),
    ("print/handout.{language}.pdf", "handout"),
    ("captures", "captures"),
)
"""What a learner finds in the folder: where it is, and the word that names it."""

TEACHER = (
    ("site/{language}/teach/guide.html", "guide"),
    ("site/{language}/index.html", "site"),
    ("slides/45.{language}.html", "slides-45"),
    ("slides/90.{language}.html", "slides-90"),
    ("slides/240.{language}.html", "slides-240"),
    ("slides/90.{language}.pdf", "slides-90-pdf"),
    ("print/wall.{language}.pdf", "wall"),
    ("print/log.{language}.pdf", "log"),
    ("print/handout.{language}.pdf", "handout"),
    ("print/cards.{language}.pdf", "cards"),
    ("print/quiz-A.{language}.pdf", "quiz-A"),
    ("print/quiz-B.{language}.pdf", "quiz-B"),
    ("print/key.{language}.pdf", "key"),
    ("print/solutions.{language}.pdf", "solutions"),
    ("captures", "captures"),
)


STYLE = """body{max-width:52rem;margin:2rem auto;padding:0 1rem;font:17px/1.55 system-ui,sans-serif;
color:#1d2329;background:#fdfcf9}h1,h2{font-family:Georgia,serif}h1{border-bottom:4px solid #36a06b}
pre{background:#f6f4ee;padding:.8rem 1rem;border-radius:.4rem;white-space:pre-wrap}
section{margin:3rem 0}
"""


def start(folder: Path, missing: Missing, *, teacher: bool, system: str = "") -> None:
    """START-HERE.html, in both languages on one page."""
    body = "".join(_start(language, missing, teacher, system) for language in LANGUAGES)
    (folder / "START-HERE.html").write_text(
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>START HERE · COMECE '
        f"AQUI</title><style>{STYLE}</style></head><body>{body}</body></html>\n",
        encoding="utf-8",
    )


SPOKEN = {"linux": "Linux", "macos": "macOS", "windows": "Windows (PowerShell)"}


def _told(language: str, name: str) -> str:
    return word(f"kit.{name}", language)


def _start(language: str, missing: Missing, teacher: bool, system: str) -> str:
    told = partial(_told, language)
    mine = {SPOKEN[system.partition("-")[0]]} if system else set(SPOKEN.values())
    python = "py" if system.startswith("windows") else "python3"
    blocks = "".join(
        f"<h2>{name}</h2><pre>{html.escape(chr(10).join(lines[:3]))}</pre>"
        f"<p>{told('then')}</p><pre>{html.escape(lines[3])}</pre>"
        for name, lines in commands(language).items()
        if name in mine
    )
    links = "".join(
        f'<li><a href="{path.format(language=language)}">{told(name)}</a></li>'
        for path, name in (TEACHER if teacher else LEARNER)
    )
    items = "".join(
        f"<li>{target}: {html.escape(', '.join(names))}</li>" for target, names in missing.items()
    )
    lacking = f"<p>{told('not')}</p><ul>{items}</ul>" if items else ""
    if teacher:
        blocks, need = "", f"<p>{told('hand')}</p>{lacking}"
    else:
        need = f"<p>{told('check')}</p><pre>{python} check.py</pre><p>{told('need')}</p>{lacking}"
        blocks += f"<p>{told('debian')}</p>" if "Linux" in mine else ""
    return (
        f'<section lang="{language}"><h1>{told("title")}</h1>{need}{blocks}'
        f"<p>{told('look')}</p><ul>{links}</ul></section>"
    )
