--- Private servers for the tests: real ones (Redis, Valkey) and the fake one that misbehaves, each
-- on a free port of the loopback with a directory of its own, stopped by its test.
local process = require "tests.support.process"
local resp = require "tests.support.resp"

local M = {}

local here = debug.getinfo(1, "S").source:match("^@(.*)/[^/]*$")
local first, count = 21700, 200
local turn = tonumber(io.open("/proc/self/stat"):read("*n")) * 7

--- A port of the loopback where nobody listens.
-- @treturn number
function M.free_port()
  for _ = 1, count do
    turn = turn + 1
    local port = first + turn % count
    if resp.port_free(port) then return port end
  end
  error("no free port from " .. first .. " to " .. first + count - 1)
end

local function program(variable, name)
  local path = os.getenv(variable)
  if path == nil then path = process.capture("command -v " .. name .. " || true") end
  return path ~= "" and path or nil
end

--- The server programs of this machine: `{ name=, path= }`, Redis 7 first.
-- @treturn {table,...}
function M.installed()
  local found = {}
  for _, entry in ipairs {
    { "redis", "VBENCH_REDIS", "redis-server" },
    { "valkey", "VBENCH_VALKEY", "valkey-server" },
    { "redis8", "VBENCH_REDIS8", "redis8-server" },
  } do
    local path = program(entry[2], entry[3])
    if path then found[#found + 1] = { name = entry[1], path = path } end
  end
  return found
end

local Server = {}
Server.__index = Server

local function command_line(self, options)
  local args = { options.path or assert(M.installed()[1], "no server is installed").path,
    "--port", self.port, "--bind", options.bind or "127.0.0.1", "--save", "", "--appendonly", "no",
    "--dir", self.directory, "--unixsocket", self.socket, "--maxclients", "15000" }
  for _, argument in ipairs(options.args or {}) do args[#args + 1] = argument end
  if options.password then
    args[#args + 1], args[#args + 2] = "--requirepass", options.password
  end
  return args
end

--- Starts a real server.
-- @tparam ?table options `path` (of the program), `args` (more of its options), `bind`, `password`,
-- `acl` (rules of ACL SETUSER, each a list), `port`
-- @return a server: `port host socket directory pid`, `:call(...)`, `:monitor()`, `:client()`,
-- `:stop()`
function M.start(options)
  options = options or {}
  local self = setmetatable({ host = "127.0.0.1", port = options.port or M.free_port() }, Server)
  self.directory, self.password = process.directory(), options.password
  self.socket, self.log = self.directory .. "/s.sock", self.directory .. "/log"
  self.process = process.start(command_line(self, options),
    { stdout = self.log, stderr = self.log, session = true })
  self.pid = self.process.pid
  local ready, message = pcall(process.wait_for, 10, "a server", function()
    if not self.process:running() then error("the server ended") end
    local client = resp.connect(self.socket)
    if client then client:close() end
    return client
  end)
  if not ready then error(message .. ": " .. (process.read(self.log) or ""), 2) end
  for _, rule in ipairs(options.acl or {}) do self:call("ACL", "SETUSER", unpack(rule)) end
  return self
end

--- A connection of the tests' own, kept for the next call.
function Server:client()
  self.connection = self.connection or assert(resp.connect(self.socket, self.password))
  return self.connection
end

--- Runs a command on the server.
function Server:call(...)
  return self:client():call(...)
end

--- Starts to listen to what the server is sent.
function Server:monitor()
  return resp.monitor(self.socket, self.password)
end

--- A field of INFO, as a number where it is one.
function Server:info(field)
  local value = self:call("INFO", "everything"):match("\r?\n" .. field .. ":([^\r\n]*)")
  return tonumber(value) or value
end

--- Removes all keys and counters.
function Server:clean()
  self:call("FLUSHALL")
  self:call("CONFIG", "RESETSTAT")
end

function Server:stop()
  if self.connection then self.connection:close() end
  self.process:signal("KILL")
  self.process:wait(5)
  process.remove(self.directory)
end

local Fake = {}
Fake.__index = Fake

--- Starts the fake server (tests/support/fake_server.py says what it can do).
-- @tparam string mode what it does with the commands of `on`
-- @tparam ?table options `on` (list of commands, "*" for all; default SET GET), `text`, `ms`,
-- `after`, `times`
-- @return a server: `port`, `:received()`, `:stop()`
function M.fake(mode, options)
  options = options or {}
  local self = setmetatable({ host = "127.0.0.1", port = M.free_port() }, Fake)
  self.directory = process.directory()
  local log = self.directory .. "/log"
  self.record = self.directory .. "/record"
  self.process = process.start({ "python3", here .. "/fake_server.py", self.port, mode,
    "--record", self.record, "--on", table.concat(options.on or { "SET", "GET" }, ","),
    "--text", options.text or "ERR broken", "--ms", options.ms or 0, "--after", options.after or 0,
    "--times", options.times or 0,
  }, { stdout = log, stderr = log })
  process.wait_for(10, "the fake server", function()
    if not self.process:running() then error(process.read(log)) end
    return (process.read(log) or ""):find("ready", 1, true)
  end)
  return self
end

--- What it was sent: a list of commands, each a list of arguments.
function Fake:received()
  local cjson, list = require "cjson", {}
  for line in (process.read(self.record) or ""):gmatch("[^\n]+") do
    list[#list + 1] = cjson.decode(line)
  end
  return list
end

function Fake:stop()
  self.process:signal("KILL")
  self.process:wait(5)
  process.remove(self.directory)
end

return M
