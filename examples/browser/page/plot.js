"use strict";

// Draws lines into a canvas: list has {values, color, name, begin, width}, where `begin` is the x of the
// first value. options: {logarithmic, from, to} of y.
function plot(canvas, list, options = {}) {
  const scale = window.devicePixelRatio || 1;
  const width = canvas.clientWidth;
  const height = canvas.clientHeight;
  canvas.width = Math.round(width * scale);
  canvas.height = Math.round(height * scale);
  const to = canvas.getContext("2d");
  to.scale(scale, scale);
  to.clearRect(0, 0, width, height);
  to.font = "12px system-ui, sans-serif";

  const shown = list.filter((line) => line.values.length > 0);
  if (shown.length === 0) return;
  const height_of = options.logarithmic ? Math.log10 : (value) => value;
  const all = shown.flatMap((line) => Array.from(line.values, height_of)).filter(Number.isFinite);
  let low = options.from ?? Math.min(...all);
  let high = options.to ?? Math.max(...all);
  if (!(high > low)) [low, high] = [low - 1, high + 1];
  const last = Math.max(...shown.map((line) => (line.begin ?? 0) + line.values.length - 1), 1);
  const box = { left: 46, right: width - 8, top: 26, bottom: height - 22 };
  const x_of = (x) => box.left + ((box.right - box.left) * x) / last;
  const y_of = (value) =>
    box.bottom - ((box.bottom - box.top) * (height_of(value) - low)) / (high - low);

  to.strokeStyle = "#e3e7ec";
  to.fillStyle = "#66717d";
  to.textAlign = "right";
  const marks = options.logarithmic ? powers(low, high) : ticks(low, high);
  for (const value of marks) {
    const y = box.bottom - ((box.bottom - box.top) * (value - low)) / (high - low);
    to.beginPath();
    to.moveTo(box.left, y);
    to.lineTo(box.right, y);
    to.stroke();
    to.fillText(label(options.logarithmic ? 10 ** value : value), box.left - 6, y + 4);
  }
  to.textAlign = "center";
  for (const x of ticks(0, last)) {
    if (Number.isInteger(x)) to.fillText(String(x + (options.first ?? 0)), x_of(x), height - 6);
  }

  let legend = box.left;
  to.textAlign = "left";
  for (const line of shown) {
    to.strokeStyle = line.color;
    to.lineWidth = line.width ?? 1.6;
    to.lineJoin = "round";
    to.beginPath();
    line.values.forEach((value, i) => {
      if (Number.isFinite(height_of(value))) to.lineTo(x_of((line.begin ?? 0) + i), y_of(value));
    });
    to.stroke();
    to.fillStyle = line.color;
    to.fillRect(legend, 11, 14, 3);
    to.fillStyle = "#1f2933";
    to.fillText(line.name, legend + 19, 16);
    legend += 19 + to.measureText(line.name).width + 18;
  }
}

// Three to seven round numbers between two.
function ticks(low, high) {
  const rough = (high - low) / 4;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((m) => m * power).find((size) => size >= rough);
  const list = [];
  for (let value = Math.ceil(low / step) * step; value <= high + 1e-9 * step; value += step) {
    list.push(Math.round(value / step) * step);
  }
  return list;
}

// The logarithms of 1 and 3 times powers of ten between two.
function powers(low, high) {
  const list = [];
  for (let power = Math.floor(low); power <= high; ++power) {
    list.push(power, power + Math.log10(3));
  }
  return list.filter((value) => value >= low && value <= high);
}

function label(value) {
  return String(Number(value.toPrecision(3)));
}
