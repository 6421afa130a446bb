--- `vbench dataset COMMAND`: the tools that make, check and show datasets. A command is a module
-- vbench.cli.dataset.NAME with `summary`, `usage` (what stands behind its name), `example`,
-- `options` (rows as in vbench.cli.options), `run(args, operands)` which gives the exit code, and,
-- where its options may be of another's names, nothing else.
-- @module vbench.cli.dataset
local failure = require "vbench.failure"
local help = require "vbench.cli.help"
local nearest = require "vbench.nearest"
local options = require "vbench.cli.options"
local values = require "vbench.cli.values"

local M = {}

--- The commands, in the order of help: name, and the module that does it.
M.COMMANDS = {
  { "import", "import" }, { "generate", "import" }, { "inspect", "inspect" }, { "info", "info" },
  { "verify", "verify" }, { "subset", "subset" }, { "extend", "extend" },
  { "ground-truth", "ground_truth" }, { "synth", "synth" },
}

local HELP = { "--help", type = "flag", help = "print this" }

local function module_of(name)
  for _, one in ipairs(M.COMMANDS) do
    if one[1] == name then return require("vbench.cli.dataset." .. one[2]) end
  end
end

local function rows_of(command)
  local rows = {}
  for i, row in ipairs(command.options) do rows[i] = row end
  rows[#rows + 1] = HELP
  return options.rows(rows)
end

-- "--schema" -> its row.
local function by_flag(rows)
  local map, list = {}, {}
  for _, row in ipairs(rows) do
    if row.short then map["-" .. row.short] = row end
    for _, name in ipairs { row.long, unpack(row.also) } do
      map["--" .. name], list[#list + 1] = row, "--" .. name
    end
  end
  table.sort(list)
  return map, list
end

local function put(args, row, flag, text)
  local value, message = true, nil
  args.given[row.name] = flag
  if row.type ~= "flag" then value, message = values.read(row, text) end
  if value == nil then failure.usage("option %s: %s", flag, message) end
  if not row.many then
    args[row.name] = value
    return
  end
  args[row.name] = args[row.name] or {}
  table.insert(args[row.name], value)
end

local function split_flag(word)
  local flag, text = word:match("^(%-%-[^=]+)=(.*)$")
  if flag then return flag, text end
  if word:find("^%-%a.") then return word:sub(1, 2), word:sub(3) end
  return word
end

local function read(command, argv)
  local map, names = by_flag(rows_of(command))
  local args, operands, at = { given = {} }, {}, 2 -- given: name -> the flag that gave it
  while at <= #argv do
    local word = argv[at]
    if not word:find("^%-.") then
      operands[#operands + 1] = word
    else
      local flag, text = split_flag(word)
      local row = map[flag]
      if not row then
        failure.usage("unknown option %s%s", flag, nearest.hint(flag, names))
      elseif row.type == "flag" and text then
        failure.usage("option %s takes no value", flag)
      elseif row.type == "optional" then -- as everywhere: a value stands behind "="
        text = text or row.without
      elseif row.type ~= "flag" and not text then
        at, text = at + 1, argv[at + 1]
        if not text then failure.usage("option %s needs a value: %s", flag, row.metavar) end
      end
      put(args, row, flag, text)
    end
    at = at + 1
  end
  for _, row in ipairs(rows_of(command)) do
    if args[row.name] == nil and row.default then args[row.name] = values.read(row, row.default) end
  end
  return args, operands
end

local function general_help()
  local out = { "usage: vbench dataset COMMAND ...\n\ncommands:" }
  for _, one in ipairs(M.COMMANDS) do
    local summary = module_of(one[1]).summary
    if one[1] ~= one[2]:gsub("_", "-") then summary = "another name of " .. one[2] end
    out[#out + 1] = ("  %-14s%s"):format(one[1], summary)
  end
  out[#out + 1] = "\nvbench dataset COMMAND --help says more. DATASET is BASE, BASE.yaml or "
    .. "BASE.bin.\n"
  return table.concat(out, "\n")
end

local function command_help(name, command)
  return ("usage: vbench dataset %s %s\n\n%s\n\noptions:\n%s\n\nexample:\n  %s\n"):format(name,
    command.usage, command.about or (command.summary .. "."), help.rows(rows_of(command)),
    command.example:gsub("\n", "\n  "))
end

local function command_names()
  local list = {}
  for i, one in ipairs(M.COMMANDS) do list[i] = one[1] end
  return list
end

--- Runs a command.
-- @tparam {string,...} argv words behind "dataset"
-- @treturn number exit code
-- @raise a failure
function M.run(argv)
  local name = argv[1]
  if name == "--help" or name == "help" then
    io.write(general_help())
    return 0
  elseif not name then
    io.stderr:write(general_help())
    return failure.USAGE
  end
  local command = module_of(name)
  if not command then
    failure.usage("there is no command '%s' of vbench dataset%s", name,
      nearest.hint(name, command_names()))
  end
  local args, operands = read(command, argv)
  if args.help then
    io.write(command_help(name, command))
    return 0
  end
  return command.run(args, operands)
end

return M
