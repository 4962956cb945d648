#!/usr/bin/env node
// Puts a Brotli and a gzip form beside every file of the site that gets smaller by it, at the best
// compression there is: done once here instead of for every browser. Forms that are newer than
// their file are left alone.
//   scripts/compress.mjs FOLDER
import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { extname, join } from "node:path";
import { brotliCompress, constants, gzip } from "node:zlib";
import { promisify } from "node:util";

const KINDS = new Set([".css", ".geojson", ".html", ".ico", ".js", ".json", ".mjs", ".svg", ".txt", ".wasm"]);
const SMALLEST = 512; // bytes; below, the headers outweigh what is saved
const FORMS = {
  ".br": (data) =>
    promisify(brotliCompress)(data, {
      params: {
        [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY,
        [constants.BROTLI_PARAM_LGWIN]: constants.BROTLI_MAX_WINDOW_BITS,
        [constants.BROTLI_PARAM_SIZE_HINT]: data.length,
      },
    }),
  ".gz": (data) => promisify(gzip)(data, { level: constants.Z_BEST_COMPRESSION }),
};

const changed = (path) => statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;

async function compress(path) {
  if (!KINDS.has(extname(path)) || statSync(path).size < SMALLEST) return;
  const stale = Object.keys(FORMS).filter((ending) => changed(path + ending) < changed(path));
  if (stale.length === 0) return;
  const data = readFileSync(path);
  for (const ending of stale) {
    const packed = await FORMS[ending](data);
    if (packed.length < data.length) {
      writeFileSync(path + ending, packed);
      console.log(`${path}${ending}: ${data.length} -> ${packed.length} bytes`);
    }
  }
}

const [folder] = process.argv.slice(2);
if (!folder) throw new Error("usage: scripts/compress.mjs FOLDER");
const files = readdirSync(folder, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile())
  .map((entry) => join(entry.parentPath ?? entry.path, entry.name));
await Promise.all(files.map(compress));
