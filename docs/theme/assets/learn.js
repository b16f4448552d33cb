// <smtp-learn>: the exercises, set and checked by the program itself in a worker. What the learner
// has done is kept in this browser as the file that the program keeps in a terminal.
(() => {
	"use strict";
	if (customElements.get("smtp-learn")) return;
	const { el, filled, see, save, Engine } = window.ehloTwice;
	const BIGGEST = 256 << 10; // octets of a progress file

	// Some browsers keep nothing, and say so by an error; then it is kept as long as the page.
	const store = {
		kept: true,
		texts: {},
		get(name) {
			try {
				return localStorage.getItem(`ehlo-twice.${name}`) ?? this.texts[name] ?? "";
			} catch {
				this.kept = false;
				return this.texts[name] ?? "";
			}
		},
		set(name, text) {
			this.texts[name] = text;
			try {
				if (text) localStorage.setItem(`ehlo-twice.${name}`, text);
				else localStorage.removeItem(`ehlo-twice.${name}`);
			} catch {
				this.kept = false;
			}
		},
	};

	class SmtpLearn extends HTMLElement {
		#words; #titles; #ui; #engine; #number = ""; #begins = "";
		#onHash = () => { const wanted = location.hash.slice(1); if (wanted in this.#titles && wanted !== this.#number) this.#open(wanted); };
		#onStorage = () => this.#marks();

		connectedCallback() {
			addEventListener("hashchange", this.#onHash);
			addEventListener("storage", this.#onStorage);
			if (this.#ui) return;
			this.#words = JSON.parse(this.dataset.words);
			this.#titles = JSON.parse(this.dataset.titles);
			this.#engine = new Engine("learn", this.dataset, this.#words, () => {
				if (this.hasAttribute("busy")) this.#say(this.#words.working);
			});
			this.replaceChildren(...this.#build());
			this.#marks();
			this.toggleAttribute("ready", true);
			this.#onHash();
		}

		disconnectedCallback() {
			removeEventListener("hashchange", this.#onHash);
			removeEventListener("storage", this.#onStorage);
			this.#engine.stop();
		}

		#build() {
			const words = this.#words;
			const names = Object.keys(this.#titles).sort();
			const marks = new Map();
			const tasks = el("ol", { class: "tasks" }, names.map((name) => {
				const mark = el("span", { class: "mark" });
				const button = el("button", { type: "button", click: () => this.#open(name) }, el("b", {}, name), ` ${this.#titles[name]} `, mark);
				marks.set(name, { button, mark });
				return el("li", {}, button);
			}));
			const counted = el("p", { class: "counted" });
			const file = el("input", { type: "file", id: "progress-file", class: "hidden", accept: ".json", change: () => { if (file.files[0]) this.#take(file.files[0]); file.value = ""; } });
			const kept = el("p", { class: "actions" },
				el("button", { type: "button", click: () => this.#save() }, words.save),
				el("label", { for: "progress-file", class: "file" }, file, words.open),
				el("button", { type: "button", click: () => this.#anew() }, words.anew));
			const task = el("section", { class: "task", tabindex: "-1", "aria-label": words.tasks }, el("p", {}, words.begin));
			const stop = el("button", { type: "button", hidden: true, click: () => { this.#engine.stop(); this.#busy(false); this.#say(words.stopped); task.focus(); } }, words.stop);
			const bar = el("progress", { hidden: true, "aria-label": words.working });
			const status = el("p", { class: "status", role: "status" });
			const stays = el("p", { class: "stays" });
			const form = el("form", { class: "reply", hidden: true, submit: (event) => { event.preventDefault(); this.#check(); } });
			const came = el("section", { class: "came", tabindex: "-1", "aria-label": words.answer });
			this.#ui = { names, marks, counted, kept, task, stop, bar, status, stays, form, came };
			return [el("h2", {}, words.tasks), counted, tasks, el("div", { class: "desk" }, task, form, el("p", { class: "actions" }, stop), bar, status, came), kept, stays];
		}

		// How far the learner is: as the program tells it, in short.
		#marks() {
			const { names, marks, counted, stays } = this.#ui, words = this.#words;
			let done = {};
			try {
				done = JSON.parse(store.get("progress") || "{}").exercises ?? {};
			} catch { /* The program says so when it is asked. */ }
			for (const name of names) {
				const { solved, right, attempts } = done[name] ?? {}, { mark } = marks.get(name);
				mark.className = `mark ${solved ? "solved" : ""}`;
				const [sign, said] = solved ? ["✓", words.solved] : right ? ["½", words.once] : attempts ? [String(attempts), filled(words.tried, { n: attempts })] : ["", ""];
				mark.replaceChildren(...(sign ? [el("span", { "aria-hidden": "true" }, sign), el("span", { class: "sr-only" }, said)] : []));
			}
			counted.textContent = filled(words.counted, { solved: names.filter((name) => done[name]?.solved).length, all: names.length });
			stays.textContent = store.kept ? words.stays : words["not-kept"];
		}

		// --- what is asked of the program ---------------------------------------------------------

		#say(what, bad = false) {
			this.#ui.status.textContent = what;
			this.#ui.status.classList.toggle("bad", bad);
		}

		#busy(on) {
			this.#ui.bar.hidden = this.#ui.stop.hidden = !on;
			for (const button of this.querySelectorAll(".tasks button, .reply button, .came button")) button.disabled = on;
			this.toggleAttribute("busy", on);
		}

		// What the program says to that; nothing where it was stopped or could not be done.
		async #ask(question, name = "progress.json") {
			if (this.hasAttribute("busy")) return undefined;
			this.#busy(true);
			this.#say(this.#engine.loaded ? this.#words.working : this.#words.loading);
			const { answer, error } = await this.#engine.ask({ language: this.dataset.language, progress: store.get("progress"), ...question });
			this.#busy(false);
			this.#say(error?.replace("progress.json", () => name) ?? "", error !== undefined);
			if (error !== undefined) return undefined;
			const found = JSON.parse(answer);
			store.set("progress", found.progress);
			this.#marks();
			return found;
		}

		// --- one exercise ---------------------------------------------------------------------

		async #open(name, does = "show") {
			const found = await this.#ask({ does, number: name });
			if (!found) return;
			this.#number = name;
			this.#begins = found.begins;
			history.replaceState(null, "", `#${name}`);
			for (const [each, { button }] of this.#ui.marks) each === name ? button.setAttribute("aria-current", "true") : button.removeAttribute("aria-current");
			this.#ui.task.innerHTML = found.card;
			this.#ui.came.replaceChildren();
			this.#reply(does === "again");
			this.dataset.shown = String(Number(this.dataset.shown ?? 0) + 1);
			see(this.#ui.task);
		}

		#reply(fresh) {
			const words = this.#words, { form } = this.#ui;
			const draft = `answer.${this.#number}`;
			const written = Boolean(this.#begins);
			const input = written
				? el("textarea", { id: "given", rows: Math.min(28, this.#begins.split("\n").length + 3), spellcheck: "false", autocomplete: "off", autocapitalize: "off", wrap: "off" })
				: el("input", { id: "given", autocomplete: "off", autocapitalize: "off", spellcheck: "false", maxlength: 200 });
			if (written) {
				input.value = (!fresh && store.get(draft)) || this.#begins;
				input.addEventListener("change", () => store.set(draft, input.value === this.#begins ? "" : input.value));
				if (fresh) store.set(draft, "");
			}
			form.replaceChildren(el("label", { for: "given", class: "title" }, written ? words.program : words.answer), input,
				el("p", { class: "actions" }, el("button", { type: "submit", class: "go" }, words.go),
					el("button", { type: "button", click: () => this.#hint() }, words.hint),
					el("button", { type: "button", click: () => this.#open(this.#number, "again") }, words.again)));
			form.hidden = false;
		}

		async #check() {
			const { form, came } = this.#ui, words = this.#words, given = form.querySelector("#given").value;
			if (!given.trim()) { this.#say(words.empty, true); return; }
			const draw = () => { try { return JSON.parse(store.get("progress")).exercises[this.#number]?.draw ?? 0; } catch { return 0; } };
			const before = draw();
			const found = await this.#ask({ does: "check", number: this.#number, given });
			if (!found) return;
			const result = el("div", {});
			result.innerHTML = found.card;
			const after = this.#ui.names[this.#ui.names.indexOf(this.#number) + 1];
			const onward = draw() !== before ? el("button", { type: "button", class: "go", click: () => this.#open(this.#number) }, words.onward)
				: found.right && after ? el("button", { type: "button", class: "go", click: () => this.#open(after) }, words.next) : "";
			const player = found.shown ? el("smtp-session", { nolink: true }) : "";
			came.replaceChildren(...[result, onward && el("p", { class: "actions" }, onward), player].filter(Boolean));
			if (player) player.data = found.shown;
			// What was dealt is over: another situation waits.
			form.hidden = draw() !== before;
			this.dataset.checked = String(Number(this.dataset.checked ?? 0) + 1);
			see(came);
		}

		async #hint() {
			const found = await this.#ask({ does: "hint", number: this.#number });
			if (!found) return;
			const { came } = this.#ui;
			came.innerHTML = found.card;
			see(came);
		}

		// --- the learner's file ---------------------------------------------------------------

		async #save() {
			// A learner without a file gets one.
			if (!store.get("progress") && !(await this.#ask({ does: "open" }))) return;
			save(store.get("progress"), "progress.json", "application/json");
			this.#say(this.#words.saved);
		}

		async #take(file) {
			if (file.size > BIGGEST) { this.#say(this.#words.big, true); return; }
			// To the program, nothing at all is a new learner: who opens an empty file wants none.
			const progress = (await file.text()) || " ";
			if (!(await this.#ask({ does: "open", progress }, file.name))) return;
			this.#closed();
			this.#say(filled(this.#words.opened, { n: file.name }));
		}

		#anew() {
			if (!confirm(this.#words.sure)) return;
			store.set("progress", "");
			for (const name of this.#ui.names) store.set(`answer.${name}`, "");
			this.#marks();
			this.#closed();
			this.#say(this.#words.forgotten);
		}

		#closed() {
			const { task, form, came, marks } = this.#ui;
			this.#number = "";
			task.replaceChildren(el("p", {}, this.#words.begin));
			form.hidden = true;
			came.replaceChildren();
			for (const { button } of marks.values()) button.removeAttribute("aria-current");
		}
	}

	customElements.define("smtp-learn", SmtpLearn);
})();
