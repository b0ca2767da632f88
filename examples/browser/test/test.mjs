// What the page promises, tried in a headless Chromium:
//
//   node test.mjs <page> <folder of tests/golden> [folder for pictures]

import assert from "node:assert/strict";
import { mkdtempSync, existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";

import { Browser } from "./browser.mjs";

const [page, golden, pictures] = process.argv.slice(2).map((path) => resolve(path));
const expected = JSON.parse(readFileSync(new URL("expected.json", import.meta.url)));
const folder = mkdtempSync(join(tmpdir(), "strata-page-"));
const passed = (what) => console.log(`passed: ${what}`);

const size = statSync(page).size;
assert(size < 1.5e6, `the page has ${size} bytes`);
passed(`the page is one file of ${Math.round(size / 1000)} KB`);

const browser = await Browser.open(pathToFileURL(page), { width: 1200, height: 1000 });
const picture = (selector, name) => pictures && browser.picture(selector, join(pictures, name));
const text = (id) => browser.value(`of(${JSON.stringify(id)}).textContent`);
const largest = (values, others) =>
  values.reduce((most, value, i) => Math.max(most, Math.abs(value - others[i])), 0);

// Drops a file and waits for what the page says of it.
async function drop(path) {
  await browser.value(`model.values = null, of("problem").textContent = "", true`);
  await browser.drop(path, "#drop");
  await browser.until(`model.values !== null || of("problem").textContent !== ""`, 20);
  return text("problem");
}
// A model of Neural Amp Modeler with weights by chance.
function amplifier(units) {
  let seed = 1;
  const weights = Array.from({ length: 4 * units * (units + 2) + 3 * units + 1 }, () => {
    seed = (1103515245 * seed + 12345) % 2147483648;
    return seed / 1073741824 - 1;
  });
  const config = { input_size: 1, hidden_size: units, num_layers: 1 };
  return { version: "0.5.4", architecture: "LSTM", config, weights, sample_rate: 44100 };
}

const outputs = () => browser.value("Array.from(model.values)");

try {
  await browser.until("forecaster.truth.length > 0", 20);
  await browser.click("#train");
  const begin = Date.now();
  await browser.until(`parseFloat(of("error").textContent.split(" ")[1]) < 0.2`, 60);
  const seconds = ((Date.now() - begin) / 1000).toFixed(1);
  passed(`${await text("error")} after ${seconds} s, ${await text("epoch")}`);

  // Other models open while it trains.
  const stack = join(golden, "keras/stack_2.keras");
  assert.equal(await drop(stack), "");
  assert.match(await text("summary"), /lstm.*\(None, None, 4\).*\n[^]*dense.*\(None, 2\)/);
  // 1e-6 is the rounding of float, through two layers, of numbers below 1.
  const difference = largest(await outputs(), expected["stack_2.keras"]);
  assert(difference < 1e-6, `stack_2.keras: ${difference}`);
  passed(`a .keras file: within ${difference.toExponential(1)} of Keras ${expected.versions.keras}`);
  await picture("#model", "browser_model.png");

  assert.equal(await drop(join(golden, "onnx/torch_script_stack_2.onnx")), "");
  const ofOnnx = largest(await outputs(), expected["torch_script_stack_2.onnx"]);
  assert(ofOnnx < 1e-6, `torch_script_stack_2.onnx: ${ofOnnx}`);
  passed(`an .onnx file: within ${ofOnnx.toExponential(1)} of ONNX Runtime ${expected.versions.onnxruntime}`);

  // Files that are no models are refused, and the model before stays.
  const broken = join(folder, "broken.keras");
  writeFileSync(broken, readFileSync(stack).subarray(0, statSync(stack).size / 2));
  assert.match(await drop(broken), /not a whole zip archive/);
  const empty = join(folder, "empty.safetensors");
  writeFileSync(empty, "");
  assert.match(await drop(empty), /^empty.safetensors: /);
  assert.match(await drop(join(golden, "dense.txt")), /the ending is that of no model/);
  assert.match(await text("about"), /^torch_script_stack_2.onnx/);
  passed("files that are no models are refused by name");

  await browser.until("forecaster.history.length >= 12", 120);
  await browser.click("#train");
  await browser.until("!forecaster.running", 20);
  await picture("#forecaster", "browser_forecaster.png");
  await browser.saveDownloadsIn(folder);
  await browser.click("#save");
  const saved = join(folder, "laser.safetensors");
  for (let i = 0; i < 100 && !existsSync(saved); ++i) await new Promise((r) => setTimeout(r, 100));
  assert.equal(await drop(saved), "");
  // The page and the engine each standardize the series; their means may differ in the last bit.
  const again = largest(
    (await outputs()).slice(40), await browser.value("Array.from(forecaster.oneStep).slice(40)"));
  assert(again < 1e-6, `the saved model: ${again}`);
  passed("the trained model is saved, opened again and forecasts the same");

  const amp = join(folder, "amp.nam");
  writeFileSync(amp, JSON.stringify(amplifier(16)));
  assert.equal(await drop(amp), "");
  await browser.click("#play");
  await browser.until(`player.peak > 0.001 && of("share").textContent !== ""`, 20);
  passed(`sound: ${await text("share")}`);
  await picture("#model", "browser_sound.png");
  await browser.click("#play");
  await browser.until("player.context === null", 5);

  assert.deepEqual(browser.problems, []);
  const others = browser.requests.filter((address) => !/^(file|blob|data):/.test(address));
  assert.deepEqual(others, []);
  passed("no error in the page, and no address of a network");
} finally {
  await browser.close();
}
