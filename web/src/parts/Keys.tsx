import { type FormEvent, useEffect, useState } from "react";
import { wordsOf } from "../lib/api";
import { dropKey, type Key, makeKey, type NewKey, readKeys } from "../lib/identity";
import { utc } from "../lib/notices";
import { confirmed } from "./Confirming";
import { note } from "./Notes";

// API keys: making one, which is shown this once, and taking one away.

const PERMISSIONS: [string, string][] = [
  ["read", "Read balances, orders and histories"],
  ["trade", "Trade, borrow and repay"],
  ["transfer", "Transfer between one’s own accounts"],
];

export function Keys() {
  const [keys, setKeys] = useState<Key[]>([]);
  const [isMaking, setIsMaking] = useState(false);
  const [made, setMade] = useState<NewKey | null>(null);
  const read = (): void => {
    readKeys()
      .then(setKeys)
      .catch((error: unknown) => note(wordsOf(error), "bad"));
  };
  useEffect(read, []);
  const drop = async (key: Key): Promise<void> => {
    try {
      await dropKey(key.apiKey);
      note("The key is gone: nothing can be done with it any more.");
    } catch (error) {
      note(wordsOf(error), "bad");
    } finally {
      read();
    }
  };
  return (
    <section className="panel" aria-label="API keys">
      <div className="panel-head">
        <h2>API keys</h2>
        <button onClick={() => setIsMaking(!isMaking)} aria-expanded={isMaking}>
          {isMaking ? "Never mind" : "New key"}
        </button>
      </div>
      {isMaking && (
        <NewKeyForm
          done={(key) => {
            setMade(key);
            setIsMaking(false);
            read();
          }}
        />
      )}
      {made && <Secret made={made} shut={() => setMade(null)} />}
      {keys.length ? (
        <div className="scroll" tabIndex={0} role="region" aria-label="Keys">
          <table>
            <thead>
              <tr>
                <th>Name</th>
                <th>Key</th>
                <th>May</th>
                <th>From</th>
                <th className="num">Made (UTC)</th>
                <th>
                  <span className="hidden">Revoke</span>
                </th>
              </tr>
            </thead>
            <tbody>
              {keys.map((key) => (
                <tr key={key.apiKey}>
                  <th scope="row">{key.label || "–"}</th>
                  <td>{key.apiKey}</td>
                  <td>{key.permissions.join(", ")}</td>
                  <td>{key.ips.join(", ") || "anywhere"}</td>
                  <td className="num">{utc(key.cTime)}</td>
                  <td className="act">
                    <Drop name={key.label || key.apiKey} run={() => drop(key)} />
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      ) : (
        <p className="empty">No keys. A program needs one to act for you.</p>
      )}
    </section>
  );
}

/** A button that is pressed twice. */
function Drop({ name, run }: { name: string; run: () => Promise<void> }) {
  const [isSure, setIsSure] = useState(false);
  return isSure ? (
    <button className="fault" onClick={() => void run()} onBlur={() => setIsSure(false)}>
      Really revoke
    </button>
  ) : (
    <button aria-label={`Revoke ${name}`} onClick={() => setIsSure(true)}>
      Revoke
    </button>
  );
}

function NewKeyForm({ done }: { done: (made: NewKey) => void }) {
  const [label, setLabel] = useState("");
  const [ips, setIps] = useState("");
  const [passphrase, setPassphrase] = useState("");
  const [may, setMay] = useState(["read"]);
  const [fault, setFault] = useState("");
  const [busy, setBusy] = useState(false);
  const run = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    setBusy(true);
    setFault("");
    try {
      const from = ips.split(/[\s,]+/).filter(Boolean);
      if (await confirmed()) done(await makeKey({ label: label.trim(), permissions: may, ips: from, passphrase }));
    } catch (error) {
      setFault(wordsOf(error));
    } finally {
      setBusy(false);
    }
  };
  return (
    <form className="stack" aria-label="New key" onSubmit={(event) => void run(event)}>
      <label>
        Name, for yourself
        <input maxLength={50} value={label} onChange={(event) => setLabel(event.target.value)} />
      </label>
      <fieldset>
        <legend>It may</legend>
        {PERMISSIONS.map(([name, title]) => (
          <label key={name} className="switch">
            <input
              type="checkbox"
              checked={may.includes(name)}
              onChange={() => setMay(may.includes(name) ? may.filter((each) => each !== name) : [...may, name])}
            />
            {title}
          </label>
        ))}
      </fieldset>
      <label>
        Addresses or networks it may be used from; from anywhere if empty
        <textarea rows={2} placeholder="203.0.113.7, 2001:db8::/32" value={ips} onChange={(event) => setIps(event.target.value)} />
      </label>
      <label>
        Passphrase, 8 to 32 letters and digits; one is made if empty
        <input
          autoComplete="off"
          pattern="(?=.*[0-9])(?=.*[A-Za-z])[0-9A-Za-z]{8,32}"
          value={passphrase}
          onChange={(event) => setPassphrase(event.target.value)}
        />
      </label>
      {fault && (
        <p className="fault" role="alert">
          {fault}
        </p>
      )}
      <div className="row">
        <button className="primary" disabled={busy || !may.length}>
          Make the key
        </button>
      </div>
    </form>
  );
}

function Secret({ made, shut }: { made: NewKey; shut: () => void }) {
  const rows: [string, string][] = [
    ["Key", made.apiKey],
    ["Secret", made.secretKey],
    ["Passphrase", made.passphrase],
  ];
  return (
    <div className="stack" role="status" aria-label="The new key">
      <p>
        <b>Keep these now: the secret and the passphrase are not shown again.</b>
      </p>
      {rows.map(([title, value]) => (
        <div key={title}>
          <small className="soft">{title}</small>
          <div className="secret" data-name={title}>
            {value}
          </div>
        </div>
      ))}
      <div className="row">
        <button
          onClick={() =>
            void navigator.clipboard
              .writeText(rows.map(([title, value]) => `${title}: ${value}`).join("\n"))
              .then(() => note("Copied."))
              .catch(() => note("The browser does not let copy: mark and copy by hand.", "bad"))
          }
        >
          Copy all
        </button>
        <button onClick={shut}>I have kept them</button>
      </div>
    </div>
  );
}
