-- Writes what is made from the table of options: the man page and the shells' completions.
-- usage: luajit man.lua ROOT VERSION OUT_DIRECTORY
local root, version, out = arg[1], arg[2], arg[3]
package.path = ("%s/lua/?.lua;%s/lua/?/init.lua;%s"):format(root, root, package.path)
local help = require "vbench.cli.help"

local function write(name, text)
  local file = assert(io.open(out .. "/" .. name, "wb"))
  assert(file:write(text))
  file:close()
end

write("vbench.1", help.man(version))
write("vbench.bash", help.completion("bash"))
write("_vbench", help.completion("zsh"))
write("vbench.fish", help.completion("fish"))
