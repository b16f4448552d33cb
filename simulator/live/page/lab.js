// The page of the lab: a list of sessions, one or two of them in the player while they talk, the
// class at a glance, and the policies of the ports. Whatever a client or a server said is written
// into the page as text, never as markup.
"use strict";

const MIDDLEBOXES = {
	nothing: ["nothing", []],
	strip: ["takes STARTTLS away", []],
	mask: ["masks STARTTLS with X", []],
	"add-keywords": ["adds AUTH PLAIN to the list", ["AUTH PLAIN"]],
	"inject-command": ["injects a command", ["NOOP injected"]],
	"inject-reply": ["injects a reply", ["250 attacker.example", "550 5.7.1 No mail from you"]],
};
const ENDINGS = { inside: "inside TLS", clear: "in the clear", fooled: "fooled", refused: "refused", "given up": "gives up", "broken off": "broken off" };
const VIEWS = ["session", "json", "annotated", "esa", "markdown", "mermaid", "player", "pcapng"];

async function ask(path, options = {}) {
	const mark = path.includes("?") ? "&" : "?";
	const answer = await fetch(`api/${path}${mark}lang=${LANG}`, options);
	if (answer.status === 204) return undefined;
	const told = await answer.json();
	if (!answer.ok) throw Object.assign(new Error(told.error), { status: answer.status });
	return told;
}

const put = (path, value) => ask(path, { method: "PUT", headers: { "Content-Type": "application/json" }, body: JSON.stringify(value) });

// --- what is there ---

let sessions = [], ports = [], shown = [], following = true, challenge = false;

const good = (one) => (challenge ? Boolean(one.feedback?.passed) : !one.broken.length);
const mark = (one) => (!one.over ? "…" : good(one) ? "✓" : "✗");
const ending = (one) => (one.over ? t(ENDINGS[one.ending]) : t("still talking"));

function row(one) {
	const chosen = shown.includes(one.number);
	const open = el("button", { type: "button", class: "open", "aria-pressed": String(chosen), onclick: () => choose([one.number]) },
		el("span", { class: "mark", "aria-hidden": "true" }, mark(one)), " ",
		el("bdi", { class: "who" }, one.client || one.address), " ",
		el("span", { class: "what" }, `${one.title} · ${ending(one)}`),
		one.feedback ? el("span", { class: one.feedback.passed ? "passed" : "broken" }, t(one.feedback.passed ? "passed" : "failed")) : "",
		one.broken.length ? el("span", { class: "broken" }, t("rules broken: {rules}", { rules: one.broken.join(", ") })) : "");
	const beside = el("button", { type: "button", onclick: () => choose(chosen ? shown.filter((n) => n !== one.number) : [...shown.slice(-1), one.number]) },
		t(chosen ? "Take it away" : "Beside it"));
	const pin = el("button", { type: "button", "aria-pressed": String(one.pinned), onclick: () => put(`sessions/${one.number}/pin`, { pinned: !one.pinned }) },
		t(one.pinned ? "Unpin" : "Pin"));
	const gone = el("button", { type: "button", onclick: () => ask(`sessions/${one.number}`, { method: "DELETE" }) }, t("Remove"));
	return el("li", { "data-number": one.number, class: one.pinned ? "pinned" : false }, open, el("div", { class: "acts" }, beside, pin, gone));
}

function keepFocus(box, change) {
	const item = document.activeElement?.closest("[data-number]"), at = item && [...item.querySelectorAll("button")].indexOf(document.activeElement);
	change();
	if (item) box.querySelector(`[data-number="${item.dataset.number}"]`)?.querySelectorAll("button")[at]?.focus();
}

function rows() {
	keepFocus($("list"), () => {
		const pinned = sessions.filter((one) => one.pinned), rest = sessions.filter((one) => !one.pinned);
		$("list").replaceChildren(...[...pinned, ...rest].map(row));
	});
}

async function list() {
	const q = new URLSearchParams({ q: $("search").value, port: $("which").value });
	const told = await ask(`sessions?${q}`);
	sessions = told.sessions;
	const searching = $("search").value || $("which").value;
	rows();
	$("none").textContent = sessions.length ? "" : t(searching ? "Nothing found." : "Nobody has connected yet. Point a client at one of the ports:");
	$("inviting").replaceChildren(...(sessions.length || searching ? [] : ports.map((port) => el("li", {}, el("code", {}, `${port.host}:${port.port}`), ` ${port.title}`))));
	$("dropped").textContent = told.dropped ? t("{dropped} older sessions were dropped to make room.", { dropped: told.dropped }) : "";
	if (following && !searching && sessions.length && shown[0] !== sessions[0].number) stage([sessions[0].number]);
	if (challenge) for (const node of $("stage").children) if (node.dataset.session && !node.dataset.judged) fill(Number(node.dataset.session));
	classroom();
}

// --- one session, or two beside each other ---

function choose(numbers) {
	following = false;
	stage(numbers);
}

function stage(numbers) {
	shown = numbers;
	const have = new Map([...$("stage").children].map((node) => [Number(node.dataset.session), node]));
	$("stage").replaceChildren(...numbers.map((number) => have.get(number) ?? frame(number)));
	$("stage").classList.toggle("two", numbers.length > 1);
	if (!numbers.length) $("stage").append(el("p", {}, t("Choose a session.")));
	rows();
	for (const number of numbers) fill(number);
}

function frame(number) {
	const player = document.createElement("smtp-session");
	player.setAttribute("nolink", "");
	const views = el("nav", { class: "views", "aria-label": `${t("Download")} ${number}` }, VIEWS.map((view) => el("a", { href: `api/sessions/${number}/${view}?lang=${LANG}`, download: true }, view)));
	return el("article", { "data-session": number, "aria-label": String(number) },
		el("h2", {}), el("p", { class: "ended", role: "status" }), el("div", { class: "feedback" }), player, el("p", { class: "fits" }), el("div", { class: "messages" }), views);
}

// What the challenge says of a session that is over, once the list has it.
function feedback(node, number) {
	const judged = sessions.find((one) => one.number === number)?.feedback;
	if (!judged) return undefined;
	const mark = judged.passed ? "passed" : "failed";
	node.querySelector(".feedback").replaceChildren(el("p", { class: judged.passed ? "passed" : "broken" }, t(mark)), el("p", {}, judged.failed));
	node.querySelector(".fits").textContent = judged.fits;
	return judged;
}

const filling = new Map();

async function fill(number) {
	// One request at a time for each session, and one more if something came meanwhile.
	if (filling.has(number)) return void filling.set(number, true);
	filling.set(number, false);
	const node = [...$("stage").children].find((child) => Number(child.dataset.session) === number);
	try {
		if (!node) return;
		const told = await ask(`sessions/${number}`), entry = told.sessions[0];
		const player = node.querySelector("smtp-session"), before = player.data ? player.length : 0;
		const atEnd = !before || player.step >= before - 1;
		node.querySelector("h2").replaceChildren(el("bdi", {}, entry.title));
		node.querySelector(".ended").replaceChildren(entry.verdict.outcome);
		const judged = feedback(node, number);
		if (entry.steps.length !== before || (judged && !node.dataset.judged)) {
			player.setAttribute("start", !atEnd ? player.step + 1 : judged?.step || entry.steps.length);
			if (judged) node.dataset.judged = true;
			player.data = told;
		}
		if (entry.session.events.some((event) => event.kind === "message")) await letters(node, number);
	} catch (error) {
		if (error.status === 404) node.replaceChildren(el("p", {}, t("This session is gone.")));
		else if (error.status) throw error;
	} finally {
		const again = filling.get(number);
		filling.delete(number);
		if (again) fill(number);
	}
}

async function letters(node, number) {
	const box = node.querySelector(".messages"), { messages } = await ask(`sessions/${number}/messages`);
	if (box.children.length === messages.length) return;
	box.replaceChildren(...messages.map((message) => el("details", {},
		el("summary", {}, t("Message")),
		message.headers.length ? el("dl", {}, message.headers.map(([name, value]) => el("div", {}, el("dt", {}, name), el("dd", {}, el("bdi", {}, value))))) : "",
		message.parts.length ? message.parts.map((part) => el("div", { class: "part" },
			el("p", {}, [part.type, part.file, t("{size} octets", { size: part.size })].filter(Boolean).join(" · ")),
			part.text ? el("pre", { tabindex: "0" }, part.text) : "")) : el("pre", { tabindex: "0" }, message.raw))));
}

// --- the class ---

function classroom() {
	const people = new Map();
	for (const one of [...sessions].reverse()) {
		if (one.port === "hand") continue;
		const who = one.client || one.address;
		if (!people.has(who)) people.set(who, new Map());
		people.get(who).set(one.port, one);
	}
	const passed = (met) => ports.filter((port) => met.has(port.name) && met.get(port.name).over && good(met.get(port.name))).length;
	const order = ([a, met], [b, other]) => (challenge && passed(other) - passed(met)) || a.localeCompare(b);
	const result = (one) => (one.feedback ? t(one.feedback.passed ? "passed" : "failed") : ending(one));
	keepFocus($("class"), () => $("class").replaceChildren(
		el("caption", {}, t(challenge ? "Scoreboard" : "Classroom")),
		el("thead", {}, el("tr", {}, el("th", { scope: "col" }, t("Client")), challenge && el("th", { scope: "col" }, t("Passed")),
			ports.map((port) => el("th", { scope: "col" }, challenge && el("code", {}, `${port.host}:${port.port} `), port.title)))),
		el("tbody", {}, [...people].sort(order).map(([who, met]) => el("tr", {},
			el("th", { scope: "row" }, el("bdi", {}, who)),
			challenge && el("td", {}, t("{good} of {total}", { good: passed(met), total: ports.length })),
			ports.map((port) => {
				const one = met.get(port.name);
				if (!one) return el("td", { class: "not" }, t("not yet"));
				const open = el("button", { type: "button", class: "cell", onclick: () => { choose([one.number]); location.hash = "sessions"; } }, `${mark(one)} ${result(one)}`);
				return el("td", { class: !one.over ? "not" : good(one) ? "good" : "bad", "data-number": one.number }, open);
			}))))));
}

// --- the ports ---

async function doors() {
	({ ports, challenge } = await ask("ports"));
	$("task").hidden = !challenge;
	if (challenge) {
		$("task").textContent = t("Deliver one message to each of these servers as it deserves, in any language, and verify the certificate. Each client is known here by the name in its EHLO; its last connection to a server counts.");
		const tab = document.querySelector('.tabs a[href="#classroom"]');
		tab.textContent = t("Scoreboard");
		$("view-classroom").firstElementChild.setAttribute("aria-label", t("Scoreboard"));
	}
	const which = $("which").value;
	$("which").replaceChildren(el("option", { value: "" }, t("all ports")), ...ports.map((port) => el("option", { value: port.name }, port.title)));
	$("which").value = which;
	$("doors").replaceChildren(...ports.map(door));
}

function door(port) {
	const middlebox = el("select", {}, Object.entries(MIDDLEBOXES).map(([does, [label]]) => el("option", { value: does, selected: does === port.middlebox.does }, t(label))));
	middlebox.disabled = port.server.implicit_tls;
	const policy = el("textarea", { rows: 6, spellcheck: "false" });
	policy.value = JSON.stringify(port.server, null, 1);
	const said = el("p", { role: "status" });
	const change = async (event) => {
		event.preventDefault();
		const does = middlebox.value;
		try {
			await put(`ports/${port.name}`, { server: JSON.parse(policy.value), middlebox: { does, lines: MIDDLEBOXES[does][1] } });
			said.textContent = t("Changed: it applies to whoever connects from now on.");
		} catch (error) { said.textContent = error.message; }
	};
	if (challenge) return el("div", { class: "door", "data-port": port.name }, el("h2", {}, el("code", {}, `${port.host}:${port.port}`), ` ${port.title}`));
	return el("form", { class: "door", "data-port": port.name, onsubmit: change },
		el("h2", {}, el("code", {}, `${port.host}:${port.port}`), ` ${port.title}`),
		el("label", {}, t("On the path"), " ", middlebox),
		el("details", {}, el("summary", {}, t("Server")), el("label", {}, t("Policy of the server, as JSON"), policy)),
		el("button", { type: "submit" }, t("Change")), said);
}

// --- moving about, and what comes in ---

function show() {
	const name = location.hash.slice(1) || "sessions";
	for (const view of ["sessions", "classroom", "ports"]) {
		$(`view-${view}`).hidden = view !== name;
		const tab = document.querySelector(`.tabs a[href="#${view}"]`);
		if (view === name) tab.setAttribute("aria-current", "page");
		else tab.removeAttribute("aria-current");
	}
}

let waiting, listing = false, again = false;

function soon() {
	clearTimeout(waiting);
	waiting = setTimeout(async () => {
		if (listing) { again = true; return; }
		listing = true;
		try { await list(); } catch { /* the stream says when the lab is back */ } finally { listing = false; }
		if (again) { again = false; soon(); }
	}, 60);
}

function hear() {
	const stream = new EventSource("api/events");
	stream.onopen = async () => {
		$("state").textContent = t("live");
		$("state").className = "live";
		try {
			if (!$("doors").contains(document.activeElement)) await doors();
			soon();
			for (const number of shown) fill(number);
		} catch { /* it has gone again */ }
	};
	stream.onerror = () => {
		$("state").textContent = t("not connected to the lab");
		$("state").className = "lost";
		// A browser gives up where the lab answered with an error.
		if (stream.readyState === EventSource.CLOSED) setTimeout(hear, 1000);
	};
	stream.onmessage = ({ data }) => {
		const news = JSON.parse(data);
		if (news.what === "ports") { if (!$("doors").contains(document.activeElement)) doors(); }
		else soon();
		if (news.what === "session" && shown.includes(news.number)) fill(news.number);
	};
}

for (const node of document.querySelectorAll("[data-say]")) node.append(t(node.dataset.say));
for (const node of document.querySelectorAll("[data-label]")) node.setAttribute("aria-label", t(node.dataset.label));
$("hand").href = `hand?lang=${LANG}`;
$("search").oninput = soon;
$("which").onchange = soon;
$("clear").onclick = () => { shown = []; following = true; stage([]); ask("sessions", { method: "DELETE" }); };
addEventListener("hashchange", () => { show(); });
$("stage").append(el("p", {}, t("Choose a session.")));
show();
hear();
