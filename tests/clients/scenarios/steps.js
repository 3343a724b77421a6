// What a scenario in JavaScript needs; the same lines of JSON as steps.py.
const { readFileSync } = require("node:fs");

const ONE_SEQUENCE = process.env.OPENPERP_DIALECT === "ztdx";
const STEP_LIMIT_MS = 20_000;

// What `openperp doctor CLIENT` defines before its first call, of it the given names.
function clientNames(...names) {
  const setup = readFileSync(process.env.OPENPERP_SETUP, "utf8");
  return new Function("require", `${setup}\nreturn { ${names.join(", ")} };`)(require);
}

// As the operator; steps.py says what it brings about.
async function useUpMargin() {
  await operate("accounts/trader/withdraw", { asset: "USDT", amount: "9800" });
  await operate("price", { symbol: "BTCUSDT", price: "50000" });
}

async function operate(path, fields) {
  const { OPENPERP_VENUE, OPENPERP_OPERATOR_TOKEN } = process.env;
  const headers = { authorization: `Bearer ${OPENPERP_OPERATOR_TOKEN}`, "content-type": "application/json" };
  const body = JSON.stringify(fields);
  const answer = await fetch(`${OPENPERP_VENUE}/operator/v1/${path}`, { method: "POST", headers, body });
  if (!answer.ok) throw new Error(`${path}: ${await answer.text()}`);
}

async function step(name, run) {
  let report = { step: name, ok: true, detail: "" };
  try {
    report.detail = (await Promise.race([run(), tooLate()])) ?? "";
  } catch (error) {
    const detail = error instanceof Error ? error.stack : JSON.stringify(error);
    report = { ...report, ok: false, detail };
  }
  process.stdout.write(`${JSON.stringify(report)}\n`);
}

function tooLate() {
  return new Promise((_, reject) => {
    setTimeout(() => reject(new Error("not done in time")), STEP_LIMIT_MS).unref();
  });
}

// Events of one kind in the order of their arrival: push() stores, next() waits.
class Inbox {
  #events = [];
  #waiting = null;

  push(event) {
    this.#events.push(event);
    this.#waiting?.();
  }

  async next() {
    while (this.#events.length === 0) {
      await new Promise((resolve) => {
        this.#waiting = resolve;
      });
    }
    return this.#events.shift();
  }
}

// An order book kept by the documented procedure; local_book.py says it in words.
class LocalBook {
  #last;
  #stitched = false;

  constructor(snapshot) {
    this.bids = levels(snapshot.bids);
    this.asks = levels(snapshot.asks);
    this.#last = snapshot.lastUpdateId;
  }

  apply(event) {
    if (!this.#stitched && event.u < this.#last) return;
    const follows = this.#stitched ? event.pu === this.#last : event.U <= this.#last;
    if (!follows) throw new Error(`${JSON.stringify(event)} does not follow ${this.#last}`);
    this.#stitched = true;
    for (const [side, changes] of [[this.bids, event.b], [this.asks, event.a]]) {
      for (const [price, quantity] of levels(changes)) {
        if (quantity === 0) side.delete(price);
        else side.set(price, quantity);
      }
    }
    this.#last = event.u;
  }
}

function levels(rows) {
  return new Map(rows.map(([price, quantity]) => [Number(price), Number(quantity)]));
}

module.exports = { ONE_SEQUENCE, clientNames, step, useUpMargin, Inbox, LocalBook };
