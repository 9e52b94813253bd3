import { useState } from "react";
import { account } from "../lib/account";
import { me } from "../lib/api";
import { useStore } from "../lib/store";
import { Debts } from "./Debts";
import { Orders } from "./Orders";
import { PastOrders } from "./PastOrders";
import { Positions } from "./Positions";

// One's positions, open orders and past orders, below the chart.

export function Own({ symbol }: { symbol: string }) {
  const [tab, setTab] = useState("positions");
  const own = useStore(account);
  const user = useStore(me);
  const tabs: [string, string][] = [
    ["positions", `Positions (${own.positions.length})`],
    ["orders", `Open orders (${own.orders.length + own.plans.length})`],
    ["history", "Order history"],
  ];
  return (
    <section className="panel own" aria-label="Positions and orders">
      {user && <Debts />}
      <div className="tabs" role="tablist">
        {tabs.map(([name, title]) => (
          <button
            key={name}
            role="tab"
            aria-selected={tab === name}
            id={`tab-${name}`}
            aria-controls="own-panel"
            onClick={() => setTab(name)}
          >
            {title}
          </button>
        ))}
      </div>
      <div className="scroll" role="tabpanel" id="own-panel" aria-labelledby={`tab-${tab}`} tabIndex={0}>
        {!user && <p className="empty">Log in to see positions and orders.</p>}
        {user && tab === "positions" && <Positions rows={own.positions} />}
        {user && tab === "orders" && <Orders orders={own.orders} plans={own.plans} symbol={symbol} />}
        {user && tab === "history" && <PastOrders symbol={symbol} reading={own.reading} />}
      </div>
    </section>
  );
}
