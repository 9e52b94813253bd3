import { type ComponentType, lazy, Suspense, useState } from "react";
import { logIn, logOut, me, Refused, venue, wordsOf } from "../lib/api";
import { route } from "../lib/route";
import { useStore } from "../lib/store";
import { switchTheme, theme } from "../lib/theme";
import { Notes, note } from "../parts/Notes";
import { Overview } from "./Overview";
import { Field, Form } from "./parts";

// The operators' console: the frame, and which page is shown in it.

const CODE_NEEDED = "40019";

const PAGES: [string, string, ComponentType][] = [
  ["overview", "Overview", Overview],
  ["coins", "Coins", lazy(() => import("./Coins"))],
  ["pairs", "Pairs", lazy(() => import("./Pairs"))],
  ["users", "Users", lazy(() => import("./Users"))],
  ["money", "Money", lazy(() => import("./Money"))],
  ["coupons", "Coupons", lazy(() => import("./Coupons"))],
  ["liquidations", "Liquidations", lazy(() => import("./Liquidations"))],
  ["solvency", "Solvency", lazy(() => import("./Solvency"))],
  ["stress", "Stress", lazy(() => import("./Stress"))],
  ["settings", "Settings", lazy(() => import("./Settings"))],
];
const OWN: [string, string, ComponentType] = ["account", "Your account", lazy(() => import("./Account"))];

export function Console() {
  const user = useStore(me);
  const there = useStore(venue);
  const look = useStore(theme);
  return (
    <>
      <header className="top">
        <a className="brand" href="#/overview">
          <span aria-hidden="true" className="mark">
            L
          </span>
          Lombard console
        </a>
        {there?.sandbox && <span className="tag watch">Sandbox</span>}
        <span className="room" />
        <button
          className="plain"
          onClick={switchTheme}
          aria-label={look === "dark" ? "Light colours" : "Dark colours"}
        >
          {look === "dark" ? "☀" : "☾"}
        </button>
        {user && <Operator email={user.email} />}
      </header>
      {user ? <Desk /> : <Door />}
      <footer>
        <span>Lombard {there?.version}</span>
        <a href="/docs">Operators’ API</a>
      </footer>
      <Notes />
    </>
  );
}

function Desk() {
  const where = useStore(route);
  const [name, , Shown] = [...PAGES, OWN].find(([each]) => each === where.page) ?? PAGES[0]!;
  return (
    <div className="office">
      <nav aria-label="Main">
        {PAGES.map(([each, title]) => (
          <a key={each} href={`#/${each}`} aria-current={each === name ? "page" : undefined}>
            {title}
          </a>
        ))}
      </nav>
      <main>
        <Suspense fallback={<p className="empty">Loading…</p>}>
          <Shown key={name} />
        </Suspense>
      </main>
    </div>
  );
}

function Operator({ email }: { email: string }) {
  const where = useStore(route);
  const leave = async (): Promise<void> => {
    try {
      await logOut();
    } catch (error) {
      note(wordsOf(error), "bad");
    }
  };
  return (
    <details className="menu" key={where.page}>
      <summary aria-label={`Operator ${email}`}>{email.split("@")[0]}</summary>
      <div className="sheet">
        <p>{email}</p>
        <a href="#/account">Your account</a>
        <button onClick={() => void leave()}>Log out</button>
      </div>
    </details>
  );
}

function Door() {
  const [email, setEmail] = useState("");
  const [password, setPassword] = useState("");
  const [code, setCode] = useState("");
  const [asksCode, setAsksCode] = useState(false);
  const enter = async (): Promise<string> => {
    try {
      await logIn(email, password, code);
    } catch (error) {
      if (!asksCode && error instanceof Refused && error.code === CODE_NEEDED) {
        setAsksCode(true);
        throw new Refused(error.code, "The password is right. Now the code of your second device.");
      }
      throw error;
    }
    return "Every command you give is on record with your number.";
  };
  return (
    <main>
      <section className="door panel" aria-labelledby="door-title">
        <h1 id="door-title">Operators</h1>
        <Form act="Log in" run={enter}>
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
              maxLength={128}
              autoComplete="current-password"
              value={password}
              onChange={(event) => setPassword(event.target.value)}
            />
          </label>
          {asksCode && <Field label="Code of your second device" value={code} change={setCode} />}
        </Form>
        <p className="soft">
          An operator is made with <code>lombard create-operator</code>; a sandbox prints one’s password when it starts.
        </p>
      </section>
    </main>
  );
}
