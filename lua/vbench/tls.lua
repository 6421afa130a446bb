--- TLS settings: from options to what connections share (src/net/tls.h). Main thread only.
-- @module vbench.tls
local failure = require "vbench.failure"
local native = require "vbench.ffi"
local ffi, C = native.ffi, native.C

local M = {}

--- Names in `vb.args` of the options that say how TLS is done.
M.OPTIONS = {
  "insecure", "cacert", "cacertdir", "cert", "key", "sni", "tls_ciphers", "tls_ciphersuites",
}

--- Refuses options of TLS for a run that has none of it: it would go unencrypted.
-- @tparam table options general options
-- @raise a failure of exit code 2
function M.refuse(options)
  for _, name in ipairs(M.OPTIONS) do
    if options[name] then
      local flag = name:gsub("_", "-")
      error(failure.new(failure.USAGE,
        ("--%s is for TLS, and no server is spoken to with it"):format(flag),
        "add --tls, or name the server as rediss:// or valkeys://"), 0)
    end
  end
end

--- Reads the settings and their files.
-- @tparam table options general options: `cacert`, `cacertdir`, `cert`, `key` (paths), `sni`,
--   `tls_ciphers`, `tls_ciphersuites`, `insecure`; the key's passphrase is in the environment,
--   VBENCH_KEY_PASSPHRASE
-- @tparam[opt] string trusted path of a certificate to trust where the options name none
-- @treturn cdata vb_tls, to be kept as long as its connections
-- @raise a failure that names the option, the file and what is wrong with it
function M.new(options, trusted)
  local named = options.cacert or options.cacertdir
  local spec = ffi.new("vb_tls_spec", {
    cacert = options.cacert or not named and trusted or nil, cacertdir = options.cacertdir,
    cert = options.cert, key = options.key, passphrase = os.getenv("VBENCH_KEY_PASSPHRASE"),
    sni = options.sni, ciphers = options.tls_ciphers, ciphersuites = options.tls_ciphersuites,
    insecure = options.insecure and 1 or 0,
  })
  local out, err = ffi.new("vb_tls *[1]"), native.new_error()
  local status = C.vb_tls_new(out, spec, err)
  if status ~= 0 then
    local code = status == C.VB_ENOMEM and failure.COULD_NOT_RUN or failure.USAGE
    error(failure.new(code, ffi.string(err.text)), 0)
  end
  return ffi.gc(out[0], C.vb_tls_free)
end

return M
