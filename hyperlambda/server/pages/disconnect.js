// Asks how somebody is to be disconnected, and does it.

import { byId, clock, connectionsOf } from "./dom.js";

export class Disconnecting {
  #connection;
  #done;
  #target = null; // {kind, name, count, isOurs}

  /**
   * @param done is called with a sentence that says what has happened.
   * @param returned is called when the dialog is closed, whatever was decided.
   */
  constructor(connection, done, returned) {
    this.#connection = connection;
    this.#done = done;
    byId("disconnect-cancel").addEventListener("click", () => byId("disconnect").close());
    byId("disconnect").addEventListener("close", returned);
    byId("disconnect-form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#disconnect();
    });
  }

  /** Open the dialog; the kind is "user" or "connection". */
  ask(target) {
    const { kind, name, count, isOurs } = target;
    this.#target = target;
    byId("disconnect-title").textContent = `Disconnect ${kind} ${name}`;
    byId("disconnect-reach").textContent =
      `${connectionsOf(count)} will end${isOurs ? ", and this page is one of them" : ""}.`;
    byId("disconnect-button").textContent = `Disconnect ${kind}`;
    byId("disconnect-reason").value = "";
    byId("disconnect-return").checked = false;
    this.#say("");
    byId("disconnect").showModal();
  }

  async #disconnect() {
    const { kind, name, isOurs } = this.#target;
    const message = byId("disconnect-reason").value.trim();
    const reconnect = byId("disconnect-return").checked;
    try {
      await this.#connection.request({ type: "disconnect", [kind]: name, message, reconnect });
    } catch (error) {
      const isSelf = isOurs && !this.#connection.isOpen; // which got no answer any more
      return isSelf ? byId("disconnect").close() : this.#say(error.message);
    }
    byId("disconnect").close();
    const fate = reconnect ? "may come back at once" : "is asked to stay away";
    return this.#done(`${clock(new Date())} Disconnected ${kind} ${name}, which ${fate}.`);
  }

  #say(text) {
    byId("disconnect-outcome").textContent = text;
  }
}
