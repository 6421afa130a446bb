#include "resp/value.h"

#include <hiredis/hiredis.h>
#include <stdlib.h>
#include <string.h>

/* A fresh array has no room; from then on the room is this or the next power of two, so that a
 * server which announces a billion elements gets memory for those only that it sends. */
enum { ROOM_MIN = 4 };

static vb_value *new_value(int type) {
  vb_value *value = calloc(1, sizeof *value);
  if (value) value->type = type;
  return value;
}

/* Room for one more element; false without memory. */
static bool make_room(vb_value *array) {
  size_t length = array->length;
  bool full = length == 0 || (length >= ROOM_MIN && (length & (length - 1)) == 0);
  if (!full) return true;
  size_t room = length ? 2 * length : ROOM_MIN;
  vb_value **elements = realloc(array->elements, room * sizeof *elements);
  if (elements) array->elements = elements;
  return elements != NULL;
}

/* Puts a value where hiredis' task says it belongs. Takes NULL, and frees what it cannot place. */
static void *place(const redisReadTask *task, vb_value *value) {
  if (!value || !task->parent) return value;
  vb_value *array = task->parent->obj;
  if (!make_room(array)) {
    vb_value_free(value);
    return NULL;
  }
  array->elements[array->length++] = value;
  return value;
}

static void *create_text(const redisReadTask *task, char *text, size_t length) {
  vb_value *value = malloc(sizeof *value + length + 1);
  if (!value) return NULL;
  char *copy = (char *)(value + 1);
  memcpy(copy, text, length);
  copy[length] = 0;
  *value = (vb_value){.type = VB_VALUE_STRING, .text = copy, .length = length};
  if (task->type == REDIS_REPLY_STATUS) value->type = VB_VALUE_STATUS;
  if (task->type == REDIS_REPLY_ERROR) value->type = VB_VALUE_ERROR;
  return place(task, value);
}

static void *create_integer(const redisReadTask *task, long long integer) {
  vb_value *value = new_value(VB_VALUE_INTEGER);
  if (value) value->integer = integer;
  return place(task, value);
}

static void *create_nil(const redisReadTask *task) {
  return place(task, new_value(VB_VALUE_NIL));
}

#if HIREDIS_MAJOR >= 1
static void *create_array(const redisReadTask *task, size_t count) {
  (void)count;
  return place(task, new_value(VB_VALUE_ARRAY));
}

static void *create_double(const redisReadTask *task, double number, char *text, size_t length) {
  (void)number;
  return create_text(task, text, length);
}

static void *create_bool(const redisReadTask *task, int truth) {
  return create_integer(task, truth);
}
#else
static void *create_array(const redisReadTask *task, int count) {
  (void)count;
  return place(task, new_value(VB_VALUE_ARRAY));
}
#endif

static void free_value(void *value) {
  vb_value_free(value);
}

void vb_value_free(vb_value *value) {
  if (!value) return;
  if (value->type == VB_VALUE_ARRAY) {
    for (size_t i = 0; i < value->length; i++) vb_value_free(value->elements[i]);
    free(value->elements);
  }
  free(value);
}

int vb_value_read(const char *bytes, size_t length, vb_value **out, vb_error *err) {
  redisReplyObjectFunctions functions = {
    .createString = create_text,
    .createArray = create_array,
    .createInteger = create_integer,
#if HIREDIS_MAJOR >= 1
    .createDouble = create_double,
    .createBool = create_bool,
#endif
    .createNil = create_nil,
    .freeObject = free_value,
  };
  void *value = NULL;
  redisReader *reader = redisReaderCreateWithFunctions(&functions);
  if (!reader) return vb_fail(err, VB_ENOMEM, "no memory for a reply");
  int failed = redisReaderFeed(reader, bytes, length) != REDIS_OK ||
               redisReaderGetReply(reader, &value) != REDIS_OK;
  int status = VB_OK;
  if (failed)
    status =
        vb_fail(err, reader->err == REDIS_ERR_OOM ? VB_ENOMEM : VB_EPROTOCOL, "%s", reader->errstr);
  else if (!value)
    status = vb_fail(err, VB_EPROTOCOL, "a reply that does not end");
  else
    *out = value;
  redisReaderFree(reader);
  return status;
}
