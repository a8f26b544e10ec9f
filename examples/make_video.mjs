// Make one video with the Reelmint API. Needs nothing but Node 18 or newer.
//
//     BASE_URL=http://127.0.0.1:8000 API_KEY=rmk_... node make_video.mjs "A paper boat" boat.mp4

import { randomUUID } from "node:crypto";
import { writeFile } from "node:fs/promises";

const BASE_URL = (process.env.BASE_URL ?? "http://127.0.0.1:8000").replace(/\/+$/, "");
const API_KEY = process.env.API_KEY;
const TRIES = 5;

class Refused extends Error {}

const sleep = (seconds) => new Promise((resolve) => setTimeout(resolve, seconds * 1000));

// The JSON of an answer, and in how many seconds to ask again. What a server that is busy or away
// did not do is tried again; with an Idempotency-Key that is safe for an order too.
async function call(method, path, body, headers = {}) {
  for (let attempt = 1; ; attempt++) {
    let answer;
    try {
      answer = await fetch(BASE_URL + path, {
        method,
        headers: { Authorization: `Bearer ${API_KEY}`, "Content-Type": "application/json", ...headers },
        body: body && JSON.stringify(body),
        signal: AbortSignal.timeout(30_000),
      });
    } catch (error) {
      if (attempt === TRIES) throw new Refused(`${method} ${path}: ${error.cause ?? error}`);
      await sleep(2 ** attempt);
      continue;
    }
    const retryAfter = Number(answer.headers.get("Retry-After") ?? 0);
    if (answer.ok) return [await answer.json(), retryAfter];
    if (![429, 503].includes(answer.status) || attempt === TRIES) {
      const text = await answer.text();
      let sentence = text.slice(0, 200);
      try {
        sentence = JSON.parse(text).error ?? sentence;
      } catch {
        // not from the API itself: a proxy's page, say
      }
      throw new Refused(`${method} ${path}: ${answer.status} ${sentence}`);
    }
    await sleep(Math.max(retryAfter, 1));
  }
}

async function makeVideo(prompt) {
  const order = { prompt, video_model: "veo3_fast", aspect_ratio: "16:9" };
  const key = { "Idempotency-Key": randomUUID() };
  const [{ data }] = await call("POST", "/api/v1/generate/video/", order, key);
  console.log(`${data.message}: ${data.credits_used} credits, ${data.estimated_time}`);
  for (;;) {
    const [status, retryAfter] = await call("GET", `/api/v1/generate/${data.generation_id}/`);
    if (status.status === "completed") return status;
    if (status.status !== "processing") {
      const reason = status.error?.message ?? "It was canceled";
      throw new Refused(`No video: ${reason}. ${status.credits_refunded} credits were paid back.`);
    }
    console.log(`  ${Math.round(status.progress * 100)}%`);
    await sleep(retryAfter || 5);
  }
}

const [prompt = "A paper boat on a quiet lake at sunrise", target = "video.mp4"] =
  process.argv.slice(2);
try {
  if (!API_KEY) throw new Refused("Set API_KEY (and BASE_URL) first.");
  const { video_url } = await makeVideo(prompt);
  const file = await fetch(video_url); // the link needs no header
  if (!file.ok) throw new Refused(`The file: ${file.status}`);
  const bytes = new Uint8Array(await file.arrayBuffer());
  await writeFile(target, bytes);
  console.log(`Saved ${target} (${bytes.length} bytes)`);
} catch (error) {
  if (!(error instanceof Refused)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
