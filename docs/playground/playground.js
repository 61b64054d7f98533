// The page: sends what is typed and dropped to the worker, in which grouper runs.
const byId = (id) => document.getElementById(id);
const worker = new Worker("worker.js", { type: "module" });
const examples = await (await fetch("examples.json")).json();
const WAIT = 250; // milliseconds without a keystroke before rules are checked
let latest = 0;
let ready = false;
let timer = null;
let model = null; // the last message that named a model

const encoded = (text) => btoa(String.fromCharCode(...new TextEncoder().encode(text))).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
const decoded = (text) => new TextDecoder("utf-8", { fatal: true }).decode(Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0)));

function say(text) {
  byId("status").textContent = text;
}

function use(message) {
  model = message;
  if (!ready) return; // a worker that is starting receives no messages
  worker.postMessage(model);
  check();
}

// How many characters fit into a line of the findings.
function columns() {
  const shown = byId("findings");
  const drawing = document.createElement("canvas").getContext("2d");
  drawing.font = getComputedStyle(shown).font;
  return Math.max(Math.floor(shown.clientWidth / drawing.measureText("0").width), 50);
}

function check() {
  if (!ready) return;
  latest += 1;
  worker.postMessage({
    kind: "check", number: latest, rules: byId("rules").value,
    epochs: Number(byId("epochs").value), steps: Number(byId("steps").value),
    columns: columns(),
  });
}

function checkSoon() {
  clearTimeout(timer);
  timer = setTimeout(check, WAIT);
}

function choose(example, rules) {
  byId("rules").value = rules ?? example.rules;
  byId("file").value = "";
  use({ kind: "example", path: example.model });
}

function take(file) {
  if (!file) return;
  say(`reading ${file.name} …`);
  use({ kind: "file", file });
}

worker.onerror = (event) => say(`this browser cannot run it: ${event.message}`);
worker.onmessage = ({ data }) => {
  if (data.kind === "ready") {
    ready = true;
    use(model);
  } else if (data.kind === "checked" && data.number === latest) {
    say(data.status);
    byId("findings").textContent = data.text;
    if (data.page) byId("report").srcdoc = data.page;
  } else if (data.kind === "failed") say(data.text);
};

for (const [index, example] of examples.entries()) byId("example").append(new Option(example.name, String(index)));
byId("example").addEventListener("change", () => choose(examples[Number(byId("example").value)]));
byId("file").addEventListener("change", () => take(byId("file").files[0]));
for (const id of ["rules", "epochs", "steps"]) byId(id).addEventListener("input", checkSoon);
byId("link").addEventListener("click", async () => {
  const { origin, pathname } = location;
  const address = `${origin}${pathname}#${byId("example").value}.${encoded(byId("rules").value)}`;
  history.replaceState(null, "", address);
  try {
    await navigator.clipboard.writeText(address);
    say("copied");
  } catch {
    say("the link is in the address bar");
  }
});
addEventListener("dragover", (event) => { event.preventDefault(); document.body.classList.add("dropping"); });
addEventListener("dragleave", () => document.body.classList.remove("dropping"));
addEventListener("drop", (event) => {
  event.preventDefault();
  document.body.classList.remove("dropping");
  take(event.dataTransfer.files[0]);
});

const [, index, text] = location.hash.match(/^#(\d+)\.([\w-]+)$/) ?? [];
const linked = examples[Number(index)] ?? examples[0];
byId("example").value = String(examples.indexOf(linked));
try {
  choose(linked, text === undefined ? undefined : decoded(text));
} catch {
  choose(linked);
}
