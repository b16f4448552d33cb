// <smtp-session src="session.json">: one explained SMTP session, played step by step.
//
// It shows the JSON of an explanation and makes nothing up. One file, module or classic script; it
// loads nothing but `src`. The JSON may also stand inside the element, in a
// <script type="application/json">, or be set as the property `data`.
//
// Attributes: src, start (a step, from 1), view (all, client, server, eavesdropper),
// question (over the play button), autoplay, focused, nolink (leave the address alone), brief (on
// paper, without the RFCs' words).
// Properties: step (an index, from 0), length, view, data, playing. Methods: play(), pause().
// Events, which bubble: smtp-ready {length}, smtp-step {index}.
// Links: #t=7 to the first player, #<id>:t=7 to any other.
(() => {
"use strict";
if (customElements.get("smtp-session")) return;

const VIEWS = { all: "everything", client: "client", server: "server", eavesdropper: "an eavesdropper" };
const KNOWS = { client: "What the client knows of the server", server: "What the server knows of the client" };
const FORGETS = { both: "Both sides forget", client: "The client forgets", server: "The server forgets" };
const OVERHEARD = "What an eavesdropper knows";
const SPEEDS = [1, 2, 0.5];
const KINDS = { greeting: "name", name: "name", keyword: "keyword", envelope: "envelope", identity: "login" };
const WORDLESS = { connect: "TCP connection", handshake: "TLS handshake", disconnect: "End of the connection" };
const MARKS = { forged: "made on the path", lost: "held back on the path", stale: "out of the old buffer, filled before the handshake", within: "taken out of the message" };
const LEVELS = { must: "breaks a MUST", should: "breaks a SHOULD", risk: "risky" };
const RECORDS = { 20: "change_cipher_spec", 21: "alert", 22: "handshake", 23: "application_data" };
const DUMPED = 2048; // octets of one dump
const LINES = 40; // of a message on the wire

const LOCK = "M3.5 7h9v7h-9zM5.2 7V";
const ICONS = {
	lock: LOCK + "4.8a2.8 2.8 0 0 1 5.6 0V7",
	open: LOCK + "4a2.8 2.8 0 0 1 5.5-.8",
	client: "M2 3h12v8H2zM5 14h6M8 11v3",
	server: "M2.5 2h11v5h-11zM2.5 9h11v5h-11zM5 4.5h.1M5 11.5h.1",
	middlebox: "M8 1.8 14.6 13.5H1.4ZM8 6v3.6M8 11.6v.1",
	met: "m3 8.5 3.2 3.3L13 4.6",
	broken: "m4 4 8 8M12 4l-8 8",
	play: "M4.5 2.8v10.4L13 8Z",
	pause: "M5.3 3v10M10.7 3v10",
	first: "M4 3v10M12.5 3.5 7 8l5.5 4.5",
	back: "M10.5 3.5 5 8l5.5 4.5",
	next: "M5.5 3.5 11 8l-5.5 4.5",
	last: "M12 3v10M3.5 3.5 9 8l-5.5 4.5",
	predict: "M5.7 5.8a2.3 2.3 0 1 1 3.4 2c-.8.5-1.1.9-1.1 1.8M8 12.3v.1",
	full: "M2.5 6V2.5H6M10 2.5h3.5V6M13.5 10v3.5H10M6 13.5H2.5V10",
	list: "M5.5 4H14M5.5 8H14M5.5 12H14M2 4h.1M2 8h.1M2 12h.1",
};

// --- text from outside, made harmless as in inert.py ---

const INERT = /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}\p{Zl}\p{Zp}]|(?<=[\p{Mn}\p{Me}]{3})[\p{Mn}\p{Me}]/gu;

function escape(char) {
	const code = char.codePointAt(0), hex = code.toString(16);
	const named = { 9: "\\t", 10: "\\n", 13: "\\r" }[code];
	return named ?? (code < 0x100 ? "\\x" + hex.padStart(2, "0") : code < 0x10000 ? "\\u" + hex.padStart(4, "0") : "\\U" + hex.padStart(8, "0"));
}

const inert = (text) => String(text).replace(INERT, escape);

// An element. What is written into it is text, never markup; what is false is left out.
function el(tag, attributes, ...children) {
	const node = document.createElement(tag);
	for (const [name, value] of Object.entries(attributes)) {
		if (value || value === 0) node.setAttribute(name, value === true ? "" : inert(value));
	}
	for (const child of children.flat()) {
		if (child instanceof Node) node.append(child);
		else if (child) node.append(inert(child));
	}
	return node;
}

const span = (name, ...children) => el("span", { class: name }, ...children);
const p = (name, ...children) => el("p", { class: name }, ...children);
const div = (name, ...children) => el("div", { class: name }, ...children);

// A name, which breaks between its parts before it breaks within one.
const parted = (name = "") => String(name).split(/(?<=[._@])/).flatMap((part) => [part, el("wbr", {})]);

// The keyboard gets to what can be scrolled.
function fit(box) {
	if (box.scrollWidth > box.clientWidth) box.tabIndex = 0;
	else box.removeAttribute("tabindex");
}

function icon(name) {
	const box = span(`icon ${name}`);
	box.innerHTML = `<svg viewBox="0 0 16 16" aria-hidden="true"><path d="${ICONS[name]}"/></svg>`;
	return box;
}

// --- the wire ---

// A record leaves out what has its default.
function whole(entry) {
	const events = (entry.session.events ?? []).map((event) => ({ raw: "", wire: [], ...event }));
	return { ...entry, session: { wire: [], client: {}, server: {}, documented: null, ...entry.session, events } };
}

const decode = (base64) => Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));

function dump(bytes, width) {
	let rows = "";
	for (let at = 0; at < Math.min(bytes.length, DUMPED); at += width) {
		const row = [...bytes.subarray(at, at + width)];
		const hex = row.map((b) => b.toString(16).padStart(2, "0")).join(" ");
		const text = row.map((b) => (b > 31 && b < 127 ? String.fromCharCode(b) : "·")).join("");
		rows += `${at.toString(16).padStart(4, "0")}  ${hex.padEnd(3 * width)} ${text}\n`;
	}
	return document.createTextNode(rows);
}

// The TLS records in `bytes`: a type, a version and a length precede each (RFC 8446, section 5.1).
function records(bytes) {
	const found = [];
	for (let at = 0; RECORDS[bytes[at]] && bytes[at + 1] === 3 && at + 5 <= bytes.length; ) {
		const length = (bytes[at + 3] << 8) | bytes[at + 4];
		found.push({ type: RECORDS[bytes[at]], length, bytes: bytes.subarray(at, at += 5 + length) });
	}
	return found;
}

// What a view sees of a step. A side sees what it sent and what reached it, nothing of the way
// between; an eavesdropper sees what crosses the wire, of the inside of TLS only that it does.
function seen({ by, to, kind, lost, stale, secure, notes }, view) {
	const within = by === "message";
	if (view === "all") return { shown: true, open: true, from: within ? "client" : by, forged: by === "middlebox" && kind !== "disconnect", lost, stale, within, notes };
	const from = within ? "client" : by !== "middlebox" ? by : to === "client" ? "server" : "client", told = kind === "handshake" || kind === "disconnect";
	const onWire = to !== "" && !stale && !within, reached = told || kind === "remark" || (to === view && !lost);
	const shown = view === "eavesdropper" ? onWire : by === view || reached;
	return { shown, open: shown && (told || !secure || view !== "eavesdropper"), from, notes: [] };
}

class SmtpSession extends HTMLElement {
	static observedAttributes = ["src", "view"];
	#document; #entry; #labels = {}; #index = 0; #timer; #loading; #ui; #streams; #touched; #bytesOpen; #speed = SPEEDS[0]; #tallest;
	#onHash = () => { const index = this.#linked(); if (index !== undefined) this.#go(index); };

	connectedCallback() {
		addEventListener("hashchange", this.#onHash);
		if (this.#document) this.#begin();
		else this.#load();
	}

	disconnectedCallback() {
		removeEventListener("hashchange", this.#onHash);
		this.#loading?.abort();
		this.pause();
	}

	attributeChangedCallback(name, before, after) {
		if (!this.isConnected || before === after) return;
		if (name === "src") this.#load();
		else if (this.#ui) { this.#rows(); this.#paint(); }
	}

	get data() { return this.#document; }
	set data(data) { this.#document = data; if (this.isConnected) this.#begin(); }
	get length() { return this.#entry?.steps.length ?? 0; }
	get step() { return this.#index; }
	set step(index) { this.pause(); this.#go(index); }
	get playing() { return this.#timer !== undefined; }
	get view() { const view = this.getAttribute("view"); return Object.hasOwn(VIEWS, view) ? view : "all"; }
	set view(view) { this.setAttribute("view", view); }

	play() {
		if (!this.#ui || this.playing) return;
		if (this.#index === this.length - 1) this.#go(0);
		this.#leavePoster();
		this.#tick();
	}

	pause() {
		clearTimeout(this.#timer);
		this.#timer = undefined;
		this.#face();
	}

	async #load() {
		this.#loading?.abort();
		const { signal } = this.#loading = new AbortController();
		try {
			await 0; // when made with src, it is told twice
			// Until the page is read, what stands inside may be missing.
			if (document.readyState === "loading") await new Promise((read) => document.addEventListener("DOMContentLoaded", read));
			const inline = this.querySelector('script[type="application/json"]'), src = this.getAttribute("src");
			if (!inline && !src) return;
			if (inline) this.data = JSON.parse(inline.textContent);
			else this.data = await (await fetch(src, { signal })).json();
		} catch (error) {
			if (error.name !== "AbortError") this.#shadow().append(el("p", { class: "mark", role: "alert" }, this.#t("The session could not be loaded.")));
		}
	}

	// A label in the language of the session; English, where it has none.
	#t(text, values = {}) {
		return (this.#labels[text] || text).replace(/\{(\w+)\}/g, (_, name) => values[name]);
	}

	#shadow() {
		const shadow = this.shadowRoot ?? this.attachShadow({ mode: "open" }), sheet = new CSSStyleSheet();
		sheet.replaceSync(CSS);
		shadow.adoptedStyleSheets = [sheet];
		shadow.replaceChildren();
		return shadow;
	}

	#begin() {
		this.pause();
		const { language, labels, sessions } = this.#document;
		this.#labels = labels ?? {};
		this.#entry = sessions[0] && whole(sessions[0]);
		this.#streams = {};
		this.#touched = this.#ui = undefined;
		if (!this.length) return void this.#shadow().append(p("none", this.#t("Nothing")));
		const linked = this.#linked(), start = this.getAttribute("start");
		this.#index = this.#clamp(linked ?? start - 1);
		this.#build(language.replace("_", "-"));
		this.#rows();
		if (linked !== undefined || start) this.#leavePoster();
		this.#paint();
		if (linked !== undefined) this.scrollIntoView({ block: "nearest" });
		this.#emit("smtp-ready", { length: this.length });
		if (this.hasAttribute("focused")) (this.#touched ? this.#ui.toggle : this.#ui.poster).focus({ preventScroll: true });
		if (this.hasAttribute("autoplay") && !matchMedia("(prefers-reduced-motion: reduce)").matches) this.play();
	}

	// --- links ---

	#address() {
		const first = document.querySelector("smtp-session") === this;
		return this.hasAttribute("nolink") || !(first || this.id) ? "" : `#${first ? "" : encodeURIComponent(this.id) + ":"}t=`;
	}

	#linked() {
		const prefix = this.#address();
		const own = this.id && !this.hasAttribute("nolink") ? `#${encodeURIComponent(this.id)}:t=` : prefix;
		const found = [prefix, own].find((start) => start && location.hash.startsWith(start));
		return found && this.#clamp(location.hash.slice(found.length) - 1);
	}

	// --- moving ---

	#clamp(index) { return Math.max(0, Math.min(this.length - 1, Math.trunc(index) || 0)); }

	#emit(name, detail) { this.dispatchEvent(new CustomEvent(name, { detail, bubbles: true })); }

	#go(index) {
		if (!this.#ui) return;
		const next = this.#clamp(index), moved = next !== this.#index;
		this.#leavePoster();
		this.#index = next;
		if (!moved) return;
		this.#paint();
		this.#emit("smtp-step", { index: next });
	}

	// A step that the reader asked for: the address and the live region follow.
	#move(index) {
		this.pause();
		this.#go(index);
		this.#follow();
	}

	#follow() {
		this.#ui.live.textContent = this.#spoken();
		const address = this.#address();
		try {
			if (address) history.replaceState(history.state, "", address + (this.#index + 1));
		} catch { /* a frame without an address */ }
	}

	// As long as it takes to read what is said: some 200 words a minute, and a look at the picture.
	#tick() {
		const { meaning, notes } = this.#step;
		const letters = meaning.length + notes.reduce((sum, note) => sum + note.text.length, 0);
		this.#timer = setTimeout(() => {
			if (this.#asked(this.#index)) return this.#ask();
			this.#go(this.#index + 1);
			this.#follow();
			if (this.#index === this.length - 1) this.pause();
			else this.#tick();
		}, (1200 + 55 * letters) / this.#speed);
		this.#face();
	}

	// Is what follows worth a prediction: what is forgotten, what is said first inside, what is refused?
	#asked(index) {
		if (!this.#ui.root.classList.contains("predicting") || this.#ui.now.querySelector(".ask")) return false;
		const [step, next] = this.#entry.steps.slice(index, index + 2), refusal = next?.kind === "reply" && /^[45]/.test(next.text[0]);
		return next && (next.kind === "handshake" || (step.kind === "handshake" && next.secure) || (refusal && !step.notes.some((note) => !note.met)));
	}

	#ask() {
		this.pause();
		const line = p("ask", icon("predict"), this.#t("What comes next? Say it first, then go on."));
		this.#ui.now.prepend(line);
		this.#ui.live.textContent = line.textContent;
	}

	#leavePoster() {
		if (!this.#ui || this.#touched) return;
		const { poster, toggle } = this.#ui, focused = this.shadowRoot.activeElement === poster;
		this.#touched = poster.hidden = true;
		if (focused) toggle.focus({ preventScroll: true });
	}

	#keys(event) {
		const { target, key } = event, onRange = target.type === "range", onRow = target.closest(".steps");
		if (event.ctrlKey || event.metaKey || event.altKey || target.type === "radio" || target.closest("pre")) return;
		const by = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: onRow ? 1 : onRange ? -1 : 0, ArrowUp: onRow ? -1 : onRange ? 1 : 0 }[key];
		if (by) this.#move(this.#index + by);
		else if (key === "Home") this.#move(0);
		else if (key === "End") this.#move(this.length - 1);
		else if (key === " " && !target.closest("button, summary, a")) this.#toggle();
		else return;
		event.preventDefault();
		event.stopPropagation();
		if (onRow) this.#ui.items[this.#index].firstChild.focus({ preventScroll: true });
	}

	#toggle() { this.playing ? this.pause() : this.play(); }

	// --- building ---

	get #step() { return this.#entry.steps[this.#index]; }

	#event(step) { return this.#entry.session.events[step.index]; }

	#position(step) { return this.#t("Step {n} of {total}", { n: step.index + 1, total: this.length }); }

	#button(name, label, action) {
		const node = el("button", { class: name, "aria-label": this.#t(label), title: this.#t(label) }, icon(name));
		node.onclick = action;
		return node;
	}

	#build(language) {
		const t = (text, values) => this.#t(text, values), { title, session, steps } = this.#entry;
		const choices = Object.entries(VIEWS).map(([view, label]) => {
			const input = el("input", { type: "radio", name: "view", value: view });
			input.onchange = () => { this.view = view; this.#ui.live.textContent = this.#spoken(); };
			return el("label", {}, input, span("", t(label)));
		});
		const ledger = (side) => el("div", { class: `ledger ${side}`, role: "group", "aria-label": t(KNOWS[side] ?? OVERHEARD), tabindex: 0 });
		const figure = (side, name) => div(`figure ${side}`, icon(side), span("role", t(side)), span("host", parted(name)));
		const between = steps.some((s) => s.by === "middlebox" || s.lost || s.stale) || session.wire.some((s) => s.link === "server");
		const hello = session.events.find((e) => e.verb === "EHLO" || e.verb === "HELO");

		const greetings = [false, true].map((secure) => steps.find((s) => s.secure === secure && /^EHLO /.test(s.text[0])));
		const poster = el("button", { class: "poster" },
			greetings.map((step) => step && this.#fact({ label: step.text[0], secure: step.secure }, "", "span")),
			span("disc", icon("play")), span("question", this.getAttribute("question") || t(greetings.every(Boolean) ? "Why does the client say EHLO twice?" : "What happens in this session?")),
			span("total", t("Play the session: {total} steps", { total: steps.length })));
		poster.onclick = () => this.play();
		const list = el("ol", { class: "steps", "aria-label": t("SMTP session") });
		const state = div("state"), scene = el("div", { class: "scene", "aria-hidden": "true" });
		const wire = div("wire", div("heads",
			figure("client", session.client.name || hello?.argument || session.client.address),
			div("middle", div("figure middlebox", icon("middlebox"), span("role", t("on the path"))), state),
			figure("server", session.server.name || session.server.address)), list, scene);

		const toggle = this.#button("play", "Play", () => this.#toggle());
		const slider = el("input", { type: "range", min: 1, max: steps.length, "aria-label": t("Step of the session") });
		slider.oninput = () => this.#move(slider.value - 1);
		const count = span("count");
		const asList = this.#button("list", "Show as a list", () => {
			asList.ariaPressed = root.classList.toggle("listed");
			this.#leavePoster();
			this.#paint();
		});
		asList.ariaPressed = false;
		const predict = this.#button("predict", "Stop before what is worth predicting", () => { predict.ariaPressed = root.classList.toggle("predicting"); });
		predict.ariaPressed = false;
		const speed = el("button", { class: "speed" });
		const pace = () => {
			speed.textContent = `${this.#speed.toLocaleString(language)}×`;
			speed.ariaLabel = speed.title = t("Speed: {speed}", { speed: speed.textContent });
		};
		speed.onclick = () => { this.#speed = SPEEDS[(SPEEDS.indexOf(this.#speed) + 1) % SPEEDS.length]; pace(); };
		pace();
		const full = document.fullscreenEnabled && this.#button("full", "Full screen", () => document.fullscreenElement ? document.exitFullscreen() : this.requestFullscreen());
		const controls = div("controls",
			this.#button("first", "First step", () => this.#move(0)), this.#button("back", "Step back", () => this.#move(this.#index - 1)),
			toggle, this.#button("next", "Next step", () => this.#move(this.#index + 1)), this.#button("last", "Last step", () => this.#move(this.length - 1)),
			div("time", this.#track(), slider), count, div("ways", speed, predict, asList, full));

		const now = div("now"), notes = div("notes"), live = el("div", { class: "sr", "aria-live": "polite" });
		const ledgers = { client: ledger("client"), server: ledger("server"), eavesdropper: ledger("eavesdropper") };
		const root = el("div", { class: "player", role: "group", lang: language, "aria-label": `${t("SMTP session")} ${title}` },
			el("fieldset", { class: "views" }, el("legend", {}, t("Point of view")), choices),
			div("stage", wire, poster, div("drive", controls, this.#chapters()), now, ledgers.client, ledgers.server, ledgers.eavesdropper, notes), live);
		toggle.classList.add("toggle");
		root.onkeydown = (event) => this.#keys(event);
		this.#ui = { root, poster, list, scene, state, toggle, slider, count, now, notes, live, ledgers, between };
		this.#shadow().append(root);
		this.#tallest = {};
	}

	// The line under the slider: which steps are clear, which secure, and where rules are broken.
	#track() {
		const { steps } = this.#entry, share = (index) => `${(100 * index) / Math.max(1, steps.length - 1)}%`;
		const place = (name, left, width) => {
			const part = span(name);
			part.style.left = share(left);
			if (width) part.style.width = share(width);
			return part;
		};
		const parts = steps.slice(1).map((step, index) => place(`ground ${this.#inside(index) ? "secure" : ""}`, index, 1));
		steps.forEach((step, index) => {
			const name = step.notes.some((note) => !note.met) ? "broken" : step.kind === "handshake" ? "handshake" : "";
			if (name || steps.length < 80) parts.push(place(`dot ${name}`, index));
		});
		return div("track", parts);
	}

	// Where the session turns, by the words that it turns at; each leads to its step.
	#chapters() {
		const turns = this.#entry.steps.filter(({ kind, text, by }) => kind === "handshake" || (kind === "command" && by === "client" && /^(EHLO|HELO|STARTTLS|XCLIENT|AUTH|MAIL|QUIT)\b/i.test(text[0])));
		const named = turns.filter((step, at) => step.kind === "handshake" || step.text[0].split(" ")[0] !== turns[at - 1]?.text[0]?.split(" ")[0]);
		if (named.length < 2 || named.length > 12) return;
		return el("ol", { class: "chapters", "aria-label": this.#t("Chapters") }, named.map((step) => {
			const button = el("button", { class: this.#inside(step.index) && "secure" }, step.kind === "handshake" ? "TLS" : step.text[0].split(" ")[0]);
			button.onclick = () => this.#move(step.index);
			button.step = step.index;
			return el("li", {}, button);
		}));
	}

	#rows() {
		const { list, root, between } = this.#ui;
		root.classList.toggle("between", between && this.view === "all");
		for (const input of root.querySelectorAll(".views input")) input.checked = input.value === this.view;
		this.#ui.items = this.#entry.steps.map((step) => this.#row(step));
		list.replaceChildren(...this.#ui.items);
	}

	// One step on the wire, and, for the list and for paper, all that is said of it.
	#row(step) {
		const how = this.#how(step), { shown, open } = how;
		const failed = step.kind === "handshake" && this.#event(step).error;
		const broken = how.notes.some((note) => !note.met);
		const marks = Object.keys(MARKS).filter((mark) => how[mark]);
		const names = [step.kind, `from-${how.from} to-${step.to}`, ...marks, step.secure && "secure",
			shown && !open && "opaque", failed && "failure", !shown && "unseen", broken && "broken"];
		const said = span("said");
		if (!shown) said.append("· · ·");
		else if (!open) said.append(span("what", icon("lock"), this.#t("encrypted")), ...this.#sizes(step));
		else {
			const what = failed ? "TLS handshake fails" : WORDLESS[step.kind];
			if (what) said.append(span("what", step.kind === "handshake" && icon(failed ? "open" : "lock"), this.#t(what)));
			said.append(...step.text.slice(0, LINES).map((line) => span("line", line || " ")));
			if (step.text.length > LINES) said.append(span("what", this.#t("{lines} more lines", { lines: step.text.length - LINES })));
		}
		said.append(...marks.map((mark) => span("mark", icon("middlebox"), this.#t(MARKS[mark]))));
		if (broken) said.append(span("mark", icon("broken"), this.#t("Rule broken")));
		const button = el("button", {}, span("sr", `${this.#position(step)}. ${this.#way(step, how)}: `), said, shown && span("arrow"));
		button.onclick = () => this.#move(step.index);
		return el("li", { class: names.filter(Boolean).join(" ") }, button, div("more", p("", this.#meaning(step)),
			this.#rulings(step),
			open && this.#changes(step).map(([what, facts]) => p("change", `${what}: `, el("code", {}, facts)))));
	}

	#sizes(step) {
		const spans = this.#spans(step), octets = spans.reduce((sum, s) => sum + s.end - s.start, 0);
		const found = spans.flatMap((s) => records(this.#bytes(s)));
		return octets ? [span("line", this.#t("TLS records: {records}; octets: {octets}", { records: found.length, octets }))] : [];
	}

	// Whose ledger lies open for this view.
	get #open() { return { all: ["client", "server"], eavesdropper: [] }[this.view] ?? [this.view]; }

	#how(step) { return seen(step, this.view); }

	#meaning(step) {
		const { shown, open } = this.#how(step);
		if (open && this.view !== "all" && (step.by === "middlebox" || step.by === "message" || step.lost || step.stale)) return this.#t("From here this looks like any other line.");
		if (open) return step.meaning;
		return this.#t(shown ? "TLS records pass; no word of what they say can be read." : "Cannot be seen from here");
	}

	#way({ kind, to, secure }, { from }) {
		if (kind === "handshake") return this.#t("TLS handshake");
		const other = from === "client" ? "server" : "client", ground = this.#t(secure ? "inside TLS" : "in the clear");
		if (from === "middlebox") return `${this.#t("on the path")}, ${ground}`;
		return to ? `${this.#t("{from} to {to}", { from: this.#t(from), to: this.#t(other) })}, ${ground}` : this.#t(from);
	}

	#changes(step) {
		return this.#open.flatMap((side) => [["forgets", step.discarded], ["learns", step.learned]].map(([verb, facts]) =>
			[this.#t(`The ${side} ${verb}`), facts[side].map((fact) => fact.label).join(", ")])).filter(([, facts]) => facts);
	}

	#spoken() {
		const step = this.#step, how = this.#how(step);
		const parts = [this.#position(step), this.#way(step, how), ...(how.open ? step.text.slice(0, 6) : []), this.#meaning(step),
			...how.notes.map((note) => `${this.#t(note.met ? "Rule met" : "Rule broken")}: ${note.text}`),
			...(how.open ? this.#changes(step).map((change) => change.join(": ")) : [])];
		return inert(parts.map((part) => part.replace(/\.$/, "")).join(". "));
	}

	// --- painting ---

	#face() {
		if (!this.#ui) return;
		const [name, label] = this.playing ? ["pause", "Pause"] : ["play", "Play"], { toggle } = this.#ui;
		toggle.replaceChildren(icon(name));
		toggle.ariaLabel = toggle.title = this.#t(label);
	}

	#paint() {
		const { items, list, root, slider, count, state } = this.#ui, step = this.#step, how = this.#how(step);
		items.forEach((item, index) => {
			const now = index === this.#index;
			item.classList.toggle("current", now);
			item.classList.toggle("future", index > this.#index);
			item.firstChild.tabIndex = now ? 0 : -1;
			item.firstChild.ariaCurrent = now ? "step" : null;
		});
		this.#paintScene(step);
		const { offsetTop, offsetHeight } = items[this.#index];
		if (!root.classList.contains("listed")) {
			list.scrollTop = offsetTop - Math.max(8, (list.clientHeight - this.#ui.scene.offsetHeight - offsetHeight) * 0.55);
		}
		slider.value = this.#index + 1;
		slider.ariaValueText = inert(`${this.#position(step)}: ${this.#way(step, how)}`);
		count.textContent = `${this.#index + 1} / ${this.length}`;
		const secure = this.#inside(this.#index);
		const version = step.ledger.client.find((fact) => fact.kind === "tls" && fact.label.startsWith("TLS "));
		state.classList.toggle("secure", secure);
		state.replaceChildren(icon(secure ? "lock" : "open"), inert(secure ? version?.label.split(" ", 2).join(" ") ?? this.#t("inside TLS") : this.#t("in the clear")));
		for (const button of root.querySelectorAll(".chapters button")) {
			const next = button.parentNode.nextSibling?.firstChild.step ?? this.length;
			button.ariaCurrent = button.step <= this.#index && this.#index < next ? "step" : null;
		}
		const overheard = this.view === "eavesdropper";
		root.classList.toggle("overheard", overheard);
		root.querySelector(".stage").scrollTop = 0;
		for (const side of Object.keys(KNOWS)) this.#paintLedger(step, side, this.#ui.ledgers[side]);
		if (overheard) this.#paintOverheard(step, this.#ui.ledgers.eavesdropper);
		this.#paintNow(step, how);
		this.#settle();
	}

	// Is TLS up after that step?
	#inside(index) {
		return this.#entry.steps.slice(0, index + 1).some((s) => s.secure || (s.kind === "handshake" && !this.#event(s).error));
	}

	#paintLedger(step, side, box) {
		const title = p("title", this.#t(KNOWS[side]));
		if (!this.#open.includes(side)) return box.replaceChildren(title, p("none", this.#t("Cannot be seen from here")));
		const top = (node) => node.getBoundingClientRect().top, left = box.querySelector(".known")?.scrollLeft;
		const before = new Map([...box.querySelectorAll(".known .fact")].map((node) => [node.textContent, top(node)]));
		const known = step.ledger[side].map((fact) => this.#fact(fact, fact.learned === step.index && "new"));
		known.filter((node) => node.classList.contains("new")).forEach((node, place) => node.style.setProperty("--place", place));
		const [why, facts] = this.#fallen(step, side), fallen = facts.map((fact) => this.#fact(fact, "gone"));
		box.replaceChildren(title, known.length ? el("ul", { class: "known" }, known) : p("none", this.#t("Nothing")));
		if (fallen.length) box.append(div("fallen", p("title", this.#t(why)), el("ul", {}, fallen)));
		this.#bring(box, left);
		for (const node of step.discarded[side].length ? fallen : []) {
			if (!before.has(node.textContent)) continue;
			node.style.setProperty("--fall", `${before.get(node.textContent) - top(node)}px`);
			node.classList.add("falls");
		}
	}

	// Who listens learns what was said in the clear, and forgets nothing of it.
	#paintOverheard(step, box) {
		const heard = new Map(), left = box.querySelector(".known")?.scrollLeft;
		for (const { index, learned } of this.#entry.steps.slice(0, step.index + 1)) {
			for (const fact of [...learned.server, ...learned.client]) {
				if (!fact.secure && fact.kind in KINDS && !heard.has(fact.label)) heard.set(fact.label, { ...fact, learned: index });
			}
		}
		const known = [...heard.values()].map((fact) => this.#fact(fact, fact.learned === step.index && "new"));
		box.replaceChildren(p("title", this.#t(OVERHEARD)), known.length ? el("ul", { class: "known" }, known) : p("none", this.#t("Nothing")),
			p("none", this.#t("Whoever listens on the path forgets nothing.")));
		this.#bring(box, left);
	}

	// On a telephone the facts stand in one line: it begins with the new ones, or stays where it was.
	#bring(box, left) {
		const list = box.querySelector(".known"), first = list?.querySelector(".new");
		if (!list) return;
		fit(list);
		this.#reach.observe(list);
		if (list.scrollWidth > list.clientWidth) list.scrollLeft = first ? first.offsetLeft - list.offsetLeft : left;
	}

	#reach = new ResizeObserver((seen) => seen.forEach(({ target }) => fit(target)));

	// The handshake, as a scene of its own: a band crosses the wire, and says who forgets.
	#paintScene(step) {
		const { scene } = this.#ui, forget = this.#open.filter((side) => step.kind === "handshake" && step.discarded[side].length);
		scene.hidden = !forget.length;
		if (!forget.length) return;
		const words = forget.length === 2 ? FORGETS.both : FORGETS[forget[0]];
		const facts = forget.flatMap((side) => step.discarded[side]).map((fact, place) => {
			const node = this.#fact(fact, "gone", "span");
			node.style.setProperty("--place", place);
			return node;
		});
		scene.replaceChildren(div("band", icon("lock"), span("", this.#t(words))), div("tray", facts));
	}

	// What stands below does not jump back and forth: a part that has grown keeps its height.
	#settle() {
		const { now, notes, ledgers, root } = this.#ui;
		if (root.classList.contains("listed")) return;
		const boxes = { now, notes, ...ledgers };
		// On a telephone the player has one height, and what is read scrolls within it.
		if (getComputedStyle(root).display === "flex") return Object.values(boxes).forEach((box) => { box.style.minHeight = ""; });
		if (this.#tallest.width !== this.clientWidth) this.#tallest = { width: this.clientWidth };
		for (const [name, box] of Object.entries(boxes)) {
			box.style.minHeight = "";
			this.#tallest[name] = Math.max(this.#tallest[name] ?? 0, Math.ceil(box.getBoundingClientRect().height));
			box.style.minHeight = `${this.#tallest[name]}px`;
		}
	}

	// What a side has forgotten: at a handshake, until it comes back; else at this very step.
	#fallen(step, side) {
		const steps = this.#entry.steps.slice(0, step.index + 1);
		const token = (fact) => (fact.kind === "name" ? "" : fact.label.split(" ")[0]);
		const fall = steps.findLast((s) => s.kind === "handshake" && s.discarded[side].length);
		const again = new Set(steps.slice(fall?.index ?? step.index).flatMap((s) => s.learned[side].map(token)));
		const facts = (fall ?? step).discarded[side].filter((fact) => !again.has(token(fact)));
		return [fall ? "Forgotten at the handshake" : "Forgotten", facts];
	}

	#fact(fact, mark, tag = "li") {
		const how = this.#t(fact.secure ? "inside TLS" : "in the clear");
		const node = el(tag, { class: `fact ${fact.secure ? "secure" : ""} ${mark || ""}` }, icon(fact.secure ? "lock" : "open"),
			el(mark === "gone" ? "s" : "span", { class: "label" }, parted(fact.label)), fact.kind in KINDS && span("kind", this.#t(KINDS[fact.kind])), span("sr", `, ${how}`));
		// A fact leads back to the line that taught it.
		if (fact.learned >= 0 && fact.learned !== null && tag === "li" && mark !== "gone") {
			const line = this.#ui.items[fact.learned];
			node.onpointerenter = () => line?.classList.add("taught");
			node.onpointerleave = () => line?.classList.remove("taught");
			node.onclick = () => this.#move(fact.learned);
			node.title = inert(this.#position({ index: fact.learned }));
		}
		return node;
	}

	#paintNow(step, how) {
		const address = this.#address(), { documented } = this.#entry.session;
		const secure = step.secure || (step.kind === "handshake" && this.#inside(step.index));
		this.#ui.now.replaceChildren(
			p("meta", el(address ? "a" : "span", { href: address && address + (step.index + 1) }, this.#position(step)),
				how.shown && span(`way ${secure ? "secure" : ""}`, icon(secure ? "lock" : "open"), this.#way(step, how)),
				step.at > 0 && span("", `${step.at.toLocaleString(this.#ui.root.lang, { minimumFractionDigits: 3 })} s`),
				!step.documented && span("", this.#t(step.index < documented[0] ? "before the documented log" : step.index > documented[1] ? "beyond the documented log" : "not in the documented log"))),
			p("meaning", this.#meaning(step)));
		this.#ui.notes.replaceChildren(...this.#rulings(step));
		if (how.shown) this.#ui.now.append(...this.#dumps(step, how));
	}

	#rulings(step) {
		const found = this.#how(step).notes.map((note) => this.#note(note));
		if (step.index === this.length - 1 && this.view === "all") found.push(div("note outcome", p("title", this.#t("Outcome")), p("", this.#entry.verdict.outcome)));
		return found;
	}

	// A rule met or broken. The RFC's own words are English in every language.
	#note({ met, level, text, quote, place, keyword, url }) {
		const state = met ? "met" : "broken";
		return div(`note ${state}`,
			p("ruling", icon(state), el("strong", {}, this.#t(met ? "Rule met" : "Rule broken")), !met && span("level", this.#t(LEVELS[level]))),
			p("", text), el("figure", {}, el("blockquote", { lang: "en" }, quote), el("figcaption", {},
				/^https:/.test(url) ? el("a", { href: url, rel: "noreferrer" }, place) : place, keyword && el("span", { class: "keyword", lang: "en" }, keyword))));
	}

	// --- bytes ---

	// Where two legs carried it, the one nearer to the reader is enough.
	#spans(step) {
		const { wire } = this.#event(step), near = wire.filter((s) => s.link === (this.view === "server" ? "server" : "client"));
		return near.length ? near : wire;
	}

	#bytes({ link, to, start, end }) {
		this.#streams[link + to] ??= Uint8Array.from(this.#entry.session.wire.filter((s) => s.link === link && s.to === to).flatMap((s) => [...decode(s.data)]));
		return this.#streams[link + to].subarray(start, end);
	}

	#dumps(step, how) {
		const raw = decode(this.#event(step).raw), spans = this.#spans(step), carried = this.#t("As the wire carried it"), parts = [];
		if (raw.length && how.open && (step.secure || !spans.length)) parts.push([raw, this.#t("As it was said")]);
		for (const s of spans) {
			const bytes = this.#bytes(s), found = step.secure || step.kind === "handshake" ? records(bytes) : [];
			if (!found.length) parts.push([bytes, carried]);
			for (const { type, length, bytes } of found) parts.push([bytes, `${carried} → ${this.#t(s.to)}: ${type}, ${length}`]);
		}
		if (!parts.length) return [];
		const details = el("details", { class: "bytes", open: this.#bytesOpen }, el("summary", {}, this.#t("Bytes")),
			parts.map(([bytes, caption]) => el("figure", {}, el("figcaption", {}, caption),
				el("pre", { tabindex: 0, "aria-label": caption }, dump(bytes, this.clientWidth < 640 ? 8 : 16)),
				bytes.length > DUMPED && p("", this.#t("{octets} more octets", { octets: bytes.length - DUMPED })))));
		details.ontoggle = () => { this.#bytesOpen = details.open; };
		return [details];
	}
}

const CSS = `
:host{display:block;container-type:inline-size;font-size:max(15px,1em);line-height:1.5;text-align:left;
	--bg:var(--md-default-bg-color,light-dark(#fff,#14181d));--fg:light-dark(#1d2329,#e6e9ed);--soft:light-dark(#57606a,#a5afba);
	--line:light-dark(#d8dde3,#333b45);--panel:light-dark(#f7f8fa,#1a1f26);
	--amber:light-dark(#845004,#f5bf6b);--amber-bg:light-dark(#fff7e8,#292214);--amber-line:light-dark(#dfa132,#a87722);
	--green:light-dark(#0d6138,#7cd6a4);--green-bg:light-dark(#ecf8f1,#13271d);--green-line:light-dark(#36a06b,#34855c);
	--red:light-dark(#ad1f2d,#ff9d9d);--red-bg:light-dark(#fdeff0,#331a1d);
	--mono:var(--md-code-font-family,ui-monospace,Menlo,Consolas,monospace);
	font-family:var(--md-text-font-family,system-ui,sans-serif)}
:host([hidden]),[hidden]{display:none !important}
*{box-sizing:border-box;margin:0;padding:0}
ol,ul{list-style:none}
p,li,blockquote{overflow-wrap:anywhere}
button,input{font:inherit;color:inherit}
a{color:inherit;text-underline-offset:.2em}
:focus-visible,:focus-visible+span{outline:2px solid var(--fg);outline-offset:2px}
.sr{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}
.icon{display:inline-flex;flex:none;width:1.05em;height:1.05em;vertical-align:-.15em}
svg{width:100%;height:100%;fill:none;stroke:currentColor;stroke-width:1.6;stroke-linecap:round;stroke-linejoin:round}
.play path{fill:currentColor}
code,pre,.line,.label,.host{font-family:var(--mono);font-size:.86em}
.title,legend,.role{font-size:.8em;font-weight:600;line-height:1.3}

.player{--ink:var(--amber);--edge:var(--amber-line);--tint:var(--amber-bg);--dash:dashed;color:var(--fg);background:var(--bg);border:1px solid var(--line);border-radius:.9em;padding:1em}
.secure,.steps .handshake{--ink:var(--green);--edge:var(--green-line);--tint:var(--green-bg);--dash:solid}
.wire,.poster,.ledger,pre{border:1px solid var(--line);border-radius:.7em}
.title,legend,.host,.figure .icon,.total,.count,.kind,.none,.meta,.change,blockquote,figcaption{color:var(--soft)}
.views,.heads,.figure,.state,.what,.way,.ruling,.controls{align-items:center}
.state,.fact,.what,.mark,.way,.ruling,.meta,figcaption{display:flex;gap:.4em}
.views{border:0;display:flex;flex-wrap:wrap;gap:.3em;margin-bottom:.8em;min-width:0}
.views legend{float:left;margin-right:.4em}
.views label{position:relative}
.views input,.time input{position:absolute;inset:0;width:100%;height:100%;cursor:pointer}
.views input{opacity:0}
.views span{display:block;font-size:.84em;padding:.15em .8em;border:1px solid var(--line);border-radius:2em}
.views :checked+span,.disc,.controls .toggle{background:var(--fg);color:var(--bg)}

.stage{display:grid;gap:.9em;grid-template:"wire" "controls" "now" "client" "server" "notes"/minmax(0,1fr)}
.drive{grid-area:controls;min-width:0} .now{grid-area:now} .notes{grid-area:notes} .ledger.client{grid-area:client} .ledger.server{grid-area:server}
.wire{grid-area:wire;position:relative;overflow:hidden;display:flex;flex-direction:column;height:20em}
.heads{display:grid;grid-template-columns:minmax(0,1fr) auto minmax(0,1fr);gap:.6em;padding:.6em .7em;background:var(--panel);border-bottom:1px solid var(--line)}
.figure{grid-template-columns:auto minmax(0,1fr);column-gap:.5em}
.figure>.icon{width:1.6em;height:1.6em;grid-row:span 2;display:none}
.role{display:block}.role::first-letter{text-transform:uppercase}
.host{display:block;font-size:.74em;line-height:1.3;overflow-wrap:anywhere;unicode-bidi:isolate}
.figure.server{grid-template-columns:minmax(0,1fr) auto;text-align:right}
.figure.server .icon{grid-column:2;grid-row:1/span 2}
.middle{display:grid;justify-items:center;gap:.2em}
.figure.middlebox{display:flex;gap:.3em} .middlebox.middlebox *{color:var(--red)} .figure.middlebox>.icon{display:block;width:1.1em;height:1.1em}
.state,.fact{border:1px var(--dash) var(--edge);color:var(--ink);background:var(--tint)}
.state{padding:.2em .7em;border-radius:2em;font-size:.82em;font-weight:600;white-space:nowrap}

.steps{position:relative;flex:1;overflow-y:auto;padding-bottom:6em;scrollbar-width:thin}
.steps li{--rail:linear-gradient(var(--line),var(--line));--ground:repeating-linear-gradient(135deg,var(--amber-bg) 0 5px,transparent 5px 10px);position:relative;padding:0 1.1em;
	background:var(--rail) 1.1em 0/1px 100% no-repeat,var(--rail) calc(100% - 1.1em) 0/1px 100% no-repeat,linear-gradient(var(--top,transparent),var(--end,transparent)),var(--ground)}
.steps .secure{--top:var(--tint);--end:var(--tint)} .steps .handshake:not(.failure){--end:var(--tint)}
.steps li::before{content:"";position:absolute;inset:0 auto 0 50%;border-left:1px dashed var(--red)}
.player:not(.between) .middlebox,.player:not(.between) li::before{display:none}
.steps button{display:block;width:100%;background:none;border:0;padding:.5em 0 .3em;text-align:left;cursor:pointer}
.said{display:block;width:fit-content;max-width:92%;margin:0 .7em;padding:.2em .6em;border-radius:.5em;border:1px solid transparent;contain:paint}
.from-server>button>.said{margin-left:auto}
.line{display:block;white-space:pre-wrap;overflow-wrap:anywhere;line-height:1.4;unicode-bidi:isolate}
.what{font-size:.88em;color:var(--ink);font-weight:600}
.mark{align-items:baseline;font-size:.78em;color:var(--red);font-weight:600;line-height:1.35}
.message .said{max-height:8em;overflow:hidden}
.current>button>.said{background:var(--bg);border-color:var(--edge);box-shadow:0 1px 6px #0002}
.arrow{display:block;position:relative;height:10px;margin-top:.15em;color:var(--edge)}
.arrow::before{content:"";position:absolute;inset:4px 0 auto;border-top:2px var(--dash)}
.arrow::after{content:"";position:absolute;right:0;border:5px solid transparent;border-left:9px solid;border-right:0}
.to-client .arrow{transform:scaleX(-1)}
.lost .arrow,.forged .arrow{width:50%} .forged .said,.handshake .said{background:var(--bg)}
.lost.from-server .arrow,.forged.to-server .arrow{margin-left:50%}
.lost .arrow::after{content:"✕"/"";border:0;font:700 14px/10px sans-serif;right:-6px}
:is(.stale.stale,.within.within) .arrow{width:4em;margin-left:calc(100% - 4em)} .stale.to-client.to-client .arrow{margin-left:0}
.handshake>button{text-align:center;padding:.5em 0}
.handshake .said{max-width:none;width:auto;border-color:var(--edge)}
.handshake .what{justify-content:center}
.steps :is(.failure,.broken,.forged,.lost){--ink:var(--red);--edge:var(--red)}
.steps :is(.forged,.connect,.disconnect,.remark,.trace,.unseen) .said{margin-inline:auto}
.connect .what,.disconnect .what{color:var(--soft)}
.handshake .arrow,.trace .arrow,.remark .arrow{display:none}
.future .said{visibility:hidden} .future .arrow{opacity:.35}
.opaque .said{background:repeating-linear-gradient(90deg,transparent 0 3px,var(--tint) 3px 6px)}
.more{display:none}

.poster{grid-row:1;grid-column:1/-1;z-index:1;cursor:pointer;padding:1em;
	display:grid;grid-template-columns:1fr 1fr;align-content:center;justify-items:center;gap:1.3em .5em;
	background:linear-gradient(100deg,transparent 50%,var(--green-bg) 50.1%),repeating-linear-gradient(135deg,var(--amber-bg) 0 7px,var(--bg) 7px 14px)}
.poster>*{grid-column:1/-1} .poster .fact{grid-column:auto;padding:.4em .2em;gap:.2em}.poster .label{font-size:.7em}
.disc,.controls button{display:grid;place-items:center;border-radius:50%}
.disc{width:5em;height:5em;box-shadow:0 4px 20px #0003;outline:6px solid var(--bg)}
.disc .icon{width:2em;height:2em;margin-left:.25em}
.question{font-size:1.7em;font-weight:650;line-height:1.2;text-wrap:balance;max-width:20em}
.total{margin-top:-1em}
.poster:focus-visible{outline:0} .poster:focus-visible .disc{box-shadow:0 0 0 10px var(--fg)}
.controls{display:flex;flex-wrap:wrap;justify-content:center;gap:.25em}
.controls button{width:2.6em;height:2.6em;border:1px solid transparent;background:none;cursor:pointer}
.controls button:hover{background:var(--panel);border-color:var(--line)}
.controls .toggle{width:2.9em;height:2.9em} .controls .toggle:hover{background:var(--green)}
.controls .list{border-radius:.5em} .list[aria-pressed=true]{border-color:var(--fg)}
.count,.meta{font-variant-numeric:tabular-nums;font-size:.86em}
.controls .speed{font-size:.86em;font-weight:600;width:3em;height:3em;font-variant-numeric:tabular-nums} .ways{display:flex} .ways [aria-pressed=true]{background:var(--panel);border-color:var(--fg)}
.chapters{display:flex;flex-wrap:wrap;justify-content:center;gap:.3em;margin-top:.5em}
.chapters button{font:600 .72em/1.5 var(--mono);padding:.2em .8em;border:1px var(--dash) var(--edge);border-radius:2em;background:none;color:var(--ink);cursor:pointer}
.chapters [aria-current]{background:var(--tint);box-shadow:inset 0 0 0 1px var(--edge)}
.scene{position:absolute;inset:auto 0 0;padding:0 0 .7em;background:linear-gradient(transparent,var(--bg) 1.2em);pointer-events:none}
.band{display:flex;align-items:center;justify-content:center;gap:.5em;padding:.4em;background:var(--green-bg);color:var(--green);border-block:2px solid var(--green-line);font-weight:700}
.tray{display:flex;flex-wrap:wrap;justify-content:center;gap:.3em;padding:.6em .7em 0} .tray .fact{padding:.1em .5em;border-left-width:1px}.tray .icon{display:none}
.ask{display:flex;gap:.5em;align-items:center;padding:.5em .8em;margin-bottom:.5em;border-radius:.5em;background:var(--fg);color:var(--bg);font-weight:600}
:host(:fullscreen){background:var(--bg);overflow:auto;padding:1em;font-size:1.15em}
.count{min-width:3.6em;text-align:right;display:none}
.time{position:relative;flex:1 1 100%;order:-1;height:2em;margin:0 .2em}
.track{position:absolute;inset:0 .6em}
.ground{position:absolute;top:calc(50% - 3px);height:6px;background:repeating-linear-gradient(135deg,var(--edge) 0 3px,var(--tint) 3px 6px)}
.ground.secure{background:var(--edge)}
.dot{position:absolute;top:50%;width:3px;height:12px;margin:-6px -1.5px;background:var(--bg);border-radius:2px}
.dot.handshake{width:6px;height:20px;margin:-10px -3px;background:var(--green);border:1px solid var(--bg)}
.dot.broken{width:11px;height:11px;margin:-18px -5.5px;background:var(--red);clip-path:polygon(0 0,100% 0,50% 100%)}
.time input{appearance:none;background:none}
.time input::-webkit-slider-thumb{appearance:none;width:1.2em;height:1.2em;border-radius:50%;background:var(--bg);border:.3em solid var(--fg)}
.time input::-moz-range-thumb{width:1.2em;height:1.2em;box-sizing:border-box;border-radius:50%;background:var(--bg);border:.3em solid var(--fg)}

.overheard .chapters{visibility:hidden} .overheard .ledger:not(.eavesdropper),.player:not(.overheard) .eavesdropper{display:none} .ledger.eavesdropper{grid-area:client} .fact[title]{cursor:pointer} .taught>button>.said{outline:2px solid var(--edge);outline-offset:1px}
.ledger{padding:.7em;background:var(--panel);position:relative}
.ledger ul{display:flex;flex-wrap:wrap;gap:.35em;margin-top:.5em}
.fact{align-items:baseline;padding:.2em .55em;border-radius:.4em;border-left:4px solid var(--edge);max-width:100%}
.fact .icon{width:.85em;height:.85em;align-self:center}
s{text-decoration:none;background:linear-gradient(to bottom right,#0000 calc(50% - 1.1px),currentColor 50%,#0000 calc(50% + 1.1px))} @media(forced-colors:active){s{text-decoration:line-through}}
.label,s{font-family:var(--mono);font-size:.82em;min-width:0;unicode-bidi:isolate;overflow-wrap:anywhere}
.kind{white-space:nowrap;font-size:.72em;margin-left:auto}
.fact.gone{background:none;color:var(--soft);border:1px dashed} .gone .kind{display:none}
.fallen{margin-top:.9em;padding-top:.7em;border-top:1px dashed var(--line)}
.none{font-size:.88em;margin-top:.4em}

.now{min-height:6em}
.meta{flex-wrap:wrap;gap:.2em 1em}
.way{color:var(--ink)}
.meaning{font-size:1.18em;line-height:1.45;margin:.25em 0;max-width:44em}
.note{--c:var(--green);border-left:4px solid var(--c);padding:.1em 0 .1em .9em;margin-bottom:.9em;max-width:50em}
.note.broken{--c:var(--red);background:var(--red-bg);padding-block:.6em;border-radius:0 .5em .5em 0}
.note.outcome{--c:var(--fg)}
.ruling{flex-wrap:wrap;color:var(--c);font-size:.86em}
.keyword,.level{border:1px solid;border-radius:.3em;padding:0 .4em;font-size:.86em;font-weight:700;white-space:nowrap}
.level{background:var(--red);color:var(--bg);border-color:var(--red)}
blockquote{font-family:Georgia,serif;font-style:italic;margin-top:.35em;font-size:.95em}
blockquote::before{content:"“"} blockquote::after{content:"”"}
figcaption{flex-wrap:wrap;font-size:.84em;margin-top:.15em}
.bytes{margin-top:.9em} summary{cursor:pointer;font-size:.9em;font-weight:600;width:fit-content}
.bytes figure{margin-top:.6em}
pre{font-size:.76em;overflow:auto;max-height:16em;background:var(--panel);padding:.6em .8em;margin-top:.3em;line-height:1.45}

@container (max-width:29.99em){
	.player:not(.listed){display:flex;flex-direction:column;height:min(88svh,45em)} .views{flex:none}
	:not(.listed)>.stage{display:flex;flex-direction:column;flex:1;min-height:0;position:relative;overflow-y:auto;scroll-padding-bottom:10em;scrollbar-width:thin} .stage>*{flex:none}
	:not(.listed)>.stage>.wire{height:14em} .steps{padding-bottom:4em} .tray{flex-wrap:nowrap;justify-content:start;font-size:.8em;overflow:hidden} .tray .fact{flex:none;max-width:none}
	.views,.chapters{flex-wrap:nowrap;justify-content:start;overflow-x:auto;scrollbar-width:none;padding:2px 1.4em 2px 2px;mask-image:linear-gradient(to right,#000 calc(100% - 1.6em),#0000)} .views>*,.chapters>*{flex:none} .views span{white-space:nowrap} .question{font-size:1.35em} .poster:not([hidden])~:is(.now,.ledger,.notes){visibility:hidden}
	.controls{gap:0} .controls button{width:min(2.6em,9.2cqi)} .controls .toggle{width:min(2.9em,12cqi);height:min(2.9em,12cqi)} .controls .speed{width:min(3em,9.2cqi)}
	.poster{position:absolute;inset:0 0 9em;min-height:14em;z-index:1} .drive{order:1;position:sticky;bottom:0;z-index:2;margin-top:auto;background:var(--bg)}
	.ledger{overflow-x:auto} .ledger ul{flex-wrap:nowrap;width:max-content} .ledger .title{position:sticky;left:0;width:fit-content} .ledger .fact{max-width:none;flex:none} .ledger .known{overflow-x:auto;width:auto;scrollbar-width:thin}
}
@container (min-width:30em){
	.stage{grid-template:"wire wire" "controls controls" "now now" "client server" "notes notes"/minmax(0,1fr) minmax(0,1fr)}
	.figure.figure{display:grid}.figure>.icon.icon{display:block} .time{flex:1;order:0} .controls{flex-wrap:nowrap} .count{display:block}
}
@container (min-width:42em){
	.stage{grid-template:"client wire wire server" "controls controls controls controls" "now now now now" "notes notes notes notes"/1fr minmax(0,.95fr) minmax(0,.95fr) 1fr}
	.poster{grid-template-columns:1fr auto 1fr;column-gap:3em} .disc{grid-area:1/2} .poster .fact{grid-row:1;padding:.4em .9em;gap:.4em;margin:auto 0 auto auto}.poster .label{font-size:1em} .poster .secure{grid-column:3;margin:auto auto auto 0}
	.overheard .wire{grid-column:2/-1} .ledger ul{display:grid} .ledger{max-height:27em;overflow-y:auto;scrollbar-width:thin} .wire{height:27em}
}
@container (min-width:42em) and (max-width:59.99em){
	.ledger .fact{display:grid;grid-template-columns:auto 1fr;row-gap:0} .ledger .kind{grid-column:2;margin:0} .figure.figure{display:block}.figure:not(.middlebox)>.icon.icon{display:none}
}
@container (min-width:60em){
	.player{padding:1.3em}
	.stage{grid-template-areas:"client wire wire server" "controls controls controls controls" "now now notes notes"}
}

@media (prefers-reduced-motion:no-preference){
	.steps{scroll-behavior:smooth} .state.secure{animation:grow .6s}
	.new{animation:grow .5s calc(var(--place) * 60ms) backwards ease-out}
	.falls{animation:fall .95s backwards ease-in}
	.current .arrow{animation:draw .5s} .band{animation:cross .9s ease-out} .tray .fact{animation:drop .7s calc(.7s + var(--place) * 70ms) backwards ease-in}
	.poster:hover .disc{transform:scale(1.07)}
}
@keyframes grow{from{opacity:0;transform:translateY(.6em) scale(.9)}}
@keyframes fall{from{transform:translateY(var(--fall));color:var(--amber);border-color:var(--amber-line);background:var(--amber-bg)} 35%{transform:translateY(var(--fall)) rotate(-2.5deg);color:var(--amber)}}
@keyframes cross{from{transform:translateX(-100%)}}
@keyframes drop{from{transform:translateY(-9em) rotate(-4deg);opacity:0}}
@keyframes draw{from{clip-path:inset(-4px 100% -4px 0)} to{clip-path:inset(-4px)}}

.listed .ledger,.listed .scene,.listed .now,.listed .notes,.listed .time,.listed .chapters{display:none} .listed .stage{grid-template:"wire" "controls"}
.listed .wire{height:auto} .listed .steps{overflow:visible;padding:0} .listed .said{max-height:none !important;visibility:visible !important}
.listed .more{display:block;padding:.1em 1.7em 1em;max-width:50em} .change{font-size:.9em;margin-top:.3em}
@media print{
	:host{color-scheme:light;--bg:#fff}
	.player{border:0;padding:0}
	.ledger,.now,.notes,.drive,.scene,.views,.poster,.arrow{display:none !important}
	.player.player,.player>.stage.stage{display:block;height:auto;overflow:visible} .player>.stage>.wire.wire{height:auto;border:0} .steps{overflow:visible;padding:0}
	.said{max-height:none !important;visibility:visible !important}
	.more{display:block;padding:.1em 1.7em 1em} .steps li{break-inside:avoid;border-top:1px solid var(--line)}
	:host([brief]) :is(figure,.more .change){display:none} :host([brief]) .more{padding-block:0 .3em} :host([brief]) .note{margin-bottom:.2em}
}
`;

customElements.define("smtp-session", SmtpSession);
})();
