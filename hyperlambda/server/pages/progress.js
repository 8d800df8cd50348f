// How far the page has seen, and what it asks when it comes back (as hyperlambda/progress.py).

const ROOM = 48_000; // bytes of names in one request; the server takes no frame of any size
const FORMER = 100;

export class Progress {
  position = null; // behind it nothing has been seen of names with history
  #former = [];
  #isFrozen = false;

  /** Note that a connection has ended. */
  lose(connection) {
    this.#former = [...this.#former, connection].slice(-FORMER);
  }

  /** Note what a frame of the server says. */
  take({ type, position }) {
    // "replayed" has a position too, but says nothing of the other names.
    if (position && type !== "replayed" && !this.#isFrozen) this.#advance(position);
  }

  /**
   * Subscribe anew to names, and get what was missed; ask gives the answer to a request.
   *
   * @returns whether this is all; null if there is no history.
   */
  async catchUp(all, ask) {
    const since = this.position;
    const portions = portionsOf(all);
    // The messages of one portion say nothing of the others: rather some come twice, should
    // this connection break as well, than none.
    this.#isFrozen = portions.length > 1;
    let isWhole = true;
    let position = since;
    for (const names of portions) {
      let answer = { type: "replayed", position: since };
      while (answer.type === "replayed") {
        const resume = answer.position && { since: answer.position, former: this.#former };
        answer = await ask({ type: "subscribe", names, ...resume });
        isWhole &&= answer.recovered === true;
        position = answer.position ?? null;
      }
    }
    this.#isFrozen = false;
    // Others may have come while this one was on its way to us.
    if (position === null) this.position = null;
    else this.#advance(position);
    return since === null ? null : isWhole;
  }

  /** Go on to a position, unless more than that was seen already. */
  #advance(position) {
    const [epoch, offset] = position.split("-");
    const [ownEpoch, ownOffset] = this.position?.split("-") ?? [];
    if (epoch !== ownEpoch || Number(offset) > Number(ownOffset)) this.position = position;
  }
}

function portionsOf(names) {
  const portions = [];
  let room = 0;
  for (const name of names) {
    const size = new TextEncoder().encode(JSON.stringify(name)).length + 1;
    if (size > room || !portions.length) {
      portions.push([]);
      room = ROOM;
    }
    portions.at(-1).push(name);
    room -= size;
  }
  return portions;
}
