--- The program: reads the command line and does what it says.
-- @module vbench.main
local failure = require "vbench.failure"
local native = require "vbench.ffi"
local parse = require "vbench.cli.parse"
local ffi, C = native.ffi, native.C

local M = {}

local function version()
  return ffi.string(C.vb_version())
end

local ACTIONS = {}

function ACTIONS.version()
  print("vbench " .. version())
  return 0
end

function ACTIONS.list()
  local list, width = require("vbench.loader").list(), 0
  for _, one in ipairs(list) do width = math.max(width, #one.name) end
  for _, one in ipairs(list) do
    print(require("vbench.report.wrap").line(("%-" .. width .. "s  %s"):format(one.name,
      one.summary), width + 2))
  end
  return 0
end

-- A scenario that cannot be loaded because nobody has named a dataset: what its file says.
local function without_dataset(state, name)
  if not require("vbench.session").used.dataset or state.given.dataset or state.given.schema then
    return nil
  end
  for _, one in ipairs(require("vbench.loader").list()) do
    if one.name == name then
      return { description = one.summary .. "\n\nIt needs a dataset: --dataset BASE, or " ..
        "--schema FILE and --data FILE." }
    end
  end
end

local function scenario_help(state)
  local prepare = require "vbench.cli.prepare"
  local path, name = prepare.find(state)
  prepare.enter(state, path, require("vbench.server").assumed(state.args.assume))
  local loaded, scenario = pcall(prepare.load, state)
  if not loaded then scenario = without_dataset(state, name) or error(scenario, 0) end
  io.write(require("vbench.cli.help").scenario(name, scenario,
    require("vbench.options").describe()))
  return 0
end

function ACTIONS.help(state)
  if state.scenario then return scenario_help(state) end
  io.write(require("vbench.cli.help").general())
  return 0
end

function ACTIONS.check(state)
  if not state.scenario and not next(state.given) then
    failure.usage("check needs a scenario: vbench check x.lua")
  end
  return require("vbench.cli.check").run(state)
end

function ACTIONS.new(state)
  if not state.operands[1] then failure.usage("new needs a name: vbench new NAME") end
  return require("vbench.cli.new").run(state.operands[1])
end

function ACTIONS.completion(state)
  local text = require("vbench.cli.help").completion(state.operands[1] or "")
  if not text then failure.usage("completion needs a shell: bash, zsh or fish") end
  io.write(text)
  return 0
end

local function dispatch(argv)
  if #argv == 0 then
    io.stderr:write(require("vbench.cli.help").usage())
    return failure.USAGE
  end
  if argv[1] == "dataset" then
    return require("vbench.cli.dataset").run { unpack(argv, 2) }
  elseif argv[1] == "help" and argv[2] == "dataset" then
    return require("vbench.cli.dataset").run { argv[3] or "--help", argv[3] and "--help" }
  end
  local state = parse.read(argv)
  for _, note in ipairs(state.notes) do io.stderr:write("vbench: ", note, "\n") end
  if state.version then return ACTIONS.version() end
  if state.help then return ACTIONS.help(state) end
  if state.action then return ACTIONS[state.action](state) end
  return require("vbench.cli.execute").run(state)
end

local function tell(failed)
  io.stdout:flush()
  io.stderr:write("vbench: ", failed.message, "\n")
  if failed.hint then io.stderr:write("  ", failed.hint, "\n") end
  if failed.traceback then io.stderr:write(failed.traceback, "\n") end
  return failed.exit_code
end

--- Runs the program. What is wrong is told on standard error: the message, a hint where there is a
-- likely one, a traceback where it says more.
-- @tparam {string,...} argv words behind the program's name
-- @treturn number exit code
-- @raise what is no failure: a mistake of vbench's own
function M.run(argv)
  local ok, code = xpcall(dispatch, function(raised)
    if failure.is(raised) then return raised end
    return failure.new(failure.COULD_NOT_RUN, debug.traceback(tostring(raised), 2))
  end, argv)
  if ok then return code end
  return tell(code)
end

return M
