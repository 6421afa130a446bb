--- Clients in subscribed state.
-- @api vbench.subscriber
local command = require "vbench.command"
local fault = require "vbench.fault"
local fields = require "vbench.fields"
local object = require "vbench.object"
local registry = require "vbench.registry"

local M = {}

local FIELDS = {
  channels = "table", patterns = "table", sharded = "table", name = "string", reply = "table",
  on_reply = "function",
}
local WORDS = { channels = "SUBSCRIBE", patterns = "PSUBSCRIBE", sharded = "SSUBSCRIBE" }

local class = object.class("subscriber", {})

local function check_reply(reply, where)
  if reply == nil then return end
  local list = fields.kind(reply) and { reply } or reply
  for i = 1, fields.length(list, "reply of " .. where) do
    if list[i].what ~= "age" then
      fault.raise("reply of %s is %s; of a message it takes vb.age(); a function is on_reply",
        where, list[i].what and "vb." .. list[i].what or fields.describe(list[i]))
    end
  end
end

-- The one of channels, patterns and sharded that is given.
local function channels_of(spec, where)
  local word, list
  for _, name in ipairs(fields.names(WORDS)) do
    if spec[name] and word then
      fault.raise("%s has more than one of channels, patterns and sharded: declare two", where)
    elseif spec[name] then
      word, list = WORDS[name], fields.kind(spec[name]) and { spec[name] } or spec[name]
    end
  end
  if not word or fields.length(list, "channels of " .. where) == 0 then
    fault.raise("%s has no channels: channels = { \"news\" }, patterns = { \"n*\" } or sharded",
      where)
  end
  return word, list
end

--- Declares a subscriber: each client of the phase that runs it subscribes, and each message that
-- it gets is an operation. Its channels are arguments like those of a command; a cursor draws as
-- for the operation of the client's number, so that `keys:sequential()` gives each client a channel
-- of its own.
-- @function vb.subscriber
-- @tparam table given one of `channels`, `patterns` (PSUBSCRIBE) and `sharded` (SSUBSCRIBE), lists;
--   `reply` (`vb.age()`), `on_reply` (`function(reply, req)`; `reply[#reply]` is the payload),
--   `name` ("subscribe", "psubscribe", "ssubscribe")
-- @treturn subscriber for the `run` of a phase, most often one in the background of a publisher
-- @raise on unknown fields, and as vb.command
function M.declare(given)
  local name = type(given) == "table" and type(given.name) == "string" and given.name
  local where = name and ("subscriber '%s'"):format(name) or "vb.subscriber"
  local spec = fields.read(given, FIELDS, where)
  check_reply(spec.reply, where)
  local word, channels = channels_of(spec, where)
  local out = { word, name = spec.name, reply = spec.reply, on_reply = spec.on_reply }
  for i, channel in ipairs(channels) do out[i + 1] = channel end
  local self = setmetatable(command.make(out), class)
  self.kind = "subscriber"
  return registry.add("command", self.name, self)
end

return M
