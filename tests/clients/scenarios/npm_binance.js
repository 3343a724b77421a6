// npm binance (tiagosiebler): its REST client and its WebSocket client.
const assert = require("node:assert/strict");

const { ONE_SEQUENCE, clientNames, step, useUpMargin, Inbox, LocalBook } = require("./steps.js");

const { client, connectStreams } = clientNames("client", "connectStreams");
const symbol = "BTCUSDT";
const limit = { symbol, side: "BUY", type: "LIMIT", timeInForce: "GTC", quantity: "0.01" };
const liquidated = ["SELL", "FILLED", 0.02, 59999];
const market = { symbol, type: "MARKET", newOrderRespType: "RESULT" };

// Sends a trigger order to /order first, as the client's submitNewOrder does.
async function placeTrigger(order, trigger, algoTrigger) {
  try {
    const placed = await client.submitNewOrder({ symbol, quantity: "0.01", ...order, ...trigger });
    return [placed.orderId, "taken by order"];
  } catch (error) {
    if (ONE_SEQUENCE || error.code !== -4120) throw error;
  }
  const algo = { algoType: "CONDITIONAL", symbol, quantity: "0.01", ...order, ...algoTrigger };
  const placed = await client.submitNewAlgoOrder(algo);
  return [placed.algoId, "-4120 from order, taken by algoOrder"];
}

async function orders() {
  await step("start-up", async () => {
    const info = await client.getExchangeInfo();
    assert(info.symbols.some((each) => each.symbol === symbol));
  });
  await step("balance", async () => {
    const usdt = (await client.getBalanceV3()).find((row) => row.asset === "USDT");
    assert.equal(Number(usdt.balance), 10000);
  });
  await step("leverage", async () => {
    assert.equal((await client.setLeverage({ symbol, leverage: 10 })).leverage, 10);
  });
  let ids = [];
  await step("limit", async () => {
    for (const price of ["50000", "50001"]) {
      const placed = await client.submitNewOrder({ ...limit, price });
      assert.equal(placed.status, "NEW");
      ids.push(placed.orderId);
    }
  });
  const triggers = [];
  await step("stop", async () => {
    const order = { side: "BUY", type: "STOP_MARKET" };
    const [id, outcome] = await placeTrigger(order, { stopPrice: "65000" }, { triggerPrice: "65000" });
    triggers.push(id);
    return outcome;
  });
  await step("trailing", async () => {
    const order = { side: "SELL", type: "TRAILING_STOP_MARKET", callbackRate: "0.3" };
    const price = "62000";
    const [id, outcome] = await placeTrigger(order, { activationPrice: price }, { activatePrice: price });
    triggers.push(id);
    return outcome;
  });
  await step("batch cancel by order ids", async () => {
    assert.equal(triggers.length, 2);
    if (ONE_SEQUENCE) ids = [...ids, ...triggers];
    else for (const algoId of triggers) await client.cancelAlgoOrder({ algoId });
    const cancelled = await client.cancelMultipleOrders({ symbol, orderIdList: ids });
    assert.deepEqual(
      cancelled.map((each) => [each.orderId, each.status]),
      ids.map((id) => [id, "CANCELED"]),
    );
  });
  await step("batch cancel by client ids", async () => {
    const names = ["first", "second"];
    for (const name of names) {
      await client.submitNewOrder({ ...limit, price: "50000", newClientOrderId: name });
    }
    const cancelled = await client.cancelMultipleOrders({ symbol, origClientOrderIdList: names });
    assert.deepEqual(cancelled.map((each) => each.clientOrderId), names);
    assert.deepEqual(await client.getAllOpenOrders({ symbol }), []);
  });
}

async function position() {
  await step("market buy", async () => {
    const bought = await client.submitNewOrder({ ...market, side: "BUY", quantity: "0.02" });
    assert.deepEqual([bought.status, Number(bought.executedQty)], ["FILLED", 0.02]);
  });
  await step("positions", async () => {
    const [row] = await client.getPositionsV3({ symbol });
    assert.deepEqual([Number(row.positionAmt), Number(row.entryPrice)], [0.02, 60001]);
  });
  await step("reduce-only sell", async () => {
    const sell = { ...market, side: "SELL", quantity: "0.02", reduceOnly: "true" };
    assert.equal((await client.submitNewOrder(sell)).status, "FILLED");
    const rows = await client.getPositionsV3({ symbol });
    assert(rows.every((row) => Number(row.positionAmt) === 0));
  });
  await step("trades", async () => {
    const trades = await client.getAccountTrades({ symbol });
    assert.deepEqual(
      trades.map((each) => [each.side, Number(each.price)]),
      [["BUY", 60001], ["SELL", 59999]],
    );
  });
}

async function streams() {
  const socket = connectStreams();
  const inboxes = { depthUpdate: new Inbox(), markPriceUpdate: new Inbox(), forceOrder: new Inbox() };
  const user = new Inbox();
  socket.on("message", (message) => {
    const event = message.data ?? message;
    (inboxes[event.e] ?? user).push(event);
  });
  socket.on("exception", (error) => process.stderr.write(`${JSON.stringify(error)}\n`));
  await step("user stream", async () => {
    await socket.subscribeUsdFuturesUserDataStream();
    await client.submitNewOrder({ ...market, side: "BUY", quantity: "0.01" });
    const kinds = new Set();
    let filled = null;
    while (filled === null || !kinds.has("ACCOUNT_UPDATE")) {
      const event = await user.next();
      kinds.add(event.e);
      if (event.e === "ORDER_TRADE_UPDATE" && event.o.X === "FILLED") filled = Number(event.o.z);
    }
    assert.equal(filled, 0.01);
    const sell = { ...market, side: "SELL", quantity: "0.01", reduceOnly: "true" };
    await client.submitNewOrder(sell);
  });
  await step("depth stream", async () => {
    await socket.subscribe("btcusdt@depth@100ms", "usdmPublic");
    const book = new LocalBook(await client.getOrderBook({ symbol, limit: 1000 }));
    const placed = await client.submitNewOrder({ ...limit, price: "50000" });
    while (!book.bids.has(50000)) book.apply(await inboxes.depthUpdate.next());
    const rest = new LocalBook(await client.getOrderBook({ symbol, limit: 1000 }));
    assert.deepEqual([book.bids, book.asks], [rest.bids, rest.asks]);
    await client.cancelOrder({ symbol, orderId: placed.orderId });
    return "stitched by the documented procedure";
  });
  await step("mark price stream", async () => {
    await socket.subscribe("btcusdt@markPrice@1s", "usdmMarket");
    assert.equal(Number((await inboxes.markPriceUpdate.next()).p), 60000);
  });
  await step("liquidation streams", async () => {
    await socket.subscribe(["btcusdt@forceOrder", "!forceOrder@arr"], "usdmMarket");
    await client.submitNewOrder({ ...market, side: "BUY", quantity: "0.02" });
    await useUpMargin();
    let own = await user.next();
    while (own.e !== "ORDER_TRADE_UPDATE" || own.o.x !== "CALCULATED") own = await user.next();
    assert.equal(own.o.o, "LIQUIDATION");
    const everyone = [await inboxes.forceOrder.next(), await inboxes.forceOrder.next()];
    for (const { o } of [own, ...everyone]) {
      assert.deepEqual([o.S, o.X, Number(o.q), Number(o.ap)], liquidated);
    }
  });
  socket.closeAll(true);
}

async function liquidations() {
  await step("liquidations", async () => {
    const [order] = await client.getForceOrders({ autoCloseType: "LIQUIDATION" });
    const { side, status, origQty, avgPrice } = order;
    assert.deepEqual([side, status, Number(origQty), Number(avgPrice)], liquidated);
  });
}

orders().then(position).then(streams).then(liquidations).then(() => process.exit(0));
