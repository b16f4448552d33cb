// <smtp-explain>: a log that is pasted, dropped or chosen is explained here, by the program itself,
// in a worker that is started when it is first wanted. What a log holds is shown as text, never run.
(() => {
	"use strict";
	if (customElements.get("smtp-explain")) return;
	const { el, filled, see, save, Engine } = window.ehloTwice;
	const BIGGEST = 64 << 20; // octets

	class SmtpExplain extends HTMLElement {
		#words; #language; #ui; #engine; #found;

		connectedCallback() {
			if (this.#ui) return;
			this.#words = JSON.parse(this.dataset.words);
			this.#language = this.dataset.language;
			this.#engine = new Engine("explain", this.dataset, this.#words, ({ share }) => {
				if (share !== undefined) this.#ui.bar.value = share;
			});
			this.replaceChildren(...this.#build());
			this.toggleAttribute("ready", true);
		}

		disconnectedCallback() { this.#engine.stop(); }

		// --- the form -------------------------------------------------------------------------

		#build() {
			const words = this.#words;
			const text = el("textarea", { id: "log", rows: 9, spellcheck: "false", autocomplete: "off", autocapitalize: "off", wrap: "off", placeholder: words.placeholder, "aria-describedby": "log-stays" });
			const file = el("input", { type: "file", id: "log-file", class: "hidden", change: () => { if (file.files[0]) this.#take(file.files[0]); file.value = ""; } });
			const go = el("button", { type: "submit", class: "go" }, words.go);
			const cancel = el("button", { type: "button", class: "cancel", hidden: true, click: () => { this.#engine.stop(); this.#say(words.cancelled); this.#busy(false); text.focus(); } }, words.cancel);
			const status = el("p", { class: "status", role: "status" });
			const bar = el("progress", { max: 1, hidden: true, "aria-label": words.progress });
			const answer = el("div", { class: "answer" });
			const examples = JSON.parse(this.dataset.examples).map(({ title, log }) =>
				el("button", { type: "button", click: () => { text.value = log; this.#explain(); } }, title));
			const form = el("form", { submit: (event) => { event.preventDefault(); this.#explain(); } },
				el("label", { for: "log", class: "title" }, words.paste), text,
				el("p", { class: "actions" }, go, el("label", { for: "log-file", class: "file" }, file, words.choose), cancel),
				el("p", { class: "examples" }, `${words.examples} `, examples),
				el("p", { class: "stays", id: "log-stays" }, words.stays), bar, status);
			for (const event of ["focus", "input"]) text.addEventListener(event, () => this.#engine.start(), { once: true });
			// A paste is a wish to have it explained; who types goes on typing.
			text.addEventListener("paste", () => setTimeout(() => { if (text.value.trim()) this.#explain(); }));
			text.addEventListener("keydown", (event) => { if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) this.#explain(); });
			form.addEventListener("dragover", (event) => { event.preventDefault(); form.classList.add("over"); });
			form.addEventListener("dragleave", () => form.classList.remove("over"));
			form.addEventListener("drop", (event) => {
				event.preventDefault();
				form.classList.remove("over");
				const [dropped] = event.dataTransfer.files;
				if (dropped) this.#take(dropped);
				else { text.value = event.dataTransfer.getData("text/plain"); this.#explain(); }
			});
			this.#ui = { text, go, cancel, status, bar, answer };
			return [form, answer];
		}

		#say(what, bad = false) {
			this.#ui.status.textContent = what;
			this.#ui.status.classList.toggle("bad", bad);
		}

		#busy(on) {
			this.#ui.cancel.hidden = this.#ui.bar.hidden = !on;
			this.#ui.go.disabled = on;
			this.toggleAttribute("busy", on);
		}

		async #take(file) {
			if (file.size > BIGGEST) {
				this.#say(this.#words.big, true);
				return;
			}
			this.#ui.text.value = "";
			this.#explain(await file.arrayBuffer(), file.name);
		}

		// --- what is asked of the program ---------------------------------------------------------

		#ask(question, transfer) { return this.#engine.ask({ language: this.#language, ...question }, transfer); }

		// The whole explanation of a log as the program's own JSON.
		async json(octets) {
			const read = await this.#ask({ octets: octets.buffer });
			if (read.error !== undefined) throw new Error(read.error);
			const { answer, error } = await this.#ask({ show: { view: "json" } });
			if (error !== undefined) throw new Error(error);
			return answer;
		}

		// --- the answer -----------------------------------------------------------------------

		async #explain(octets, name) {
			const words = this.#words;
			if (!octets && !this.#ui.text.value.trim()) {
				this.#say(words.empty, true);
				this.#ui.text.focus();
				return;
			}
			const data = octets ?? new TextEncoder().encode(this.#ui.text.value).buffer;
			if (this.hasAttribute("busy")) this.#engine.stop();
			this.#ui.bar.removeAttribute("value");
			this.#busy(true);
			this.#ui.answer.replaceChildren();
			this.#say(words.working);
			const began = performance.now();
			const { answer, error } = await this.#ask({ octets: data }, [data]);
			this.#busy(false);
			if (error !== undefined) {
				this.#say(error, true);
				return;
			}
			this.#found = JSON.parse(answer);
			this.toggleAttribute("explained", true);
			this.dataset.took = String(Math.round(performance.now() - began));
			this.#show(name);
		}

		#show(name) {
			const words = this.#words, { sessions, problems, shown } = this.#found;
			if (!sessions) {
				this.#say(words.nothing, true);
				return;
			}
			const left = sessions > shown.length ? ` ${filled(words.left, { n: shown.length })}` : "";
			this.#say(`${name ? `${name}: ` : ""}${filled(words.counted, { n: sessions, p: problems })}${left}`);
			const pane = el("section", { class: "session", tabindex: "-1" });
			const parts = [pane];
			if (shown.length > 1) {
				const label = ({ sessions: [entry] }, index) => `${entry.verdict.faults.length ? "✗" : "✓"} ${index + 1} · ${entry.title} · ${entry.verdict.outcome}`;
				const select = el("select", { id: "which", change: () => this.#one(pane, Number(select.value)) },
					shown.map((document, index) => el("option", { value: index }, label(document, index))));
				select.value = Math.max(0, shown.findIndex(({ sessions: [entry] }) => entry.verdict.faults.length));
				parts.unshift(el("p", { class: "which" }, el("label", { for: "which" }, words.which), select));
				this.#one(pane, Number(select.value));
			} else this.#one(pane, 0);
			this.#ui.answer.replaceChildren(...parts);
			see(pane);
		}

		#one(pane, number) {
			const words = this.#words, document = this.#found.shown[number], [entry] = document.sessions;
			const { verdict } = entry;
			const player = el("smtp-session", { nolink: true });
			const decided = this.#deciding(entry);
			const lines = decided.length ? el("div", { class: "deciding" }, el("p", { class: "title" }, words.deciding),
				el("ol", {}, decided.map(({ index, line, text }) => el("li", {},
					el("button", { type: "button", click: () => { player.step = index; player.scrollIntoView({ block: "nearest" }); } },
						line ? el("span", { class: "line" }, filled(words.line, { n: line })) : "", el("code", {}, text)))))) : "";
			const done = el("span", { class: "done", role: "status" });
			const give = async (view, anonymise, said, taken) => {
				const { answer, error } = await this.#ask({ show: { view, number, anonymise } });
				if (error === undefined) await taken(answer);
				done.textContent = error ?? said;
			};
			const copy = el("button", { type: "button", click: () => give("markdown", true, words.copied, async (text) => {
				// No clipboard here: a file will do.
				try { await navigator.clipboard.writeText(text); } catch { save(text, "session.md", "text/markdown"); }
			}) }, words.copy);
			const keep = el("button", { type: "button", click: () => give("html", false, words.kept, (text) => save(text, "session.html", "text/html")) }, words.keep);
			pane.replaceChildren(
				el("h2", {}, verdict.outcome),
				lines,
				...verdict.causes.map((cause) => this.#cause(cause)),
				verdict.not_shown ? el("p", { class: "not-shown" }, verdict.not_shown) : "",
				player,
				el("p", { class: "actions" }, copy, keep, done),
			);
			player.data = document;
			if (decided.length) requestAnimationFrame(() => { player.step = decided.at(-1).index; });
		}

		// The lines that the causes rest on; without any, those at which a rule was broken.
		#deciding({ session, steps, verdict }) {
			const wanted = new Set(verdict.causes.flatMap((cause) => cause.steps));
			const of = (index) => ({ index, line: session.events[index].line, text: steps[index].text.join(" ⏎ ") || steps[index].meaning });
			const shown = steps.map((step) => step.index);
			const found = wanted.size ? shown.filter((index) => wanted.has(index))
				: shown.filter((index) => steps[index].notes.some((note) => !note.met && note.level !== "risk"));
			return found.slice(0, 4).map(of);
		}

		#cause(cause) {
			const words = this.#words;
			const more = [];
			if (cause.page) more.push(el("a", { href: `${this.dataset.up}${cause.page}` }, words.more));
			if (cause.experiment) more.push(el("a", { href: `${this.dataset.up}what-if/${cause.experiment}/` }, words.experiment));
			return el("div", { class: "cause" },
				el("p", { class: "title" }, cause.title, el("span", { class: "degree" }, cause.said_degree)),
				el("p", {}, cause.cause), el("p", {}, el("b", {}, `${words.remedy} `), cause.remedy),
				cause.ruled_out ? el("p", { class: "unless" }, el("b", {}, `${words.unless} `), cause.ruled_out) : "",
				el("p", { class: "more" }, cause.place ? el("a", { href: cause.url }, [cause.place, cause.keyword].filter(Boolean).join(" ")) : "", more));
		}
	}

	customElements.define("smtp-explain", SmtpExplain);
})();
