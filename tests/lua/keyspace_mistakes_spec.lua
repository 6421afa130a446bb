-- Mistakes in keyspaces, cursors and reference sets, as a person is told of them.
local session = require "vbench.session"
local vb = require "vbench"

describe("a mistake in a keyspace", function()
  before_each(function() session.enter() end)

  local function expect(cases)
    for message, call in pairs(cases) do
      assert.error_matches(call, "^" .. message)
    end
  end

  it("of its declaration names the field, and what is right", function()
    local function declare(spec) return function() vb.keyspace(spec) end end
    expect {
      ["the size of keyspace 'k' is 0; it takes a whole number from 1 to 9007199254740992$"] =
        declare { prefix = "k", size = 0 },
      ["field 'size' of vb.keyspace: '1q' is not a count; write a whole number such as 1000"] =
        declare { prefix = "k", size = "1q" },
      ["the max_size of keyspace 'k' is 2000000000000; it takes a whole number from 1 to 1099511"] =
        declare { prefix = "k", max_size = "2000g" },
      ["vb.keyspace takes either prefix or pattern$"] = declare { size = 10 },
      ["keyspace 'k' takes either prefix or pattern$"] =
        declare { name = "k", prefix = "k", pattern = "k%d", size = 10 },
      ["unknown field 'sizes' in vb.keyspace; did you mean 'size'%?"] =
        declare { prefix = "k", sizes = 10 },
      ["keyspace 'k': 1000000000 ids with 1000000000 sub%-ids each are too many"] =
        declare { prefix = "k", size = "1g", max_sub_id = "1g" },
      ["max_sub_id of keyspace 'k' is 0; it takes a whole number from 1"] =
        declare { prefix = "k", size = 1, max_sub_id = 0 },
      ["slots of keyspace 'k' is { first, last }, last not part of it"] =
        declare { prefix = "k", size = 1, slots = { 5, 5 } },
      ["the end of the slots of keyspace 'k' is 16385; it takes a whole number from 0 to 16384"] =
        declare { prefix = "k", size = 1, slots = { 0, 16385 } },
    }
  end)

  it("is a hash tag before the one that tag = true writes: it would be without effect", function()
    expect { ["keyspace 'k{a}:': the hash tag of a key begins at its first {, which is in the"] =
      function() vb.keyspace { prefix = "k{a}:", size = 10, tag = true } end }
    assert.is_table(vb.keyspace { prefix = "k{a}:", size = 10 })
  end)

  it("is a number that is none", function()
    local keys = vb.keyspace { prefix = "k", size = 10 }
    expect {
      ["the skew of zipfian is inf; it takes a number above 0$"] =
        function() keys:zipfian(math.huge) end,
      ["the skew of zipfian is nan; it takes a number above 0$"] =
        function() keys:zipfian(0 / 0) end,
      ["the skew of zipfian is %-1; it takes a number above 0$"] = function() keys:zipfian(-1) end,
      ["the ratio of existing_ratio is 1.1; it takes a number from 0 to 1$"] =
        function() keys:existing_ratio(1.1) end,
      ["the ratio of existing_ratio is %-0.1; it takes a number from 0 to 1$"] =
        function() keys:existing_ratio(-0.1) end,
      ["the ratio of existing_ratio is nil; it takes a number from 0 to 1$"] =
        function() keys:existing_ratio() end,
      ["the limit of a cursor: '1x' is not a count; write a whole number such as 1000, 10k"] =
        function() keys:limit("1x") end,
      ["the limit of a cursor is 0; it takes a whole number from 1"] =
        function() keys:limit(0) end,
      ["the duration of a cursor: '1w' is not a duration"] =
        function() keys:duration("1w") end,
      ["the share of a cursor is 0; it takes a whole number from 1 to 2147483648$"] =
        function() keys:partition(0, 2) end,
      ["a cursor's share is number 3 of 2: shares are 1 to 2"] =
        function() keys:partition(3, 2) end,
      ["the sample of a cursor is 0; it takes a number above 0 to 1"] =
        function() keys:sample(0) end,
      ["the deviation of normal is 0; it takes a number above 0 to 1"] =
        function() keys:normal(0.5, 0) end,
      ["the lambda of exponential is 0; it takes a number above 0$"] =
        function() keys:exponential(0) end,
      ["the probability of latest is %-1; it takes a number from 0 to 1"] =
        function() keys:latest(0.1, -1) end,
      ["the share of ids of hotspot is 0; it takes a number above 0 to 1"] =
        function() keys:hotspot(0) end,
    }
  end)

  it("is a set of ids that cannot be", function()
    expect {
      ["id 2 of vb.reference_set is %-2; it takes a whole number from 0 to 1099511627775$"] =
        function() vb.reference_set { name = "s", ids = { 1, -2 } } end,
      ["the end of the range of vb.reference_set is 5; it takes a whole number from 6"] =
        function() vb.reference_set { name = "s", range = { 5, 5 } } end,
      ["vb.reference_set takes either ids or range"] =
        function() vb.reference_set { name = "s" } end,
    }
  end)
end)
