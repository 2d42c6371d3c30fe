
"use strict";
const form = JSON.parse(document.getElementById("form").textContent);
const input = document.getElementById("input"), answer = document.getElementById("answer");
const MOST_BARS = 12;

/** An element with attributes (functions are listeners) and children; texts are texts and never HTML. */
function make(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes))
    typeof value === "function" ? element.addEventListener(key, value) : element.setAttribute(key, value);
  element.append(...children);
  return element;
}

// -- asking -----------------------------------------------------------------------------------------------------------

let asked = 0;

/** Ask for predictions and show them, unless a later question was asked meanwhile. */
async function ask(body, type, path = "predict") {
  const number = ++asked;
  let shown;
  try {
    const response = await fetch(path, { method: "POST", headers: { "Content-Type": type }, body });
    const found = await response.json();
    shown = response.ok ? results(found.predictions) : [refused(found.error)];
  } catch (error) {
    shown = [refused(`no answer from the server: ${error.message}`)];
  }
  if (number === asked) answer.replaceChildren(...shown);
}

const refused = (message) => make("p", { class: "bad", role: "alert" }, message);

function results(predictions) {
  return predictions.length === 1 ? one(predictions[0]) : [many(predictions)];
}

const label = (prediction) => prediction.label ?? `${Number(Object.values(prediction)[0].toPrecision(6))}`;

function one(prediction) {
  const parts = [make("p", { class: "best" }, form.classes.length ? label(prediction) : `${form.target} ${label(prediction)}`)];
  if (prediction.probabilities) parts.push(bars(prediction.probabilities));
  if (prediction.seen) parts.push(make("p", { class: "soft" }, "What the network saw:"), picture(prediction.seen));
  return parts;
}

function bars(probabilities) {
  let rows = form.classes.map((name) => [name, probabilities[name]]);
  if (rows.length > MOST_BARS) rows = rows.sort((a, b) => b[1] - a[1]).slice(0, MOST_BARS);
  return make("div", { class: "bars" }, ...rows.flatMap(([name, p]) => [
    make("b", { title: name }, name), make("meter", { value: p, "aria-label": name }), make("i", {}, `${(100 * p).toFixed(1)} %`),
  ]));
}

function many(predictions) {
  const rows = predictions.map((prediction, i) => {
    const sure = prediction.probabilities ? `${(100 * prediction.probabilities[prediction.label]).toFixed(1)} %` : "";
    return make("tr", {}, make("th", {}, `${i + 1}`), make("td", {}, label(prediction)), make("td", {}, sure));
  });
  return make("div", { class: "scrolled" }, make("table", {}, ...rows));
}

/** A picture from numbers from 0 to 1, (height, width) or (height, width, 3). */
function picture(seen) {
  const height = seen.length, width = seen[0].length;
  const canvas = make("canvas", { id: "seen", width, height, role: "img", "aria-label": "the picture as the network got it" });
  const context = canvas.getContext("2d"), image = context.createImageData(width, height);
  seen.flat().forEach((pixel, i) => image.data.set([...(Array.isArray(pixel) ? pixel : [pixel, pixel, pixel]), 1].map((v) => 255 * v), 4 * i));
  context.putImageData(image, 0, 0);
  return canvas;
}

const askAboutFile = (file) => ask(file, file.type || "application/octet-stream", "predict?seen");

function chooser(words, accept, take) {
  return make("label", {}, words, make("input", { type: "file", accept, change: (event) => event.target.files[0] && take(event.target.files[0]) }));
}

// -- digits are drawn -------------------------------------------------------------------------------------------------

function drawing() {
  const side = 112; // pixels; the server makes them fewer
  const pad = make("canvas", { id: "pad", width: side, height: side, "aria-label": "draw here with a mouse, a finger or a pen" });
  const context = pad.getContext("2d");
  let last = null, timer = 0;
  const clear = () => {
    context.fillStyle = "#fff";
    context.fillRect(0, 0, side, side);
    asked++;
    answer.replaceChildren(make("p", { class: "soft" }, "The answer appears here."));
  };
  const place = (event) => {
    const box = pad.getBoundingClientRect();
    return [((event.clientX - box.left) / box.width) * side, ((event.clientY - box.top) / box.height) * side];
  };
  const send = () => pad.toBlob((blob) => ask(blob, "image/png", "predict?seen"));
  const move = (event) => {
    if (!last) return;
    const next = place(event);
    context.lineWidth = side / 12;
    context.lineCap = context.lineJoin = "round";
    context.strokeStyle = "#000";
    context.beginPath();
    context.moveTo(...last);
    context.lineTo(...next);
    context.stroke();
    last = next;
    clearTimeout(timer);
    timer = setTimeout(send, 150);
  };
  pad.addEventListener("pointerdown", (event) => { pad.setPointerCapture(event.pointerId); last = place(event); move(event); });
  pad.addEventListener("pointermove", move);
  for (const end of ["pointerup", "pointercancel"]) pad.addEventListener(end, () => (last = null));
  input.append(
    make("p", {}, "Draw a digit, as large as the square."), pad,
    make("div", { class: "row" }, make("button", { type: "button", click: clear }, "Clear")),
    chooser("or choose a picture", "image/*", askAboutFile),
  );
  clear();
}

// -- other pictures are chosen ----------------------------------------------------------------------------------------

function choosing() {
  const shown = make("img", { alt: "the chosen picture", hidden: "", width: 240 });
  const take = (file) => {
    const reader = new FileReader();
    reader.onload = () => { shown.src = reader.result; shown.hidden = false; };
    reader.readAsDataURL(file);
    askAboutFile(file);
  };
  input.append(chooser("A picture", "image/*", take), shown);
}

// -- rows of a table --------------------------------------------------------------------------------------------------

function rows() {
  const fields = form.columns.map((column) => [column, field(column)]);
  const send = (event) => {
    event.preventDefault();
    const instance = Object.fromEntries(fields.map(([column, element]) => [column.name, column.values ? element.value : Number(element.value)]));
    ask(JSON.stringify({ instances: [instance] }), "application/json");
  };
  const text = make("textarea", { "aria-label": "rows as CSV", spellcheck: "false" });
  text.value = [form.columns.map((column) => column.name), form.columns.map(example)].map(line).join("");
  const askAboutText = () => ask(text.value, "text/csv");
  input.append(
    make("form", { submit: send },
      make("div", { class: "fields" }, ...fields.map(([column, element]) => make("label", {}, column.name, element))),
      make("button", { class: "main" }, "Predict")),
    make("details", {}, make("summary", {}, "Several rows, as CSV"), text,
      make("div", { class: "row" }, make("button", { type: "button", click: askAboutText }, "Predict the rows"),
        chooser("or a file", ".csv,text/csv", (file) => ask(file, "text/csv")))),
  );
}

const line = (cells) => cells.map((cell) => `${cell}`).map((cell) => /[",;\t\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell).join(",") + "\n";

const example = (column) => column.values ? column.values[0] : Number(column.mean.toPrecision(3));

function field(column) {
  if (column.values) return make("select", {}, ...column.values.map((value) => make("option", {}, value)));
  return make("input", { type: "number", step: "any", required: "", value: example(column) });
}

// -- the page ---------------------------------------------------------------------------------------------------------

function described() {
  if (form.kind === "images") return `a network that tells ${form.classes.length} classes of images of ${form.shape.slice(0, 2).join(" x ")} pixels apart`;
  const what = form.classes.length ? `one of ${form.classes.length} classes of ${form.target}` : form.target;
  return `a network that predicts ${what} from ${form.columns.length} columns`;
}

function called() {
  const url = new URL("predict", location.href).href;
  if (form.kind === "images") return `curl -H 'Content-Type: image/png' --data-binary @picture.png ${url}`;
  return `curl -H 'Content-Type: text/csv' --data-binary @rows.csv ${url}`;
}

document.getElementById("about").textContent = described();
document.getElementById("call").textContent = called();
if (form.kind === "table") rows(); else if (form.digits) drawing(); else choosing();
