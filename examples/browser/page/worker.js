"use strict";

// A thread with an engine of its own. A message {id, call, values, wants} calls an export; the answer
// is {id, json, bytes, values}, as far as it wants them, or {id, error}. A message {id, samples} asks
// for the seconds that the opened model takes for these samples: {id, seconds}. The first message is
// {bytes} of the engine.

let engine = null;

onmessage = ({ data }) => {
  if (data.bytes) {
    engine = new Engine(data.bytes, (done) => postMessage({ batch: done }));
    return;
  }
  const { id, call, values, wants, samples } = data;
  try {
    if (samples) {
      postMessage({ id, seconds: secondsFor(samples) });
      return;
    }
    engine.call(call, ...values);
    const answer = { id };
    if (wants.includes("json")) answer.json = JSON.parse(engine.text);
    if (wants.includes("bytes")) answer.bytes = engine.bytes;
    if (wants.includes("values")) answer.values = engine.values;
    postMessage(answer);
  } catch (error) {
    postMessage({ id, error: error.message });
  }
};

function secondsFor(samples) {
  engine.call("player_begin");
  const { exports } = engine;
  const block = new Float32Array(exports.memory.buffer, exports.player_samples(), 128);
  const begin = performance.now();
  for (let at = 0; at + 128 <= samples.length; at += 128) {
    block.set(samples.subarray(at, at + 128));
    exports.player_run(128);
  }
  return (performance.now() - begin) / 1000;
}
