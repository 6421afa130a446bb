--- The one place where C is declared to Lua: the text is that of src/script/ffi.h.
--
-- In the vbench program the functions are in the program itself. Under plain luajit (a team's
-- specs) they come from libvbench: `VBENCH_LIBRARY`, else the system's; the declarations then from
-- the file `VBENCH_CDEF`.
-- @module vbench.ffi
local ffi = require "ffi"

local M = { ffi = ffi }

local function declarations()
  local path = os.getenv("VBENCH_CDEF")
  local found, text = pcall(require, "vbench.cdef")
  if found then return text end
  if not path then
    error("vbench.cdef is not linked in: set VBENCH_CDEF to build/vbench.cdef", 0)
  end
  local file = assert(io.open(path, "rb"))
  text = file:read("*a")
  file:close()
  return text
end

local function library()
  local inside = pcall(function() return ffi.C.vb_status_name end)
  if inside then return ffi.C end
  return ffi.load(os.getenv("VBENCH_LIBRARY") or "vbench")
end

-- busted loads modules anew for each file of specs, and C knows no second declaration.
if not pcall(ffi.typeof, "vb_error") then ffi.cdef(declarations()) end

--- Where the functions are; call them as `C.vb_...`.
M.C = library()

--- A buffer for the message of a call that fails.
-- @treturn cdata a vb_error
function M.new_error()
  return ffi.new("vb_error")
end

--- Turns the status of a call into Lua's way of failing.
-- @tparam number status what the call returned
-- @tparam cdata err the vb_error that it was given
-- @treturn ?boolean true when it went well, else nil
-- @treturn ?string the message
-- @treturn ?number the status
function M.check(status, err)
  if status >= 0 then return true end
  return nil, ffi.string(err.text), status
end

--- Calls a function, and when it raises frees a handle before anything else is freed. The collector
-- frees what nobody holds any more in no order: of use for what has threads that use other handles.
-- @tparam function free the handle; called when `fn` raises
-- @tparam function fn what to do
-- @return what `fn` returned, one value
-- @raise what `fn` raised
function M.or_free(free, fn)
  local ok, result = pcall(fn)
  if ok then return result end
  free()
  error(result, 0)
end

return M
