"use strict";
// The page shows the data in `report`. It is untrusted and only ever inserted as text.
const report = JSON.parse(document.getElementById("report").textContent);
const NOT_TRAINED = { "-1": "frozen by the rules", "-2": "matched by no rule", "-3": "frozen in the model" };
const ROW = 24; // pixels
const MOST = 200; // groups in a list or drawing; the search finds the others
const OPENED = 16; // rows that the tree shows at first, if whole levels of it fit
const state = { query: "", group: null, rule: null, selected: null, open: new Set([""]), active: 0 };

function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else if (value !== null && value !== undefined) made.setAttribute(key, value);
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}
const drawn = (name, attributes = {}) => {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
};
const byId = (id) => document.getElementById(id);
const short = (n) => {
  for (const [size, unit] of [[1e9, "G"], [1e6, "M"], [1e3, "k"]])
    if (n >= size) return `${+(n / size).toPrecision(3)} ${unit}`;
  return String(n);
};
const number = (value) => (value === 0 ? "0" : String(+value.toPrecision(4)));
const dark = matchMedia("(prefers-color-scheme: dark)");
const color = (group) =>
  group < 0 ? "#8a8f98" : `hsl(${(group * 137.508 + 215) % 360} 62% ${dark.matches ? 62 : 42}%)`;
const dot = (group) => {
  const made = element("span", { class: "dot", "aria-hidden": "true" });
  made.style.background = color(group);
  return made;
};
const groupName = (group) => (group < 0 ? NOT_TRAINED[group] : report.groups[group].name);
const title = (path) => report.files.find((file) => file.path === path)?.title ?? path;
const plural = (n, word) => `${n.toLocaleString("en")} ${word}${n === 1 ? "" : "s"}`;

// ---- the model's tree ----------------------------------------------------------------------

const parameters = report.parameters.map(([name, shape, numel, group, derivation], index) =>
  ({ name, shape, numel, group, derivation, index }));

function grown() {
  const root = { path: "", name: "", children: new Map(), parameter: null };
  for (const parameter of parameters) {
    let at = root;
    for (const part of parameter.name.split(".")) {
      let next = at.children.get(part);
      if (!next) {
        next = { path: at.path ? `${at.path}.${part}` : part, name: part, children: new Map(), parameter: null };
        at.children.set(part, next);
      }
      at = next;
    }
    at.parameter = parameter;
  }
  measured(root, new Map());
  return root;
}

// Sets sizes, the share of each group, and a number that is the same for nodes of equal shape.
function measured(node, shapes) {
  node.tensors = node.parameter ? 1 : 0;
  node.numel = node.parameter ? node.parameter.numel : 0;
  node.shares = new Map(node.parameter ? [[node.parameter.group, node.parameter.numel || 1]] : []);
  const likeness = [node.parameter ? node.parameter.shape : ""];
  for (const child of node.children.values()) {
    measured(child, shapes);
    node.tensors += child.tensors;
    node.numel += child.numel;
    for (const [group, share] of child.shares) node.shares.set(group, (node.shares.get(group) || 0) + share);
    likeness.push(child.name, child.shape);
  }
  const key = likeness.join("\u0000");
  if (!shapes.has(key)) shapes.set(key, shapes.size);
  node.shape = shapes.get(key);
}

// Children in order, with numbered neighbours of equal shape merged into one entry.
function entries(node) {
  if (node.entries) return node.entries;
  const found = [];
  let run = [];
  const close = () => {
    if (run.length > 2) found.push({ run, path: `${run[0].path}\u2026`, name: `${run[0].name} … ${run.at(-1).name}` });
    else found.push(...run);
    run = [];
  };
  for (const child of node.children.values()) {
    const follows = run.length && /^\d+$/.test(child.name) && child.shape === run[0].shape && +child.name === +run.at(-1).name + 1;
    if (!follows) close();
    if (follows || /^\d+$/.test(child.name)) run.push(child);
    else found.push(child);
  }
  close();
  node.entries = found;
  return found;
}

const tree = grown();
const matches = (parameter) =>
  (state.group === null || parameter.group === state.group) &&
  (state.rule === null || report.derivations[parameter.derivation].rules.includes(state.rule)) &&
  (!state.query || parameter.name.toLowerCase().includes(state.query));

function visibleRows() {
  const filtered = state.query || state.group !== null || state.rule !== null;
  const rows = [];
  if (filtered) {
    for (const parameter of parameters) if (matches(parameter)) rows.push({ parameter, level: 1, name: parameter.name });
    return rows;
  }
  const walk = (node, level) => {
    const list = entries(node);
    list.forEach((entry, at) => {
      const place = { level, position: at + 1, of: list.length };
      if (entry.run) {
        const open = state.open.has(entry.path);
        rows.push({ ...place, entry, name: entry.name, open });
        if (open) entry.run.forEach((node, i) => row(node, { level: level + 1, position: i + 1, of: entry.run.length }));
      } else row(entry, place);
    });
  };
  const row = (node, place) => {
    const leaf = !node.children.size;
    const open = state.open.has(node.path);
    rows.push({ ...place, node, name: node.name, open: leaf ? null : open, parameter: leaf ? node.parameter : null });
    if (!leaf && open) walk(node, place.level + 1);
  };
  walk(tree, 1);
  return rows;
}

// Opens the levels that fit, and a level of one module in any case.
function openFirstLevels() {
  let level = entries(tree);
  for (let shown = level.length; ; shown += level.length) {
    const inside = level.filter((entry) => !entry.run && entry.children.size);
    const below = inside.flatMap(entries);
    if (!below.length || (level.length > 1 && shown + below.length > OPENED)) return;
    for (const node of inside) state.open.add(node.path);
    level = below;
  }
}

let rows = [];
const view = byId("tree");
const inner = element("div", { class: "rows", role: "presentation" });
view.append(inner);

function refreshTree() {
  rows = visibleRows();
  state.active = Math.min(state.active, Math.max(rows.length - 1, 0));
  inner.style.height = `${rows.length * ROW}px`;
  byId("found").textContent = `${plural(rows.length, "row")}`;
  byId("none").hidden = rows.length > 0;
  paintTree();
}

function shares(row) {
  if (row.parameter) return [[row.parameter.group, 1]];
  if (row.node) return [...row.node.shares];
  const sum = new Map();
  for (const node of row.entry.run) for (const [g, s] of node.shares) sum.set(g, (sum.get(g) || 0) + s);
  return [...sum];
}

function bar(row) {
  const made = drawn("svg", { class: "bar", viewBox: "0 0 100 10", preserveAspectRatio: "none", "aria-hidden": "true" });
  const parts = shares(row);
  const total = parts.reduce((sum, [, share]) => sum + share, 0);
  let x = 0;
  for (const [group, share] of parts) {
    const width = (100 * share) / total;
    const rect = drawn("rect", { x, y: 0, width, height: 10 });
    rect.style.fill = color(group);
    made.append(rect);
    x += width;
  }
  return made;
}

function facts(row) {
  if (row.parameter) return `${row.parameter.shape || "?"} · ${groupName(row.parameter.group)}`;
  const nodes = row.node ? [row.node] : row.entry.run;
  const [tensors, numel] = nodes.reduce(([t, n], node) => [t + node.tensors, n + node.numel], [0, 0]);
  const known = report.classes[nodes[0].path];
  return [known, row.entry && `${nodes.length} equal`, `${plural(tensors, "tensor")}, ${short(numel)}`].filter(Boolean).join(" · ");
}

function paintTree() {
  const first = Math.max(0, Math.floor(view.scrollTop / ROW) - 5);
  const last = Math.min(rows.length, first + Math.ceil(view.clientHeight / ROW) + 12);
  const painted = [];
  for (let i = first; i < last; i++) {
    const row = rows[i];
    const made = element(
      "div",
      {
        class: `row${i === state.active ? " active" : ""}`, role: "treeitem", id: `row-${i}`,
        "aria-level": row.level, "aria-posinset": row.position || i + 1, "aria-setsize": row.of || rows.length,
        "aria-expanded": row.open === null || row.open === undefined ? null : String(row.open),
        "aria-selected": String(Boolean(row.parameter) && row.parameter.index === state.selected),
        onclick: () => { state.active = i; act(row); },
      },
      element("span", { class: "twist", "aria-hidden": "true" }, row.open === null || row.open === undefined ? "" : row.open ? "▾" : "▸"),
      element("span", { class: "name mono" }, row.name),
      element("span", { class: "facts" }, facts(row)),
      bar(row),
    );
    made.style.top = `${i * ROW}px`;
    made.style.paddingLeft = `${(row.level - 1) * 14 + 4}px`;
    painted.push(made);
  }
  inner.replaceChildren(...painted);
  if (rows.length) view.setAttribute("aria-activedescendant", `row-${state.active}`);
  else view.removeAttribute("aria-activedescendant");
}

function toggle(row, open) {
  const path = (row.node || row.entry).path;
  if (open) state.open.add(path);
  else state.open.delete(path);
  refreshTree();
}

function act(row) {
  if (row.parameter) select(row.parameter.index);
  else toggle(row, !row.open);
}

function moveTo(index) {
  state.active = Math.max(0, Math.min(rows.length - 1, index));
  const top = state.active * ROW;
  if (top < view.scrollTop) view.scrollTop = top;
  else if (top + ROW > view.scrollTop + view.clientHeight) view.scrollTop = top + ROW - view.clientHeight;
  paintTree();
}

view.addEventListener("scroll", paintTree, { passive: true });
view.addEventListener("keydown", (event) => {
  const row = rows[state.active];
  const page = Math.floor(view.clientHeight / ROW);
  const moves = { ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page, Home: -rows.length, End: rows.length };
  if (event.key in moves) moveTo(state.active + moves[event.key]);
  else if (!row) return;
  else if (event.key === "ArrowRight" && row.open === false) toggle(row, true);
  else if (event.key === "ArrowLeft" && row.open) toggle(row, false);
  else if (event.key === "ArrowLeft") {
    let above = state.active - 1;
    while (above >= 0 && rows[above].level >= row.level) above--;
    if (above >= 0) moveTo(above);
  } else if (event.key === "Enter" || event.key === " ") act(row);
  else return;
  event.preventDefault();
});

// ---- one parameter -------------------------------------------------------------------------

function select(index) {
  state.selected = index;
  const parameter = parameters[index];
  const derivation = report.derivations[parameter.derivation];
  byId("parameter").replaceChildren(
    element("p", { class: "mono" }, element("b", {}, parameter.name), ` ${parameter.shape || ""}`),
    element("p", { class: "chip" }, dot(parameter.group), groupName(parameter.group)),
    element("pre", { tabindex: "0", "aria-label": "where its options come from" }, derivation.text),
  );
  paintTree();
  markLines();
}

// ---- filters -------------------------------------------------------------------------------

function filter(changes) {
  Object.assign(state, changes, { active: 0 });
  view.scrollTop = 0;
  for (const chip of byId("groups").children) chip.setAttribute("aria-pressed", String(+chip.dataset.group === state.group));
  const rule = state.rule === null ? null : report.rules[state.rule];
  byId("by-rule").hidden = !rule;
  if (rule) byId("by-rule").textContent = `matched by line ${rule.line} of ${title(rule.file)} ✕`;
  refreshTree();
  markLines();
}
byId("search").addEventListener("input", (event) => filter({ query: event.target.value.toLowerCase().trim() }));
byId("by-rule").addEventListener("click", () => filter({ rule: null }));

const totals = new Map();
for (const { group } of parameters) totals.set(group, (totals.get(group) || 0) + 1);
for (const group of [...[...report.groups.keys()].slice(0, MOST), -1, -2, -3]) {
  if (!totals.has(group)) continue;
  byId("groups").append(
    element(
      "button",
      { class: "chip", type: "button", "aria-pressed": "false", "data-group": group, onclick: () => filter({ group: state.group === group ? null : group }) },
      dot(group), `${groupName(group)} (${totals.get(group).toLocaleString("en")})`,
    ),
  );
}

const keys = [...new Set(report.groups.flatMap((group) => group.options.map(([key]) => key)))];
if (report.groups.length) byId("options").replaceChildren(
  element("thead", {}, element("tr", {}, ...["group", "tensors", "parameters", ...keys].map((key, i) =>
    element("th", { scope: "col", class: i === 1 || i === 2 ? "number" : null }, key)))),
  element("tbody", {}, ...report.groups.slice(0, MOST).map((group, i) => {
    const values = new Map(group.options);
    return element("tr", {},
      element("th", { scope: "row" }, dot(i), ` ${group.name}`),
      element("td", { class: "number" }, group.tensors.toLocaleString("en")),
      element("td", { class: "number" }, short(group.numel)),
      ...keys.map((key) => element("td", {}, values.get(key) ?? "")));
  })),
);

// ---- the rules' text -----------------------------------------------------------------------

const lines = [];
for (const file of report.files) {
  const shown = element("div", { class: "text", role: "group", "aria-label": `the text of ${file.title}` });
  file.text.split("\n").forEach((source, at) => {
    const line = at + 1;
    const rule = report.rules.findIndex((rule) => rule.file === file.path && rule.line <= line && line <= rule.end_line);
    const first = rule >= 0 && report.rules[rule].line === line;
    const made = element(
      rule < 0 ? "div" : "button",
      { class: "ruleline mono", ...(rule < 0 ? {} : { type: "button", onclick: () => filter({ rule: state.rule === rule ? null : rule, query: "", group: null }) }) },
      element("span", { class: "number", "aria-hidden": "true" }, String(line)),
      element("span", { class: "source" }, source || " "),
      first ? element("span", { class: "count" }, plural(report.rules[rule].tensors, "tensor")) : null,
    );
    lines.push({ made, file: file.path, line, rule });
    shown.append(made);
  });
  byId("rules").append(element("h3", { class: "mono" }, file.title), shown);
}

function markLines() {
  const used = state.selected === null ? [] : report.derivations[parameters[state.selected].derivation].rules;
  for (const { made, rule } of lines) made.classList.toggle("at", rule >= 0 && (used.includes(rule) || rule === state.rule));
  const first = lines.find(({ made }) => made.classList.contains("at"));
  if (first) first.made.parentElement.scrollTop = first.made.offsetTop - first.made.parentElement.offsetTop - 40;
}

function show(file, line) {
  const found = lines.find((each) => each.file === file && each.line === line);
  if (!found) return;
  found.made.scrollIntoView({ block: "center" });
  found.made.classList.add("at");
  if (found.made.tagName !== "BUTTON") found.made.setAttribute("tabindex", "-1");
  found.made.focus();
}

// ---- findings ------------------------------------------------------------------------------

for (const finding of report.findings) {
  const known = lines.some((each) => each.file === finding.file && each.line === finding.line);
  for (const each of lines)
    if (each.file === finding.file && finding.line <= each.line && each.line <= finding.end_line) each.made.classList.add(finding.severity);
  byId("findings").append(
    element("li", { class: finding.severity },
      element("b", {}, `${finding.severity} ${finding.code}`), ` ${finding.message} `,
      known ? element("button", { type: "button", onclick: () => show(finding.file, finding.line) }, `line ${finding.line}`) : null,
      finding.parameters.length ? element("button", { type: "button", onclick: () => filter({ query: finding.parameters[0].toLowerCase(), group: null, rule: null }) },
        plural(finding.parameters.length, "tensor")) : null,
      finding.help ? element("div", {}, `help: ${finding.help}`) : null),
  );
}
if (report.groups.length > MOST) byId("more-groups").textContent = `and ${(report.groups.length - MOST).toLocaleString("en")} more`;
byId("no-findings").hidden = report.findings.length > 0;

// ---- the plan ------------------------------------------------------------------------------

const plan = report.plan;
if (plan) {
  byId("plan-panel").hidden = false;
  const figure = byId("plan");
  const [width, height, left, bottom] = [640, 220, 62, 22];
  let key = "lr", logarithmic = true, at = 0;
  const groups = plan.groups.slice(0, MOST);
  const curves = () => groups.map((group, i) => [group, i]).filter(([group]) => group[key]);
  const range = () => {
    const values = curves().flatMap(([group]) => group[key]).filter((v) => !logarithmic || v > 0);
    const high = Math.max(...values);
    const low = logarithmic ? Math.max(Math.min(...values), high * 1e-6) : Math.min(...values, key === "lr" ? 0 : Infinity);
    return low < high ? [low, high] : [low * 0.9, high * 1.1 || 1];
  };
  const ticks = (low, high) => {
    if (!logarithmic) return [low, (low + high) / 2, high];
    const powers = [];
    for (let power = Math.ceil(Math.log10(low) - 1e-9); power <= Math.log10(high) + 1e-9; power++) powers.push(10 ** power);
    return powers.length > 1 ? powers : [low, high];
  };
  const x = (step) => left + ((width - left - 8) * step) / Math.max(plan.length - 1, 1);
  const draw = () => {
    const [low, high] = range();
    const scale = logarithmic ? Math.log : (v) => v;
    const y = (v) => 8 + (height - bottom - 8) * (1 - (scale(Math.max(v, low)) - scale(low)) / (scale(high) - scale(low)));
    figure.setAttribute("viewBox", `0 0 ${width} ${height}`);
    const parts = [];
    for (const value of ticks(low, high)) {
      parts.push(drawn("line", { class: "axis", x1: left, x2: width - 8, y1: y(value), y2: y(value) }));
      const label = drawn("text", { x: left - 6, y: y(value) + 4, "text-anchor": "end" });
      label.textContent = value && value < 1e-3 ? value.toExponential() : String(+value.toPrecision(2));
      parts.push(label);
    }
    for (const [text, step, anchor] of [["0", 0, "start"], [(plan.length - 1).toLocaleString("en"), plan.length - 1, "end"]]) {
      const label = drawn("text", { x: x(step), y: height - 6, "text-anchor": anchor });
      label.textContent = text;
      parts.push(label);
    }
    for (const [group, i] of curves()) {
      const line = drawn("polyline", { points: group[key].map((v, n) => `${x(plan.steps[n]).toFixed(1)},${y(v).toFixed(1)}`).join(" ") });
      line.style.stroke = color(i);
      parts.push(line);
    }
    parts.push(drawn("line", { class: "cursor", x1: x(plan.steps[at]), x2: x(plan.steps[at]), y1: 8, y2: height - bottom }));
    figure.replaceChildren(...parts);
    byId("at-step").textContent = `step ${plan.steps[at].toLocaleString("en")} of ${plan.length.toLocaleString("en")}`;
    byId("values").replaceChildren(...groups.map((group, i) =>
      element("tr", {}, element("th", { scope: "row" }, dot(i), ` ${group.name}`),
        element("td", { class: "number" }, number(group.lr[at])),
        element("td", { class: "number" }, group.momentum ? number(group.momentum[at]) : ""))));
  };
  const slider = byId("step");
  slider.max = String(plan.steps.length - 1);
  slider.addEventListener("input", () => { at = +slider.value; slider.setAttribute("aria-valuetext", `step ${plan.steps[at]}`); draw(); });
  const jump = byId("jump");
  jump.max = String(plan.length - 1);
  jump.addEventListener("change", () => {
    const wanted = +jump.value;
    at = plan.steps.reduce((best, step, i) => (Math.abs(step - wanted) < Math.abs(plan.steps[best] - wanted) ? i : best), 0);
    slider.value = String(at);
    draw();
  });
  figure.addEventListener("click", (event) => {
    const box = figure.getBoundingClientRect();
    jump.value = String(Math.round((((event.clientX - box.left) / box.width) * width - left) / (width - left - 8) * (plan.length - 1)));
    jump.dispatchEvent(new Event("change"));
  });
  const press = (button, change) => button.addEventListener("click", () => {
    change();
    byId("of-momentum").setAttribute("aria-pressed", String(key === "momentum"));
    byId("logarithmic").setAttribute("aria-pressed", String(logarithmic));
    draw();
  });
  byId("of-momentum").hidden = !plan.groups.some((group) => group.momentum);
  press(byId("of-momentum"), () => { key = key === "lr" ? "momentum" : "lr"; logarithmic = key === "lr"; });
  press(byId("logarithmic"), () => { logarithmic = !logarithmic; });
  dark.addEventListener("change", draw);
  draw();
}
dark.addEventListener("change", refreshTree);
openFirstLevels();
refreshTree();
