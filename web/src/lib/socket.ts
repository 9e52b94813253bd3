import { me, post } from "./api";
import { Store } from "./store";

// The venue's WebSocket: subscriptions that outlive a connection.

export interface Arg {
  instType: "SPOT" | "MARGIN";
  channel: string;
  instId?: string;
  coin?: string;
}

export type Handler = (data: any[], action: string) => void;

const PING_MS = 25_000;
const RETRY_MS = [300, 1000, 2000, 5000];
export const connected = new Store(true);

const keyOf = (arg: Arg): string =>
  [arg.instType, arg.channel, arg.instId ?? "", arg.coin ?? ""].join("|");

class Socket {
  private socket: WebSocket | null = null;
  private handlers = new Map<string, { arg: Arg; each: Set<Handler> }>();
  private isOpen = false;
  private failures = 0;
  private timer = 0;

  constructor(private readonly name: "public" | "private") {}

  subscribe(arg: Arg, handler: Handler): () => void {
    const key = keyOf(arg);
    const there = this.handlers.get(key);
    if (there) {
      there.each.add(handler);
      // What comes first is told once: say it again for the newcomer.
      if (this.isOpen) this.say({ op: "subscribe", args: [arg] });
    } else {
      this.handlers.set(key, { arg, each: new Set([handler]) });
      if (this.isOpen) this.say({ op: "subscribe", args: [arg] });
      else this.connect();
    }
    return () => this.leave(key, handler);
  }

  close(): void {
    this.handlers.clear();
    this.socket?.close();
  }

  private leave(key: string, handler: Handler): void {
    const there = this.handlers.get(key);
    if (!there?.each.delete(handler) || there.each.size) return;
    this.handlers.delete(key);
    if (this.isOpen) this.say({ op: "unsubscribe", args: [there.arg] });
  }

  private say(message: object): void {
    this.socket?.send(JSON.stringify(message));
  }

  private connect(): void {
    if (this.socket) return;
    const base = location.origin.replace(/^http/, "ws");
    const socket = new WebSocket(`${base}/v2/ws/${this.name}`);
    this.socket = socket;
    const pinging = window.setInterval(() => this.isOpen && socket.send("ping"), PING_MS);
    socket.onopen = () => void this.begin(socket);
    socket.onmessage = (event: MessageEvent<string>) => this.hear(event.data);
    socket.onclose = () => {
      clearInterval(pinging);
      this.socket = null;
      this.isOpen = false;
      if (!this.handlers.size) return;
      if (this.failures) connected.set(false);
      const wait = RETRY_MS[Math.min(this.failures, RETRY_MS.length - 1)];
      this.failures += 1;
      clearTimeout(this.timer);
      this.timer = window.setTimeout(() => this.connect(), wait);
    };
  }

  private async begin(socket: WebSocket): Promise<void> {
    if (this.name === "public") {
      this.resume();
      return;
    }
    try {
      if (!me.get()) throw new Error("nobody is logged in");
      const { ticket } = await post<{ ticket: string }>("/lombard/v1/identity/socket-ticket");
      if (socket.readyState === WebSocket.OPEN) this.say({ op: "login", args: [{ ticket }] });
    } catch {
      socket.close();
    }
  }

  private resume(): void {
    this.isOpen = true;
    this.failures = 0;
    connected.set(true);
    const args = [...this.handlers.values()].map((each) => each.arg);
    if (args.length) this.say({ op: "subscribe", args });
  }

  private hear(text: string): void {
    if (text === "pong") return;
    const said = JSON.parse(text) as { event?: string; arg?: Arg; action?: string; data?: [] };
    if (said.event === "login") this.resume();
    if (!said.action || !said.arg) return;
    const there = this.handlers.get(keyOf(said.arg));
    for (const handler of there?.each ?? []) handler(said.data ?? [], said.action);
  }
}

export const market = new Socket("public");
export const own = new Socket("private");
