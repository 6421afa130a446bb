--- Reads the command line: the general options, and what is left for the scenario.
--
-- An option given again wins over the one before, or adds to it; what is on the command line wins
-- over VBENCH_OPTS, and that over a file of --config.
-- @module vbench.cli.parse
local config = require "vbench.cli.config"
local failure = require "vbench.failure"
local fields = require "vbench.fields"
local nearest = require "vbench.nearest"
local options = require "vbench.cli.options"
local values = require "vbench.cli.values"
local words = require "vbench.words"

local M = {}

--- Commands of the program besides the running of a scenario -> how many words go with each.
M.ACTIONS = { list = 0, help = 1, check = 1, new = 1, version = 0, completion = 1 }

-- Reads its own command line: stands first.
local DATASET = "dataset"

--- The commands of the program, with the one that reads its own command line.
-- @treturn {string,...} sorted
function M.commands()
  local list = fields.names(M.ACTIONS)
  list[#list + 1] = DATASET
  table.sort(list)
  return list
end

-- Those whose word is a scenario, with options of its own behind it.
local WITH_SCENARIO = { help = true, check = true }

local PASSWORDS = { "VBENCH_AUTH", "VALKEY_AUTH", "VALKEYCLI_AUTH", "REDISCLI_AUTH" }
local REQUESTS, NO_LIMIT = 100000, 2 ^ 53

-- Each says what runs, so only one can be given.
local WHAT_RUNS = { "tests", "parallel", "composite", "command" }

local function usage(hint, ...)
  error(failure.new(failure.USAGE, string.format(...), hint), 0)
end

local function long_names()
  local list = {}
  for name in pairs(options.names) do list[#list + 1] = "--" .. name end
  table.sort(list)
  return list
end

--- What is said of an option that there is not.
-- @tparam string flag "--cleints"
-- @treturn string with what a neighbour tool's flag is called here, or the nearest name
function M.unknown(flag)
  local ours = options.neighbours[flag]
  if ours then return ("there is no option %s: %s"):format(flag, ours) end
  if options.absent[flag] then
    return ("unknown option %s: this version does not have it"):format(flag)
  end
  return ("unknown option %s%s"):format(flag, nearest.hint(flag, long_names()))
end

local function put(self, row, text, flag)
  local list = self.texts[row.name]
  if not list or not row.many then
    list = { flag = flag }
    self.texts[row.name] = list
  end
  list[#list + 1] = text
end

-- A value that may be left out stands behind "=", or is one of few words.
local function is_value_behind(row, word)
  for _, one in ipairs(row.words or {}) do
    if word and one == word:lower() then return true end
  end
  return false
end

local function take_value(self, row, flag, text)
  if row.type == "flag" then
    if text ~= nil then usage(nil, "option %s takes no value", flag) end
    return put(self, row, true, flag)
  end
  if text == nil and row.without then
    local behind = self.argv[self.at + 1]
    if not is_value_behind(row, behind) then return put(self, row, row.without, flag) end
    self.at, text = self.at + 1, behind
  end
  if text == nil then
    self.at = self.at + 1
    text = self.argv[self.at]
    if text == nil then usage(nil, "option %s needs a value: %s", flag, row.metavar) end
  end
  put(self, row, text, flag)
end

local function refuse_idle_count(word)
  if word and word:find("^%d+$") then
    usage(nil, "-I takes no number: it opens as many connections as -c says (-I -c %s)", word)
  end
end

local function take_short(self, word)
  local row, rest = options.by_short[word:sub(2, 2)], word:sub(3)
  if not row then usage(nil, "%s", M.unknown(word:sub(1, 2))) end
  if row.name == "idle" then refuse_idle_count(rest ~= "" and rest or self.argv[self.at + 1]) end
  if row.type ~= "flag" then
    return take_value(self, row, word:sub(1, 2), rest ~= "" and rest or nil)
  end
  take_value(self, row, word:sub(1, 2))
  if rest ~= "" then take_short(self, "-" .. rest) end
end

local SPECIAL = { ["--help"] = "help", ["--version"] = "version" }

local function take_long(self, word)
  local flag, text = word:match("^(%-%-[^=]+)=(.*)$")
  flag = flag or word
  local row = options.by_long[flag:sub(3)]
  if row then
    if row.name == "idle" then refuse_idle_count(self.argv[self.at + 1]) end
    return take_value(self, row, flag, text)
  end
  if SPECIAL[flag] and not text then
    self[SPECIAL[flag]] = true
  elseif options.idle[flag:sub(3)] and not text then
    self.notes[#self.notes + 1] = ("%s changes nothing: %s"):format(flag,
      options.idle[flag:sub(3)])
  elseif self.scenario then
    self.script_args[flag:sub(3)] = text or ""
  else
    usage(text and not options.neighbours[flag]
      and "options of a scenario go behind its name: vbench SCENARIO --name=value" or nil,
      "%s", M.unknown(flag))
  end
end

local function take_word(self, word)
  if not self.action and not self.scenario then
    if M.ACTIONS[word] then self.action = word else self.scenario = word end
  elseif WITH_SCENARIO[self.action] and not self.scenario then
    self.scenario = word
  elseif self.action and #self.operands < M.ACTIONS[self.action] and not self.scenario then
    self.operands[#self.operands + 1] = word
  else
    self.surplus = self.surplus or word
  end
end

-- The words of one source: the command line, or VBENCH_OPTS.
local function read_words(self, argv)
  self.argv, self.at = argv, 1
  while self.at <= #argv do
    local word = argv[self.at]
    if word == "--" then
      self.words = { unpack(argv, self.at + 1) }
      return
    elseif word:find("^%-%-") then
      take_long(self, word)
    elseif word:find("^%-.") then
      take_short(self, word)
    else
      take_word(self, word)
    end
    self.at = self.at + 1
  end
end

local function new_state()
  return { texts = {}, script_args = {}, operands = {}, notes = {} }
end

-- Lays one source over another: what it gives replaces what was given there.
local function lay_over(below, above)
  for name, list in pairs(above.texts) do below.texts[name] = list end
  for name, text in pairs(above.script_args) do below.script_args[name] = text end
  for _, note in ipairs(above.notes) do below.notes[#below.notes + 1] = note end
  for _, field in ipairs { "scenario", "action", "operands", "words", "help", "version",
    "surplus" } do
    if above[field] ~= nil then below[field] = above[field] end
  end
  return below
end

local function read_environment(text)
  local state = new_state()
  local list, message = words.split(text)
  if not list then usage(nil, "VBENCH_OPTS: %s", message) end
  read_words(state, list)
  if state.scenario or state.action or state.words then
    usage(nil, "VBENCH_OPTS holds options only, not '%s'", state.scenario or state.action or "--")
  end
  return state
end

local function read_sources(argv, getenv)
  local line, environment = new_state(), new_state()
  read_words(line, argv)
  local extra = getenv("VBENCH_OPTS")
  if extra and extra:find("%S") then environment = read_environment(extra) end
  local file = line.texts.config or environment.texts.config
  local all = file and lay_over(new_state(), config.read(file[1])) or new_state()
  return lay_over(lay_over(all, environment), line)
end

local function read_one(row, text, flag)
  if type(text) ~= "string" then return text end
  local value, message = values.read(row, text)
  if value == nil then usage(nil, "option %s: %s", flag, message) end
  return value
end

local function read_many(row, texts)
  local out = {}
  for _, text in ipairs(texts) do
    local value = read_one(row, text, texts.flag)
    if row.many == "map" then
      out[value[1]] = value[2]
    elseif type(value) == "table" then
      for _, one in ipairs(value) do out[#out + 1] = one end
    else
      out[#out + 1] = value
    end
  end
  return out
end

local function read_values(state)
  local args, given = {}, {}
  for name, row in pairs(options.by_name) do
    local texts = state.texts[name]
    if texts then
      given[name] = true
      if row.many then args[name] = read_many(row, texts)
      else args[name] = read_one(row, texts[#texts], texts.flag) end
    elseif row.default then
      args[name] = row.many == "list" and { row.default }
        or assert(values.read(row, row.default), name)
    end
  end
  return args, given
end

-- Values that depend on others, or on the environment.
local function complete(args, given, getenv)
  if args.threads == 0 then args.threads, given.threads = nil, nil end
  if args.requests == 0 then args.requests = NO_LIMIT end
  if args.requests == nil and args.duration == nil then args.requests = REQUESTS end
  if args.sequential then
    if given.iteration and args.iteration ~= "sequential" then
      usage(nil, "--sequential and --iteration %s exclude each other", args.iteration)
    end
    args.iteration = "sequential"
  end
  for i = 1, args.auth == nil and #PASSWORDS or 0 do
    args.auth = args.auth or getenv(PASSWORDS[i])
  end
  if args.auth == "" then args.auth = nil end
end

-- A word too many may be the value of an option that was meant for us and misspelt, or that is
-- another tool's: "--thresold x".
local function check_bare_options(state)
  for _, name in ipairs(fields.names(state.script_args)) do
    local flag = "--" .. name
    if state.script_args[name] == ""
      and (options.neighbours[flag] or nearest.find(flag, long_names())) then
      usage(nil, "%s", M.unknown(flag))
    end
  end
end

local function check_words(state)
  if state.scenario == DATASET then
    usage("vbench dataset --help lists its options", "dataset stands first, before any option: "
      .. "vbench dataset COMMAND ...")
  end
  local near = state.surplus and state.scenario and nearest.find(state.scenario, M.commands())
  if near then usage(nil, "unknown command '%s'; did you mean '%s'?", state.scenario, near) end
  if state.surplus then
    check_bare_options(state)
    usage("options of a scenario are written --name=value; a command to send goes behind --",
      "unexpected word '%s' behind '%s'", state.surplus, state.scenario or state.action)
  end
  local other = state.action ~= "check" and state.action
  if state.words and (state.scenario or other) then
    usage(nil, "there is a scenario or command, '%s', and one to send behind --: only one can run",
      state.scenario or other)
  end
  if state.words and #state.words == 0 then
    usage("vbench -- SET key:__rand_int__ __data__", "-- needs a command behind it")
  end
end

local function check_together(state)
  local given, first = state.given, nil
  for _, name in ipairs(WHAT_RUNS) do
    local row = options.by_name[name]
    if given[name] and first then
      usage(nil, "%s and %s exclude each other", first, options.flag(row))
    end
    if given[name] then first = options.flag(row) end
  end
  if given.output_format and not given.output then
    usage(nil, "--output-format was given without -o/--output")
  end
  if given.assume and not state.action and not state.help then
    usage("without a server: vbench check --assume ...",
      "--assume was given, but a run asks the server itself")
  end
end

--- Reads a command line.
-- @tparam {string,...} argv words behind the program's name
-- @tparam[opt=os.getenv] function getenv for the environment's part
-- @treturn table `args` (name in vb.args -> value), `given` (set of the names that were given),
--   `texts` (name -> texts as typed), `script_args` (name -> text, of the scenario's own options),
--   `scenario`, `action` (of ACTIONS), `operands` (its words), `words` (behind --), `help`,
--   `version`, `notes` (lines to tell the user)
-- @raise a failure of exit code 2
function M.read(argv, getenv)
  getenv = getenv or os.getenv
  local state = read_sources(argv, getenv)
  check_words(state)
  state.args, state.given = read_values(state)
  if state.words then state.args.command, state.given.command = state.words, true end
  complete(state.args, state.given, getenv)
  check_together(state)
  return state
end

return M
