--- Commands, and what is done with their replies.
-- @api vbench.command
local argument = require "vbench.argument"
local canonical = require "vbench.canonical"
local commands = require "vbench.commands"
local cursor = require "vbench.cursor"
local fault = require "vbench.fault"
local fields = require "vbench.fields"
local object = require "vbench.object"
local registry = require "vbench.registry"

local M = {}

local OPTIONS = {
  name = "string", reply = "table", on_reply = "function", blocking = "boolean", tracks = "string",
  readonly = "boolean", idempotent = "boolean", retry = "boolean|number",
}
local RETRIES_MAX = 1000
local CONDITIONS = { hit = true, miss = true, ok = true }

local methods = {}
local class = object.class("command", methods)

local function read_name(given)
  local name = given.name
  if name == nil then
    local first = given[1]
    if type(first) ~= "string" or not first:find("%S") then
      fault.raise("a command begins with its word, or has a name: vb.command { \"GET\", ... }")
    end
    name = first:lower()
  end
  if type(name) ~= "string" or name == "" then
    fault.raise("the name of a command is %s; it takes a string", fields.describe(name))
  end
  return name
end

-- Functions in the order in which they stand, with what they are in messages.
local function note_function(self, fn, what)
  local list = self.functions
  list[#list + 1] = {
    fn = fn, what = ("%s of command '%s' (%s)"):format(what, self.name, fault.written(fn)),
  }
end

local function note_functions_of(self, value, what)
  if type(value) == "function" then return note_function(self, value, what) end
  local kind = fields.kind(value)
  if kind == "concat" then
    for _, part in ipairs(value.spec.parts) do note_functions_of(self, part, what) end
  elseif kind == "json" then
    note_functions_of(self, value.spec.document, what)
  elseif kind == "array" then
    for _, one in ipairs(value.spec) do note_functions_of(self, one, what) end
  elseif kind == "object" then
    for _, member in ipairs(value.spec) do note_functions_of(self, member[2], what) end
  end
end

local function read_arguments(self, given)
  local where = ("command '%s'"):format(self.name)
  local length = fields.length(given, where)
  if length == 0 then fault.raise("%s has no arguments", where) end
  for i = 1, length do
    local what = ("argument %d"):format(i)
    self.spec.arguments[i] = argument.check(given[i], what .. " of " .. where)
    note_functions_of(self, given[i], what)
  end
end

-- What changes how many replies a request gets: then none could be matched to its request any more.
local UNMATCHED = {
  subscribe = true, psubscribe = true, ssubscribe = true, unsubscribe = true, punsubscribe = true,
  sunsubscribe = true, monitor = true, sync = true, psync = true, ["client reply"] = true,
}

local function check_matched(self)
  local first, second = self.spec.arguments[1], self.spec.arguments[2]
  if type(first) ~= "string" then return end
  local words = first:lower()
  if words == "client" and type(second) == "string" then words = words .. " " .. second:lower() end
  if UNMATCHED[words] then
    local hint = words:find("subscribe") and "; a client that gets messages is vb.subscriber { " ..
      "channels = { ... } }" or ""
    fault.raise("command '%s': after %s replies are no longer one for each request; a command " ..
      "cannot do this%s", self.name, words:upper(), hint)
  end
end

local function read_blocking(self, given)
  if given.blocking ~= nil then return given.blocking or nil end
  local words = {}
  for i, value in ipairs(self.spec.arguments) do
    words[i] = type(value) == "string" and value or false
  end
  return commands.blocks(words) or nil
end

local TRACKS = { add = true, remove = true, observe = true }

local function read_tracks(self, tracks)
  if tracks == nil then return end
  self.spec.tracks = fields.choose(tracks, TRACKS, ("tracks of command '%s'"):format(self.name))
  local found = false
  for _, value in ipairs(self.spec.arguments) do
    cursor.each(value, function() found = true end)
  end
  if found then return end
  fault.raise("command '%s' tracks, but none of its arguments is a key of a keyspace", self.name)
end

local function read_processors(self, reply)
  if reply == nil then return end
  local list = fields.kind(reply) and { reply } or reply
  for i = 1, fields.length(list, ("reply of command '%s'"):format(self.name)) do
    if fields.kind(list[i]) ~= "processor" then
      fault.raise("reply of command '%s' is %s; it takes vb.hits(), vb.expect(...), " ..
        "vb.verify(), vb.age() or a list of them; a function is on_reply", self.name,
        fields.describe(list[i]))
    end
    self.spec.processors[i] = list[i]
  end
end

-- How it may be sent again: for vbench.repeatable.
local function read_repeating(self, read)
  self.spec.readonly, self.spec.idempotent = read.readonly, read.idempotent
  self.spec.retry = read.retry
  local retry = read.retry
  if type(retry) == "number" and (retry ~= math.floor(retry) or retry < 0 or retry > RETRIES_MAX)
  then
    fault.raise("field 'retry' of command '%s' is %s; it takes true, false or a whole number up " ..
      "to %d", self.name, tostring(retry), RETRIES_MAX)
  end
end

--- Makes a command that nobody knows yet.
-- @tparam table given as vb.command takes it
-- @treturn command
-- @local
function M.make(given)
  if type(given) ~= "table" or fields.kind(given) then
    fault.raise("vb.command takes a table: vb.command { \"GET\", keys:uniform() }")
  end
  if fields.length(given, "the command") == 0 then fault.raise("vb.command takes arguments") end
  local name = read_name(given)
  local read = fields.read(given, OPTIONS, ("command '%s'"):format(name), { positional = true })
  local self = setmetatable({
    kind = "command", name = name, functions = {}, spec = { arguments = {}, processors = {} },
  }, class)
  read_arguments(self, given)
  read_tracks(self, given.tracks)
  self.spec.blocking = read_blocking(self, given)
  read_processors(self, given.reply)
  read_repeating(self, read)
  if given.on_reply then
    self.spec.on_reply = given.on_reply
    note_function(self, given.on_reply, "on_reply")
  end
  return self
end

--- Declares a command.
-- @function vb.command
-- @tparam table given its arguments by position: strings and numbers (sent as they are), `vb.key`,
--   cursors, generators, params, `vb.concat`, `vb.json`, functions `function(req) return value, ...
--   end`; and by name: `name` (the first word in lower case unless given), `reply` (a processor or
--   a list of them), `on_reply` (`function(reply, req)`, called after them), `tracks` (what success
--   does to the keyspace of its keys: "add": they exist; "remove": they do not, from before it is
--   sent; "observe": a hit says that one exists, a miss that not), `blocking` (the server
--   may hold the reply back, as for BLPOP; known for the common ones); and how it may be sent again
--   when its reply is lost: `idempotent` (doing it twice is the same as once; known for the common
--   commands), `readonly` (it only reads), `retry` (false: never; true: although it is not
--   idempotent; a number: so often)
-- @treturn command with `:when(condition)`
-- @raise when an argument is nil or can be none, on unknown fields, when the name is taken
function M.declare(given)
  local self = M.make(given)
  check_matched(self)
  return registry.add("command", self.name, self)
end

--- The command as a conditional step of a sequence.
-- @function command:when
-- @tparam string|function condition of the reply before it: "hit", "miss", "ok", or
--   `function(reply, req)` that says whether the step runs
-- @treturn step for vb.sequence
-- @raise for a function after the script was loaded: the other threads would not know it
function methods.when(self, condition)
  local step = { kind = "step", spec = { command = self, condition = condition } }
  if type(condition) == "function" then
    registry.need_loading("command:when(function)")
    step.spec.number = registry.append("condition", {
      fn = condition,
      what = ("condition of command '%s' (%s)"):format(self.name, fault.written(condition)),
      command = self.name,
    })
    return step
  end
  fields.choose(condition, CONDITIONS, "the condition of a step")
  return step
end

--- Counts hits and misses: nil is a miss; of an array each element counts.
-- @function vb.hits
-- @treturn processor
function M.hits()
  return { kind = "processor", what = "hits", spec = {} }
end

--- Checks the reply's text; another one is an error of the kind "expect".
-- @function vb.expect
-- @tparam string|number text "OK"
-- @treturn processor
function M.expect(text)
  if type(text) ~= "string" and type(text) ~= "number" then
    fault.raise("vb.expect takes the text that the reply should be, not %s", fields.describe(text))
  end
  return { kind = "processor", what = "expect", spec = { text = argument.bytes_of(text) } }
end

--- Checks that a reply holds what a generator with `from = "id"` makes for the operation's id;
-- other bytes are an error of the kind "verify".
-- @function vb.verify
-- @tparam ?generator|field|dataset generator also a field of a dataset's record; or a dataset: the
--   reply is the whole record, to GET, HMGET of all fields in order, SMEMBERS, LRANGE or ZRANGE
--   WITHSCORES of all members, and nil is an error too; the only one of the commands that write the
--   same keyspace, unless given
-- @treturn processor
function M.verify(generator)
  if generator ~= nil then
    local kind = fields.kind(generator)
    if kind ~= "generator" and kind ~= "field" and kind ~= "dataset" then
      fault.raise("vb.verify takes a generator, a dataset or a field of one, not %s",
        fields.describe(generator))
    end
    if not M.is_from_id(generator) then
      fault.raise("vb.verify takes a generator made with from = \"id\", or a field of records: " ..
        "others cannot be made again")
    end
  end
  return {
    kind = "processor", what = "verify", position = fault.position(),
    spec = { generator = generator },
  }
end

--- Measures how old the stamps in a reply are: from when the request with the `vb.stamp()` was put
-- together to the receive that brought the reply. Every stamp counts, wherever it stands: in a
-- string, in arrays of arrays, inside JSON. A reply without one is not measured. A stamp that is
-- ahead of this host's clock is an error of the kind "age".
-- @function vb.age
-- @treturn processor
function M.age()
  return { kind = "processor", what = "age", spec = {} }
end

--- Whether a value is a generator whose content is a function of the id.
-- @param value
-- @treturn boolean
-- @local
function M.is_from_id(value)
  if fields.kind(value) == "dataset" then return true end
  if fields.kind(value) == "field" then return value.what == "record" end
  return fields.kind(value) == "generator"
    and (value.spec.from_id or value.spec.dist == "from_id" or value.what == "id") or false
end

local function first_keyspace(command)
  for _, value in ipairs(command.spec.arguments) do
    local is_key = fields.kind(value) == "cursor" and not value.spec.as_value
    if is_key then return value.spec.keyspace end
  end
end

-- Generators from the id in the other commands over a keyspace; those that make the same once.
local function writers_of(keyspace, reader)
  local found, seen = {}, {}
  for _, name in ipairs(registry.names("command")) do
    local command = registry.get("command", name)
    if command ~= reader and first_keyspace(command) == keyspace then
      for _, value in ipairs(command.spec.arguments) do
        local text = M.is_from_id(value) and value.what ~= "id" and canonical.text(value)
        if text and not seen[text] then
          seen[text] = true
          found[#found + 1] = value
        end
      end
    end
  end
  return found
end

--- The generator that a vb.verify() of a command checks against.
-- @tparam command command
-- @tparam processor processor its vb.verify
-- @treturn generator
-- @raise at the vb.verify when there is none, or more than one
-- @local
function M.generator_of(command, processor)
  if processor.spec.generator then return processor.spec.generator end
  local keyspace = first_keyspace(command)
  if not keyspace then
    fault.raise_at(processor.position,
      "vb.verify() of command '%s': it reads no key of a keyspace; " ..
      "pass the generator: vb.verify(generator)", command.name)
  end
  local found = writers_of(keyspace, command)
  if #found == 1 then return found[1] end
  fault.raise_at(processor.position, "vb.verify() of command '%s': %s with from = \"id\" in the " ..
    "commands that write keyspace '%s'; pass the one to check: vb.verify(generator)", command.name,
    #found == 0 and "there is no generator" or ("there are %d generators"):format(#found),
    keyspace.name)
end

--- Checks what can only be checked when every command is declared.
-- @raise at the mistake
-- @local
function M.check_all()
  for _, name in ipairs(registry.names("command")) do
    local command = registry.get("command", name)
    for _, processor in ipairs(command.spec.processors) do
      if processor.what == "verify" then M.generator_of(command, processor) end
    end
  end
end

return M
