// <smtp-play>: an experiment that the reader changes is played here, by the program itself, in a
// worker: the lab in memory. What is edited is one scenario file; the form is another way to write
// it. A link holds the file, and the client's lines; nothing of it runs before somebody asks.
(() => {
	"use strict";
	if (customElements.get("smtp-play")) return;
	const { el, filled, see, save, Engine } = window.ehloTwice;
	const SIDES = ["client", "middlebox", "server"];
	const LONGEST = 16_000; // characters of a link
	const BIGGEST = 256 << 10; // octets of a file

	const same = (a, b) => JSON.stringify(a) === JSON.stringify(b);
	const copy = (value) => JSON.parse(JSON.stringify(value ?? {}));

	// --- a scenario file ----------------------------------------------------------------------

	// Of TOML's strings, JSON's are a part but for DEL, which it wants escaped.
	const string = (text) => JSON.stringify(text).replace(/\x7f/g, "\\u007f");
	const key = (name) => (/^[A-Za-z0-9_-]+$/.test(name) ? name : string(name));

	function value(found) {
		if (Array.isArray(found)) return `[${found.map(value).join(", ")}]`;
		return typeof found === "string" ? string(found) : String(found);
	}

	function table(path, found) {
		const plain = Object.entries(found).filter(([, inner]) => typeof inner !== "object" || Array.isArray(inner));
		const inner = Object.entries(found).filter(([, inner]) => typeof inner === "object" && !Array.isArray(inner));
		const head = plain.length ? `\n[${path}]\n${plain.map(([name, each]) => `${key(name)} = ${value(each)}\n`).join("")}` : "";
		return head + inner.map(([name, each]) => table(`${path}.${key(name)}`, each)).join("");
	}

	const encoded = (text) => btoa(Array.from(new TextEncoder().encode(text), (octet) => String.fromCharCode(octet)).join("")).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
	const decoded = (text) => new TextDecoder("utf-8", { fatal: true }).decode(Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (sign) => sign.charCodeAt(0)));

	class SmtpPlay extends HTMLElement {
		#data; #words; #ui; #inputs = {}; #tables = {}; #engine; #first;
		#onHash = () => this.#fromLink();

		connectedCallback() {
			addEventListener("hashchange", this.#onHash);
			if (this.#ui) return;
			this.#data = JSON.parse(this.querySelector("script").textContent);
			this.#words = this.#data.words;
			this.#engine = new Engine("play", this.dataset, this.#words, () => {
				if (this.hasAttribute("busy")) this.#say(this.#words.playing);
			});
			this.replaceChildren(...this.#build());
			this.#begin(0);
			this.#fromLink();
			this.toggleAttribute("ready", true);
		}

		disconnectedCallback() {
			removeEventListener("hashchange", this.#onHash);
			this.#engine.stop();
		}

		// --- the form -------------------------------------------------------------------------

		#build() {
			const words = this.#words;
			const base = el("select", { id: "base", change: () => { this.#begin(base.selectedIndex); this.#forget(); } },
				this.#data.bases.map(({ name, title }) => el("option", { value: name }, title)));
			const sides = SIDES.map((side) => el("fieldset", { class: `side ${side}` }, el("legend", {}, words[side]),
				this.#data.fields[side].map((field) => this.#field(side, field)),
				side === "client" ? el("p", { class: "mark" }) : ""));
			const own = el("input", { type: "checkbox", id: "own", change: () => { this.#shown(); this.#engine.start(); } });
			const code = el("textarea", { id: "code", rows: 13, spellcheck: "false", autocomplete: "off", autocapitalize: "off", wrap: "off", "aria-describedby": "code-about" });
			code.value = this.#data.code;
			const toml = el("textarea", { id: "toml", rows: 14, spellcheck: "false", autocomplete: "off", autocapitalize: "off", wrap: "off", "aria-describedby": "toml-about" });
			toml.addEventListener("change", () => this.#fromFile(toml.value));
			const title = el("input", { id: "title", maxlength: 120, input: () => this.#write() });
			const file = el("input", { type: "file", id: "file", class: "hidden", accept: ".toml", change: () => { if (file.files[0]) this.#take(file.files[0]); file.value = ""; } });
			const go = el("button", { type: "submit", class: "go" }, words.go);
			const stop = el("button", { type: "button", hidden: true, click: () => { this.#engine.stop(); this.#busy(false); this.#say(words.stopped); go.focus(); } }, words.stop);
			const bar = el("progress", { hidden: true, "aria-label": words.playing });
			const status = el("p", { class: "status", role: "status" });
			const answer = el("div", { class: "answer" });
			const form = el("form", { submit: (event) => { event.preventDefault(); this.#play(); } },
				el("p", { class: "base" }, el("label", { for: "base" }, words.base), base),
				el("div", { class: "sides" }, sides),
				el("p", { class: "own" }, own, el("label", { for: "own" }, words.own)),
				el("div", { class: "code", hidden: true }, el("label", { for: "code", class: "title" }, words.code), code,
					el("p", { id: "code-about", class: "about" }, words["code-about"])),
				el("details", {}, el("summary", {}, words.toml), el("p", { class: "named" }, el("label", { for: "title" }, words.title), title),
					el("label", { for: "toml", class: "title" }, words.file), toml,
					el("p", { id: "toml-about", class: "about" }, `${words["toml-about"]} `, el("a", { href: `${this.dataset.up}reference/scenarios/` }, words.keys))),
				el("p", { class: "actions" }, go, stop,
					el("button", { type: "button", click: () => this.#link() }, words.link),
					el("button", { type: "button", click: () => this.#save() }, words.save),
					el("label", { for: "file", class: "file" }, file, words.open)),
				el("p", { class: "stays" }, words.stays), bar, status);
			for (const event of ["pointerdown", "focusin"]) form.addEventListener(event, () => this.#engine.start(), { once: true });
			form.addEventListener("keydown", (event) => { if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) { event.preventDefault(); this.#play(); } });
			this.#ui = { base, own, code, toml, title, go, stop, bar, status, answer, form };
			return [form, answer];
		}

		#field(side, field) {
			const id = `${side}-${field.key}`;
			const changed = () => { this.#read(side, field); this.#write(); };
			let input;
			if (field.choices) input = el("select", { id, change: changed }, field.choices.map(([name, said]) => el("option", { value: name }, said)));
			else if (field.lines) input = el("textarea", { id, rows: 2, spellcheck: "false", autocapitalize: "off", placeholder: this.#words["one-a-line"], input: changed });
			else if (typeof field.default === "boolean") input = el("input", { type: "checkbox", id, change: changed });
			else input = el("input", { id, spellcheck: "false", input: changed });
			this.#inputs[id] = input;
			return el("p", { class: input.type === "checkbox" ? "field check" : "field" }, el("label", { for: id }, field.said), input);
		}

		#read(side, field) {
			const input = this.#inputs[`${side}-${field.key}`];
			const found = field.lines ? input.value.split("\n").map((line) => line.trim()).filter(Boolean) : input.type === "checkbox" ? input.checked : input.value;
			const kept = { ...this.#tables[side] };
			if (same(found, field.default)) delete kept[field.key];
			else kept[field.key] = found;
			this.#tables[side] = kept;
		}

		// Show what the tables say in the form, and mark what is not as in the documented session.
		#fill() {
			for (const side of SIDES) {
				for (const field of this.#data.fields[side]) {
					const input = this.#inputs[`${side}-${field.key}`], found = this.#tables[side]?.[field.key] ?? field.default;
					if (input.type === "checkbox") input.checked = Boolean(found);
					else input.value = field.lines ? found.join("\n") : found;
				}
			}
		}

		#marks() {
			for (const side of SIDES) {
				for (const field of this.#data.fields[side]) {
					this.#inputs[`${side}-${field.key}`].closest("p").classList.toggle("changed", this.#tables[side]?.[field.key] !== undefined);
				}
			}
			const does = this.#tables.middlebox?.does ?? "nothing";
			const takes = ["strip", "add-keywords", "inject-command", "inject-reply", "proxy"].includes(does);
			this.#inputs["middlebox-lines"].closest("p").hidden = !takes && !this.#tables.middlebox?.lines?.length;
			this.#inputs["middlebox-at"].closest("p").hidden = does !== "cut" && !this.#tables.middlebox?.at;
		}

		#begin(index) {
			const { title, tables } = this.#data.bases[index];
			this.#ui.base.selectedIndex = index;
			this.#ui.title.value = title;
			this.#tables = copy(tables);
			this.#fill();
			this.#write();
		}

		#text() {
			const words = this.#words, said = this.#ui.title.value.trim() || words.file;
			const prose = { title: said, question: words.question, watch: words.watch, conclude: words.conclude };
			const language = this.dataset.language;
			const texts = Object.entries(prose).map(([name, text]) => `[${name}]\nen = ${string(text)}\n${language === "en" ? "" : `${language} = ${string(text)}\n`}`);
			return texts.join("\n") + ["client", "server", "middlebox", "mail"].map((name) => table(name, this.#tables[name] ?? {})).join("");
		}

		#write() {
			this.#ui.toml.value = this.#text();
			this.#marks();
		}

		#shown() { this.#ui.code.parentElement.hidden = !this.#ui.own.checked; }

		// A file that was written, opened or sent: the program reads it, so that the form can show it.
		// What cannot be read changes nothing.
		async #fromFile(text, said = "", name = "") {
			if (!this.#engine.loaded) this.#say(this.#words.loading);
			const { answer, error } = await this.#ask({ toml: text, open: true });
			if (error !== undefined) { this.#say(name ? error.replace("experiment.toml", () => name) : error, true); return false; }
			this.#ui.toml.value = text;
			this.#taken(JSON.parse(answer));
			this.#say(said);
			return true;
		}

		#taken({ tables, title }) {
			this.#tables = copy(tables);
			this.#ui.title.value = title[this.dataset.language] ?? title.en;
			this.#fill();
			this.#marks();
		}

		async #take(file) {
			if (file.size > BIGGEST) { this.#say(this.#words.big, true); return; }
			const text = await file.text();
			const [, marked] = text.match(/^# client\.py\n((?:#\| .*\n|#\|\n)+)/m) ?? [];
			if (!(await this.#fromFile(text, filled(this.#words.opened, { n: file.name }), file.name))) return;
			this.#code(marked ? marked.replaceAll(/^#\| ?/gm, "") : "");
		}

		#code(text) {
			this.#ui.own.checked = Boolean(text);
			if (text) this.#ui.code.value = text;
			this.#shown();
		}

		#forget() { if (location.hash.startsWith("#x=")) history.replaceState(history.state, "", location.pathname); }

		#lines() { return this.#ui.own.checked ? this.#ui.code.value : ""; }

		async #link() {
			const hash = `#x=${encoded(JSON.stringify({ toml: this.#ui.toml.value, code: this.#lines() || undefined }))}`;
			if (hash.length > LONGEST) { this.#say(this.#words.long, true); return; }
			history.replaceState(history.state, "", hash);
			try { await navigator.clipboard.writeText(location.href); } catch { /* It stands in the address. */ }
			this.#say(this.#words.copied);
		}

		async #fromLink() {
			const [, found] = location.hash.match(/^#x=(.*)$/) ?? [];
			if (found === undefined) {
				const [, name] = location.hash.match(/^#from=([\w-]+)$/) ?? [];
				const index = this.#data.bases.findIndex((base) => base.name === name);
				if (index >= 0) this.#begin(index);
				return;
			}
			let held;
			try { held = JSON.parse(decoded(found)); } catch { held = undefined; }
			if (typeof held?.toml !== "string" || held.toml.length > LONGEST) { this.#say(this.#words["bad-link"], true); return; }
			this.#ui.toml.value = held.toml;
			this.#code(typeof held.code === "string" ? held.code : "");
			await this.#fromFile(held.toml, this.#words.linked);
		}

		#save() {
			const code = this.#lines();
			// To the program the client's lines are a comment: it plays the policy's client.
			const held = code ? `\n# ${this.#words.code}\n# client.py\n${code.trimEnd().split("\n").map((line) => (line ? `#| ${line}` : "#|")).join("\n")}\n` : "";
			save(this.#ui.toml.value + held, "experiment.toml", "application/toml");
			this.#say(this.#words.saved);
		}

		// --- the session that came of it ------------------------------------------------------

		#ask(question) { return this.#engine.ask({ language: this.dataset.language, ...question }); }

		#say(what, bad = false) {
			this.#ui.status.textContent = what;
			this.#ui.status.classList.toggle("bad", bad);
		}

		#busy(on) {
			this.#ui.bar.hidden = this.#ui.stop.hidden = !on;
			this.#ui.go.disabled = on;
			this.toggleAttribute("busy", on);
		}

		async #play() {
			if (this.hasAttribute("busy")) return;
			const words = this.#words;
			this.#busy(true);
			this.#say(this.#engine.loaded ? words.playing : words.loading);
			const { answer, error } = await this.#ask({ toml: this.#ui.toml.value, code: this.#lines() });
			this.#busy(false);
			if (error !== undefined) { this.#say(error, true); return; }
			this.#show(JSON.parse(answer));
		}

		#show(found) {
			const words = this.#words;
			this.#taken(found);
			const [entry] = found.shown.sessions, { verdict } = entry;
			const told = JSON.stringify(entry.steps.map((step) => [step.by, step.kind, step.text.map((line) => line.replace(/;.*/, ""))]));
			const before = this.#first;
			this.#first = { told, outcome: verdict.outcome };
			const player = el("smtp-session", { nolink: true });
			const pane = el("section", { class: "session", tabindex: "-1" },
				el("h2", {}, verdict.outcome),
				found.failed ? el("p", { class: "failed" }, `${words.failed} `, el("code", {}, found.failed)) : "",
				before ? el("p", { class: "since" }, before.told === told ? words.unchanged : filled(words.changed, { was: before.outcome })) : "",
				player, el("p", { class: "about" }, words.differs));
			this.#ui.answer.replaceChildren(pane);
			player.data = found.shown;
			const broken = entry.steps.findIndex((step) => step.notes.some((note) => !note.met && note.level !== "risk"));
			if (broken >= 0) requestAnimationFrame(() => { player.step = broken; });
			this.#say("");
			this.dataset.played = String(Number(this.dataset.played ?? 0) + 1);
			see(pane);
		}
	}

	customElements.define("smtp-play", SmtpPlay);
})();
