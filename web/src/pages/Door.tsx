import { type FormEvent, useState } from "react";
import { DemoButton } from "../app";
import { logIn, Refused, signUp, venue } from "../lib/api";
import { CODE_NEEDED, saidOf } from "../lib/identity";
import { go } from "../lib/route";
import { useStore } from "../lib/store";

export function Door({ isNew }: { isNew: boolean }) {
  const there = useStore(venue);
  const [email, setEmail] = useState("");
  const [password, setPassword] = useState("");
  const [code, setCode] = useState("");
  const [asksCode, setAsksCode] = useState(false);
  const [fault, setFault] = useState("");
  const [busy, setBusy] = useState(false);

  const enter = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    setBusy(true);
    setFault("");
    try {
      await (isNew ? signUp(email, password) : logIn(email, password, code));
      go("/trade");
    } catch (error) {
      if (error instanceof Refused && error.code === CODE_NEEDED) setAsksCode(true);
      setFault(saidOf(error));
    } finally {
      setBusy(false);
    }
  };

  return (
    <section className="door panel" aria-labelledby="door-title">
      <h1 id="door-title">{isNew ? "Sign up" : "Log in"}</h1>
      <form onSubmit={(event) => void enter(event)}>
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
          Password
          <input
            type="password"
            required
            minLength={isNew ? 10 : 1}
            maxLength={128}
            aria-describedby={isNew ? "password-rule" : undefined}
            autoComplete={isNew ? "new-password" : "current-password"}
            value={password}
            onChange={(event) => setPassword(event.target.value)}
          />
        </label>
        {isNew && <small id="password-rule">At least 10 characters. Nothing is sent to you.</small>}
        {asksCode && !isNew && (
          <label>
            Code of your second device
            <input
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
          {isNew ? "Sign up" : "Log in"}
        </button>
      </form>
      {!isNew && (
        <p className="soft">
          <a href="#/reset">Lost your password?</a>
        </p>
      )}
      {there?.signUp && (
        <p className="soft">
          {isNew ? "You have an account? " : "You have none? "}
          <a href={isNew ? "#/log-in" : "#/sign-up"}>{isNew ? "Log in" : "Sign up"}</a>
        </p>
      )}
      {there?.sandbox && (
        <div className="aside">
          <p className="soft">
            This is a sandbox. A demo user has 100 000 USDT and 1 BTC, and needs no password.
          </p>
          <DemoButton />
        </div>
      )}
    </section>
  );
}
