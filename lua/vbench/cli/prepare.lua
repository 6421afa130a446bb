--- From a command line to a loaded scenario: the password, the session, the load, and what can be
-- known to be wrong once it is loaded.
-- @module vbench.cli.prepare
local declarations = require "vbench.declarations"
local failure = require "vbench.failure"
local loader = require "vbench.loader"
local native = require "vbench.ffi"
local options = require "vbench.cli.options"
local parse = require "vbench.cli.parse"
local script_options = require "vbench.options"
local session = require "vbench.session"
local ffi, C = native.ffi, native.C

local M = {}

--- Path of the built-in scenario of the classic tests.
M.CLASSIC = "vbench:classic"

local SECRET_SIZE = 1024

-- In no script and no report: secrets.
local SECRETS = { auth = true, uri = true, askpass = true, local_args = true }

local function usage(hint, ...)
  error(failure.new(failure.USAGE, string.format(...), hint), 0)
end

--- Asks for the password when that was wanted, and keeps it as `args.auth`.
-- That is what --askpass does.
-- @tparam table state of vbench.cli.parse
-- @raise a failure where there is no terminal
function M.ask_password(state)
  if not state.args.askpass then return end
  if state.given.auth then usage(nil, "--auth and --askpass exclude each other") end
  local out, err = ffi.new("char[?]", SECRET_SIZE), native.new_error()
  if C.vb_terminal_ask_secret("password: ", out, SECRET_SIZE, err) ~= 0 then
    usage(nil, "--askpass: %s", ffi.string(err.text))
  end
  state.args.auth = ffi.string(out)
end

local function command_hint(name)
  if require("vbench.commands").find(name) then
    return ("a command to send goes behind --: vbench -- %s ..."):format(name:upper())
  end
  return "vbench list shows the scenarios; commands are "
    .. table.concat(parse.commands(), ", ")
end

--- Which scenario is meant; its text is compiled, so that a slip is known before any server is.
-- @tparam table state of vbench.cli.parse
-- @treturn string path
-- @treturn string name
-- @raise a failure
function M.find(state)
  local name = state.scenario
  if not name then return M.CLASSIC, "classic" end
  local path, message = loader.find(name, parse.commands())
  if not path then usage(not name:find("[/.]") and command_hint(name) or nil, "%s", message) end
  local ok, failed = loader.check_syntax(path)
  if not ok then usage(nil, "%s", failed.message) end
  return path, (path:match("([^/:]*)$"):gsub("%.lua$", ""))
end

local function without_secrets(args)
  local out = {}
  for name, value in pairs(args) do
    if not SECRETS[name] then out[name] = value end
  end
  return out
end

--- Enters the session of the main state.
-- @tparam table state of vbench.cli.parse
-- @tparam string path of the scenario
-- @tparam table server what the server said, or a stand-in
-- @treturn table the general options for the run, without secrets
function M.enter(state, path, server)
  local now = C.vb_clock_wall()
  local args = without_secrets(state.args)
  local for_run = without_secrets(state.args)
  session.enter {
    role = "main", args = args, given = state.given, script_args = state.script_args,
    server = server, path = path,
    param_values = state.args.param or {},
    run = { id = ("%x"):format(now * 1000), started = now, seed = state.args.seed },
  }
  return for_run
end

-- In the built-in scenario nobody but the command line can be wrong: its lines say nothing.
local function raise_loaded(failed)
  local message = failed.message
  if session.path == M.CLASSIC then message = message:gsub("^scripts/classic%.lua:%d+: ", "") end
  local one = failure.new(failed.exit_code or failure.USAGE, message, failed.hint)
  one.traceback = failed.traceback
  error(one, 0)
end

-- What stands behind the scenario and neither we nor it know, but a neighbour tool does.
local function check_neighbours(state)
  local own = {}
  for _, one in ipairs(script_options.describe()) do own[one.name] = true end
  for name in pairs(state.script_args) do
    local flag = "--" .. name
    if not own[name:gsub("_", "-")] and options.neighbours[flag] then
      usage(nil, "%s", parse.unknown(flag))
    end
  end
end

--- Loads the scenario in this session.
-- @tparam table state of vbench.cli.parse
-- @treturn table scenario
-- @raise a failure: `message` with file and line, `hint`, `traceback` where it says more
function M.load(state)
  local scenario, failed = loader.load(session.path)
  if not scenario then raise_loaded(failed) end
  check_neighbours(state)
  local ok, raised = pcall(declarations.finish)
  if not ok then raise_loaded(failure.is(raised) and raised or { message = tostring(raised) }) end
  return scenario
end

-- Of the classic tests, some read an option and others do not: a user of redis-benchmark gives the
-- same ones for all of them.
local UNREAD = {
  data_size = "no command of this run sends a value of that size (behind -- it is __data__)",
  keyspace = "no command of this run draws from the keys (behind -- it is __rand_int__)",
}

local function remark(row)
  io.stderr:write(("vbench: %s changes nothing: %s\n"):format(options.flag(row),
    UNREAD[row.name] or "no command of this run uses it"))
end

--- Refuses options that were given and only matter to scenarios that ask for them, when this one
-- has not; of the classic tests it only says so.
-- @tparam table state of vbench.cli.parse
-- @tparam string name of the scenario
-- @raise a failure
function M.check_used(state, name)
  local classic = session.path == M.CLASSIC
  for _, group in ipairs(options.groups) do
    for _, row in ipairs(group.options) do
      local unread = row.read_by == "script" and state.given[row.name]
        and not session.used[row.read_as or row.name]
      if unread and classic and group.title == "dataset" then
        usage(nil, "%s was given, but none of the tests uses a dataset%s", options.flag(row),
          row.name == "query_field" and " in the way of __d_vec_ph__" or "; schema-load does")
      elseif unread and classic then
        remark(row)
      elseif unread then
        usage(nil, "%s was given, but scenario '%s' does not read it (it would be vb.args.%s)",
          options.flag(row), name, row.name)
      end
    end
  end
end

return M
