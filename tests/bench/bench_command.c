/* What drawing ids and writing requests costs, in ns: the best of many rounds.
 * usage: bench_command [SECONDS for each line] */
#include "base/clock.h"
#include "command/program.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROUND = 4096 };

static double seconds_each = 0.2;

static void must(int status, const vb_error *err) {
  if (!status) return;
  (void)fprintf(stderr, "%s\n", err->text);
  exit(1);
}

static void draw_ids(const char *what, const vb_keyspace *keyspace, vb_cursor_spec spec) {
  vb_cursor *cursor;
  vb_error err;
  must(vb_cursor_new(&cursor, keyspace, &spec, &err), &err);
  double best = 1e9;
  volatile uint64_t sink = 0;
  uint64_t n = 0;
  for (vb_ns end = vb_now() + (vb_ns)(seconds_each * 1e9); vb_now() < end;) {
    vb_ns start = vb_now();
    uint64_t id, sum = 0;
    for (int i = 0; i < ROUND; i++, n++)
      if (vb_cursor_draw(cursor, n, vb_draw(1, n, 2), &id)) sum += id;
    sink += sum;
    double each = (double)(vb_now() - start) / ROUND;
    if (each < best) best = each;
  }
  printf("%-40s %8.1f ns\n", what, best);
  vb_cursor_free(cursor);
}

static size_t write_one(const vb_command *command, vb_renderer *renderer, uint64_t n, char *to) {
  size_t size = vb_command_fixed_size(command);
  vb_operation operation;
  vb_operation_begin(&operation, 1, n);
  if (size) {
    if (vb_command_fill(command, renderer, &operation, to)) abort();
    return size;
  }
  if (vb_command_render(command, renderer, &operation)) abort();
  const char *request = vb_renderer_request(renderer, &size);
  memcpy(to, request, size);
  return size;
}

/* Writes a command of the parts given, one an argument behind its name. */
static void write_requests(const char *what, const char *name, const vb_part *parts, int count) {
  vb_error err;
  vb_command *command = vb_command_new(name);
  const vb_part word = {.kind = VB_PART_LITERAL, .text = name, .length = strlen(name)};
  for (int i = -1; i < count; i++) {
    must(vb_command_argument(command, i == 0, &err), &err);
    must(vb_command_part(command, i < 0 ? &word : &parts[i], &err), &err);
  }
  must(vb_command_compile(command, 7, &err), &err);
  vb_renderer renderer = {0};
  char *to = malloc((size_t)ROUND * 64 + (1 << 20));
  double best = 1e9, bytes = 0;
  uint64_t n = 0;
  for (vb_ns end = vb_now() + (vb_ns)(seconds_each * 1e9); vb_now() < end;) {
    vb_ns start = vb_now();
    size_t at = 0;
    bytes = 0;
    for (int i = 0; i < ROUND; i++, n++) {
      size_t size = write_one(command, &renderer, n, to + at);
      bytes += (double)size;
      at = at + size < ROUND * 4 ? at + size : 0; /* a send queue's chunk: warm */
    }
    double each = (double)(vb_now() - start) / ROUND;
    if (each < best) best = each;
  }
  printf("%-40s %8.1f ns %8.2f GB/s%s\n", what, best, bytes / ROUND / best,
         vb_command_fixed_size(command) ? "" : "  (no template)");
  free(to);
  vb_renderer_fini(&renderer);
  vb_command_free(command);
}

int main(int argc, char **argv) {
  if (argc > 1) seconds_each = atof(argv[1]);
  vb_keyspace *keyspace, *huge;
  vb_cursor *cursor;
  vb_error err;
  vb_keyspace_spec space = {.name = "k", .prefix = "key:", .width = 12, .size = 1000000};
  must(vb_keyspace_new(&keyspace, &space, &err), &err);
  space.size = 1000000000000;
  must(vb_keyspace_new(&huge, &space, &err), &err);
  draw_ids("uniform, 10^6", keyspace, (vb_cursor_spec){.order = VB_ORDER_UNIFORM});
  vb_cursor_spec zipfian = {.order = VB_ORDER_DRAWN,
                            .distribution = {.shape = VB_SHAPE_ZIPFIAN, .skew = 0.99}};
  draw_ids("zipfian 0.99, 10^6", keyspace, zipfian);
  draw_ids("zipfian 0.99, 10^12", huge, zipfian);
  zipfian.distribution.scatter = 1;
  draw_ids("zipfian 0.99, 10^12, scattered", huge, zipfian);
  vb_cursor_spec uniform = {.order = VB_ORDER_UNIFORM};
  must(vb_cursor_new(&cursor, keyspace, &uniform, &err), &err);
  vb_part key = {.kind = VB_PART_CURSOR, .cursor = cursor, .hole = 11};
  const vb_part ten = {
      .kind = VB_PART_CURSOR, .cursor = cursor, .hole = 11, .times_min = 10, .times_max = 10};
  const vb_part xxx = {.kind = VB_PART_LITERAL, .text = "xxx", .length = 3};
  vb_part bytes = {.kind = VB_PART_BYTES, .min = 3, .max = 3, .hole = 12};
  write_requests("SET key xxx", "SET", (vb_part[]){key, xxx}, 2);
  write_requests("GET key", "GET", &key, 1);
  write_requests("MGET 10 keys", "MGET", &ten, 1);
  const double sizes[] = {3, 32, 100, 1024, 16384};
  for (size_t i = 0; i < VB_ARRAY_LENGTH(sizes); i++) {
    char what[64];
    (void)snprintf(what, sizeof what, "SET key vb.bytes(%g)", sizes[i]);
    bytes.min = bytes.max = sizes[i];
    write_requests(what, "SET", (vb_part[]){key, bytes}, 2);
  }
  bytes.min = 1;
  bytes.max = 100;
  write_requests("SET key vb.bytes 1 to 100", "SET", (vb_part[]){key, bytes}, 2);
  const vb_part number = {.kind = VB_PART_INT, .min = 0, .max = 999999, .hole = 13};
  write_requests("ZADD key int key", "ZADD", (vb_part[]){key, number, key}, 3);
  const vb_part vector = {.kind = VB_PART_VECTOR, .dimensions = 128, .hole = 14};
  write_requests("HSET key v float32[128]", "HSET", (vb_part[]){key, xxx, vector}, 3);
  vb_cursor_free(cursor);
  vb_keyspace_free(keyspace);
  vb_keyspace_free(huge);
  return 0;
}
