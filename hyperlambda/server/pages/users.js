// Who is connected, for those who may know.

import { byId, button, connectionsOf, make } from "./dom.js";

const MOST = 50; // users that are shown
const PERIOD = 3_000; // milliseconds between looks

export class Users {
  #connection;
  #prepare;
  #looked;
  #own = "";
  #timer = 0;
  #shown = "";

  /** Whether the server lets us know, and with that publish; null until it has said so. */
  areAllowed = null;

  /**
   * @param prepare gets a kind of audience and a name, when a message is to be written.
   * @param looked is called with our connection id after each look that was allowed.
   */
  constructor(connection, prepare, looked) {
    this.#connection = connection;
    this.#prepare = prepare;
    this.#looked = looked;
    byId("users-filter").addEventListener("input", () => this.#look());
  }

  /** Begin to look; `areAllowed` is known when this ends. */
  async show(own) {
    this.#own = own;
    await this.#look();
    clearInterval(this.#timer);
    if (this.areAllowed) {
      this.#timer = setInterval(() => document.hidden || this.#look(), PERIOD);
    }
  }

  hide() {
    clearInterval(this.#timer);
    this.areAllowed = null;
    this.#shown = "";
    byId("users-card").hidden = true;
  }

  async #look() {
    const prefix = byId("users-filter").value;
    try {
      const [{ users }, { count, connections }] = await Promise.all([
        this.#connection.request({ type: "users", prefix, limit: MOST }),
        this.#connection.request({ type: "count-users", prefix }),
      ]);
      this.areAllowed = true;
      if (prefix === byId("users-filter").value) this.#draw(users, count, connections);
      await this.#looked(this.#own);
    } catch (error) {
      if (error.code === "forbidden") this.areAllowed = false;
    }
  }

  #draw(users, count, connections) {
    byId("users-card").hidden = false;
    const found = JSON.stringify([users, count, connections, this.#own]);
    if (found === this.#shown) return; // who is at a button here keeps it
    this.#shown = found;
    byId("users-count").textContent = count;
    byId("users-connections").textContent = connectionsOf(connections);
    byId("users").replaceChildren(...users.map((user) => this.#user(user)));
    if (count > users.length) {
      byId("users").append(make("li", { className: "help", textContent: `and ${count - users.length} more` }));
    }
  }

  #user({ username, connections }) {
    // Somebody anonymous is listed with the id of the connection.
    if (connections.length === 1 && connections[0] === username) {
      const name = make("span", { className: "faint", textContent: "anonymous" });
      return make("li", {}, name, make("ul", {}, this.#one(username)));
    }
    const message = button("Message", `Message user ${username}`, () => this.#prepare("users", username));
    const head = make("div", { className: "head" }, make("b", { textContent: username }),
      make("span", { className: "faint", textContent: connectionsOf(connections.length) }), message);
    return make("li", {}, head, make("ul", {}, ...connections.map((id) => this.#one(id))));
  }

  #one(id) {
    const own = id === this.#own ? [make("span", { className: "badge", textContent: "this page" })] : [];
    const message = button("Message", `Message connection ${id}`, () => this.#prepare("clients", id));
    return make("li", {}, make("code", { textContent: id }), ...own, message);
  }
}
