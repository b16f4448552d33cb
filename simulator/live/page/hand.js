// A session played by hand: the page of one side, or the one from which two sides begin. What was
// said is written into the page as text, never as markup.
"use strict";

const [, , NUMBER, SIDE] = location.pathname.split("/");
const QUERY = `?lang=${LANG}`;

async function ask(path, value) {
	const options = value && { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(value) };
	const answer = await fetch(`/api/${path}${QUERY}`, options), told = await answer.json();
	if (!answer.ok) throw Object.assign(new Error(told.error), { status: answer.status });
	return told;
}

const seatOf = (number, side) => `/hand/${number}/${side}${QUERY}`;

// --- where two begin ---

async function hall() {
	const { going } = await ask("hand");
	$("going").replaceChildren(...going.map((number) => el("li", {}, `${number}: `,
		el("a", { href: seatOf(number, "client") }, t("Client")), " · ", el("a", { href: seatOf(number, "server") }, t("Server")))));
}

// --- one side ---

let shown = "", sending = false;

function fact(one) {
	return el("li", { class: one.place ? "gone" : one.secure ? "secure" : "clear" },
		el("bdi", {}, one.label), " ", el("span", { class: "what" }, one.place || t(one.secure ? "inside TLS" : "in the clear")));
}

function line(one) {
	const who = one.kind === "handshake" ? "TLS" : t(one.by === "client" ? "Client" : "Server");
	return el("li", { class: `${one.by === SIDE ? "mine" : "theirs"}${one.kind === "handshake" ? " reset" : ""}` },
		el("span", { class: "who" }, who), " ", el("span", { class: "what" }, one.kind === "handshake" ? "" : t(one.secure ? "inside TLS" : "in the clear")),
		one.kind === "handshake" && el("p", { class: "forget" }, t("Both sides forget")),
		one.text.length > 0 && el("pre", {}, one.text.join("\n")),
		el("p", {}, one.meaning),
		one.broken.map((note) => el("p", { class: "broken" }, el("strong", {}, t("Against the rules:")), ` ${note.text} `,
			el("a", { href: note.url, rel: "noreferrer", target: "_blank" }, `${note.place} ${note.keyword}`.trim()), " ", el("q", { lang: "en" }, note.quote))));
}

async function move(value) {
	if (sending) return;
	sending = true;
	$("trouble").textContent = "";
	try {
		draw(await ask(`hand/${NUMBER}/${SIDE}`, value));
		$("text").value = "";
		$("turn").focus();
	} catch (error) {
		$("trouble").textContent = error.message;
	} finally { sending = false; }
}

function draw(seat) {
	const now = JSON.stringify(seat);
	if (now === shown) return;
	const before = shown && JSON.parse(shown);
	if (before && before.said.length > seat.said.length && !seat.ended) return;
	shown = now;
	$("turn").textContent = seat.ended ? t("This session can no longer be played: the lab was restarted, or it made room for newer ones.")
		: seat.over ? t("The session is over.") : t(seat.turn === SIDE ? "It is your turn." : "It is the other side's turn.");
	$("turn").className = seat.turn === SIDE ? "mine" : "";
	const known = before ? before.said.length : 0;
	if (known > seat.said.length) $("said").replaceChildren();
	$("said").append(...seat.said.slice($("said").children.length).map(line));
	$("log").scrollTop = $("log").scrollHeight;
	$("knows").replaceChildren(...(seat.knows.length ? seat.knows.map(fact) : [el("li", {}, t("Nothing."))]));
	$("forgotten").replaceChildren(...seat.forgotten.map(fact));
	$("gone").hidden = !seat.forgotten.length;
	moves(seat, before);
	if (seat.over) end();
}

function moves(seat, before) {
	$("moves").hidden = seat.over;
	const same = before && JSON.stringify([before.lines, before.handshake, before.asked]) === JSON.stringify([seat.lines, seat.handshake, seat.asked]);
	const focused = $("lines").contains(document.activeElement);
	if (!same) {
		$("lines").replaceChildren(
			...(seat.handshake ? ["handshake", "handshake-unchecked"].map((act) => el("button", { type: "button", onclick: () => move({ act }) },
				t(act === "handshake" ? "Handshake, and check the certificate" : "Handshake, and trust whoever it is"))) : []),
			...seat.lines.map((text) => el("button", { type: "button", class: "line", onclick: () => move({ say: text }) }, text)));
		if (focused) $("turn").focus();
	}
	const message = seat.asked === "message", several = message || seat.asked === "reply";
	$("wait").hidden = seat.lines.length > 0 || seat.handshake || seat.turn === SIDE;
	$("label").textContent = t(message ? "Text of the message; the dot at its end is added" : "A line of your own");
	$("text").rows = message ? 5 : several ? 3 : 1;
	$("text").dataset.several = several;
	if (message && !$("text").value) $("text").value = "Subject: EHLO\n\nTwice.";
}

let ending = false;

async function end() {
	if (ending) return;
	ending = true;
	const told = await ask(`sessions/${NUMBER}`), player = document.createElement("smtp-session");
	player.setAttribute("nolink", "");
	$("shown").replaceChildren(player, el("p", { class: "views" }, el("a", { href: `/api/sessions/${NUMBER}/pcapng${QUERY}`, download: true }, "pcapng"), " ",
		el("a", { href: `/api/sessions/${NUMBER}/session${QUERY}`, download: true }, "session")));
	$("end").hidden = false;
	player.data = told;
}

let looking = false, again = false;

async function look() {
	if (looking) { again = true; return; }
	looking = true;
	try {
		if (SIDE) draw(await ask(`hand/${NUMBER}/${SIDE}`));
		else await hall();
	} catch (error) {
		if (error.status === 404) { $("turn").textContent = t("This session is gone."); $("moves").hidden = true; }
	} finally {
		looking = false;
		if (again) { again = false; look(); }
	}
}

function hear() {
	const stream = new EventSource("/api/events");
	stream.onopen = () => {
		$("state").textContent = t("live");
		$("state").className = "live";
		look();
	};
	stream.onerror = () => {
		$("state").textContent = t("not connected to the lab");
		$("state").className = "lost";
		if (stream.readyState === EventSource.CLOSED) setTimeout(hear, 1000);
	};
	stream.onmessage = ({ data }) => {
		const news = JSON.parse(data);
		if (!SIDE || news.what === "gone" || news.number === Number(NUMBER)) look();
	};
}

for (const node of document.querySelectorAll("[data-say]")) node.append(t(node.dataset.say));
for (const node of document.querySelectorAll("[data-label]")) node.setAttribute("aria-label", t(node.dataset.label));
$("home").href = `/${QUERY}`;
$("begin").href = `/hand${QUERY}`;
if (SIDE) {
	const other = SIDE === "client" ? "server" : "client";
	$("table").hidden = false;
	$("who").textContent = `${t(SIDE === "client" ? "Client" : "Server")} · ${NUMBER}`;
	document.title = `${$("who").textContent} · ${document.title}`;
	$("other").append(t("The other side plays at this address:"), " ", el("a", { href: seatOf(NUMBER, other), target: "_blank" }, `${location.origin}/hand/${NUMBER}/${other}`));
	$("knowing").textContent = t(SIDE === "client" ? "What the client knows of the server" : "What the server knows of the client");
	$("own").onsubmit = (event) => { event.preventDefault(); move({ say: $("text").value.replace(/\n+$/, "") }); };
	$("text").onkeydown = (event) => {
		if (event.key === "Enter" && !event.shiftKey && !event.isComposing && $("text").dataset.several !== "true") { event.preventDefault(); $("own").requestSubmit(); }
	};
	$("close").onclick = () => move({ act: "close" });
} else {
	$("hall").hidden = false;
	$("new").onclick = async () => {
		try { location.href = seatOf((await ask("hand", {})).number, "client"); } catch { /* the stream says when the lab is back */ }
	};
}
hear();
