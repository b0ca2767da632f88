"use strict";

// The thread of the sound: plays a loop through a stream of the model. options: {bytes: the engine,
// open: the call that opens the model, loop: its samples}. Tells the peak of a block each second.
registerProcessor(
  "player",
  class extends AudioWorkletProcessor {
    constructor({ processorOptions: { bytes, open, loop } }) {
      super();
      this.loop = loop;
      this.at = 0;
      this.through = true;
      this.played = 0;
      this.port.onmessage = ({ data }) => (this.through = data.through);
      this.engine = new Engine(bytes);
      this.engine.call(open.call, ...open.values);
      this.engine.call("player_begin");
    }

    process(inputs, [[output]]) {
      const { exports } = this.engine;
      for (let done = 0; done < output.length; done += 128) {
        const part = output.subarray(done, done + 128);
        for (let i = 0; i < part.length; ++i) {
          part[i] = this.loop[this.at];
          this.at = (this.at + 1) % this.loop.length;
        }
        if (!this.through) continue;
        const samples = new Float32Array(exports.memory.buffer, exports.player_samples(), part.length);
        samples.set(part);
        exports.player_run(part.length);
        part.set(samples);
      }
      this.played += output.length;
      if (this.played >= sampleRate) {
        this.played = 0;
        this.port.postMessage(output.reduce((most, value) => Math.max(most, Math.abs(value)), 0));
      }
      return true;
    }
  },
);
