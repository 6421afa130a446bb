#include "engine/sleepers.h"

#include "engine/flow.h"

#include <stdio.h>
#include <stdlib.h>

static bool is_earlier(const vb_sleeper *a, const vb_sleeper *b) {
  return a->wake_at < b->wake_at;
}

static void swap(vb_sleeper *a, vb_sleeper *b) {
  vb_sleeper kept = *a;
  *a = *b;
  *b = kept;
}

void vb_sleepers_push(vb_lane *lane, vb_flow *flow) {
  if (lane->sleeper_count == lane->sleeper_capacity) {
    uint32_t capacity = lane->sleeper_capacity ? lane->sleeper_capacity * 2 : 64;
    vb_sleeper *grown = realloc(lane->sleepers, capacity * sizeof *grown);
    if (!grown) {
      (void)fprintf(stderr, "vbench: out of memory: %u flows that sleep\n", capacity);
      exit(1);
    }
    lane->sleepers = grown;
    lane->sleeper_capacity = capacity;
  }
  uint32_t at = lane->sleeper_count++;
  lane->sleepers[at] = (vb_sleeper){flow->wake_at, flow};
  for (; at && is_earlier(&lane->sleepers[at], &lane->sleepers[(at - 1) / 2]); at = (at - 1) / 2)
    swap(&lane->sleepers[at], &lane->sleepers[(at - 1) / 2]);
}

vb_sleeper vb_sleepers_pop(vb_lane *lane) {
  vb_sleeper first = lane->sleepers[0];
  uint32_t at = 0, count = --lane->sleeper_count;
  lane->sleepers[0] = lane->sleepers[count];
  for (;;) {
    uint32_t least = 2 * at + 1;
    if (least >= count) return first;
    if (least + 1 < count && is_earlier(&lane->sleepers[least + 1], &lane->sleepers[least]))
      least++;
    if (!is_earlier(&lane->sleepers[least], &lane->sleepers[at])) return first;
    swap(&lane->sleepers[at], &lane->sleepers[least]);
    at = least;
  }
}
