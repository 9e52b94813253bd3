import { useSyncExternalStore } from "react";

// Values that change faster than a screen: readers hear of them once a frame.

const waiting = new Set<() => void>();
let asked = false;

function tell(): void {
  asked = false;
  const told = [...waiting];
  waiting.clear();
  for (const each of told) each();
}

export class Store<T> {
  private readers = new Set<() => void>();

  constructor(private current: T) {}

  readonly get = (): T => this.current;

  set(next: T): void {
    if (next === this.current) return;
    this.current = next;
    for (const reader of this.readers) waiting.add(reader);
    if (!asked) {
      asked = true;
      requestAnimationFrame(tell);
    }
  }

  change(how: (now: T) => T): void {
    this.set(how(this.current));
  }

  readonly listen = (reader: () => void): (() => void) => {
    this.readers.add(reader);
    return () => {
      this.readers.delete(reader);
      waiting.delete(reader);
    };
  };
}

export const useStore = <T>(store: Store<T>): T => useSyncExternalStore(store.listen, store.get);
