import { type FormEvent, useState } from "react";
import { amount, dec, percent, shown } from "../lib/decimal";
import { go, route } from "../lib/route";
import { useStore } from "../lib/store";
import { read, send, timeText, useRead } from "./data";
import { Act, Choice, Fault, Page, Panel, Sheet, Table, Tag } from "./parts";

interface User {
  userId: string;
  vipLevel: string;
  nextVipLevel: string;
  accounts: string;
  inDebt: boolean;
  inLiquidation: boolean;
  frozen: boolean;
}

interface Balance {
  coin: string;
  available: string;
  frozen: string;
  borrow: string;
  interest: string;
  net: string;
}

interface Account {
  accountType: string;
  symbol: string;
  frozen: boolean;
  inLiquidation: boolean;
  leverage: string;
  netValue: string;
  debtValue: string;
  riskRate: string;
  openOrders: string;
  balances: Balance[];
}

interface Line {
  ledgerId: string;
  kind: string;
  coin: string;
  amount: string;
  fee: string;
  balance: string;
  referenceId: string;
  cTime: string;
}

const PAGE = 100;
const NAMES: { [type: string]: string } = { spot: "Spot", crossed_margin: "Cross", isolated_margin: "Isolated" };
const nameOf = (row: { accountType: string; symbol: string }): string =>
  `${NAMES[row.accountType] ?? row.accountType} ${row.symbol}`.trim();

export default function Users() {
  const { rest } = useStore(route);
  return rest ? <OneUser key={rest} user={rest} /> : <List />;
}

function Flags({ of }: { of: User }) {
  return (
    <>
      {of.frozen && <Tag kind="watch">frozen</Tag>}
      {of.inLiquidation && <Tag kind="bad">in liquidation</Tag>}
      {of.inDebt && <Tag kind="plain">in debt</Tag>}
    </>
  );
}

function List() {
  const [after, setAfter] = useState<string[]>([""]);
  const [sought, setSought] = useState("");
  const [made, setMade] = useState<NewUser | null>(null);
  const users = useRead<User[]>("users", { after: after.at(-1), limit: PAGE });
  const find = (event: FormEvent): void => {
    event.preventDefault();
    go(`/users/${sought.trim()}`);
  };
  return (
    <Page
      title="Users"
      actions={
        <>
          <form className="search" role="search" onSubmit={find}>
            <input
              aria-label="Number of a user"
              placeholder="Number of a user"
              inputMode="numeric"
              required
              pattern="\d+"
              title="A whole number, such as 1000001"
              value={sought}
              onChange={(event) => setSought(event.target.value)}
            />
            <button>Find</button>
          </form>
          <Act
            run={async () => {
              const user = await send<NewUser>("users");
              setMade(user);
              return `User ${user.userId} was admitted.`;
            }}
            done={users.again}
          >
            Admit a user
          </Act>
        </>
      }
    >
      <Fault words={users.fault} />
      <Panel title="By number">
        <Table
          label="Users"
          rows={users.data}
          keyOf={(row) => row.userId}
          empty="Nobody here."
          columns={[
            { name: "User", cell: (row) => <a href={`#/users/${row.userId}`}>{row.userId}</a> },
            {
              name: "VIP level",
              num: true,
              cell: (row) => (row.vipLevel === row.nextVipLevel ? row.vipLevel : `${row.vipLevel} → ${row.nextVipLevel}`),
            },
            { name: "Accounts", num: true, cell: (row) => row.accounts },
            { name: "State", cell: (row) => <Flags of={row} /> },
          ]}
        />
        <p className="pad actions">
          <button disabled={after.length < 2} onClick={() => setAfter(after.slice(0, -1))}>
            Before
          </button>
          <button
            disabled={(users.data?.length ?? 0) < PAGE}
            onClick={() => setAfter([...after, users.data?.at(-1)?.userId ?? ""])}
          >
            Further
          </button>
        </p>
      </Panel>
      {made && (
        <Sheet title={`User ${made.userId}`} shut={() => setMade(null)}>
          <div className="entry-form">
            <p>This key is shown this once. Whoever has it acts as the user.</p>
            <dl className="facts secret">
              <div>
                <dt>apiKey</dt>
                <dd>{made.apiKey}</dd>
              </div>
              <div>
                <dt>secretKey</dt>
                <dd>{made.secretKey}</dd>
              </div>
              <div>
                <dt>passphrase</dt>
                <dd>{made.passphrase}</dd>
              </div>
            </dl>
          </div>
        </Sheet>
      )}
    </Page>
  );
}

interface Reset {
  email: string;
  token: string;
  endsAt: string;
}

interface NewUser {
  userId: string;
  apiKey: string;
  secretKey: string;
  passphrase: string;
}

function OneUser({ user }: { user: string }) {
  const found = useRead<User[]>("users", { after: String(Number(user) - 1), limit: 1 });
  const accounts = useRead<Account[]>("users/accounts", { userId: user }, 5000);
  const [reset, setReset] = useState<Reset | null>(null);
  const row = found.data?.find((each) => each.userId === user);
  const again = (): void => {
    found.again();
    accounts.again();
  };
  const freeze = async (on: boolean, account?: Account): Promise<string> => {
    const which = account ? { accountType: account.accountType, symbol: account.symbol } : {};
    await send("users/freeze", { userId: user, frozen: on, ...which });
    const what = account ? `${nameOf(account)} of ${user}` : `User ${user}`;
    return on ? `${what} is frozen: it may repay, cancel and receive.` : `${what} is free again.`;
  };
  return (
    <Page
      title={`User ${user}`}
      actions={
        row && (
          <>
            <Act run={() => freeze(!row.frozen)} done={again}>
              {row.frozen ? "Unfreeze all" : "Freeze all"}
            </Act>
            <Act
              run={async () => {
                setReset(await send<Reset>("users/password-reset", { userId: user }));
                return "";
              }}
            >
              Reset password
            </Act>
            <Level user={row} done={again} />
          </>
        )
      }
    >
      <p>
        <a href="#/users">All users</a> {row && <Flags of={row} />}
      </p>
      <Fault words={found.fault || accounts.fault || (found.data && !row ? "There is no user of this number." : "")} />
      {accounts.data?.map((account) => (
        <Panel
          key={account.accountType + account.symbol}
          title={nameOf(account)}
          aside={
            <div className="actions">
              {account.frozen && <Tag kind="watch">frozen</Tag>}
              {account.inLiquidation && <Tag kind="bad">in liquidation</Tag>}
              <Act
                label={`${account.frozen ? "Unfreeze" : "Freeze"} ${nameOf(account)}`}
                run={() => freeze(!account.frozen, account)}
                done={again}
              >
                {account.frozen ? "Unfreeze" : "Freeze"}
              </Act>
            </div>
          }
        >
          {account.accountType !== "spot" && (
            <p className="soft pad num left">
              Net {shown(dec(account.netValue), 2)} USDT · debt {shown(dec(account.debtValue), 2)} USDT · ratio{" "}
              {percent(dec(account.riskRate), 1)} · leverage {account.leverage}× · {account.openOrders} open orders
            </p>
          )}
          <Table
            label={`Balances of ${nameOf(account)}`}
            rows={account.balances}
            keyOf={(balance) => balance.coin}
            empty="Nothing in it."
            columns={[
              { name: "Coin", cell: (balance) => balance.coin },
              ...(["available", "frozen", "borrow", "interest", "net"] as const).map((key) => ({
                name: { available: "Available", frozen: "In orders", borrow: "Loan", interest: "Interest", net: "Net" }[key],
                num: true,
                cell: (balance: Balance) => amount(dec(balance[key]), balance.coin),
              })),
            ]}
          />
        </Panel>
      ))}
      {accounts.data && <Ledger user={user} accounts={accounts.data} />}
      {reset && (
        <Sheet title="A new password" shut={() => setReset(null)}>
          <div className="entry-form">
            <p>
              {reset.email} sets a new password with this, once, until {timeText(reset.endsAt)} UTC. It is shown this
              once: hand it over by a safe way. The second device stays.
            </p>
            <dl className="facts secret">
              <div>
                <dt>token</dt>
                <dd>{reset.token}</dd>
              </div>
            </dl>
          </div>
        </Sheet>
      )}
    </Page>
  );
}

function Level({ user, done }: { user: User; done: () => void }) {
  const levels = useRead<object[]>("vip-levels");
  return (
    <label className="search">
      VIP level
      <select
        value={user.nextVipLevel}
        onChange={(event) => {
          void send("users/level", { userId: user.userId, level: event.target.value }).then(done, done);
        }}
      >
        {(levels.data ?? [{}]).map((_, level) => (
          <option key={level} value={String(level)}>
            {level}
          </option>
        ))}
      </select>
    </label>
  );
}

function Ledger({ user, accounts }: { user: string; accounts: Account[] }) {
  const [which, setWhich] = useState("0");
  const [older, setOlder] = useState<Line[]>([]);
  const account = accounts[Number(which)];
  const query = { userId: user, accountType: account?.accountType, symbol: account?.symbol, limit: PAGE };
  const found = useRead<Line[]>("users/ledger", query);
  const rows = found.data && [...found.data, ...older];
  const more = async (): Promise<string> => {
    const next = await read<Line[]>("users/ledger", { ...query, idLessThan: rows?.at(-1)?.ledgerId });
    setOlder([...older, ...next]);
    return `${next.length} older lines.`;
  };
  return (
    <Panel
      title="Statement"
      aside={
        <Choice
          label="Account"
          value={which}
          options={accounts.map((each, place) => [String(place), nameOf(each)])}
          change={(value) => {
            setOlder([]);
            setWhich(value);
          }}
        />
      }
    >
      <Fault words={found.fault} />
      <Table
        label="Statement"
        rows={rows}
        keyOf={(row) => row.ledgerId}
        empty="Nothing has moved."
        columns={[
          { name: "Time (UTC)", cell: (row) => timeText(row.cTime) },
          { name: "What", cell: (row) => row.kind.replaceAll("_", " ") },
          { name: "Coin", cell: (row) => row.coin },
          { name: "Amount", num: true, cell: (row) => amount(dec(row.amount), row.coin) },
          { name: "Fee", num: true, cell: (row) => amount(dec(row.fee), row.coin) },
          { name: "Balance after", num: true, cell: (row) => amount(dec(row.balance), row.coin) },
        ]}
      />
      {(rows?.length ?? 0) >= PAGE && (
        <p className="pad">
          <Act run={more}>Older</Act>
        </p>
      )}
    </Panel>
  );
}
