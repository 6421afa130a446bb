-- No Lua module, scenario or tool writes a global variable: read off its bytecode.
local source = require("source")

local found = {}
for _, path in ipairs(source.files("lua", "scripts", "cmake", "tests", "-name", "*.lua")) do
  local ok, message = loadfile(path)
  if not ok then
    found[#found + 1] = message
  else
    local pipe = assert(io.popen(("luajit -bl '%s' 2>&1"):format(path)))
    for line in pipe:lines() do
      local name = line:match('%f[%u]GSET%f[%U].-;%s*"([^"]*)"')
      if name then
        found[#found + 1] = ("%s: writes the global %q"):format(path, name)
      end
    end
    pipe:close()
  end
end
source.finish(found)
