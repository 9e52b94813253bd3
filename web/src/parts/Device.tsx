import { type FormEvent, useState } from "react";
import { encode } from "uqr";
import { me, wordsOf } from "../lib/api";
import { confirmDevice, enrol, type Enrolment, removeDevice, renewCodes, saidOf } from "../lib/identity";
import { useStore } from "../lib/store";
import { confirmed } from "./Confirming";
import { note } from "./Notes";

// The second device: set up by a picture that is drawn here, and done without again.

export function Device() {
  const has = useStore(me)?.totp ?? false;
  const [made, setMade] = useState<Enrolment | null>(null);
  const [codes, setCodes] = useState<string[]>([]);
  const [busy, setBusy] = useState(false);
  const run = async (what: () => Promise<void>): Promise<void> => {
    setBusy(true);
    try {
      if (await confirmed()) await what();
    } catch (error) {
      note(wordsOf(error), "bad");
    } finally {
      setBusy(false);
    }
  };
  const remove = async (): Promise<void> => {
    await removeDevice();
    setCodes([]);
    note("Logging in needs the password only from now on.");
  };
  return (
    <section className="panel" aria-label="Second device">
      <div className="panel-head">
        <h2>
          Second device <small className={has ? "up" : "warning"}>{has ? "On" : "Off"}</small>
        </h2>
        {has ? (
          <div className="actions">
            <button disabled={busy} onClick={() => void run(async () => setCodes(await renewCodes()))}>
              New recovery codes
            </button>
            <button disabled={busy} onClick={() => void run(remove)}>
              Do without
            </button>
          </div>
        ) : (
          !made && (
            <button disabled={busy} onClick={() => void run(async () => setMade(await enrol()))}>
              Set up
            </button>
          )
        )}
      </div>
      {!has && !made && (
        <p className="soft">
          With an authenticator app, logging in needs its code as well as the password: whoever finds the
          password cannot get in.
        </p>
      )}
      {made && !has && (
        <Enrol
          made={made}
          done={(recovery) => {
            setMade(null);
            setCodes(recovery);
          }}
        />
      )}
      {codes.length > 0 && <Recovery codes={codes} shut={() => setCodes([])} />}
      {has && !codes.length && <p className="soft">Logging in needs a code of your device, or a recovery code.</p>}
    </section>
  );
}

function Enrol({ made, done }: { made: Enrolment; done: (codes: string[]) => void }) {
  const [code, setCode] = useState("");
  const [fault, setFault] = useState("");
  const [busy, setBusy] = useState(false);
  const run = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    setBusy(true);
    setFault("");
    try {
      done(await confirmDevice(code.trim()));
    } catch (error) {
      setFault(saidOf(error));
      setBusy(false);
    }
  };
  return (
    <div className="enrol">
      <Picture text={made.uri} />
      <form className="stack" onSubmit={(event) => void run(event)}>
        <p>Scan this with an authenticator app, or type the secret into it:</p>
        <p className="secret" data-name="TOTP secret">
          {made.secret}
        </p>
        <label>
          The six digits it shows
          <input
            required
            inputMode="numeric"
            autoComplete="one-time-code"
            maxLength={6}
            value={code}
            onChange={(event) => setCode(event.target.value)}
          />
        </label>
        {fault && (
          <p className="fault" role="alert">
            {fault}
          </p>
        )}
        <button className="primary" disabled={busy || code.trim().length !== 6}>
          Turn on
        </button>
      </form>
    </div>
  );
}

/** Draw a text as a QR code, here: it is a secret. */
function Picture({ text }: { text: string }) {
  const { size, data } = encode(text, { ecc: "M", border: 0 });
  const path = data.flatMap((row, y) => row.map((dark, x) => (dark ? `M${x} ${y}h1v1h-1z` : ""))).join("");
  return (
    <svg className="qr" viewBox={`0 0 ${size} ${size}`} width="196" height="196" role="img" aria-label="QR code of the secret">
      <path d={path} fill="#000" shapeRendering="crispEdges" />
    </svg>
  );
}

function Recovery({ codes, shut }: { codes: string[]; shut: () => void }) {
  return (
    <div className="stack">
      <p>
        <b>Write these down: each is good once, in place of a code, should the device be lost.</b>
      </p>
      <ul className="codes" aria-label="Recovery codes">
        {codes.map((code) => (
          <li key={code}>{code}</li>
        ))}
      </ul>
      <div className="row">
        <button onClick={shut}>I have written them down</button>
      </div>
    </div>
  );
}
