import { useEffect, useRef, useState } from "react";
import { Refused, TOO_MANY, wordsOf } from "./api";

// Questions that change faster than they may be asked: the newest is asked, at the venue's pace, and
// what was answered last is shown meanwhile.

const CALM_MS = 120;
const REFUSED_MS = 1200;
const AGAIN_MS = 3000;

export interface Told<T> {
  value: T | null;
  fault: string;
  // Answers the question that is being asked now, not an earlier one.
  isFresh: boolean;
}

interface Asked<T> {
  about: string;
  key: string;
  run: (() => Promise<T>) | null;
}

/** Ask `run` whenever `key` changes, `everyMs` apart, and again now and then, because prices move. An
 * answer about something else is forgotten. */
export function useAsked<T>(about: string, key: string, everyMs: number, run: (() => Promise<T>) | null): Told<T> {
  const [told, setTold] = useState({ about: "", key: "", value: null as T | null, fault: "" });
  const wanted = useRef<Asked<T>>({ about, key, run });
  wanted.current = { about, key, run };
  const state = useRef({ timer: 0, busy: false, last: 0, isThere: true });

  const ask = useRef((wait: number): void => {
    const now = state.current;
    if (now.timer || now.busy || !now.isThere) return;
    const next = now.last + everyMs - performance.now();
    now.timer = window.setTimeout(() => void fire(), Math.max(wait, next));
  });
  const fire = async (): Promise<void> => {
    const now = state.current;
    const { run: asking, about: of, key: name } = wanted.current;
    now.timer = 0;
    if (!asking) return;
    now.busy = true;
    now.last = performance.now();
    let again = CALM_MS;
    try {
      const value = await asking();
      if (now.isThere) setTold({ about: of, key: name, value, fault: "" });
    } catch (error) {
      if (error instanceof Refused && error.code === TOO_MANY) again = REFUSED_MS;
      else if (now.isThere) setTold({ about: of, key: name, value: null, fault: wordsOf(error) });
    }
    now.busy = false;
    if (again === REFUSED_MS || wanted.current.key !== name || wanted.current.about !== of) {
      ask.current(again);
    }
  };

  const isWanted = run !== null;
  useEffect(() => {
    if (!isWanted) return undefined;
    ask.current(CALM_MS);
    const timer = window.setInterval(() => document.hidden || ask.current(0), AGAIN_MS);
    return () => clearInterval(timer);
  }, [about, key, isWanted]);
  useEffect(() => {
    const now = state.current;
    now.isThere = true;
    return () => {
      now.isThere = false;
      clearTimeout(now.timer);
      now.timer = 0;
    };
  }, []);
  if (!isWanted || told.about !== about) return { value: null, fault: "", isFresh: false };
  return { value: told.value, fault: told.fault, isFresh: told.key === key };
}
