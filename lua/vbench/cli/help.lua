--- The help of the program and of a scenario; completions; the man page.
-- @module vbench.cli.help
local options = require "vbench.cli.options"

local M = {}

local WIDTH, MARGIN = 98, 30

local USAGE = [[
usage: vbench [options] SCENARIO [scenario options]
       vbench [options] -t set,get        the classic tests
       vbench [options] -- COMMAND ...    one command, with placeholders
       vbench dataset COMMAND ...         make, check and show datasets
       vbench list | help [SCENARIO] | check SCENARIO | new NAME
       vbench completion bash|zsh|fish | version]]

local COMMANDS = {
  { "list", "scenarios that can be called by name" },
  { "help", "this, or what a scenario does and its options" },
  { "check", "load a scenario without a server; print its phases and first commands" },
  { "new", "write a scenario to start from" },
  { "dataset", "make, check and show datasets: vbench dataset --help" },
  { "completion", "print completions for a shell" },
  { "version", "print the version" },
}

local NOTES = [[
Durations take us, ms, s, m, h; sizes B, KB, MB, GB, KiB ...; counts k, m, g. Options may also come
from VBENCH_OPTS and a file of --config; the command line wins. The password may come from
VBENCH_AUTH, VALKEY_AUTH, VALKEYCLI_AUTH or REDISCLI_AUTH. --search and --enable-placeholders are
taken and change nothing.

Placeholders of a COMMAND: __rand_int__ (12 digits, each its own draw), __rand_1st__ ...
__rand_9th__ (equal where the name is), __data__ (--data-size bytes).

Exit codes: 0 all well; 1 could not run; 2 mistake in the command line or the script; 3 thresholds
not met; 4 more errors than --max-errors, or no success at all; 130 interrupted.]]

local function default_of(row)
  if row.shown then return row.shown end
  return row.default
end

local function description(row)
  local text = row.help
  local default = default_of(row)
  if row.choices then text = ("%s: %s"):format(text, table.concat(row.choices, ", ")) end
  return default and ("%s (default: %s)"):format(text, default) or text
end

local function names_of(row)
  local names = {}
  if row.short then names[1] = "-" .. row.short end
  if row.long then names[#names + 1] = "--" .. row.long end
  for _, other in ipairs(row.also) do names[#names + 1] = "--" .. other end
  return names
end

-- Options without a value, or whose value stands only behind "=".
local function alone(row)
  return row.type == "flag" or row.without ~= nil
end

-- Two columns: a name, and a text that is wrapped beside it.
local function columns(out, left, text)
  local line = "  " .. left
  if #line >= MARGIN - 1 then
    out[#out + 1] = line
    line = ""
  end
  line = line .. (" "):rep(MARGIN - #line)
  local room = WIDTH - #line
  for word in text:gmatch("%S+") do
    if room < #word then
      out[#out + 1] = line:gsub("%s+$", "")
      line, room = (" "):rep(MARGIN), WIDTH - MARGIN
    end
    line, room = line .. word .. " ", room - #word - 1
  end
  out[#out + 1] = line:gsub("%s+$", "")
end

local function option_columns(out, row)
  local left = table.concat(names_of(row), ", ")
  if row.without then
    left = left .. "[=" .. row.metavar .. "]"
  elseif row.type ~= "flag" then
    left = left .. " " .. row.metavar
  end
  columns(out, row.short and left or "    " .. left, description(row))
end

--- Options with what they do, in two columns.
-- @tparam {table,...} rows as of vbench.cli.options
-- @treturn string
function M.rows(rows)
  local out = {}
  for _, row in ipairs(rows) do option_columns(out, row) end
  return table.concat(out, "\n")
end

--- The help of the program.
-- @treturn string
function M.general()
  local out = { USAGE }
  for _, group in ipairs(options.groups) do
    out[#out + 1] = ("\n%s:"):format(group.title)
    for _, row in ipairs(group.options) do option_columns(out, row) end
  end
  out[#out + 1] = "\ncommands:"
  for _, one in ipairs(COMMANDS) do columns(out, one[1], one[2]) end
  out[#out + 1] = "\n" .. NOTES .. "\n"
  return table.concat(out, "\n")
end

--- How it is called.
-- @treturn string
function M.usage()
  return USAGE .. "\n       vbench --help says more\n"
end

local SHELLS = { bash = "get_bash_complete", zsh = "get_zsh_complete", fish = "get_fish_complete" }

local function add_dataset_commands(parser)
  parser:require_command(false)
  for _, one in ipairs(require("vbench.cli.dataset").COMMANDS) do
    parser:command(one[1]):add_help(false)
  end
end

-- argparse writes completions; it does not parse: an option may stand anywhere, and those that it
-- does not know may be the scenario's.
local function build()
  local parser = require("argparse")("vbench"):add_help(false):require_command(false)
    :command_target("action")
  for _, group in ipairs(options.groups) do
    for _, row in ipairs(group.options) do
      local one = parser[alone(row) and "flag" or "option"](parser,
        table.concat(names_of(row), " "), description(row))
      if row.choices then one:choices(row.choices) end
    end
  end
  parser:flag("--help", "print help")
  parser:flag("--version", "print the version")
  for _, one in ipairs(COMMANDS) do
    local command = parser:command(one[1], one[2]):add_help(false)
    if one[1] == "dataset" then add_dataset_commands(command) end
  end
  return parser
end

--- Completions for a shell.
-- @tparam string shell bash, zsh or fish
-- @treturn ?string what the shell reads; nil for another shell
function M.completion(shell)
  local method = SHELLS[shell]
  if not method then return nil end
  local parser = build()
  return parser[method](parser)
end

local function shown_value(value)
  if type(value) == "table" then return table.concat(value, ",") end
  return tostring(value)
end

local function own_columns(out, one)
  local right = { one.help }
  if one.choices then right[#right + 1] = "one of " .. shown_value(one.choices) end
  local facts = one.type
  if one.default ~= nil then facts = facts .. ", default " .. shown_value(one.default) end
  columns(out, "--" .. one.name .. (one.type == "boolean" and "" or "=" .. one.type:upper()),
    table.concat(right, ": ") .. (#right > 0 and " " or "") .. "(" .. facts .. ")")
end

--- The help of a scenario.
-- @tparam string name
-- @tparam table scenario as loaded
-- @tparam {table,...} own its options, as of vbench.options.describe
-- @treturn string
function M.scenario(name, scenario, own)
  local out = { ("usage: vbench [options] %s%s"):format(name, #own > 0 and " [--name=value ...]"
    or "") }
  if scenario.description then out[#out + 1] = "\n" .. scenario.description end
  if #own > 0 then
    out[#out + 1] = "\noptions of the scenario:"
    for _, one in ipairs(own) do own_columns(out, one) end
  end
  out[#out + 1] = "\nvbench --help prints the general options.\n"
  return table.concat(out, "\n")
end

local function roff(text)
  return (text:gsub("\\", "\\e"):gsub("%-", "\\-"):gsub("\n%.", "\n\\&."))
end

local function man_option(out, row)
  local names = {}
  for i, name in ipairs(names_of(row)) do names[i] = "\\fB" .. roff(name) .. "\\fR" end
  local value = not alone(row) and " \\fI" .. roff(row.metavar) .. "\\fR"
  out[#out + 1] = ".TP\n" .. table.concat(names, ", ") .. (value or "")
  out[#out + 1] = roff(description(row))
end

--- The source of the man page.
-- @tparam string version of vbench
-- @treturn string roff
function M.man(version)
  local out = {
    ('.TH VBENCH 1 "" "vbench %s"'):format(version), ".SH NAME",
    "vbench \\- benchmark runner for Valkey and Redis, scripted in Lua", ".SH SYNOPSIS", ".nf",
    roff(USAGE:gsub("^usage:", "      ")), ".fi", ".SH COMMANDS",
  }
  for _, one in ipairs(COMMANDS) do
    out[#out + 1] = (".TP\n\\fB%s\\fR\n%s"):format(one[1], roff(one[2]))
  end
  for _, group in ipairs(options.groups) do
    out[#out + 1] = ".SH " .. group.title:upper() .. " OPTIONS"
    for _, row in ipairs(group.options) do man_option(out, row) end
  end
  out[#out + 1] = ".SH NOTES\n" .. roff(NOTES):gsub("\n\n", "\n.PP\n")
  return table.concat(out, "\n") .. "\n"
end

return M
