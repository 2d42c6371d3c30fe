"use strict";
// Curves looked at closely: the values at the pointer, and a stretch of epochs by dragging over it, or by the keys.
{
  const make = (name, attributes, parent) => {
    const element = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    return parent.appendChild(element);
  };
  const ticks = (low, high, count = 5) => {
    const rough = (high - low) / count, power = 10 ** Math.floor(Math.log10(rough));
    const step = power * [1, 2, 2.5, 5, 10].find(m => rough <= m * power * (1 + 1e-9));
    const found = [];
    for (let i = Math.ceil(low / step - 1e-9); i * step <= high + step * 1e-9; i++) found.push(+(i * step).toPrecision(12));
    return found;
  };
  const shown = value => value === null || value === undefined ? "none" : String(+value.toPrecision(5));
  const tip = document.body.appendChild(document.createElement("div"));
  tip.className = "tip";
  tip.hidden = true;
  tip.setAttribute("role", "status");
  let count = 0;
  for (const group of document.querySelectorAll("g[data-curves]")) {
    const p = JSON.parse(group.dataset.curves), svg = group.ownerSVGElement, lines = group.querySelector(".lines");
    const whole = { first: p.first, last: p.last, low: p.low, high: p.high };
    let now = whole, start = null, at = null;
    const x = epoch => p.left + (epoch - now.first) / (now.last - now.first) * (p.right - p.left);
    const y = value => p.bottom - (value - now.low) / (now.high - now.low) * (p.bottom - p.top);
    const clip = make("clipPath", { id: `curves-${++count}` }, group);
    make("rect", { x: p.left, y: p.top - 1, width: p.right - p.left, height: p.bottom - p.top + 2 }, clip);
    const marks = make("g", { "pointer-events": "none" }, group);
    const stretch = make("rect", { y: p.top, height: p.bottom - p.top, width: 0, fill: "#8884" }, marks);
    const pad = make("rect", { x: p.left, y: p.top, width: p.right - p.left, height: p.bottom - p.top, fill: "transparent",
      tabindex: 0, role: "img", "aria-label": "drag, or + and -, for a part; arrows for values; double click, or Escape, for all" }, group);
    pad.style.touchAction = "pan-y";
    const look = domain => {
      now = domain;
      lines.replaceChildren();
      const box = group.querySelector(".ticks");
      box.replaceChildren();
      for (const value of ticks(now.low, now.high)) {
        make("path", { class: "grid", d: `M${p.left} ${y(value)}H${p.right}` }, box);
        make("text", { x: p.left - 6, y: y(value) + 4, "text-anchor": "end" }, box).textContent = shown(value);
      }
      for (const epoch of ticks(now.first, now.last).filter(Number.isInteger))
        make("text", { x: x(epoch), y: p.bottom + 18, "text-anchor": "middle" }, box).textContent = epoch;
      lines.setAttribute("clip-path", `url(#${clip.id})`);
      p.lines.forEach((line, i) => {
        const points = line.values.map((v, k) => v === null ? "" : `${x(k + 1)},${y(v)}`).filter(Boolean);
        const dash = i % 2 ? { "stroke-dasharray": "6 3" } : {};
        make("polyline", { points: points.join(" "), fill: "none", stroke: line.colour, "stroke-width": 2, ...dash }, lines);
      });
    };
    const between = (one, other) => {
      const first = Math.max(whole.first, Math.min(one, other)), last = Math.min(whole.last, Math.max(one, other));
      if (last - first < 1) return;
      const inside = p.lines.flatMap(line => line.values.slice(Math.ceil(first) - 1, Math.floor(last))).filter(v => v !== null);
      let low = inside.reduce((a, b) => Math.min(a, b), Infinity), high = inside.reduce((a, b) => Math.max(a, b), -Infinity);
      if (!inside.length) [low, high] = [now.low, now.high];
      const edge = (high - low) * 0.05 || Math.abs(high) * 0.05 || 1;
      look({ first, last, low: low - edge, high: high + edge });
    };
    const all = () => { look(whole); leave(); };
    const epochAt = event => {
      const place = new DOMPoint(event.clientX, event.clientY).matrixTransform(svg.getScreenCTM().inverse()).x;
      return now.first + (Math.min(p.right, Math.max(p.left, place)) - p.left) / (p.right - p.left) * (now.last - now.first);
    };
    const leave = () => { tip.hidden = true; at = null; for (const old of marks.querySelectorAll(".at")) old.remove(); };
    const point = epoch => {
      leave();
      at = Math.round(Math.min(Math.floor(now.last), Math.max(Math.ceil(now.first), epoch)));
      make("path", { class: "at axis", d: `M${x(at)} ${p.top}V${p.bottom}`, "stroke-dasharray": "2 2" }, marks);
      tip.replaceChildren();
      tip.append(`${p.along} ${at}`);
      for (const line of p.lines) {
        const value = line.values[at - 1];
        if (value !== null && value !== undefined)
          make("circle", { class: "at", cx: x(at), cy: y(value), r: 3.5, fill: line.colour }, marks);
        const row = tip.appendChild(document.createElement("div")), dot = row.appendChild(document.createElement("i"));
        dot.style.background = line.colour;
        row.append(`${line.name} ${shown(value)}`);
      }
      tip.hidden = false;
      const box = svg.getBoundingClientRect(), scale = box.width / svg.viewBox.baseVal.width;
      const right = box.left + x(at) * scale + 12, width = tip.offsetWidth;
      tip.style.left = `${Math.max(4, right + width > innerWidth - 4 ? right - width - 24 : right)}px`;
      tip.style.top = `${box.top + p.top * scale + 4}px`;
    };
    pad.onpointerdown = event => { if (event.pointerType !== "touch") { start = epochAt(event); pad.setPointerCapture(event.pointerId); } };
    pad.onpointermove = event => {
      const epoch = epochAt(event);
      point(epoch);
      if (start === null) return;
      stretch.setAttribute("x", Math.min(x(start), x(epoch)));
      stretch.setAttribute("width", Math.abs(x(epoch) - x(start)));
    };
    pad.onpointerup = event => {
      stretch.setAttribute("width", 0);
      if (start !== null) between(start, epochAt(event));
      start = null;
    };
    pad.onpointerleave = pad.onblur = leave;
    pad.ondblclick = all;
    pad.onkeydown = event => {
      const middle = at ?? (now.first + now.last) / 2, half = (now.last - now.first) / 2;
      const does = {
        ArrowLeft: () => point((at ?? now.last + 1) - 1), ArrowRight: () => point((at ?? now.first - 1) + 1), Escape: all,
        "+": () => between(middle - half / 2, middle + half / 2), "-": () => between(middle - 2 * half, middle + 2 * half),
      }[event.key];
      if (does) { event.preventDefault(); does(); }
    };
  }
}
