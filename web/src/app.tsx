import { lazy, Suspense, useEffect, useRef, useState } from "react";
import { account } from "./lib/account";
import { demo, logOut, me, venue, wordsOf } from "./lib/api";
import { go, route } from "./lib/route";
import { connected } from "./lib/socket";
import { useStore } from "./lib/store";
import { switchTheme, theme } from "./lib/theme";
import { Assets } from "./pages/Assets";
import { Door } from "./pages/Door";
import { Trade } from "./pages/Trade";
import { Bell } from "./parts/Bell";
import { SandboxBar } from "./parts/SandboxBar";
import { Notes, note } from "./parts/Notes";
import "./styles/header.css";

// Pages that are not the first come when they are asked for.
const LATER: Record<string, ReturnType<typeof lazy>> = {
  history: lazy(() => import("./pages/History")),
  coupons: lazy(() => import("./pages/Coupons")),
  rates: lazy(() => import("./pages/Rates")),
  notices: lazy(() => import("./pages/Notices")),
  account: lazy(() => import("./pages/Account")),
  reset: lazy(() => import("./pages/Reset")),
};

export function App() {
  const where = useStore(route);
  const there = useStore(venue);
  return (
    <>
      <Header />
      {there?.sandbox && <SandboxBar />}
      <main>
        <Page page={where.page} />
      </main>
      <footer>
        <span>Lombard {there?.version}</span>
        <a href="/docs">API</a>
        <a href="https://www.tradingview.com/" rel="noreferrer">
          Charts by TradingView
        </a>
        {there?.sandbox && <span>Sandbox: nothing here is worth anything.</span>}
      </footer>
      <Notes />
    </>
  );
}

function Page({ page }: { page: string }) {
  if (page === "log-in" || page === "sign-up") return <Door isNew={page === "sign-up"} />;
  if (page === "assets") return <Assets />;
  const Later = LATER[page];
  if (Later) {
    return (
      <Suspense fallback={<p className="alone">…</p>}>
        <Later />
      </Suspense>
    );
  }
  return <Trade />;
}

function Header() {
  const where = useStore(route);
  const user = useStore(me);
  const online = useStore(connected);
  const look = useStore(theme);
  const { crossedRisk } = useStore(account);
  const tab = (page: string, name: string) => (
    <a href={`#/${page}`} aria-current={where.page === page ? "page" : undefined}>
      {name}
    </a>
  );
  return (
    <header className="top">
      <a className="brand" href="#/trade">
        <span aria-hidden="true" className="mark">
          L
        </span>
        Lombard
      </a>
      <nav aria-label="Main">
        {tab("trade", "Trade")}
        {user && tab("assets", "Assets")}
        {user && tab("history", "History")}
        {tab("coupons", "Coupons")}
        {tab("rates", "Rates")}
      </nav>
      <span className="room" />
      {!online && (
        <span className="offline" role="status">
          Reconnecting…
        </span>
      )}
      {user && crossedRisk !== "0" && (
        <a className="risk-note num" href="#/assets" title="Risk ratio of the cross account">
          Risk {(Number(crossedRisk) * 100).toFixed(1)} %
        </a>
      )}
      <button
        className="plain"
        onClick={switchTheme}
        aria-label={look === "dark" ? "Light colours" : "Dark colours"}
      >
        {look === "dark" ? "☀" : "☾"}
      </button>
      {user && <Bell />}
      {user ? <UserMenu email={user.email} /> : <Entry />}
    </header>
  );
}

function Entry() {
  const there = useStore(venue);
  return (
    <div className="entry">
      {there?.sandbox && (
        <span className="wide-only">
          <DemoButton />
        </span>
      )}
      <a className="button" href="#/log-in">
        Log in
      </a>
      {there?.signUp && (
        <a className="button" href="#/sign-up">
          Sign up
        </a>
      )}
    </div>
  );
}

export function DemoButton() {
  const [busy, setBusy] = useState(false);
  const begin = async (): Promise<void> => {
    setBusy(true);
    try {
      await demo();
      note("A demo user with 100 000 USDT and 1 BTC in the spot account.");
      go("/trade");
    } catch (error) {
      note(wordsOf(error), "bad");
    } finally {
      setBusy(false);
    }
  };
  return (
    <button className="primary" onClick={() => void begin()} disabled={busy}>
      {busy ? "Opening…" : "Try as demo user"}
    </button>
  );
}

function UserMenu({ email }: { email: string }) {
  const menu = useRef<HTMLDetailsElement>(null);
  useEffect(() => {
    // A click anywhere else, or on what is in it, shuts it.
    const shut = (event: MouseEvent): void => {
      const summary = menu.current?.querySelector("summary");
      if (!summary?.contains(event.target as Node)) menu.current?.removeAttribute("open");
    };
    document.addEventListener("click", shut);
    return () => document.removeEventListener("click", shut);
  }, []);
  const leave = async (): Promise<void> => {
    try {
      const leaving = logOut();
      go("/trade");
      await leaving;
    } catch (error) {
      note(wordsOf(error), "bad");
    }
  };
  return (
    <details className="menu" ref={menu}>
      <summary aria-label={`Account ${email}`}>{email.split("@")[0]}</summary>
      <div className="sheet">
        <p>{email}</p>
        <a href="#/account">Account and keys</a>
        <button onClick={() => void leave()}>Log out</button>
      </div>
    </details>
  );
}
