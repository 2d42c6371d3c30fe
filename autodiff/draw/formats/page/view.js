// Drawing the scene, moving about in it, searching, details.  Every text goes through escapeText or textContent.
"use strict";

const CELL = 5;
const escapeText = text => String(text).replace(/[&<>"']/g, c => "&#" + c.charCodeAt(0) + ";");
const short = (text, most = 44) => (text.length <= most ? text : text.slice(0, most - 1) + "…");
const textWidth = (text, size) => {
  let width = 0;
  for (const c of text) width += c < "\u2000" || "…∂‖→←·".includes(c) ? (size === 13 ? 0.64 : 0.57) : 1;
  return size * width;
};

function linesOf(graph, item) {
  const face = graph.face(item);
  if (item[0] === "b") return face.lines;
  const group = graph.groups[graph.number(item)];
  return [group.label, group.subtitle, ...face.lines].filter(Boolean).map(t => short(t));
}

// The title of an open group: it says "the first is drawn", unless all are.
const openTitle = group => (group.all ? group.label : group.heading);

function sizeOf(graph, item) {
  if (item[0] === "g" && graph.groups[graph.number(item)].open)
    return [textWidth(openTitle(graph.groups[graph.number(item)]), 13) + 34, 0];
  const lines = linesOf(graph, item);
  const cells = graph.face(item).cells;
  const wide = Math.max(textWidth(lines[0], 13), 40, ...lines.map(t => textWidth(t, 11)), cells ? CELL * cells[0].length : 0);
  return [wide + 16, 15 * lines.length + 9 + (cells ? CELL * cells.length + 4 : 0) + (graph.face(item).level ? 5 : 0)];
}

function curve(points) {
  let [x, y] = points[0], path = `M${x.toFixed(1)} ${y.toFixed(1)}`;
  for (const [nx, ny] of points.slice(1)) {
    const middle = ((y + ny) / 2).toFixed(1);
    path += Math.abs(nx - x) < 0.5 ? `L${nx.toFixed(1)} ${ny.toFixed(1)}`
      : `C${x.toFixed(1)} ${middle} ${nx.toFixed(1)} ${middle} ${nx.toFixed(1)} ${ny.toFixed(1)}`;
    [x, y] = [nx, ny];
  }
  return path;
}

class View {
  constructor(graph, page) {
    this.graph = graph;
    this.page = page;
    this.svg = page.getElementById("view");
    this.world = page.getElementById("world");
    this.scale = 1; this.x = 0; this.y = 0;
    this.picked = null; this.hits = []; this.hit = -1;
    const levels = graph.boxes.flatMap(b => b.level || []);
    this.range = [levels.reduce((a, b) => Math.min(a, b), Infinity), levels.reduce((a, b) => Math.max(a, b), -Infinity)];
    page.getElementById("title").textContent = graph.title;
    for (const fact of graph.facts) {
      const span = page.createElement("span");
      span.textContent = short(fact, 300);
      span.className = fact.includes("FAILED") ? "failed" : "";
      page.getElementById("facts").append(span);
    }
    this.listen();
    this.show();
    this.fit(0.7);
    this.first = [this.x, this.y, this.scale].join();
    // a frame in a notebook gets its width late: as long as nobody has moved the picture, it is fitted again
    new ResizeObserver(() => {
      if (this.first !== [this.x, this.y, this.scale].join()) return;
      this.fit(0.7);
      this.first = [this.x, this.y, this.scale].join();
    }).observe(this.svg);
  }

  // -- drawing ---------------------------------------------------------------------------------------------------

  show() {
    const started = performance.now();
    this.scene = this.graph.scene();
    this.layout = layoutScene(this.scene, item => sizeOf(this.graph, item));
    this.placeLabels();
    this.layoutTime = performance.now() - started;
    const parts = [];
    const open = [...this.layout.frames].filter(([item]) => item[0] === "g" && this.scene.inside.has(this.graph.number(item)));
    for (const [item, frame] of open) parts.push(this.cluster(item, frame));
    for (const arrow of this.layout.arrows) parts.push(this.arrow(arrow));
    for (const [item, frame] of open) parts.push(this.heading(item, frame));
    for (const item of this.scene.items) parts.push(this.node(item, this.layout.frames.get(item)));
    this.world.innerHTML = parts.join("");
    this.elements = new Map([...this.world.querySelectorAll("[data-item]")].map(e => [e.dataset.item, e]));
    this.edges = [...this.world.querySelectorAll(".edge")];
    this.links = { up: new Map(), down: new Map() };
    this.layout.arrows.forEach((a, k) => {
      for (const [map, from, to] of [[this.links.down, a.source, a.target], [this.links.up, a.target, a.source]])
        (map.get(from) ?? map.set(from, []).get(from)).push({ item: to, edge: this.edges[k], times: a.times || 1 });
    });
    if (this.film) this.film.prepare();
  }

  rect(frame, kind, radius, more = "") {
    const [x, y, w, h] = frame.map(v => v.toFixed(1));
    return `<rect class="${kind}" x="${x}" y="${y}" width="${w}" height="${h}" rx="${radius}" ${more}/>`;
  }

  cluster(item, frame) {
    const group = this.graph.groups[this.graph.number(item)], [x, y, w, h] = frame;
    const behind = group.kind === "repeat" && !group.all
      ? [7, 3.5].map(d => this.rect([x + d, y + d, w, h], "group", 9, 'fill-opacity=".35"')).join("") : "";
    return `<g class="cluster" data-item="${item}">${behind}${this.rect(frame, "group", 9, 'fill-opacity=".35"')}` +
      this.rect([x, y, w, 24], "hit", 9, `fill="transparent" stroke="none" tabindex="0" role="button" aria-expanded="true"
        aria-label="${escapeText("close " + group.title)}"`) +
      "</g>";
  }

  heading(item, [x, y]) { // over the arrows, with a rim in the colour of the page
    const title = openTitle(this.graph.groups[this.graph.number(item)]);
    return `<text class="title heading" x="${(x + 9).toFixed(1)}" y="${(y + 16).toFixed(1)}">▾ ${escapeText(title)}</text>`;
  }

  node(item, frame) {
    const [x, y, w, h] = frame, n = this.graph.number(item), isBox = item[0] === "b";
    const thing = isBox ? this.graph.boxes[n] : this.graph.groups[n], face = this.graph.face(item);
    const kind = face.state || (isBox ? thing.kind : thing.kind === "more" ? "more" : "group");
    const dashed = (isBox && thing.kind === "operation" && !thing.active) || thing.kind === "more";
    const radius = isBox && thing.kind !== "operation" && h < 45 ? h / 2 : 6;
    const lines = linesOf(this.graph, item);
    let out = `<g class="node" data-item="${item}" tabindex="0" role="button" aria-label="${escapeText(lines.join(", "))}">`;
    if (thing.kind === "repeat") out += [6, 3].map(d => this.rect([x + d, y + d, w, h], kind, 6)).join("");
    out += this.rect(frame, "box " + kind, radius, dashed ? 'stroke-dasharray="4 3"' : "");
    lines.forEach((line, k) => {
      out += `<text class="${k ? "soft" : "title"}" text-anchor="middle" x="${(x + w / 2).toFixed(1)}"
        y="${(y + 17 + 15 * k).toFixed(1)}">${escapeText(line)}</text>`;
    });
    return out + this.heatMap(face.cells, frame, lines.length) + this.bar(face.level, frame) + "</g>";
  }

  heatMap(cells, [x, y, w], lines) { // a path for each level: 4 is zero, x is not finite
    if (!cells) return "";
    const wide = CELL * cells[0].length, left = x + (w - wide) / 2, top = y + 7 + 15 * lines, paths = new Map();
    cells.forEach((row, j) => [...row].forEach((level, i) => {
      const cell = `M${(left + CELL * i).toFixed(1)} ${(top + CELL * j).toFixed(1)}h${CELL}v${CELL}h-${CELL}z`;
      if (level !== "4") paths.set(level, (paths.get(level) || "") + cell);
    }));
    const painted = [...paths].map(([level, d]) => `<path class="${level === "x" ? "odd" : level < "4" ? "below" : "above"}"
      fill-opacity="${level === "x" ? 1 : Math.abs(level - 4) / 4}" d="${d}"/>`);
    return painted.join("") + this.rect([left, top, wide, CELL * cells.length], "cells", 0);
  }

  bar(levels, [x, y, w, h]) { // pale up to the largest of those that it stands for
    if (!levels) return "";
    const [low, high] = this.range;
    const part = level => Math.max(0.02, high - low < 1e-9 ? 1 : 0.04 + (0.96 * (level - low)) / (high - low));
    const one = (level, kind) => this.rect([x + 6, y + h - 7, part(level) * (w - 12), 4], kind, 0);
    return (levels[1] > levels[0] ? one(levels[1], "bar most") : "") + one(levels[0], "bar");
  }

  said({ target, flow, times }) { // the shape for a failed operation, and how many arguments an arrow stands for
    const fails = target[0] === "b" && this.graph.boxes[this.graph.number(target)].state === "failed" && this.graph.boxes[flow].type;
    return [fails, times > 1 && `×${times.toLocaleString("en")}`].filter(Boolean).join("  ");
  }

  placeLabels() {
    const taken = [];
    for (const [item, frame] of this.layout.frames) {
      const n = this.graph.number(item), open = item[0] === "g" && this.scene.inside.has(n);
      taken.push(open ? [frame[0] + 9, frame[1] + 4, textWidth(openTitle(this.graph.groups[n]), 13), 16] : frame);
    }
    const labelled = this.layout.arrows.filter(arrow => this.said(arrow));
    const places = placeLabels(labelled.map(arrow => [arrow.points, textWidth(this.said(arrow), 11)]), taken);
    this.labels = new Map(labelled.map((arrow, k) => [arrow, places[k]]));
  }

  arrow(arrow) {
    const { source, target, flow, points } = arrow, maker = this.graph.boxes[flow], [x, y] = points[points.length - 1];
    const place = this.labels.get(arrow);
    const shape = place ? `<text class="heading" x="${place[0].toFixed(1)}" y="${(place[1] + 11).toFixed(1)}">` +
      `${escapeText(this.said(arrow))}</text>` : "";
    return `<g class="edge" data-ends="${source} ${target}"><title>${escapeText(short(maker.label || maker.name, 80) + "  " + maker.type)}` +
      `</title><path class="arrow${maker.active ? "" : " silent"}" d="${curve(points)}"/>` +
      `<path class="head" d="M${(x - 4).toFixed(1)} ${(y - 7).toFixed(1)}L${x.toFixed(1)} ${y.toFixed(1)}L${(x + 4).toFixed(1)} ${(y - 7).toFixed(1)}Z"/>${shape}</g>`;
  }

  // -- moving ----------------------------------------------------------------------------------------------------

  move() { this.world.setAttribute("transform", `translate(${this.x} ${this.y}) scale(${this.scale})`); }

  fit(least = 0.02) { // a first look is legible, even if not everything is in it
    const { width, height } = this.svg.getBoundingClientRect();
    const whole = Math.min(width / this.layout.width, height / this.layout.height);
    this.scale = Math.min(1.25, Math.max(whole, least));
    this.x = (width - this.layout.width * this.scale) / 2;
    this.y = Math.max(8, (height - this.layout.height * this.scale) / 2);
    this.move();
  }

  zoom(factor, px, py) {
    const { width, height } = this.svg.getBoundingClientRect();
    px ??= width / 2; py ??= height / 2;
    const scale = Math.min(6, Math.max(0.02, this.scale * factor));
    this.x = px - (px - this.x) * (scale / this.scale);
    this.y = py - (py - this.y) * (scale / this.scale);
    this.scale = scale;
    this.move();
  }

  centre(item) {
    const frame = this.layout.frames.get(item), { width, height } = this.svg.getBoundingClientRect();
    if (!frame) return;
    if (this.scale < 0.5) this.scale = 0.9;
    this.x = width / 2 - (frame[0] + frame[2] / 2) * this.scale;
    this.y = height / 2 - (frame[1] + frame[3] / 2) * this.scale;
    this.move();
  }

  // -- groups ----------------------------------------------------------------------------------------------------

  toggle(g) {
    const group = this.graph.groups[g], before = this.layout.frames.get("g" + g);
    group.open = !group.open;
    if (!group.open) group.all = false;
    this.show();
    const after = this.layout.frames.get("g" + g);
    if (before && after) { // the group stays under the hand
      this.x += (before[0] + before[2] / 2 - after[0] - after[2] / 2) * this.scale;
      this.y += (before[1] - after[1]) * this.scale;
    }
    this.move();
    this.describe("g" + g);
  }

  closeAll() { this.graph.groups.forEach((group, g) => { group.open = g === 0; group.all = false; }); this.show(); this.fit(); }

  openMore() {
    for (const item of this.scene.items)
      if (item[0] === "g" && this.graph.shown(this.graph.number(item)).length) this.graph.groups[this.graph.number(item)].open = true;
    this.show();
    this.fit();
  }

  reveal(box) { // open whatever hides a box
    for (const g of this.graph.around(box)) {
      const group = this.graph.groups[g], outer = this.graph.groups[group.parent];
      group.open = true;
      if (outer && outer.kind === "repeat" && this.graph.number(outer.children[0]) !== g) outer.all = true;
    }
    this.show();
  }

  // -- paths, search, details ------------------------------------------------------------------------------------

  path(item) {
    const hot = new Set([item]), edges = new Set();
    for (const links of [this.links.up, this.links.down]) {
      const todo = [item], seen = new Set([item]);
      while (todo.length)
        for (const link of links.get(todo.pop()) || []) {
          edges.add(link.edge);
          if (!seen.has(link.item)) { seen.add(link.item); hot.add(link.item); todo.push(link.item); }
        }
    }
    return { hot, edges };
  }

  highlight(item) {
    for (const e of this.world.querySelectorAll(".hot")) e.classList.remove("hot");
    this.world.classList.toggle("faded", !!item);
    if (!item) return;
    const { hot, edges } = this.path(item);
    for (const i of hot) this.elements.get(i)?.classList.add("hot");
    for (const e of edges) e.classList.add("hot");
  }

  search(text) {
    const wanted = text.trim().toLowerCase();
    this.hits = wanted ? this.graph.boxes.flatMap((b, i) =>
      `${b.name} ${b.label} ${b.type} ${b.line} ${b.state}`.toLowerCase().includes(wanted) ? [i] : []) : [];
    this.hit = -1;
    this.mark();
    this.page.getElementById("found").textContent = wanted ? `${this.hits.length.toLocaleString("en")} found` : "";
  }

  mark() {
    for (const e of this.world.querySelectorAll(".hit-found")) e.classList.remove("hit-found");
    for (const i of this.hits) this.elements.get(this.scene.seenAs[i])?.classList.add("hit-found");
  }

  nextHit() {
    if (!this.hits.length) return;
    this.hit = (this.hit + 1) % this.hits.length;
    const box = this.hits[this.hit];
    this.reveal(box);
    this.mark();
    this.centre(this.scene.seenAs[box]);
    this.describe("b" + box);
    this.page.getElementById("found").textContent = `${this.hit + 1} of ${this.hits.length}`;
  }

  describe(item) {
    const aside = this.page.getElementById("details"), n = this.graph.number(item), rows = [];
    const thing = item[0] === "b" ? this.graph.boxes[n] : this.graph.groups[n];
    let title = thing.title;
    if (item[0] === "b") {
      title = thing.name && thing.label ? `${thing.name} = ${thing.label}` : thing.label || thing.name || thing.kind;
      rows.push(["kind", thing.kind], ["type", thing.type], ["state", thing.state], ["message", thing.message],
        ["value", thing.value], ["gradient", thing.gradient], ["keeps", thing.kept], ["time", thing.time], ["line", thing.line, true]);
      const from = thing.parents.map(p => this.graph.boxes[p].name || this.graph.boxes[p].label || this.graph.boxes[p].kind);
      rows.push(["from", from.slice(0, 12).join(", ") + (from.length > 12 ? ", …" : "")]);
      if (!thing.active && thing.kind === "operation") rows.push(["gradient", "none flows through"]);
      for (const [name, rule] of Object.entries(this.graph.formulas[thing.operation] || {}))
        rows.push([`∂/∂${name}`, rule, true]);
      const groups = this.graph.around(n).map(g => this.graph.groups[g].title).filter(Boolean);
      rows.push(["in", groups.reverse().join(" › ")]);
    } else {
      rows.push(["inside", thing.subtitle], ...thing.lines.map(line => ["", line]));
    }
    aside.textContent = "";
    const shut = this.page.createElement("button");
    shut.className = "shut"; shut.textContent = "×"; shut.title = "Close"; shut.onclick = () => this.pick(null);
    const heading = this.page.createElement("h2"), list = this.page.createElement("dl");
    heading.textContent = short(title || "", 2000);
    for (const [name, value, code] of rows) {
      if (!value) continue;
      const dt = this.page.createElement("dt"), dd = this.page.createElement("dd");
      dt.textContent = name;
      const inner = code ? this.page.createElement("code") : dd;
      inner.textContent = short(value, 2000);
      if (code) dd.append(inner);
      list.append(dt, dd);
    }
    aside.append(shut, heading, list);
    if (item[0] === "g" && thing.kind === "repeat" && thing.open && thing.children.length > 1) {
      const all = this.page.createElement("button");
      all.textContent = thing.all ? "show one of them" : `show all ${thing.children.length}`;
      all.onclick = () => {
        thing.all = !thing.all;
        if (thing.all) for (const c of thing.children) this.graph.groups[this.graph.number(c)].open = false;
        this.show(); this.describe(item);
      };
      aside.append(all);
    }
    aside.hidden = false;
    aside.dataset.shows = "item";
    this.picked = item;
    for (const e of this.world.querySelectorAll(".picked")) e.classList.remove("picked");
    this.elements.get(item)?.classList.add("picked");
  }

  showKey() {
    const aside = this.page.getElementById("details"), shapes = { silent: '<path class="arrow silent" d="M2 9H30"/>', bar: '<rect class="bar" x="2" y="7" width="28" height="4"/>' };
    if (!aside.hidden && aside.dataset.shows === "key") return this.pick(null);
    const rows = this.graph.key.map(([kind, name, meaning]) => `<dt><svg width="32" height="18">` +
      (shapes[kind] || `<rect class="${kind}" x="2" y="2" width="28" height="14" rx="4" stroke-width="1.5"/>`) +
      `</svg></dt><dd><b>${escapeText(name)}</b> ${escapeText(meaning)}</dd>`);
    aside.innerHTML = `<h2>Key</h2><dl>${rows.join("")}</dl>`;
    aside.hidden = false;
    aside.dataset.shows = "key";
  }

  pick(item) {
    if (item) return this.describe(item);
    this.page.getElementById("details").hidden = true;
    for (const e of this.world.querySelectorAll(".picked")) e.classList.remove("picked");
    this.picked = null;
  }

  activate(item, shift) {
    if (!item) return this.pick(null);
    const g = this.graph.number(item);
    if (item[0] === "g" && !shift && this.graph.shown(g).length) return this.toggle(g);
    this.pick(item);
  }
}
