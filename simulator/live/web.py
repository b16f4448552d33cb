"""The page of the lab, and the same for programs: a JSON API, and events as they happen."""

from __future__ import annotations

import asyncio
import email
import email.policy
import json
import secrets
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from html import escape
from importlib.metadata import version
from importlib.resources import files
from typing import Any

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from simulator.cells import MEANINGS, ending
from simulator.errors import Error
from simulator.explainer import explain
from simulator.lab import certificates
from simulator.lab.policy import MiddleboxPolicy, ServerPolicy
from simulator.language import SOURCE, languages, said, say
from simulator.live import challenge
from simulator.live.hand import PORT, ROOMS, Move, NotNow, Rooms, Seat, seat
from simulator.live.ports import Door
from simulator.live.store import Kept, News, Store
from simulator.live.words import HAND, LABELS
from simulator.session import Command, Message, Side, to_json
from simulator.views import player
from simulator.views.inert import printable
from simulator.views.view import Page, view

BODY = 64 * 1024
"""Octets of a request that are read."""

SLICE = 0.03
"""Seconds that one list may spend on explaining sessions: nobody else is answered meanwhile."""

REST = 2.0
"""How much longer than it works it rests, when the lab explains what lists have left out."""

PULSE = 15.0
"""Seconds after which a silent stream of events says that it is still there."""

DOWNLOADS = {
    "session": "application/json",
    "json": "application/json",
    "annotated": "text/plain; charset=utf-8",
    "esa": "text/plain; charset=utf-8",
    "player": "text/html; charset=utf-8",
    "mermaid": "text/plain; charset=utf-8",
    "markdown": "text/markdown; charset=utf-8",
    "pcapng": "application/x-pcapng",
}
"""Views in which a session can be taken along."""

Answer = Callable[[Request], Awaitable[Response]]

HEADERS = {
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
}


class Refused(Error):
    """A request that is not answered: `status` says how, the message why."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status


class Guard:
    """Lets in who may come in: a browser that was sent here from elsewhere may not.

    `hosts` are the names under which the page is reached; any other Host is a name that somebody
    else has pointed here. What changes something must come from the page itself. Where there is a
    `token`, nothing is answered without it.
    """

    def __init__(self, app: ASGIApp, hosts: Sequence[str], token: str = "") -> None:
        self.app = app
        self.hosts = frozenset(hosts)
        self.token = token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or refuse."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request = Request(scope)
        refused = self._refuses(request)
        if refused is not None:
            await refused(scope, receive, send)
            return

        async def safely(message: Any) -> None:
            if message["type"] == "http.response.start":
                raw = message.setdefault("headers", [])
                have = {name for name, _ in raw}
                for name, value in HEADERS.items():
                    if name.encode() not in have:
                        raw.append((name.encode(), value.encode()))
            await send(message)

        await self.app(scope, receive, safely)

    def _refuses(self, request: Request) -> Response | None:
        host = request.headers.get("host", "").lower()
        if host not in self.hosts:
            return _problem(421, "this is not the name of the lab")
        origin = request.headers.get("origin")
        if origin and origin.lower() != f"http://{host}":
            return _problem(403, "only the lab's own page may ask")
        if request.headers.get("sec-fetch-site") in ("cross-site", "same-site") and (
            request.method not in ("GET", "HEAD") or request.url.path.startswith("/api/")
        ):
            return _problem(403, "only the lab's own page may ask")
        if not self.token or request.url.path == "/api/health":
            return None
        given = request.query_params.get("token", "")
        if given and secrets.compare_digest(given.encode(), self.token.encode()):
            there = RedirectResponse(request.url.path, 303)
            there.set_cookie(
                "ehlo-twice-lab", self.token, httponly=True, samesite="strict", max_age=86400
            )
            return there
        shown = request.cookies.get("ehlo-twice-lab", "")
        kind, _, bearer = request.headers.get("authorization", "").partition(" ")
        if kind.lower() == "bearer":
            shown = bearer
        if not secrets.compare_digest(shown.encode(), self.token.encode()):
            return _problem(401, "the token is missing: use the address that the lab printed")
        return None


def _problem(status: int, why: str) -> Response:
    return JSONResponse({"error": why}, status, headers=HEADERS)


class Web:
    """The answers to all requests."""

    def __init__(
        self,
        store: Store,
        doors: Sequence[Door],
        language: str = SOURCE,
        *,
        challenge: bool = False,
    ) -> None:
        self.store = store
        self.doors = doors
        self.language = language
        self.challenge = challenge
        self.closing = asyncio.Event()
        self.rooms = Rooms(store)
        self._catching_up: dict[str, asyncio.Task[None]] = {}

    def app(self, hosts: Sequence[str], token: str = "") -> ASGIApp:
        """The application, guarded."""
        routes = [
            Route(path, _told(answer), methods=[method]) for method, path, answer in self._routes()
        ]
        return Guard(Starlette(routes=routes), hosts, token)

    def _routes(self) -> list[tuple[str, str, Answer]]:
        return [
            ("GET", "/", self.page),
            ("GET", "/page.js", _file("page.js", "text/javascript")),
            ("GET", "/lab.js", _file("lab.js", "text/javascript")),
            ("GET", "/lab.css", _file("lab.css", "text/css")),
            ("GET", "/player.js", self.script),
            ("GET", "/authority.pem", self.authority),
            ("GET", "/hand", self.hand_page),
            ("GET", "/hand/{number:int}/{side}", self.hand_page),
            ("GET", "/hand.js", _file("hand.js", "text/javascript")),
            ("GET", "/api/health", self.health),
            ("GET", "/api/openapi.json", self.openapi),
            ("GET", "/api/events", self.events),
            ("GET", "/api/ports", self.ports),
            ("PUT", "/api/ports/{name}", self.change),
            ("GET", "/api/hand", self.hands),
            ("POST", "/api/hand", self.hand_begin),
            ("GET", "/api/hand/{number:int}/{side}", self.hand),
            ("POST", "/api/hand/{number:int}/{side}", self.hand_move),
            ("GET", "/api/sessions", self.sessions),
            ("DELETE", "/api/sessions", self.clear),
            ("GET", "/api/sessions/{number:int}", self.session),
            ("DELETE", "/api/sessions/{number:int}", self.clear),
            ("PUT", "/api/sessions/{number:int}/pin", self.pin),
            ("GET", "/api/sessions/{number:int}/messages", self.messages),
            ("GET", "/api/sessions/{number:int}/{view}", self.download),
        ]

    async def page(self, request: Request) -> Response:
        """The page."""
        return self._filled(request, "index.html", LABELS)

    def _filled(self, request: Request, name: str, said: Sequence[str]) -> Response:
        lang = self._language(request)
        labels = json.dumps({label: say(label, lang) for label in said}).replace("<", "\\u003c")
        text = (files("simulator.live") / "page" / name).read_text("utf-8")
        filled = {
            "LANG": lang.replace("_", "-"),
            "LABELS": labels,
            "TITLE": escape(say(said[0], lang)),
            "LANGUAGES": "".join(
                f'<a href="?lang={code}" lang="{code.replace("_", "-")}"'
                f"{' aria-current=true' if code == lang else ''}>{escape(name)}</a>"
                for code, name in languages().items()
                if code in ("en", "pt_BR") or code == lang
            ),
        }
        for name, value in filled.items():
            text = text.replace(f"%{name}%", value)
        return Response(text, media_type="text/html")

    async def hand_page(self, request: Request) -> Response:
        """Where a session is played by hand: the page of a side, or the one that leads there."""
        if "side" in request.path_params:
            self._seat(request)
        return self._filled(request, "hand.html", HAND)

    async def hands(self, _: Request) -> Response:
        """The sessions that are being played by hand, newest first."""
        return _json({"going": self.rooms.going(), "at_most": ROOMS})

    async def hand_begin(self, request: Request) -> Response:
        """A new session to be played by hand."""
        await _body(request)
        return _json({"number": self.rooms.begin().number})

    async def hand(self, request: Request) -> Response:
        """What one side sees, knows, and may say next."""
        return _json(self._seen(request, *self._seat(request)))

    async def hand_move(self, request: Request) -> Response:
        """One side says something, lawful or not, shakes hands, or closes."""
        kept, side = self._seat(request)
        try:
            asked = msgspec.json.decode(await _body(request), type=Move)
        except msgspec.DecodeError as error:
            raise Refused(422, str(error)) from None
        room = self.rooms.get(kept.number)
        if room is None:
            raise Refused(409, say("The session is over.", self._language(request)))
        try:
            if asked.act is not None:
                self.rooms.act(room, side, asked.act)
            else:
                self.rooms.say(room, side, asked.say)
        except NotNow as why:
            raise Refused(409, say(str(why), self._language(request))) from None
        return _json(self._seen(request, kept, side))

    def _seat(self, request: Request) -> tuple[Kept, Side]:
        kept = self._kept(request)
        side = request.path_params["side"]
        if kept.port != PORT or side not in ("client", "server"):
            raise Refused(404, f"nobody plays {side!r} by hand in session {kept.number}")
        return kept, side

    def _seen(self, request: Request, kept: Kept, side: Side) -> Seat:
        return seat(kept, self.rooms.get(kept.number), side, self._language(request))

    async def script(self, _: Request) -> Response:
        """The player."""
        return Response(player.script(), media_type="text/javascript")

    async def authority(self, _: Request) -> Response:
        """The certificate that clients of the lab must trust."""
        return Response(certificates.authority_pem(), media_type="application/x-pem-file")

    async def health(self, _: Request) -> Response:
        """That it is there."""
        return _json({"status": "ok", "version": version("ehlo-twice"), **self._counts()})

    async def openapi(self, _: Request) -> Response:
        """What can be asked, as OpenAPI has it."""
        return _json(_openapi([(method, path, a) for method, path, a in self._routes()]))

    async def events(self, request: Request) -> Response:
        """What happens, as server-sent events; each says what to ask for anew."""
        ear = self.store.listen()

        async def stream() -> AsyncIterator[str]:
            ending = asyncio.ensure_future(self.closing.wait())
            try:
                yield "retry: 1000\n\n"
                while not self.closing.is_set():
                    coming = asyncio.ensure_future(ear.get())
                    try:
                        await asyncio.wait(
                            {coming, ending}, timeout=PULSE, return_when=asyncio.FIRST_COMPLETED
                        )
                        if not coming.done():
                            yield ": still here\n\n"
                            continue
                        news = coming.result()
                    finally:
                        coming.cancel()
                    yield f"data: {msgspec.json.encode(news).decode()}\n\n"
            finally:
                ending.cancel()
                self.store.unlisten(ear)

        return StreamingResponse(stream(), media_type="text/event-stream")

    async def ports(self, request: Request) -> Response:
        """The ports and their policies."""
        lang = self._language(request)
        ports = [self._port(door, lang) for door in self.doors]
        return _json({"ports": ports, "challenge": self.challenge})

    async def change(self, request: Request) -> Response:
        """New policies for a port, which hold for who comes from now on."""
        name = request.path_params["name"]
        door = next((door for door in self.doors if door.port.name == name), None)
        if door is None:
            raise Refused(404, f"no port {name!r}")
        if self.challenge:
            raise Refused(409, "the servers of a challenge stay as they are")
        try:
            asked = msgspec.json.decode(await _body(request), type=_Change)
        except msgspec.DecodeError as error:
            raise Refused(422, str(error)) from None
        server = asked.server or door.port.server
        if server.implicit_tls != door.port.server.implicit_tls:
            raise Refused(422, "implicit_tls cannot be changed while the port is open")
        door.change(server, asked.middlebox or door.port.middlebox)
        self.store.tell(News("ports"))
        return _json(self._port(door, self._language(request)))

    async def sessions(self, request: Request) -> Response:
        """All sessions, newest first; `q` searches in what was said, `port` takes those of one."""
        lang = self._language(request)
        words = request.query_params.get("q", "").casefold().split()
        port = request.query_params.get("port", "")
        until = time.monotonic() + SLICE
        rows, behind = [], 0
        for kept in reversed(list(self.store)):
            if (port and kept.port != port) or not _holds(kept, words):
                continue
            if self._told(kept, lang) or time.monotonic() < until:
                rows.append(self._summary(kept, lang))
                continue
            behind += 1
            if lang in kept.summaries:
                rows.append(kept.summaries[lang][1] | {"pinned": kept.pinned})
        if behind and lang not in self._catching_up:
            self._catching_up[lang] = asyncio.create_task(self._catch_up(lang))
        return _json({"sessions": rows, "behind": behind, **self._counts()})

    async def _catch_up(self, lang: str) -> None:
        """Explain what a list left out for want of time, a little at a time; then say that there
        is news."""
        try:
            while behind := [kept for kept in self.store if not self._told(kept, lang)]:
                for kept in behind:
                    begun = time.monotonic()
                    self._summary(kept, lang)
                    await asyncio.sleep(REST * (time.monotonic() - begun))
        finally:
            del self._catching_up[lang]
            self.store.tell(News("gone"))

    async def session(self, request: Request) -> Response:
        """One session explained, as the player takes it."""
        kept = self._kept(request)
        lang = self._language(request)
        text = player.data([kept.explanation()], lang, self._title(kept, lang))
        return Response(text, media_type="application/json")

    async def download(self, request: Request) -> Response:
        """One session in a view, to take along."""
        kept = self._kept(request)
        name = request.path_params["view"]
        if name not in DOWNLOADS:
            raise Refused(404, f"no view {name!r}: there are {', '.join(DOWNLOADS)}")
        if name == "session":
            shown: str | bytes = to_json(kept.record())
            ending_of = ".session.json"
        else:
            found = view(name)
            explanation = kept.explanation()
            if name == "pcapng":
                explanation = explain(kept.record())
                if not explanation.session.wire:
                    raise Refused(
                        409,
                        "no capture of this session: a credential crossed in the clear, more "
                        "crossed than is kept, or it comes from an older file",
                    )
            shown = found.render(explanation, Page(language=self._language(request)))
            ending_of = f"-{found.file}"
        headers = {"content-disposition": f'attachment; filename="{kept.number}{ending_of}"'}
        return Response(shown, media_type=DOWNLOADS[name], headers=headers)

    async def messages(self, request: Request) -> Response:
        """The messages of a session: headers and parts, as text."""
        kept = self._kept(request)
        events = kept.session().events
        raws = [event.raw for event in events if isinstance(event, Message)]
        return _json({"messages": [_message(raw) for raw in raws]})

    async def pin(self, request: Request) -> Response:
        """Keep a session, or no longer."""
        kept = self._kept(request)
        try:
            asked = msgspec.json.decode(await _body(request), type=_Pin)
        except msgspec.DecodeError as error:
            raise Refused(422, str(error)) from None
        self.store.pin(kept.number, asked.pinned)
        return _json({"pinned": kept.pinned})

    async def clear(self, request: Request) -> Response:
        """Forget a session, or all that are not pinned."""
        number = request.path_params.get("number")
        if number is not None:
            self._kept(request)
        self.store.clear(number)
        return Response(status_code=204)

    def _language(self, request: Request) -> str:
        asked = request.query_params.get("lang", self.language)
        return asked if asked in languages() else self.language

    def _kept(self, request: Request) -> Kept:
        number = request.path_params["number"]
        kept = self.store.get(number)
        if kept is None:
            raise Refused(404, f"no session {number}: it was cleared, or dropped for newer ones")
        return kept

    def _counts(self) -> dict[str, int]:
        return {"kept": len(self.store), "dropped": self.store.dropped}

    def _title(self, kept: Kept, lang: str) -> str:
        door = next((door for door in self.doors if door.port.name == kept.port), None)
        port = said(door.port.title, lang) if door else kept.port
        if port == PORT:
            port = say(HAND[0], lang)
        return f"{kept.number} · {port}"

    def _port(self, door: Door, lang: str) -> dict[str, object]:
        host, number = door.address
        return {
            "name": door.port.name,
            "title": said(door.port.title, lang),
            "host": host,
            "port": number,
            "server": msgspec.to_builtins(door.port.server),
            "middlebox": msgspec.to_builtins(door.port.middlebox),
        }

    def _summary(self, kept: Kept, lang: str) -> dict[str, object]:
        if not self._told(kept, lang):
            version = kept.version
            kept.summaries[lang] = (version, self._summarised(kept, lang))
        return kept.summaries[lang][1] | {"pinned": kept.pinned}

    def _told(self, kept: Kept, lang: str) -> bool:
        """Is there a summary that tells all that happened?"""
        return lang in kept.summaries and kept.summaries[lang][0] == kept.version

    def _summarised(self, kept: Kept, lang: str) -> dict[str, object]:
        # Asked first: what is over by now is explained to its end.
        over = kept.over
        explanation = kept.explanation()
        session, verdict = explanation.session, explanation.verdict
        hellos = [e.argument for e in session.events if isinstance(e, Command) and _hello(e)]
        category = ending(explanation, kept.does)[0]
        broken = list(dict.fromkeys(note.rule for note in explanation.findings))
        feedback = challenge.judged(kept)
        return {
            "number": kept.number,
            "port": kept.port,
            "title": self._title(kept, lang),
            "client": hellos[-1] if hellos else "",
            "address": f"{session.client.address}:{session.client.port}",
            "began": kept.began.isoformat(),
            "over": over,
            "events": len(session.events),
            "outcome": say(verdict.outcome, lang, printable),
            "ending": category,
            "meaning": say(MEANINGS[category], lang),
            "second_ehlo": verdict.second_ehlo,
            "tls": verdict.tls,
            "broken": broken,
            "feedback": feedback
            and {
                "passed": feedback.passed,
                "failed": say(feedback.failed, lang),
                "fits": say(feedback.fits, lang),
                "step": feedback.step,
            },
        }


class _Change(msgspec.Struct, forbid_unknown_fields=True):
    server: ServerPolicy | None = None
    middlebox: MiddleboxPolicy | None = None


class _Pin(msgspec.Struct, forbid_unknown_fields=True):
    pinned: bool


def _hello(event: Command) -> bool:
    return event.by == "client" and event.verb in ("EHLO", "HELO") and bool(event.argument)


def _holds(kept: Kept, words: list[str]) -> bool:
    if not words:
        return True
    said = kept.said()
    return all(word in said or word == str(kept.number) for word in words)


def _message(raw: bytes) -> dict[str, object]:
    """Headers and parts of a message; what cannot be read is said to be so."""
    text = raw.removesuffix(b".\r\n")
    try:
        parsed = email.message_from_bytes(text, policy=email.policy.default)
        headers = [[name, str(value)] for name, value in parsed.items()]
        parts = []
        for part in parsed.walk():
            if part.is_multipart():
                continue
            content = part.get_content() if part.get_content_maintype() == "text" else None
            payload = part.get_payload(decode=True) or b""
            parts.append(
                {
                    "type": part.get_content_type(),
                    "file": part.get_filename() or "",
                    "size": len(payload) if isinstance(payload, bytes) else 0,
                    "text": content[:20_000] if isinstance(content, str) else "",
                }
            )
    except Exception:  # whatever the parser stumbles over, the message is somebody's to look at
        return {"headers": [], "parts": [], "raw": text[:20_000].decode("utf-8", "replace")}
    return {"headers": headers, "parts": parts, "raw": text[:20_000].decode("utf-8", "replace")}


async def _body(request: Request) -> bytes:
    if request.headers.get("content-type", "").partition(";")[0] != "application/json":
        raise Refused(415, "send application/json")
    body = b""
    async for piece in request.stream():
        body += piece
        if len(body) > BODY:
            raise Refused(413, "too long")
    return body


def _told(answer: Answer) -> Answer:
    """The answer, or why there is none."""

    async def told(request: Request) -> Response:
        try:
            return await answer(request)
        except Refused as refused:
            return _problem(refused.status, str(refused))

    return told


def _json(value: object) -> Response:
    return Response(msgspec.json.encode(value), media_type="application/json")


def _file(name: str, kind: str) -> Answer:
    async def serve(_: Request) -> Response:
        return Response((files("simulator.live") / "page" / name).read_bytes(), media_type=kind)

    return serve


def _openapi(routes: Sequence[tuple[str, str, Answer]]) -> dict[str, object]:
    paths: dict[str, dict[str, object]] = {}
    for method, path, answer in routes:
        if not path.startswith("/api/"):
            continue
        clean = path.replace(":int}", "}")
        names = [part[1:-1] for part in clean.split("/") if part.startswith("{")]
        parameters: list[dict[str, object]] = [
            {
                "name": name,
                "in": "path",
                "required": True,
                "schema": {"type": "integer" if name == "number" else "string"},
            }
            for name in names
        ]
        parameters += [
            {"name": name, "in": "query", "schema": {"type": "string"}}
            for name in (("lang", "q", "port") if clean == "/api/sessions" else ("lang",))
            if method == "GET"
        ]
        about: dict[str, object] = {
            "summary": (answer.__doc__ or "").strip(),
            "parameters": parameters,
            "responses": {
                "204" if method == "DELETE" else "200": {"description": "done"},
                "default": {"description": "refused: {error}"},
            },
        }
        if method in ("PUT", "POST"):
            shape: dict[str, object] = {"$ref": "#/components/schemas/_Change"}
            if method == "POST":
                shape = {"type": "object"}
            if clean.endswith("/{side}"):
                shape = {"$ref": "#/components/schemas/Move"}
            if clean.endswith("/pin"):
                shape = {
                    "type": "object",
                    "properties": {"pinned": {"type": "boolean"}},
                    "required": ["pinned"],
                }
            about["requestBody"] = {
                "required": True,
                "content": {"application/json": {"schema": shape}},
            }
        paths.setdefault(clean, {})[method.lower()] = about
    _, components = msgspec.json.schema_components((_Change, Move))
    text = json.dumps(components).replace("#/$defs/", "#/components/schemas/")
    return {
        "openapi": "3.1.0",
        "info": {"title": "ehlo-twice lab", "version": version("ehlo-twice")},
        "paths": paths,
        "components": {"schemas": json.loads(text)},
    }
