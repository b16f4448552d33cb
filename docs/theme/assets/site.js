// What the theme leaves open: the language switch keeps the place in the page, the search dialog
// has a name, and wide blocks can be scrolled by keyboard.
{
	for (const link of document.querySelectorAll(".language a")) {
		link.addEventListener("click", () => { link.hash = location.hash; });
	}
	const dialog = document.querySelector("[data-md-component=search][role=dialog]");
	dialog?.setAttribute("aria-label", dialog.querySelector("input").getAttribute("aria-label"));
	for (const block of document.querySelectorAll(".wide, .md-typeset pre > code, .md-typeset__scrollwrap")) {
		if (block.scrollWidth > block.clientWidth) block.tabIndex = 0;
	}
}
