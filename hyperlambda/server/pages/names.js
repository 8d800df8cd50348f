// Names: how they are typed, what a pattern covers, and which are suggested.

import { byId, make } from "./dom.js";

const SEEN = 200; // suggestions of what has arrived
const USED = 50; // and of what was used here
const KNOWN = ["magic.backend.message", "magic.workflows.action"]; // Magic publishes these

/** Read names that are separated by commas; a comma within a name is written `\,`. */
export function splitNames(text) {
  const found = text.match(/(?:\\,|[^,])+/g) ?? [];
  return found.map((name) => name.replaceAll("\\,", ",").trim()).filter(Boolean);
}

export function joinNames(names) {
  return names.map((name) => name.replaceAll(",", "\\,")).join(", ");
}

export function covers(pattern, name) {
  if (pattern === "*") return true;
  return pattern.endsWith(".*") ? name.startsWith(pattern.slice(0, -1)) : pattern === name;
}

/** Suggests names: those used here, the latest first; then those of messages; then known ones. */
export class Suggestions {
  #used;
  #seen = new Set();

  /** @param used what was used before a reload. */
  constructor(used = []) {
    this.#used = used;
    this.#draw();
  }

  /** Take note of a message's name; this is called for each of them. */
  see(name) {
    if (this.#seen.has(name) || this.#seen.size >= SEEN) return;
    this.#seen.add(name);
    this.#draw();
  }

  /** Put names on top; return all that were used, to be kept. */
  use(...names) {
    this.#used = [...new Set([...names, ...this.#used])].slice(0, USED);
    this.#draw();
    return this.#used;
  }

  #draw() {
    const all = [...new Set([...this.#used, ...this.#seen, ...KNOWN])];
    // One with a comma would be several where it is chosen.
    const suggested = all.filter((name) => !name.includes(","));
    byId("seen").replaceChildren(...suggested.map((value) => make("option", { value })));
  }
}
