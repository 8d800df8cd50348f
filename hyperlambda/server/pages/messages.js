// The log: newest first, at most 1,000 entries, which can be filtered, held back and copied.

import { byId, button, clock, copy, make } from "./dom.js";

const MOST = 1_000;
const COLOURED = 20_000; // characters; longer payloads stay plain
const TOGETHER = 30; // milliseconds in which what arrives is drawn at once
const TALL = 17; // lines, of which not all are seen without scrolling
const NARROW = 28; // characters in a line of the smallest screen
const QUIET = 2_000; // milliseconds between announcements to screen readers

const TOKEN = /("(?:[^"\\]|\\.)*")(\s*:)?|\b(?:true|false|null)\b|-?\d[\d.eE+-]*/g;

export class MessageLog {
  #list = byId("log");
  #entries = new WeakMap(); // line -> entry
  // Colours are many elements: only what comes near to the eye gets them.
  #near = new IntersectionObserver((found) => this.#colour(found), { root: this.#list, rootMargin: "50%" });
  #arrived = []; // not drawn yet
  #timer = 0;
  #isPaused = false;
  #unsaid = 0;
  #lastSaid = 0;

  constructor() {
    byId("filter").addEventListener("input", () => this.#applyFilter());
    byId("pause").addEventListener("click", () => this.#pause(!this.#isPaused));
    byId("clear").addEventListener("click", () => this.clear());
    byId("copy-all").addEventListener("click", (event) => this.#copyAll(event.target));
    this.#count();
  }

  message(name, args) {
    this.#add({ kind: "message", name, args });
  }

  note(text) {
    this.#add({ kind: "note", name: text });
  }

  error(text) {
    this.#add({ kind: "error", name: text });
  }

  clear() {
    this.#arrived = [];
    this.#list.replaceChildren();
    this.#count();
  }

  #add(entry) {
    this.#arrived.push({ ...entry, time: new Date() });
    // Twice as many, so that a burst does not move the array for each of its messages.
    if (this.#arrived.length > 2 * MOST) this.#arrived.splice(0, MOST);
    this.#timer ||= setTimeout(() => {
      this.#timer = 0;
      if (this.#isPaused) this.#count();
      else this.#draw();
    }, TOGETHER);
  }

  #draw() {
    const entries = this.#arrived.splice(0).slice(-MOST);
    const wanted = this.#wanted();
    const lines = entries.reverse().map((entry) => this.#line(entry, wanted));
    this.#list.prepend(...lines);
    while (this.#list.childElementCount > MOST) this.#list.lastElementChild.remove();
    this.#count();
    this.#announce(entries.filter((entry) => entry.kind === "message"));
  }

  #line(entry, wanted) {
    const isMessage = entry.kind === "message";
    const at = clock(entry.time, true);
    entry.json = isMessage ? JSON.stringify(entry.args, null, 2) : "";
    const head = make("div", { className: "head" },
      make("time", { dateTime: entry.time.toISOString(), textContent: at }),
      make("span", { className: "name", textContent: entry.name }));
    const line = make("li", { className: entry.kind }, head);
    if (isMessage) {
      const bytes = new TextEncoder().encode(JSON.stringify(entry.args)).length;
      head.append(
        make("span", { className: "size", textContent: `${bytes.toLocaleString("en")} B` }),
        button("Copy", `Copy ${entry.name} of ${at}`, (event) => copy(entry.json, event.target)),
        button("Delete", `Delete ${entry.name} of ${at}`, () => this.#delete(line)));
      const text = make("pre", { textContent: entry.json });
      if (isTall(entry.json)) text.tabIndex = 0; // who has no mouse scrolls it with keys
      line.append(text);
      this.#near.observe(text);
    }
    line.hidden = !matches(entry, wanted);
    this.#entries.set(line, entry);
    return line;
  }

  #colour(found) {
    for (const { target, isIntersecting } of found) {
      if (!isIntersecting) continue;
      this.#near.unobserve(target);
      target.replaceChildren(...coloured(target.textContent));
    }
  }

  #delete(line) {
    const next = line.nextElementSibling ?? line.previousElementSibling;
    (next?.querySelector("button") ?? byId("filter")).focus();
    line.remove();
    this.#count();
  }

  #pause(isPaused) {
    this.#isPaused = isPaused;
    byId("pause").textContent = isPaused ? "Resume" : "Pause";
    byId("pause").classList.toggle("main", isPaused);
    if (!isPaused) this.#draw();
    this.#count();
  }

  #wanted() {
    return byId("filter").value.trim().toLowerCase();
  }

  #applyFilter() {
    const wanted = this.#wanted();
    for (const line of this.#list.children) {
      line.hidden = !matches(this.#entries.get(line), wanted);
    }
    this.#count();
  }

  #shown() {
    return [...this.#list.children].filter((line) => !line.hidden);
  }

  #count() {
    const all = this.#list.childElementCount;
    const matching = this.#wanted() ? this.#shown().length : all;
    const shown = this.#wanted() ? `${matching} of ${all}` : `${all}`;
    const held = Math.min(this.#arrived.length, MOST);
    byId("count").textContent = this.#isPaused ? `${shown}, ${held} held back` : shown;
    byId("unmatched").hidden = !all || matching > 0;
    byId("copy-all").disabled = !all;
  }

  #copyAll(used) {
    const lines = this.#shown().map((line) => this.#entries.get(line));
    const texts = lines.map(({ time, name, kind, args }) =>
      JSON.stringify({ time: time.toISOString(), [kind === "message" ? "name" : kind]: name, args }));
    copy(texts.join("\n"), used);
  }

  // Not each message of a burst: who listens could never catch up.
  #announce(messages) {
    this.#unsaid += messages.length;
    if (!this.#unsaid || Date.now() - this.#lastSaid < QUIET) return;
    const many = this.#unsaid === 1 ? "Message" : `${this.#unsaid} messages, the last`;
    byId("announcer").textContent = `${many}: ${messages[0]?.name ?? ""}`;
    this.#unsaid = 0;
    this.#lastSaid = Date.now();
  }
}

function isTall(json) {
  const lines = json.split("\n").map((line) => Math.ceil(line.length / NARROW));
  return lines.reduce((sum, each) => sum + each, 0) >= TALL;
}

function matches({ name, json }, wanted) {
  return name.toLowerCase().includes(wanted) || json.toLowerCase().includes(wanted);
}

/** Cut JSON text into spans; their texts, joined, are the text. */
export function coloured(json) {
  if (json.length > COLOURED) return [json];
  const parts = [];
  let end = 0;
  for (const match of json.matchAll(TOKEN)) {
    const [token, text, colon] = match;
    const kind = text ? (colon ? "key" : "text") : "value";
    parts.push(json.slice(end, match.index), make("span", { className: kind, textContent: text ?? token }));
    end = match.index + (text ?? token).length;
  }
  return [...parts, json.slice(end)];
}
