// Runs client.js under Node, with nothing but the base URL put before its paths.
//
//     BASE_URL=... API_KEY=... node run_under_node.mjs PROMPT

import { readFile } from "node:fs/promises";

const source = await readFile(new URL("client.js", import.meta.url), "utf8");
const placed = source.replace(/(["`])\/api\//g, `$1${process.env.BASE_URL}/api/`);
const makeVideo = new Function(`${placed}; return makeVideo;`)();
try {
  const status = await makeVideo(process.env.API_KEY, process.argv[2], { pollEvery: 300 });
  console.log(JSON.stringify(status));
} catch ({ message, code, refunded, missing }) {
  console.log(JSON.stringify({ message, code, refunded, missing }));
}
