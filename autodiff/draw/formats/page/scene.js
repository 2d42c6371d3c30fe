// What is in sight, given which groups are open.  The same as scene.py; an item is "b12" (a box) or "g3" (a group).
"use strict";

function Graph(data) {
  const n = data.kind.length;
  const text = i => data.strings[i];
  this.title = data.title;
  this.facts = data.facts;
  this.formulas = data.formulas;
  const silent = new Set(data.silent);
  this.boxes = Array.from({ length: n }, (_, i) => ({
    kind: ["operation", "variable", "input"][data.kind[i]],
    operation: text(data.operation[i]), label: text(data.label[i]), name: text(data.name[i]), type: text(data.type[i]),
    parents: data.parents[i].map(d => i - d), group: data.group[i], line: text(data.line[i]),
    active: !silent.has(i), state: data.state[i] || "", message: data.message[i] || "",
    lines: data.lines[i].map(text), value: data.value[i] || "", gradient: data.gradient[i] || "",
    level: data.level[i], cells: data.cells[i], levels: data.levels[i], states: data.states[i] || "", together: data.together[i]?.map(text), kept: data.kept[i] || "", time: data.time[i] || "",
  }));
  this.groups = data.groups.map(g => ({ ...g, children: g.children.map(c => (c < 0 ? "g" + -c : "b" + c)), all: false }));
  this.outputs = data.outputs;
  this.key = data.key;
}

Graph.prototype.number = item => +item.slice(1);

// The children that an open group shows: those of the first block of a repeat, unless all of its blocks are asked for.
Graph.prototype.shown = function (g) {
  const group = this.groups[g];
  return group.kind === "repeat" && !group.all ? this.groups[this.number(group.children[0])].children : group.children;
};

Graph.prototype.members = function (g) {
  const found = [], todo = ["g" + g];
  while (todo.length) {
    const item = todo.pop();
    if (item[0] === "b") found.push(this.number(item));
    else todo.push(...[...this.groups[this.number(item)].children].reverse());
  }
  return found;
};

Graph.prototype.preorder = function () {
  const order = [0];
  for (let k = 0; k < order.length; k++)
    for (const item of this.groups[order[k]].children) if (item[0] === "g") order.push(this.number(item));
  return order;
};

Graph.prototype.around = function (box) { return this.outside(-1, this.boxes[box].group); };

Graph.prototype.outside = function (group, first = this.groups[group].parent) {
  const chain = [];
  for (let g = first; g >= 0; g = this.groups[g].parent) chain.push(g);
  return chain;
};

// What a box or a group shows: it speaks for all blocks of the repeats around it, unless all of one are shown.
Graph.prototype.face = function (item) {
  const n = this.number(item), thing = item[0] === "b" ? this.boxes[n] : this.groups[n];
  const around = item[0] === "b" ? this.around(n) : this.outside(n);
  const forAll = thing.together && around.every(g => this.groups[g].kind !== "repeat" || !this.groups[g].all);
  return forAll ? { lines: thing.together, level: thing.levels, state: thing.states } : thing;
};

Graph.prototype.otherBlocks = function (a, b) {
  const around = new Set(this.around(b));
  const common = this.groups[this.around(a).find(g => around.has(g))];
  return common.kind === "repeat" && !common.all;
};

Graph.prototype.scene = function () {
  const inside = new Map([[0, []]]), spread = new Set(), standsFor = new Map(), shownIn = new Map();
  for (const g of inside.keys()) { // grows while it is walked
    inside.set(g, this.shown(g));
    for (const item of this.shown(g))
      if (item[0] === "g" && this.groups[this.number(item)].open) inside.set(this.number(item), []);
    const group = this.groups[g];
    if (group.kind === "repeat" && !group.all) spread.add(this.number(group.children[0]));
  }
  const order = this.preorder();
  for (const g of order) {
    const group = this.groups[g];
    if (group.kind === "repeat" && group.open && !group.all) {
      const blocks = group.children.map(c => this.members(this.number(c)));
      for (const block of blocks.slice(1)) block.forEach((b, k) => standsFor.has(b) || standsFor.set(b, blocks[0][k]));
    }
    if (spread.has(g) || inside.has(g)) continue;
    shownIn.set(g, shownIn.get(group.parent) || "g" + g);
  }
  const seenAs = this.boxes.map((_, i) => {
    while (standsFor.has(i)) i = standsFor.get(i);
    return shownIn.get(this.boxes[i].group) || "b" + i;
  });
  const arrows = new Map();
  this.boxes.forEach((box, i) => {
    for (const p of box.parents) {
      if (seenAs[p] === seenAs[i]) continue;
      if ((standsFor.has(p) || standsFor.has(i)) && this.otherBlocks(p, i)) continue;
      const key = seenAs[p] + ">" + seenAs[i];
      if (!arrows.has(key)) arrows.set(key, { source: seenAs[p], target: seenAs[i], flow: p, times: 0 });
      if (seenAs[p] === "b" + p && seenAs[i] === "b" + i) arrows.get(key).times++;
    }
  });
  const items = [];
  for (const [, places] of inside) for (const item of places) if (item[0] === "b" || !inside.has(this.number(item))) items.push(item);
  return { inside, arrows: [...arrows.values()], seenAs, items };
};
