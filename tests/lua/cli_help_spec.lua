local help = require "vbench.cli.help"
local options = require "vbench.cli.options"

describe("the help", function()
  it("has every option with its names, value and default, in 100 columns", function()
    local text = help.general()
    for _, group in ipairs(options.groups) do
      for _, row in ipairs(group.options) do
        for _, name in ipairs { row.long or row.short, unpack(row.also) } do
          assert.matches("%-" .. name:gsub("%-", "%%-") .. "%f[^%w-]", text)
        end
        local default = row.default and row.default:gsub("%p", "%%%0")
        if default then assert.matches("%(default:%s+" .. default, text) end
        assert.is_true(row.type == "flag" or text:find(row.metavar, 1, true) ~= nil, row.name)
      end
    end
    for line in text:gmatch("[^\n]+") do assert.is_true(#line <= 100, line) end
  end)

  it("of a scenario has its description and options, with types, defaults and choices", function()
    local text = help.scenario("x.lua", { description = "Does a thing" }, {
      { name = "size", type = "bytes", default = "100B", help = "size of a value" },
      { name = "kind", type = "choice", choices = { "red", "green" }, default = "red" },
      { name = "loud", type = "boolean", help = "say more" },
    })
    assert.matches("Does a thing", text, 1, true)
    assert.matches("\n  %-%-size=BYTES +size of a value %(bytes, default 100B%)", text)
    assert.matches("\n  %-%-kind=CHOICE +one of red,green %(choice, default red%)", text)
    assert.matches("\n  %-%-loud +say more %(boolean%)", text)
  end)

  it("becomes completions for three shells", function()
    for _, shell in ipairs { "bash", "zsh", "fish" } do
      assert.matches("pipeline", help.completion(shell))
      assert.matches("redis8", help.completion(shell))
      assert.matches("ground%-truth", help.completion(shell))
    end
    assert.is_nil(help.completion("tcsh"))
  end)

  it("becomes a man page", function()
    local text = help.man("1.2.3")
    assert.matches('^%.TH VBENCH 1 "" "vbench 1.2.3"\n', text)
    assert.matches("\\fB\\-c\\fR, \\fB\\-\\-clients\\fR \\fIN\\fR\nconnections in all", text, 1,
      true)
    for line in text:gmatch("[^\n]+") do
      local request = line:match("^%.(.*)")
      if request then assert.truthy(request:find("^%u%u") or request:find("^[nf][fi]$"), line) end
    end
  end)
end)
