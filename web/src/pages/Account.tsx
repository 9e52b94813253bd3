import { type FormEvent, useEffect, useState } from "react";
import { me, wordsOf } from "../lib/api";
import {
  acts,
  changePassword,
  endOthers,
  endSession,
  type Entry,
  readAudit,
  readSessions,
  saidOf,
  type Session,
} from "../lib/identity";
import { utc } from "../lib/notices";
import { useStore } from "../lib/store";
import { Confirming } from "../parts/Confirming";
import { Device } from "../parts/Device";
import { Keys } from "../parts/Keys";
import { note } from "../parts/Notes";
import { Stranger } from "../parts/Stranger";
import "../styles/pages.css";

const AUDIT_PAGE = 50;

export default function Account() {
  const user = useStore(me);
  useEffect(() => {
    document.title = "Account · Lombard";
  }, []);
  if (!user) return <Stranger to="see your account" />;
  return (
    <div className="wide-page account" key={user.userId}>
      <h1>Account</h1>
      <section className="panel" aria-label="Who you are">
        <div className="panel-head">
          <h2>{user.email}</h2>
          <span className="soft num">User {user.userId}</span>
        </div>
      </section>
      <Device />
      <Keys />
      <Password />
      <Sessions />
      <Audit />
      <Confirming />
    </div>
  );
}

function Password() {
  const user = useStore(me);
  const [isOpen, setIsOpen] = useState(false);
  const [old, setOld] = useState("");
  const [fresh, setFresh] = useState("");
  const [code, setCode] = useState("");
  const [fault, setFault] = useState("");
  const [busy, setBusy] = useState(false);
  const run = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    setBusy(true);
    setFault("");
    try {
      await changePassword(old, fresh, code.trim());
      note("The password is changed, and every other session has ended.");
      setIsOpen(false);
      setOld("");
      setFresh("");
      setCode("");
    } catch (error) {
      setFault(saidOf(error));
    } finally {
      setBusy(false);
    }
  };
  return (
    <section className="panel" aria-label="Password">
      <div className="panel-head">
        <h2>Password</h2>
        <button aria-expanded={isOpen} onClick={() => setIsOpen(!isOpen)}>
          {isOpen ? "Never mind" : "Change"}
        </button>
      </div>
      {isOpen && (
        <form className="stack" onSubmit={(event) => void run(event)}>
          <label>
            Present password
            <input
              type="password"
              required
              autoComplete="current-password"
              value={old}
              onChange={(event) => setOld(event.target.value)}
            />
          </label>
          <label>
            New password, at least 10 characters
            <input
              type="password"
              required
              minLength={10}
              maxLength={128}
              autoComplete="new-password"
              value={fresh}
              onChange={(event) => setFresh(event.target.value)}
            />
          </label>
          {user?.totp && (
            <label>
              Code of your second device
              <input
                required
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
          <div className="row">
            <button className="primary" disabled={busy}>
              Change the password
            </button>
          </div>
        </form>
      )}
    </section>
  );
}

function Sessions() {
  const user = useStore(me);
  const [rows, setRows] = useState<Session[]>([]);
  const read = (): void => {
    readSessions()
      .then(setRows)
      .catch((error: unknown) => note(wordsOf(error), "bad"));
  };
  // Another token is another session.
  useEffect(read, [user?.csrfToken]);
  const end = async (how: () => Promise<unknown>, told: string): Promise<void> => {
    try {
      await how();
      note(told);
    } catch (error) {
      note(wordsOf(error), "bad");
    } finally {
      read();
    }
  };
  return (
    <section className="panel" aria-label="Sessions">
      <div className="panel-head">
        <h2>Where you are logged in</h2>
        <button disabled={rows.length < 2} onClick={() => void end(endOthers, "Every other session has ended.")}>
          End all others
        </button>
      </div>
      <div className="scroll" tabIndex={0} role="region" aria-label="Where you are logged in">
        <table>
          <thead>
            <tr>
              <th>Browser</th>
              <th>Address</th>
              <th className="num">Since (UTC)</th>
              <th className="num">Last seen</th>
              <th className="num">Ends unused</th>
              <th>
                <span className="hidden">End</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {rows.map((row) => (
              <tr key={row.sessionId}>
                <th scope="row" className="agent" title={row.agent}>
                  {agentOf(row.agent)}
                </th>
                <td>{row.address}</td>
                <td className="num">{utc(row.cTime)}</td>
                <td className="num">{utc(row.seenTime)}</td>
                <td className="num">{utc(row.endsAt)}</td>
                <td className="act">
                  {row.current ? (
                    <span className="up">this one</span>
                  ) : (
                    <button onClick={() => void end(() => endSession(row.sessionId), "That session has ended.")}>
                      End
                    </button>
                  )}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

/** Name a browser by what it says of itself. */
function agentOf(agent: string): string {
  const found = /(Firefox|Edg|OPR|HeadlessChrome|Chrome|Version)\/(\d+)/.exec(agent);
  const system = /(Android|iPhone|iPad|Windows|Mac OS X|Linux)/.exec(agent)?.[1];
  if (!found) return agent.slice(0, 60) || "unknown";
  const names: Record<string, string> = { Edg: "Edge", OPR: "Opera", HeadlessChrome: "Chrome", Version: "Safari" };
  return `${names[found[1] ?? ""] ?? found[1]} ${found[2]}${system ? `, ${system}` : ""}`;
}

function Audit() {
  const done = useStore(acts);
  const [rows, setRows] = useState<Entry[]>([]);
  const [hasMore, setHasMore] = useState(false);
  const read = async (before = ""): Promise<void> => {
    try {
      const found = await readAudit(before);
      setRows((now) => (before ? [...now, ...found] : found));
      setHasMore(found.length === AUDIT_PAGE);
    } catch (error) {
      note(wordsOf(error), "bad");
    }
  };
  useEffect(() => void read(), [done]);
  return (
    <section className="panel" aria-label="Activity">
      <div className="panel-head">
        <h2>What was done with this account</h2>
        <button onClick={() => void read()}>Refresh</button>
      </div>
      <div className="scroll receipts" tabIndex={0} role="region" aria-label="What was done">
        <table>
          <thead>
            <tr>
              <th>When (UTC)</th>
              <th>What</th>
              <th>Of what</th>
              <th>From</th>
            </tr>
          </thead>
          <tbody>
            {rows.map((row) => (
              <tr key={row.id}>
                <th scope="row" className="num left">
                  {utc(row.cTime)}
                </th>
                <td>{row.action}</td>
                <td className="agent">{row.detail || "–"}</td>
                <td>{row.address || "–"}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {hasMore && (
        <div className="turn">
          <button onClick={() => void read(rows.at(-1)?.id)}>Older</button>
        </div>
      )}
    </section>
  );
}
