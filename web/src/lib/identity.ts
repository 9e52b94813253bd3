import { get, me, type Me, post as send, Refused, wordsOf } from "./api";
import { Store } from "./store";

// What people do to their own account: each call, and what it brings.

const IDENTITY = "/lombard/v1/identity";

// The code that asks for the second device's digits.
export const CODE_NEEDED = "40019";

/** Word a refusal for a person: the venue's own words are for programs. */
export function saidOf(error: unknown): string {
  if (!(error instanceof Refused)) return wordsOf(error);
  if (error.code === CODE_NEEDED && error.message.includes("code")) return "";
  if (error.code === "40012") return "E-mail or password is wrong.";
  if (error.code === "40020" && error.message.includes("code")) return "That code is wrong, or was used already.";
  if (error.code === "40020" && error.message.includes("token")) return "That token is wrong, or good no more.";
  return error.message;
}

// Counts what was done: what lists it reads again.
export const acts = new Store(0);

async function post<T>(path: string, body: object = {}): Promise<T> {
  const made = await send<T>(path, body);
  acts.change((now) => now + 1);
  return made;
}

export interface Key {
  apiKey: string;
  label: string;
  permissions: string[];
  ips: string[];
  cTime: string;
}

export interface NewKey {
  apiKey: string;
  secretKey: string;
  passphrase: string;
}

export interface Session {
  sessionId: string;
  current: boolean;
  address: string;
  agent: string;
  cTime: string;
  seenTime: string;
  endsAt: string;
}

export interface Entry {
  id: string;
  cTime: string;
  action: string;
  detail: string;
  address: string;
}

export interface Enrolment {
  secret: string;
  uri: string;
}

/** Ask again who one is: whether what needs it may be done without confirming. */
export async function readMe(): Promise<Me> {
  const found = await get<Me>(`${IDENTITY}/me`);
  me.set(found);
  return found;
}

/** Say again who one is, by the code of a second device where there is one, else by password. */
export async function confirm(word: string, byCode: boolean): Promise<void> {
  me.set(await post<Me>(`${IDENTITY}/confirm`, byCode ? { code: word } : { password: word }));
}

export const readKeys = (): Promise<Key[]> => get(`${IDENTITY}/keys`);
export const makeKey = (wish: {
  label: string;
  permissions: string[];
  ips: string[];
  passphrase: string;
}): Promise<NewKey> => post(`${IDENTITY}/keys/create`, wish);
export const dropKey = (apiKey: string): Promise<unknown> => post(`${IDENTITY}/keys/delete`, { apiKey });

export const readSessions = (): Promise<Session[]> => get(`${IDENTITY}/sessions`);
export const endSession = (sessionId: string): Promise<unknown> =>
  post(`${IDENTITY}/sessions/revoke`, { sessionId });
export const endOthers = (): Promise<unknown> => post(`${IDENTITY}/sessions/revoke-others`);

export const enrol = (): Promise<Enrolment> => post(`${IDENTITY}/totp/enrol`);

/** Put the second device in force; returns the recovery codes. */
export async function confirmDevice(code: string): Promise<string[]> {
  const made = await post<{ recoveryCodes: string[]; csrfToken: string }>(`${IDENTITY}/totp/confirm`, { code });
  me.change((now) => now && { ...now, csrfToken: made.csrfToken, totp: true });
  return made.recoveryCodes;
}

export async function removeDevice(): Promise<void> {
  me.set(await post<Me>(`${IDENTITY}/totp/remove`));
}

export async function renewCodes(): Promise<string[]> {
  const made = await post<{ recoveryCodes: string[] }>(`${IDENTITY}/totp/recovery-codes`);
  return made.recoveryCodes;
}

export async function changePassword(password: string, newPassword: string, code: string): Promise<void> {
  me.set(await post<Me>(`${IDENTITY}/password`, { password, newPassword, code }));
}

export const resetPassword = (token: string, newPassword: string, code: string): Promise<unknown> =>
  post(`${IDENTITY}/password-reset`, { token, newPassword, code });

export const readAudit = (idLessThan = ""): Promise<Entry[]> => get(`${IDENTITY}/audit`, { idLessThan });
