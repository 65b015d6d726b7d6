// Builds both faces into static/dist: `npm run build`, or `npm run watch` while working on them.
// Hashing and compression are Django's and WhiteNoise's work (collectstatic).
import { mkdir, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { watch } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import * as esbuild from "esbuild";
import * as sass from "sass";

const here = path.dirname(fileURLToPath(import.meta.url));
const root = path.dirname(here);
const out = path.join(root, "static", "dist");
// Government offices and old phones run Chromium shells of 2020 and WeChat's web view.
const target = ["chrome80", "firefox78", "safari14.1"];

async function styles(name) {
  const built = sass.compile(path.join(here, "styles", `${name}.scss`), {
    loadPaths: [path.join(root, "node_modules")],
    quietDeps: true,
    // Bootstrap 5 is written with @import and old functions; its own sources are not ours to mend.
    silenceDeprecations: ["import", "global-builtin", "color-functions", "if-function"],
  });
  const small = await esbuild.transform(built.css, { loader: "css", minify: true, target });
  await writeFile(path.join(out, `${name}.css`), small.code);
}

async function scripts(name) {
  await esbuild.build({
    entryPoints: [path.join(here, "scripts", `${name}.ts`)],
    outfile: path.join(out, `${name}.js`),
    bundle: true,
    minify: true,
    format: "esm",
    target,
    legalComments: "none",
  });
}

// One sprite: a page names the picture it wants, the browser loads them all once.
async function icons() {
  const folder = path.join(here, "icons");
  const names = (await readdir(folder)).filter((n) => n.endsWith(".svg")).sort();
  const symbols = await Promise.all(
    names.map(async (file) => {
      const text = await readFile(path.join(folder, file), "utf8");
      const body = text.replace(/^[^]*?<svg[^>]*>/, "").replace(/<\/svg>\s*$/, "").trim();
      return `<symbol id="${file.slice(0, -4)}" viewBox="0 0 24 24">${body}</symbol>`;
    }),
  );
  await writeFile(
    path.join(out, "icons.svg"),
    `<svg xmlns="http://www.w3.org/2000/svg">${symbols.join("")}</svg>`,
  );
  await writeFile(path.join(out, "mark.svg"), await readFile(path.join(here, "mark.svg"), "utf8"));
}

// WhiteNoise sends the .gz beside a file to whoever takes it, also where nothing is collected.
async function compress() {
  const names = await readdir(out);
  await Promise.all(
    names.map(async (name) => {
      const packed = gzipSync(await readFile(path.join(out, name)), { level: 9 });
      await writeFile(path.join(out, `${name}.gz`), packed);
    }),
  );
}

async function build() {
  const start = performance.now();
  await rm(out, { recursive: true, force: true });
  await mkdir(out, { recursive: true });
  await Promise.all([styles("console"), styles("portal"), scripts("console"), scripts("chart"), icons()]);
  await compress();
  console.log(`static/dist built in ${Math.round(performance.now() - start)} ms`);
}

await build();
if (process.argv.includes("--watch")) {
  let waiting;
  watch(here, { recursive: true }, () => {
    clearTimeout(waiting);
    waiting = setTimeout(() => build().catch((error) => console.error(error.message)), 100);
  });
}
