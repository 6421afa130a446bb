/* Script states for workers: each loads the scenario again and must declare the same.
 * Made by main; opened on each worker's own thread. */
#ifndef VB_SCRIPT_FACTORY_H
#define VB_SCRIPT_FACTORY_H

#include "engine/engine.h"
#include "script/shared.h"

/* `environment` is Lua source of plain data (what vbench.session gives), handed to
 * require("vbench.worker").boot; `canonical` main's declarations, to be equal. Both are copied.
 * NULL when out of memory. `shared` outlives the factory. */
VB_API vb_script_factory *vb_script_factory_new(vb_shared *shared, const char *environment,
                                                size_t environment_length, const char *canonical,
                                                size_t canonical_length);
/* Takes NULL. Only after vb_engine_free. */
VB_API void vb_script_factory_free(vb_script_factory *factory);

#endif
