// Hands and keys.
"use strict";

View.prototype.listen = function () {
  const svg = this.svg, by = id => this.page.getElementById(id);
  const itemAt = target => target.closest?.("[data-item]")?.dataset.item;
  const inCluster = target => target.closest?.(".cluster") && !target.classList.contains("hit");
  const held = new Map();
  let moved = 0, spread = 0;
  svg.addEventListener("pointerdown", event => {
    held.set(event.pointerId, [event.clientX, event.clientY]);
    moved = 0; spread = 0;
  });
  svg.addEventListener("pointermove", event => {
    if (!held.has(event.pointerId)) return;
    const [x, y] = held.get(event.pointerId), dx = event.clientX - x, dy = event.clientY - y;
    moved += Math.abs(dx) + Math.abs(dy);
    held.set(event.pointerId, [event.clientX, event.clientY]);
    if (held.size === 1) {
      if (moved > 4 && !svg.hasPointerCapture(event.pointerId)) svg.setPointerCapture(event.pointerId);
      svg.classList.add("held");
      this.x += dx; this.y += dy;
      this.move();
    } else { // two fingers
      const [[ax, ay], [bx, by]] = [...held.values()], box = svg.getBoundingClientRect();
      const now = Math.hypot(ax - bx, ay - by);
      if (spread) this.zoom(now / spread, (ax + bx) / 2 - box.left, (ay + by) / 2 - box.top);
      spread = now;
    }
  });
  const release = event => { held.delete(event.pointerId); spread = 0; svg.classList.remove("held"); };
  svg.addEventListener("pointerup", release);
  svg.addEventListener("pointercancel", release);
  svg.addEventListener("click", event => {
    if (moved > 4) return; // that was a drag
    this.activate(inCluster(event.target) ? null : itemAt(event.target), event.shiftKey);
  });
  svg.addEventListener("wheel", event => {
    event.preventDefault();
    const box = svg.getBoundingClientRect();
    this.zoom(Math.exp(-event.deltaY * (event.deltaMode ? 0.05 : 0.0015)), event.clientX - box.left, event.clientY - box.top);
  }, { passive: false });
  svg.addEventListener("pointerover", event => {
    if (this.film?.on || held.size) return;
    const node = event.target.closest?.(".node");
    this.highlight(node?.dataset.item);
  });
  svg.addEventListener("pointerleave", () => this.film?.on || this.highlight(null));
  svg.addEventListener("keydown", event => {
    const step = { ArrowLeft: [60, 0], ArrowRight: [-60, 0], ArrowUp: [0, 60], ArrowDown: [0, -60] }[event.key];
    if (step) { this.x += step[0]; this.y += step[1]; this.move(); event.preventDefault(); }
    if (event.key === "Enter" || event.key === " ") {
      const item = itemAt(this.page.activeElement);
      if (item) {
        event.preventDefault();
        this.activate(item, event.shiftKey);
        const again = this.elements.get(item);
        (again?.classList.contains("cluster") ? again.querySelector(".hit") : again)?.focus();
      }
    }
  });
  this.page.addEventListener("keydown", event => {
    if (event.target.tagName === "INPUT" || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "/") { by("search").focus(); event.preventDefault(); }
    if (event.key === "f") this.fit();
    if (event.key === "+" || event.key === "=") this.zoom(1.25);
    if (event.key === "-") this.zoom(0.8);
    if (event.key === "Escape") this.pick(null);
  });
  by("search").addEventListener("input", event => this.search(event.target.value));
  by("search").addEventListener("keydown", event => {
    if (event.key === "Enter") this.nextHit();
    if (event.key === "Escape") { event.target.value = ""; this.search(""); }
  });
  by("fit").onclick = () => this.fit();
  by("larger").onclick = () => this.zoom(1.25);
  by("smaller").onclick = () => this.zoom(0.8);
  by("close").onclick = () => this.closeAll();
  by("open").onclick = () => this.openMore();
  by("scheme").onclick = () => this.page.documentElement.classList.toggle("dark");
  by("key").onclick = () => this.showKey();
  by("svg").onclick = () => this.saveSvg();
};

View.prototype.saveSvg = function () {
  const copy = this.svg.cloneNode(true), style = this.page.createElementNS("http://www.w3.org/2000/svg", "style");
  const root = getComputedStyle(this.page.documentElement);
  style.textContent = [...this.page.querySelectorAll("style")].map(s => s.textContent).join("\n")
    .replace(/var\((--\w+)\)/g, (_, name) => root.getPropertyValue(name).trim());
  copy.setAttribute("xmlns", "http://www.w3.org/2000/svg");
  copy.setAttribute("viewBox", `0 0 ${this.layout.width} ${this.layout.height}`);
  copy.setAttribute("width", this.layout.width);
  copy.setAttribute("height", this.layout.height);
  copy.querySelector("#world").removeAttribute("transform");
  copy.prepend(style);
  const link = this.page.createElement("a");
  link.href = URL.createObjectURL(new Blob([new XMLSerializer().serializeToString(copy)], { type: "image/svg+xml" }));
  link.download = "graph.svg";
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
};
