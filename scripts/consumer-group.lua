-- A stream with a consumer group: producers add orders, consumers read, work and acknowledge them.
--
-- Learn from it: what a flow calls next follows from what it was answered; vb.arg is a hole of a
-- command that the call fills, with a table as several arguments; c.index makes the consumers'
-- names; a phase in the background runs beside the other; vb.age() tells how long an order waited.
local vb = require "vbench"

local opt = vb.options {
  seconds = { "duration", default = "5s", help = "how long it runs" },
  batch = { "int", default = 10, help = "orders that a consumer reads at once" },
  work = { "duration", default = "1ms", help = "what a batch takes to be worked on" },
  orders = { "int", default = 2000, help = "orders a second" },
}

local add = vb.command { "XADD", vb.key "orders", "MAXLEN", "~", 100000, "*", "item",
  vb.int { min = 1, max = 1000 }, "sent", vb.stamp(), name = "add" }
local read = vb.command { "XREADGROUP", "GROUP", "shop", vb.arg "consumer", "COUNT", opt.batch,
  "STREAMS", vb.key "orders", ">", name = "read", reply = vb.age() }
local ack = vb.command { "XACK", vb.key "orders", "shop", vb.arg "ids", name = "ack" }

local consume = vb.flow("consume", function(c)
  local reply, ids = c:call(read, { consumer = "consumer-" .. c.index }), {}
  for id in reply:each_id() do ids[#ids + 1] = id end
  c:sleep(opt.work)
  if #ids > 0 then c:call(ack, { ids = ids }) end
end)

return vb.scenario {
  description = "A consumer group on a stream: read, work, acknowledge",
  setup = function(ctl)
    ctl:call("DEL", "orders")
    ctl:call("XGROUP", "CREATE", "orders", "shop", "0", "MKSTREAM")
  end,
  phases = {
    vb.phase { name = "produce", run = add, duration = opt.seconds, rate = opt.orders,
      background = vb.phase { name = "consume", run = consume, clients = 8 } },
  },
}
