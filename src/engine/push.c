#include "engine/push.h"

#include "engine/worker.h"

enum { DELAY_DIGITS = 3 };

int vb_push_fit(vb_histogram **delays, bool caching) {
  if (!caching) return VB_OK;
  if (!*delays) *delays = vb_histogram_new(DELAY_DIGITS);
  if (!*delays) return VB_ENOMEM;
  vb_histogram_reset(*delays);
  return VB_OK;
}

/* One key that is to be cached no longer; NULL: none of them all is (FLUSHALL). */
static void invalidate(vb_lane *lane, const vb_reply *key) {
  vb_ns delay;
  lane->rows[0].counters.invalidations++;
  if (key && key->text &&
      vb_writes_find(lane->worker->shared->writes, key->text, key->text_length, lane->worker->now,
                     &delay))
    vb_histogram_record(lane->delays, delay, 1);
}

static void invalidate_each(vb_lane *lane, const vb_reply *keys) {
  const char *at = vb_reply_first(keys);
  if (!at) invalidate(lane, NULL);
  for (int64_t i = 0; at && i < keys->integer; i++) {
    vb_reply key;
    at = vb_reply_element(at, &key);
    invalidate(lane, &key);
  }
}

static bool is_invalidation(const vb_lane *lane, const vb_reply *push, const vb_reply *kind) {
  static const char word[] = "invalidate";
  return lane->worker->writes && push->integer == 2 && kind->text &&
         kind->text_length == sizeof word - 1 && !memcmp(kind->text, word, sizeof word - 1);
}

void vb_push_take(vb_connection *connection, const vb_reply *reply) {
  vb_lane *lane = connection->lane;
  const char *at = vb_reply_first(reply);
  vb_reply kind = {0}, keys;
  if (at && reply->integer) at = vb_reply_element(at, &kind);
  if (!is_invalidation(lane, reply, &kind)) {
    vb_lane_count_push(lane, reply);
    return;
  }
  (void)vb_reply_element(at, &keys);
  if (lane->counted_from != UINT64_MAX) invalidate_each(lane, &keys);
}
