// The connection to the sandbox: it says everything when it opens, then every change.

const SHORTEST_MS = 400;
const LONGEST_MS = 4000;

export class Live {
  constructor(onEvent, onConnection) {
    this.onEvent = onEvent;
    this.onConnection = onConnection;
    this.wait = SHORTEST_MS;
    this.timer = 0;
    addEventListener("online", () => this.#now());
    document.addEventListener("visibilitychange", () => document.hidden || this.#now());
    this.#open();
  }

  #open() {
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    this.socket = new WebSocket(`${scheme}://${location.host}/page/live`);
    this.socket.addEventListener("message", (message) => {
      this.wait = SHORTEST_MS;
      this.onEvent(JSON.parse(message.data));
      this.onConnection(true);
    });
    this.socket.addEventListener("close", () => {
      this.onConnection(false);
      this.timer = setTimeout(() => this.#open(), this.wait);
      this.wait = Math.min(this.wait * 1.7, LONGEST_MS);
    });
  }

  #now() {
    if (this.socket.readyState !== WebSocket.CLOSED) return;
    clearTimeout(this.timer);
    this.wait = SHORTEST_MS;
    this.#open();
  }
}

/** Post JSON; the answer, or null where it did not work. */
export async function post(path, body) {
  try {
    const answer = await fetch(path, {
      method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body),
    });
    return answer.ok ? await answer.json() : null;
  } catch {
    return null;
  }
}
