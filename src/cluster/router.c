#include "cluster/router.h"

void vb_router_init(vb_router *router, uint32_t nodes) {
  router->nodes = nodes;
  for (uint32_t slot = 0; slot < VB_SLOTS; slot++)
    router->owner[slot] = (uint16_t)((uint64_t)slot * nodes / VB_SLOTS);
}
