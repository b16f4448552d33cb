// <smtp-bytes>: every byte of one or two sessions, side by side, event by event. A byte under the
// mouse, or reached with the arrow keys, says what it means. Fed with the JSON of the bytes view:
// in <script type="application/json"> elements inside, or by the addresses in `src`.
(() => {
	"use strict";
	if (customElements.get("smtp-bytes")) return;
	const SHOWN = 160; // octets of a record before the reader asks for the rest

	function el(tag, attributes, ...children) {
		const node = document.createElement(tag);
		for (const [name, value] of Object.entries(attributes)) {
			if (value !== undefined && value !== false) node.setAttribute(name, value);
		}
		node.append(...children.flat().filter((child) => child !== undefined && child !== ""));
		return node;
	}

	// The innermost parts, in order, each with all that it is a part of.
	function leaves(piece) {
		const found = [], open = [piece];
		piece.parts.forEach((part, index) => {
			const depth = part.depth;
			open.length = depth;
			open.push(part);
			const next = piece.parts[index + 1];
			if (!next || next.depth <= depth) found.push({ start: part.start, end: part.end, chain: open.slice(1) });
		});
		return found.length ? found : [{ start: piece.start, end: piece.end, chain: [piece] }];
	}

	class SmtpBytes extends HTMLElement {
		#words;

		async connectedCallback() {
			if (this.#words) return;
			this.#words = JSON.parse(this.dataset.words);
			const inline = [...this.querySelectorAll('script[type="application/json"]')];
			const load = async (address) => (await fetch(address)).json();
			const sides = await Promise.all(inline.length
				? inline.map((script) => JSON.parse(script.textContent))
				: this.getAttribute("src").split(" ").map(load));
			this.replaceChildren(...this.#build(sides));
			this.toggleAttribute("ready", true);
			this.dispatchEvent(new CustomEvent("bytes-ready", { bubbles: true }));
			if (/^#event-\d+$/.test(location.hash)) this.querySelector(location.hash)?.scrollIntoView();
		}

		#build(sides) {
			const events = new Map();
			sides.forEach(({ pieces }, side) => {
				let at = 0;
				for (const piece of pieces) {
					at = piece.events?.[0] ?? at;
					if (!events.has(at)) events.set(at, sides.map(() => []));
					events.get(at)[side].push(piece);
				}
			});
			const heads = el("div", { class: "row heads" }, sides.map(({ title }) => el("p", { class: "side" }, title)));
			return [heads, ...[...events].sort(([a], [b]) => a - b).map(([event, found]) => this.#row(event, found, sides))];
		}

		#row(event, found, sides) {
			const name = `event-${event}`;
			const step = el("a", { class: "step", href: `#${name}` }, this.#words.step.replace("{n}", event + 1));
			return el("section", { class: "row", id: name, "aria-label": step.textContent }, step,
				found.map((pieces, side) => el("div", { class: "side" },
					// Where the sides are one below the other, no head stands over them.
					pieces.length && sides.length > 1 ? el("p", { class: "which" }, sides[side].title) : "",
					pieces.map((piece) => this.#piece(piece)))));
		}

		// Thousandths, as the page's language writes them.
		#seconds(at) {
			const language = this.closest("[lang]")?.lang || undefined;
			return at.toLocaleString(language, { minimumFractionDigits: 3, maximumFractionDigits: 3 });
		}

		#piece(piece) {
			const words = this.#words;
			const from = piece.to === "server" ? "client" : "server";
			const readable = piece.secure ? "secure" : "clear";
			const title = `${words[from]} → ${words[piece.to]}: ${piece.value || piece.name}`;
			const octets = piece.hex.match(/../g);
			const parts = leaves(piece);
			const reader = el("p", { class: "reader" }, words.hint);
			const box = el("div", { class: "hex", role: "listbox", tabindex: 0, "aria-label": title });
			const options = parts.map(({ start, end, chain }, index) => {
				const said = chain.map((part) => part.name).join(" › ");
				const inner = chain.at(-1);
				const meaning = [inner.value, inner.meaning].filter(Boolean).join(" — ");
				const own = octets.slice(start - piece.start, end - piece.start);
				const option = el("span", { role: "option", class: `part tone-${index % 2}`, "aria-selected": "false" },
					el("span", { "aria-hidden": "true" }), el("span", { class: "sr-only" }, `${said}: ${meaning || own.join(" ")}`));
				option.said = [el("b", {}, said), meaning ? ` ${meaning}` : "", ` (${end - start})`];
				option.octets = own;
				return option;
			});
			const show = (limit) => {
				let left = limit;
				options.forEach((option) => {
					const shown = option.octets.slice(0, Math.max(0, left));
					left -= option.octets.length;
					option.firstChild.textContent = shown.join(" ") + (shown.length && shown.length < option.octets.length ? " …" : "");
					option.hidden = !shown.length;
				});
			};
			show(SHOWN);
			box.append(...options.flatMap((option) => [option, " "]));
			const pick = (option) => {
				if (!option) return;
				box.querySelector("[aria-selected=true]")?.setAttribute("aria-selected", "false");
				option.setAttribute("aria-selected", "true");
				option.id ||= `part-${SmtpBytes.count = (SmtpBytes.count ?? 0) + 1}`;
				box.setAttribute("aria-activedescendant", option.id);
				reader.replaceChildren(...option.said.filter(Boolean).map((node) => node.cloneNode?.(true) ?? node));
			};
			for (const event of ["pointerover", "click"]) box.addEventListener(event, ({ target }) => { pick(target.closest("[role=option]")); });
			box.addEventListener("keydown", (event) => {
				const visible = options.filter((option) => !option.hidden);
				const now = visible.findIndex((option) => option.ariaSelected === "true");
				const next = { ArrowRight: now + 1, ArrowDown: now + 1, ArrowLeft: now - 1, ArrowUp: now - 1, Home: 0, End: visible.length - 1 }[event.key];
				if (next === undefined) return;
				event.preventDefault();
				pick(visible[Math.max(0, Math.min(visible.length - 1, next))]);
			});
			const more = octets.length > SHOWN && el("button", { type: "button", class: "more" }, words.more.replace("{n}", octets.length));
			more && more.addEventListener("click", () => { show(Infinity); more.remove(); box.focus(); });
			return el("article", { class: `piece ${readable} to-${piece.to}` },
				el("p", { class: "way" }, `${words[from]} → ${words[piece.to]} · ${words[readable]} · ${this.#seconds(piece.at)} s`),
				el("p", { class: "value" }, piece.value || piece.name),
				piece.meaning ? el("p", { class: "meaning" }, piece.meaning) : "",
				(piece.inside ?? []).map((line) => el("p", { class: "inside" }, `${words.inside}: `, el("code", {}, line))),
				box, more || "", reader);
		}
	}

	customElements.define("smtp-bytes", SmtpBytes);
})();
