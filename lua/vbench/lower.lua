--- Lowers one command to C: its arguments as parts, its reply processors, params as they are now.
-- @module vbench.lower
local argument = require "vbench.argument"
local canonical = require "vbench.canonical"
local command = require "vbench.command"
local commands = require "vbench.commands"
local dataset = require "vbench.dataset"
local fault = require "vbench.fault"
local fields = require "vbench.fields"
local lower_cursor = require "vbench.lower_cursor"
local param = require "vbench.param"
local registry = require "vbench.registry"
local units = require "vbench.units"
local vbffi = require "vbench.ffi"

local ffi, C = vbffi.ffi, vbffi.C
local M = {}

local DISTRIBUTIONS = {
  uniform = C.VB_UNIFORM, zipfian = C.VB_ZIPFIAN, normal = C.VB_NORMAL,
  exponential = C.VB_EXPONENTIAL, sequential = C.VB_SEQUENTIAL, constant = C.VB_CONSTANT,
  from_id = C.VB_FROM_ID,
}
local DTYPES = {}
for dtype = 0, C.VB_DTYPE_COUNT - 1 do DTYPES[ffi.string(C.vb_dtype_name(dtype))] = dtype end
local TRACKS = {
  add = C.VB_TRACKS_ADD, remove = C.VB_TRACKS_REMOVE, observe = C.VB_TRACKS_OBSERVE,
}
local FORMATS = { unix = 0, iso = 1, date = 2 }
local function check(status, err)
  if status < 0 then error(ffi.string(err.text), 0) end
end

local function hash(seed, text)
  return C.vb_hash(seed, text, #text)
end

-- The value of a number or param of command `self` now.
local function number(self, value, what)
  local now = param.resolve(value)
  if type(now) == "number" then return now end
  error(("command '%s': %s is the param '%s', which is '%s': no number"):format(self.name, what,
    value.name, tostring(now)), 0)
end

local function size(self, value, what)
  local bytes, message = units.size(param.resolve(value))
  if bytes then return bytes end
  error(("command '%s': %s: %s"):format(self.name, what, message), 0)
end

-- What of a cursor says how its ids are written, and not which.
local WRITTEN = {
  times_min = true, times_max = true, same_slot = true, as_value = true, sub = true,
}

-- Equal claims of a program are one cursor: what one command has claimed ahead, all may use.
local function shared_claim(cursor)
  if not cursor.spec.claim then return nil end
  local spec = {}
  for name, value in pairs(cursor.spec) do
    if not WRITTEN[name] then spec[name] = value end
  end
  return canonical.text(spec)
end

-- @param self `name` (of the command, for messages), `seed`, `keep`, `claims`
local function new_cursor(self, cursor)
  local claim = shared_claim(cursor)
  if claim and self.claims[claim] then return self.claims[claim] end
  local handle, message = lower_cursor.new(cursor.spec, self.seed, function(value, what)
    local now = number(self, value, what)
    return now
  end)
  if not handle then
    fault.raise_at(registry.position("command", self.name) or "", "command '%s': %s", self.name,
      message)
  end
  self.keep[#self.keep + 1] = handle
  self.keep[#self.keep + 1] = cursor.spec
  if claim then self.claims[claim] = handle end
  return handle
end

-- Fillers: what a part of each kind is in C. `anchors` holds what the part points to.

local fill = {}

function fill.cursor(self, part, cursor)
  local spec = cursor.spec
  if spec.current then
    part.kind, part.keyspace = C.VB_PART_CURRENT, spec.keyspace.handle
    part.sub = spec.sub and 1 or 0
    self.keep[#self.keep + 1] = spec.keyspace
    return
  end
  part.kind, part.cursor = C.VB_PART_CURSOR, new_cursor(self, cursor)
  if spec.times_min then
    part.times_min = number(self, spec.times_min, "the least of times")
    part.times_max = number(self, spec.times_max, "the number of times")
    part.same_slot = spec.same_slot and 1 or 0
  end
end

function fill.id(_, part)
  part.kind, part.from_id = C.VB_PART_ID, 1
end

local function fill_choices(self, part, list, anchors)
  local c = ffi.new("vb_choice[?]", #list)
  anchors[#anchors + 1] = c
  for i, one in ipairs(list) do
    local to = c[i - 1]
    if one.text then
      to.text, to.length = one.text, #one.text
      anchors[#anchors + 1] = one.text
    end
    to.weight = number(self, one.weight, "a weight")
    if one.size then to.size = size(self, one.size, "a size of vb.bytes") end
  end
  part.choices, part.choice_count = c, #list
end

function fill.bytes(self, part, spec, anchors)
  part.kind = C.VB_PART_BYTES
  part.compressible = number(self, spec.compressible, "compressible of vb.bytes")
  if spec.sizes then return fill_choices(self, part, spec.sizes, anchors) end
  part.min = size(self, spec.min, "the size of vb.bytes")
  part.max = size(self, spec.max, "the size of vb.bytes")
end

local function fill_number(self, part, spec, kind)
  part.kind, part.distribution = kind, DISTRIBUTIONS[spec.dist]
  part.min, part.max = number(self, spec.min, "min"), number(self, spec.max, "max")
  if spec.dist == "zipfian" then part.skew = number(self, spec.skew, "skew") end
  if spec.dist == "exponential" then part.lambda = number(self, spec.lambda, "lambda") end
  if spec.dist == "normal" then
    local range = part.max - part.min
    part.mean = spec.mean and number(self, spec.mean, "mean") or part.min + range / 2
    part.deviation = spec.deviation and number(self, spec.deviation, "deviation") or range / 6
  end
  if spec.dist == "from_id" then part.from_id = 1 end
end

function fill.int(self, part, spec)
  fill_number(self, part, spec, C.VB_PART_INT)
end

function fill.float(self, part, spec)
  fill_number(self, part, spec, C.VB_PART_FLOAT)
  part.decimals = number(self, spec.decimals, "decimals")
end

function fill.timestamp(_, part, spec)
  part.kind, part.format = C.VB_PART_TIMESTAMP, FORMATS[spec.format]
end

function fill.stamp(_, part)
  part.kind = C.VB_PART_STAMP
end

-- Inside JSON a choice is a whole value: a quoted string, or a number.
function fill.choice(self, part, spec, anchors, json)
  local list = {}
  for i, one in ipairs(spec.choices) do
    local text = argument.bytes_of(one.value)
    if json and type(one.value) == "string" then text = M.json_string(text) end
    list[i] = { text = text, weight = one.weight }
  end
  part.kind = C.VB_PART_CHOICE
  fill_choices(self, part, list, anchors)
end

function fill.tags(self, part, spec, anchors, json)
  local list, escape = {}, json and M.json_escape or tostring
  for i, one in ipairs(spec.choices) do
    list[i] = { text = escape(one.value), weight = one.weight }
  end
  local separator = escape(spec.separator)
  anchors[#anchors + 1] = separator
  part.kind, part.text, part.length = C.VB_PART_TAGS, separator, #separator
  fill_choices(self, part, list, anchors)
end

function fill.vector(self, part, spec)
  part.kind, part.dtype = C.VB_PART_VECTOR, DTYPES[spec.dtype]
  part.dimensions = number(self, spec.dim, "dim of vb.vector")
end

function fill.text(self, part, spec)
  part.kind = C.VB_PART_TEXT
  part.min, part.max = number(self, spec.min, "words"), number(self, spec.max, "words")
end

-- Which hole a part is: see vb_part.hole. Functions count as equal to each other, whatever their
-- lines, and params as themselves, whatever their values.
local function hole(self, value)
  local text = canonical.text(value)
  local before = self.equal_parts[text] or 0
  self.equal_parts[text] = before + 1
  return hash(hash(0, self.name), ("%s #%d"):format(text, before))
end

-- All queries of a command are of one, and of the same one in all commands of an operation.
local function query_hole(self, value)
  local name, order = value.spec.dataset.name, value.spec.order
  local known = self.query_orders[name] or order
  if known ~= order then
    error(("command '%s': the queries of dataset '%s' are %s and %s; all of a command are of " ..
      "one query"):format(self.name, name, known, order), 0)
  end
  self.query_orders[name] = order
  return hash(0, "query " .. name)
end

local function take_function(self)
  local taken = self.next_function
  self.next_function = taken + 1
  return taken
end

-- The part of a cursor, generator or function.
local function new_part(self, value, json, anchors)
  local part = ffi.new("vb_part")
  part.json = json and 1 or 0
  if type(value) == "function" then
    part.kind, part["function"] = C.VB_PART_FUNCTION, take_function(self)
  elseif value.kind == "arg" then
    part.kind, part["function"] = C.VB_PART_ARG, self.arg_numbers[value.spec.name]
  elseif value.kind == "cursor" then
    fill.cursor(self, part, value)
  elseif value.kind == "field" then
    self.keep[#self.keep + 1] = dataset.fill_part(part, value)
  else
    if value.spec.from_id then part.from_id = 1 end
    fill[value.what](self, part, value.spec, anchors, json)
  end
  return part
end

local function add(self, part)
  check(C.vb_command_part(self.handle, part, self.err), self.err)
end

-- Literal text is gathered, and added as one part before the next hole.
local function literal(self, text)
  self.pending[#self.pending + 1] = text
end

local function flush(self, at_least_one)
  local text = table.concat(self.pending)
  if text == "" and not at_least_one then return end
  self.pending = {}
  local part = ffi.new("vb_part")
  part.kind, part.text, part.length = C.VB_PART_LITERAL, text, #text
  add(self, part)
end

local function variable(self, value, json)
  flush(self)
  local anchors = {}
  local part = new_part(self, value, json, anchors)
  local query = fields.kind(value) == "field" and value.what == "query"
  part.hole = query and query_hole(self, value) or hole(self, value)
  add(self, part)
  anchors[1] = nil
end

local function is_literal(value)
  local plain = type(value)
  if plain == "string" or plain == "number" then return true end
  local kind = fields.kind(value)
  return kind == "param" or kind == "key"
end

local function literal_value(value)
  if fields.kind(value) == "key" then value = value.spec.value end
  local now = param.resolve(value)
  return now
end

local function lower_part(self, value)
  if is_literal(value) then return literal(self, argument.bytes_of(literal_value(value))) end
  variable(self, value, false)
end

-- JSON

local ESCAPES = {
  ['"'] = '\\"', ["\\"] = "\\\\", ["\n"] = "\\n", ["\r"] = "\\r", ["\t"] = "\\t",
}

--- Text as it stands inside a JSON string, without the quotes.
-- @tparam string text UTF-8
-- @treturn string
function M.json_escape(text)
  local escaped = text:gsub('[%c"\\]', function(c)
    if c == "\127" then return c end
    return ESCAPES[c] or ("\\u%04x"):format(c:byte())
  end)
  return escaped
end

--- Text as a JSON string.
-- @tparam string text
-- @treturn string with its quotes
function M.json_string(text)
  return '"' .. M.json_escape(text) .. '"'
end

-- What is written between quotes; choices and functions bring their own.
local QUOTED = { bytes = true, tags = true, text = true, stamp = true }

local function is_quoted(value)
  if fields.kind(value) == "cursor" then return true end
  if fields.kind(value) == "field" then return dataset.is_quoted(value) end
  if fields.kind(value) ~= "generator" then return false end
  return QUOTED[value.what] or (value.what == "timestamp" and value.spec.format ~= "unix")
end

local lower_json

local function lower_list(self, list)
  local is_object = list.kind == "object"
  literal(self, is_object and "{" or "[")
  for i, one in ipairs(list.spec) do
    if i > 1 then literal(self, ",") end
    if is_object then literal(self, M.json_string(one[1]) .. ":") end
    lower_json(self, is_object and one[2] or one)
  end
  literal(self, is_object and "}" or "]")
end

function lower_json(self, value)
  local kind = fields.kind(value)
  if kind == "object" or kind == "array" then return lower_list(self, value) end
  if type(value) == "boolean" then return literal(self, tostring(value)) end
  if is_literal(value) then
    local now = literal_value(value)
    local text = argument.bytes_of(now)
    return literal(self, type(now) == "string" and M.json_string(text) or text)
  end
  local quote = is_quoted(value) and '"' or ""
  literal(self, quote)
  variable(self, value, true)
  literal(self, quote)
end

-- Arguments

local function holds_key(parts)
  for _, part in ipairs(parts) do
    local kind = fields.kind(part)
    if kind == "key" or (kind == "cursor" and not part.spec.as_value) then return true end
  end
  return false
end

local function is_key(value, at_key_place)
  local kind = fields.kind(value)
  if kind == "cursor" then return not value.spec.as_value end
  if kind == "key" then return true end
  if kind == "concat" and holds_key(value.spec.parts) then return true end
  return at_key_place or false
end

local function lower_argument(self, value, at_key_place)
  check(C.vb_command_argument(self.handle, is_key(value, at_key_place) and 1 or 0, self.err),
    self.err)
  local kind = fields.kind(value)
  if kind == "concat" then
    for _, part in ipairs(value.spec.parts) do lower_part(self, part) end
  elseif kind == "json" then
    lower_json(self, value.spec.document)
  else
    lower_part(self, value)
  end
  flush(self, kind ~= "concat" and is_literal(value))
end

-- A name and its value as one: both are left out when the value is empty.
local function lower_optional(self, value)
  check(C.vb_command_argument(self.handle, 0, self.err), self.err)
  local part, name = new_part(self, value, false, {}), value.spec.field
  part.hole, part.named = hole(self, value), 1
  part.text, part.length = name, #name
  add(self, part)
end

-- How many arguments a value makes: nil when that is known only when it is written.
local function count_of(self, value)
  if type(value) == "function" or fields.kind(value) == "arg" then return nil end
  local spec = fields.kind(value) == "cursor" and value.spec
  if not spec or not spec.times_min then return 1 end
  local least = number(self, spec.times_min, "the least of times")
  return least == number(self, spec.times_max, "the number of times") and least or nil
end

-- The arguments as vbench.commands wants them, and where each begins among them. A function or a
-- varying number of ids is taken as one argument: literals behind it are rarely keys.
local function words_of(self, list)
  local words, places = {}, {}
  for i, value in ipairs(list) do
    places[i] = #words + 1
    local text = is_literal(value) and argument.bytes_of(literal_value(value)) or false
    for _ = 1, count_of(self, value) or 1 do words[#words + 1] = text end
  end
  return words, places
end

local function lower_arguments(self, list)
  local words, places = words_of(self, list)
  local keys = commands.keys(words)
  for i, value in ipairs(list) do
    if dataset.is_optional(value, list[i - 1]) then
      lower_optional(self, value)
    elseif not dataset.is_optional(list[i + 1], value) then
      lower_argument(self, value, keys[places[i]])
    end
  end
end

-- Reply processors

local function lower_processor(self, processor, source)
  local c, anchors = ffi.new("vb_processor"), {}
  if processor.what == "hits" then
    c.kind = C.VB_REPLY_HITS
  elseif processor.what == "age" then
    c.kind = C.VB_REPLY_AGE
  elseif processor.what == "expect" then
    local text = processor.spec.text
    c.kind, c.text, c.length = C.VB_REPLY_EXPECT, text, #text
  else
    local generator = command.generator_of(source, processor)
    local whole = fields.kind(generator) == "dataset"
    local part = whole and dataset.whole_part(generator)
      or new_part(self, generator, false, anchors)
    c.kind, c.part = whole and C.VB_REPLY_RECORD or C.VB_REPLY_VERIFY, part
    if whole then self.keep[#self.keep + 1] = generator end
  end
  check(C.vb_command_processor(self.handle, c, self.err), self.err)
  anchors[1] = nil
end

local function lower_on_reply(self)
  local c = ffi.new("vb_processor")
  c.kind, c["function"] = C.VB_REPLY_FUNCTION, take_function(self)
  check(C.vb_command_processor(self.handle, c, self.err), self.err)
end

local function writes(source)
  local word = source.spec.arguments[1]
  local known = type(word) == "string" and commands.find(word)
  return known and known.write and not source.spec.readonly
end

-- Numbers of the names of vb.args.
local function arg_numbers()
  local out = {}
  for i, name in ipairs(argument.names()) do out[name] = i - 1 end
  return out
end

--- Makes the C object of a cursor, params as they are now.
-- @tparam cursor cursor
-- @tparam table context `seed` (of the run)
-- @treturn cdata vb_cursor*, freed with it; the keyspace outlives it
-- @raise what C finds wrong
function M.cursor(cursor, context)
  local self = { name = "c:draw", seed = context.seed, keep = {} }
  return new_cursor(self, cursor)
end

--- Makes the C object of a command, params as they are now.
-- @tparam command source
-- @tparam table context `seed` (of the run), `first_function` (number), `keep` (list: what must
--   outlive the command is added), `claims` (table: the claiming cursors of the program)
-- @treturn cdata vb_command*
-- @raise what C finds wrong, naming the command and the argument
function M.command(source, context)
  local handle = C.vb_command_new(source.name)
  if handle == nil then error("out of memory: command '" .. source.name .. "'", 0) end
  local self = {
    name = source.name, handle = ffi.gc(handle, C.vb_command_free), err = vbffi.new_error(),
    seed = context.seed, keep = context.keep, claims = context.claims,
    next_function = context.first_function,
    equal_parts = {}, query_orders = {}, pending = {}, arg_numbers = arg_numbers(),
  }
  lower_arguments(self, source.spec.arguments)
  dataset.advise(source.spec.arguments)
  for _, processor in ipairs(source.spec.processors) do
    lower_processor(self, processor, source)
  end
  if source.spec.on_reply then lower_on_reply(self) end
  if source.spec.script then
    C.vb_command_set_script(self.handle, source.spec.script, #source.spec.script)
  end
  C.vb_command_set_writes(self.handle, writes(source) and 1 or 0)
  if source.spec.tracks then
    C.vb_command_set_tracks(self.handle, TRACKS[source.spec.tracks])
  end
  C.vb_command_set_blocking(self.handle, source.spec.blocking and 1 or 0)
  check(C.vb_command_compile(self.handle, context.seed, self.err), self.err)
  self.keep[#self.keep + 1] = self.handle
  return self.handle
end

return M
