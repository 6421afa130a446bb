-- The datasets of datasets/: whole, small, and what datasets/make.sh makes.
local process = require "tests.support.process"
local vbench = require "tests.support.vbench"

local DIRECTORY = vbench.root .. "/datasets/"
local NAMES = { "articles", "baskets", "leaderboards", "points-cosine", "points-l2", "products",
  "strings", "timelines" }

describe("the datasets that ship", function()
  teardown(vbench.clean)

  it("are these", function()
    local found = process.capture(("cd '%s' && ls *.yaml | sed 's/\\.yaml$//'"):format(DIRECTORY))
    assert.equal(table.concat(NAMES, "\n"), found)
  end)

  for _, name in ipairs(NAMES) do
    it(name .. " is good and small", function()
      local run = vbench.run { "dataset", "verify", DIRECTORY .. name }
      assert.equal(0, run.code, run.all)
      assert.is_true(#process.read(DIRECTORY .. name .. ".bin") < 500 * 1024)
    end)
  end

  it("are found by name from any directory", function()
    for _, base in ipairs { "products", "datasets/products", "products.yaml" } do
      local run = vbench.run { "dataset", "verify", base, cwd = "/" }
      assert.equal(0, run.code, run.all)
    end
    local run = vbench.run { "dataset", "verify", "elsewhere/products", cwd = "/" }
    assert.equal(1, run.code, run.all)
    assert.matches("elsewhere/products.yaml: No such file or directory", run.err, 1, true)
  end)

  it("are what make.sh makes", function()
    local made = process.directory()
    process.capture(("VBENCH='%s' '%smake.sh' '%s'"):format(vbench.binary, DIRECTORY, made))
    for _, name in ipairs(NAMES) do
      for _, extension in ipairs { ".yaml", ".bin" } do
        assert.is_true(process.read(DIRECTORY .. name .. extension)
          == process.read(made .. "/" .. name .. extension), name .. extension .. " differs")
      end
    end
    process.remove(made)
  end)
end)
