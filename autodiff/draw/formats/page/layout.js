// Layers for each open group, from the inside out.  The same algorithm as layered.py and compound.py, step by step.
"use strict";

const GAP_X = 22, GAP_Y = 34, GAP_PORT = 14, BEND = 10, SWEEPS = 6, PAD = 12, HEADER = 24, MARGIN = 16, PORT = 18, TITLE_ROOM = 18;

function layerRanks(n, arrows, first, last) {
  const users = Array.from({ length: n }, () => []), missing = new Array(n).fill(0);
  for (const [a, b] of arrows) { users[a].push(b); missing[b]++; }
  const rank = Array.from({ length: n }, (_, i) => (first.has(i) || !first.size ? 0 : 1));
  const order = [];
  for (let i = 0; i < n; i++) if (!missing[i]) order.push(i);
  const sources = new Set(order.filter(i => !first.has(i)));
  for (let k = 0; k < order.length; k++)
    for (const b of users[order[k]]) {
      rank[b] = Math.max(rank[b], rank[order[k]] + 1);
      if (!--missing[b]) order.push(b);
    }
  for (const i of order.reverse())
    if (sources.has(i) && users[i].length) rank[i] = users[i].reduce((r, b) => Math.min(r, rank[b]), Infinity) - 1;
  const bottom = rank.reduce((r, v, i) => (last.has(i) ? r : Math.max(r, v)), -1) + 1;
  for (const i of last) rank[i] = bottom;
  return rank;
}

function withBends(ranks, widths, arrows) {
  const n = widths.length, rank = [...ranks], width = [...widths];
  const up = rank.map(() => []), down = rank.map(() => []), chains = arrows.map(() => []), made = new Map();
  const room = 8 * n + 2000;
  const spans = arrows.map((_, k) => k).sort((j, k) =>
    rank[arrows[j][1]] - rank[arrows[j][0]] - rank[arrows[k][1]] + rank[arrows[k][0]] || j - k);
  for (const k of spans) {
    const [a, b, leave, arrive] = arrows[k];
    if (made.size + rank[b] - rank[a] > room) continue;
    let here = a, offset = leave;
    for (let r = rank[a] + 1; r < rank[b]; r++) {
      const key = a + ":" + leave + ":" + r;
      let bend = made.get(key);
      if (bend === undefined) {
        made.set(key, (bend = rank.length));
        rank.push(r); width.push(BEND); up.push([[here, offset, 0]]); down.push([]);
        down[here].push([bend, 0, offset]);
      }
      chains[k].push(bend);
      here = bend; offset = 0;
    }
    down[here].push([b, arrive, offset]);
    up[b].push([here, offset, arrive]);
  }
  const rows = Array.from({ length: rank.reduce((a, b) => Math.max(a, b), -1) + 1 }, () => []);
  rank.forEach((r, i) => rows[r].push(i));
  const trunks = new Map(); // all bends of the arrows from one place
  const keys = [...made].map(([key, bend]) => [...key.split(":").map(Number), bend]);
  for (const [a, leave, , bend] of keys.sort((p, q) => p[0] - q[0] || p[1] - q[1] || p[2] - q[2])) {
    const key = a + ":" + leave;
    (trunks.get(key) ?? trunks.set(key, { a, leave, bends: [] }).get(key)).bends.push(bend);
  }
  return { rank, width, up, down, chains, rows, trunks: [...trunks.values()] };
}

function crossings(work, position) {
  let total = 0;
  for (const row of work.rows) {
    const seen = [];
    for (const i of row) {
      const ends = work.down[i].map(link => position[link[0]]);
      for (const end of ends) total += seen.length - above(seen, end);
      for (const end of ends) seen.splice(above(seen, end), 0, end);
    }
  }
  return total;
}

function above(sorted, value) { // how many are not larger
  let low = 0, high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle] <= value) low = middle + 1; else high = middle;
  }
  return low;
}

function orderRows(work) {
  const position = new Array(work.rank.length).fill(0);
  for (const row of work.rows) row.forEach((i, k) => (position[i] = k));
  let best = work.rows.map(row => [...row]), fewest = crossings(work, position);
  for (let sweep = 0; sweep < SWEEPS && fewest; sweep++) {
    const downward = sweep % 2 === 0, links = downward ? work.up : work.down;
    for (const row of downward ? work.rows.slice(1) : work.rows.slice(0, -1).reverse()) {
      const wish = new Map(row.map(i => [i, links[i].length
        ? links[i].reduce((sum, link) => sum + position[link[0]], 0) / links[i].length : position[i]]));
      row.sort((i, j) => wish.get(i) - wish.get(j));
      row.forEach((i, k) => (position[i] = k));
    }
    const count = crossings(work, position);
    if (count < fewest) { best = work.rows.map(row => [...row]); fewest = count; }
  }
  work.rows = best;
}

const isLeaf = (work, i) => !work.up[i].length && work.down[i].length === 1 && work.width[i] > BEND;

function pull(work, i, j) {
  if (work.width[i] === BEND && work.width[j] === BEND) return 6;
  const [upper, lower] = work.rank[i] < work.rank[j] ? [i, j] : [j, i];
  return isLeaf(work, upper) && !work.up[lower].every(link => isLeaf(work, link[0])) ? 0.1 : 1;
}

function positions(work) {
  const x = new Array(work.rank.length).fill(0);
  for (const row of work.rows) {
    let at = 0;
    for (const i of row) { x[i] = at + work.width[i] / 2; at += work.width[i] + GAP_X; }
    for (const i of row) x[i] -= (at - GAP_X) / 2;
  }
  const pulled = links => links.map((list, i) => list.map(([j, theirs, own]) => [j, theirs - own, pull(work, i, j)]));
  const up = pulled(work.up), down = pulled(work.down);
  for (let sweep = 0; sweep < 2 * SWEEPS; sweep++) {
    const downward = sweep % 2 === 0, both = sweep >= SWEEPS;
    for (const row of downward ? work.rows : [...work.rows].reverse()) {
      const wishes = [], weights = [];
      for (const i of row) {
        const links = both ? up[i].concat(down[i]) : downward ? up[i] : down[i];
        let weight = 0, total = 0;
        for (const [j, shift, held] of links) { weight += held; total += held * (x[j] + shift); }
        wishes.push(links.length ? total / weight : x[i]);
        weights.push(links.length ? weight : 0.01);
      }
      fitRow(row, wishes, weights, work.width, x);
    }
  }
  return x;
}

function fitRow(row, wishes, weights, width, x) { // isotonic regression, as _fit in layered.py
  const shift = [];
  let at = 0;
  row.forEach((i, k) => {
    if (k) at += (width[row[k - 1]] + width[i]) / 2 + (width[row[k - 1]] > BEND || width[i] > BEND ? GAP_X : BEND);
    shift.push(at);
  });
  const pools = [];
  wishes.forEach((wish, k) => {
    let pool = [weights[k], weights[k] * (wish - shift[k]), 1];
    while (pools.length && pools[pools.length - 1][1] * pool[0] >= pool[1] * pools[pools.length - 1][0]) {
      const earlier = pools.pop();
      pool = [earlier[0] + pool[0], earlier[1] + pool[1], earlier[2] + pool[2]];
    }
    pools.push(pool);
  });
  let k = 0;
  for (const [weight, total, count] of pools)
    for (let c = 0; c < count; c++, k++) x[row[k]] = total / weight + shift[k];
}

function straighten(work, x) {
  const place = new Map();
  for (const row of work.rows) row.forEach((i, k) => place.set(i, k));
  for (const { a, leave, bends } of work.trunks) {
    const start = x[a] + leave;
    let run = [], low = -Infinity, high = Infinity;
    for (const bend of [...bends, -1]) {
      const [hereLow, hereHigh] = bend >= 0 ? room(work, x, place, bend) : [Infinity, -Infinity];
      if (Math.max(low, hereLow) > Math.min(high, hereHigh)) {
        const middle = run.reduce((sum, i) => sum + x[i], 0) / run.length;
        const wish = run[0] === bends[0] && low <= start && start <= high ? start : middle;
        for (const i of run) x[i] = Math.min(Math.max(wish, low), high);
        run = []; low = -Infinity; high = Infinity;
      }
      run.push(bend);
      low = Math.max(low, hereLow); high = Math.min(high, hereHigh);
    }
  }
}

function room(work, x, place, i) {
  const row = work.rows[work.rank[i]], k = place.get(i), gap = j => (work.width[j] > BEND ? GAP_X : BEND);
  const side = j => (work.width[j] + BEND) / 2 + gap(j);
  const low = k ? x[row[k - 1]] + side(row[k - 1]) : -Infinity;
  const high = k + 1 < row.length ? x[row[k + 1]] - side(row[k + 1]) : Infinity;
  return low <= high ? [low, high] : [x[i], x[i]];
}

function reserve(work, width) { // a title: a node without arrows, which stays before all others of the top layer
  work.rows[0].unshift(work.rank.length);
  work.rank.push(0); work.width.push(width); work.up.push([]); work.down.push([]);
}

function placeLayers(widths, heights, arrows, first, last, title) {
  const n = widths.length, rank = layerRanks(n, arrows, first, last), work = withBends(rank, widths, arrows);
  if (title && first.size) reserve(work, title);
  orderRows(work);
  let x = positions(work);
  straighten(work, x);
  const count = rank.reduce((a, b) => Math.max(a, b), -1) + 1;
  const tall = new Array(count).fill(0), top = new Array(count).fill(0), parents = new Array(n).fill(0);
  rank.forEach((r, i) => (tall[r] = Math.max(tall[r], heights[i])));
  for (let r = 1; r < count; r++) top[r] = top[r - 1] + tall[r - 1] + (tall[r] && tall[r - 1] ? GAP_Y : GAP_PORT);
  for (const [, b] of arrows) parents[b]++;
  const y = rank.map((r, i) => top[r] + (parents[i] ? 0 : tall[r] - heights[i]));
  let left = Infinity, right = -Infinity;
  x.forEach((v, i) => { left = Math.min(left, v - work.width[i] / 2); });
  x = x.map(v => v - (n ? left : 0));
  x.forEach((v, i) => { right = Math.max(right, v + work.width[i] / 2); });
  const routes = arrows.map(([a, b, leave, arrive], k) => {
    const points = [[x[a] + leave, y[a] + heights[a]], [x[a] + leave, top[rank[a]] + tall[rank[a]]]];
    for (const bend of work.chains[k]) {
      const r = work.rank[bend];
      points.push([x[bend], top[r]], [x[bend], top[r] + tall[r]]);
    }
    points.push([x[b] + arrive, top[rank[b]]], [x[b] + arrive, y[b]]);
    return points.filter((p, i) => !i || p[0] !== points[i - 1][0] || p[1] !== points[i - 1][1]);
  });
  return { x: x.slice(0, n), y, routes, width: Math.max(right, 0), height: count ? top[count - 1] + tall[count - 1] : 0 };
}

// -- a whole scene: ports where arrows cross the edges of open groups ------------------------------------------------

function layoutScene(scene, size) {
  const home = new Map(), levels = new Map(), sizes = new Map();
  for (const [g, items] of scene.inside) {
    const level = { nodes: [], index: new Map(), edges: new Map(), layers: null };
    for (const item of items) { addNode(level, item); home.set(item, g); }
    levels.set(g, level);
  }
  const pieces = scene.arrows.map(arrow => ({ arrow, steps: arrowPieces(home, levels, arrow.source, arrow.target) }));
  for (const g of [...scene.inside.keys()].reverse()) placeLevel(g, levels, sizes, size);
  const origins = new Map([[0, [MARGIN - PAD, MARGIN - HEADER]]]), frames = new Map();
  for (const g of scene.inside.keys()) {
    const [left, top] = origins.get(g), level = levels.get(g);
    level.nodes.forEach((node, k) => {
      if (isPort(node)) return;
      const [w, h] = sizes.get(node);
      frames.set(node, [left + PAD + level.layers.x[k] - w / 2, top + HEADER + level.layers.y[k], w, h]);
      if (node[0] === "g" && levels.has(+node.slice(1))) origins.set(+node.slice(1), frames.get(node).slice(0, 2));
    });
  }
  const arrows = pieces.map(({ arrow, steps }) => {
    const points = [];
    for (const [g, k] of steps) {
      const [left, top] = origins.get(g);
      for (const [x, y] of levels.get(g).layers.routes[k]) points.push([left + PAD + x, top + HEADER + y]);
    }
    return { ...arrow, points: points.filter((p, i) =>
      !i || Math.abs(p[0] - points[i - 1][0]) + Math.abs(p[1] - points[i - 1][1]) > 0.01) };
  });
  const whole = levels.get(0).layers;
  return { frames, arrows, width: whole.width + 2 * MARGIN, height: whole.height + 2 * MARGIN };
}

const isPort = node => node[0] === "i" || node[0] === "o";

function addNode(level, node) {
  if (!level.index.has(node)) { level.index.set(node, level.nodes.length); level.nodes.push(node); }
}

function openAround(home, item) {
  const chain = [home.get(item)];
  while (chain[chain.length - 1]) chain.push(home.get("g" + chain[chain.length - 1]));
  return chain;
}

function arrowPieces(home, levels, source, target) {
  const out = openAround(home, source), into = openAround(home, target), steps = [];
  while (out.length > 1 && into.length > 1 && out[out.length - 2] === into[into.length - 2]) { out.pop(); into.pop(); }
  const step = (g, a, b) => {
    const level = levels.get(g), key = a + ">" + b + "|" + source;
    addNode(level, a); addNode(level, b);
    if (!level.edges.has(key)) level.edges.set(key, { number: level.edges.size, a, b, source });
    steps.push([g, level.edges.get(key).number]);
  };
  let a = source, b = target;
  for (const g of out.slice(0, -1)) { step(g, a, "o" + source); a = "g" + g; }
  const entries = [];
  for (const g of into.slice(0, -1)) { entries.push([g, b]); b = "g" + g; }
  step(out[out.length - 1], a, b);
  for (const [g, inner] of entries.reverse()) step(g, "i" + source, inner);
  return steps;
}

function placeLevel(g, levels, sizes, size) {
  const level = levels.get(g);
  for (const node of level.nodes) if (!isPort(node) && !sizes.has(node)) sizes.set(node, size(node));
  const dimensions = level.nodes.map(node => (isPort(node) ? [1, 0] : sizes.get(node)));
  const edges = [...level.edges.values()];
  const offset = (node, port) => {
    const inner = node[0] === "g" && levels.get(+node.slice(1));
    return inner ? inner.layers.x[inner.index.get(port)] + PAD - sizes.get(node)[0] / 2 : 0;
  };
  const arrows = edges.map(e => [level.index.get(e.a), level.index.get(e.b),
    offset(e.a, "o" + e.source), offset(e.b, "i" + e.source)]);
  const first = new Set(), last = new Set();
  level.nodes.forEach((node, k) => { if (node[0] === "i") first.add(k); else if (node[0] === "o") last.add(k); });
  const least = g ? size("g" + g)[0] : 0;
  const layers = placeLayers(dimensions.map(d => d[0]), dimensions.map(d => d[1]), arrows, first, last, g ? least - TITLE_ROOM : 0);
  if (layers.width + 2 * PAD < least) {
    const more = least - 2 * PAD - layers.width;
    layers.x = layers.x.map(x => x + more / 2);
    layers.routes = layers.routes.map(route => route.map(([x, y]) => [x + more / 2, y]));
    layers.width += more;
  }
  level.layers = layers;
  spread(level, edges, dimensions, node => !isPort(node) && !(node[0] === "g" && levels.has(+node.slice(1))));
  sizes.set("g" + g, [layers.width + 2 * PAD, layers.height + HEADER + PAD]);
  for (const e of edges) {
    const route = layers.routes[e.number];
    if (first.has(level.index.get(e.a))) route.unshift([route[0][0], -HEADER]);
    if (last.has(level.index.get(e.b))) route.push([route[route.length - 1][0], layers.height + PAD]);
  }
}

function spread(level, edges, dimensions, isClosed) { // arrows that meet at one item arrive side by side
  const arriving = new Map();
  for (const e of edges) {
    if (!isClosed(e.b)) continue;
    const i = level.index.get(e.b);
    (arriving.get(i) ?? arriving.set(i, []).get(i)).push(level.layers.routes[e.number]);
  }
  for (const [i, routes] of arriving) {
    routes.sort((p, q) => p[p.length - 2][0] - q[q.length - 2][0]);
    const step = Math.min(PORT, (dimensions[i][0] - PORT) / Math.max(routes.length - 1, 1));
    routes.forEach((route, k) => { route[route.length - 1][0] += step * (k - (routes.length - 1) / 2); });
  }
}

// -- labels of arrows, as in labels.py -------------------------------------------------------------------------------

const overlap = (a, b) => a[0] < b[0] + b[2] && b[0] < a[0] + a[2] && a[1] < b[1] + b[3] && b[1] < a[1] + a[3];

function labelCandidates(points, width) {
  const found = [], high = 14, beside = 5;
  const stretches = points.slice(1).map((b, k) => [points[k], b]).sort((p, q) => p[0][1] - p[1][1] - q[0][1] + q[1][1]);
  for (const [a, b] of stretches)
    for (const t of [0.3, 0.7, 0.5, 0.4, 0.6, 0.25, 0.75]) {
      const s = t * t * (3 - 2 * t), x = a[0] + (b[0] - a[0]) * s, y = a[1] + (b[1] - a[1]) * (t + s) / 2;
      const sides = [x + beside, x - beside - width];
      for (const left of Math.abs(a[0] - b[0]) < 4 ? sides : [x - width / 2, ...sides]) found.push([left, y - high / 2, width, high]);
    }
  return found;
}

function placeLabels(labels, taken) {
  taken = [...taken];
  return labels.map(([points, width]) => {
    const candidates = labelCandidates(points, width);
    const frame = candidates.find(f => !taken.some(other => overlap(f, other))) || candidates[0];
    taken.push(frame);
    return frame;
  });
}
