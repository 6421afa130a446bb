--- Which operations may be done twice: what is not known to have been done is sent again only then.
-- Repeatable is what leaves the server after the second time as it was after the first.
-- @module vbench.repeatable
local commands = require "vbench.commands"
local fields = require "vbench.fields"

local M = {}

local PHASES = -1 -- retries: as many as the phase says

-- Writes that set a state whatever it was before. Those that add, take, move or trim by place are
-- not here, nor those whose answer tells who came first (SETNX, GETDEL).
local WRITES = {}
for name in ([[set setex psetex getex mset setrange setbit expire pexpire expireat pexpireat persist
    hset hmset hdel hexpire hpexpire hexpireat hpexpireat hpersist hsetex hgetex lset sadd srem zadd
    zrem zremrangebylex zremrangebyscore geoadd pfadd xdel xtrim xack del unlink sdiffstore
    sinterstore sunionstore zrangestore geosearchstore zdiffstore zinterstore zunionstore pfmerge
    bitop copy sort georadius georadiusbymember smove json.set json.del json.forget json.merge
    json.clear json.mset bf.add bf.madd bf.insert vadd vrem vsetattr
    ping echo dbsize info time keys scan randomkey lastsave wait flushall flushdb]])
  :gmatch("%S+") do
  WRITES[name] = true
end

-- Words that make one of them something else.
local UNLESS = {
  set = { NX = true, GET = true, IFEQ = true }, zadd = { INCR = true },
  hsetex = { FNX = true }, ["json.set"] = { NX = true },
}

local EMPTYING = { del = true, unlink = true }
local EMPTYING_ALL = { flushall = true, flushdb = true }

local function word_of(command)
  local word = command.spec.arguments[1]
  return type(word) == "string" and word:lower() or ""
end

local function is_known(command)
  local word = word_of(command)
  local entry = commands.find(word)
  if entry and entry.readonly then return true end
  if not WRITES[word] then return false end
  for _, argument in ipairs(command.spec.arguments) do
    if UNLESS[word] and type(argument) == "string" and UNLESS[word][argument:upper()] then
      return false
    end
  end
  return true
end

--- Whether a command may be done twice: as it says itself, else as is known of its word.
-- @tparam command command
-- @treturn boolean
function M.command(command)
  local spec = command.spec
  if spec.idempotent ~= nil then return spec.idempotent end
  if spec.readonly ~= nil then return spec.readonly end
  if spec.retry then return true end -- whoever asks for it knows
  return is_known(command)
end

-- What an argument names within its operation: equal texts are one key. nil: it is not known.
local function identity(argument)
  if type(argument) == "string" then return "text " .. argument end
  local kind = fields.kind(argument)
  if kind == "key" and type(argument.spec.value) == "string" then
    return "text " .. argument.spec.value
  end
  -- The first cursor of a keyspace draws the id that current() repeats.
  if kind == "cursor" and argument.spec.current then
    return "current " .. argument.spec.keyspace.name
  end
end

-- The keys of a command; `drawn` are the keyspaces from which an id of the operation was drawn.
local function keys_of(command, drawn)
  local arguments, words, out = command.spec.arguments, {}, {}
  for i, argument in ipairs(arguments) do words[i] = type(argument) == "string" and argument end
  local places = commands.keys(words)
  for i, argument in ipairs(arguments) do
    local is_cursor = fields.kind(argument) == "cursor"
    local name = identity(argument)
    if is_cursor and not name and not drawn[argument.spec.keyspace] then
      drawn[argument.spec.keyspace] = true
      if not argument.spec.times_min then name = "current " .. argument.spec.keyspace.name end
    end
    if places[i] or fields.kind(argument) == "key" then out[#out + 1] = name or false end
  end
  return out
end

local function all_in(keys, emptied)
  for _, key in ipairs(keys) do
    if not key or not emptied[key] then return false end
  end
  return #keys > 0
end

-- A transaction is repeatable when each of its commands is, or works on keys that were emptied
-- before it in the same transaction: DEL and RPUSH leave the same list each time.
local function transaction(steps)
  local emptied, drawn, everything = {}, {}, false
  for _, step in ipairs(steps) do
    local word, keys = word_of(step.command), keys_of(step.command, drawn)
    if EMPTYING_ALL[word] then everything = true end
    if not M.command(step.command) and step.command.spec.idempotent == nil then
      if not everything and not all_in(keys, emptied) then return false end
    elseif not M.command(step.command) then
      return false
    end
    for _, key in ipairs(EMPTYING[word] and keys or {}) do
      if key then emptied[key] = true end
    end
  end
  return true
end

-- The fewest retries that a command of the operation allows itself.
local function retries_of(list)
  local least
  for _, command in ipairs(list) do
    local retry = command.spec.retry
    if retry == false then retry = 0 end
    if type(retry) == "number" then least = math.min(least or retry, retry) end
  end
  return least or PHASES
end

--- How what a phase runs may be sent again.
-- @tparam command|subscriber|sequence|transaction what an operation
-- @treturn number retries at most; -1: as many as the phase says
-- @treturn boolean whether a transaction may be done twice
function M.operation(what)
  if not what.spec.steps then return retries_of { what }, false end
  local list = {}
  for i, step in ipairs(what.spec.steps) do list[i] = step.command end
  return retries_of(list), what.kind == "transaction" and transaction(what.spec.steps)
end

return M
