-- docs/making-datasets.md: what it shows is done as it stands, but for the directory.
local process = require "tests.support.process"
local vbench = require "tests.support.vbench"

local PATH = "docs/making-datasets.md"

describe("the document of datasets that are made", function()
  local dir

  setup(function() dir = process.directory() end)
  teardown(function()
    process.remove(dir)
    vbench.clean()
  end)

  local text = assert(process.read(vbench.root .. "/" .. PATH))

  local function run(command)
    return process.capture(("cd '%s' && PATH=\"%s:$PATH\" && %s 2>&1"):format(vbench.root, dir,
      command))
  end

  it("shows commands that work, in their order", function()
    process.capture(("ln -s '%s' '%s/vbench'"):format(vbench.binary, dir))
    local count = 0
    for block in text:gmatch("\n```sh\n(.-)\n```") do
      run((block:gsub("/tmp/", dir .. "/"):gsub("\n(%S)", " && %1")))
      count = count + 1
    end
    assert.equal(3, count)
    assert.matches("neighbors_per_query: 50", process.read(dir .. "/shop-50.yaml"))
  end)

  it("records in plain LuaJIT", function()
    local lua = assert(text:match("\n```lua\n(.-)\n```")):gsub("/tmp/", dir .. "/")
    run(("luajit '%s'"):format(process.write(dir .. "/record.lua", lua)))
    assert.matches("{ name: visits, type: text, length: fixed, max_bytes: 64, optional: true }",
      process.read(dir .. "/sessions.yaml"), 1, true)
  end)

  it("names the datasets that ship", function()
    for name in process.capture("cd '" .. vbench.root .. "/datasets' && ls *.yaml"):gmatch(
      "([^\n]+)%.yaml") do
      assert.matches("`" .. name .. "`", text, 1, true)
    end
  end)
end)
