local options = require "vbench.cli.options"

describe("the table of general options", function()
  it("has each name once, and a help text that fits", function()
    local seen = {}
    for _, group in ipairs(options.groups) do
      for _, row in ipairs(group.options) do
        local names = { row.short, row.long, unpack(row.also) }
        assert.is_true(row.short ~= nil or row.long ~= nil)
        for _, name in pairs(names) do
          assert.is_nil(seen[name], name)
          seen[name] = true
        end
        assert.is_true(#row.help > 3 and #row.help < 70, row.help)
        assert.is_true(row.type == "flag" or row.metavar ~= nil, row.name)
      end
    end
  end)

  it("tells which name in vb.args a long or second name has", function()
    assert.equal("data_size", options.names["data-size"])
    assert.equal("data_size", options.names.datasize)
    assert.equal("keyspace", options.names.keyspacelen)
    assert.is_nil(options.names.clinets)
    assert.is_nil(options.names.c)
  end)

  it("has no option of a neighbour tool, and nothing that does not exist here", function()
    for flag in pairs(options.neighbours) do
      assert.is_nil(options.by_long[flag:sub(3)], flag)
    end
    for _, name in ipairs { "cluster", "html", "optimize", "repeat" } do
      assert.is_nil(options.by_long[name])
    end
  end)

  it("says how an option is called", function()
    assert.equal("-c/--clients", options.flag(options.by_name.clients))
    assert.equal("--seed", options.flag(options.by_name.seed))
    assert.equal("-3", options.flag(options.by_name.resp3))
  end)
end)
