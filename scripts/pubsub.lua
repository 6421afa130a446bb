-- Publish and subscribe: publishers, subscribers beside them, and how long a message takes.
--
-- Learn from it: vb.subscriber is a client whose messages are its operations; a phase in the
-- background runs beside the other and ends with it; vb.stamp() and vb.age() measure the way from
-- the publisher to each subscriber.
local vb = require "vbench"

local opt = vb.options {
  messages    = { "int", default = 5000, help = "messages a second" },
  channels    = { "int", default = 10, help = "how many channels" },
  subscribers = { "int", default = 20, help = "clients that subscribe, spread over the channels" },
  size        = { "bytes", default = "100B", help = "size of a message behind its stamp" },
  time        = { "duration", default = "5s", help = "how long to run" },
}

local channels = vb.keyspace { prefix = "channel:", size = opt.channels }

local publish = vb.command { "PUBLISH", channels:uniform():value(),
                             vb.concat { vb.stamp(), vb.bytes(opt.size) } }
-- Client n gets the n-th channel, and starts over behind the last one.
local subscribe = vb.subscriber { channels = { channels:sequential():wrap() }, reply = vb.age() }

return vb.scenario {
  description = "Publishers and subscribers, and the age of messages",
  phases = {
    vb.phase { name = "publish", run = publish, rate = opt.messages, duration = opt.time,
               background = vb.phase { name = "receive", run = subscribe,
                                       clients = opt.subscribers,
                                       thresholds = { "errors == 0" } } },
  },
}
