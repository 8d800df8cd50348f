// Groups, for those who may change them.

import { byId, button, connectionsOf, make } from "./dom.js";

const MOST = 50; // groups that are shown

export class Groups {
  #connection;
  #prepare;
  #own = "";
  #shown = "";

  /** @param prepare gets a kind of audience and a name, when a message is to be written. */
  constructor(connection, prepare) {
    this.#connection = connection;
    this.#prepare = prepare;
    byId("group").addEventListener("submit", (event) => {
      event.preventDefault();
      const isLasting = byId("group-lasting").checked;
      this.#change("add-to-group", isLasting ? { persist: true } : {});
    });
    byId("leave-button").addEventListener("click", () => this.#change("remove-from-group"));
  }

  hide() {
    this.#shown = "";
    byId("groups-card").hidden = true;
  }

  /** Look which groups there are, for a connection that may know. */
  async look(own) {
    this.#own = own;
    const [{ groups }, { groups: ours }] = await Promise.all([
      this.#connection.request({ type: "groups", limit: MOST + 1 }),
      this.#connection.request({ type: "connection-groups", connection: own }),
    ]);
    byId("groups-card").hidden = false;
    byId("groups").textContent = ours.join(", ") || "none";
    const found = JSON.stringify([groups, ours]);
    if (found === this.#shown) return; // who is at a button here keeps it
    this.#shown = found;
    const shown = groups.slice(0, MOST);
    const isMore = groups.length > MOST;
    byId("groups-count").textContent = isMore ? `${MOST}+` : groups.length;
    byId("groups-list").replaceChildren(...shown.map((group) => this.#line(group, ours)));
    if (isMore) byId("groups-list").append(make("li", { className: "help", textContent: "and more" }));
  }

  #line({ name, connections }, ours) {
    const own = ours.includes(name) ? [make("span", { className: "badge", textContent: "this page" })] : [];
    return make("li", { className: "head" },
      make("b", { textContent: name }), ...own,
      make("span", { className: "faint", textContent: connectionsOf(connections) }),
      button("Message", `Message group ${name}`, () => this.#prepare("groups", name)));
  }

  async #change(type, options = {}) {
    const group = byId("group-name").value.trim();
    const user = byId("group-user").value.trim() || this.#own;
    const who = user === this.#own ? "this page" : user;
    if (!group) return this.#say("Which group?", true);
    try {
      await this.#connection.request({ type, user, group, ...options });
      await this.look(this.#own);
    } catch (error) {
      return this.#say(error.message, true);
    }
    const end = options.persist ? ", with later connections too." : ".";
    return this.#say(type === "add-to-group" ? `Put ${who} into ${group}${end}` : `Took ${who} out of ${group}.`);
  }

  #say(text, isBad = false) {
    byId("group-outcome").textContent = text;
    byId("group-outcome").classList.toggle("bad", isBad);
  }
}
