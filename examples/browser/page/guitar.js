"use strict";

// Eight seconds of an electric guitar without an amplifier, by plucked strings (Karplus & Strong 1983):
// a riff of power chords, then a chord that rings. Returns samples from -1 to 1.
function guitarLoop(rate) {
  const samples = new Float32Array(8 * rate);
  const note = (steps) => 110 * 2 ** (steps / 12); // from A
  const strum = (at, steps, seconds, loudness) => {
    steps.forEach((step, i) => pluck(samples, rate, at + 0.012 * i, note(step), seconds, loudness));
  };
  const riff = [0, 0, 3, 0, 5, 0, 3, -2];
  riff.forEach((root, i) => strum(0.5 * i, [root - 12, root - 5, root], 0.45, i % 2 ? 0.5 : 0.8));
  strum(4, [-12, -5, 0, 4, 7, 12], 4, 0.8);
  const peak = samples.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  return samples.map((value) => (0.7 * value) / peak);
}

// Adds one note. A burst of noise goes round a delay of one period, and each time through a mean of
// two samples.
function pluck(samples, rate, at, frequency, seconds, loudness) {
  const period = Math.round(rate / frequency);
  let seed = Math.round(1000 * at + frequency);
  const delay = Float32Array.from({ length: period }, () => {
    seed = (1103515245 * seed + 12345) % 2147483648;
    return loudness * (seed / 1073741824 - 1);
  });
  const begin = Math.round(at * rate);
  const count = Math.min(Math.round(seconds * rate), samples.length - begin);
  for (let i = 0; i < count; ++i) {
    const here = i % period;
    const value = delay[here];
    delay[here] = 0.498 * (value + delay[(here + 1) % period]);
    samples[begin + i] += value * Math.min(1, (count - i) / (0.01 * rate));
  }
}
