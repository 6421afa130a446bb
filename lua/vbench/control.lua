--- The control plane, `ctl`: set-up traffic over connections of its own.
-- Every call has a deadline.
--
-- What setup, teardown and main functions get. A connection that broke is made anew by the next
-- call.
-- @api vbench.control
local commands = require "vbench.commands"
local failure = require "vbench.failure"
local fault = require "vbench.fault"
local journal = require "vbench.journal"
local native = require "vbench.ffi"
local units = require "vbench.units"
local ffi, C = native.ffi, native.C

local M = {}

local TIMEOUT_MS, CONNECT_TIMEOUT_MS = 10000, 5000
local POLL_S, WAIT_S = 0.05, 10
local EXACT = 2 ^ 53

-- Commands whose second word says what they do.
local CONTAINERS = {}
for name in ([[ACL CLIENT CLUSTER COMMAND CONFIG DEBUG FUNCTION LATENCY MEMORY MODULE OBJECT PUBSUB
    SCRIPT SLOWLOG XGROUP XINFO]]):gmatch("%S+") do
  CONTAINERS[name] = true
end

-- What destroys or changes a server that others may use.
local DESTRUCTIVE = {}
for name in ("FLUSHALL,FLUSHDB,SWAPDB,FT.DROPINDEX,CONFIG SET,FUNCTION FLUSH"):gmatch("[^,]+") do
  DESTRUCTIVE[name] = true
end

-- Settings that are secrets: in no journal, so never set by ctl:config.
local SECRET = { requirepass = true, masterauth = true, primaryauth = true }
SECRET["tls-key-file-pass"], SECRET["tls-client-key-file-pass"] = true, true

local Control = {}
Control.__index = Control

local function text_of(value)
  if type(value) ~= "number" then return value end
  if value == math.floor(value) and math.abs(value) <= EXACT then return ("%.0f"):format(value) end
  return ("%.17g"):format(value)
end

-- The words of a call as C takes them; what anchors them comes with them.
local function encode(arguments, count)
  local texts = {}
  for i = 1, count do
    local value = arguments[i]
    local text = text_of(value)
    if type(text) == "cdata" then text = tostring(text):gsub("U?LL$", "") end
    if type(text) ~= "string" then
      fault.raise("argument %d of a ctl call is a %s; it takes strings and numbers", i, type(value))
    end
    texts[i] = text
  end
  if count == 0 then fault.raise("a ctl call without a command") end
  local lengths = ffi.new("size_t[?]", count)
  for i = 1, count do lengths[i - 1] = #texts[i] end
  return { count = count, texts = texts, lengths = lengths,
           words = ffi.new("const char *[?]", count, texts) }
end

-- Names a call without its arguments, which may be secrets.
local function describe(request)
  local name = request.texts[1]:upper()
  local second = CONTAINERS[name] and request.texts[2]
  return second and name .. " " .. second:upper() or name
end

local decode

local function decode_array(value)
  local list = {}
  for i = 1, tonumber(value.length) do
    list[i] = decode(value.elements[i - 1])
    if list[i] == nil then list[i] = false end
  end
  return list
end

function decode(value)
  local kind = value.type
  if kind == C.VB_VALUE_NIL then return nil end
  if kind == C.VB_VALUE_INTEGER then
    local number = tonumber(value.integer)
    return math.abs(number) < EXACT and number or value.integer
  end
  if kind == C.VB_VALUE_ARRAY then return decode_array(value) end
  local text = ffi.string(value.text, value.length)
  return kind == C.VB_VALUE_ERROR and { err = text } or text
end

local function new_node(endpoint)
  return { host = endpoint.host, port = endpoint.port, path = endpoint.path, tls = endpoint.tls,
           role = "primary", address = M.address(endpoint) }
end

--- The text of an address as messages and reports show it.
-- @tparam table endpoint `host` and `port`, or `path`
-- @treturn string `127.0.0.1:6379`, `[::1]:6379`, `/run/valkey.sock`
-- @local
function M.address(endpoint)
  if endpoint.path then return endpoint.path end
  local form = endpoint.host:find(":", 1, true) and "[%s]:%d" or "%s:%d"
  return form:format(endpoint.host, endpoint.port)
end

-- A connection to the node, made when there is none. nil, message, status when it cannot be.
local function connect(self)
  if self.client then return self.client end
  local node, login = self.node, self.login
  local endpoint = ffi.new("vb_endpoint", { host = node.path == nil and node.host or nil,
    path = node.path, port = node.port or 0, family = self.shared.family, tls = node.tls })
  local who = ffi.new("vb_login", { user = login.user, password = login.password,
    client_name = login.client_name, database = login.database or 0, resp = 2 })
  local out, err = ffi.new("vb_client *[1]"), native.new_error()
  local status = C.vb_client_open(out, endpoint, who, self.shared.connect_timeout_ms, err)
  if status ~= 0 then return nil, ffi.string(err.text), status end
  self.anchor = { endpoint, who }
  self.client = ffi.gc(out[0], C.vb_client_close)
  return self.client
end

local function disconnect(self)
  if not self.client then return end
  C.vb_client_close(ffi.gc(self.client, nil))
  self.client = nil
end

-- One request, one reply: the value, or nil, message, status. A reply of nil is nil alone.
local function exchange(self, request, timeout_ms)
  local client, message, status = connect(self)
  if not client then return nil, message, status end
  local out, err = ffi.new("vb_value *[1]"), native.new_error()
  status = C.vb_client_call(client, request.count, request.words, request.lengths,
    timeout_ms or self.shared.timeout_ms, out, err)
  if status ~= 0 then
    disconnect(self)
    return nil, ("%s: %s"):format(describe(request), ffi.string(err.text)), status
  end
  local reply, is_error = decode(out[0]), out[0].type == C.VB_VALUE_ERROR
  C.vb_value_free(out[0])
  if not is_error then return reply end
  return nil, ("%s: %s (%s)"):format(describe(request), reply.err, self.node.address), C.VB_ESERVER
end

local function number_of_keys(self)
  local text, message, status = exchange(self, encode({ "INFO", "keyspace" }, 2))
  if not text then return nil, message, status end
  local count = 0
  for keys in text:gmatch("keys=(%d+)") do count = count + tonumber(keys) end
  return count
end

-- Keys that were there before the run, and are nobody's to lose.
local function refuse_destruction(self, request)
  local shared = self.shared
  if shared.is_local or shared.yes or not DESTRUCTIVE[describe(request)] then return end
  local keys = self.node.foreign_keys
  if not keys or keys == 0 then return end
  local now = number_of_keys(self)
  if now == 0 then return end
  return ("%s: refused: %s has %d %s that vbench did not write; --yes allows it, --local runs a "
    .. "private server"):format(describe(request), self.node.address, keys,
    keys == 1 and "key" or "keys")
end

-- Several standalone servers share the slots in equal runs (src/cluster/router.c); what has no key
-- goes to the first.
local function owner(self, request)
  if not self.spreads then return self end
  local first = math.huge
  for place in pairs(commands.keys(request.texts)) do first = math.min(first, place) end
  local key, nodes = request.texts[first], self.shared.nodes
  if not key then return nodes[1] end
  return nodes[1 + math.floor(C.vb_slot(key, #key) * #nodes / C.VB_SLOTS)]
end

local function perform(self, count, ...)
  local request = encode({ ... }, count)
  self = owner(self, request)
  local refusal = refuse_destruction(self, request)
  if refusal then return nil, refusal, C.VB_EINVAL end
  return exchange(self, request)
end

-- Raises what a call failed with, at the user's line.
local function raise(message)
  local position = fault.position()
  if position ~= "" then message = position .. ": " .. message end
  error(failure.new(failure.COULD_NOT_RUN, message), 0)
end

--- Sends a command and waits for its reply. With several servers it goes to the one that has the
-- first key, and without a key to the first (see each_node).
-- @param ... command and arguments: strings and numbers (whole ones up to 2^53 are sent exactly)
-- @return the reply: a string, a number (an integer from 2^53 up as int64_t), nil, or a list, in
--   which nil is false and an error `{ err = message }`
-- @raise when the server answers with an error, does not answer in time, or cannot be reached;
--   names the command and the address. Commands that destroy what others wrote need `--yes`.
function Control:call(...)
  local reply, message = perform(self, select("#", ...), ...)
  if message then raise(message) end
  return reply
end

--- As `call`, but does not raise for what a server or a network can do.
-- @param ... as of call
-- @return the reply, or nil
-- @treturn ?string the message; nil when the reply itself was nil
-- @treturn ?string what kind it is: "ESERVER", "ECONNECT", "ETIMEOUT", "EAUTH", ...
function Control:try(...)
  local reply, message, status = perform(self, select("#", ...), ...)
  if message then return nil, message, ffi.string(C.vb_status_name(status)) end
  return reply
end

--- Calls a function for each node.
-- @tparam string role "primary", "replica" or "all"
-- @tparam function fn called with (ctl of that node, node); node has `address`, `host`, `port`,
--   `role`
-- @treturn table what the calls returned, in the order of the nodes; nil is false
-- @raise for a role that there is not
function Control:each_node(role, fn)
  if role ~= "primary" and role ~= "replica" and role ~= "all" then
    fault.raise("ctl:each_node: the role is \"primary\", \"replica\" or \"all\", not %s",
      tostring(role))
  end
  local results = {}
  for _, control in ipairs(self.shared.nodes) do
    if role == "all" or role == control.node.role then
      local result = fn(control, control.node)
      if result == nil then result = false end
      results[#results + 1] = result
    end
  end
  return results
end

--- The fields of a text of INFO.
-- @tparam string text lines `name:value`
-- @treturn table name -> number where the value is one, else string
-- @local
function M.parse_info(text)
  local fields = {}
  for name, value in text:gmatch("([^\r\n:#]+):([^\r\n]*)") do
    fields[name] = value:find("^%-?%d+%.?%d*$") and tonumber(value) or value
  end
  return fields
end

--- What INFO says.
-- @tparam[opt] string section "memory", "all", ...; default: the server's own
-- @treturn table field -> number where it is one, else string
-- @raise as `call`
function Control:info(section)
  local text, message
  if section then
    text, message = perform(self, 2, "INFO", section)
  else
    text, message = perform(self, 1, "INFO")
  end
  if not text then raise(message) end
  return M.parse_info(text)
end

-- The value of a setting now; raises when the server has none of that name.
local function setting(control, name)
  local pair = control:call("CONFIG", "GET", name)
  if not pair[2] then
    fault.raise("ctl:config: %s has no setting '%s'", control.node.address, name)
  end
  return pair[2]
end

local function checked_settings(settings)
  local names = {}
  if type(settings) ~= "table" then fault.raise("ctl:config takes a table { name = value }") end
  for name, value in pairs(settings) do
    if type(name) ~= "string" or type(value) ~= "string" and type(value) ~= "number" then
      fault.raise("ctl:config takes names with strings or numbers: %s = %s", tostring(name),
        tostring(value))
    end
    if SECRET[name:lower()] then
      fault.raise("ctl:config does not set '%s': it would have to keep a secret in a file", name)
    end
    names[#names + 1] = name
  end
  table.sort(names)
  return names
end

local function set_on_node(control, names, settings)
  local shared, node = control.shared, control.node
  local refusal = refuse_destruction(control, encode({ "CONFIG", "SET" }, 2))
  if refusal then raise(refusal) end
  for _, name in ipairs(names) do
    if node.changed[name] == nil then node.changed[name] = setting(control, name) end
  end
  if not shared.is_local then
    local ok, message = journal.write(shared.journal, node.address, node.changed)
    if not ok then raise("ctl:config: no journal, so nothing is changed: " .. message) end
  end
  for _, name in ipairs(names) do control:call("CONFIG", "SET", name, settings[name]) end
end

--- Changes settings on every node, until the end of the run.
--
-- What they were is kept in a journal ($XDG_STATE_HOME/vbench) before anything changes, so that the
-- next start can offer to restore it when this run should crash.
-- @tparam table settings name -> string or number, as CONFIG SET takes them
-- @raise for an unknown setting, an error of the server, or foreign keys without `--yes`
function Control:config(settings)
  local names = checked_settings(settings)
  for _, control in ipairs(self.shared.nodes) do set_on_node(control, names, settings) end
end

local function restore_node(control, values)
  local failed
  for name, value in pairs(values) do
    local _, message = exchange(control, encode({ "CONFIG", "SET", name, value }, 4))
    failed = failed or message
  end
  return failed
end

--- Gives every node the settings that it had before `config`. By the run, at its end.
-- @treturn {string,...} what went wrong; its journals stay
-- @local
function Control:restore()
  local problems = {}
  for _, control in ipairs(self.shared.nodes) do
    local node = control.node
    if next(node.changed) then
      local failed = restore_node(control, node.changed)
      problems[#problems + 1] = failed and "settings could not be restored: " .. failed
      if not failed then
        node.changed = {}
        journal.remove(self.shared.journal, node.address)
      end
    end
  end
  return problems
end

--- Settings that a run which crashed has left on the nodes.
-- @treturn {table,...} of `address`, `values` (name -> what it was), `path` (the journal)
-- @local
function Control:left_behind()
  local found = {}
  for _, control in ipairs(self.shared.nodes) do
    local entry = journal.read(self.shared.journal, control.node.address)
    found[#found + 1] = entry
  end
  return found
end

--- Restores what `left_behind` found.
-- @treturn {string,...} what went wrong
-- @local
function Control:restore_left_behind()
  local problems = {}
  for _, control in ipairs(self.shared.nodes) do
    local entry = journal.read(self.shared.journal, control.node.address)
    if entry then
      local failed = restore_node(control, entry.values)
      problems[#problems + 1] = failed
      if not failed then journal.remove(self.shared.journal, control.node.address) end
    end
  end
  return problems
end

--- Waits until a function returns something true; it is called every 50 ms.
-- @tparam function fn called with ctl
-- @tparam[opt] string|number timeout a duration; default 10 s
-- @return what fn returned
-- @raise when the time is over, or a signal came
function Control:wait_until(fn, timeout)
  local seconds, wrong = units.duration(timeout or WAIT_S)
  if not seconds then fault.raise("ctl:wait_until: %s", wrong) end
  local deadline = C.vb_clock_monotonic() + seconds
  while true do
    local result = fn(self)
    if result then return result end
    if self.shared.interrupted() then
      error(failure.new(failure.INTERRUPTED, "ctl:wait_until: interrupted"), 0)
    end
    if C.vb_clock_monotonic() >= deadline then
      raise(("ctl:wait_until: not so after %g s (%s)"):format(seconds, self.node.address))
    end
    C.vb_clock_sleep(POLL_S)
  end
end

--- Learns which keys of a keyspace exist, by SCAN on all primaries at once. What was known is
-- replaced.
-- @tparam keyspace keyspace
-- @tparam[opt] table options `tagged` = true: also count keys that have something before the
--   prefix, as {xyz}<prefix><id>
-- @treturn table `found`, `new` (the tracker did not know), `stale` (the tracker said yes, the
--   server no), `out_of_range`, `unparsable`, `tagged` (of an id, but under another hash tag than
--   the keyspace writes: not counted as existing), `keys` (all that fit the prefix), `seconds`,
--   `keys_per_s`
-- @raise as `call`; the tracker stays as it was then
function Control:scan(keyspace, options)
  local result = require("vbench.scan").run(self, keyspace, options)
  return result
end

--- Times a request that is sent again and again, one at a time.
-- @tparam number count how often
-- @param ... command and arguments
-- @treturn ?{number,...} seconds of each; nil when the server refuses it
-- @treturn ?string message
-- @local
function Control:round_trips(count, ...)
  local request, times = encode({ ... }, select("#", ...)), {}
  self = owner(self, request)
  local client, message = connect(self)
  if not client then return nil, message end
  local out, err = ffi.new("vb_value *[1]"), native.new_error()
  for i = 1, count do
    local began = C.vb_clock_monotonic()
    local status = C.vb_client_call(client, request.count, request.words, request.lengths,
      self.shared.timeout_ms, out, err)
    times[i] = C.vb_clock_monotonic() - began
    if status ~= 0 then
      disconnect(self)
      return nil, ffi.string(err.text)
    end
    local refused = out[0].type == C.VB_VALUE_ERROR
    C.vb_value_free(out[0])
    if refused then return nil, describe(request) .. " is refused" end
  end
  return times
end

--- Ends the connections. A later call makes new ones.
-- @local
function Control:close()
  for _, control in ipairs(self.shared.nodes) do disconnect(control) end
end

--- Opens the control plane of a run: connects to every node.
-- @tparam table options `endpoints` ({host=, port=} or {path=} each, `tls`), `login` {user,
--   password, database, client_name}, `family` (4, 6 or nil), `timeout_s` and `connect_timeout_s`
--   (10, 5), `is_local` (a private server), `yes`, `journal` (directory), `interrupted` (function)
-- @treturn ?table ctl; `ctl.topology` is {mode = "standalone", nodes = {{address, role, ...}}}
-- @treturn ?string message
-- @treturn ?number status (enum vb_status)
-- @local
function M.open(options)
  local shared = {
    nodes = {}, is_local = options.is_local, yes = options.yes, family = options.family or 0,
    timeout_ms = options.timeout_s and options.timeout_s * 1000 or TIMEOUT_MS,
    connect_timeout_ms = options.connect_timeout_s and options.connect_timeout_s * 1000
      or CONNECT_TIMEOUT_MS,
    journal = options.journal or journal.directory(),
    interrupted = options.interrupted or function() return false end,
  }
  local topology = { mode = "standalone", nodes = {} }
  for i, endpoint in ipairs(options.endpoints) do
    local node = new_node(endpoint)
    node.changed = {}
    topology.nodes[i] = node
    shared.nodes[i] = setmetatable({ node = node, login = options.login or {}, shared = shared,
                                     topology = topology }, Control)
    local client, message, status = connect(shared.nodes[i])
    if not client then return nil, message, status end
    node.foreign_keys = not options.is_local and number_of_keys(shared.nodes[i]) or 0
  end
  local first = shared.nodes[1]
  if #shared.nodes == 1 then return first end
  return setmetatable({ node = first.node, shared = shared, topology = topology, spreads = true },
    Control)
end

return M
