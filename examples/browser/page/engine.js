"use strict";

// The WebAssembly module of engine/exports.cpp, and how JavaScript calls it: in the worker that trains
// and in the thread of the sound.

class Engine {
  // bytes: the module; onBatch(done) is called after each batch of a training.
  constructor(bytes, onBatch = () => {}) {
    const module = new WebAssembly.Module(bytes);
    const provided = {
      page: { batch: onBatch },
      env: { emscripten_notify_memory_growth: () => {} },
      wasi_snapshot_preview1: {
        proc_exit: (code) => {
          throw new Error(`the engine ended with ${code}`);
        },
        clock_time_get: (clock, precision, to) => {
          new DataView(this.memory.buffer).setBigUint64(to, BigInt(Date.now()) * 1000000n, true);
          return 0;
        },
        environ_sizes_get: (count, size) => {
          const view = new DataView(this.memory.buffer);
          view.setUint32(count, 0, true);
          view.setUint32(size, 0, true);
          return 0;
        },
        environ_get: () => 0,
        fd_write: (file, list, count, written) => this.#write(list, count, written),
      },
    };
    // The C library has functions for files, which nothing here calls.
    for (const { module: from, name } of WebAssembly.Module.imports(module)) {
      provided[from] ??= {};
      provided[from][name] ??= () => {
        throw new Error(`the engine called ${name}, which the page does not have`);
      };
    }
    this.exports = new WebAssembly.Instance(module, provided).exports;
    this.exports._initialize();
  }

  get memory() {
    return this.exports.memory;
  }

  get text() {
    // A thread of sound has no TextDecoder, and needs it for errors alone.
    if (typeof TextDecoder === "undefined") return String.fromCharCode(...this.bytes);
    return new TextDecoder().decode(this.bytes);
  }

  // The bytes of the text, copied.
  get bytes() {
    const begin = this.exports.text();
    return new Uint8Array(this.memory.buffer).slice(begin, begin + this.exports.text_size());
  }

  // The numbers that the last call has left, copied.
  get values() {
    const begin = this.exports.values();
    return new Float32Array(this.memory.buffer, begin, this.exports.values_size()).slice();
  }

  // Calls an export with numbers, and with arrays, each as its address and its size in elements.
  // Throws the engine's error.
  call(name, ...values) {
    const places = [];
    const list = [];
    for (const value of values) {
      if (typeof value === "number") {
        list.push(value);
        continue;
      }
      const place = this.exports.malloc(Math.max(value.byteLength, 1));
      if (place === 0) throw new Error(`no memory for ${value.byteLength} bytes`);
      new Uint8Array(this.memory.buffer)
        .set(new Uint8Array(value.buffer, value.byteOffset, value.byteLength), place);
      places.push(place);
      list.push(place, value.length);
    }
    try {
      if (this.exports[name](...list) !== 0) throw new Error(this.text);
    } finally {
      for (const place of places) this.exports.free(place);
    }
  }

  // Warnings that strata prints.
  #write(list, count, written) {
    const view = new DataView(this.memory.buffer);
    let text = "";
    let size = 0;
    for (let i = 0; i < count; ++i) {
      const begin = view.getUint32(list + 8 * i, true);
      const length = view.getUint32(list + 8 * i + 4, true);
      text += String.fromCharCode(...new Uint8Array(this.memory.buffer, begin, length));
      size += length;
    }
    view.setUint32(written, size, true);
    console.log(text.trimEnd());
    return 0;
  }
}
