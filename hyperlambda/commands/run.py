"""`hyperlambda run`: run a program."""

from __future__ import annotations

import math

import click

from ..evaluator import Evaluator, limits_of, with_arguments
from ..generator import generate
from ..limits import Limits
from ..parser import parse
from ..sockets import Hub
from .config import config_option, settings_of
from .logs import LEVELS, logging_to_stderr
from .options import find_redis, redis_options, token_option
from .programs import read_arguments, read_program, result_json, result_text
from .reference_keys import for_programs
from .terminal import Terminal

__all__ = ["command"]


def _finite(
    ctx: click.Context, param: click.Parameter, value: float | None
) -> float | None:
    if value is not None and not math.isfinite(value):
        raise click.BadParameter("it must be a number of seconds")
    return value


@click.command("run")
@click.argument("file")
@click.option(
    "--arg",
    "arguments",
    multiple=True,
    metavar="NAME[:TYPE]=VALUE",
    help="What the program finds below .arguments; may be repeated.",
)
@click.option("--tree", is_flag=True, help="Print the tree as the program left it.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@click.option(
    "--connect",
    metavar="URL",
    help="Send socket messages through a running server: ws://HOST:PORT/ws.",
)
@token_option
@redis_options(
    "Send them into the cluster that meets there: redis://HOST:PORT/0; or the variable "
    "HYPERLAMBDA_REDIS. No server is between."
)
@click.option(
    "--timeout",
    type=click.FloatRange(0, min_open=True),
    callback=_finite,
    metavar="SECONDS",
    help="End the program after so many seconds.",
)
@click.option(
    "--max-steps",
    type=click.IntRange(1),
    metavar="N",
    help="End the program after so many calls of slots.",
)
@click.option(
    "--log-level",
    type=click.Choice(list(LEVELS)),
    default="info",
    show_default=True,
    help="Show log entries from this level on.",
)
@click.option("--debug", is_flag=True, help="Show Python's traceback of an error too.")
@config_option("run")
@click.pass_context
def command(
    ctx: click.Context,
    file: str,
    arguments: tuple[str, ...],
    tree: bool,
    as_json: bool,
    connect: str | None,
    token: str | None,
    redis: str | None,
    redis_prefix: str,
    timeout: float | None,
    max_steps: int | None,
    log_level: str,
    debug: bool,
) -> None:
    """
    Run the program in FILE ("-" is stdin), and print what it returns.

    \b
    Examples:
      hyperlambda run hello.hl
      hyperlambda run greet.hl --arg name=Ada --arg times:int=3
      hyperlambda run signal.hl --connect ws://127.0.0.1:8765/ws
      hyperlambda run signal.hl --redis redis://127.0.0.1
    """
    if tree and as_json:
        raise click.UsageError("--tree and --json exclude each other")
    ctx.ensure_object(Terminal).shows_tracebacks = debug
    given = read_arguments(arguments)
    name = "<stdin>" if file == "-" else file
    program = with_arguments(parse(read_program(file), file=name), given)
    ctx.with_resource(logging_to_stderr(log_level))
    settings = settings_of(ctx)
    evaluator = Evaluator(
        limits=limits_of(settings, Limits(timeout=timeout, max_steps=max_steps)),
        config=for_programs(settings),
        hub=_hub(ctx, connect, token, redis, redis_prefix),
    )
    result = evaluator.evaluate(program)
    if tree:
        click.echo(generate(program), nl=False)
    elif as_json:
        click.echo(result_json(result))
    else:
        click.echo(result_text(result), nl=False)


def _hub(
    ctx: click.Context,
    url: str | None,
    token: str | None,
    redis: str | None,
    prefix: str,
) -> Hub | None:
    # Imported here: only programs that talk to somebody should pay for it.
    if url is not None:
        if ctx.get_parameter_source("redis") is click.core.ParameterSource.COMMANDLINE:
            raise click.UsageError("--connect and --redis exclude each other")
        from ..client import SocketClient

        return ctx.with_resource(SocketClient(url, token=token))
    target = find_redis(redis, prefix)
    if target is None:
        return None
    from ..server.redis_hub import RedisHub

    return ctx.with_resource(RedisHub(target))
