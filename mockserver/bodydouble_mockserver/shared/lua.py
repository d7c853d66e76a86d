"""The scripts that Redis runs, each as one step. ``KEYS[1]`` is the prefix of all keys.

``version`` changes with the script and the limits: an argument ``version`` is the one that the caller knows, and -1 tells that it is not that any more.
"""

import hashlib
from dataclasses import dataclass
from functools import cached_property

__all__ = ["ADD", "CHARGE", "CLEAR", "CLEAR_JOURNAL", "LOAD", "REMOVE", "TAKE", "WRITE", "Script"]


@dataclass(frozen=True)
class Script:
    """A script in Lua, and the name that Redis gives it."""

    text: str

    @cached_property
    def digest(self) -> str:
        """The name of the script, once Redis has run it."""
        return hashlib.sha1(self.text.encode(), usedforsecurity=False).hexdigest()


_FUNCTIONS = """
local function key(name) return KEYS[1] .. name end
local function remove(id)
  for _, name in ipairs({'sources', 'times', 'used'}) do redis.call('HDEL', key(name), id) end
  return redis.call('LREM', key('answers'), 0, id)
end
"""
# ARGV: token. Returns version, limits as JSON or '', and for each answer its id, its JSON, and 1 or 0 for whether it is of a file.
LOAD = Script(
    _FUNCTIONS
    + """
redis.call('SETNX', key('version'), ARGV[1])
local result = {
  redis.call('GET', key('version')),
  redis.call('GET', key('limits')) or '',
}
for _, id in ipairs(redis.call('LRANGE', key('answers'), 0, -1)) do
  table.insert(result, id)
  table.insert(result, redis.call('HGET', key('sources'), id))
  table.insert(result, redis.call('SISMEMBER', key('of_file'), id))
end
return result
"""
)
# ARGV: token, most answers, hash of the scenario's file or '', limits as JSON or '', then times (0: unlimited) and JSON of each answer.
# Returns the ids; a number is that of the stored answers, for which there is too little room.
ADD = Script(
    _FUNCTIONS
    + """
local file, new = ARGV[3], (#ARGV - 4) / 2
if file ~= '' then
  if redis.call('GET', key('file')) == file then return {} end
  for _, id in ipairs(redis.call('SMEMBERS', key('of_file'))) do remove(id) end
  redis.call('DEL', key('of_file'))
end
local stored = redis.call('LLEN', key('answers'))
if stored + new > tonumber(ARGV[2]) then return stored end
if file ~= '' then redis.call('SET', key('file'), file) end
local ids = {}
for index = 5, #ARGV, 2 do
  local id = 'answer-' .. redis.call('HINCRBY', key('counters'), 'answers', 1)
  if file == '' then redis.call('RPUSH', key('answers'), id) end
  redis.call('HSET', key('sources'), id, ARGV[index + 1])
  if ARGV[index] ~= '0' then redis.call('HSET', key('times'), id, ARGV[index]) end
  if file ~= '' then redis.call('SADD', key('of_file'), id) end
  table.insert(ids, id)
end
if file ~= '' then
  for index = #ids, 1, -1 do redis.call('LPUSH', key('answers'), ids[index]) end
end
if ARGV[4] ~= '' and not (file ~= '' and redis.call('GET', key('limits')) == ARGV[4]) then
  redis.call('SET', key('limits'), ARGV[4])
  redis.call('DEL', key('spent'))
  redis.call('HINCRBY', key('counters'), 'epoch', 1)
end
redis.call('SET', key('version'), ARGV[1])
return ids
"""
)
# ARGV: token, then ids. Returns the number of answers that were removed.
REMOVE = Script(
    _FUNCTIONS
    + """
local removed = 0
for index = 2, #ARGV do removed = removed + remove(ARGV[index]) end
redis.call('SET', key('version'), ARGV[1])
return removed
"""
)
# ARGV: token. The scenario of a file is not added again by the next process that starts with it.
CLEAR = Script(
    _FUNCTIONS
    + """
for _, name in ipairs({'answers', 'sources', 'times', 'used', 'of_file', 'limits', 'spent'}) do
  redis.call('DEL', key(name))
end
redis.call('HDEL', key('counters'), 'calls')
redis.call('HINCRBY', key('counters'), 'epoch', 1)
redis.call('SET', key('version'), ARGV[1])
"""
)
# ARGV: version, id. Returns 1 when the answer may be used once more, and 0 when it is used up.
TAKE = Script(
    _FUNCTIONS
    + """
if redis.call('GET', key('version')) ~= ARGV[1] then return -1 end
local times = redis.call('HGET', key('times'), ARGV[2])
local used = redis.call('HINCRBY', key('used'), ARGV[2], 1)
if times and used > tonumber(times) then
  redis.call('HINCRBY', key('used'), ARGV[2], -1)
  return 0
end
return 1
"""
)
# ARGV: version, key of the account, cost, most calls a minute or '', credits or ''. Returns {0}, {1, seconds to wait} or {2} for too few credits.
CHARGE = Script(
    _FUNCTIONS
    + """
if redis.call('GET', key('version')) ~= ARGV[1] then return {-1} end
local epoch = redis.call('HGET', key('counters'), 'epoch') or '0'
if ARGV[4] ~= '' then
  local time = redis.call('TIME')
  local now = tonumber(time[1]) + tonumber(time[2]) / 1000000
  local calls = key('calls:' .. epoch .. ':' .. ARGV[2])
  redis.call('ZREMRANGEBYSCORE', calls, '-inf', now - 60)
  if redis.call('ZCARD', calls) >= tonumber(ARGV[4]) then
    local oldest = redis.call('ZRANGE', calls, 0, 0, 'WITHSCORES')
    return {1, tostring(#oldest > 0 and oldest[2] + 60 - now or 60)}
  end
  redis.call('ZADD', calls, now, redis.call('HINCRBY', key('counters'), 'charged', 1))
  redis.call('EXPIRE', calls, 61)
end
if ARGV[5] ~= '' then
  local spent = tonumber(redis.call('HGET', key('spent'), ARGV[2]) or '0')
  if spent + tonumber(ARGV[3]) > tonumber(ARGV[5]) then return {2} end
  redis.call('HINCRBYFLOAT', key('spent'), ARGV[2], ARGV[3])
end
return {0}
"""
)
# ARGV: for recipes and then for the journal a number of arguments, and these: of recipes the seconds to live, then id and value of each; of the journal
# most entries, most bytes, overhead of an entry in bytes, then lines. Returns the version, and the number of the last entry, 0 without lines.
# Entries beyond the most go 64 at a time.
WRITE = Script(
    _FUNCTIONS
    + """
local recipes = tonumber(ARGV[1])
for index = 3, recipes + 1, 2 do
  redis.call('SET', key('recipe:' .. ARGV[index]), ARGV[index + 1], 'EX', ARGV[2])
end
local start = recipes + 2
local new, last = tonumber(ARGV[start]) - 3, 0
if new > 0 then
  local lines, about = key('lines'), key('journal')
  local most, most_bytes, overhead = tonumber(ARGV[start + 1]), tonumber(ARGV[start + 2]), ARGV[start + 3]
  last = redis.call('HINCRBY', about, 'last', new)
  local added, fields = new * overhead, {}
  for index = start + 4, #ARGV do
    table.insert(fields, last - #ARGV + index)
    table.insert(fields, ARGV[index])
    added = added + #ARGV[index]
  end
  redis.call('HSET', lines, unpack(fields))
  local bytes = redis.call('HINCRBY', about, 'bytes', added)
  if last % 64 < new or bytes > most_bytes then
    local first = tonumber(redis.call('HGET', about, 'first') or 1)
    while first <= last and (last - first + 1 > most or bytes > most_bytes) do
      bytes = bytes - redis.call('HSTRLEN', lines, first) - overhead
      redis.call('HDEL', lines, first)
      first = first + 1
    end
    redis.call('HSET', about, 'first', first, 'bytes', bytes)
  end
end
return {redis.call('GET', key('version')), last}
"""
)
# ARGV: most entries. Returns the number of entries that were removed.
CLEAR_JOURNAL = Script(
    _FUNCTIONS
    + """
local known = redis.call('HMGET', key('journal'), 'first', 'last')
local first, last = tonumber(known[1] or 1), tonumber(known[2] or 0)
redis.call('DEL', key('lines'))
redis.call('HSET', key('journal'), 'first', last + 1, 'cleared', last, 'bytes', 0)
return math.min(last - first + 1, tonumber(ARGV[1]))
"""
)
