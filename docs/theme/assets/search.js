// Comes before the theme's own script: index and searcher wait for a reader who searches, and a
// plural finds its singular.
{
	const field = document.querySelector("[data-md-component=search-query]");
	const wanted = new Promise((search) => {
		if (/[?&][hq]=/.test(location.search)) search();
		for (const event of ["focus", "pointerenter"]) field?.addEventListener(event, search);
	});
	// And so does the program that looks into it: it comes with the first word it is told.
	const { Worker } = window;
	window.Worker = function (address, ...more) {
		if (!/\/workers\/search\./.test(address)) return new Worker(address, ...more);
		const later = new EventTarget();
		let worker;
		later.postMessage = (message) => {
			if (!worker) {
				worker = new Worker(address, ...more);
				worker.addEventListener("message", ({ data }) => later.dispatchEvent(new MessageEvent("message", { data })));
			}
			worker.postMessage(message);
		};
		return later;
	};
	window.Worker.prototype = Worker.prototype;

	const { open, send } = XMLHttpRequest.prototype;
	XMLHttpRequest.prototype.open = function (method, address, ...more) {
		if (String(address).endsWith("/search_index.json")) this.send = () => { wanted.then(() => send.call(this)); };
		return open.call(this, method, address, ...more);
	};

	// The theme's search takes every word for the beginning of one, and "of" for "offered". So small
	// words go, the word itself counts more than what begins like it, and of the rest the ending is
	// taken off, so that a plural finds its singular and one form of a verb another.
	const portuguese = document.documentElement.lang.startsWith("pt");
	const SMALL = new Set((portuguese
		? "a à ao aos as às com como da das de depois do dos e é ele em entre era eu foi há isso já lhe mais mas me mesmo meu minha na não nas nem no nos o os ou para pela pelo por porque qual quando que quê quem se sem ser seu sua são só também tem um uma você"
		: "a about after an and are as at be but by can do does did for from has have how i if in into is it its me my no not of on or our say says so that the their then there they this to was we what when where which who why will with would you your"
	).split(" "));
	const ENDINGS = portuguese
		? [[/(?:ões|ães|ãos|ão|ns|is|l|m)$/u, ""], [/(?:[aei]d[oa]s?|[aei]ndo|[aei]mento|[aei]r[aá]?|[aei]m|eu|iu|ou|e|[oa]s?)$/u, ""], [/([rzs])es$/u, "$1"], [/s$/u, ""]]
		: [[/ies$/u, ""], [/([sxz]|ch|sh)es$/u, "$1"], [/(?:ten|ing|ed)$/u, ""], [/([^su])s$/u, "$1"]];
	const stem = (word) => {
		const [ending, left] = ENDINGS.find(([found]) => found.test(word)) ?? [/$/, ""];
		const cut = word.replace(ending, left);
		return word.length > 4 && cut.length > 3 && /^\p{L}+$/u.test(word) ? cut : word;
	};
	const { postMessage } = Worker.prototype;
	Worker.prototype.postMessage = function (message, ...more) {
		const question = message?.data;
		if (typeof question !== "string") return postMessage.call(this, message, ...more);
		const words = question.toLowerCase().split(/[\s\-,:;!?=[\]()"“”„«»‘’/*+~^]+|\.(?!\d)/u).filter(Boolean);
		const telling = words.filter((word) => !SMALL.has(word));
		const asked = (telling.length ? telling : words).flatMap((word) => [`${word}^4`, stem(word)]).join(" ");
		return postMessage.call(this, { ...message, data: asked }, ...more);
	};
}
