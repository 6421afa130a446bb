--- A private server for a run.
-- What `--local` starts: valkey-server, else redis-server, from PATH, in a temporary directory and
-- on a free port of the loopback. A guardian process (src/base/guardian.h) ends it and removes the
-- directory however vbench ends. To be started before any worker thread exists.
-- @module vbench.local_server
local native = require "vbench.ffi"
local tls = require "vbench.tls"
local words = require "vbench.words"
local ffi, C = native.ffi, native.C

local M = {}

local PROGRAMS = { "valkey-server", "redis-server" }
local READY_S, POLL_S, CALL_MS = 5, 0.005, 1000
local CERTIFICATE, KEY = "cert.pem", "key.pem" -- as vb_tls_make_certificate calls them
local LOG, LOG_LINES = "server.log", 8
local PORT_TRIES = 5
local MAX_SOCKET_PATH = 107 -- sun_path of Linux, less its NUL

-- What the private server's own place depends on.
local OURS = {
  port = true, ["tls-port"] = true, ["tls-cert-file"] = true, ["tls-key-file"] = true,
  bind = true, unixsocket = true, dir = true, daemonize = true, logfile = true,
}

--- Set of the kinds of private server.
M.SPECS = { standalone = true, tls = true }

local Server = {}
Server.__index = Server

--- Splits a string of options as a shell would, with '...' and "..." but without escapes.
-- @tparam string text e.g. `--maxmemory 100mb --save "60 1000"`
-- @treturn {string} the words
-- @raise when a quote is not closed
function M.split(text)
  local list, message = words.split(text)
  if not list then error("--local-args: " .. message, 0) end
  return list
end

local function executable(name)
  for directory in (os.getenv("PATH") or ""):gmatch("[^:]+") do
    local path = directory .. "/" .. name
    local file = io.open(path, "rb")
    if file then
      local readable = file:read(0) -- not so for a directory
      file:close()
      if readable then return path end
    end
  end
end

local function find_program()
  for _, name in ipairs(PROGRAMS) do
    local path = executable(name)
    if path then return path end
  end
  error("--local: neither valkey-server nor redis-server is on PATH; install one of them, or name "
    .. "a running server with -h and -p", 0)
end

local function checked_args(text)
  local list = M.split(text or "")
  for _, word in ipairs(list) do
    local option = word:match("^%-%-([^=%s]+)")
    if option and OURS[option:lower()] then
      error(("--local-args: --%s is what --local sets by itself"):format(option), 0)
    end
  end
  return list
end

local function log_tail(directory)
  local lines = {}
  local file = io.open(directory .. "/" .. LOG)
  if file then
    for line in file:lines() do lines[#lines + 1] = line end
    file:close()
  end
  return table.concat(lines, "\n  ", math.max(1, #lines - LOG_LINES + 1))
end

-- Options of where it listens. Relative paths are relative to its own directory.
local function listening(server)
  local port = tostring(server.port)
  if not server.cacert then return { "--port", port } end
  return { "--port", "0", "--tls-port", port, "--tls-cert-file", CERTIFICATE,
           "--tls-key-file", KEY, "--tls-ca-cert-file", CERTIFICATE, "--tls-auth-clients", "no" }
end

local function spawn(server, program, args)
  local line = {
    program, "--save", "", "--appendonly", "no", "--bind", "127.0.0.1",
    "--daemonize", "no", "--protected-mode", "no",
  }
  for _, word in ipairs(listening(server)) do line[#line + 1] = word end
  if server.socket then
    line[#line + 1], line[#line + 2] = "--unixsocket", server.socket
  end
  for _, word in ipairs(args) do line[#line + 1] = word end
  local argv = ffi.new("const char *[?]", #line, line)
  local pid, err = ffi.new("int[1]"), native.new_error()
  local status = C.vb_guardian_spawn(server.guardian, #line, argv, LOG, pid, err)
  if status ~= 0 then error("--local: " .. ffi.string(err.text), 0) end
  server.pid = pid[0]
end

-- Whether it serves: PONG, or a refusal of a stranger (the run itself will log in).
local function answers(server)
  local endpoint = ffi.new("vb_endpoint", { host = server.host, port = server.port, family = 4,
    tls = server.tls })
  local login = ffi.new("vb_login", { resp = 2 })
  local client, err = ffi.new("vb_client *[1]"), native.new_error()
  if C.vb_client_open(client, endpoint, login, CALL_MS, err) ~= 0 then
    return err.status == C.VB_EAUTH
  end
  local reply = ffi.new("vb_value *[1]")
  local words, lengths = ffi.new("const char *[1]", { "PING" }), ffi.new("size_t[1]", 4)
  local ready = C.vb_client_call(client[0], 1, words, lengths, CALL_MS, reply, err) == 0
  if ready then
    local text = ffi.string(reply[0].text, reply[0].length)
    ready = text == "PONG" or text:find("^NOAUTH") ~= nil
    C.vb_value_free(reply[0])
  end
  C.vb_client_close(client[0])
  return ready
end

-- true when it serves; else nil and why, which has what it wrote last.
local function wait_ready(server)
  local deadline = C.vb_clock_monotonic() + READY_S
  while C.vb_clock_monotonic() < deadline do
    if C.vb_guardian_alive(server.guardian, server.pid) == 0 then
      return nil, "ended at once"
    end
    if answers(server) then return true end
    C.vb_clock_sleep(POLL_S)
  end
  return nil, ("did not answer PING within %d s"):format(READY_S)
end

local function new_server()
  local guardian, err = ffi.new("vb_guardian *[1]"), native.new_error()
  if C.vb_guardian_start(guardian, err) ~= 0 then error("--local: " .. ffi.string(err.text), 0) end
  local server = setmetatable({ host = "127.0.0.1" }, Server)
  server.guardian = ffi.gc(guardian[0], C.vb_guardian_stop)
  server.directory = ffi.string(C.vb_guardian_directory(server.guardian))
  local socket = server.directory .. "/s.sock"
  server.socket = #socket <= MAX_SOCKET_PATH and socket or nil
  return server
end

local function free_port()
  local err = native.new_error()
  local port = C.vb_port_free(err)
  if port < 0 then error("--local: " .. ffi.string(err.text), 0) end
  return port
end

local function make_certificate(server)
  local err = native.new_error()
  if C.vb_tls_make_certificate(server.directory, err) ~= 0 then
    error("--local tls: " .. ffi.string(err.text), 0)
  end
  server.cacert = server.directory .. "/" .. CERTIFICATE
  server.tls = tls.new { cacert = server.cacert }
end

-- What a server says that has no notion of a port for TLS.
local function lacks_tls(log)
  return log:find("tls-port", 1, true) ~= nil and log:find("Bad directive", 1, true) ~= nil
end

--- Starts a private server and waits until it answers.
-- @tparam table options `spec`: "standalone" (the default) or "tls" (with TLS alone, and a
-- throw-away certificate); `args`: options for the server, one string. Relative
-- paths in it are relative to the server's own directory.
-- @treturn table `host`, `port`, `socket` (a path, or nil where the temporary directory's name is
-- too long for one), `pid`, `directory`, `program`, `cacert` (path of the certificate to trust;
-- with TLS); `:alive()`, `:stop()`
-- @raise when there is no server program, an option is one that --local sets, or the server does
-- not answer within 5 s (with the end of its log)
function M.start(options)
  local spec = options.spec or "standalone"
  if not M.SPECS[spec] then
    error(("--local %s: there is no such private server; there are: standalone, tls"):format(spec),
      0)
  end
  local args, program = checked_args(options.args), find_program()
  local server = new_server()
  server.program = program
  if spec == "tls" then make_certificate(server) end
  for try = 1, PORT_TRIES do
    server.port = free_port()
    spawn(server, program, args)
    local ready, why = wait_ready(server)
    if ready then return server end
    local log = log_tail(server.directory)
    if try == PORT_TRIES or not log:find("Address already in use", 1, true) then
      server:stop()
      if lacks_tls(log) then error(("--local tls: %s was built without TLS"):format(program), 0) end
      error(("--local: %s %s; its last words:\n  %s"):format(program, why, log), 0)
    end
  end
end

--- Whether the server still runs.
-- @treturn boolean
function Server:alive()
  return self.guardian ~= nil and C.vb_guardian_alive(self.guardian, self.pid) == 1
end

--- Ends the server and removes its directory; returns when both are gone. Again: nothing.
function Server:stop()
  if not self.guardian then return end
  C.vb_guardian_stop(ffi.gc(self.guardian, nil))
  self.guardian = nil
end

return M
