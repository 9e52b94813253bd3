import { keepRefusal } from "./refusals";
import { Store } from "./store";

// The venue's public API, as any client has it; a browser has a session in place of a key.

export interface Venue {
  sandbox: boolean;
  sandboxNeedsToken: boolean;
  signUp: boolean;
  version: string;
}

export interface Me {
  userId: string;
  email: string;
  role: string;
  totp: boolean;
  csrfToken: string;
  confirmed: boolean;
}

// The code of a call that came too soon after others.
export const TOO_MANY = "429";

/** A refusal of the venue's, in its own words. */
export class Refused extends Error {
  constructor(
    readonly code: string,
    message: string,
  ) {
    super(message);
  }
}

export const me = new Store<Me | null>(null);
export const venue = new Store<Venue | null>(null);
export const sandboxToken = { value: sessionStorage.getItem("sandbox-token") ?? "" };

const NO_SESSION = "30004";
const PATIENCE_MS = 5000;

type Query = Record<string, string | number | undefined>;

interface Envelope<T> {
  code: string;
  msg: string;
  data: T;
}

export async function get<T>(path: string, query: Query = {}): Promise<T> {
  const said = Object.entries(query).filter(([, value]) => value !== undefined && value !== "");
  const tail = new URLSearchParams(said.map(([name, value]) => [name, String(value)])).toString();
  const target = tail ? `${path}?${tail}` : path;
  return counted(async () => answer<T>(await fetch(target, { headers: local(path) })));
}

let underWay = 0;

async function counted<T>(call: () => Promise<T>): Promise<T> {
  underWay += 1;
  try {
    return await call();
  } finally {
    underWay -= 1;
  }
}

/** Wait until what was asked is answered, if that is soon. */
async function settled(): Promise<void> {
  const until = Date.now() + PATIENCE_MS;
  while (underWay && Date.now() < until) await new Promise((done) => window.setTimeout(done, 20));
}

/** Send something to be done. Sent again when no answer came: the same key is the same command. */
export function post<T>(path: string, body: object = {}, token = me.get()?.csrfToken): Promise<T> {
  return counted(() => send<T>(path, body, token));
}

async function send<T>(path: string, body: object, token: string | undefined): Promise<T> {
  const request = {
    method: "POST",
    body: JSON.stringify(body),
    headers: {
      "Content-Type": "application/json",
      "X-CSRF-Token": token ?? "",
      "Idempotency-Key": crypto.getRandomValues(new Uint32Array(4)).join("-"),
      ...local(path),
    },
  };
  let response: Response;
  try {
    response = await fetch(path, request);
  } catch {
    response = await fetch(path, request);
  }
  try {
    return await answer<T>(response);
  } catch (error) {
    if (error instanceof Refused) keepRefusal(path, error.message);
    throw error;
  }
}

function local(path: string): Record<string, string> {
  const isSandbox = path.startsWith("/lombard/v1/sandbox/");
  return isSandbox && sandboxToken.value ? { "X-Lombard-Token": sandboxToken.value } : {};
}

async function answer<T>(response: Response): Promise<T> {
  let said: Envelope<T>;
  try {
    said = (await response.json()) as Envelope<T>;
  } catch {
    throw new Refused(String(response.status), `The venue answers with HTTP ${response.status}.`);
  }
  if (said.code === "00000") return said.data;
  if (said.code === NO_SESSION) void lookAgain();
  throw new Refused(said.code, said.msg);
}

// --- sessions ---------------------------------------------------------------------------------

const IDENTITY = "/lombard/v1/identity";
// Whether somebody is logged in cannot be read from the cookie; asking in vain would be a fault.
const NOTE = "lombard-session";

export async function open(): Promise<void> {
  venue.set((await (await fetch("/terminal.json")).json()) as Venue);
  if (!localStorage.getItem(NOTE)) return;
  try {
    me.set(await get<Me>(`${IDENTITY}/me`));
  } catch {
    leave();
  }
}

export async function logIn(email: string, password: string, code = ""): Promise<void> {
  const found = await post<Me>(`${IDENTITY}/log-in`, { email, password, code });
  localStorage.setItem(NOTE, found.userId);
  me.set(found);
}

export async function signUp(email: string, password: string): Promise<void> {
  await post(`${IDENTITY}/sign-up`, { email, password });
  await logIn(email, password);
}

/** Make a user of the sandbox with something to trade with; nobody has to remember it. */
export async function demo(): Promise<void> {
  const name = [...crypto.getRandomValues(new Uint8Array(4))].map((each) =>
    each.toString(16).padStart(2, "0"),
  );
  const password = crypto.getRandomValues(new Uint32Array(4)).join("-");
  await signUp(`demo-${name.join("")}@sandbox.example`, password);
  await faucet("USDT", "100000");
  await faucet("BTC", "1");
}

export async function faucet(coin: string, amount: string): Promise<void> {
  const userId = me.get()?.userId ?? "";
  await post("/lombard/v1/sandbox/deposits", { userId, coin, amount });
}

export async function logOut(): Promise<void> {
  const before = me.get();
  // First of all nobody asks any more in the name of who leaves, and who has asked is answered.
  me.set(null);
  await settled();
  try {
    await post(`${IDENTITY}/log-out`, {}, before?.csrfToken);
    leave();
  } catch (error) {
    me.set(before);
    throw error;
  }
}

let isLooking = false;

/** Look whether the session is over, or was only replaced while something was under way. */
async function lookAgain(): Promise<void> {
  if (isLooking || !me.get()) return;
  isLooking = true;
  try {
    const said = (await (await fetch(`${IDENTITY}/me`)).json()) as Envelope<Me>;
    if (said.code === "00000") me.set(said.data);
    else if (said.code === NO_SESSION) leave();
  } catch {
    // Whoever asks next looks again.
  } finally {
    isLooking = false;
  }
}

function leave(): void {
  localStorage.removeItem(NOTE);
  me.set(null);
}

/** The words of whatever went wrong. */
export const wordsOf = (error: unknown): string =>
  error instanceof Refused
    ? error.message
    : error instanceof TypeError
      ? "The venue cannot be reached."
      : String(error);
