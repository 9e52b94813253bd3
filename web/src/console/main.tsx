import { createRoot } from "react-dom/client";
import { open } from "../lib/api";
import { applyTheme } from "../lib/theme";
import { Console } from "./Console";
import "../styles.css";
import "../styles/console.css";

applyTheme();
const root = createRoot(document.getElementById("root") as HTMLElement);

async function start(): Promise<void> {
  try {
    await open();
    root.render(<Console />);
  } catch {
    root.render(<p className="alone">The venue cannot be reached. Reload to try again.</p>);
  }
}

void start();
