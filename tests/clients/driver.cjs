// One SignalR client that is told what to do, for tests/server/javascript.py.
//
//   node driver.cjs PACKAGE URL OPTIONS
//
// OPTIONS is JSON: token, skipNegotiation, browser, reconnect (delays in milliseconds), defaults (no transport is
// named), stateful, serverTimeout and keepAlive (milliseconds).
// stdin has a JSON command on each line, stdout a JSON event.

const [name, url, text] = process.argv.slice(2);
const options = JSON.parse(text);

if (options.browser) {
  // What makes the client think it is in a browser, where sockets take no headers.
  globalThis.window = { document: {} };
  globalThis.document = globalThis.window.document;
}
if (options.browser || name === "@aspnet/signalr") {
  const { WebSocket } = require("ws");
  // The old client gives what the new one's fallback would have: no header at all.
  globalThis.WebSocket = WebSocket;
}

const signalr = require(name);

function tell(event, fields = {}) {
  process.stdout.write(JSON.stringify({ event, ...fields }) + "\n");
}

const transport = signalr.HttpTransportType.WebSockets;
const settings = options.defaults ? {} : { transport, skipNegotiation: !!options.skipNegotiation };
if (options.token) settings.accessTokenFactory = () => options.token;

let builder = new signalr.HubConnectionBuilder()
  .withUrl(url, settings)
  .configureLogging(signalr.LogLevel.None);
if (options.reconnect) builder = builder.withAutomaticReconnect(options.reconnect);
if (options.stateful) builder = builder.withStatefulReconnect();
if (options.serverTimeout) builder = builder.withServerTimeout(options.serverTimeout);
if (options.keepAlive) builder = builder.withKeepAliveInterval(options.keepAlive);
const connection = builder.build();

const message = (error) => (error ? error.message : null);
connection.onclose((error) => tell("closed", { error: message(error) }));
if (options.reconnect) {
  connection.onreconnecting((error) => tell("reconnecting", { error: message(error) }));
  connection.onreconnected((id) => tell("reconnected", { id: id ?? null }));
}

const commands = {
  async start() {
    await connection.start();
    tell("started", { id: connection.connectionId ?? null });
  },
  on({ name }) {
    connection.on(name, (...args) => tell("message", { name, args }));
    tell("listening", { name });
  },
  async invoke({ target = "execute", args }) {
    tell("result", { result: (await connection.invoke(target, ...args)) ?? null });
  },
  async send({ args }) {
    await connection.send("execute", ...args);
  },
  async stream({ args }) {
    connection.stream("execute", ...args).subscribe({
      next: (item) => tell("item", { item }),
      complete: () => tell("completed"),
      error: (error) => tell("failed", { error: error.message }),
    });
  },
  async stop() {
    await connection.stop();
  },
};

const lines = require("readline").createInterface({ input: process.stdin });
lines.on("line", async (line) => {
  const command = JSON.parse(line);
  try {
    await commands[command.do](command);
  } catch (error) {
    tell("failed", { error: error.message });
  }
});
lines.on("close", () => process.exit(0));
