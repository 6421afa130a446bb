-- Compiles Lua modules to bytecode and writes them as one C file.
-- usage: luajit embed.lua OUT.c CDEF ROOT FILE.lua ...
-- The table `vb_embedded` (script/embedded.h) maps module names to bytecode. A file's name comes
-- from where it lies: ROOT/lua/vbench/x.lua is "vbench.x", ROOT/scripts/x.lua is "scripts.x", any
-- other (a library found on this machine) goes by its base name. Besides: "vbench.cdef" is the text
-- of the FFI declarations, "vbench.scenarios" the list of scripts/ with the first comment of each.
local out_path, cdef_path, root = arg[1], arg[2], arg[3]
local summary = dofile(root .. "/lua/vbench/summary.lua")

local function read(path)
  local file = assert(io.open(path, "rb"))
  local text = file:read("*a")
  file:close()
  return text
end

local function place(path)
  local below = path:sub(1, #root + 1) == root .. "/" and path:sub(#root + 2)
  return below and (below:match("^lua/(.*)") or below) or path:match("[^/]*$")
end

local function module_name(where)
  return (where:gsub("%.lua$", ""):gsub("/", "."):gsub("%.init$", ""))
end

local modules = { { name = "vbench.cdef", code = ("return %q"):format(read(cdef_path)) } }
local scenarios = {}
for i = 4, #arg do
  local where, code = place(arg[i]), read(arg[i])
  local name = module_name(where)
  modules[#modules + 1] = { name = name, code = code, path = where }
  if name:find("^scripts%.") then
    scenarios[#scenarios + 1] = ("{ name = %q, summary = %q }"):format(name:sub(9),
      summary.of(code))
  end
end
table.sort(scenarios)
modules[#modules + 1] = {
  name = "vbench.scenarios", code = ("return { %s }"):format(table.concat(scenarios, ", ")),
}
table.sort(modules, function(a, b) return a.name < b.name end)

local out = { '#include "script/embedded.h"\n' }
for i, m in ipairs(modules) do
  local bytes = string.dump(assert(loadstring(m.code, "@" .. (m.path or m.name))))
  local numbers = {}
  for k = 1, #bytes do numbers[k] = bytes:byte(k) .. (k % 32 == 0 and ",\n" or ",") end
  out[#out + 1] = ("static const unsigned char module_%d[] = {%s};\n")
    :format(i, table.concat(numbers))
end
out[#out + 1] = "const vb_embedded_module vb_embedded[] = {\n"
for i, m in ipairs(modules) do
  out[#out + 1] = ('  {"%s", module_%d, sizeof module_%d},\n'):format(m.name, i, i)
end
out[#out + 1] = "  {0, 0, 0}};\n"

local file = assert(io.open(out_path, "wb"))
file:write(table.concat(out))
file:close()
