--- Certificates for the tests of TLS, made by the openssl program: CAs, servers, clients.
local process = require "tests.support.process"

local M = {}

local Certificates = {}
Certificates.__index = Certificates

--- Makes a CA in a directory of its own.
-- @return certificates: `:path(name)`, `:make(name, options)`, `:capture(command)`, `:remove()`
function M.new()
  local self = setmetatable({ directory = process.directory() }, Certificates)
  self:make "ca"
  return self
end

--- The path of a file of this directory.
-- @tparam string name
-- @treturn string
function Certificates:path(name)
  return self.directory .. "/" .. name
end

--- Runs a shell command in the directory.
-- @tparam string command
-- @treturn string what it prints
function Certificates:capture(command)
  return process.capture("cd " .. self.directory .. " && { " .. command .. "; } 2>&1")
end

--- Makes NAME.pem and NAME.key.
-- @tparam string name
-- @tparam ?table options `names` (subjectAltName; nil: a CA), `by` (a CA; nil: itself),
-- `passphrase`
-- @treturn string path of NAME.pem
-- @treturn string path of NAME.key
function Certificates:make(name, options)
  options = options or {}
  local command = {
    "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -days 2",
    "-subj /CN=" .. name, "-keyout " .. name .. ".key -out " .. name .. ".pem",
    options.passphrase and "-passout pass:" .. options.passphrase or "-nodes",
  }
  if options.names then command[#command + 1] = "-addext subjectAltName=" .. options.names end
  if options.by then
    command[#command + 1] = ("-CA %s.pem -CAkey %s.key"):format(options.by, options.by)
  end
  self:capture(table.concat(command, " "))
  return self:path(name .. ".pem"), self:path(name .. ".key")
end

function Certificates:remove()
  process.remove(self.directory)
end

return M
