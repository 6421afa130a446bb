/* The router: which node an operation goes to.
 * Made by main; read-only for workers. */
#ifndef VB_CLUSTER_ROUTER_H
#define VB_CLUSTER_ROUTER_H

#include "base/slots.h"

/* Several standalone servers share the slots in equal runs, so that a key is always on the same
 * one. */
typedef struct vb_router {
  uint32_t nodes;
  uint16_t owner[VB_SLOTS];
} vb_router;

void vb_router_init(vb_router *router, uint32_t nodes);

/* The node of an operation whose first key has `slot` (-1: no key; then its number decides). */
static inline uint32_t vb_router_node(const vb_router *router, int slot, uint64_t n) {
  return slot < 0 ? (uint32_t)(n % router->nodes) : router->owner[slot];
}

#endif
