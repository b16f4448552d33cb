// What the theme leaves open: the language switch keeps the place in the page, the search dialog
// has a name, wide blocks can be scrolled by keyboard, and a plural finds its singular.
{
	for (const link of document.querySelectorAll(".language a")) {
		link.addEventListener("click", () => { link.hash = location.hash; });
	}
	const dialog = document.querySelector("[data-md-component=search][role=dialog]");
	dialog?.setAttribute("aria-label", dialog.querySelector("input").getAttribute("aria-label"));
	// Of the many lists of links, no two have the same name.
	const name = () => {
		const known = new Set();
		for (const nav of document.querySelectorAll("nav")) {
			const label = nav.getAttribute("aria-labelledby");
			const named = (label && document.getElementById(label)?.textContent) || nav.dataset.name || nav.getAttribute("aria-label") || nav.title;
			const base = nav.dataset.name = (named || nav.previousElementSibling?.textContent || "").trim().replace(/\s+/g, " ") || "–";
			let unique = base;
			for (let count = 2; known.has(unique); count++) unique = `${base} (${count})`;
			known.add(unique);
			nav.removeAttribute("aria-labelledby");
			if (nav.getAttribute("aria-label") !== unique) nav.setAttribute("aria-label", unique);
		}
	};
	name();
	new MutationObserver(name).observe(document.body, { childList: true, subtree: true });
	for (const block of document.querySelectorAll(".wide, .md-typeset pre > code, .md-typeset__scrollwrap")) {
		if (block.scrollWidth > block.clientWidth) block.tabIndex = 0;
	}

	// The search finds every word that begins with what was typed. So it is enough to take the
	// ending of a plural off before the question goes to the worker.
	const ENDINGS = document.documentElement.lang.startsWith("pt")
		? [[/(?:ões|ães|ãos|ns|is)$/u, ""], [/([rzs])es$/u, "$1"], [/s$/u, ""]]
		: [[/ies$/u, ""], [/([sxz]|ch|sh)es$/u, "$1"], [/([^su])s$/u, "$1"]];
	const singular = (word) => {
		const [ending, stem] = ENDINGS.find(([found]) => found.test(word)) ?? [/$/, ""];
		return word.replace(ending, stem);
	};
	const { postMessage } = Worker.prototype;
	Worker.prototype.postMessage = function (message, ...more) {
		const question = message?.data;
		if (typeof question !== "string") return postMessage.call(this, message, ...more);
		const asked = question.replace(/\p{L}{5,}/gu, singular);
		return postMessage.call(this, { ...message, data: asked }, ...more);
	};
}
