// The Sockets page. What came over the wire is shown as text, never as markup.

import { Connection } from "./connection.js";
import { byId, button, clock, connectionsOf, copy, duration, make } from "./dom.js";
import { Groups } from "./groups.js";
import { checkJson } from "./json.js";
import { MessageLog } from "./messages.js";
import { Suggestions, covers, joinNames, splitNames } from "./names.js";
import { programOf } from "./program.js";
import { Runner } from "./run.js";
import { Users } from "./users.js";

const PORTION = 50; // names

const connection = new Connection(changed, received);
const log = new MessageLog();
const groups = new Groups(connection, prepare);
const users = new Users(connection, prepare, (own) => groups.look(own));
const runner = new Runner(connection);
const chips = new Map(); // name -> its line and the number of its messages
let expires = null; // milliseconds

// What a reload brings back; it ends with the tab, and the token with "Disconnect".
const kept = recall();
const suggestions = new Suggestions(kept.used);

function recall() {
  try {
    return JSON.parse(sessionStorage.getItem("sockets")) ?? {};
  } catch {
    return {}; // the browser was told to store nothing
  }
}

function keep(changes) {
  Object.assign(kept, changes);
  try {
    sessionStorage.setItem("sockets", JSON.stringify(kept));
  } catch {
    // Nothing may be stored, or not that much: then a reload does not bring it back.
  }
}

// The connection

function changed(state) {
  const { name, text, why, welcome, gap } = state;
  const isOpen = name === "open";
  byId("state").dataset.state = name;
  byId("state").textContent = isOpen ? `Connected as ${welcome.user ?? "anonymous"}` : text;
  byId("connect-button").textContent =
    { open: "Disconnect", retrying: "Give up", connecting: "Cancel" }[name] ?? "Connect";
  byId("retry").hidden = name !== "retrying";
  byId("token").readOnly = isOpen || name === "retrying";
  byId("identity").hidden = !isOpen;
  byId("subscribe-button").disabled = !isOpen;
  if (isOpen) greet(welcome, gap);
  else {
    users.hide();
    groups.hide();
    outcome("publish", "");
  }
  if (name === "retrying" && state.isFirst) log.note(`Connection lost: ${why}.`);
  if (name === "failed") log.error(`Not connected: ${why}.`);
  if (name === "failed" || name === "closed") keep({ token: "", isConnected: false });
  check();
}

async function greet(welcome, gap) {
  byId("user").textContent = welcome.user ?? "anonymous";
  byId("roles").textContent = welcome.roles.join(", ") || "none";
  byId("groups").textContent = welcome.groups.join(", ") || "none";
  byId("connection").textContent = welcome.connection;
  expires = welcome.expires === null ? null : welcome.expires * 1000;
  showExpiry();
  keep({ isConnected: true });
  if (gap !== null) catchUp(gap);
  else if (chips.size) ask([...chips.keys()], "subscribe").catch(refused);
  await users.show(welcome.connection);
  check();
}

async function catchUp(gap) {
  byId("subscribe-button").disabled = true; // one position stands for all names
  try {
    const isWhole = await connection.catchUp([...chips.keys()]);
    const fate = isWhole === null
      ? "What was published meanwhile is lost."
      : isWhole
        ? "Of names with history, everything published meanwhile has arrived."
        : "Of what was published meanwhile, at least a part is lost.";
    log.note(`Back after ${duration(gap)}. ${fate}`);
  } catch (error) {
    refused(error);
  }
  byId("subscribe-button").disabled = !connection.isOpen;
}

function showExpiry() {
  const left = (expires - Date.now()) / 1000;
  byId("expires").textContent = expires === null
    ? "no token"
    : `in ${duration(Math.max(left, 0))} (${clock(new Date(expires))})`;
  byId("expires").className = expires !== null && left < 60 ? "soon" : "";
}

function received(name, args) {
  log.message(name, args);
  suggestions.see(name);
  for (const [pattern, chip] of chips) {
    if (covers(pattern, name)) chip.counter.textContent = ++chip.count;
  }
}

byId("connect").addEventListener("submit", (event) => {
  event.preventDefault();
  const isIdle = ["closed", "failed"].includes(byId("state").dataset.state);
  if (!isIdle) return connection.close();
  // Terminals and mails break lines, and headers begin with the scheme.
  const token = byId("token").value.replace(/\s+/g, "").replace(/^Bearer(?=ey)/i, "");
  keep({ token });
  return connection.open(token);
});

byId("retry").addEventListener("click", () => connection.retryNow());
byId("copy-id").addEventListener("click", (event) => copy(byId("connection").textContent, event.target));

// Subscriptions

/** Ask in portions, since the server takes no frame of any size. */
async function ask(names, type) {
  for (let start = 0; start < names.length; start += PORTION) {
    await connection.request({ type, names: names.slice(start, start + PORTION) });
  }
}

function refused(error) {
  outcome("subscribe", error.message, true);
}

function outcome(form, text, isBad = false) {
  const line = byId(`${form}-outcome`);
  if (line.textContent !== text) line.textContent = text; // said once, not at each key
  line.classList.toggle("bad", isBad);
}

byId("subscribe").addEventListener("submit", async (event) => {
  event.preventDefault();
  const field = byId("subscribe-name");
  const given = splitNames(field.value);
  const names = [...new Set(given)].filter((name) => !chips.has(name));
  if (!given.length) return outcome("subscribe", "Which name?", true);
  if (!names.length) return outcome("subscribe", "You have subscribed to this already.", true);
  try {
    await ask(names, "subscribe");
  } catch (error) {
    return refused(error);
  }
  names.forEach(addChip);
  keep({ used: suggestions.use(...names) });
  field.value = "";
  return outcome("subscribe", "");
});

function addChip(name) {
  const counter = make("span", { className: "badge", textContent: "0", title: "messages" });
  const remove = button("×", `Unsubscribe from ${name}`, () => unsubscribe(name));
  const line = make("li", { data: { name } }, make("span", { textContent: name }), counter, remove);
  chips.set(name, { line, counter, count: 0 });
  byId("names").append(line);
  keep({ names: [...chips.keys()] });
}

async function unsubscribe(name) {
  try {
    if (connection.isOpen) await ask([name], "unsubscribe");
  } catch (error) {
    return refused(error);
  }
  chips.get(name)?.line.remove();
  chips.delete(name);
  keep({ names: [...chips.keys()] });
  return byId("subscribe-name").focus();
}

// Publishing

const kindOf = () => document.querySelector("input[name=kind]:checked").value;
const namesOf = () => splitNames(byId("audience").value);

function check() {
  const isJson = checkJson(byId("payload"), byId("payload-check"), "No payload: receivers get null");
  const kind = kindOf();
  byId("audience").hidden = !kind;
  const isWhole = byId("publish-name").value.trim() && (!kind || namesOf().length);
  byId("publish-button").disabled = !isJson || !isWhole || !users.areAllowed;
  if (connection.isOpen && users.areAllowed === false) {
    outcome("publish", "Your roles may not publish here.", true);
  }
  runner.check();
  showProgram();
}

function showProgram() {
  if (!byId("program").open) return;
  const name = byId("publish-name").value.trim() || "foo.bar";
  const program = programOf(name, byId("payload").value, kindOf(), namesOf());
  byId("program-text").textContent = program ?? "";
  byId("program-text").hidden = byId("copy-program").hidden = program === null;
  byId("program-none").hidden = program !== null;
}

byId("program").addEventListener("toggle", showProgram);
byId("copy-program").addEventListener("click", (event) => copy(byId("program-text").textContent, event.target));

/** Fill in an audience, from the list of users. */
function prepare(kind, name) {
  document.querySelector(`input[name=kind][value=${kind}]`).checked = true;
  byId("audience").value = joinNames([name]);
  check();
  byId(byId("publish-name").value ? "payload" : "publish-name").focus();
}

byId("publish").addEventListener("input", () => {
  outcome("publish", "");
  check();
});

byId("publish").addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
  event.preventDefault();
  if (!byId("publish-button").disabled) byId("publish").requestSubmit();
});

byId("publish").addEventListener("submit", async (event) => {
  event.preventDefault();
  const name = byId("publish-name").value.trim();
  const kind = kindOf();
  const names = namesOf();
  const request = { type: "publish", name, count: true, ...(kind && { [kind]: names }) };
  keep({
    publish: { name, payload: byId("payload").value, kind, names: byId("audience").value },
    used: suggestions.use(name),
  });
  let sent;
  try {
    sent = (await connection.request(request, byId("payload").value.trim())).connections;
  } catch (error) {
    return outcome("publish", error.message, true);
  }
  const to = kind ? `${kind} ${names.join(", ")}` : "everybody";
  const reached = sent ? `sent to ${connectionsOf(sent)}` : "nobody there listens to it";
  return outcome("publish", `${clock(new Date())} Published ${name} to ${to}: ${reached}.`);
});

// What a reload brings back

(kept.names ?? []).forEach(addChip);
if (kept.publish) {
  byId("publish-name").value = kept.publish.name;
  byId("payload").value = kept.publish.payload;
  byId("audience").value = kept.publish.names;
  document.querySelector(`input[name=kind][value="${CSS.escape(kept.publish.kind)}"]`).checked = true;
}
check();
setInterval(showExpiry, 1000);
if (kept.isConnected) {
  byId("token").value = kept.token;
  connection.open(kept.token);
}
