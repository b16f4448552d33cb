// Compiles the modules in archives of Python, each of which is written anew, by the browser's own
// Python: node tools/site/compiled.mjs ARCHIVE…
import { readFileSync, writeFileSync } from "node:fs";
import { loadPyodide } from "pyodide";

const COMPILE = `
import io, py_compile, zipfile
from pathlib import Path

SOURCE, MADE = Path("/tmp/module.py"), Path("/tmp/module.pyc")
UNCHECKED = py_compile.PycInvalidationMode.UNCHECKED_HASH

def compiled(archive):
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(archive)) as whole, zipfile.ZipFile(made, "w") as kept:
        for entry in whole.infolist():
            data, name = whole.read(entry), entry.filename
            if name.endswith(".py"):
                SOURCE.write_bytes(data)
                py_compile.compile(SOURCE, MADE, name, doraise=True, invalidation_mode=UNCHECKED)
                data, name = MADE.read_bytes(), name + "c"
            there = zipfile.ZipInfo(name, entry.date_time)
            kept.writestr(there, data, zipfile.ZIP_DEFLATED, 9)
    return made.getvalue()

compiled
`;

const python = await loadPyodide();
const compiled = python.runPython(COMPILE);
for (const path of process.argv.slice(2)) {
	const archive = python.toPy(new Uint8Array(readFileSync(path)));
	writeFileSync(path, compiled(archive).toJs());
}
