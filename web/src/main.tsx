import { createRoot } from "react-dom/client";
import { App } from "./app";
import { open } from "./lib/api";
import { followOwn } from "./lib/account";
import { openMarket } from "./lib/market";
import { followNotices } from "./lib/notices";
import { applyTheme } from "./lib/theme";
import "./styles.css";

applyTheme();
const root = createRoot(document.getElementById("root") as HTMLElement);

async function start(): Promise<void> {
  try {
    await open();
    root.render(<App />);
    followOwn();
    followNotices();
    await openMarket();
  } catch {
    root.render(<p className="alone">The venue cannot be reached. Reload to try again.</p>);
  }
}

void start();
