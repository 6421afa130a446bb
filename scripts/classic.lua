-- Runs the tests of redis-benchmark and valkey-benchmark: vbench -t set,get -n 100000 -P 16.
--
-- What runs when no scenario is named. It shows how a scenario follows the command line: the tests
-- are ordinary declarations in the library vbench.classic, and vb.args says which are wanted.
local vb = require "vbench"
local classic = require "vbench.classic"

return vb.scenario {
  description = "The classic tests (-t), a mix (--parallel), a row (--composite), -- COMMAND",
  setup = classic.setup,
  phases = classic.phases(),
}
