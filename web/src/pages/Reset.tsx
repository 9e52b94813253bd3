import { type FormEvent, useState } from "react";
import { Refused, wordsOf } from "../lib/api";
import { resetPassword } from "../lib/identity";

// The code that asks for the second device's digits.
const CODE_NEEDED = "40019";

/** A lost password: an operator has handed over a token, and its user sets another one with it. */
export default function Reset() {
  const [token, setToken] = useState("");
  const [password, setPassword] = useState("");
  const [code, setCode] = useState("");
  const [asksCode, setAsksCode] = useState(false);
  const [fault, setFault] = useState("");
  const [busy, setBusy] = useState(false);
  const [email, setEmail] = useState("");

  const set = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    setBusy(true);
    setFault("");
    try {
      setEmail((await resetPassword(token.trim(), password, code)).email);
    } catch (error) {
      if (error instanceof Refused && error.code === CODE_NEEDED) setAsksCode(true);
      setFault(wordsOf(error));
    } finally {
      setBusy(false);
    }
  };

  if (email) {
    return (
      <section className="door panel" aria-labelledby="door-title">
        <h1 id="door-title">Your new password is set</h1>
        <p role="status">Every browser that was logged in as {email} is logged out.</p>
        <a href="#/log-in">Log in</a>
      </section>
    );
  }
  return (
    <section className="door panel" aria-labelledby="door-title">
      <h1 id="door-title">Lost your password?</h1>
      <p className="soft">
        Nothing is sent by e-mail here. Ask whoever runs this venue for a token; it is good once, for
        half an hour.
      </p>
      <form onSubmit={(event) => void set(event)}>
        <label>
          Token
          <input
            required
            autoComplete="off"
            spellCheck={false}
            value={token}
            onChange={(event) => setToken(event.target.value)}
          />
        </label>
        <label>
          New password
          <input
            type="password"
            required
            minLength={10}
            maxLength={128}
            aria-describedby="password-rule"
            autoComplete="new-password"
            value={password}
            onChange={(event) => setPassword(event.target.value)}
          />
        </label>
        <small id="password-rule">At least 10 characters.</small>
        {asksCode && (
          <label>
            Code of your second device
            <input
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
    </section>
  );
}
