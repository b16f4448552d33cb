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
	const unpack = async (found) => python.unpackArchive(await found, "zip", { extractDir: packages });
	for (const found of archives) await unpack(found);
	const engine = python.pyimport(ENGINES[self.name]);
	say({ ready: true });
	return { python, engine, unpack };
})();
ready.catch(() => {}); // said to whoever asks

// A capture may hold the secrets of its TLS, and what is packed may be one: ciphers are brought then.
const BEGINS = [[0x0a, 0x0d, 0x0d, 0x0a], [0x1f, 0x8b], [0xfd, 0x37], [0x28, 0xb5], [0x42, 0x5a]];
let ciphers;

async function prepared(octets) {
	if (!BEGINS.some((begins) => begins.every((octet, at) => octets[at] === octet))) return;
	const { unpack } = await ready;
	ciphers ??= unpack(archive("serving.zip"));
	await ciphers;
}

let pasted;

async function explained({ octets, language, show }) {
	const { python, engine } = await ready;
	if (octets) {
		const log = new Uint8Array(octets);
		await prepared(log);
		pasted?.destroy();
		const data = python.toPy(log);
		pasted = engine.Pasted.callKwargs({ data: data.tobytes?.() ?? data, progress: (share) => say({ share }) });
		return engine.answer(pasted, language);
	}
	return pasted.show.callKwargs(show.view, language, { number: show.number, anonymise: show.anonymise ?? false });
}

async function played({ toml, code, language, open }) {
	const { engine } = await ready;
	return open ? engine.opened(toml, language) : engine.answer(toml, code, language);
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
