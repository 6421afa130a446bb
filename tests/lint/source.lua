-- Reading the source tree for the checks of tests/lint/.
-- Each check is a program: prints what departs, one line each, and exits 1 when there is any.
local M = {}

--- Files below the project's root, sorted.
-- @param ... find(1) start points and tests, e.g. "src", "-name", "*.c"
-- @treturn {string} paths relative to the root
function M.files(...)
  local words = { ... }
  for i, word in ipairs(words) do words[i] = "'" .. word .. "'" end
  local command = "find " .. table.concat(words, " ") .. " -type f 2>/dev/null | LC_ALL=C sort"
  local pipe = assert(io.popen(command))
  local paths = {}
  for path in pipe:lines() do paths[#paths + 1] = path end
  pipe:close()
  return paths
end

--- The lines of a file.
-- @tparam string path
-- @treturn {string} its lines, without their ends
function M.lines(path)
  local lines = {}
  for line in io.lines(path) do lines[#lines + 1] = line end
  return lines
end

--- Every source file that the house style is about.
-- @treturn {string} paths
function M.sources()
  return M.files("src", "lua", "scripts", "tests", "cmake", "(", "-name", "*.c", "-o",
    "-name", "*.h", "-o", "-name", "*.lua", "-o", "-name", "*.sh", ")")
end

--- Ends a check.
-- @tparam {string} departures what was found
function M.finish(departures)
  for _, text in ipairs(departures) do print(text) end
  os.exit(#departures == 0 and 0 or 1)
end

return M
