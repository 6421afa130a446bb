-- A file includes only its own folder or one above it in the list of layers, and a foreign library
-- is included by the one folder that is about it.
local source = require("source")

local LAYERS = {
  "base", "net", "resp", "stats", "dataset", "keyspace", "cluster", "command", "engine", "script",
}
local HOME = {
  ["lua%.h"] = "script", ["lauxlib%.h"] = "script", ["lualib%.h"] = "script",
  ["luajit%.h"] = "script", ["^openssl/"] = "net", ["hiredis"] = "resp", ["^yaml%.h"] = "dataset",
  ["^hdf5"] = "dataset",
}
local rank = {}
for i, name in ipairs(LAYERS) do rank[name] = i end

local found = {}
for _, path in ipairs(source.files("src", "-name", "*.[ch]")) do
  local layer = path:match("^src/([^/]+)/")
  if layer and not rank[layer] then found[#found + 1] = path .. ": no such layer" end
  for n, line in ipairs(source.lines(path)) do
    local included = line:match('^%s*#%s*include%s+["<]([^">]+)[">]')
    if included then
      local other = rank[included:match("^([^/]+)/") or ""]
      if layer and other and other > (rank[layer] or 0) then
        found[#found + 1] = ("%s:%d: %s/ includes %s, which stands on it")
          :format(path, n, layer, included)
      end
      for pattern, home in pairs(HOME) do
        if included:find(pattern) and layer ~= home and path ~= "src/main.c" then
          found[#found + 1] = ("%s:%d: %s belongs to src/%s/ alone"):format(path, n, included, home)
        end
      end
    end
  end
end
source.finish(found)
