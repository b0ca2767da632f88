// A headless Chromium, driven by the DevTools protocol through two pipes.

import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export class Browser {
  #process;
  #folder = mkdtempSync(join(tmpdir(), "strata-browser-"));
  #waiting = new Map();
  #count = 0;
  #session;
  /** Errors of the page and addresses that it asked for, in their order. */
  problems = [];
  requests = [];

  static async open(address, { width, height, program = "chromium" }) {
    const browser = new Browser();
    browser.#start(program);
    const { targetId } = await browser.#send("Target.createTarget", { url: "about:blank" }, null);
    const attached = await browser.#send("Target.attachToTarget", { targetId, flatten: true }, null);
    browser.#session = attached.sessionId;
    for (const domain of ["Page", "Runtime", "Network", "Log"]) await browser.send(`${domain}.enable`);
    await browser.send("Emulation.setDeviceMetricsOverride", {
      width,
      height,
      deviceScaleFactor: 1,
      mobile: false,
    });
    await browser.send("Page.navigate", { url: address });
    await browser.until(`document.readyState === "complete"`, 20);
    return browser;
  }

  send(method, parameters = {}) {
    return this.#send(method, parameters, this.#session);
  }

  /** The value of an expression or promise in the page, as if a person had clicked. */
  async value(expression) {
    const { result, exceptionDetails } = await this.send("Runtime.evaluate", {
      expression,
      awaitPromise: true,
      returnByValue: true,
      userGesture: true,
    });
    if (exceptionDetails) throw new Error(`${expression}: ${exceptionDetails.exception?.description}`);
    return result.value;
  }

  /** Waits until an expression is true. */
  async until(expression, seconds) {
    const end = Date.now() + 1000 * seconds;
    while (!(await this.value(expression))) {
      if (Date.now() > end) throw new Error(`not within ${seconds} s: ${expression}`);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }

  /** Presses an element of the page. */
  async click(selector) {
    const [x, y] = await this.#middle(selector);
    for (const type of ["mousePressed", "mouseReleased"]) {
      await this.send("Input.dispatchMouseEvent", { type, x, y, button: "left", clickCount: 1 });
    }
  }

  /** Drops a file of the disk on an element. */
  async drop(path, selector) {
    const [x, y] = await this.#middle(selector);
    const data = { items: [], files: [path], dragOperationsMask: 1 };
    for (const type of ["dragEnter", "dragOver", "drop"]) {
      await this.send("Input.dispatchDragEvent", { type, x, y, data });
    }
  }

  async saveDownloadsIn(folder) {
    await this.#send("Browser.setDownloadBehavior", { behavior: "allow", downloadPath: folder }, null);
  }

  /** A picture of the element, as a PNG file. */
  async picture(selector, path) {
    const clip = await this.value(`(() => {
      const box = document.querySelector(${JSON.stringify(selector)}).getBoundingClientRect();
      return { x: box.x + scrollX, y: box.y + scrollY, width: box.width, height: box.height, scale: 1 };
    })()`);
    const { data } = await this.send("Page.captureScreenshot", { clip, captureBeyondViewport: true });
    writeFileSync(path, Buffer.from(data, "base64"));
  }

  async close() {
    const ended = new Promise((resolve) => this.#process.once("exit", resolve));
    this.#send("Browser.close", {}, null).catch(() => {});
    await ended;
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async #middle(selector) {
    return this.value(`(() => {
      const element = document.querySelector(${JSON.stringify(selector)});
      element.scrollIntoView({ block: "center" });
      const box = element.getBoundingClientRect();
      return [box.x + box.width / 2, box.y + box.height / 2];
    })()`);
  }

  #start(program) {
    const flags = ["--headless=new", "--no-sandbox", "--remote-debugging-pipe", "--no-first-run",
      "--disable-gpu", "--hide-scrollbars", `--user-data-dir=${this.#folder}`];
    this.#process = spawn(program, flags, { stdio: ["ignore", "ignore", "ignore", "pipe", "pipe"] });
    this.#process.once("exit", (code) => {
      for (const { reject } of this.#waiting.values()) reject(new Error(`${program} ended: ${code}`));
    });
    let text = "";
    this.#process.stdio[4].on("data", (data) => {
      const parts = (text + data).split("\0");
      text = parts.pop();
      for (const part of parts) this.#take(JSON.parse(part));
    });
  }

  #send(method, params, sessionId) {
    const id = ++this.#count;
    const message = sessionId ? { id, method, params, sessionId } : { id, method, params };
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#process.stdio[3].write(JSON.stringify(message) + "\0");
    });
  }

  #take({ id, result, error, method, params }) {
    if (id) {
      const { resolve, reject } = this.#waiting.get(id);
      this.#waiting.delete(id);
      if (error) reject(new Error(error.message));
      else resolve(result);
    } else if (method === "Runtime.exceptionThrown") {
      this.problems.push(params.exceptionDetails.exception?.description ?? params.exceptionDetails.text);
    } else if (method === "Log.entryAdded" && params.entry.level === "error") {
      this.problems.push(params.entry.text);
    } else if (method === "Network.requestWillBeSent") {
      this.requests.push(params.request.url);
    }
  }
}
