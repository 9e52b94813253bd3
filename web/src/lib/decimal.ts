// Decimals, exact: integers of 10^-18. Amounts arrive and leave as strings, never as floats.

export type Dec = bigint;

const PLACES = 18;
export const ONE: Dec = 10n ** BigInt(PLACES);
export const ZERO: Dec = 0n;

/** Read a decimal; what is none counts as zero. */
export function dec(text: string | undefined | null): Dec {
  const found = /^(-?)(\d*)(?:\.(\d*))?$/.exec((text ?? "").trim());
  if (!found || (!found[2] && !found[3])) return ZERO;
  const fraction = (found[3] ?? "").slice(0, PLACES).padEnd(PLACES, "0");
  const value = BigInt((found[2] || "0") + fraction);
  return found[1] ? -value : value;
}

export const isDecimal = (text: string): boolean => /^\d+(\.\d*)?$|^\.\d+$/.test(text.trim());
export const mul = (a: Dec, b: Dec): Dec => (a * b) / ONE;
export const div = (a: Dec, b: Dec): Dec => (b === ZERO ? ZERO : (a * ONE) / b);
export const abs = (a: Dec): Dec => (a < 0n ? -a : a);
export const max = (a: Dec, b: Dec): Dec => (a > b ? a : b);
export const min = (a: Dec, b: Dec): Dec => (a < b ? a : b);
export const num = (a: Dec): number => Number(a) / 1e18;

/** Write a decimal with so many places, cut off towards zero. */
export function fixed(value: Dec, places: number): string {
  const cut = abs(value) / 10n ** BigInt(PLACES - places);
  const digits = cut.toString().padStart(places + 1, "0");
  const sign = value < 0n && cut !== 0n ? "-" : "";
  const whole = digits.slice(0, digits.length - places);
  return sign + whole + (places ? "." + digits.slice(digits.length - places) : "");
}

/** Write a decimal without the zeros at its end: as the API takes it. */
export function plain(value: Dec, places = PLACES): string {
  const text = fixed(value, places);
  return text.includes(".") ? text.replace(/\.?0+$/, "") : text;
}

/** Write a decimal for people, thousands set apart; `places` is the least and the most. */
export function shown(value: Dec, places: number): string {
  const [whole = "", fraction] = fixed(value, places).split(".");
  const grouped = whole.replace(/\B(?=(\d{3})+(?!\d))/g, " ");
  return fraction ? `${grouped}.${fraction}` : grouped;
}

/** Write an amount of a coin: two places where it is money, up to eight where it is small. */
export function amount(value: Dec, coin = ""): string {
  if (value === ZERO) return "0";
  const money = coin === "USDT" || coin === "USDC";
  if (money && abs(value) >= ONE / 100n) return shown(value, 2);
  const size = abs(value);
  const places = size >= ONE * 10000n ? 2 : size >= ONE * 100n ? 4 : 8;
  return shown(value, places).replace(/(\.\d*?)0+$/, "$1").replace(/\.$/, "");
}

/** Write a ratio as a percentage. */
export const percent = (value: Dec, places = 2): string => `${shown(value * 100n, places)} %`;
