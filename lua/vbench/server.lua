--- Who the server is: which one the options name, and what it says of itself (`vb.server`).
-- @module vbench.server
local control = require "vbench.control"
local failure = require "vbench.failure"
local nearest = require "vbench.nearest"
local native = require "vbench.ffi"
local tls = require "vbench.tls"
local ffi, C = native.ffi, native.C

local M = {}

local DEFAULT_HOST, DEFAULT_PORT = "127.0.0.1", 6379
local MAX_PORT = 65535

-- Options that say of the login what a URI may say too; what of it; where their value is.
local CLAIMS = { { "user", "user", "user" }, { "auth", "password", "auth" },
                 { "askpass", "password", "auth" }, { "dbnum", "database", "dbnum" } }

local function usage(...)
  error(failure.new(failure.USAGE, string.format(...)), 0)
end

-- "host", "host:port", "[v6]:port", "v6".
local function parse_host(text, port)
  local host, own = text:match("^%[(.+)%]:?(%d*)$")
  if not host then host, own = text:match("^([^:]+):(%d+)$") end
  if not host then return { host = text, port = port } end
  return { host = host, port = tonumber(own) or port }
end

local function check_port(port, where)
  if not port or port ~= math.floor(port) or port < 1 or port > MAX_PORT then
    usage("%s: port %s: 1 to %d are possible", where, tostring(port), MAX_PORT)
  end
end

-- One login is for all servers: what a URI says of it must not be lost, nor go to another server.
local function claim(target, option, name, value)
  local known = target.claimed[name]
  if known and known.value ~= value then
    usage("%s and %s name two %ss: all servers are logged in to alike", known.option, option, name)
  end
  target.claimed[name], target.login[name] = { option = option, value = value }, value
end

local function from_uri(target, text)
  local uri, err = ffi.new("vb_uri"), native.new_error()
  if C.vb_uri_parse(text, uri, err) ~= 0 then usage("--uri: %s", ffi.string(err.text)) end
  local user, password = ffi.string(uri.user), ffi.string(uri.password)
  if user ~= "" then claim(target, "--uri", "user", user) end
  if password ~= "" then claim(target, "--uri", "password", password) end
  if uri.database >= 0 then claim(target, "--uri", "database", uri.database) end
  if uri.path[0] ~= 0 then return { path = ffi.string(uri.path) } end
  return { host = ffi.string(uri.host), port = uri.port, tls = uri.tls ~= 0 or nil }
end

local function list_of(value)
  if value == nil then return {} end
  return type(value) == "table" and value or { value }
end

-- Endpoints that were named; those of several -h are several servers.
local function named_endpoints(target, options)
  local endpoints = {}
  for _, uri in ipairs(list_of(options.uri)) do
    endpoints[#endpoints + 1] = from_uri(target, uri)
  end
  if options.socket then endpoints[#endpoints + 1] = { path = options.socket } end
  if #endpoints > 0 and target.given.port and not target.given.host then
    usage("-p/--port was given, but %s names the server", options.socket and "-s/--socket"
      or "--uri, which has a port of its own,")
  end
  if #endpoints == 0 or target.given.host then
    for _, host in ipairs(list_of(options.host or DEFAULT_HOST)) do
      endpoints[#endpoints + 1] = parse_host(host, options.port or DEFAULT_PORT)
    end
  end
  return endpoints
end

local function is_loopback(endpoint)
  local host = endpoint.host
  return endpoint.path ~= nil or host == "localhost" or host == "::1" or host:find("^127%.") ~= nil
end

local function all_loopback(endpoints)
  for _, endpoint in ipairs(endpoints) do
    if not is_loopback(endpoint) then return false end
  end
  return true
end

local function check_endpoints(endpoints)
  local seen = {}
  for _, endpoint in ipairs(endpoints) do
    if not endpoint.path then check_port(endpoint.port, endpoint.host) end
    local address = control.address(endpoint)
    if seen[address] then usage("%s is named twice", address) end
    seen[address] = true
  end
end

-- Gives the settings of TLS to each endpoint that has it.
local function set_tls(target, options, place)
  local wanted = {}
  if place and options.tls and not place.cacert then
    usage("--tls: the private server has TLS with --local tls")
  end
  for _, endpoint in ipairs(target.endpoints) do
    if options.tls or endpoint.tls or place and place.cacert then
      wanted[#wanted + 1] = endpoint
    end
  end
  if #wanted == 0 then return tls.refuse(options) end
  target.tls = tls.new(options, place and place.cacert)
  for _, endpoint in ipairs(wanted) do endpoint.tls = target.tls end
end

--- Which servers the options name, and who we are there.
-- @tparam table options general options: `host` (a name or a list, each also as host:port),
--   `port`, `socket`, `uri`, `user`, `auth` (the password), `dbnum`, `resp3`, `enable_tracking`,
--   `ipv4`, `ipv6`, `tls` and those of `vbench.tls`
-- @tparam[opt] table given set of the names of options that were given
-- @tparam[opt] table place a private server (`vbench.local_server`), which wins
-- @treturn table `endpoints` (`host` and `port` or `path`, `tls`: cdata vb_tls), `login` (user,
--   password, database, resp, client_name), `family`, `tls` (cdata vb_tls, nil without), `is_local`
--   (private), `loopback`, `default` (nothing was named)
-- @raise a failure of exit code 2 for what cannot be
function M.target(options, given, place)
  local target = { given = given or {}, claimed = {}, login = {
    user = options.user, password = options.auth or options.user and "" or nil,
    database = options.dbnum or 0,
    resp = (options.resp3 or options.enable_tracking) and 3 or 2, client_name = "vbench",
    tracking = options.enable_tracking,
  } }
  for _, row in ipairs(CLAIMS) do
    if target.given[row[1]] then
      claim(target, "--" .. row[1], row[2], options[row[3]])
    end
  end
  if options.ipv4 and options.ipv6 then usage("-4 and -6 exclude each other") end
  target.family = options.ipv4 and 4 or options.ipv6 and 6 or 0
  if place then
    target.endpoints = { { host = place.host, port = place.port } }
  else
    target.endpoints = named_endpoints(target, options)
  end
  check_endpoints(target.endpoints)
  set_tls(target, options, place)
  target.is_local, target.loopback = place ~= nil, all_loopback(target.endpoints)
  target.default = not place
    and not (target.given.host or target.given.port or options.socket or options.uri)
  return target
end

local function pairs_of(list)
  local map = {}
  for i = 1, #list, 2 do map[list[i]] = list[i + 1] end
  return map
end

-- Names in any spelling: a module's version is a number such as 20811.
local function modules_of(list)
  local modules = {}
  for _, entry in ipairs(list or {}) do
    local map = pairs_of(entry)
    if map.name then modules[#modules + 1] = { name = map.name, version = map.ver } end
  end
  table.sort(modules, function(a, b) return a.name < b.name end)
  return modules
end

--- What a server says of itself.
-- @tparam table ctl of its control plane
-- @tparam[opt] number resp that the run speaks (2)
-- @treturn table `name` ("valkey", "redis"), `version`, `redis_version` (that it is compatible
--   with), `mode` ("standalone", "cluster", "sentinel"), `modules` ({name, version} each), `resp`
function M.read(ctl, resp)
  local hello = pairs_of(ctl:try("HELLO") or {})
  local info = control.parse_info(ctl:try("INFO", "server") or "")
  local name = info.server_name or info.valkey_version and "valkey" or hello.server or "redis"
  local redis_version = info.redis_version or hello.version or "?"
  return {
    name = name,
    version = tostring(info[name .. "_version"] or redis_version),
    redis_version = tostring(redis_version),
    mode = info.server_mode or info.redis_mode or hello.mode or "standalone",
    modules = modules_of(ctl:try("MODULE", "LIST") or hello.modules),
    resp = resp or 2,
  }
end

--- Teaches the table of commands what the server's COMMAND says.
-- @tparam table ctl of its control plane
-- @tparam table commands `vbench.commands`
function M.learn(ctl, commands)
  local entries = ctl:try("COMMAND")
  if entries then commands.learn(entries) end
end

local SEARCH = { { name = "search", version = 80000 } }

-- What servers say, for scripts that are loaded without one.
local ASSUMED = {
  none = { name = "none", version = "0.0.0", redis_version = "0.0.0", modules = {} },
  redis8 = {
    name = "redis", version = "8.0.0", redis_version = "8.0.0",
    modules = {
      { name = "ReJSON", version = 80000 }, { name = "bf", version = 80000 }, SEARCH[1],
      { name = "timeseries", version = 80000 }, { name = "vectorset", version = 1 },
    },
  },
  ["valkey-search"] = {
    name = "valkey", version = "8.1.0", redis_version = "7.2.4",
    modules = { { name = "json", version = 10010 }, { name = "search", version = 10000 } },
  },
}

--- A stand-in for what a server would say.
-- Which one is chosen by `--assume`.
-- @tparam[opt] string name redis8, valkey-search or none (the default), in any case
-- @treturn table as of `read`
-- @raise a failure of exit code 2 for another name
function M.assumed(name)
  local found = ASSUMED[(name or "none"):lower()]
  if not found then
    local names = {}
    for known in pairs(ASSUMED) do names[#names + 1] = known end
    table.sort(names)
    usage("--assume: unknown server '%s'%s (there are: %s)", name, nearest.hint(name, names),
      table.concat(names, ", "))
  end
  local said = { mode = "standalone", resp = 2 }
  for key, value in pairs(found) do said[key] = value end
  return said
end

local function connection_hint(target, status, message)
  local nobody = status == C.VB_ECONNECT and message:find("connection refused", 1, true)
  if nobody and target.loopback then
    return "name a server with -h and -p, or let vbench start a private one with --local"
  end
end

-- The journal of a run that crashed: restored when `--yes` says so, else told.
local function offer_restoring(ctl, options, say)
  for _, entry in ipairs(ctl:left_behind()) do
    local names = {}
    for name, value in pairs(entry.values) do
      names[#names + 1] = ("%s (was '%s')"):format(name, value)
    end
    table.sort(names)
    say(("a run that did not end well has left settings of %s changed: %s"):format(entry.address,
      table.concat(names, ", ")))
    if not options.yes then
      say(("  --yes restores them; to keep them as they are, remove %s"):format(entry.path))
    end
  end
  if not options.yes then return end
  for _, problem in ipairs(ctl:restore_left_behind()) do say("  " .. problem) end
end

--- Opens the control plane of the servers that the options name.
-- @tparam table options general options: as of `target`, and `timeout`, `connect_timeout`
--   (seconds), `yes`
-- @tparam table target of `target`
-- @tparam[opt] table other `say` (function that takes a line for the user; default: standard
--   error), `interrupted` (function)
-- @treturn table ctl
-- @treturn table what the first server says of itself (`read`)
-- @raise a failure of exit code 1: nobody listens, wrong password, ...
function M.open(options, target, other)
  other = other or {}
  local ctl, message, status = control.open {
    endpoints = target.endpoints, login = target.login, family = target.family,
    is_local = target.is_local, yes = options.yes, timeout_s = options.timeout,
    connect_timeout_s = options.connect_timeout, interrupted = other.interrupted,
  }
  if not ctl then
    error(failure.new(failure.COULD_NOT_RUN, message, connection_hint(target, status, message)), 0)
  end
  local say = other.say or function(line) io.stderr:write("vbench: ", line, "\n") end
  if not target.is_local then offer_restoring(ctl, options, say) end
  return ctl, M.read(ctl, target.login.resp)
end

return M
