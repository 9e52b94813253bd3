import { type FormEvent, useEffect, useState } from "react";
import { logIn, Refused } from "../lib/api";
import { CODE_NEEDED, resetPassword, saidOf } from "../lib/identity";
import { go } from "../lib/route";
import { note } from "../parts/Notes";

/** Another password, with what an operator has handed over. */
export default function Reset() {
  const [email, setEmail] = useState("");
  const [token, setToken] = useState("");
  const [password, setPassword] = useState("");
  const [code, setCode] = useState("");
  const [asksCode, setAsksCode] = useState(false);
  const [fault, setFault] = useState("");
  const [busy, setBusy] = useState(false);
  useEffect(() => {
    document.title = "A lost password · Lombard";
  }, []);
  const run = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    setBusy(true);
    setFault("");
    try {
      await resetPassword(token.trim(), password, code.trim());
      note("The password is set, and every session has ended.");
      // A code is good once: whoever has a second device logs in with the next one.
      if (asksCode) go("/log-in");
      else {
        await logIn(email, password);
        go("/trade");
      }
    } catch (error) {
      if (error instanceof Refused && error.code === CODE_NEEDED) setAsksCode(true);
      setFault(saidOf(error));
    } finally {
      setBusy(false);
    }
  };
  return (
    <section className="door panel" aria-labelledby="door-title">
      <h1 id="door-title">A lost password</h1>
      <p className="soft">
        Ask whoever runs this venue. They hand you a token, good once and for half an hour, with which you set
        another password.
      </p>
      <form onSubmit={(event) => void run(event)}>
        <label>
          E-mail
          <input
            type="email"
            required
            autoComplete="username"
            value={email}
            onChange={(event) => setEmail(event.target.value)}
          />
        </label>
        <label>
          Token
          <input required autoComplete="off" value={token} onChange={(event) => setToken(event.target.value)} />
        </label>
        <label>
          New password, at least 10 characters
          <input
            type="password"
            required
            minLength={10}
            maxLength={128}
            autoComplete="new-password"
            value={password}
            onChange={(event) => setPassword(event.target.value)}
          />
        </label>
        {asksCode && (
          <label>
            Code of your second device
            <input
              required
              autoFocus
              autoComplete="one-time-code"
              value={code}
              onChange={(event) => setCode(event.target.value)}
            />
          </label>
        )}
        {fault && (
          <p className="fault" role="alert">
            {fault}
          </p>
        )}
        <button className="primary big" disabled={busy}>
          Set the password
        </button>
      </form>
      <p className="soft">
        You remember it? <a href="#/log-in">Log in</a>
      </p>
    </section>
  );
}
