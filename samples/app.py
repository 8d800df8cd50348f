"""
An application that speaks Hyperlambda: evaluator and server in one asyncio program.

    python samples/app.py [PORT]

Slots of its own give programs what they need: `dice.roll` is an ordinary function, and
`players.best` a coroutine function, which runs on the event loop of the application.
A program runs at the start, and another one each second until Ctrl-C; it publishes
`dice.rolled`, which `hyperlambda subscribe dice.rolled` shows.
"""

from __future__ import annotations

import asyncio
import random
import sys

from hyperlambda import Evaluator, Node, generate
from hyperlambda.server import SocketServer

GREETING = """
players.best
yield
   welcome:x:@players.best
   points:x:@players.best/*/points
"""

ROUND = """
dice.roll:int:6
socket.signal:dice.rolled
   args
      points:x:@dice.roll
"""

dice = random.Random()


def roll(evaluator: Evaluator, node: Node) -> None:
    """Roll a die with as many sides as the value says."""
    node.value = dice.randint(1, node.value)


async def best_player(evaluator: Evaluator, node: Node) -> None:
    """Leave the name of the best player, and below it their points."""
    await asyncio.sleep(0)  # here an application would ask its database
    node.value = "Ada"
    node.add(Node("points", 42))


async def main(port: int) -> None:
    """Serve, run programs, and print what they return."""
    async with SocketServer(port=port) as server:
        evaluator = Evaluator(hub=server.hub)
        evaluator.register("dice.roll", roll)
        evaluator.register("players.best", best_player)
        print(f"listening on {server.url}", flush=True)
        result = await evaluator.run_async(GREETING, file="greeting")
        print(generate(result), end="", flush=True)
        while True:
            await evaluator.run_async(ROUND, file="round")
            await asyncio.sleep(1)


if __name__ == "__main__":
    try:
        asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 8765))
    except KeyboardInterrupt:
        pass
