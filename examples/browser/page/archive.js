"use strict";

// The files of a zip archive as Keras writes it: name -> bytes. The browser inflates them; sizes and
// checksums are compared with what the archive says.
async function filesOfArchive(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const broken = (what) => new Error(`this is not a whole zip archive: ${what}`);
  let end = bytes.length - 22;
  while (end >= 0 && view.getUint32(end, true) !== 0x06054b50) --end;
  if (end < 0) throw broken("its directory is missing");
  const count = view.getUint16(end + 10, true);
  const files = new Map();
  let at = view.getUint32(end + 16, true);
  for (let i = 0; i < count; ++i) {
    if (at + 46 > end || view.getUint32(at, true) !== 0x02014b50) throw broken("its directory");
    const method = view.getUint16(at + 10, true);
    const checksum = view.getUint32(at + 16, true);
    const packed = view.getUint32(at + 20, true);
    const size = view.getUint32(at + 24, true);
    const nameSize = view.getUint16(at + 28, true);
    const local = view.getUint32(at + 42, true);
    const name = new TextDecoder().decode(bytes.subarray(at + 46, at + 46 + nameSize));
    at += 46 + nameSize + view.getUint16(at + 30, true) + view.getUint16(at + 32, true);
    if (local + 30 > end || view.getUint32(local, true) !== 0x04034b50) throw broken(name);
    const begin = local + 30 + view.getUint16(local + 26, true) + view.getUint16(local + 28, true);
    if (begin + packed > end) throw broken(name);
    const content = await unpack(bytes.subarray(begin, begin + packed), method, name);
    if (content.length !== size || crc32(content) !== checksum) {
      throw broken(`${name} does not unpack to what the archive says`);
    }
    files.set(name, content);
  }
  return files;
}

async function unpack(bytes, method, name) {
  if (method === 0) return bytes;
  if (method !== 8) throw new Error(`${name} is neither stored nor deflated`);
  return inflate(bytes, "deflate-raw");
}

// format: "gzip" or "deflate-raw".
async function inflate(bytes, format) {
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream(format));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

function crc32(bytes) {
  let sum = 0xffffffff;
  for (const byte of bytes) {
    sum ^= byte;
    for (let bit = 0; bit < 8; ++bit) sum = (sum >>> 1) ^ (0xedb88320 & -(sum & 1));
  }
  return (sum ^ 0xffffffff) >>> 0;
}
