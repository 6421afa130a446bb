--- The options of a script, typed.
-- The same table makes its `--help`.
-- @api vbench.options
local fault = require "vbench.fault"
local fields = require "vbench.fields"
local general = require "vbench.cli.options"
local nearest = require "vbench.nearest"
local registry = require "vbench.registry"
local session = require "vbench.session"
local units = require "vbench.units"

local M = {}

local FIELDS = {
  default = "string|number|boolean|table", choices = "table", help = "string",
  validate = "function",
}
local TRUE = { [""] = true, ["true"] = true, yes = true, on = true, ["1"] = true }
local FALSE = { ["false"] = true, no = true, off = true, ["0"] = true }

local function whole(value)
  local number = tonumber(value)
  if not number then return units.count(value) end
  if number == math.floor(number) then return number end
  return nil, ("'%s' is not a whole number"):format(value)
end

local function number(value)
  local read = tonumber(value)
  if read and read == read then return read end
  return nil, ("'%s' is not a number"):format(tostring(value))
end

local function boolean(value)
  if type(value) == "boolean" then return value end
  local word = tostring(value):lower()
  if TRUE[word] then return true end
  if FALSE[word] then return false end
  return nil, ("'%s' is neither yes nor no"):format(value)
end

local function text(value)
  if type(value) == "string" then return value end
  if type(value) == "number" then return tostring(value) end
  return nil, fields.describe(value) .. " is not a text"
end

local function list(value)
  if type(value) == "table" then return value end
  local out = {}
  for one in tostring(value):gmatch("[^,]+") do out[#out + 1] = one:match("^%s*(.-)%s*$") end
  return out
end

local TYPES = {
  int = whole, number = number, bytes = units.size, duration = units.duration, boolean = boolean,
  string = text, path = text, choice = text, list = list,
}

local function check_choice(spec, value)
  if not spec.choices then return value end
  local names = {}
  for i, choice in ipairs(spec.choices) do
    if choice == value then return value end
    names[i] = tostring(choice)
  end
  return nil, ("'%s' is none of %s%s"):format(tostring(value), table.concat(names, ", "),
    nearest.hint(tostring(value), names))
end

local function check_choices(spec, value)
  if type(value) ~= "table" then return check_choice(spec, value) end
  for _, one in ipairs(value) do
    local fine, message = check_choice(spec, one)
    if fine == nil then return nil, message end
  end
  return value
end

-- The value as the script sees it, or nil and a message.
local function read(spec, value)
  local typed, message = TYPES[spec.type](value)
  if typed ~= nil then typed, message = check_choices(spec, typed) end
  if typed == nil then return nil, message end
  if not spec.validate then return typed end
  local fine, why = spec.validate(typed)
  if fine then return typed end
  return nil, why and tostring(why) or ("'%s' is refused by the script"):format(tostring(value))
end

local function read_declaration(name, given)
  local where = ("option '%s'"):format(name)
  if type(given) ~= "table" then
    fault.raise("%s is %s; it takes { \"bytes\", default = \"100B\", help = \"...\" }", where,
      fields.describe(given))
  end
  local spec = fields.read(given, FIELDS, where, { positional = true })
  spec.type = fields.choose(given[1], TYPES, "the type of " .. where)
  if spec.type == "choice" and not spec.choices then
    fault.raise("%s is a choice: it needs choices = { ... }", where)
  end
  return spec
end

local function check_name(name)
  if not name:find("^%a[%w_-]*$") then
    fault.raise("'%s' is no name for an option: letters, digits, - and _", name)
  end
  local taken = general.names[name:gsub("_", "-")] or general.names[name]
  if taken then
    fault.raise("option '%s' is a general option of vbench; its value is vb.args.%s", name, taken)
  end
end

-- What was given on the command line, whichever of - and _ it was written with.
local function given_text(name)
  for other, value in pairs(session.script_args) do
    if other:gsub("_", "-") == name:gsub("_", "-") then return value end
  end
end

local function value_of(name, spec)
  local given, value, message = given_text(name), nil, nil
  if given ~= nil then
    value, message = read(spec, given)
    if value == nil then error(("option --%s: %s"):format(name:gsub("_", "-"), message), 0) end
    return value
  end
  if spec.default == nil then return nil end
  value, message = read(spec, spec.default)
  if value == nil then fault.raise("the default of option '%s': %s", name, message) end
  return value
end

-- A table whose unset options are nil and whose unknown ones are an error.
local function strict(values, declared)
  return setmetatable(values, {
    __index = function(_, name)
      if declared[name] then return nil end
      fault.raise("unknown option '%s'%s", tostring(name),
        nearest.hint(tostring(name), fields.names(declared)))
    end,
  })
end

--- Declares the options of the script.
-- They are given as `--name=value` behind the script's name.
-- @function vb.options
-- @tparam table given name -> `{type, default=, choices=, help=, validate=}`; types: "int",
--   "number", "bytes" ("1KB"), "duration" (seconds), "boolean", "string", "path", "choice" (needs
--   choices), "list" (of strings, with commas between); `validate(value)` returns true, or false
--   and why
-- @treturn table name -> value: as given, else the default, else nil
-- @raise when the name is that of a general option, or a value is not of its type
function M.declare(given)
  if type(given) ~= "table" or given[1] ~= nil then
    fault.raise("vb.options takes a table of name = { type, default = ..., help = ... }")
  end
  local values, declared = {}, {}
  for _, name in ipairs(fields.names(given)) do
    check_name(name)
    local spec = read_declaration(name, given[name])
    declared[name] = true
    registry.add("option", name, { kind = "option", name = name, spec = spec })
    values[name] = value_of(name, spec)
    spec.value = values[name]
  end
  return strict(values, declared)
end

--- The declared options, for help.
-- @treturn table list of `{name, type, default, choices, help}`, by name; name as written after --
-- @local
function M.describe()
  local out = {}
  for i, name in ipairs(registry.names("option")) do
    local spec = registry.get("option", name).spec
    out[i] = {
      name = name:gsub("_", "-"), type = spec.type, default = spec.default, choices = spec.choices,
      help = spec.help,
    }
  end
  return out
end

--- Checks that every option given to the script is one that it declared.
-- @treturn ?boolean true when they are
-- @treturn ?string message with the nearest name
-- @local
function M.check_given()
  local known, names = {}, {}
  for i, one in ipairs(M.describe()) do
    known[one.name], names[i] = true, "--" .. one.name
  end
  for _, name in ipairs(fields.names(session.script_args)) do
    local dashed = name:gsub("_", "-")
    if not known[dashed] then
      for other in pairs(general.names) do names[#names + 1] = "--" .. other end
      table.sort(names)
      return nil, ("unknown option --%s%s"):format(name, nearest.hint("--" .. dashed, names))
    end
  end
  return true
end

return M
