import { useState } from "react";
import { dec, percent } from "../lib/decimal";
import { type Coin, type Pair, send, useRead } from "./data";
import { PairForm } from "./PairForm";
import { Act, Fault, Page, Panel, Sheet, Table, Tag } from "./parts";

export default function Pairs() {
  const pairs = useRead<Pair[]>("pairs");
  const coins = useRead<Coin[]>("coins");
  const [open, setOpen] = useState<Pair | "new" | null>(null);
  const halt = async (pair: Pair): Promise<string> => {
    await send("pairs", { symbol: pair.symbol, trading: !pair.trading });
    return pair.trading ? `${pair.symbol} takes no new orders.` : `${pair.symbol} trades again.`;
  };
  return (
    <Page
      title="Pairs"
      actions={
        <button className="primary" onClick={() => setOpen("new")}>
          Add a pair
        </button>
      }
    >
      <Fault words={pairs.fault} />
      <Panel title="Listed">
        <Table
          label="Pairs"
          rows={pairs.data}
          keyOf={(row) => row.symbol}
          empty="No pairs yet."
          columns={[
            {
              name: "Pair",
              cell: (row) => (
                <button className="link" onClick={() => setOpen(row)}>
                  {row.symbol}
                </button>
              ),
            },
            { name: "Tick", num: true, cell: (row) => row.tick },
            { name: "Size step", num: true, cell: (row) => row.step },
            { name: "Least value", num: true, cell: (row) => `${row.minValue} ${row.quote}` },
            { name: "Maker fee", num: true, cell: (row) => percent(dec(row.makerFee), 3) },
            { name: "Taker fee", num: true, cell: (row) => percent(dec(row.takerFee), 3) },
            { name: "Isolated", num: true, cell: (row) => (row.isolatedTiers[0] ? `${row.isolatedTiers[0].leverage}×` : "–") },
            { name: "Cross", cell: (row) => (row.crossed ? "yes" : "no") },
            {
              name: "State",
              cell: (row) => (
                <>
                  {row.trading ? <Tag kind="good">trading</Tag> : <Tag kind="watch">halted</Tag>}
                  {row.delisting !== "0" && <Tag kind="bad">delisting</Tag>}
                </>
              ),
            },
            {
              name: "Halt",
              hidden: true,
              cell: (row) => (
                <Act label={`${row.trading ? "Halt" : "Resume"} ${row.symbol}`} run={() => halt(row)} done={pairs.again}>
                  {row.trading ? "Halt" : "Resume"}
                </Act>
              ),
            },
          ]}
        />
      </Panel>
      {open && (
        <Sheet title={open === "new" ? "Add a pair" : open.symbol} shut={() => setOpen(null)} wide>
          <PairForm
            coins={coins.data ?? []}
            pair={open === "new" ? undefined : open}
            done={() => {
              setOpen(null);
              pairs.again();
            }}
          />
        </Sheet>
      )}
    </Page>
  );
}
