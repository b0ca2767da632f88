"use strict";

const colors = { truth: "#1f2933", oneStep: "#1a6fd4", freeRun: "#d1480f", quiet: "#8a94a0" };
const of = (id) => document.getElementById(id);

const series = Float32Array.from(of("series").textContent.trim().split(/\s+/), Number);
// The engine's bytes, and the address of what a worker runs.
const engineBytes = inflate(
  Uint8Array.from(atob(of("engine").textContent.trim()), (letter) => letter.charCodeAt(0)), "gzip");
const workerSource = URL.createObjectURL(
  new Blob([of("worker").textContent], { type: "text/javascript" }));

// A worker that answers calls in their order.
class EngineWorker {
  #worker = new Worker(workerSource);
  #waiting = new Map();
  #count = 0;

  constructor(onBatch = () => {}) {
    this.#worker.onmessage = ({ data }) => {
      if (data.batch !== undefined) return onBatch(data.batch);
      const { resolve, reject } = this.#waiting.get(data.id);
      this.#waiting.delete(data.id);
      if (data.error === undefined) resolve(data);
      else reject(new Error(data.error));
    };
    this.ready = engineBytes.then((bytes) => this.#worker.postMessage({ bytes }));
  }

  call(name, values, ...wants) {
    return this.#ask({ call: name, values, wants });
  }

  // The seconds that the opened model takes for samples.
  async secondsFor(samples) {
    return (await this.#ask({ samples })).seconds;
  }

  async #ask(message) {
    await this.ready;
    const id = ++this.#count;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#worker.postMessage({ id, ...message });
    });
  }
}

const forecaster = {
  epochs: 40,
  worker: new EngineWorker((done) => (of("batches").value = done)),
  running: false,
  pausing: false,
  history: [],
  truth: [],
  oneStep: [],
  freeRun: [],
  before: 0,

  async begin() {
    this.history = [];
    this.oneStep = [];
    this.freeRun = [];
    of("save").disabled = true;
    const { json, values } = await this.worker.call(
      "forecaster_begin", [series, this.epochs, 1], "json", "values");
    this.truth = values;
    this.before = json.before;
    of("batches").max = json.batches;
    of("batches").value = 0;
    of("epoch").textContent = "";
    of("error").textContent = "";
    this.draw();
  },

  async train() {
    this.running = true;
    of("train").textContent = "Pause";
    of("again").disabled = true;
    while (!this.pausing && this.history.length < this.epochs) {
      const begin = performance.now();
      const { json, values } = await this.worker.call("forecaster_epoch", [], "json", "values");
      this.history.push(json);
      this.oneStep = values.subarray(0, this.truth.length);
      this.freeRun = values.subarray(this.truth.length);
      const seconds = (performance.now() - begin) / 1000;
      of("epoch").textContent = `epoch ${json.epoch} of ${this.epochs}, ${seconds.toFixed(1)} s`;
      of("error").textContent = `error ${json.error.toFixed(3)}`;
      of("save").disabled = false;
      this.draw();
    }
    this.running = false;
    this.pausing = false;
    const done = this.history.length === this.epochs;
    of("train").textContent = done ? "Trained" : "Train";
    of("train").disabled = done;
    of("again").disabled = false;
  },

  draw() {
    plot(of("forecast"), [
      { values: this.truth, color: colors.truth, name: "truth", width: 2 },
      { values: this.oneStep, color: colors.oneStep, name: "one step ahead" },
      { values: this.freeRun, color: colors.freeRun, name: "free run", begin: this.before },
    ], { from: -1.8, to: 4.2 });
    plot(of("loss"), [
      { values: this.history.map((epoch) => epoch.loss), color: colors.quiet, name: "loss" },
      { values: this.history.map((epoch) => epoch.valLoss), color: colors.freeRun, name: "validation" },
    ], { logarithmic: true, first: 1 });
  },

  async save() {
    const { bytes } = await this.worker.call("forecaster_save", [], "bytes");
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([bytes]));
    link.download = "laser.safetensors";
    link.click();
  },
};

const model = {
  worker: new EngineWorker(),
  open: null, // the call that opens the model
  values: null,

  // The file becomes the model of the page, or the problem is shown and the model before stays.
  async openFile(file) {
    of("problem").textContent = "";
    try {
      const open = await callOf(file.name, new Uint8Array(await file.arrayBuffer()));
      const { json } = await this.worker.call(open.call, open.values, "json");
      this.open = open;
      this.about = json;
      await player.stop();
      of("opened").hidden = false;
      of("summary").textContent = json.summary.trimEnd();
      of("audio").hidden = !json.audio;
      await this.run(file.name);
    } catch (error) {
      of("problem").textContent = error.message;
    }
  },

  async run(name) {
    const shown = standardized(series).subarray(9258, 9498);
    const { values } = await this.worker.call("model_run", [shown], "values");
    const { features, outputs, returnsSequences } = this.about;
    const lines = Array.from({ length: Math.min(outputs, 4) }, (_, u) => ({
      values: Float32Array.from(shown, (_, t) => values[outputs * t + u]),
      color: [colors.freeRun, colors.oneStep, "#00936b", "#8e44ad"][u],
      name: outputs === 1 ? "output" : `output ${u}`,
    }));
    this.values = values;
    of("about").textContent =
      `${name}: ${outputs} ${outputs === 1 ? "output" : "outputs"} for each ` +
      `${returnsSequences ? "step" : "window"} of the laser's series` +
      (features > 1 ? `, of which feature f is the value f steps ago (${features} features)` : "") +
      (outputs > 4 ? "; the first four are drawn." : ".");
    this.lines = [{ values: shown, color: "#c3cad2", name: "the series" }, ...lines];
    this.draw();
  },

  draw() {
    if (this.lines) plot(of("outputs"), this.lines);
  },
};

const player = {
  context: null,
  node: null,
  peak: 0, // the loudest sample of the last block that was told

  async start() {
    const rate = model.about.sampleRate || 48000;
    const loop = guitarLoop(rate);
    this.context = new AudioContext({ sampleRate: rate });
    // A page from a disk may not load modules by the address of a blob.
    const source = encodeURIComponent(of("player").textContent);
    await this.context.audioWorklet.addModule(`data:text/javascript,${source}`);
    this.node = new AudioWorkletNode(this.context, "player", {
      numberOfInputs: 0,
      outputChannelCount: [1],
      processorOptions: { bytes: await engineBytes, open: model.open, loop },
    });
    this.node.onprocessorerror = () => this.fail("the thread of the sound ended with an error");
    this.node.port.onmessage = ({ data }) => {
      this.peak = data;
      this.measure(loop.subarray(0, rate), rate);
    };
    this.listen();
    this.node.connect(this.context.destination);
    await this.context.resume();
    of("play").textContent = "Stop";
  },

  async stop() {
    if (!this.context) return;
    await this.context.close();
    this.context = null;
    of("play").textContent = "Play a guitar through it";
    of("share").textContent = "";
  },

  // The thread of the sound has no clock that is fine enough, so another one computes a second of sound.
  async measure(samples, rate) {
    const share = (await model.worker.secondsFor(samples)) / (samples.length / rate);
    if (!this.context) return;
    of("share").textContent =
      `${(100 * share).toFixed(1)} % of one processor core, at ${rate / 1000} kHz`;
  },

  listen() {
    this.node?.port.postMessage({ through: of("through").checked });
  },

  async fail(text) {
    of("problem").textContent = text;
    await this.stop();
  },
};

// The call that opens a file. The three files of a .keras archive go to the engine one behind the other.
async function callOf(name, bytes) {
  const letters = new TextEncoder().encode(name);
  if (!name.endsWith(".keras")) return { call: "model_open", values: [letters, bytes] };
  const files = await filesOfArchive(bytes);
  const parts = ["metadata.json", "config.json", "model.weights.h5"].map((part) => {
    if (!files.has(part)) throw new Error(`${name}: ${part} is missing in the archive`);
    return files.get(part);
  });
  const all = new Uint8Array(await new Blob(parts).arrayBuffer());
  return { call: "model_open_keras", values: [letters, all, parts[0].length, parts[1].length] };
}

// The mean is 0 and the deviation 1 over the part that is trained.
function standardized(values) {
  const trained = values.subarray(0, Math.floor(0.7 * values.length));
  const mean = trained.reduce((sum, value) => sum + value, 0) / trained.length;
  const square = trained.reduce((sum, value) => sum + (value - mean) ** 2, 0) / trained.length;
  return values.map((value) => (value - mean) / Math.sqrt(square));
}

function isSupported() {
  // A module of one function with a vector of 128 bits.
  const simd = Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 10,
    1, 8, 0, 65, 0, 253, 15, 253, 98, 11);
  return WebAssembly.validate(simd) && typeof DecompressionStream === "function";
}

of("train").onclick = () => {
  if (forecaster.running) forecaster.pausing = true;
  else forecaster.train();
};
of("again").onclick = async () => {
  await forecaster.begin();
  of("train").disabled = false;
  forecaster.train();
};
of("save").onclick = () => forecaster.save();
of("file").onchange = ({ target }) => {
  if (target.files.length > 0) model.openFile(target.files[0]);
  target.value = "";
};
of("play").onclick = () =>
  player.context ? player.stop() : player.start().catch((error) => player.fail(error.message));
of("through").onchange = () => player.listen();
document.ondragover = (event) => {
  event.preventDefault();
  of("drop").classList.add("over");
};
document.ondragleave = () => of("drop").classList.remove("over");
document.ondrop = (event) => {
  event.preventDefault();
  of("drop").classList.remove("over");
  if (event.dataTransfer.files.length > 0) model.openFile(event.dataTransfer.files[0]);
};
window.onresize = () => {
  forecaster.draw();
  model.draw();
};

if (isSupported()) {
  forecaster.begin();
} else {
  document.querySelectorAll("button").forEach((button) => (button.disabled = true));
  of("epoch").textContent = "This browser has no vectors in WebAssembly; newer ones have.";
}
