// What the scripts of several pages share: elements, words with their values, files, and the
// program in a worker.
window.ehloTwice ??= (() => {
	"use strict";

	function el(tag, attributes, ...children) {
		const node = document.createElement(tag);
		for (const [name, value] of Object.entries(attributes)) {
			if (typeof value === "function") node.addEventListener(name, value);
			else if (value !== undefined && value !== false) node.setAttribute(name, value === true ? "" : value);
		}
		node.append(...children.flat().filter((child) => child !== undefined && child !== ""));
		return node;
	}

	const filled = (text, values) => text.replace(/\{(\w+)\}/g, (_, name) => values[name]);

	// What came of it is brought before the reader.
	function see(section) {
		section.focus({ preventScroll: true });
		section.scrollIntoView({ block: "start", behavior: matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth" });
	}

	function save(text, name, type) {
		const link = el("a", { href: URL.createObjectURL(new Blob([text], { type })), download: name });
		link.click();
		setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
	}

	// The program in a worker, which is started when it is first wanted. What was asked of a worker
	// that was stopped gets no answer; of one that failed, or that has nothing to say for too long
	// once the program is loaded, an error.
	class Engine {
		loaded = false;
		#name; #data; #words; #told; #worker; #waiting = new Map(); #asked = 0; #timer;

		// `data` tells the `engine`'s folder, which holds worker.js, and the `limit` in seconds; `told`
		// gets what the worker says besides answers.
		constructor(name, data, words, told) {
			this.#name = name;
			this.#data = data;
			this.#words = words;
			this.#told = told;
		}

		// Out of a Blob, so that the page's policy holds in the worker too: it may fetch only from here.
		start() {
			if (this.#worker || location.protocol === "file:") return;
			const address = new URL(`${this.#data.engine}worker.js`, document.baseURI).href;
			const blob = URL.createObjectURL(new Blob([`import ${JSON.stringify(address)};`], { type: "text/javascript" }));
			const worker = new Worker(blob, { type: "module", name: this.#name });
			worker.onmessage = ({ data }) => {
				if (worker !== this.#worker) return;
				if (data.ready) this.loaded = true;
				const done = this.#waiting.get(data.id) ?? this.#told;
				this.#waiting.delete(data.id);
				this.#limit();
				done(data);
			};
			worker.onerror = () => { if (worker === this.#worker) this.#fail(this.#words.cannot); };
			this.#worker = worker;
		}

		stop() {
			clearTimeout(this.#timer);
			this.#worker?.terminate();
			this.#worker = undefined;
			this.loaded = false;
			this.#waiting.clear();
		}

		#fail(error) {
			const waiting = [...this.#waiting.values()];
			this.stop();
			for (const done of waiting) done({ error });
		}

		// What never comes to an end is ended from here.
		#limit() {
			clearTimeout(this.#timer);
			if (!this.loaded || !this.#waiting.size) return;
			const { limit } = this.#data;
			this.#timer = setTimeout(() => this.#fail(filled(this.#words.late, { n: limit })), limit * 1000);
		}

		// Gives {answer} or {error}.
		ask(question, transfer = []) {
			if (location.protocol === "file:") return Promise.resolve({ error: this.#words.disk });
			const id = ++this.#asked;
			return new Promise((done) => {
				this.#waiting.set(id, done);
				this.start();
				this.#worker.postMessage({ id, ...question }, transfer);
				if (this.#waiting.size === 1) this.#limit();
			});
		}
	}

	return { el, filled, see, save, Engine };
})();
