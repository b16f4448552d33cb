// Comes before the theme's own script: the index waits for a reader who searches, and a plural finds
// its singular.
{
	const field = document.querySelector("[data-md-component=search-query]");
	const wanted = new Promise((search) => {
		if (/[?&][hq]=/.test(location.search)) search();
		for (const event of ["focus", "pointerenter"]) field?.addEventListener(event, search);
	});
	const { open, send } = XMLHttpRequest.prototype;
	XMLHttpRequest.prototype.open = function (method, address, ...more) {
		if (String(address).endsWith("/search_index.json")) this.send = () => { wanted.then(() => send.call(this)); };
		return open.call(this, method, address, ...more);
	};

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
