local live = require "vbench.report.live"
local text = require "vbench.report.text"

local function recorder()
  local said = {}
  return said, {
    write = function(self, ...)
      for _, part in ipairs { ... } do said[#said + 1] = part end
      return self
    end,
    flush = function() end,
  }
end

local function second(fields)
  local all = { t_s = 3, seconds = 1, requests = 81234, errors = 0, p50_us = 310, p99_us = 800,
                progress = 0.3 }
  for key, value in pairs(fields or {}) do all[key] = value end
  return all
end

describe("the live line", function()
  it("holds progress, rate, latency, errors and the time left", function()
    assert.equal("read   30 %  81,234 req/s  p50 0.310 ms  p99 0.800 ms  7.0 s left",
      live.render("read", second()))
    assert.truthy(live.render("read", second { errors = 2 }):find("  2 errors  ", 1, true))
  end)

  it("takes 64-bit counts of C and rates of longer seconds", function()
    local line = live.render("read", second { requests = 3000ULL, errors = 1ULL, seconds = 2 })
    assert.truthy(line:find("1,500.0 req/s", 1, true))
    assert.truthy(line:find("1 error  ", 1, true))
  end)

  it("says nothing that it does not know", function()
    assert.equal("read  0.00 req/s", live.render("read", second { requests = 0, progress = -1 }))
  end)

  it("is drawn over itself on a terminal, within its columns, and cleared", function()
    local said, file = recorder()
    local line = live.new { file = file, style = text.style { columns = 40, no_color = true } }
    line:update("read", second())
    line:update("read", second { t_s = 4 })
    line:clear()
    local all = table.concat(said)
    assert.is_nil(all:find("\n", 1, true))
    for shown in all:gmatch("\r([^\r]*)") do
      assert.is_true(#shown:gsub("\27%[K", "") < 40)
    end
    assert.truthy(all:find("\r\27%[K\r$"))
  end)

  it("is silent in a pipe", function()
    local said, file = recorder()
    local line = live.new { file = file, style = text.style { columns = 0 } }
    for t = 1, 30 do line:update("read", second { t_s = t }) end
    line:clear()
    assert.same({}, said)
  end)

  it("is a plain line in ten seconds in a pipe with -v", function()
    local said, file = recorder()
    local line = live.new { file = file, verbose = true, style = text.style { columns = 0 } }
    for t = 1, 30 do line:update("read", second { t_s = t + 0.01 }) end
    local all = table.concat(said)
    assert.equal(3, select(2, all:gsub("\n", "\n")))
    assert.is_nil(all:find("[\r\27]"))
  end)

  it("is a plain line each second when that was asked for", function()
    for _, columns in ipairs { 0, 80 } do
      local said, file = recorder()
      local line = live.new { file = file, per_second = true,
                              style = text.style { columns = columns } }
      for t = 1, 3 do line:update("read", second { t_s = t }) end
      line:clear()
      assert.equal("   1.0 s  read   30 %", table.concat(said):match("^(.-)  81,234 req/s"))
      assert.equal(3, select(2, table.concat(said):gsub("\n", "\n")))
    end
  end)

  it("is a plain line each second beside -q, too", function()
    local said, file = recorder()
    local line = live.new { file = file, quiet = true, per_second = true,
                            style = text.style { columns = 0 } }
    line:update("read", second { t_s = 1 })
    assert.equal(1, select(2, table.concat(said):gsub("\n", "\n")))
  end)

  it("is silent with -q", function()
    local said, file = recorder()
    local line = live.new { file = file, quiet = true, style = text.style { columns = 80 } }
    line:update("read", second())
    line:clear()
    assert.same({}, said)
  end)
end)
