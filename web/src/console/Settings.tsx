import { useState } from "react";
import { amount, dec, percent } from "../lib/decimal";
import { asPercent, asRatio, send, useRead } from "./data";
import { Fault, Field, Form, Page, Panel, Rows, Sheet, Table } from "./parts";

interface Parameter {
  name: string;
  value: string;
  least: string;
  most: string;
}

interface Level {
  rate: string;
  limit: string;
}

const DAY_MS = 86_400_000;

/** A number of the venue's in words: parts of a million, milliseconds, or as it is. */
function words(name: string, value: string): string {
  const number = Number(value);
  if (name.endsWith("_e6")) return `${number / 10_000} %`;
  if (!name.endsWith("_ms")) return "";
  if (number === 0) return "off, or at once";
  if (number % DAY_MS === 0) return `${number / DAY_MS} d`;
  if (number % 3_600_000 === 0) return `${number / 3_600_000} h`;
  return number % 60_000 === 0 ? `${number / 60_000} min` : `${number / 1000} s`;
}

export default function Settings() {
  const parameters = useRead<Parameter[]>("parameters");
  const levels = useRead<Level[]>("vip-levels");
  const [chosen, setChosen] = useState<Parameter | null>(null);
  const [edits, setEdits] = useState(false);
  return (
    <Page title="Settings">
      <Fault words={parameters.fault} />
      <Panel title="The venue’s named numbers">
        <Table
          label="Parameters"
          rows={parameters.data}
          keyOf={(row) => row.name}
          empty="None."
          columns={[
            {
              name: "Name",
              cell: (row) => (
                <button className="link" onClick={() => setChosen(row)}>
                  {row.name}
                </button>
              ),
            },
            { name: "Value", num: true, cell: (row) => row.value },
            { name: "That is", cell: (row) => words(row.name, row.value) },
            { name: "Least", num: true, cell: (row) => row.least },
            { name: "Most", num: true, cell: (row) => row.most },
          ]}
        />
      </Panel>
      <Panel title="VIP levels" aside={<button onClick={() => setEdits(true)}>Change</button>}>
        <Fault words={levels.fault} />
        <Table
          label="VIP levels"
          rows={levels.data?.map((row, level) => ({ ...row, level: String(level) })) ?? null}
          keyOf={(row) => row.level}
          empty="None."
          columns={[
            { name: "Level", cell: (row) => row.level },
            { name: "Pays of the rate", num: true, cell: (row) => percent(dec(row.rate), 1) },
            { name: "Limits times", num: true, cell: (row) => amount(dec(row.limit)) },
          ]}
        />
      </Panel>
      {chosen && (
        <Sheet title={chosen.name} shut={() => setChosen(null)}>
          <SetParameter
            of={chosen}
            done={() => {
              setChosen(null);
              parameters.again();
            }}
          />
        </Sheet>
      )}
      {edits && levels.data && (
        <Sheet title="VIP levels" shut={() => setEdits(false)}>
          <SetLevels
            levels={levels.data}
            done={() => {
              setEdits(false);
              levels.again();
            }}
          />
        </Sheet>
      )}
    </Page>
  );
}

function SetParameter({ of, done }: { of: Parameter; done: () => void }) {
  const [value, setValue] = useState(of.value);
  const run = async (): Promise<string> => {
    await send("parameters", { name: of.name, value });
    return `${of.name} is ${value}.`;
  };
  return (
    <Form act="Set" run={run} done={done}>
      <Field label="Value" hint={`${of.least} to ${of.most}`} kind="count" value={value} change={setValue} />
      <p className="soft">{words(of.name, value)}</p>
    </Form>
  );
}

function SetLevels({ levels, done }: { levels: Level[]; done: () => void }) {
  const [rows, setRows] = useState<Record<string, string>[]>(
    levels.map((each) => ({ rate: asPercent(each.rate), limit: each.limit })),
  );
  const run = async (): Promise<string> => {
    await send("vip-levels", { levels: rows.map((each) => ({ limit: each.limit, rate: asRatio(each.rate ?? "") })) });
    return "The levels are set.";
  };
  return (
    <Form act="Set" run={run} done={done}>
      <Rows
        label="From level 0, which is plain"
        columns={[
          { key: "rate", name: "Pays of the rate, %" },
          { key: "limit", name: "Limits times" },
        ]}
        rows={rows}
        change={setRows}
      />
    </Form>
  );
}
