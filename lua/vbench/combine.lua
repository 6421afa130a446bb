--- Mixes, sequences and transactions of commands.
-- @api vbench.combine
local fault = require "vbench.fault"
local fields = require "vbench.fields"
local object = require "vbench.object"

local M = {}

local IN_MIX = { command = true, sequence = true, transaction = true, flow = true }

local function read_list(list, what, known)
  if type(list) ~= "table" or fields.kind(list) then fault.raise("%s takes a list", what) end
  local given = fields.read(list, known, what, { positional = true })
  local length = fields.length(list, what)
  if length == 0 then fault.raise("%s takes at least one entry", what) end
  return given, length
end

local function read_entry(entry, i)
  if type(entry) ~= "table" or fields.kind(entry) or table.maxn(entry) ~= 2 then
    fault.raise("entry %d of vb.mix is %s; it takes { weight, command }", i, fields.describe(entry))
  end
  local kind = fields.kind(entry[2])
  if not IN_MIX[kind or ""] then
    fault.raise("entry %d of vb.mix is %s; it takes a command, a sequence, a transaction " ..
      "or a flow", i,
      fields.describe(entry[2]))
  end
  local weight = object.number(entry[1], ("the weight of entry %d of vb.mix"):format(i),
    { above = 0, max = math.huge })
  return { weight = weight, what = entry[2] }
end

-- Statistics go by name: a transaction's must not be that of something else in the program.
local function check_names(entries)
  local seen = {}
  for _, entry in ipairs(entries) do
    local one = entry.what
    local own_row = one.kind == "transaction" or one.kind == "flow"
    if own_row and seen[one.name] and seen[one.name] ~= one then
      fault.raise("two entries of vb.mix are named '%s': give the %s another name", one.name,
        one.kind)
    end
    seen[one.name] = one
  end
end

--- Each operation draws one of several by weight.
-- @function vb.mix
-- @tparam table list of `{weight, command|sequence|transaction|flow}`, weights any numbers above 0
--   or params; `name` ("mix")
-- @treturn mix
function M.mix(list)
  local given, length = read_list(list, "vb.mix", { name = "string" })
  local entries = {}
  for i = 1, length do entries[i] = read_entry(list[i], i) end
  check_names(entries)
  return { kind = "mix", name = given.name or "mix", spec = { entries = entries } }
end

local function read_step(value, i)
  local kind = fields.kind(value)
  if kind == "command" then return { command = value } end
  if kind ~= "step" then
    fault.raise("step %d of vb.sequence is %s; it takes a command or command:when(...)", i,
      fields.describe(value))
  end
  if i == 1 then fault.raise("the first step of vb.sequence has no reply before it to wait for") end
  return value.spec
end

--- Several commands as one operation; pipelined, unless a step has a condition.
-- @function vb.sequence
-- @tparam table list of commands and `command:when(...)`; `name` ("sequence")
-- @treturn sequence
function M.sequence(list)
  local given, length = read_list(list, "vb.sequence", { name = "string" })
  local steps = {}
  for i = 1, length do
    steps[i] = read_step(list[i], i)
    local before = steps[i - 1]
    if before and before.command.spec.blocking and not steps[i].condition then
      fault.raise("step %d of vb.sequence would be sent behind '%s', which blocks, and wait " ..
        "with it: give it a condition, command:when(\"ok\") or :when(\"hit\")", i,
        before.command.name)
    end
  end
  return { kind = "sequence", name = given.name or "sequence", spec = { steps = steps } }
end

--- MULTI, several commands and EXEC in one write: one operation, one latency.
-- @function vb.transaction
-- @tparam table list of commands; `name` ("transaction")
-- @treturn transaction
function M.transaction(list)
  local given, length = read_list(list, "vb.transaction", { name = "string" })
  local steps = {}
  for i = 1, length do
    if fields.kind(list[i]) == "step" then
      fault.raise("a step of vb.transaction has no condition: its replies come with EXEC's")
    elseif fields.kind(list[i]) ~= "command" then
      fault.raise("step %d of vb.transaction is %s; it takes a command", i,
        fields.describe(list[i]))
    end
    steps[i] = { command = list[i] }
  end
  return { kind = "transaction", name = given.name or "transaction", spec = { steps = steps } }
end

return M
