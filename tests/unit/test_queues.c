/* engine/outbox, engine/queue, cluster/router: order and bytes are kept. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "cluster/router.h"
#include "engine/outbox.h"
#include "engine/queue.h"

/* A stream that takes `room` bytes a call and keeps them. */
typedef struct sink {
  vb_stream stream;
  vb_bytes got;
  size_t room;
} sink;

static ssize_t sink_write(vb_stream *stream, const void *from, size_t size) {
  sink *s = (sink *)(void *)stream;
  size_t taken = size < s->room ? size : s->room;
  if (!taken) return VB_STREAM_AGAIN;
  vb_bytes_append(&s->got, from, taken);
  return (ssize_t)taken;
}

static ssize_t sink_writev(vb_stream *stream, const struct iovec *parts, int count) {
  sink *s = (sink *)(void *)stream;
  size_t before = s->got.length, room = s->room;
  for (int i = 0; i < count && s->got.length - before < room; i++) {
    size_t left = room - (s->got.length - before);
    vb_bytes_append(&s->got, parts[i].iov_base, parts[i].iov_len < left ? parts[i].iov_len : left);
  }
  return (ssize_t)(s->got.length - before);
}

static const vb_stream_ops sink_ops = {.write = sink_write, .writev = sink_writev};

static void append(vb_outbox *outbox, vb_chunk_pool *pool, size_t size, unsigned seed) {
  char *to = vb_outbox_reserve(outbox, pool, size);
  for (size_t i = 0; i < size; i++) to[i] = (char)(seed + i * 31);
  vb_outbox_commit(outbox, size);
}

static void bytes_leave_in_order_however_the_stream_takes_them(void **state) {
  (void)state;
  const size_t sizes[] = {10, 5000, 9000, 40000, 3, 16384, 100000, 1};
  const size_t rooms[] = {1, 7, 4096, 1000000};
  for (size_t r = 0; r < VB_ARRAY_LENGTH(rooms); r++) {
    vb_chunk_pool pool = {0};
    vb_outbox outbox = {0};
    vb_bytes want = {0};
    sink s = {.stream = {.ops = &sink_ops}, .room = rooms[r]};
    for (unsigned i = 0; i < VB_ARRAY_LENGTH(sizes); i++) {
      append(&outbox, &pool, sizes[i], i);
      for (size_t k = 0; k < sizes[i]; k++) {
        char byte = (char)(i + k * 31);
        vb_bytes_append(&want, &byte, 1);
      }
    }
    assert_int_equal(outbox.appended, want.length);
    while (!vb_outbox_empty(&outbox)) assert_true(vb_outbox_flush(&outbox, &pool, &s.stream) > 0);
    assert_int_equal(s.got.length, want.length);
    assert_memory_equal(s.got.data, want.data, want.length);
    assert_null(outbox.first);
    vb_bytes_fini(&s.got);
    vb_bytes_fini(&want);
    vb_chunk_pool_fini(&pool);
  }
}

static void what_waits_does_not_move(void **state) {
  (void)state;
  vb_chunk_pool pool = {0};
  vb_outbox outbox = {0};
  const char *first = vb_outbox_reserve(&outbox, &pool, 100);
  append(&outbox, &pool, 100, 7);
  for (unsigned i = 0; i < 1000; i++) append(&outbox, &pool, 100, i);
  assert_ptr_equal(outbox.first->data, first);
  for (size_t i = 0; i < 100; i++) assert_int_equal((unsigned char)first[i], (7 + i * 31) & 255);
  vb_outbox_reset(&outbox, &pool);
  assert_true(vb_outbox_empty(&outbox));
  vb_chunk_pool_fini(&pool);
}

static void chunks_come_back_to_the_pool(void **state) {
  (void)state;
  vb_chunk_pool pool = {0};
  vb_outbox outbox = {0};
  sink s = {.stream = {.ops = &sink_ops}, .room = 1 << 20};
  append(&outbox, &pool, 40, 0);
  const vb_chunk *chunk = outbox.first;
  assert_int_equal(vb_outbox_flush(&outbox, &pool, &s.stream), 40);
  append(&outbox, &pool, 40, 1);
  assert_ptr_equal(outbox.first, chunk);
  vb_outbox_reset(&outbox, &pool);
  vb_bytes_fini(&s.got);
  vb_chunk_pool_fini(&pool);
}

static void a_queue_is_first_in_first_out(void **state) {
  (void)state;
  vb_queue queue = {0};
  uint64_t in = 0, out = 0;
  for (int round = 0; round < 50; round++) {
    for (int i = 0; i < 13 * round; i++) vb_queue_push(&queue, (vb_waiting){in++, 0});
    for (int i = 0; i < 7 * round; i++) assert_int_equal(vb_queue_pop(&queue).n, out++);
  }
  while (vb_queue_length(&queue)) assert_int_equal(vb_queue_pop(&queue).n, out++);
  assert_int_equal(in, out);
  vb_queue_fini(&queue);
}

static void servers_share_the_slots_evenly(void **state) {
  (void)state;
  vb_router router;
  vb_router_init(&router, 3);
  unsigned owned[3] = {0};
  for (int slot = 0; slot < VB_SLOTS; slot++) owned[vb_router_node(&router, slot, 0)]++;
  for (int i = 0; i < 3; i++) assert_in_range(owned[i], VB_SLOTS / 3, VB_SLOTS / 3 + 1);
  assert_int_equal(vb_router_node(&router, -1, 7), 1);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(bytes_leave_in_order_however_the_stream_takes_them),
      cmocka_unit_test(what_waits_does_not_move),
      cmocka_unit_test(chunks_come_back_to_the_pool),
      cmocka_unit_test(a_queue_is_first_in_first_out),
      cmocka_unit_test(servers_share_the_slots_evenly),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
