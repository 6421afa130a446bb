local nearest = require "vbench.nearest"

describe("nearest", function()
  local fields = { "requests", "duration", "clients", "run" }

  it("finds a name with a letter off", function()
    assert.equal("requests", nearest.find("request", fields))
    assert.equal("duration", nearest.find("duratoin", fields))
  end)

  it("does not mind the case", function()
    assert.equal("clients", nearest.find("Client", fields))
  end)

  it("takes the nearest, not the first that would do", function()
    assert.equal("p99_ms", nearest.find("p99_m", { "p99_us", "p99_ms" }))
  end)

  it("takes two swapped letters for one mistake", function()
    assert.equal("check", nearest.find("chekc", { "list", "check" }))
  end)

  it("finds nothing when more than a third is off", function()
    assert.is_nil(nearest.find("colour", fields))
    assert.is_nil(nearest.find("ran", { "on" }))
    assert.is_nil(nearest.find("x", {}))
  end)

  it("makes the hint of an error", function()
    assert.equal("; did you mean 'requests'?", nearest.hint("request", fields))
    assert.equal("", nearest.hint("colour", fields))
  end)
end)
