// One connection of the plain protocol, which comes back by itself.

import { parseExactly } from "./json.js";
import { Progress } from "./progress.js";

const DELAYS = [0, 1, 2, 5, 10, 30]; // seconds before each attempt; the last one for all others
const HEARTBEAT = 20_000; // milliseconds between questions whether the server is there
const SILENCE = 10_000; // milliseconds that it has to answer

const CLOSED = {
  1006: "the connection broke",
  1009: "the server takes no message of this size",
  1012: "the server stops",
  4008: "this page read too slowly",
};

export class Connection {
  #changed;
  #received;
  #socket = null;
  #isOpen = false;
  #token = "";
  #attempt = 0;
  #lostAt = 0;
  #retry = 0;
  #heartbeat = 0;
  #count = 0;
  #progress = new Progress();
  #id = ""; // of the connection
  #waiting = new Map(); // request number -> its promise's resolve and reject

  /**
   * @param changed gets {name, text, …}, where name is one of connecting, open (with welcome
   *   and gap, the seconds without connection), retrying, closed and failed.
   * @param received gets each message: its name, and its args, whose numbers are exact.
   */
  constructor(changed, received) {
    this.#changed = changed;
    this.#received = received;
    addEventListener("online", () => this.#wake());
    addEventListener("visibilitychange", () => document.hidden || this.#wake());
    addEventListener("pageshow", ({ persisted }) => persisted && this.#wake());
  }

  get isOpen() {
    return this.#isOpen;
  }

  open(token) {
    this.#leave();
    this.#token = token;
    this.#progress = new Progress();
    this.#attempt = 0;
    this.#lostAt = 0;
    this.#changed({ name: "connecting", text: "Connecting …" });
    this.#connect();
  }

  close() {
    this.#leave();
    this.#changed({ name: "closed", text: "Disconnected" });
  }

  retryNow() {
    if (!this.#retry) return;
    clearTimeout(this.#retry);
    this.#retry = 0;
    this.#connect();
  }

  /** Ask; a payload is JSON text, sent as it was typed. Rejects with the server's sentence. */
  request(fields, payload) {
    if (!this.#isOpen) return Promise.reject(new Error("not connected"));
    const id = ++this.#count;
    const text = JSON.stringify({ ...fields, id });
    this.#socket.send(payload ? `${text.slice(0, -1)},"args":${payload}}` : text);
    return new Promise((resolve, reject) => this.#waiting.set(id, { resolve, reject }));
  }

  /** Subscribe as before, and get what was missed; see `Progress`. */
  catchUp(names) {
    return this.#progress.catchUp(names, (fields) => this.request(fields));
  }

  #connect() {
    const url = new URL("ws", location.href);
    url.protocol = location.protocol === "https:" ? "wss:" : "ws:";
    // Browsers cannot set a header here.
    if (this.#token) url.searchParams.set("access_token", this.#token);
    const socket = new WebSocket(url);
    this.#socket = socket;
    socket.onmessage = (event) => {
      if (socket === this.#socket) this.#receive(event.data);
    };
    socket.onclose = (event) => {
      if (socket === this.#socket) this.#lost(event.code, event.reason);
    };
  }

  #receive(text) {
    const frame = JSON.parse(text);
    this.#progress.take(frame);
    if (frame.type === "message") this.#received(frame.name, parseExactly(text).args);
    else if (frame.type === "welcome") this.#welcome(frame);
    else if (frame.type === "executed") this.#answer(parseExactly(text));
    else this.#answer(frame);
  }

  #welcome(welcome) {
    const gap = this.#lostAt ? (Date.now() - this.#lostAt) / 1000 : null;
    this.#isOpen = true;
    this.#id = welcome.connection;
    this.#attempt = 0;
    this.#lostAt = 0;
    this.#heartbeat = setInterval(() => this.#beat(), HEARTBEAT);
    this.#changed({ name: "open", text: "Connected", welcome, gap });
  }

  #answer(frame) {
    const waiting = this.#waiting.get(frame.id);
    this.#waiting.delete(frame.id);
    if (frame.type !== "error") waiting?.resolve(frame);
    else waiting?.reject(Object.assign(new Error(frame.message), { code: frame.code }));
  }

  /** Look at once whether the server is there: the computer slept, or the network changed. */
  #wake() {
    if (this.#isOpen) this.#beat();
    else this.retryNow();
  }

  #beat() {
    const socket = this.#socket;
    const silence = setTimeout(() => {
      if (socket !== this.#socket) return;
      socket.onclose = null;
      socket.close();
      this.#lost(0, "the server does not answer");
    }, SILENCE);
    const settled = () => clearTimeout(silence);
    this.request({ type: "ping" }).then(settled, settled);
  }

  async #lost(code, reason) {
    const socket = this.#socket;
    const why = reason || CLOSED[code] || `code ${code}`;
    if (this.#isOpen) {
      this.#lostAt = Date.now();
      this.#progress.lose(this.#id);
    }
    const wasOpen = this.#isOpen;
    this.#stop(`the connection was lost: ${why}`);
    if (code === 3005) return this.#fail("the token has ended; connect with a fresh one");
    if (code === 3503) return this.#fail(sentAway(reason));
    const refusal = wasOpen ? null : await this.#refusal();
    if (socket !== this.#socket) return undefined;
    return refusal ? this.#fail(refusal) : this.#plan(why);
  }

  #plan(why) {
    const planned = DELAYS[Math.min(this.#attempt, DELAYS.length - 1)];
    // Not all pages at the same moment, when a server is back.
    const delay = planned * (0.75 + Math.random() / 2);
    this.#attempt += 1;
    this.#retry = setTimeout(() => this.retryNow(), delay * 1000);
    const when = planned ? `, in ${delay.toFixed(1)} s` : "";
    this.#changed({
      name: "retrying",
      text: `Reconnecting (attempt ${this.#attempt}${when})`,
      why,
      isFirst: this.#attempt === 1,
    });
  }

  /** Return why the server does not want us: a failed WebSocket does not tell. */
  async #refusal() {
    const headers = this.#token ? { Authorization: `Bearer ${this.#token}` } : {};
    try {
      const response = await fetch("ws", { headers, signal: AbortSignal.timeout(5_000) });
      const isFinal = [401, 403, 404].includes(response.status);
      return isFinal ? (await response.text()).trim() : null;
    } catch {
      return null; // it is not there
    }
  }

  #fail(why) {
    this.#socket = null;
    this.#changed({ name: "failed", text: `Not connected: ${why}`, why });
  }

  #leave() {
    const socket = this.#socket;
    this.#socket = null;
    clearTimeout(this.#retry);
    this.#retry = 0;
    this.#stop();
    socket?.close(1000);
  }

  #stop(why = "the connection was closed") {
    this.#isOpen = false;
    clearInterval(this.#heartbeat);
    for (const { reject } of this.#waiting.values()) reject(new Error(why));
    this.#waiting.clear();
  }
}

function sentAway(reason) {
  const isTold = reason && reason !== "disconnected"; // which stands for no reason
  return `the server ended the connection${isTold ? `: ${reason}` : ""}`;
}
