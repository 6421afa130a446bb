--- Flows: clients written as straight code, for everything where the next request depends on a
-- reply.
--
--     local ack = vb.command { "XACK", vb.key "orders", "g", vb.arg "ids" }
--     local consume = vb.flow("consume", function(c)
--       local r, ids = c:call(read_group, { consumer = c.index }), {}
--       for id in r:each_id() do ids[#ids + 1] = id end
--       if #ids > 0 then c:call(ack, { ids = ids }) end
--     end)
--
-- One run of the function is one operation. It is given `c`, its client: `c.index` (its number in
-- the phase, from 0), `c.rng` (`rng:int rng:float rng:next`, a function of the run's seed, the
-- phase and the operation), `c.state` (a table that lasts with the connection, until the phase
-- ends or the connection is lost), and the methods below.
-- @api vbench.flow
local argument = require "vbench.argument"
local canonical = require "vbench.canonical"
local fault = require "vbench.fault"
local fields = require "vbench.fields"
local lower = require "vbench.lower"
local nearest = require "vbench.nearest"
local registry = require "vbench.registry"
local session = require "vbench.session"
local units = require "vbench.units"
local vbffi = require "vbench.ffi"

local ffi, C = vbffi.ffi, vbffi.C
local M = {}

local VIEWS = 17 -- VB_FLOW_VIEWS of script/flow_client.h

--- Declares a flow.
-- @function vb.flow
-- @tparam string name
-- @tparam function fn `function(c)`, run once for each operation
-- @treturn flow for `run` of a phase and entries of vb.mix
-- @raise when the name is taken by a flow or a command
function M.declare(name, fn)
  if type(name) ~= "string" or name == "" then
    fault.raise("vb.flow takes a name and a function, not %s", fields.describe(name))
  end
  if type(fn) ~= "function" then
    fault.raise("vb.flow '%s' takes a function(c), not %s", name, fields.describe(fn))
  end
  local self = {
    kind = "flow", name = name, fn = fn, spec = { fn = fn },
    what = ("flow '%s' (%s)"):format(name, fault.written(fn)),
  }
  return registry.add("flow", name, self)
end

local function has_command()
  for _, name in ipairs(registry.names("command")) do
    if registry.get("command", name).kind == "command" then return true end
  end
  return false
end

--- Checks what can only be checked when everything is declared.
-- @raise when a flow and a command have one name: the report could not tell them apart; when there
--   is no command that a flow could call
-- @local
function M.check_all()
  for _, name in ipairs(registry.names("flow")) do
    if not has_command() then
      fault.raise_at(registry.position("flow", name), "flow '%s' has no command that it could "
        .. "call: declare one with vb.command { ... }", name)
    end
    if registry.get("command", name) then
      fault.raise_at(registry.position("flow", name),
        "a flow and a command (at %s) are named '%s': give the flow another name",
        registry.position("command", name), name)
    end
  end
end

--- The number of a flow: its place among the names.
-- @tparam flow flow
-- @treturn number from 0
-- @local
function M.number(flow)
  return registry.number("flow", flow.name)
end

-- A cursor that c:draw draws from, opened: by the cursor, for as long as the script keeps that.
local function open_draw(draws, cursor)
  if fields.kind(cursor) ~= "cursor" or cursor.spec.current then
    fault.raise("c:draw takes a cursor, such as keys:uniform(), not %s",
      fields.kind(cursor) == "cursor" and "keys:current(), which draws nothing"
      or fields.describe(cursor))
  end
  if cursor.spec.times_min then
    fault.raise("c:draw draws one id: call it several times instead of cursor:times(n)")
  end
  if cursor.spec.duration then
    fault.raise("c:draw has no use for cursor:duration(t), which ends a phase: give the phase one, "
      .. "or call c:stop")
  end
  if cursor.spec.by_slots then
    fault.raise('c:draw takes no share by slots (:partition("slots")): call a command that has one')
  end
  if cursor.spec.filter or cursor.spec.claim then
    fault.raise("c:draw takes no cursor that looks at which keys exist: call a command that draws "
      .. "from it; keys:current() is its id in the calls after that")
  end
  local handle = lower.cursor(cursor, { seed = session.run.seed })
  local draw = ffi.new("vb_flow_draw")
  draw.cursor, draw.hole = handle, C.vb_hash(0, canonical.text(cursor), #canonical.text(cursor))
  draws[cursor] = ffi.gc(draw, function() handle = nil end) -- lives as long as what points to it
  return draw
end

local function duration(value)
  local seconds, message = units.duration(value)
  if not seconds then fault.raise("c:sleep: %s", message) end
  return seconds
end

-- What is wrong with a call, by what it is about.
local COMPLAINTS = {
  command = function(value)
    fault.raise("c:call takes a command that was declared by vb.command at load, not %s",
      fields.kind(value) == "command" and ("command '%s'"):format(value.name)
      or fields.describe(value))
  end,
  entry = function(value, _, place)
    fault.raise("entry %d of c:exec is %s; it takes { command, arguments }", place,
      fields.describe(value))
  end,
  table = function(value, command)
    fault.raise("the arguments of command '%s' are %s; they are a table of what its vb.args take",
      command.name, fields.describe(value))
  end,
  value = function(name, command)
    fault.raise("vb.arg '%s' of command '%s' takes a string, a number or a table of them",
      tostring(name), command.name)
  end,
  argument = function(name, command, _, accepted)
    local names = fields.names(accepted or {})
    fault.raise("command '%s' has no vb.arg '%s'%s", command.name, tostring(name),
      nearest.hint(tostring(name), names))
  end,
  missing = function(given, command, _, accepted)
    for _, name in ipairs(accepted) do
      if given == nil or given[name] == nil then
        fault.raise("command '%s' needs a value for its vb.arg '%s': c:call(%s, { %s = ... })",
          command.name, name, "command", name)
      end
    end
  end,
}

-- The names that a command's vb.args have: a list that is also a set; false when there are none.
local function accepted_by(command)
  local out = {}
  for _, name in ipairs(argument.names_of(command.spec.arguments)) do
    out[#out + 1] = name
  end
  for _, name in ipairs(out) do out[name] = true end
  return #out > 0 and out
end

-- Makes the `c` of a client, and the views by which it is shown replies. Addresses are numbers.
local function maker(methods, draws)
  local class = {
    __index = methods,
    __newindex = function(_, name)
      fault.raise("c.%s cannot be set: what is to last with the connection goes into c.state",
        tostring(name))
    end,
  }
  return function(index, rng, shown)
    local views, list = ffi.cast("vb_reply_view *", shown), {}
    for cursor in pairs(draws) do draws[cursor] = nil end -- a phase may have other params
    for i = 1, VIEWS do list[i] = views[i - 1] end
    local c = { index = index, rng = ffi.cast("vb_rng *", rng)[0], state = {} }
    return setmetatable(c, class), unpack(list)
  end
end

--- What a script state takes to run the flows that were declared, for src/script/flow.c.
-- @treturn ?table nil when there is no flow
-- @local
function M.of_state()
  local names = registry.names("flow")
  if #names == 0 then return nil end
  local functions, commands, accepted = {}, {}, {}
  for i, name in ipairs(names) do functions[i] = registry.get("flow", name) end
  for i, name in ipairs(registry.names("command")) do
    commands[i] = registry.get("command", name)
    accepted[i] = accepted_by(commands[i])
  end
  local draws = setmetatable({}, { __mode = "k" })
  local methods = setmetatable({}, { __index = function(methods, name)
    fault.raise("c has no '%s'%s", tostring(name), nearest.hint(tostring(name),
      { "index", "rng", "state", unpack(fields.names(methods)) }))
  end })
  return {
    functions = functions, names = names, commands = commands, accepted = accepted,
    arguments = argument.names(), methods = methods, draws = draws, client = maker(methods, draws),
    draw = function(cursor) return (open_draw(draws, cursor)) end, duration = duration,
    complain = function(what, value, number)
      COMPLAINTS[what](value, commands[number + 1], number, accepted[number + 1])
    end,
  }
end

--- Sends a command and waits for its reply.
-- @function c:call
-- @tparam command command
-- @tparam ?table args what its vb.args take: name -> string, number, or a table of them, which
--   gives several arguments
-- @treturn reply a view of it (`vbench.reply`), there until the flow's next call, exec or sleep. An
--   error is a reply too (`r.type == "error"`, `r.error` its text): it is counted as the command's,
--   and the flow goes on.
-- @raise when the command was not declared, when arguments are missing, unknown or no values

--- Sends MULTI, commands and EXEC in one write, and waits for EXEC's reply.
-- @function c:exec
-- @tparam table list of `{command, args}`
-- @treturn ?reply the array of their replies; nil on a conflict (a key that was watched has
--   changed), which is counted as such

--- Draws an id, which is then the current one of its keyspace: `keys:current()` in the commands
-- that are called later is its key. A sequential cursor gives the n-th run its n-th id.
-- @function c:draw
-- @tparam cursor cursor made once, at the top of the script; not one of existing, missing or
--   claimed ids
-- @treturn number the id

--- Lets time pass, without a request.
-- @function c:sleep
-- @tparam string|number duration "10ms", or seconds

--- Ends the run of vbench, as run:stop() does: what is under way ends, then come the reports.
-- @function c:stop
-- @tparam ?string why is said at the end

--- With several servers: goes to the one that has a key. A run begins where the first key of its
-- first call is; a call whose key is elsewhere is an error unless c:on came before it.
-- @function c:on
-- @tparam string key

return M
