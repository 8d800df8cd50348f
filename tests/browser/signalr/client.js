// SignalR clients in a page; a test connects them, and asks what happens next.

"use strict";

const clients = {};
const happened = [];
const waiting = [];

function tell(client, event, fields = {}) {
  const told = { client, event, ...fields };
  if (waiting.length) waiting.shift()(told);
  else happened.push(told);
}

/** What happens next, to whichever client. */
window.next = () =>
  happened.length ? happened.shift() : new Promise((resolve) => waiting.push(resolve));

/** Connect; a reload of the page does so again. */
window.join = async (client, url, options = {}) => {
  const kept = JSON.parse(sessionStorage.getItem("clients") ?? "{}");
  sessionStorage.setItem("clients", JSON.stringify({ ...kept, [client]: [url, options] }));
  const { HubConnectionBuilder, HttpTransportType, LogLevel } = window.signalR;
  const settings = { skipNegotiation: Boolean(options.skipNegotiation) };
  if (settings.skipNegotiation) settings.transport = HttpTransportType.WebSockets;
  if (options.token) settings.accessTokenFactory = () => options.token;
  const builder = new HubConnectionBuilder().withUrl(url, settings).configureLogging(LogLevel.None);
  // The oldest client has no reconnect, and does not know its id.
  builder.withAutomaticReconnect?.(Array(200).fill(50));
  const connection = builder.build();
  clients[client] = connection;
  for (const name of options.names ?? ["m"]) {
    connection.on(name, (...args) => tell(client, name, { args }));
  }
  connection.onreconnecting?.(() => tell(client, "reconnecting"));
  connection.onreconnected?.((id) => tell(client, "reconnected", { id }));
  connection.onclose((error) => tell(client, "closed", { error: error?.message ?? null }));
  try {
    await connection.start();
    tell(client, "started", { id: connection.connectionId ?? null });
  } catch (error) {
    tell(client, "failed", { error: error.message });
  }
};

window.call = (client, ...args) =>
  clients[client].invoke("execute", ...args).then(
    (result) => ({ result: result ?? null }),
    (error) => ({ error: error.message }));

for (const [client, [url, options]] of Object.entries(
  JSON.parse(sessionStorage.getItem("clients") ?? "{}"))) {
  window.join(client, url, options);
}
