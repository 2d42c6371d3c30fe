// The backward pass as a film.  In reverse topological order every operation has its whole cotangent before it hands
// anything on; a recursive walk from the output hands on what it has at the first visit, and the rest comes too late.
"use strict";

class Film {
  constructor(view) {
    this.view = view;
    this.on = false;
    this.timer = null;
    const by = id => view.page.getElementById(id);
    this.by = by;
    by("film").onclick = () => (this.on ? this.stop() : this.start());
    by("next").onclick = () => { this.pause(); this.go(this.at + 1); };
    by("back").onclick = () => { this.pause(); this.go(this.at - 1); };
    by("restart").onclick = () => { this.pause(); this.go(0); };
    by("play").onclick = () => (this.timer ? this.pause() : this.play());
    by("step").oninput = event => { this.pause(); this.go(+event.target.value); };
    by("naive").onchange = () => { this.prepare(); this.go(0); };
  }

  start() {
    this.on = true;
    this.by("film").setAttribute("aria-pressed", "true");
    this.by("player").hidden = false;
    this.view.highlight(null);
    this.prepare();
    this.go(0);
    this.play();
  }

  stop() {
    this.on = false;
    this.pause();
    this.by("film").setAttribute("aria-pressed", "false");
    this.by("player").hidden = true;
    this.view.world.classList.remove("film");
    this.view.show();
  }

  play() {
    if (this.at >= this.steps.length - 1) this.go(0);
    this.by("play").textContent = "Pause";
    this.timer = setInterval(() => (this.at < this.steps.length - 1 ? this.go(this.at + 1) : this.pause()),
      Math.max(120, Math.min(1400, 20000 / this.steps.length)));
  }

  pause() {
    clearInterval(this.timer);
    this.timer = null;
    this.by("play").textContent = "Play";
  }

  carries(edge) { return !edge.querySelector(".silent"); }

  // The order, and for each step what has arrived where.
  prepare() {
    if (!this.on) return;
    const view = this.view, parents = item => (view.links.up.get(item) || []).filter(l => this.carries(l.edge));
    const expected = new Map();
    const starts = [...new Set(view.graph.outputs.map(b => view.scene.seenAs[b]))];
    const seen = new Set(starts), todo = [...starts];
    while (todo.length)
      for (const link of parents(todo.pop())) {
        expected.set(link.item, (expected.get(link.item) || 0) + link.times);
        if (!seen.has(link.item)) { seen.add(link.item); todo.push(link.item); }
      }
    this.expected = expected;
    this.steps = this.by("naive").checked ? this.naive(starts, parents) : this.sorted(starts, parents);
    this.by("step").max = Math.max(0, this.steps.length - 1);
    this.at = Math.min(this.at || 0, this.steps.length - 1);
  }

  sorted(starts, parents) {
    const missing = new Map(this.expected), ready = starts.filter(s => !missing.get(s)), steps = [];
    while (ready.length) {
      const item = ready.shift(), links = parents(item);
      steps.push({ item, links, whole: true });
      for (const link of links) {
        missing.set(link.item, missing.get(link.item) - link.times);
        if (!missing.get(link.item)) ready.push(link.item);
      }
    }
    return steps;
  }

  naive(starts, parents) {
    const steps = [], arrived = new Map(), visited = new Set(), todo = [...starts].reverse().map(item => ({ item }));
    while (todo.length) {
      const { item } = todo.pop();
      if (visited.has(item)) continue;
      visited.add(item);
      const links = parents(item);
      steps.push({ item, links, whole: (arrived.get(item) || 0) >= (this.expected.get(item) || 0) });
      for (const link of links) arrived.set(link.item, (arrived.get(link.item) || 0) + link.times);
      for (const link of [...links].reverse()) todo.push(link);
    }
    return steps;
  }

  name(item) {
    const graph = this.view.graph, n = graph.number(item);
    if (item[0] === "g") return graph.groups[n].title;
    const box = graph.boxes[n];
    return short(box.name || box.label || box.kind, 40);
  }

  go(at) {
    if (!this.steps.length) { this.by("caption").textContent = "No gradient flows in this graph."; return; }
    this.at = Math.max(0, Math.min(at, this.steps.length - 1));
    const view = this.view, arrived = new Map(), early = new Map();
    view.world.classList.add("film");
    for (const e of view.world.querySelectorAll(".done, .now, .ready, .wrong")) e.classList.remove("done", "now", "ready", "wrong");
    for (const e of view.world.querySelectorAll(".badge")) e.remove();
    this.steps.slice(0, this.at + 1).forEach(({ item, links, whole }, k) => {
      const state = k === this.at ? "now" : "done";
      view.elements.get(item)?.classList.add(state);
      if (!whole) { view.elements.get(item)?.classList.add("wrong"); early.set(item, arrived.get(item) || 0); }
      for (const link of links) {
        link.edge.classList.add(state);
        arrived.set(link.item, (arrived.get(link.item) || 0) + link.times);
        view.elements.get(link.item)?.classList.add("ready");
      }
    });
    for (const [item, count] of arrived) {
      const of = this.expected.get(item), frame = view.layout.frames.get(item);
      if (of < 2 || !frame) continue;
      const badge = view.page.createElementNS("http://www.w3.org/2000/svg", "text");
      badge.setAttribute("class", "badge");
      badge.setAttribute("x", frame[0] + frame[2] + 4);
      badge.setAttribute("y", frame[1] + frame[3] / 2 + 4);
      badge.textContent = `${early.has(item) ? `used ${early.get(item)}, got ` : ""}${count} of ${of}`;
      view.elements.get(item)?.append(badge);
    }
    this.keepInSight(this.steps[this.at].item);
    this.by("step").value = this.at;
    this.by("caption").textContent = this.caption(this.steps[this.at], arrived);
  }

  keepInSight(item) { // over the player, and not at an edge
    const view = this.view, frame = view.layout.frames.get(item), box = view.svg.getBoundingClientRect();
    if (!frame) return;
    const left = frame[0] * view.scale + view.x, top = frame[1] * view.scale + view.y;
    const right = left + frame[2] * view.scale, bottom = top + frame[3] * view.scale;
    if (left < 0 || top < 0 || right > box.width || bottom > box.height - this.by("player").offsetHeight - 16) view.centre(item);
  }

  caption({ item, links, whole }, arrived) {
    const place = `Step ${this.at + 1} of ${this.steps.length}: `, name = this.name(item), all = this.expected.get(item) || 0;
    const had = whole ? all : this.steps.slice(0, this.at).flatMap(s => s.links).reduce((sum, l) => sum + (l.item === item ? l.times : 0), 0);
    let text = !all ? `${name} starts with a cotangent of 1` : all === 1 ? `${name} has its cotangent`
      : whole ? `${name} has added up all ${all} cotangents` : `${name} has only ${had} of its ${all} cotangents: what it hands on now is wrong, and the rest comes too late`;
    if (links.length) {
      const names = links.slice(0, 4).map(l => this.name(l.item)).join(", ") + (links.length > 4 ? ", …" : "");
      text += `${whole ? "" : ";"} and hands one on to ${names}`;
      const waits = links.filter(l => arrived.get(l.item) < this.expected.get(l.item));
      if (whole && waits.length) text += `. ${this.name(waits[0].item)} must wait: ${arrived.get(waits[0].item)} of ${this.expected.get(waits[0].item)} have arrived`;
    } else if (whole) text += ": this is its gradient";
    return place + text + ".";
  }
}

let view;

async function begin() {
  if (matchMedia("(prefers-color-scheme: dark)").matches) document.documentElement.classList.add("dark");
  const element = document.getElementById("data");
  let text = element.textContent;
  if (element.dataset.packed) { // a large graph comes compressed
    const bytes = Uint8Array.from(atob(text), c => c.charCodeAt(0));
    text = await new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream(element.dataset.packed))).text();
  }
  const made = new View(new Graph(JSON.parse(text)), document);
  made.film = new Film(made);
  view = made;
}

begin().catch(error => { document.getElementById("facts").textContent = `This browser cannot show the graph: ${error}`; });
