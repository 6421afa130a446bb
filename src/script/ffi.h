/* The one header that Lua sees: what LuaJIT's FFI declares is this file, preprocessed with VB_CDEF.
 * Main thread and worker threads, each for the objects that it made. */
#ifndef VB_SCRIPT_FFI_H
#define VB_SCRIPT_FFI_H

#include "base/affinity.h"
#include "base/build.h"
#include "base/clock.h"
#include "base/guardian.h"
#include "base/output.h"
#include "base/process.h"
#include "base/random.h"
#include "base/sha1.h"
#include "base/sha256.h"
#include "base/signals.h"
#include "base/slots.h"
#include "base/status.h"
#include "base/terminal.h"
#include "command/program.h"
#include "dataset/dataset.h"
#include "engine/engine.h"
#include "keyspace/bitmap.h"
#include "keyspace/keyspace.h"
#include "keyspace/refset.h"
#include "keyspace/snapshot.h"
#include "keyspace/tracker.h"
#include "net/endpoint.h"
#include "net/port.h"
#include "net/tls.h"
#include "net/uri.h"
#include "resp/client.h"
#include "script/factory.h"
#include "script/shared.h"
#include "stats/counters.h"
#include "stats/histogram.h"
#include "stats/metric.h"

#endif
