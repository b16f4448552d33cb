// The program in a worker of its own. Named "explain", it takes the octets of a log and gives its
// sessions explained; named "play", it takes an experiment and gives the session that came of it;
// named "learn", it sets exercises and checks answers.
// Everything it loads lies in this folder; the page's policy lets it fetch nothing else.
import { loadPyodide } from "./pyodide.mjs";

const here = new URL("./", import.meta.url).href;
const PARTS = { explain: [], play: ["lab.zip", "serving.zip"], learn: ["lab.zip", "serving.zip", "learn.zip"] };
const ENGINES = { explain: "simulator.inpage", play: "simulator.inplay", learn: "simulator.inlearn" };
const say = (what) => postMessage(what);

async function archive(name) {
	const answer = await fetch(here + name);
	if (!answer.ok) throw new Error(`${name}: ${answer.status}`);
	return answer.arrayBuffer();
}

const ready = (async () => {
	const archives = ["msgspec.zip", "simulator.zip", ...PARTS[self.name]].map(archive);
	const python = await loadPyodide({ indexURL: here });
	const packages = python.runPython("import sysconfig; sysconfig.get_paths()['purelib']");
	for (const found of archives) python.unpackArchive(await found, "zip", { extractDir: packages });
	const engine = python.pyimport(ENGINES[self.name]);
	say({ ready: true });
	return { python, engine };
})();
ready.catch(() => {}); // said to whoever asks

let pasted;

async function explained({ octets, language, show }) {
	const { python, engine } = await ready;
	if (octets) {
		pasted?.destroy();
		const data = python.toPy(new Uint8Array(octets));
		pasted = engine.Pasted.callKwargs({ data: data.tobytes?.() ?? data, progress: (share) => say({ share }) });
		return engine.answer(pasted, language);
	}
	return pasted.show.callKwargs(show.view, language, { number: show.number, anonymise: show.anonymise ?? false });
}

async function played({ toml, code, language, open }) {
	const { engine } = await ready;
	return open ? engine.opened(toml) : engine.answer(toml, code, language);
}

async function learned({ language, ...asked }) {
	const { engine } = await ready;
	return engine.answer(JSON.stringify(asked), language);
}

const ANSWERS = { explain: explained, play: played, learn: learned };

self.onmessage = async ({ data }) => {
	try {
		say({ id: data.id, answer: await ANSWERS[self.name](data) });
	} catch (error) {
		// Of a traceback the last line says what is wrong: the program's own refusals are made for people.
		say({ id: data.id, error: String(error.message).trim().split("\n").at(-1).replace(/^simulator\.[\w.]+: /, "") });
	}
};
