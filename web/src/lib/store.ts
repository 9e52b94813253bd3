import { useSyncExternalStore } from "react";

// Values that change faster than a screen: readers hear of them once a frame; of the market ten
// times a second, all of it in one frame, which is as much as anybody can read.

const CALM_MS = 100;
const waiting = new Set<() => void>();
const calmly = new Set<() => void>();
let asked = false;
let timer = 0;
let calmed = 0;

function tell(): void {
  asked = false;
  const told = [...waiting];
  waiting.clear();
  for (const each of told) each();
}

function ask(): void {
  if (asked) return;
  asked = true;
  requestAnimationFrame(tell);
}

function askCalmly(): void {
  timer ||= window.setTimeout(() => {
    timer = 0;
    calmed = performance.now();
    for (const each of calmly) waiting.add(each);
    calmly.clear();
    ask();
  }, Math.max(0, calmed + CALM_MS - performance.now()));
}

export class Store<T> {
  private readers = new Set<() => void>();

  constructor(
    private current: T,
    private readonly pace: "frame" | "calm" = "frame",
  ) {}

  readonly get = (): T => this.current;

  set(next: T): void {
    if (next === this.current) return;
    this.current = next;
    const isCalm = this.pace === "calm";
    for (const reader of this.readers) (isCalm ? calmly : waiting).add(reader);
    if (isCalm) askCalmly();
    else ask();
  }

  change(how: (now: T) => T): void {
    this.set(how(this.current));
  }

  readonly listen = (reader: () => void): (() => void) => {
    this.readers.add(reader);
    return () => {
      this.readers.delete(reader);
      waiting.delete(reader);
      calmly.delete(reader);
    };
  };
}

export const useStore = <T>(store: Store<T>): T => useSyncExternalStore(store.listen, store.get);
