--- All that a loaded script has declared: the checks at the end of loading, and its functions in
-- the order of their numbers.
-- @module vbench.declarations
local command = require "vbench.command"
local dataset = require "vbench.dataset"
local flow = require "vbench.flow"
local options = require "vbench.options"
local param = require "vbench.param"
local reference_set = require "vbench.reference_set"
local registry = require "vbench.registry"
local session = require "vbench.session"
local tracker = require "vbench.tracker"

local M = {}

--- Ends the loading: checks what needs all declarations, publishes the params; from here on nothing
-- can be declared. After the script was loaded, in every state.
-- @raise for an option or param that the script does not have, a vb.verify() without a generator
function M.finish()
  local fine, message = options.check_given()
  if fine then fine, message = param.check(session.param_values) end
  if not fine then error(message, 0) end
  command.check_all()
  flow.check_all()
  session.loaded()
  if not session.worker then param.publish() end
end

--- Gives the states of the workers what main owns: params, keyspaces, datasets,
-- reference sets. In main, once
-- there is a vb_shared.
function M.publish()
  param.publish()
  tracker.publish()
  dataset.publish()
  reference_set.publish()
end

--- The functions of commands by name and place in them, then those of conditions as declared: the
-- place in this list, from 0, is a function's number.
-- @treturn table list of `{fn=, what="on_reply of command 'get' (x.lua:12)"}`
function M.functions()
  local out = {}
  for _, name in ipairs(registry.names("command")) do
    for _, one in ipairs(registry.get("command", name).functions) do out[#out + 1] = one end
  end
  for _, one in ipairs(registry.list("condition")) do out[#out + 1] = one end
  return out
end

--- Where the numbers begin: of each command's functions, and of conditions.
-- @treturn table command name -> number of its first function
-- @treturn number number of the first condition
function M.first_numbers()
  local out, next_number = {}, 0
  for _, name in ipairs(registry.names("command")) do
    out[name] = next_number
    next_number = next_number + #registry.get("command", name).functions
  end
  return out, next_number
end

return M
