-- Compiles Lua modules to bytecode and writes them as one C file.
-- usage: luajit embed.lua OUT.c CDEF ROOT MODULE.lua ...
-- The table `vb_embedded` (script/embedded.h) maps module names to bytecode; the module
-- "vbench.cdef" is the text of the FFI declarations.
local out_path, cdef_path, root = arg[1], arg[2], arg[3]

local function read(path)
  local file = assert(io.open(path, "rb"))
  local text = file:read("*a")
  file:close()
  return text
end

local function module_name(path)
  local name = path:sub(#root + 2):gsub("%.lua$", ""):gsub("/", ".")
  return (name:gsub("%.init$", ""))
end

local modules = { { name = "vbench.cdef", code = ("return %q"):format(read(cdef_path)) } }
for i = 4, #arg do
  modules[#modules + 1] = { name = module_name(arg[i]), code = read(arg[i]), path = arg[i]:sub(#root + 2) }
end
table.sort(modules, function(a, b) return a.name < b.name end)

local out = { '#include "script/embedded.h"\n' }
for i, m in ipairs(modules) do
  local chunk = assert(loadstring(m.code, "@" .. (m.path or m.name)))
  local bytes = string.dump(chunk)
  local numbers = {}
  for k = 1, #bytes do numbers[k] = bytes:byte(k) .. (k % 32 == 0 and ",\n" or ",") end
  out[#out + 1] = ("static const unsigned char module_%d[] = {%s};\n"):format(i, table.concat(numbers))
end
out[#out + 1] = "const vb_embedded_module vb_embedded[] = {\n"
for i, m in ipairs(modules) do
  out[#out + 1] = ('  {"%s", module_%d, sizeof module_%d},\n'):format(m.name, i, i)
end
out[#out + 1] = "  {0, 0, 0}};\n"

local file = assert(io.open(out_path, "wb"))
file:write(table.concat(out))
file:close()
