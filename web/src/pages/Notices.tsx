import { useEffect, useState } from "react";
import { account, type Balance, type Mode } from "../lib/account";
import { get, me } from "../lib/api";
import { amount, dec } from "../lib/decimal";
import { isGrave, type Notice, notices, seeAll, seenUntil, sentenceOf, utc, whereOf } from "../lib/notices";
import { refusals } from "../lib/refusals";
import { useStore } from "../lib/store";
import { LiquidationRecord } from "../parts/LiquidationRecord";
import { timeOf } from "../parts/SandboxBar";
import { Stranger } from "../parts/Stranger";
import "../styles/pages.css";

export default function Notices() {
  const user = useStore(me);
  useEffect(() => {
    document.title = "Notifications · Lombard";
  }, []);
  return (
    <div className="wide-page">
      <h1>Notifications</h1>
      <Announced />
      {user ? (
        <>
          <Running />
          <Told />
          <Refused />
        </>
      ) : (
        <Stranger to="see what concerns you" />
      )}
    </div>
  );
}

function Told() {
  const all = useStore(notices);
  // What was new when one came stays marked until one leaves.
  const [before] = useState(seenUntil.get());
  const [record, setRecord] = useState<Notice | null>(null);
  useEffect(seeAll, [all]);
  return (
    <section className="panel" aria-label="What happened">
      <div className="panel-head">
        <h2>What happened</h2>
      </div>
      {all.length ? (
        <ul className="told">
          {all.map((each) => (
            <li key={each.noticeId} className={`${isGrave(each) ? "grave" : ""} ${Number(each.cTime) > before ? "new" : ""}`}>
              <time className="num soft">{timeOf(each.cTime)}</time>
              <span>{sentenceOf(each)}</span>
              <Ways notice={each} open={() => setRecord(each)} />
            </li>
          ))}
        </ul>
      ) : (
        <p className="empty">
          Nothing yet. Margin calls, liquidations, failed stops, reminders and announcements will be here, and
          are told the moment they happen.
        </p>
      )}
      {record && (
        <LiquidationRecord
          mode={record.symbol ? "isolated" : "crossed"}
          symbol={record.symbol}
          liqId={record.liqId}
          shut={() => setRecord(null)}
        />
      )}
    </section>
  );
}

function Ways({ notice, open }: { notice: Notice; open: () => void }) {
  if (notice.liqId) return <button onClick={open}>Record</button>;
  if (notice.kind === "marginCall" || notice.kind === "repayReminder") {
    return (
      <a className="button" href="#/assets" title={`Repay in your ${whereOf(notice)}`}>
        Assets
      </a>
    );
  }
  if (notice.kind === "orderFailed") {
    return (
      <a className="button" href="#/history/triggers">
        Orders
      </a>
    );
  }
  if (notice.couponId) {
    return (
      <a className="button" href="#/coupons">
        Coupons
      </a>
    );
  }
  return <span />;
}

const NAMES: Record<Mode, string> = { spot: "Spot", crossed: "Cross", isolated: "Isolated" };

/** What is owed at this moment: as long as it is, interest runs. */
function Running() {
  const own = useStore(account);
  const owed: [Mode, Balance][] = [
    ...own.crossed.map((row): [Mode, Balance] => ["crossed", row]),
    ...own.isolated.map((row): [Mode, Balance] => ["isolated", row]),
  ].filter(([, row]) => dec(row.borrow) > 0n);
  if (!owed.length) return null;
  return (
    <section className="panel" aria-label="Interest runs">
      <div className="panel-head">
        <h2>Interest runs until it is repaid</h2>
        <a className="button" href="#/assets">
          Repay
        </a>
      </div>
      <ul className="told">
        {owed.map(([mode, row]) => (
          <li key={mode + row.symbol + row.coin}>
            <span className="soft">
              {NAMES[mode]} {row.symbol}
            </span>
            <span>
              {amount(dec(row.borrow), row.coin)} {row.coin} borrowed, {row.interest} interest so far
            </span>
          </li>
        ))}
      </ul>
    </section>
  );
}

interface Change {
  announcementId: string;
  kind: string;
  coin: string;
  symbol: string;
  effectiveTime: string;
  collateralRatio: string;
  maintenanceMarginRate: string;
}

function Announced() {
  const [rows, setRows] = useState<Change[]>([]);
  const all = useStore(notices);
  const key = all.filter((each) => each.announcementId).length;
  useEffect(() => {
    let isCurrent = true;
    get<Change[]>("/lombard/v1/announcements")
      .then((found) => isCurrent && setRows(found))
      .catch(() => undefined);
    return () => {
      isCurrent = false;
    };
  }, [key]);
  if (!rows.length) return null;
  return (
    <section className="panel" aria-label="Announced">
      <div className="panel-head">
        <h2>Announced</h2>
      </div>
      <ul className="told">
        {rows.map((row) => (
          <li key={row.announcementId + row.kind}>
            <time className="num soft">{utc(row.effectiveTime)}</time>
            <span>{changeOf(row)}</span>
          </li>
        ))}
      </ul>
    </section>
  );
}

function changeOf(row: Change): string {
  const what = row.coin || row.symbol;
  if (row.kind === "reduce_only") return `${what} is delisted: orders only reduce from then on.`;
  if (row.kind === "repay") return `${what} is delisted: what is owed is repaid by the venue's orders.`;
  const terms = [
    row.collateralRatio && `collateral counts at ${row.collateralRatio}`,
    row.maintenanceMarginRate && `maintenance margin rate ${row.maintenanceMarginRate}`,
  ].filter(Boolean);
  return `New terms of ${what}${terms.length ? `: ${terms.join(", ")}` : ""}.`;
}

function Refused() {
  const all = useStore(refusals);
  if (!all.length) return null;
  return (
    <section className="panel" aria-label="Refused in this window">
      <div className="panel-head">
        <h2>Refused in this window</h2>
        <span className="soft">by the time of this machine</span>
      </div>
      <ul className="told">
        {all.map((each) => (
          <li key={each.id} className="grave">
            <time className="num soft">{timeOf(each.at)}</time>
            <span>
              {each.what} refused: {each.why}
            </span>
          </li>
        ))}
      </ul>
    </section>
  );
}
