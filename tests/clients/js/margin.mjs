// Unmodified ccxt in JavaScript, told another address: borrow, trade, repay, and read what was.
//
//     node margin.mjs http://127.0.0.1:8080 KEY SECRET PASSPHRASE
//
// The user needs USDT in the spot account, and somebody has to sell BTC. Prints one line of JSON
// for each margin mode; stops at the first thing that is not as it should be.

import assert from "node:assert/strict";
import ccxt from "ccxt";

const PAIR = "BTC/USDT";
const HOUR_MS = 3_600_000;

function connect(address, apiKey, secret, password) {
  const client = new ccxt.bitget({ apiKey, secret, password, enableRateLimit: false });
  for (const name of Object.keys(client.urls.api)) {
    client.urls.api[name] = address;
  }
  return client;
}

async function tell(client, marginMode) {
  const isolated = marginMode === "isolated";
  const params = { marginMode };
  const symbol = isolated ? PAIR : undefined;
  const since = client.milliseconds() - HOUR_MS;
  const named = isolated ? { symbol: "BTCUSDT" } : {};
  await client.transfer("USDT", 1000, "spot", isolated ? "isolated" : "cross", named);

  const loan = isolated
    ? await client.borrowIsolatedMargin(PAIR, "USDT", 100)
    : await client.borrowCrossMargin("USDT", 100);
  assert.equal(loan.amount, 100);
  const owing = await client.fetchBalance(params);
  assert.equal(owing.USDT.total, 1100);
  assert.ok(owing.USDT.debt > 100);

  const resting = await client.createOrder(PAIR, "limit", "buy", 0.01, 15000, params);
  assert.deepEqual(
    (await client.fetchOpenOrders(PAIR, undefined, undefined, params)).map((order) => order.id),
    [resting.id],
  );
  await client.cancelOrder(resting.id, PAIR, params);
  const bought = await client.createOrder(PAIR, "market", "buy", 0, undefined, {
    ...params,
    cost: 2000,
    loanType: "autoLoan",
  });
  const orders = await client.fetchCanceledAndClosedOrders(PAIR, since, 100, params);
  assert.deepEqual(
    orders.map((order) => [order.id, order.status]),
    [[resting.id, "canceled"], [bought.id, "closed"]],
  );
  const trades = await client.fetchMyTrades(PAIR, since, 100, params);
  assert.deepEqual([...new Set(trades.map((trade) => trade.order))], [bought.id]);
  await client.createOrder(PAIR, "market", "sell", 0.09, undefined, {
    ...params,
    loanType: "autoRepay",
  });

  const left = (await client.fetchBalance(params)).USDT.debt;
  if (left > 0) {
    await (isolated
      ? client.repayIsolatedMargin(PAIR, "USDT", 2000)
      : client.repayCrossMargin("USDT", 2000));
  }
  const balance = await client.fetchBalance(params);
  assert.equal(balance.USDT.debt, 0);
  const interest = await client.fetchBorrowInterest("USDT", symbol, since, 100, params);
  assert.ok(interest.length > 0 && interest.every((row) => row.currency === "USDT"));
  assert.ok((await client.fetchMarketLeverageTiers(PAIR, { ...params, code: "BTC" })).length > 0);
  assert.deepEqual(await client.fetchMyLiquidations(symbol, since, 100, params), []);
  return { marginMode, orders: orders.length, trades: trades.length, interest: interest.length };
}

const [address, key, secret, passphrase] = process.argv.slice(2);
const client = connect(address, key, secret, passphrase);
await client.loadMarkets();
assert.deepEqual(client.market(PAIR).marginModes, { cross: true, isolated: true });
for (const marginMode of ["cross", "isolated"]) {
  console.log(JSON.stringify(await tell(client, marginMode)));
}
