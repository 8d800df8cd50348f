"""
The script that keeps messages in Redis and publishes them, both in one step.

So what is live and what is kept agree: each kept message gets the next offset, goes to the
end of its name's stream, and is published with its position, and nobody can come between.

What it leaves, below the prefix and ``:history``:

===============  ==========================================================================
key              holds
===============  ==========================================================================
(nothing more)   hash: ``epoch``; ``top``, the newest offset; ``bytes`` of all lines;
                 ``forgotten``, the newest offset of names that are not known any more;
                 ``rules`` and bounds of the servers, as JSON
``:names``       sorted set: names by the offset of their newest message
``:ends``        sorted set: names of streams by when these end, in Unix milliseconds
``:sizes``       hash: bytes of the lines of each stream
``:sent:NODE``   number of the last entry that came from a node, for a day
``:of:NAME``     stream of the messages of a name: entry ``OFFSET-0`` with ``m``, the line
                 that was published, ``t``, when, and ``p``, the offset of the name's message
                 before it
===============  ==========================================================================

What one name has too much goes first; then, of all names, that whose stream would end
first. A batch that was published already, by its numbers, is not published again.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from ..sockets import Message
from .envelope import split_batch
from .history import History, new_epoch
from .retention import Rule

__all__ = ["HistoryKeys", "Publication", "prepare", "read_rules", "write_rules"]

PUBLISH = """
local meta, names, ends, sizes, sent = unpack(KEYS)
local channel, epoch, streams = ARGV[1], ARGV[2], ARGV[3]
local first, max_names, max_bytes = tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])
local count = (#ARGV - 7) / 4
if tonumber(redis.call('GET', sent) or '0') >= first then return 0 end

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('HSETNX', meta, 'epoch', epoch)
local known = redis.call('HMGET', meta, 'epoch', 'top', 'bytes', 'forgotten')
epoch = known[1]
local top, total = tonumber(known[2] or '0'), tonumber(known[3] or '0')
local forgotten = tonumber(known[4] or '0')

local function forget(name)
  total = total - tonumber(redis.call('HGET', sizes, name) or '0')
  redis.call('DEL', streams .. name)
  redis.call('HDEL', sizes, name)
  redis.call('ZREM', ends, name)
end

local function shorten(name, number, before, enough)
  local old = redis.call('XRANGE', streams .. name, '-', '+', 'COUNT', number)
  local ids, size = {}, 0
  for _, entry in ipairs(old) do
    if before and tonumber(entry[2][4]) >= before then break end
    if enough and total - size <= enough then break end
    ids[#ids + 1] = entry[1]
    size = size + #entry[2][2]
  end
  if #ids > 0 then
    redis.call('XDEL', streams .. name, unpack(ids))
    redis.call('HINCRBY', sizes, name, -size)
    total = total - size
  end
  if #old < number and #ids == #old then forget(name) end
end

for _, name in ipairs(redis.call('ZRANGEBYSCORE', ends, '-inf', now, 'LIMIT', 0, 100)) do
  forget(name)
end

local lines, found, touched = {ARGV[7]}, {}, {}
for i = 0, count - 1 do
  local line, name = ARGV[8 + 4 * i], ARGV[9 + 4 * i]
  local most, age = tonumber(ARGV[10 + 4 * i]), tonumber(ARGV[11 + 4 * i])
  if most > 0 then
    local stream = streams .. name
    top = top + 1
    local offset = string.format('%.0f', top)
    -- The line ends with a null that stands for its position.
    line = string.sub(line, 1, -6) .. '["' .. epoch .. '",' .. offset .. ']]'
    local one = found[name]
    if not one then
      local before = redis.call('ZSCORE', names, name) or forgotten
      one = {name = name, last = before, most = most, age = age, size = 0, added = 0}
      found[name], touched[#touched + 1] = one, one
    end
    redis.call('XADD', stream, offset .. '-0', 'm', line, 't', now, 'p', one.last)
    one.last, one.size, one.added = offset, one.size + #line, one.added + 1
    total = total + #line
  end
  lines[#lines + 1] = line
end

-- Once for each name, however many of its messages there are.
for _, one in ipairs(touched) do
  local name, stream = one.name, streams .. one.name
  redis.call('PEXPIRE', stream, one.age)
  redis.call('ZADD', names, one.last, name)
  redis.call('ZADD', ends, now + one.age, name)
  redis.call('HINCRBY', sizes, name, one.size)
  -- In portions, should a rule keep much less than the one before.
  local surplus = math.min(redis.call('XLEN', stream) - one.most, one.added + 1000)
  if surplus > 0 then shorten(name, surplus) end
  shorten(name, 2 * one.added, now - one.age)
end

local surplus = redis.call('ZCARD', names) - max_names
if surplus > 0 then
  local idle = redis.call('ZRANGE', names, 0, surplus - 1, 'WITHSCORES')
  for i = 1, #idle, 2 do
    forget(idle[i])
    redis.call('ZREM', names, idle[i])
    forgotten = math.max(forgotten, tonumber(idle[i + 1]))
  end
end
while total > max_bytes do
  local name = redis.call('ZRANGE', ends, 0, 0)[1]
  if not name then break end
  shorten(name, 64, nil, max_bytes)
end

redis.call('HSET', meta, 'top', string.format('%.0f', top), 'bytes', total,
  'forgotten', string.format('%.0f', forgotten))
redis.call('SET', sent, string.format('%.0f', first + count - 1), 'EX', 86400)
redis.call('PUBLISH', channel, table.concat(lines, '\\n'))
return top
"""

LOSE = """
local meta, names, ends, sizes = unpack(KEYS)
local top = redis.call('HINCRBY', meta, 'top', 1)
for _, name in ipairs({unpack(ARGV, 2)}) do
  local size = tonumber(redis.call('HGET', sizes, name) or '0')
  redis.call('HINCRBY', meta, 'bytes', -size)
  redis.call('DEL', ARGV[1] .. name)
  redis.call('HDEL', sizes, name)
  redis.call('ZREM', ends, name)
  redis.call('ZADD', names, top, name)
end
return top
"""
"""Notes that messages of some names were published and not kept."""


@dataclass(frozen=True, slots=True)
class HistoryKeys:
    """The names of what is kept; see above."""

    prefix: str

    @property
    def meta(self) -> str:
        """The hash that tells of all."""
        return f"{self.prefix}:history"

    @property
    def streams(self) -> str:
        """What the names of streams begin with."""
        return f"{self.prefix}:history:of:"

    @property
    def tables(self) -> list[str]:
        """The first keys of the scripts."""
        return [
            self.meta,
            *(f"{self.meta}:{each}" for each in ("names", "ends", "sizes")),
        ]

    def sent(self, node: str) -> str:
        """What says how much of a node was published."""
        return f"{self.meta}:sent:{node}"


@dataclass(frozen=True, slots=True)
class Publication:
    """
    A batch for the script.

    Attributes:
        keys: The keys.
        arguments: The arguments.
        kept: How many entries are to be kept.
    """

    keys: list[str]
    arguments: list[str | bytes | int]
    kept: int


def prepare(
    history: History,
    keys: HistoryKeys,
    channel: str,
    batch: bytes,
    items: Sequence[object],
) -> Publication | None:
    """
    Return how a batch is published; None if nothing of it is to be kept.

    Args:
        history: Has the rules and the bounds.
        keys: Where all is kept.
        channel: Where all is published.
        batch: The entries, encoded.
        items: The same, not encoded.
    """
    rules = [
        history.rule_for(item) if isinstance(item, Message) else None for item in items
    ]
    if not any(rules):
        return None
    node, first, lines = split_batch(batch)
    arguments: list[str | bytes | int] = [
        # Should nothing be there any more, its offsets begin anew, so its epoch must too.
        *(channel, new_epoch(), keys.streams, first),
        *(history.max_names, history.max_bytes, batch.partition(b"\n")[0]),
    ]
    for item, line, rule in zip(items, lines, rules, strict=True):
        if rule is None or not isinstance(item, Message):
            arguments += [line, "", 0, 0]
        else:
            arguments += [line, item.name, rule.count, int(rule.age * 1000)]
    return Publication(
        [*keys.tables, keys.sent(node)],
        arguments,
        sum(rule is not None for rule in rules),
    )


def write_rules(history: History) -> str:
    """Return the rules as they stand in Redis, for publishers that are no servers."""
    rules = [[rule.pattern, rule.count, rule.age] for rule in history.rules]
    return json.dumps([rules, history.max_bytes, history.max_names])


def read_rules(text: bytes | None) -> History:
    """Return an empty history with the rules that stand in Redis; none if none do."""
    try:
        rules, max_bytes, max_names = json.loads(text or b"")
        return History(
            [Rule(str(name), int(count), float(age)) for name, count, age in rules],
            max_bytes=int(max_bytes),
            max_names=int(max_names),
        )
    except (ValueError, TypeError):
        return History(())
