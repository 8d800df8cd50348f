"""
One SignalR client of Python that is told what to do, for tests/server/python_clients.py.

    python driver.py PACKAGE URL OPTIONS

OPTIONS is JSON: token, ping (seconds between the client's pings), reconnect (seconds between
its attempts). stdin has a JSON command on each line, stdout a JSON event. What driver.cjs is
for JavaScript.
"""

from __future__ import annotations

import asyncio
import json
import sys
import threading
from typing import Any


def tell(event: str, **fields: Any) -> None:
    """Write an event, from any thread."""
    sys.stdout.write(json.dumps({"event": event, **fields}) + "\n")
    sys.stdout.flush()


def headers(options: dict[str, Any]) -> dict[str, str]:
    """Return what shows the token to the negotiation as well as to the WebSocket."""
    token = options.get("token")
    return {"Authorization": f"Bearer {token}"} if token else {}


# pysignalr, which is asynchronous.


async def run_pysignalr(url: str, options: dict[str, Any]) -> None:
    from pysignalr.client import SignalRClient

    settings: dict[str, Any] = {"headers": headers(options)}
    if "factory" in options:
        settings["access_token_factory"] = lambda: options["factory"]
    if "ping" in options:
        settings["signalr_ping_interval"] = options["ping"]
    if "reconnect" in options:
        settings["retry_sleep"] = options["reconnect"]
        settings["retry_count"] = 1_000
    client = SignalRClient(url, **settings)
    failures: list[Any] = []

    async def opened() -> None:
        tell("started", id=None)

    async def closed() -> None:
        tell("closed", error=None)

    async def failed(message: Any) -> None:
        failures.append(message.error)

    client.on_open(opened)
    client.on_close(closed)
    client.on_error(failed)

    async def invoke(target: str, args: list[Any]) -> None:
        async def done(message: Any) -> None:
            if message.error:
                tell("failed", error=failures.pop())
            else:
                tell("result", result=message.result)

        await client.send(target, args, done)

    async def run() -> None:
        try:
            await client.run()
        except Exception as error:
            tell("ended", error=f"{type(error).__name__}: {error}")

    def listen(name: str) -> None:
        async def received(args: Any) -> None:
            tell("message", name=name, args=args)

        client.on(name, received)
        tell("listening", name=name)

    running: asyncio.Task[None] | None = None
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        command = json.loads(line)
        if command["do"] == "start":
            running = asyncio.create_task(run())
        elif command["do"] == "on":
            listen(command["name"])
        elif command["do"] == "invoke":
            await invoke(command["target"], command["args"])
    if running is not None:
        running.cancel()


# signalrcore, which has threads.


def run_signalrcore(url: str, options: dict[str, Any]) -> None:
    from signalrcore.hub_connection_builder import HubConnectionBuilder

    settings: dict[str, Any] = {}
    if options.get("token"):
        settings["access_token_factory"] = lambda: options["token"]
    if options.get("skipNegotiation"):
        settings["skip_negotiation"] = True
    builder = HubConnectionBuilder().with_url(url, options=settings)
    if "reconnect" in options:
        builder = builder.with_automatic_reconnect(
            {
                "type": "raw",
                "keep_alive_interval": options.get("ping", 15),
                "reconnect_interval": options["reconnect"],
                "max_attempts": None,
            }
        )

    def build() -> Any:
        made = builder.build()
        made.on_open(lambda: tell("started", id=None))
        made.on_close(lambda: tell("closed", error=None))
        made.on_reconnect(lambda: tell("reconnected", id=None))
        # Errors have no handler of their own: one for all calls.
        made.on_error(lambda message: tell("failed", error=message.error))
        return made

    connection = build()

    def listen(name: str) -> None:
        connection.on(name, lambda args: tell("message", name=name, args=args))
        tell("listening", name=name)

    for line in sys.stdin:
        command = json.loads(line)
        try:
            if command["do"] == "start":
                connection.start()
            elif command["do"] == "on":
                listen(command["name"])
            elif command["do"] == "invoke":
                connection.invoke(
                    command["target"],
                    command["args"],
                    lambda message: tell("result", result=message.result),
                )
            elif command["do"] == "renew":
                connection = build()
        except Exception as error:
            tell("failed", error=f"{type(error).__name__}: {error}")
    threading.Thread(target=connection.stop, daemon=True).start()


def main() -> None:
    name, url, text = sys.argv[1:]
    options = json.loads(text)
    if name == "pysignalr":
        asyncio.run(run_pysignalr(url, options))
    else:
        run_signalrcore(url, options)


if __name__ == "__main__":
    main()
