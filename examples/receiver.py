# A webhook receiver in Python. It needs `pip install standardwebhooks`.
#     WEBHOOK_SECRET=whsec_... READ_KEY=xek_... python3 receiver.py
# Settings, all from the environment: WEBHOOK_SECRET, READ_KEY (scope `read`), XIAOER, SHOP, STORE, HOST, PORT.
import json, os, threading, urllib.parse, urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from standardwebhooks import Webhook, WebhookVerificationError

env = os.environ.get
server, shop = env("XIAOER", "http://127.0.0.1:7600"), urllib.parse.quote(env("SHOP", "myshop"))
webhook = Webhook(os.environ["WEBHOOK_SECRET"])
store = open(env("STORE", "decisions.jsonl"), "ab+", buffering=0)
lock, seen, last = threading.Lock(), set(), 0

def remember(message, decisions):
    global last
    seen.update([message, *((d["seq"], d["at"]) for d in decisions)])
    last = max([last, *(d["seq"] for d in decisions)])

# Stores new decisions and returns when they are on the disk. The line break comes first, so that a line cut off by a
# crash does not spoil the next one.
def keep(message, decisions):
    with lock:
        if message in seen:
            return
        new = [d for d in decisions if (d["seq"], d["at"]) not in seen]
        line = b"\n" + json.dumps({"id": message, "decisions": new}, ensure_ascii=False).encode()
        if store.write(line) != len(line):
            raise OSError("the store is full")
        os.fsync(store.fileno())
        remember(message, new)

# Fetches the decisions that were taken while the receiver was down.
def pull():
    while True:
        request = urllib.request.Request(f"{server}/v1/shops/{shop}/decisions?after={last}&limit=500")
        request.add_header("Authorization", "Bearer " + env("READ_KEY", ""))
        with urllib.request.urlopen(request, timeout=30) as answer:
            items = json.load(answer)["items"]
        if not items:
            return
        keep(f"after {last}", items)

class Receiver(BaseHTTPRequestHandler):
    timeout = 10

    def do_POST(self):
        try:
            body = self.rfile.read(min(int(self.headers["content-length"]), 4 << 20))
            message = webhook.verify(body, dict(self.headers))
        except (WebhookVerificationError, ValueError, TypeError):
            return self.send_error(400)
        data = message["data"]
        keep(self.headers["webhook-id"], data if "to" in message else [data] if "seq" in message else [])
        self.send_response(204)
        self.end_headers()

store.seek(0)
for line in store.read().split(b"\n"):
    try:
        kept = json.loads(line)
    except ValueError:
        continue
    remember(kept["id"], kept["decisions"])
pull()
ThreadingHTTPServer((env("HOST", "127.0.0.1"), int(env("PORT", "8080"))), Receiver).serve_forever()
