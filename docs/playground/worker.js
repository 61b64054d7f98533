// Runs grouper in the browser, with Pyodide and the wheels next to this file.
import { loadPyodide } from "./pyodide/pyodide.mjs";

const pyodide = await loadPyodide({ indexURL: new URL("./pyodide/", import.meta.url).href });
const fetched = async (path) => (await fetch(new URL(path, import.meta.url))).arrayBuffer();
for (const wheel of await (await fetch(new URL("wheels.json", import.meta.url))).json())
  pyodide.unpackArchive(await fetched(wheel), "wheel");
pyodide.runPython(await (await fetch(new URL("playground.py", import.meta.url))).text());
const [read, check] = ["read_model", "check"].map((name) => pyodide.globals.get(name));
const MOUNT = "/model";
pyodide.FS.mkdir(MOUNT);
let mounted = false;

// A user's file is not copied: Python reads slices of it from the disk.
function mount(file) {
  if (mounted) pyodide.FS.unmount(MOUNT);
  pyodide.FS.mount(pyodide.FS.filesystems.WORKERFS, { files: [file] }, MOUNT);
  mounted = true;
  return `${MOUNT}/${file.name}`;
}

async function example(path) {
  const target = `/tmp/${path.split("/").at(-1)}`;
  pyodide.FS.writeFile(target, new Uint8Array(await fetched(path)));
  return target;
}

const waiting = [];
let busy = false;
async function work() {
  if (busy) return;
  busy = true;
  while (waiting.length) {
    const data = waiting.shift();
    try {
      if (data.kind === "example") read(await example(data.path));
      else if (data.kind === "file") read(mount(data.file));
      else if (!waiting.some((later) => later.kind === "check")) {
        const answer = check(data.rules, data.epochs, data.steps, data.columns).toJs({ dict_converter: Object.fromEntries });
        self.postMessage({ kind: "checked", number: data.number, ...answer });
      }
    } catch (error) {
      self.postMessage({ kind: "failed", text: `internal error in grouper: ${error.message}` });
    }
  }
  busy = false;
}
self.onmessage = ({ data }) => { waiting.push(data); work(); };
self.postMessage({ kind: "ready" });
