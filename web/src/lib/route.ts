import { Store } from "./store";

// Where one is: #/trade/BTCUSDT, #/assets, #/log-in, #/sign-up.

export interface Route {
  page: string;
  rest: string;
}

const read = (): Route => {
  const [page = "", rest = ""] = location.hash.replace(/^#\/?/, "").split("/");
  return { page: page || "trade", rest: decodeURIComponent(rest) };
};

export const route = new Store<Route>(read());
addEventListener("hashchange", () => route.set(read()));

export function go(where: string): void {
  location.hash = where;
}
