-- Open loops and ramps as phases declare them, and what the engine is given of them.
local fake = require "tests.lua.fixtures.engine"
local script = require "tests.lua.fixtures.script"
local native = require "vbench.ffi"
local C = native.C

describe("an open loop", function()
  local vb, plan, phases, get

  before_each(function()
    vb = script.fresh()
    plan, phases = require "vbench.plan", require "vbench.phase"
    get = vb.command { "GET", "x" }
  end)

  local function spec_of(fields, options, given, threads)
    fields.run = get
    local phase = vb.phase(fields)
    local settings = plan.settings(phase, options or {}, given or {})
    local spec = native.ffi.new("vb_phase_spec")
    plan.fill(spec, settings, 7, threads)
    return spec, settings
  end

  it("takes its rate from the phase, else from the command line", function()
    assert.equal(500, spec_of({ rate = 500 }, { rate = 9 }).rate)
    assert.equal(50000, spec_of({ rate = "50k" }).rate)
    assert.equal(0.5, spec_of({ rate = "0.5/s" }).rate)
    assert.equal(9, spec_of({}, { rate = 9 }).rate)
    assert.equal(0, spec_of({}, { rate = 0 }).rate)
  end)

  it("arrives at equal intervals, or at random", function()
    assert.equal(0, spec_of({ rate = 1 }).poisson)
    assert.equal(1, spec_of({ rate = 1, arrivals = "poisson" }).poisson)
    assert.equal(1, spec_of({ rate = 1 }, { arrivals = "poisson" }).poisson)
    assert.has_error(function() vb.phase { run = get, rate = 1, arrivals = "poison" } end)
  end)

  it("bounds its backlog for each thread, its burst for all of them", function()
    assert.equal(1000000, tonumber(spec_of({ rate = 1 }).backlog))
    assert.equal(20, tonumber(spec_of({ rate = 1 }, { backlog = 20 }).backlog))
    assert.equal(34, tonumber(spec_of({ rate = 1, burst = 100 }, {}, {}, 3).backlog))
    assert.equal(20, tonumber(spec_of({ rate = 1, burst = 100 }, { backlog = 20 }, {}, 3).backlog))
  end)

  it("refuses a rate of 0 or below, and what only an open loop has", function()
    assert.has_error(function() vb.phase { name = "p", run = get, rate = 0 } end)
    assert.has_error(function() vb.phase { name = "p", run = get, rate = -5 } end)
    local ok, message = pcall(spec_of, { name = "p", burst = 5 })
    assert.is_false(ok)
    assert.matches("phase 'p' has the field 'burst' and no rate", message.message)
  end)

  it("refuses its options where no phase has a rate", function()
    local closed, open = vb.phase { run = get, requests = 1 }, vb.phase { run = get, rate = 5 }
    local function refused(given, ...)
      return not pcall(plan.check_read, { ... }, given)
    end
    assert.is_true(refused({ burst = true }, closed))
    assert.is_true(refused({ arrivals = true }, closed))
    assert.is_true(refused({ backlog = true }, closed))
    assert.is_false(refused({ backlog = true }, closed, open))
    assert.is_false(refused({ backlog = true, rate = true }, closed))
    assert.is_true(refused({ rate = true }, open))
  end)

  it("leaves phases in the background as they are", function()
    local settings = plan.settings(vb.phase { run = get }, { rate = 9 }, {}, true)
    assert.is_false(settings.open_loop)
  end)

  describe("with a ramp", function()
    it("gives the engine its stages, and ends with them", function()
      local spec, settings = spec_of { rate = 10, ramp = { { duration = "2s", rate = 100 },
        { duration = "1s", rate = "1k", step = true } } }
      assert.equal(C.VB_RAMP_RATE, spec.ramp)
      assert.equal(2, spec.stage_count)
      assert.equal(2e9, tonumber(spec.stages[0].duration_ns))
      assert.equal(100, spec.stages[0].target)
      assert.equal(0, spec.stages[0].step)
      assert.equal(1000, spec.stages[1].target)
      assert.equal(1, spec.stages[1].step)
      assert.equal(3, settings.duration_s)
      assert.equal(10, spec.rate)
    end)

    it("ends earlier when the phase says so", function()
      local _, settings = spec_of { requests = 5, ramp = { { duration = "2s", rate = 100 } } }
      assert.equal(5, settings.requests)
      assert.equal(0, settings.duration_s)
    end)

    it("of clients opens as many as it comes to", function()
      local spec = spec_of({ clients = 5, ramp = { { duration = 1, clients = 80 },
        { duration = 1, clients = 8 } } }, { clients = 50 })
      assert.equal(C.VB_RAMP_CLIENTS, spec.ramp)
      assert.equal(80, spec.clients)
      assert.equal(5, spec.first_clients)
      assert.equal(1, spec_of({ ramp = { { duration = 1, clients = 80 } } }).first_clients)
    end)

    it("takes the value that a param has when the phase starts", function()
      local top = vb.param("top", 300)
      local phase = vb.phase { run = get, ramp = { { duration = "1s", rate = top } } }
      require "vbench.param".set { top = 700 }
      assert.equal(700, plan.settings(phase, {}, {}).ramp.most)
    end)

    it("stays as it was read in a copy of the phase", function()
      local phase = vb.phase { run = get, ramp = { { duration = "1s", rate = 5 } } }
      assert.equal(5, phases.value(phase:with { pipeline = 2 }, "ramp")[1].rate)
    end)

    local wrong = {
      ["has no duration"] = { { rate = 5 } },
      ["has no target"] = { { duration = 1 } },
      ["has both rate and clients"] = { { duration = 1, rate = 5, clients = 5 } },
      ["is empty"] = {},
      ["goes to 0 clients"] = { { duration = 1, clients = 0 } },
      ["unknown field 'rats'"] = { { duration = 1, rats = 5 } },
      ["one of them"] = { { duration = 1, rate = 5 }, { duration = 1, clients = 5 } },
    }
    for said, list in pairs(wrong) do
      it(("is refused: %s"):format(said), function()
        local ok, message = pcall(vb.phase, { name = "p", run = get, ramp = list })
        assert.is_false(ok)
        assert.matches(said, message)
      end)
    end

    it("of clients is refused beside a rate", function()
      local ok, message = pcall(vb.phase, { name = "p", run = get, rate = 5,
        ramp = { { duration = 1, clients = 5 } } })
      assert.is_false(ok)
      assert.matches("ramp of clients and a rate", message)
    end)
  end)

  describe("in a report", function()
    local result, thresholds, metrics, phase

    before_each(function()
      result, thresholds = require "vbench.result", require "vbench.thresholds"
      metrics = require "vbench.report.metrics"
      -- 10 fell due: 8 were answered, 1 timed out, 1 was left; the ages of the two are longest.
      local row = fake.row { counters = { operations = 9, requests = 8, unanswered = 2 },
        us = { 1, 1, 1, 1, 1, 1, 1, 1 },
        response_us = { 10, 20, 30, 40, 50, 60, 70, 80, 900, 1000 } }
      local engine = fake.new { p = { row = row, seconds = {}, events = { "start", "done" },
        asked = 10, waiting = 1, lateness = row.row.latency } }
      engine:start(1, { native.ffi.new("vb_phase_spec", { name = "p", clients = 1 }) })
      phase = result.phase { engine = engine, lane = 0, name = "p", rows = { "get" },
        status = "ok", settings = { open_loop = true, rate = 5 } }
    end)

    it("says what was asked, what was sent, what was left", function()
      assert.equal(5, phase.rate)
      assert.equal(4.5, phase.sent_rate)
      assert.equal(1, phase.backlog_at_end)
      assert.equal(2, phase.unanswered)
    end)

    it("has response times beside latency, and how late the client itself was", function()
      assert.equal(1, phase.latency_us.p50)
      assert.near(50, phase.response_us.p50, 0.1)
      assert.equal(1, phase.lateness_us.p99)
      assert.equal(phase.response_us.p50, phase:metric "response_p50_us")
    end)

    it("marks what is only known to be at least so long", function()
      assert.equal(80, phase.response_us.exact_to)
      assert.is_false(metrics.is_least(phase.response_us, "p50"))
      assert.is_true(metrics.is_least(phase.response_us, "p90"))
      assert.is_true(metrics.is_least(phase.response_us, "p999"))
      assert.is_true(metrics.is_least(phase.response_us, "max"))
      assert.is_true(metrics.is_least(phase.response_us, "mean"))
      assert.is_false(metrics.is_least(phase.response_us, "min"))
      local text = require "vbench.report.terminal".phase(phase)
      assert.matches("asked 5.00/s, sent 4.50/s, 1 not sent at the end", text, 1, true)
      assert.matches("\226\137\1651.000", text, 1, true)
      assert.not_matches("\226\137\1650.050", text, 1, true)
    end)

    it("keeps such a percentile from meeting an upper bound", function()
      local function met(expr)
        local list = thresholds.evaluate({ assert(thresholds.parse(expr, { "get" })) }, phase)
        return list[1].ok
      end
      assert.is_true(met "response_p50_ms < 1")
      assert.is_false(met "response_p99_ms < 100")
      assert.is_true(met "response_p99_ms > 0.5")
      phase.thresholds = thresholds.evaluate(
        { assert(thresholds.parse("response_p99_ms < 100", { "get" })) }, phase)
      assert.matches("NOT MET  response_p99_ms < 100  (\226\137\1651)",
        require "vbench.report.terminal".phase(phase), 1, true)
    end)
  end)
end)
