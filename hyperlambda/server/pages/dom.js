// Small helpers on the document. Text goes in as text: nothing here takes markup.

export const byId = (id) => document.getElementById(id);

/** Make an element: properties as they are, `data` as data attributes, then children. */
export function make(tag, { data = {}, label, ...properties } = {}, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  Object.assign(made.dataset, data);
  if (label) made.setAttribute("aria-label", label);
  made.append(...children);
  return made;
}

export function button(text, label, onclick) {
  return make("button", { type: "button", className: "small", textContent: text, label, onclick });
}

/**
 * Draw a list anew, where it is scrolled to. Who is at one of its buttons stays at the button
 * of this label; when that has gone, `otherwise` gets the focus.
 */
export function redraw(list, lines, otherwise) {
  const isInside = list.contains(document.activeElement);
  const label = document.activeElement?.getAttribute("aria-label");
  const { scrollTop } = list;
  list.replaceChildren(...lines);
  list.scrollTop = scrollTop;
  if (isInside) (labelled(list, label) ?? otherwise).focus({ preventScroll: true });
}

export function labelled(list, label) {
  return [...list.querySelectorAll("button")].find((each) => each.getAttribute("aria-label") === label);
}

/** Copy a text; the button that was used says so for a moment. */
export async function copy(text, used) {
  const before = used.textContent;
  used.textContent = (await write(text)) ? "Copied" : "Not copied";
  setTimeout(() => { used.textContent = before; }, 1200);
}

async function write(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    // Pages that came by plain HTTP from another machine have no clipboard of this kind.
    const area = make("textarea", { value: text, className: "unseen" });
    const focused = document.activeElement;
    document.body.append(area);
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    focused?.focus();
    return done;
  }
}

export function clock(time, withMilliseconds = false) {
  const pad = (number, length = 2) => String(number).padStart(length, "0");
  const text = [time.getHours(), time.getMinutes(), time.getSeconds()].map((n) => pad(n)).join(":");
  return withMilliseconds ? `${text}.${pad(time.getMilliseconds(), 3)}` : text;
}

export const connectionsOf = (count) => `${count} connection${count === 1 ? "" : "s"}`;

const UNITS = [[86400, "d"], [3600, "h"], [60, "min"], [1, "s"]];

/** Say how long something takes, in its biggest unit and the next: "3 h 5 min", and "3 h". */
export function duration(seconds) {
  if (seconds < 10) return `${Math.max(seconds, 0).toFixed(1)} s`;
  let rest = Math.round(seconds);
  const first = UNITS.findIndex(([size]) => rest >= size);
  const found = [];
  for (const [size, unit] of UNITS.slice(first, first + 2)) {
    if (rest >= size) found.push(`${Math.floor(rest / size)} ${unit}`);
    rest %= size;
  }
  return found.join(" ");
}
