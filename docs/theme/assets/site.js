// What the theme leaves open: the language switch keeps the place in the page, the search dialog
// has a name, and wide blocks can be scrolled by keyboard.
{
	// The theme's script waits for the page to be read, which it was when that script came.
	window.document$?.next(document);

	const named = () => {
		let hash = location.hash.slice(1);
		try { hash = decodeURIComponent(hash); } catch { /* As it stands, then. */ }
		return hash && document.getElementById(hash);
	};
	// The other language knows a heading's anchor, but not those that it also has here.
	for (const link of document.querySelectorAll(".language a")) {
		for (const kind of ["pointerdown", "click"]) link.addEventListener(kind, () => {
			const heading = named()?.closest("h1, h2, h3, h4");
			link.hash = heading?.id || location.hash;
		});
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
	// A block takes the keys unless all of it shows; what is far from the window is measured later.
	const sized = new ResizeObserver((seen) => {
		const blocks = seen.map(({ target }) => target.closest("code") ?? target.parentElement);
		const scroll = blocks.map((block) => block.scrollWidth > block.clientWidth);
		blocks.forEach((block, index) => { scroll[index] ? block.tabIndex = 0 : block.removeAttribute("tabindex"); });
	});
	for (const block of document.querySelectorAll(".wide, .md-typeset pre > code, .md-typeset__scrollwrap")) {
		const measured = block.localName === "code" ? block : block.firstElementChild;
		if (!measured) continue;
		block.tabIndex = 0;
		sized.observe(measured);
	}
	// A click opens the drawing that shows, wide or narrow.
	for (const link of document.querySelectorAll(".diagram a")) {
		link.addEventListener("click", () => { link.href = link.querySelector("img").currentSrc.split("#")[0] || link.href; });
	}
	// A snippet for other people's pages names the address at which this one was opened.
	for (const place of document.querySelectorAll("[data-here]")) {
		place.textContent = new URL(place.dataset.here, location.href.split("#")[0]).href;
	}
	// A cause has its address in the index, and stands on a page below; it once stood on another page.
	const wanted = named();
	const on = wanted ? wanted.closest(".causes li")?.querySelector("a[href]") : document.querySelector("a[data-causes]");
	if (on && location.hash) location.replace(on.href.split("#")[0] + location.hash);
}
