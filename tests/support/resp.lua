--- A blocking RESP client of the tests' own, so that what a server holds is not asked through the
-- code under test; and MONITOR, which says what a server was sent.
local ffi = require "ffi"
local C = ffi.C

ffi.cdef [[
int socket(int domain, int type, int protocol); int connect(int fd, const void *to, unsigned size);
int bind(int fd, const void *to, unsigned size);
int setsockopt(int fd, int level, int name, const void *value, unsigned size);
ptrdiff_t send(int fd, const void *bytes, size_t count, int flags); int close(int fd);
ptrdiff_t recv(int fd, void *bytes, size_t count, int flags);
]]

local M = {}

local SOL_SOCKET, SO_REUSEADDR, SO_RCVTIMEO, NOSIGNAL = 1, 2, 20, 0x4000

local function loopback(port)
  local hi, lo = math.floor(port / 256), port % 256
  return "\2\0" .. string.char(hi, lo, 127, 0, 0, 1) .. ("\0"):rep(8)
end

--- Whether nobody listens on this port of the loopback.
-- @tparam number port
-- @treturn boolean
function M.port_free(port)
  local fd = C.socket(2, 1, 0)
  C.setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, ffi.new("int[1]", 1), 4)
  local free = C.bind(fd, loopback(port), 16) == 0
  C.close(fd)
  return free
end

local Client = {}
Client.__index = Client

--- Connects to 127.0.0.1:port or a unix socket (a path).
-- @tparam number|string where
-- @tparam ?string password
-- @return a client, or nil when nobody listens
function M.connect(where, password)
  local unix = type(where) == "string"
  local fd = C.socket(unix and 1 or 2, 1, 0)
  local address = unix and "\1\0" .. where .. "\0" or loopback(where)
  if C.connect(fd, address, #address) ~= 0 then
    C.close(fd)
    return nil
  end
  C.setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, ffi.new("int64_t[2]", 20, 0), 16)
  local self = setmetatable({ fd = fd, tail = "", at = 1, room = ffi.new("char[65536]") }, Client)
  if password then self:call("AUTH", password) end
  return self
end

function Client:close()
  if self.fd then C.close(self.fd) end
  self.fd = nil
end

--- Sends bytes as they are.
function Client:send(bytes)
  local sent = C.send(self.fd, bytes, #bytes, NOSIGNAL)
  if sent ~= #bytes then error("cannot send to the server") end
end

local function fill(self)
  local got = tonumber(C.recv(self.fd, self.room, 65536, 0))
  if got <= 0 then error("no reply from the server") end
  self.tail = self.tail:sub(self.at) .. ffi.string(self.room, got)
  self.at = 1
end

--- The next line, without its end.
function Client:line()
  while true do
    local last = self.tail:find("\r\n", self.at, true)
    if last then
      local line = self.tail:sub(self.at, last - 1)
      self.at = last + 2
      return line
    end
    fill(self)
  end
end

local function bulk(self, count)
  while #self.tail - self.at + 1 < count + 2 do fill(self) end
  local bytes = self.tail:sub(self.at, self.at + count - 1)
  self.at = self.at + count + 2
  return bytes
end

--- The next reply (RESP2). An error is `nil, message`.
function Client:reply()
  local line = self:line()
  local kind, rest = line:sub(1, 1), line:sub(2)
  if kind == "+" then return rest end
  if kind == "-" then return nil, rest end
  if kind == ":" then return tonumber(rest) end
  local count = tonumber(rest)
  if kind == "$" then return count >= 0 and bulk(self, count) or false end
  local list = {}
  for i = 1, count do list[i] = self:reply() end
  return list
end

--- Writes a command without waiting.
function Client:write(...)
  local parts = { "*" .. select("#", ...) .. "\r\n" }
  for i = 1, select("#", ...) do
    local text = tostring((select(i, ...)))
    parts[#parts + 1] = "$" .. #text .. "\r\n" .. text .. "\r\n"
  end
  self:send(table.concat(parts))
end

--- Runs a command; raises on an error reply.
function Client:call(...)
  self:write(...)
  local value, message = self:reply()
  if value == nil then error(tostring((...)) .. ": " .. message, 2) end
  return value
end

local escapes = { n = "\n", r = "\r", t = "\t", a = "\a", b = "\b", ['"'] = '"', ["\\"] = "\\" }

local function unescape(raw)
  return (raw:gsub("\\(.)(%x?%x?)", function(c, hex)
    if c == "x" then return string.char(tonumber(hex, 16)) end
    return (escapes[c] or c) .. hex
  end))
end

-- A line of MONITOR: +time [db address] "arg" "arg"
local function parse_monitor(line)
  local db, address, rest = line:match("^%+%d+%.%d+ %[(%d+) (%S+)%] (.*)$")
  local args = { db = tonumber(db), address = address }
  local at = 1
  while at <= #rest do
    local stop = at + 1
    while rest:sub(stop, stop) ~= '"' do
      stop = stop + (rest:sub(stop, stop) == "\\" and 2 or 1)
    end
    args[#args + 1] = unescape(rest:sub(at + 1, stop - 1))
    at = stop + 2
  end
  return args
end

local Monitor = {}
Monitor.__index = Monitor

--- Starts to listen to what a server is sent.
-- @tparam number|string where
-- @tparam ?string password
-- @return a monitor: `:finish()` gives the commands until now
function M.monitor(where, password)
  local client = assert(M.connect(where, password))
  client:call("MONITOR")
  return setmetatable({ client = client, where = where, password = password }, Monitor)
end

--- Ends listening.
-- @tparam ?string name only these commands (any case)
-- @treturn {table,...} each a list of arguments, with `db` and `address`
function Monitor:finish(name)
  local other = assert(M.connect(self.where, self.password))
  local mark = "mark-" .. tostring(other)
  other:call("ECHO", mark)
  other:close()
  local commands = {}
  while true do
    local line = self.client:line()
    if line:find(mark, 1, true) then break end
    local args = parse_monitor(line)
    if not name or args[1]:lower() == name:lower() then commands[#commands + 1] = args end
  end
  self.client:close()
  return commands
end

return M
