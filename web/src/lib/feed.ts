import { Refused } from "./api";

// Long lists of what is past: several of the API's lists, each read page by page, as one list.

export type Row = Record<string, string>;

export interface Source {
  // The rows below an id, newest first; all of them from the beginning where there is none.
  read: (before: string, limit: number) => Promise<Row[]>;
  id: string;
  time: string;
  // How many rows the API gives at most.
  most: number;
}

const TOO_MANY = "429";
const PATIENCE_MS = 1100;
const TRIES = 6;

interface Reading {
  source: Source;
  rows: Row[];
  before: string;
  isDone: boolean;
}

export class Feed {
  private readonly readings: Reading[];

  /** `ahead` is how many rows are read at a time, as far as a source gives so many. */
  constructor(
    sources: Source[],
    private readonly ahead: number,
  ) {
    this.readings = sources.map((source) => ({ source, rows: [], before: "", isDone: false }));
  }

  /** Take the next so many rows, newest first; fewer only at the end. One at a time. */
  async take(count: number): Promise<Row[]> {
    const found: Row[] = [];
    while (found.length < count) {
      await Promise.all(this.readings.map((each) => this.fill(each)));
      const next = this.readings.filter((each) => each.rows.length).sort(byNewest)[0];
      const row = next?.rows.shift();
      if (!row) break;
      found.push(row);
    }
    return found;
  }

  private async fill(reading: Reading): Promise<void> {
    if (reading.rows.length || reading.isDone) return;
    const limit = Math.min(this.ahead, reading.source.most);
    const rows = await patient(() => reading.source.read(reading.before, limit));
    reading.isDone = rows.length < limit;
    reading.before = rows.at(-1)?.[reading.source.id] ?? "";
    reading.rows = rows;
  }
}

const timeOf = (reading: Reading): number => Number(reading.rows[0]?.[reading.source.time] ?? 0);
const idOf = (reading: Reading): bigint => BigInt(reading.rows[0]?.[reading.source.id] ?? 0);

function byNewest(a: Reading, b: Reading): number {
  return timeOf(b) - timeOf(a) || (idOf(b) > idOf(a) ? 1 : -1);
}

/** Ask again, a little later, where a venue says that it was asked too often. */
export async function patient<T>(ask: () => Promise<T>): Promise<T> {
  for (let left = TRIES; ; left -= 1) {
    try {
      return await ask();
    } catch (error) {
      if (!left || !(error instanceof Refused) || error.code !== TOO_MANY) throw error;
      await new Promise((done) => window.setTimeout(done, PATIENCE_MS));
    }
  }
}
