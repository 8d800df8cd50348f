// Who is connected, for those who may know.

import { Disconnecting } from "./disconnect.js";
import { byId, button, connectionsOf, labelled, make, redraw } from "./dom.js";

const MOST = 50; // users that are shown
const MOST_OF_ONE = 20; // connections of a user that are shown
const PERIOD = 3_000; // milliseconds between looks

export class Users {
  #connection;
  #prepare;
  #looked;
  #own = "";
  #timer = 0;
  #shown = "";
  #disconnecting;
  #opener = ""; // label of the button that opened the dialog

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
    this.#disconnecting = new Disconnecting(connection, (text) => this.#say(text), () => this.#return());
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
    byId("users-outcome").textContent = "";
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
    const lines = users.map((user) => this.#user(user));
    const more = count - users.length;
    if (more > 0) lines.push(note(`and ${more} more`));
    if (!lines.length) lines.push(note("Nobody's name begins with this."));
    redraw(byId("users"), lines, byId("users-filter"));
  }

  #user({ username, connections }) {
    // Somebody anonymous is listed with the id of the connection.
    if (connections.length === 1 && connections[0] === username) {
      const name = make("span", { className: "faint", textContent: "anonymous" });
      return make("li", {}, name, make("ul", {}, this.#one(username)));
    }
    const count = connections.length;
    const isOurs = connections.includes(this.#own);
    const actions = [button("Message", `Message user ${username}`, () => this.#prepare("users", username))];
    // For ours alone there is the button on top.
    if (!isOurs || count > 1) actions.push(this.#parting({ kind: "user", name: username, count, isOurs }));
    const head = make("div", { className: "head" }, make("b", { textContent: username }),
      make("span", { className: "faint", textContent: connectionsOf(count) }),
      make("span", { className: "actions" }, ...actions));
    const others = connections.filter((id) => id !== this.#own);
    const shown = (isOurs ? [this.#own, ...others] : others).slice(0, MOST_OF_ONE);
    const lines = shown.map((id) => this.#one(id));
    if (count > shown.length) lines.push(note(`and ${count - shown.length} more`));
    return make("li", {}, head, make("ul", {}, ...lines));
  }

  #one(id) {
    const isOurs = id === this.#own;
    const own = isOurs ? [make("span", { className: "badge", textContent: "this page" })] : [];
    const actions = [button("Message", `Message connection ${id}`, () => this.#prepare("clients", id))];
    if (!isOurs) actions.push(this.#parting({ kind: "connection", name: id, count: 1, isOurs }));
    return make("li", { className: "head" }, make("code", { textContent: id, title: id }), ...own,
      make("span", { className: "actions" }, ...actions));
  }

  #parting(target) {
    const label = `Disconnect ${target.kind} ${target.name}`;
    return button("Disconnect", label, () => {
      this.#opener = label;
      this.#disconnecting.ask(target);
    });
  }

  /** Go back to the button that opened the dialog: the list may have been drawn anew meanwhile. */
  #return() {
    const ways = [labelled(byId("users"), this.#opener), byId("users-filter"), byId("connect-button")];
    ways.find((way) => way?.getClientRects().length)?.focus();
  }

  #say(text) {
    byId("users-outcome").textContent = text;
    this.#look();
  }
}

const note = (text) => make("li", { className: "help", textContent: text });
