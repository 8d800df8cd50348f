// Runs a file on the server, and shows what it returns.

import { byId, duration } from "./dom.js";
import { checkJson } from "./json.js";
import { coloured } from "./messages.js";

export class Runner {
  #connection;
  #isRunning = false;

  constructor(connection) {
    this.#connection = connection;
    byId("run").addEventListener("input", () => this.check());
    byId("run").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#run();
    });
  }

  /** Let the button be pressed if it can do something. */
  check() {
    const isJson = checkJson(byId("run-args"), byId("run-check"), "No arguments");
    const isReady = isJson && byId("run-file").value.trim() && this.#connection.isOpen;
    byId("run-button").disabled = !isReady || this.#isRunning;
  }

  async #run() {
    const start = performance.now();
    const took = () => duration((performance.now() - start) / 1000);
    this.#isRunning = true;
    this.check();
    this.#say("Running …");
    try {
      const file = byId("run-file").value.trim();
      const answer = await this.#connection.request({ type: "execute", file }, byId("run-args").value.trim());
      this.#show(answer);
      this.#say(`Ended after ${took()}${"result" in answer ? "." : " and returned nothing."}`);
    } catch (error) {
      this.#show({});
      this.#say(`Failed after ${took()}: ${error.message}`, true);
    }
    this.#isRunning = false;
    this.check();
  }

  #show(answer) {
    const box = byId("run-result");
    box.hidden = !("result" in answer);
    if (!box.hidden) box.replaceChildren(...coloured(JSON.stringify(answer.result, null, 2)));
  }

  #say(text, isBad = false) {
    byId("run-outcome").textContent = text;
    byId("run-outcome").classList.toggle("bad", isBad);
  }
}
