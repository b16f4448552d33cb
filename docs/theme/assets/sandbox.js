// <smtp-sandbox>: two sessions out of all that were played, side by side and step by step. It makes
// nothing up: which client, which server and what stands between them only choose among them.
// The choice is in the address: #a=CLIENT+SERVER+MIDDLEBOX&b=…&t=STEP.
(() => {
	"use strict";
	if (customElements.get("smtp-sandbox")) return;
	const SIDES = ["client", "server", "middlebox"];
	const PANES = ["a", "b"];
	const START = { a: "documented+documented+nothing", b: "skips+documented+nothing" };

	function el(tag, attributes, ...children) {
		const node = document.createElement(tag);
		for (const [name, value] of Object.entries(attributes)) {
			if (value !== undefined && value !== false) node.setAttribute(name, value === true ? "" : value);
		}
		node.append(...children.flat());
		return node;
	}

	// Put an explanation together again out of the parts that all of them share.
	function entry({ keys, parts }, place) {
		const part = parts[place];
		if (!Array.isArray(part)) return part;
		const inner = part.slice(1).map((at) => entry({ keys, parts }, at));
		return part[0] < 0 ? inner : Object.fromEntries(keys[part[0]].map((key, index) => [key, inner[index]]));
	}

	const sign = (step) => JSON.stringify([step.kind, step.by, step.to, step.secure, step.lost, step.stale, step.kind === "trace" ? "" : step.text]);

	// For each step of one session, the step of the other that it stands beside.
	function alignment(one, other) {
		const a = one.map(sign), b = other.map(sign);
		const common = Array.from({ length: a.length + 1 }, () => new Array(b.length + 1).fill(0));
		for (let i = a.length - 1; i >= 0; i--) {
			for (let j = b.length - 1; j >= 0; j--) {
				common[i][j] = a[i] === b[j] ? 1 + common[i + 1][j + 1] : Math.max(common[i + 1][j], common[i][j + 1]);
			}
		}
		const there = [], back = [];
		let i = 0, j = 0;
		while (i < a.length || j < b.length) {
			if (i < a.length && j < b.length && a[i] === b[j]) { there[i] = j; back[j] = i; i++; j++; }
			else if (j >= b.length || (i < a.length && common[i + 1][j] >= common[i][j + 1])) there[i++] = Math.min(j, b.length - 1);
			else back[j++] = Math.min(i, a.length - 1);
		}
		const parted = a.findIndex((mark, index) => mark !== b[index]);
		return { there, back, parted: parted < 0 && b.length > a.length ? a.length : parted };
	}

	const pause = () => new Promise((ready) => { setTimeout(ready); });

	class SmtpSandbox extends HTMLElement {
		#data; #words; #chosen = { ...START }; #panes = {}; #locked = false; #lines;
		#onHash = () => this.#read();

		async connectedCallback() {
			addEventListener("hashchange", this.#onHash);
			if (this.#data) return;
			this.#words = JSON.parse(this.dataset.words);
			const inline = this.querySelector('script[type="application/json"]');
			this.#data = inline ? JSON.parse(inline.textContent) : await (await fetch(this.getAttribute("src"))).json();
			this.#build();
			await this.#read(pause);
			this.toggleAttribute("ready", true);
			this.dispatchEvent(new CustomEvent("sandbox-ready", { bubbles: true }));
		}

		disconnectedCallback() { removeEventListener("hashchange", this.#onHash); }

		async #read(between) {
			const wanted = new URLSearchParams(location.hash.slice(1).replaceAll("+", "%2B"));
			for (const pane of PANES) {
				if (Object.hasOwn(this.#data.cells, wanted.get(pane))) this.#chosen[pane] = wanted.get(pane);
			}
			await this.#show(between);
			const step = Number(wanted.get("t"));
			if (step) this.#panes.a.player.step = step - 1;
		}

		#write(step) {
			const { a, b } = this.#chosen;
			history.replaceState(history.state, "", `#a=${a}&b=${b}${step ? `&t=${step + 1}` : ""}`);
		}

		#build() {
			const words = this.#words;
			const verdict = el("p", { class: "parted", "aria-live": "polite" });
			for (const pane of PANES) {
				const selects = SIDES.map((side) => {
					const choices = Object.entries(this.#data.titles[side]).map(([name, title]) => el("option", { value: name }, title));
					const select = el("select", {}, choices);
					select.addEventListener("change", () => { this.#choose(pane, selects.map((s) => s.value).join("+")); });
					return select;
				});
				const player = el("smtp-session", { nolink: true, id: `session-${pane}` });
				player.addEventListener("smtp-step", ({ detail }) => this.#follow(pane, detail.index));
				const outcome = el("p", { class: "outcome" }), command = el("code", {});
				this.#panes[pane] = { selects, player, outcome, command };
			}
			const fields = PANES.map((pane) => el("fieldset", { class: `choice ${pane}` }, el("legend", {}, words[pane === "a" ? "first" : "second"]),
				SIDES.map((side, index) => el("label", {}, el("span", {}, words[side]), this.#panes[pane].selects[index])), this.#panes[pane].outcome));
			const players = PANES.map((pane) => el("div", { class: "pane" }, this.#panes[pane].player,
				el("p", { class: "command" }, `${words.command} `, this.#panes[pane].command)));
			this.#lines = { verdict, grid: el("div", { class: "wide grid" }), target: this.#target() };
			this.replaceChildren(el("div", { class: "choices" }, fields), verdict, el("div", { class: "panes" }, players),
				el("h2", { id: "grid" }, words.grid), this.#lines.target.box, this.#lines.grid, this.#legend());
		}

		// Which of the two sessions a cell of the grid opens as.
		#target() {
			const inputs = PANES.map((pane) => el("input", { type: "radio", name: "target", value: pane, checked: pane === "b" }));
			const box = el("fieldset", { class: "target" }, el("legend", {}, this.#words.opens),
				inputs.map((input, index) => el("label", {}, input, ` ${this.#words[["first", "second"][index]]}`)));
			return { box, value: () => inputs.find((input) => input.checked).value };
		}

		#legend() {
			return el("ul", { class: "legend" }, Object.entries(this.#data.meanings).map(([category, meaning]) =>
				el("li", {}, el("span", { class: `cell ${category.replace(" ", "-")}` }, " "), ` ${meaning}`)));
		}

		#choose(pane, names) {
			this.#chosen[pane] = names;
			this.#show();
			this.#write();
		}

		// Fill both panes. With a pause `between`, the page stays at hand while they are built.
		async #show(between) {
			for (const pane of PANES) {
				if (between) await between();
				const names = this.#chosen[pane], { selects, player, outcome, command } = this.#panes[pane];
				names.split("+").forEach((name, index) => { selects[index].value = name; });
				const shown = entry(this.#data, this.#data.cells[names][0]);
				const { language, labels } = this.#data;
				this.#locked = true;
				player.data = { language, labels, sessions: [shown] };
				player.step = 0;
				this.#locked = false;
				outcome.textContent = shown.verdict.outcome;
				const option = language === "en" ? "" : `--lang ${language} `;
				command.textContent = `ehlo-twice replay ${option}${names.replace(/\+nothing$/, "")}`;
			}
			if (between) await between();
			const { there, back, parted } = alignment(...PANES.map((pane) => this.#panes[pane].player.data.sessions[0].steps));
			this.#lines.there = { a: there, b: back };
			this.#lines.verdict.textContent = parted < 0 ? this.#words.same : this.#words.part.replace("{n}", parted + 1);
			this.#grid();
		}

		#follow(pane, index) {
			if (this.#locked) return;
			this.#locked = true;
			this.#panes[pane === "a" ? "b" : "a"].player.step = this.#lines.there[pane][index] ?? 0;
			this.#locked = false;
			this.#write(pane === "a" ? index : this.#lines.there.b[index]);
		}

		#grid() {
			const { titles, cells } = this.#data;
			const between = this.#chosen.b.split("+")[2];
			const head = el("tr", {}, el("td", {}), Object.values(titles.server).map((title) => el("th", { scope: "col" }, title)));
			const rows = Object.entries(titles.client).map(([client, title]) => el("tr", {}, el("th", { scope: "row" }, title),
				Object.keys(titles.server).map((server) => {
					const names = `${client}+${server}+${between}`, [, category, label] = cells[names];
					const chosen = PANES.filter((pane) => this.#chosen[pane] === names);
					const button = el("button", { type: "button", class: `cell ${category.replace(" ", "-")} ${chosen.map((pane) => `is-${pane}`).join(" ")}`, "aria-pressed": String(chosen.length > 0), "aria-label": `${title}, ${titles.server[server]}: ${label}`, "data-names": names }, label);
					button.addEventListener("click", () => { this.#choose(this.#lines.target.value(), names); this.querySelector(`[data-names="${CSS.escape(names)}"]`)?.focus(); });
					return el("td", {}, button);
				})));
			const caption = el("caption", {}, `${this.#words.middlebox}: ${titles.middlebox[between]}`);
			this.#lines.grid.replaceChildren(el("table", { class: "matrix" }, caption, el("thead", {}, head), el("tbody", {}, rows)));
		}
	}

	customElements.define("smtp-sandbox", SmtpSandbox);
})();
