-- One seed, the same ids: whatever the order, as a multiset with any number of threads, in the same
-- sequence with one connection, and as a set where they are claimed.
local servers = require "tests.support.server"
local vbench = require "tests.support.vbench"

describe("the ids of one seed", function()
  local server, script
  local REQUESTS = 6000

  -- Cursors that do not look at the tracker.
  local ORDERS = {
    "sequential():wrap()", "shuffled():wrap()", "uniform()", "random()", "zipfian(0.99)",
    "zipfian(0.99, { scatter = false })", "exponential(0.1)", "normal(0.5, 0.2)",
    "hotspot(0.2, 0.8)", "latest(0.1, 0.9)", "range(100, 400):shuffled():wrap()",
    "range(100, 400):uniform()", "sample(0.3):wrap()", "only(some):uniform()",
    "except(some):sequential():wrap()", "partition(1, 3):uniform()", "uniform():seed(5)",
    "uniform():limit(7000)", "shuffled():limit(7000):wrap()",
  }

  -- Claims, and ids of a tracker in order; each third id is there before.
  local LIVE = {
    "claim()", "range(37, 900):claim()", "shuffled():claim()", "only(some):claim()",
    "except(some):claim()", "existing():sequential()", "range(5, 990):missing():sequential()",
  }

  local COMMON = [[
    local some = vb.reference_set { name = "some", range = { 50, 350 } }
    local all, mix = {}, {}
    local function keys(name)
      all[#all + 1] = vb.keyspace { prefix = name .. ":", width = 0, size = 1000 }
      return all[#all]
    end
  ]]

  -- A mix of all orders of a list.
  local function mix_of(list, more)
    local lines = { COMMON }
    for i, order in ipairs(list) do
      lines[i + 1] = ('mix[%d] = { 1, vb.command { "SETRANGE", keys("%d"):%s, 0, "x", '
        .. 'name = "set%d"%s } }'):format(i, i, order, i, more or "")
    end
    return table.concat(lines, "\n")
  end

  setup(function()
    server = servers.start()
    script = vbench.one_phase(mix_of(ORDERS), "run = vb.mix(mix), requests = " .. REQUESTS)
  end)
  teardown(function()
    server:stop()
    vbench.clean()
  end)

  -- Keys of all commands of a run, as they came; and of each command, sorted.
  local function run_script(path, ...)
    server:clean()
    local monitor = server:monitor()
    local done = vbench.run { path, "-p", server.port, "--seed", 7, "--no-baseline", "-q", ... }
    assert.equal(0, done.code, done.all)
    local list, by_command = {}, {}
    for i, args in ipairs(monitor:finish("setrange")) do
      local number = tonumber(args[2]:match("^%d+"))
      list[i] = args[2]
      by_command[number] = by_command[number] or {}
      table.insert(by_command[number], args[2])
    end
    for number, keys in pairs(by_command) do
      table.sort(keys)
      by_command[number] = table.concat(keys, " ")
    end
    return list, by_command
  end

  local function run(...)
    local list, by_command = run_script(script, ...)
    assert.equal(REQUESTS, #list)
    return list, by_command
  end

  it("are the same multiset with 1, 2 and 8 threads, of every order", function()
    local _, one = run("--threads", 1, "-c", 1)
    for _, threads in ipairs { 2, 8 } do
      local _, several = run("--threads", threads, "-c", 16, "-P", 5)
      for i, order in ipairs(ORDERS) do assert.equal(one[i], several[i], order) end
    end
  end)

  it("come in the same sequence with one worker and one connection", function()
    local first, second = run("--threads", 1, "-c", 1), run("--threads", 1, "-c", 1, "-P", 16)
    assert.same(first, second)
  end)

  it("are the same set with 1, 2 and 8 threads where the tracker is looked at", function()
    local function live(list, requests)
      return vbench.scenario(mix_of(list, ', tracks = "add"') .. ([[
        return vb.scenario {
          setup = function()
            for _, keys in ipairs(all) do
              for id = 0, 999, 3 do keys:add(id) end
            end
          end,
          phases = { vb.phase { name = "one", run = vb.mix(mix), requests = %d } },
        } ]]):format(requests))
    end
    local scripts = { live(LIVE, 900), live({ LIVE[1] }, 150), live({ LIVE[2] }, 150) }
    for _, path in ipairs(scripts) do
      local list, one = run_script(path, "--threads", 1, "-c", 1)
      assert.equal(path == scripts[1] and 900 or 150, #list)
      for _, threads in ipairs { 2, 8 } do
        local _, several = run_script(path, "--threads", threads, "-c", 16, "-P", 5)
        for i, keys in ipairs(one) do assert.equal(keys, several[i], LIVE[i]) end
      end
    end
  end)
end)
