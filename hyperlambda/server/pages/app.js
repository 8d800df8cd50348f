"use strict";

// Whatever came over the wire is shown with textContent: it is text, never markup.

const LOG_LENGTH = 500;
const element = (id) => document.getElementById(id);
let socket = null;
let count = 0;
const waiting = new Map(); // request number -> what to log when it is answered

function log(text, kind = "") {
  const line = document.createElement("li");
  line.className = kind;
  line.textContent = `${new Date().toLocaleTimeString()}  ${text}`;
  element("log").prepend(line);
  while (element("log").childElementCount > LOG_LENGTH) element("log").lastChild.remove();
}

function show(state, text) {
  element("state").dataset.state = state;
  element("state").textContent = text;
  const isOpen = state === "open";
  element("identity").hidden = !isOpen;
  for (const id of ["subscribe", "publish"]) {
    document.querySelector(`#${id} > button`).disabled = !isOpen;
  }
  document.querySelector("#connect > button").textContent = isOpen ? "Disconnect" : "Connect";
  if (!isOpen) element("names").replaceChildren();
}

function ask(request, note) {
  const id = ++count;
  waiting.set(id, note);
  socket.send(JSON.stringify({ ...request, id }));
}

const answers = {
  welcome(frame) {
    element("user").textContent = frame.user ?? "anonymous";
    element("roles").textContent = frame.roles.join(", ") || "none";
    element("groups").textContent = frame.groups.join(", ") || "none";
    element("connection").textContent = frame.connection;
    show("open", "connected");
  },
  message(frame) {
    log(`${frame.name}  ${JSON.stringify(frame.args)}`);
  },
  error(frame) {
    log(frame.message, "error");
  },
  subscribed(frame) {
    for (const name of frame.names) addName(name);
  },
};

function addName(name) {
  if ([...element("names").children].some((line) => line.dataset.name === name)) return;
  const line = document.createElement("li");
  const stop = document.createElement("button");
  line.dataset.name = name;
  line.textContent = name;
  stop.type = "button";
  stop.textContent = "Stop";
  stop.addEventListener("click", () => {
    ask({ type: "unsubscribe", names: [name] }, `unsubscribed from ${name}`);
    line.remove();
  });
  line.append(stop);
  element("names").append(line);
}

function receive(event) {
  const frame = JSON.parse(event.data);
  const note = waiting.get(frame.id);
  waiting.delete(frame.id);
  if (Object.hasOwn(answers, frame.type)) answers[frame.type](frame);
  if (note && frame.type !== "error") log(note, "note");
}

function connect() {
  const url = new URL("/ws", location.href);
  url.protocol = location.protocol === "https:" ? "wss:" : "ws:";
  const token = element("token").value.trim();
  if (token) url.searchParams.set("access_token", token);
  const own = new WebSocket(url);
  let wasOpen = false;
  socket = own;
  show("closed", "connecting …");
  own.addEventListener("open", () => { wasOpen = true; });
  own.addEventListener("message", receive);
  own.addEventListener("close", (event) => {
    if (socket !== own) return;
    socket = null;
    waiting.clear();
    const why = event.reason || (wasOpen ? `code ${event.code}` : "refused; is the token valid?");
    show(event.code === 1000 ? "closed" : "failed", `not connected: ${why}`);
    log(`connection closed: ${why}`, "note");
  });
}

element("connect").addEventListener("submit", (event) => {
  event.preventDefault();
  if (socket) socket.close(1000, "closed by you");
  else connect();
});

element("subscribe").addEventListener("submit", (event) => {
  event.preventDefault();
  const name = element("subscribe-name").value.trim();
  ask({ type: "subscribe", names: [name] }, `subscribed to ${name}`);
});

element("publish").addEventListener("submit", (event) => {
  event.preventDefault();
  const request = { type: "publish", name: element("publish-name").value.trim() };
  const payload = element("payload").value.trim();
  try {
    if (payload) request.args = JSON.parse(payload);
  } catch (error) {
    log(`the payload is no JSON: ${error.message}`, "error");
    return;
  }
  const kind = element("kind").value;
  if (kind) request[kind] = element("audience").value;
  ask(request, `published ${request.name}${kind ? ` to ${kind} ${request[kind]}` : ""}`);
});

element("kind").addEventListener("change", () => {
  element("audience").disabled = !element("kind").value;
});

element("clear").addEventListener("click", () => element("log").replaceChildren());
