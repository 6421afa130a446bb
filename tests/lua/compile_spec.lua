local compile = require "vbench.compile"
local script = require "tests.lua.fixtures.script"
local show = require "tests.lua.fixtures.show"

describe("a compiled phase", function()
  local vb, keys

  before_each(function()
    vb = script.fresh { args = { clients = 50, pipeline = 1, keyspace = 1000 } }
    keys = vb.keyspace { prefix = "key:", size = 1000 }
  end)

  -- The words of the first command of operation n, and its marks.
  local function words(run, n)
    local requests, marks = show.phase(vb.phase { name = "p", run = run, requests = 1 }, { n or 0 })
    return requests[1][1], marks[1]
  end

  local function words_of(...)
    return words(vb.command { ... })
  end

  describe("writes arguments", function()
    it("that are literals, as they are", function()
      assert.same({ "SET", "a\0b", "5", "-1.5", "9007199254740991" },
        (words_of("SET", "a\0b", 5, -1.5, 2 ^ 53 - 1)))
      assert.same({ "ECHO", "" }, (words_of("ECHO", "")))
    end)

    it("that are keys, in order and wrapped", function()
      local set = vb.command { "SET", keys:range(10, 12):wrap(), keys:current():value(), vb.id() }
      assert.same({ "SET", "key:000000000010", "key:000000000010", "10" }, (words(set, 0)))
      assert.same({ "SET", "key:000000000011", "key:000000000011", "11" }, (words(set, 1)))
      assert.same("key:000000000010", (words(set, 2))[2])
    end)

    it("that are several keys", function()
      local get = vb.command { "MGET", keys:sequential():times(3) }
      local got, marks = words(get, 1)
      assert.same({ "MGET", "key:000000000003", "key:000000000004", "key:000000000005" }, got)
      assert.equal(".kkk\n", marks)
    end)

    it("that are bytes, numbers, times, words", function()
      local got = words_of("X", vb.bytes "1KB", vb.int { min = 5, max = 7 },
        vb.float { min = 1, max = 2, decimals = 3 }, vb.timestamp(), vb.timestamp { format =
          "date" },
        vb.text { words = 3 }, vb.vector { dim = 4 }, vb.choice { "a", "b" },
        vb.tags { all = 100, none = 0 }, vb.bytes { weights = { ["2B"] = 1 } })
      assert.equal(1000, #got[2])
      assert.matches("^[567]$", got[3])
      assert.matches("^1%.%d%d%d$", got[4])
      assert.is_true(math.abs(tonumber(got[5]) - os.time()) < 5)
      assert.equal(os.date("!%Y-%m-%d"), got[6])
      assert.matches("^%a+ %a+ %a+$", got[7])
      assert.equal(16, #got[8])
      assert.matches("^[ab]$", got[9])
      assert.equal("all", got[10])
      assert.equal(2, #got[11])
    end)

    it("of every distribution within its range", function()
      for _, dist in ipairs { "uniform", "zipfian", "normal", "sequential", "constant",
        "from_id" } do
        local get = vb.command { "X", keys:uniform(), vb.int { min = 3, max = 9, dist = dist },
          name = dist }
        local got = tonumber((words(get, 4))[3])
        assert.is_true(got >= 3 and got <= 9, dist)
      end
      local x = vb.command { "X", vb.int { min = 3, max = 9, dist = "exponential", lambda = 1 } }
      assert.is_true(tonumber((words(x))[2]) >= 3)
    end)

    it("that are composed", function()
      local got, marks = words_of("GET", vb.concat { "a:", keys:sequential(), ":", 5, ":",
        vb.id() })
      assert.same({ "GET", "a:key:000000000000:5:0" }, got)
      assert.equal(".k\n", marks)
    end)

    it("that are documents", function()
      local got = words_of("JSON.SET", keys:sequential(), "$", vb.json {
        { "na\"me", "say \"hi\"\n" }, { "id", vb.id() }, { "key", keys:current() },
        { "on", true }, { "list", { 1, "two", { { "x", 1.5 } } } }, { "none", {} },
        { "pick", vb.choice { "q\"t" } }, { "tags", vb.tags { ["b\\c"] = 100 } },
        { "v", vb.vector { dim = 2 } }, { "text", vb.text { words = 2 } },
        { "day", vb.timestamp { format = "date" } }, { "bytes", vb.bytes(3) },
      })
      local document = require("cjson").decode(got[4])
      assert.equal("say \"hi\"\n", document["na\"me"])
      assert.equal(0, document.id)
      assert.equal("key:000000000000", document.key)
      assert.is_true(document.on)
      assert.same({ 1, "two", { x = 1.5 } }, document.list)
      assert.same({}, document.none)
      assert.equal("q\"t", document.pick)
      assert.equal("b\\c", document.tags)
      assert.equal(2, #document.v)
      assert.matches("^%a+ %a+$", document.text)
      assert.equal(10, #document.day)
      assert.equal(3, #document.bytes)
    end)
  end)

  describe("knows which arguments are keys", function()
    it("from cursors, vb.key and the table of commands", function()
      local function marks_of(...)
        local _, marks = words_of(...)
        return marks
      end
      assert.equal(".k.\n", marks_of("SET", "a", "b"))
      assert.equal(".k..\n", marks_of("ZADD", "board", 1, keys:uniform():value()))
      assert.equal(".k.k.\n", marks_of("MSET", "a", 1, "b", 2))
      assert.equal("...kk.\n", marks_of("EVAL", "return 1", 2, "a", "b", "c"))
      assert.equal(".kk.\n", marks_of("BLPOP", "a", "b", 0))
      assert.equal("...k\n", marks_of("UNKNOWN", "a", "b", vb.key "c"))
      assert.equal("....kk..\n",
        marks_of("XREAD", "COUNT", 1, "STREAMS", "a", "b", ">", ">"))
      assert.equal("...kk.\n", marks_of("FCALL", "f", 2, "a", "b", "c"))
      assert.equal("..k\n", marks_of("OBJECT", "ENCODING", "a"))
      assert.equal("....\n", marks_of("CONFIG", "SET", "a", "b"))
    end)

    it("from what a server says", function()
      local commands = require "vbench.commands"
      commands.learn {
        { "mod.get", 2, { "readonly" }, 1, 1, 1 }, { "eval", -3, { "noscript" }, 0, 0, 0 },
      }
      assert.is_true(commands.find("MOD.GET").readonly)
      assert.same({ [2] = true }, commands.keys { "mod.get", "a" })
      assert.same({ [4] = true }, commands.keys { "EVAL", "x", "1", "a", "b" })
    end)
  end)

  describe("is a function of the seed", function()
    local function all(run, seed)
      require("vbench.session").run.seed = seed
      local requests = show.phase(vb.phase { name = "p", run = run, requests = 1 }, { 0, 1, 2, 3 })
      return requests
    end

    it("and of nothing else", function()
      local get = vb.command { "GET", keys:uniform(), vb.bytes(8) }
      assert.same(all(get, 1), all(get, 1))
      assert.not_same(all(get, 1), all(get, 2))
    end)

    it("and a part that is added does not shift the others", function()
      local get = vb.command { "GET", keys:uniform(), vb.bytes(8) }
      local before = all(get, 1)
      vb = script.fresh {}
      keys = vb.keyspace { prefix = "key:", size = 1000 }
      local more = vb.command {
        "GET", vb.int { min = 1, max = 9 }, keys:uniform(), vb.bytes(8), vb.bytes(8),
      }
      local after = all(more, 1)
      for i = 1, 4 do
        assert.equal(before[i][1][2], after[i][1][3])
        assert.equal(before[i][1][3], after[i][1][4])
        assert.not_equal(after[i][1][4], after[i][1][5])
      end
    end)

    it("and a cursor with a seed of its own draws other ids", function()
      local one = vb.command { "GET", keys:uniform(), keys:uniform():seed(1) }
      local got = all(one, 1)
      local equal = 0
      for i = 1, 4 do equal = equal + (got[i][1][2] == got[i][1][3] and 1 or 0) end
      assert.is_true(equal < 4)
    end)

    it("and the hot ids of one command are those of another", function()
      local function hottest(run)
        local ns, seen, best = {}, {}, nil
        for n = 1, 300 do ns[n] = n end
        local requests = show.phase(vb.phase { name = "p", run = run, requests = 1 }, ns)
        for i = 1, 300 do
          local key = requests[i][1][2]
          seen[key] = (seen[key] or 0) + 1
          if not best or seen[key] > seen[best] then best = key end
        end
        return best
      end
      local get = vb.command { "GET", keys:zipfian(1.5) }
      local set = vb.command { "SET", keys:zipfian(1.5), "x" }
      assert.equal(hottest(get), hottest(set))
      assert.not_equal(hottest(get), hottest(vb.command { "TTL", keys:zipfian(1.5):seed(9) }))
    end)
  end)

  describe("takes params as they are now", function()
    it("in numbers, sizes and texts", function()
      local param = require "vbench.param"
      local n, size, word = vb.param("n", 2), vb.param("size", "10B"), vb.param("word", "a")
      local run = vb.command { "X", word, keys:sequential():times(n), vb.bytes(size) }
      assert.same({ 2, 10, "a" }, { #(words(run)) - 3, #(words(run))[5], (words(run))[2] })
      param.set { n = 1, size = "20B", word = "b" }
      assert.same({ 1, 20, "b" }, { #(words(run)) - 3, #(words(run))[4], (words(run))[2] })
    end)

    it("in fields of the phase, and says which when they cannot be", function()
      local param, phases = require "vbench.param", require "vbench.phase"
      local clients, end_ = vb.param("clients", 3), vb.param("end", "1k")
      local phase = vb.phase { run = vb.command { "PING" }, clients = clients, requests = end_ }
      assert.equal(3, phases.value(phase, "clients"))
      assert.equal(1000, phases.value(phase, "requests"))
      assert.is_nil(phases.value(phase, "threads"))
      param.set { ["end"] = "later" }
      assert.error_matches(function() phases.value(phase, "requests") end,
        "phase 'ping', field 'requests' %(param 'end'%): 'later' is not a count")
    end)
  end)

  describe("holds what the engine needs", function()
    it("as its name and seed", function()
      local phase = vb.phase { name = "p", run = vb.command { "PING" } }
      local spec = compile.phase(phase, { seed = 9 }).spec
      assert.equal("p", require("ffi").string(spec.name))
      assert.equal(9, tonumber(spec.seed))
    end)

    it("ends by a cursor only when one ends", function()
      local set = vb.command { "SET", keys:sequential(), "x" }
      local ping = vb.command { "PING" }
      assert.equal("set", compile.phase(vb.phase { run = set, until_exhausted = true }).names[1])
      assert.error_matches(function()
        compile.phase(vb.phase { run = ping, until_exhausted = true })
      end,
        "phase 'ping' runs until_exhausted, but no cursor of its commands ends")
    end)

    it("with a row for each command and transaction", function()
      local get, set = vb.command { "GET", "a" }, vb.command { "SET", "a", "b" }
      local mix = vb.mix { { 1, get }, { 1, vb.transaction { get, set, name = "both" } } }
      assert.same({ "get", "set", "both" }, compile.phase(vb.phase { run = mix }).names)
    end)

    it("and says what C finds wrong with a command", function()
      local bad = vb.command { "GET", keys:current() }
      assert.error_matches(function() compile.phase(vb.phase { run = bad }) end, "get")
    end)
  end)

  describe("runs combinations", function()
    it("by weight", function()
      local get, set = vb.command { "GET", "a" }, vb.command { "SET", "a", "b" }
      local ns, count = {}, 0
      for n = 1, 400 do ns[n] = n end
      local mix = vb.mix { { 3, get }, { 1, set } }
      for _, request in ipairs((show.phase(vb.phase { run = mix }, ns))) do
        if request[1][1] == "GET" then count = count + 1 end
      end
      assert.is_true(count > 260 and count < 340)
    end)

    it("with steps, ids and transactions", function()
      local get = vb.command { "GET", keys:sequential() }
      local set = vb.command { "SET", keys:current(), "b" }
      local requests = show.phase(vb.phase { run = vb.sequence { get, set:when("miss") } }, { 5 })
      assert.same({ { "GET", "key:000000000005" }, { "SET", "key:000000000005", "b" } },
        requests[1])
      requests = show.phase(vb.phase { run = vb.transaction { get, set } }, { 5 })
      assert.same({ "MULTI" }, requests[1][1])
      assert.same({ "EXEC" }, requests[1][4])
    end)
  end)
end)
