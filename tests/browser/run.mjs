/** Runs the specs one after another: each starts a program and a browser of its own. Names as arguments choose among them. */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { run } from "node:test";
import { spec } from "node:test/reporters";
import { fileURLToPath } from "node:url";

const folder = fileURLToPath(new URL("specs", import.meta.url));
const chosen = process.argv.slice(2);
const files = readdirSync(folder)
  .filter((name) => name.endsWith(".test.mjs"))
  .filter((name) => chosen.length === 0 || chosen.some((word) => name.startsWith(word)))
  .sort()
  .map((name) => join(folder, name));
if (files.length === 0) throw new Error(`no spec is named ${chosen.join(" or ")}`);

run({ files, concurrency: 1 })
  .on("test:fail", () => {
    process.exitCode = 1;
  })
  .compose(new spec())
  .pipe(process.stdout);
