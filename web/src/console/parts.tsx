import { type FormEvent, type ReactNode, useEffect, useRef, useState } from "react";
import { wordsOf } from "../lib/api";
import { amount, dec, percent } from "../lib/decimal";
import { note } from "../parts/Notes";

// What the console's pages are made of.

export function Page(props: { title: string; actions?: ReactNode; children: ReactNode }) {
  useEffect(() => {
    document.title = `${props.title} · Lombard console`;
  }, [props.title]);
  return (
    <div className="desk">
      <div className="desk-head">
        <h1>{props.title}</h1>
        <div className="actions">{props.actions}</div>
      </div>
      {props.children}
    </div>
  );
}

export function Panel(props: { title: string; aside?: ReactNode; children: ReactNode }) {
  return (
    <section className="panel">
      <div className="panel-head">
        <h2>{props.title}</h2>
        {props.aside}
      </div>
      {props.children}
    </section>
  );
}

export const Fault = ({ words }: { words: string }) =>
  words ? (
    <p className="fault pad" role="alert">
      {words}
    </p>
  ) : null;

export interface Column<T> {
  name: string;
  cell: (row: T) => ReactNode;
  num?: boolean;
  // Long words: they may take several lines.
  long?: boolean;
  hidden?: boolean;
}

export function Table<T>(props: {
  label: string;
  rows: T[] | null;
  keyOf: (row: T) => string;
  columns: Column<T>[];
  empty: string;
}) {
  if (!props.rows) return <p className="empty">Reading…</p>;
  if (!props.rows.length) return <p className="empty">{props.empty}</p>;
  return (
    <div className="scroll" tabIndex={0} role="region" aria-label={props.label}>
      <table>
        <thead>
          <tr>
            {props.columns.map((each) => (
              <th key={each.name} className={each.num ? "num" : ""}>
                <span className={each.hidden ? "hidden" : ""}>{each.name}</span>
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {props.rows.map((row) => (
            <tr key={props.keyOf(row)}>
              {props.columns.map((each, place) =>
                place === 0 ? (
                  <th scope="row" key={each.name}>
                    {each.cell(row)}
                  </th>
                ) : (
                  <td key={each.name} className={each.hidden ? "act" : each.num ? "num" : each.long ? "long" : ""}>
                    {each.cell(row)}
                  </td>
                ),
              )}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

export const Coins = ({ value, coin }: { value: string; coin: string }) => <>{amount(dec(value), coin)}</>;

export function Bar({ ratio, label }: { ratio: string; label: string }) {
  const part = Math.min(100, Number(ratio) * 100);
  return (
    <span className="bar-cell">
      <span
        className={`bar ${part >= 90 ? "full" : part >= 75 ? "much" : ""}`}
        role="meter"
        aria-label={label}
        aria-valuemin={0}
        aria-valuemax={100}
        aria-valuenow={Math.round(part)}
      >
        <i style={{ width: `${part}%` }} />
      </span>
      <span className="num">{percent(dec(ratio), 1)}</span>
    </span>
  );
}

export const Tag = ({ kind, children }: { kind: "good" | "bad" | "watch" | "plain"; children: ReactNode }) => (
  <span className={`tag ${kind}`}>{children}</span>
);

export const Tile = (props: { name: string; aside?: ReactNode; kind?: string; children: ReactNode }) => (
  <div className={`tile ${props.kind ?? ""}`}>
    <span className="soft">{props.name}</span>
    <b className="num left">{props.children}</b>
    {props.aside && <small className="soft">{props.aside}</small>}
  </div>
);

// --- forms ----------------------------------------------------------------------------------------

const DECIMAL = "\\d+(\\.\\d+)?";

export interface FieldProps {
  label: string;
  value: string;
  change: (value: string) => void;
  kind?: "text" | "decimal" | "signed" | "count" | "moment";
  unit?: string;
  hint?: string;
  optional?: boolean;
  locked?: boolean;
}

export function Field(props: FieldProps) {
  const { kind = "text" } = props;
  const pattern = { text: undefined, decimal: DECIMAL, signed: `-?${DECIMAL}`, count: "\\d+", moment: undefined };
  const title = { text: "", decimal: "A number, such as 0.5", signed: "A number, such as -20", count: "A whole number", moment: "" };
  return (
    <label className="entry-field">
      <span>
        {props.label}
        {props.hint && <small className="soft"> {props.hint}</small>}
      </span>
      <span className="with-unit">
        <input
          type={kind === "moment" ? "datetime-local" : "text"}
          inputMode={kind === "decimal" ? "decimal" : kind === "count" ? "numeric" : undefined}
          autoComplete="off"
          className={kind === "text" || kind === "moment" ? "" : "num"}
          pattern={pattern[kind]}
          title={title[kind] || undefined}
          required={!props.optional}
          disabled={props.locked}
          value={props.value}
          onChange={(event) => props.change(event.target.value)}
        />
        {props.unit && <span className="unit">{props.unit}</span>}
      </span>
    </label>
  );
}

export function Switch(props: { label: string; on: boolean; change: (on: boolean) => void }) {
  return (
    <label className="switch">
      <input type="checkbox" checked={props.on} onChange={(event) => props.change(event.target.checked)} />
      {props.label}
    </label>
  );
}

export function Choice(props: {
  label: string;
  value: string;
  options: [string, string][];
  change: (value: string) => void;
}) {
  return (
    <label className="entry-field">
      <span>{props.label}</span>
      <select value={props.value} onChange={(event) => props.change(event.target.value)}>
        {props.options.map(([value, name]) => (
          <option key={value} value={value}>
            {name}
          </option>
        ))}
      </select>
    </label>
  );
}

/** Rows of fields: steps of collateral, tiers. */
export function Rows(props: {
  label: string;
  columns: { key: string; name: string }[];
  rows: Record<string, string>[];
  change: (rows: Record<string, string>[]) => void;
}) {
  const { columns, rows } = props;
  const set = (place: number, key: string, value: string): void =>
    props.change(rows.map((row, index) => (index === place ? { ...row, [key]: value } : row)));
  return (
    <fieldset className="rows">
      <legend>{props.label}</legend>
      <div className="scroll">
        <table>
          <thead>
            <tr>
              {columns.map((each) => (
                <th key={each.key}>{each.name}</th>
              ))}
              <th>
                <span className="hidden">Remove</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {rows.map((row, place) => (
              <tr key={place}>
                {columns.map((each) => (
                  <td key={each.key}>
                    <input
                      className="num"
                      inputMode="decimal"
                      required
                      pattern={DECIMAL}
                      title="A number, such as 0.5"
                      aria-label={`${each.name}, row ${place + 1} of ${props.label}`}
                      value={row[each.key] ?? ""}
                      onChange={(event) => set(place, each.key, event.target.value)}
                    />
                  </td>
                ))}
                <td className="act">
                  <button
                    type="button"
                    className="plain"
                    aria-label={`Remove row ${place + 1} of ${props.label}`}
                    onClick={() => props.change(rows.filter((_, index) => index !== place))}
                  >
                    ×
                  </button>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <button
        type="button"
        onClick={() => props.change([...rows, { ...(rows.at(-1) ?? Object.fromEntries(columns.map((each) => [each.key, ""]))) }])}
      >
        Add a row
      </button>
    </fieldset>
  );
}

/** A form that does one thing: while it is done, nothing else; what is refused is said in words. */
export function Form(props: {
  act: string;
  run: () => Promise<string>;
  done?: () => void;
  danger?: boolean;
  children: ReactNode;
}) {
  const [busy, setBusy] = useState(false);
  const [fault, setFault] = useState("");
  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    setBusy(true);
    setFault("");
    try {
      const words = await props.run();
      if (words) note(words);
      props.done?.();
    } catch (error) {
      setFault(wordsOf(error));
    } finally {
      setBusy(false);
    }
  };
  return (
    <form className="entry-form" onSubmit={(event) => void submit(event)}>
      {props.children}
      <Fault words={fault} />
      <button className={props.danger ? "danger big" : "primary big"} disabled={busy}>
        {busy ? "Working…" : props.act}
      </button>
    </form>
  );
}

/** A dialog of the browser's own: it keeps the focus, and Escape shuts it. */
export function Sheet(props: { title: string; shut: () => void; wide?: boolean; children: ReactNode }) {
  const place = useRef<HTMLDialogElement>(null);
  useEffect(() => place.current?.showModal(), []);
  return (
    <dialog ref={place} className={props.wide ? "wide" : ""} onClose={props.shut} aria-label={props.title}>
      <div className="sheet-head">
        <h2>{props.title}</h2>
        <button type="button" className="plain" aria-label="Close" onClick={props.shut}>
          ×
        </button>
      </div>
      {props.children}
    </dialog>
  );
}

/** A button that does something at once, and says what became of it. */
export function Act(props: { run: () => Promise<string>; done?: () => void; children: ReactNode; label?: string }) {
  const [busy, setBusy] = useState(false);
  const run = async (): Promise<void> => {
    setBusy(true);
    try {
      const words = await props.run();
      if (words) note(words);
      props.done?.();
    } catch (error) {
      note(wordsOf(error), "bad");
    } finally {
      setBusy(false);
    }
  };
  return (
    <button disabled={busy} aria-label={props.label} onClick={() => void run()}>
      {props.children}
    </button>
  );
}
