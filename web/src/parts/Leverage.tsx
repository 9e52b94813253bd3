import { useEffect, useMemo, useState } from "react";
import { account, type Mode, refresh } from "../lib/account";
import { get, post, wordsOf } from "../lib/api";
import { amount, dec } from "../lib/decimal";
import type { Pair } from "../lib/market";
import { useStore } from "../lib/store";
import { note } from "./Notes";

// The leverage of an account: what its tiers have, and the one that is set.

const PATH = "/lombard/v1/margin/leverage";
const SET_BY_TIERS = "0";

interface Tier {
  tier: string;
  leverage: string;
  coin: string;
  most: string;
  maintenance: string;
}

type Row = Record<string, string>;

async function readTiers(mode: Mode, pair: Pair): Promise<Tier[]> {
  const margin = "/api/v2/margin";
  if (mode === "isolated") {
    const rows = await get<Row[]>(`${margin}/isolated/tier-data`, { symbol: pair.symbol });
    return rows.flatMap((row) => [
      tierOf(row, pair.base, row.baseMaxBorrowableAmount),
      tierOf(row, pair.quote, row.quoteMaxBorrowableAmount),
    ]);
  }
  const both = await Promise.all(
    [pair.base, pair.quote].map((coin) => get<Row[]>(`${margin}/crossed/tier-data`, { coin })),
  );
  return both.flat().map((row) => tierOf(row, row.coin ?? "", row.maxBorrowableAmount));
}

const tierOf = (row: Row, coin: string, most: string | undefined): Tier => ({
  tier: row.tier ?? "",
  leverage: row.leverage ?? "0",
  coin,
  most: most ?? "0",
  maintenance: row.maintainMarginRate ?? "0",
});

export function Leverage({ mode, pair }: { mode: Mode; pair: Pair }) {
  const [leverage, setLeverage] = useState("");
  const [tiers, setTiers] = useState<Tier[]>([]);
  const { reading } = useStore(account);
  const where = useMemo(
    () => (mode === "isolated" ? { mode, symbol: pair.symbol } : { mode }),
    [mode, pair.symbol],
  );
  useEffect(() => {
    let isCurrent = true;
    get<{ leverage: string }>(PATH, where)
      .then((found) => isCurrent && setLeverage(found.leverage))
      .catch(() => isCurrent && setLeverage(""));
    return () => {
      isCurrent = false;
    };
  }, [where, reading]);
  useEffect(() => {
    let isCurrent = true;
    readTiers(mode, pair)
      .then((found) => isCurrent && setTiers(found))
      .catch(() => isCurrent && setTiers([]));
    return () => {
      isCurrent = false;
    };
  }, [mode, pair]);
  const set = async (next: string): Promise<void> => {
    try {
      const done = await post<{ leverage: string }>(PATH, { ...where, leverage: next });
      setLeverage(done.leverage);
      void refresh();
    } catch (error) {
      note(wordsOf(error), "bad");
    }
  };
  const most = tiers.reduce((best, each) => Math.max(best, Number(each.leverage)), Number(leverage));
  const options = Array.from({ length: Math.max(0, most - 1) }, (_, index) => String(index + 2));
  return (
    <div className="leverage-part">
      <label className="leverage">
        <span>Leverage</span>
        <select value={leverage} disabled={!leverage} onChange={(event) => void set(event.target.value)}>
          {!options.includes(leverage) && <option value={leverage}>{leverage ? `${leverage}×` : "–"}</option>}
          {options.map((each) => (
            <option key={each} value={each}>
              {each}×
            </option>
          ))}
          <option value={SET_BY_TIERS}>the most there is</option>
        </select>
      </label>
      {tiers.length > 0 && <Tiers tiers={tiers} />}
    </div>
  );
}

function Tiers({ tiers }: { tiers: Tier[] }) {
  return (
    <details className="tiers">
      <summary>What each tier lends</summary>
      <div className="scroll" tabIndex={0} role="region" aria-label="Tiers">
        <table>
          <thead>
            <tr>
              <th>Tier</th>
              <th className="num">Owing up to</th>
              <th className="num">Leverage</th>
              <th className="num" title="Maintenance margin rate">Margin</th>
            </tr>
          </thead>
          <tbody>
            {tiers.map((each) => (
              <tr key={each.tier + each.coin}>
                <td>{each.tier}</td>
                <td className="num">
                  {amount(dec(each.most), each.coin)} {each.coin}
                </td>
                <td className="num">{each.leverage}×</td>
                <td className="num">{amount(dec(each.maintenance) * 100n)} %</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </details>
  );
}
