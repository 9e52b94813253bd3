import { type FormEvent, useEffect, useRef, useState } from "react";
import { me } from "../lib/api";
import { confirm, readMe, saidOf } from "../lib/identity";
import { Store, useStore } from "../lib/store";

// Saying again who one is, before what could lock one out or let another in.

interface Asked {
  done: (isConfirmed: boolean) => void;
}

const asked = new Store<Asked | null>(null);

/** Have it confirmed who one is, unless that was a short while ago; false when one would not. */
export async function confirmed(): Promise<boolean> {
  if ((await readMe()).confirmed) return true;
  return new Promise((done) => asked.set({ done }));
}

export function Confirming() {
  const what = useStore(asked);
  return what && <Ask what={what} />;
}

function Ask({ what }: { what: Asked }) {
  const byCode = useStore(me)?.totp ?? false;
  const [word, setWord] = useState("");
  const [fault, setFault] = useState("");
  const [busy, setBusy] = useState(false);
  const place = useRef<HTMLDialogElement>(null);
  useEffect(() => place.current?.showModal(), []);
  const shut = (isConfirmed: boolean): void => {
    asked.set(null);
    what.done(isConfirmed);
  };
  const run = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    setBusy(true);
    try {
      await confirm(word.trim(), byCode);
      shut(true);
    } catch (error) {
      setFault(saidOf(error));
      setBusy(false);
    }
  };
  return (
    <dialog ref={place} aria-label="Confirm that it is you" onClose={() => asked.get() && shut(false)}>
      <form onSubmit={(event) => void run(event)}>
        <div className="panel-head">
          <h2>Confirm that it is you</h2>
          <button type="button" className="plain" aria-label="Close" onClick={() => shut(false)}>
            ×
          </button>
        </div>
        <p className="soft">This holds for five minutes.</p>
        <div className="stack">
          <label>
            {byCode ? "Code of your second device" : "Your password"}
            <input
              required
              type={byCode ? "text" : "password"}
              autoComplete={byCode ? "one-time-code" : "current-password"}
              value={word}
              onChange={(event) => setWord(event.target.value)}
            />
          </label>
        </div>
        {fault && (
          <p className="fault" role="alert">
            {fault}
          </p>
        )}
        <button className="primary big" disabled={busy || !word}>
          Confirm
        </button>
      </form>
    </dialog>
  );
}
