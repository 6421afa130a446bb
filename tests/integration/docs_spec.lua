-- The documents: each snippet of Lua is loaded by the program as it stands, each file that is named
-- is there, and LDoc can read every comment.
local process = require "tests.support.process"
local vbench = require "tests.support.vbench"

local documents = { "README.md", "docs/guide.md" }

-- What snippets take from those before them, when they do not declare it themselves.
local given = {
  { name = "vb", text = 'local vb = require "vbench"' },
  { name = "keys", text = 'local keys = vb.keyspace { prefix = "given:", size = 1000 }' },
}

local function read(path)
  return assert(process.read(vbench.root .. "/" .. path), path)
end

local function each_snippet(path)
  local line, at, open = 0, nil, nil
  local lines = {}
  return coroutine.wrap(function()
    for text in (read(path) .. "\n"):gmatch("(.-)\n") do
      line = line + 1
      if open and text:find("^```") then
        if open == "lua" then coroutine.yield(at, table.concat(lines, "\n") .. "\n") end
        open = nil
      elseif open then
        lines[#lines + 1] = text
      elseif text:find("^```") then
        open, at, lines = text:match("^```(%w*)"), line, {}
      end
    end
  end)
end

-- A whole scenario of a snippet: what it takes for granted before it, a phase behind it.
local function completed(snippet)
  local before, behind = {}, ""
  for _, one in ipairs(given) do
    local used = snippet:find("%f[%w_]" .. one.name .. "%f[^%w_]")
    if used and not snippet:find("local " .. one.name .. "%s*=") then
      before[#before + 1] = one.text
    end
  end
  if not snippet:find("\nreturn ") then
    behind = 'return vb.scenario { phases = { vb.phase { name = "it",\n' ..
      'run = vb.command { "PING", name = "a command of the spec" } } } }\n'
  elseif not snippet:find("\nreturn vb.scenario") then -- a library
    snippet = snippet:gsub("\nreturn (%w+)%s*$", "\nassert(type(%1) == 'table')\n")
    behind = 'return vb.scenario { phases = { vb.phase { name = "it",\n' ..
      'run = vb.command { "PING", name = "a command of the spec" } } } }\n'
  end
  return table.concat(before, " ") .. " " .. snippet .. behind
end

describe("the documents", function()
  teardown(vbench.clean)

  for _, path in ipairs(documents) do
    for line, snippet in each_snippet(path) do
      it(("load: %s:%d"):format(path, line), function()
        local file = process.write(vbench.path("snippet.lua"), completed(snippet))
        local run = vbench.run { "check", file, cwd = vbench.root }
        assert.equal(0, run.code, snippet .. run.all)
      end)
    end

    it("name files that are there: " .. path, function()
      local folder, count = path:match("^(.*/)[^/]*$") or "", 0
      for target in read(path):gmatch("%]%(([^)#:]+)[^):]*%)") do
        count = count + 1
        local file = io.open(vbench.root .. "/" .. folder .. target)
        assert.is_truthy(file, target)
        file:close()
      end
      assert.is_true(count > 0)
    end)
  end

  it("tell every key of the JSON report", function()
    local run = vbench.report { "quickstart", "--local", "-r", 100, "--seconds=1", baseline = true }
    assert.equal(0, run.code, run.all)
    local guide = read("docs/guide.md"):match("\n## The JSON report.-\n## ")
    local function told(value, where)
      for key, inner in pairs(value) do
        if where == "report.options" or where == "report.server.config" then return end
        if type(key) == "string" then
          assert.is_truthy(guide:find("`" .. key .. "`", 1, true),
            ("%s.%s is not in the guide"):format(where, key))
        end
        if type(inner) == "table" then
          told(inner, type(key) == "string" and where .. "." .. key or where)
        end
      end
    end
    told(run.json, "report")
  end)

  it("of modules can be read by LDoc", function()
    -- A first line that ends in --option is a ruler to LDoc, which drops the comment.
    local files = process.capture("find " .. vbench.root .. "/lua -name '*.lua'")
    for path in files:gmatch("%S+") do
      local number = 0
      for line in assert(process.read(path)):gmatch("(.-)\n") do
        number = number + 1
        assert.is_falsy(line:find("^%-%-%-[^-].*[^-]%-%-+[^-]*$"), path .. ":" .. number)
      end
    end
  end)

  it("become a reference without a warning", function()
    if process.capture("command -v ldoc || true") == "" then pending("ldoc is not installed") end
    local place = process.directory()
    local out = process.capture(("cd %s && ldoc --fatalwarnings --dir %s . 2>&1; echo code $?")
      :format(vbench.root, place))
    local index = process.read(place .. "/index.html")
    process.remove(place)
    assert.matches("code 0", out, 1, true)
    assert.matches("vbench.keyspace", index, 1, true)
  end)
end)
