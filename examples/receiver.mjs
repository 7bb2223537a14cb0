// A webhook receiver in Node 18 or later. It needs `npm install standardwebhooks`.
//     WEBHOOK_SECRET=whsec_... READ_KEY=xek_... node receiver.mjs
// Settings, all from the environment: WEBHOOK_SECRET, READ_KEY (scope `read`), XIAOER, SHOP, STORE, HOST, PORT.
import { appendFileSync, fsyncSync, openSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import { Webhook } from "standardwebhooks";

const { XIAOER = "http://127.0.0.1:7600", SHOP = "myshop", READ_KEY = "", WEBHOOK_SECRET = "" } = process.env;
const { HOST = "127.0.0.1", PORT = "8080", STORE = "decisions.jsonl" } = process.env;
const webhook = new Webhook(WEBHOOK_SECRET);
const store = openSync(STORE, "a+");
const seen = new Set();
let last = 0;

const named = (decision) => `${decision.seq} ${decision.at}`;

function remember({ id, decisions }) {
  for (const one of [id, ...decisions.map(named)]) seen.add(one);
  last = Math.max(last, ...decisions.map((decision) => decision.seq));
}

// Stores new decisions and returns when they are on the disk. The line break comes first, so that a line cut off by a
// crash does not spoil the next one.
function keep(id, decisions) {
  if (seen.has(id)) return;
  const kept = { id, decisions: decisions.filter((decision) => !seen.has(named(decision))) };
  appendFileSync(store, "\n" + JSON.stringify(kept));
  fsyncSync(store);
  remember(kept);
}

for (const line of readFileSync(STORE, "utf8").split("\n")) {
  let kept;
  try { kept = JSON.parse(line); } catch { continue; }
  remember(kept);
}

// Fetches the decisions that were taken while the receiver was down.
for (;;) {
  const url = `${XIAOER}/v1/shops/${encodeURIComponent(SHOP)}/decisions?after=${last}&limit=500`;
  const answer = await fetch(url, { headers: { authorization: `Bearer ${READ_KEY}` } });
  if (!answer.ok) throw new Error(await answer.text());
  const { items } = await answer.json();
  if (items.length === 0) break;
  keep(`after ${last}`, items);
}

createServer(async (request, response) => {
  let status = 400;
  try {
    const chunks = [];
    let length = 0;
    for await (const chunk of request) {
      chunks.push(chunk);
      if ((length += chunk.length) > 4 << 20) throw new Error("the body is too long");
    }
    const message = webhook.verify(Buffer.concat(chunks).toString(), request.headers);
    status = 500;
    const decisions = "to" in message ? message.data : "seq" in message ? [message.data] : [];
    keep(request.headers["webhook-id"], decisions);
    status = 204;
  } catch (error) {
    console.error(error.message);
  }
  response.writeHead(status).end();
}).listen(Number(PORT), HOST);
