// <smtp-quiz>: a question of the quiz, which takes one answer and says what it shows.
// <smtp-quiz-result>: what all answers of a form come to. Both keep them in this browser.
(() => {
	"use strict";
	if (customElements.get("smtp-quiz")) return;
	const { el, filled } = window.ehloTwice;
	const PLACE = "ehlo-twice.quiz";

	// The letter that was chosen, by question. Some browsers keep nothing, and say so by an error.
	const store = {
		kept: true,
		answers: {},
		read() {
			try {
				const found = JSON.parse(localStorage.getItem(PLACE) ?? "{}");
				this.answers = Object.fromEntries(Object.entries(found ?? {}).filter(([, letter]) => /^[a-f]$/.test(letter)));
			} catch (error) {
				this.kept = error instanceof SyntaxError;
			}
		},
		write() {
			try {
				localStorage.setItem(PLACE, JSON.stringify(this.answers));
			} catch {
				this.kept = false;
			}
			document.dispatchEvent(new Event("smtp-quiz"));
		},
	};
	store.read();

	class SmtpQuiz extends HTMLElement {
		#ui;

		connectedCallback() {
			if (!this.#ui) this.#build();
			document.addEventListener("smtp-quiz", this);
			this.handleEvent();
		}

		disconnectedCallback() { document.removeEventListener("smtp-quiz", this); }

		#build() {
			const words = JSON.parse(this.dataset.words);
			const inputs = [...this.querySelectorAll("input")];
			const go = el("button", { type: "button", class: "go", click: () => this.#answer() }, words.go);
			const told = el("p", { class: "told", tabindex: "-1" });
			this.querySelector(".choices").after(el("p", { class: "act" }, go), told);
			for (const input of inputs) input.addEventListener("keydown", (event) => { if (event.key === "Enter") this.#answer(); });
			this.#ui = { words, inputs, go, told, details: this.querySelector("details"), reveals: JSON.parse(this.dataset.reveals) };
		}

		#answer() {
			const { inputs, told, words } = this.#ui;
			const chosen = inputs.find((input) => input.checked);
			if (chosen) {
				store.answers[this.dataset.question] = chosen.value;
				store.write();
			} else told.textContent = words.choose;
			told.focus({ preventScroll: true });
			told.scrollIntoView({ block: "nearest" });
		}

		// What was answered, here or in another tab of it, is shown.
		handleEvent() {
			const { words, inputs, go, told, details, reveals } = this.#ui, { question, right } = this.dataset;
			const letter = store.answers[question];
			if (this.hasAttribute("ready") && letter === this.dataset.answer) return;
			if (letter) this.dataset.answer = letter;
			else delete this.dataset.answer;
			for (const input of inputs) {
				input.disabled = Boolean(letter);
				input.checked = input.value === letter;
				const label = input.closest("label");
				label.classList.toggle("right", Boolean(letter) && input.value === right);
				label.classList.toggle("wrong", input.value === letter && letter !== right);
			}
			go.parentElement.hidden = Boolean(letter);
			details.hidden = !letter;
			details.open = false;
			const text = (value) => inputs.find((input) => input.value === value).nextElementSibling.textContent;
			told.replaceChildren(...(!letter ? [] : letter === right ? [el("b", {}, `✓ ${words["is-right"]}`)]
				: [el("b", {}, `✗ ${words["is-wrong"]}`), ` ${reveals[letter]} `, el("span", {}, `${words["right-is"]} ${text(right)}`)]));
			this.toggleAttribute("ready", true);
		}
	}

	class SmtpQuizResult extends HTMLElement {
		#ui;

		connectedCallback() {
			if (!this.#ui) this.#build();
			document.addEventListener("smtp-quiz", this);
			this.handleEvent();
		}

		disconnectedCallback() { document.removeEventListener("smtp-quiz", this); }

		#build() {
			const words = JSON.parse(this.dataset.words), { form } = this.dataset;
			const questions = JSON.parse(this.dataset.questions);
			const counted = el("p", { class: "counted", role: "status" });
			const more = el("div", { class: "more" });
			const keeps = el("p", { class: "keeps" });
			const again = el("button", { type: "button", click: () => {
				for (const question of Object.keys(questions)) delete store.answers[question];
				store.write();
				document.getElementById(Object.keys(questions)[0]).scrollIntoView();
				document.querySelector(`smtp-quiz[data-question="${Object.keys(questions)[0]}"] input`).focus({ preventScroll: true });
			} }, filled(words.again, { form }));
			this.replaceChildren(counted, more, el("p", { class: "act" }, again), keeps);
			this.#ui = { words, form, questions, other: JSON.parse(this.dataset.other), counted, more, keeps, again };
		}

		handleEvent() {
			const { words, form, questions, other, counted, more, keeps, again } = this.#ui, { answers } = store;
			const asked = Object.entries(questions), all = asked.length;
			const done = asked.filter(([id]) => answers[id]).length;
			const wrong = asked.filter(([id, { right }]) => answers[id] && answers[id] !== right);
			const finished = done === all;
			const right = done - wrong.length;
			counted.textContent = filled(finished ? words.result : words.counted, { form, done, all, right });
			more.replaceChildren();
			if (finished) {
				more.append(wrong.length ? el("p", {}, words.open) : el("p", {}, words["all-right"]));
				if (wrong.length) {
					more.append(el("ul", {}, wrong.map(([id, { number, idea, play }]) =>
						el("li", {}, el("a", { href: `#${id}` }, number), ` “${idea}” `, el("a", { href: play, "aria-label": `${number}: ${words.shown}` }, words.shown)))));
				}
				const others = Object.entries(other);
				if (others.every(([id]) => answers[id])) {
					const rights = { [form]: right, [form === "A" ? "B" : "A"]: others.filter(([id, letter]) => answers[id] === letter).length };
					more.append(el("p", { class: "both" }, filled(words.both, { ...rights, all })));
				}
			}
			again.parentElement.hidden = !done;
			keeps.textContent = store.kept ? words.kept : words["not-kept"];
			this.dataset.right = String(right);
			this.toggleAttribute("finished", finished);
			this.toggleAttribute("ready", true);
		}
	}

	addEventListener("storage", ({ key }) => {
		if (key !== null && key !== PLACE) return;
		store.answers = {};
		store.read();
		document.dispatchEvent(new Event("smtp-quiz"));
	});
	customElements.define("smtp-quiz", SmtpQuiz);
	customElements.define("smtp-quiz-result", SmtpQuizResult);
})();
