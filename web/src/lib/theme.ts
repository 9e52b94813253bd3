import { Store } from "./store";

export type Theme = "light" | "dark";

const system = matchMedia("(prefers-color-scheme: dark)");
const chosen = (): Theme | null => localStorage.getItem("theme") as Theme | null;
export const theme = new Store<Theme>(chosen() ?? (system.matches ? "dark" : "light"));

export function applyTheme(): void {
  const now = chosen() ?? (system.matches ? "dark" : "light");
  document.documentElement.dataset.theme = now;
  theme.set(now);
}

export function switchTheme(): void {
  localStorage.setItem("theme", theme.get() === "dark" ? "light" : "dark");
  applyTheme();
}

system.addEventListener("change", applyTheme);

/** A colour of the page, for what draws by itself. */
export const colour = (name: string): string =>
  getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
