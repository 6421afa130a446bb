/* Parts: what an argument of a command is made of, as plain data. Lua fills them, command/command.h
 * compiles them.
 * Read once while a command is made; main thread. */
#ifndef VB_COMMAND_PART_H
#define VB_COMMAND_PART_H

#include "dataset/dataset.h"
#include "keyspace/cursor.h"

enum vb_part_kind {
  VB_PART_LITERAL, /* text, length */
  VB_PART_CURSOR,  /* key of the id that `cursor` draws; times_min..max ids make as many arguments,
                      when it is the only part of its argument. Draw k of operation n has the index
                      n * times_max + k; an operation for which ids are missing is not written */
  VB_PART_CURRENT, /* key of the operation's current id in `keyspace`; `sub`: its sub-id */
  VB_PART_ID,      /* the operation's id in decimal, without its sub-id */
  VB_PART_BYTES,   /* min..max bytes, or one of `choices` sizes by weight; compressible; from_id */
  VB_PART_INT,     /* min..max by distribution */
  VB_PART_FLOAT,   /* min..max by distribution, `decimals` digits behind the point */
  VB_PART_TIMESTAMP, /* format: 0 unix seconds, 1 ISO 8601 in UTC, 2 date */
  VB_PART_CHOICE,    /* one of `choices` by weight */
  VB_PART_TAGS,      /* each of `choices` with its percentage (weight), joined by `text` */
  VB_PART_VECTOR,    /* `dimensions` random numbers of `dtype` as bytes; `json`: as a JSON array */
  VB_PART_TEXT,      /* min..max random words */
  VB_PART_STAMP,     /* the time of now, for VB_REPLY_AGE to find */
  VB_PART_FUNCTION,  /* Lua function number `function` */
  VB_PART_ARG,       /* what a flow gives for vb.arg number `function`, when it calls the command */
  VB_PART_FIELD,     /* field number `field` of `dataset`'s record of the operation's id: numbers as
                        text unless `raw`. `named`, when it is the only part of its argument: two
                        arguments, `text` and the value, or none when the value is empty */
  VB_PART_MEMBERS,   /* the members of that record, each an argument (of a zset: score, value) */
  VB_PART_QUERY      /* field number `field` of a query: uniform by n and `hole`, which is the same
                        for all of a dataset in a command, or in order (`order`, enum vb_order) */
};

enum vb_number_distribution {
  VB_UNIFORM,
  VB_ZIPFIAN,     /* skew; rank 0 is min, ranks are one step of the last decimal apart */
  VB_NORMAL,      /* mean and deviation as given; redrawn past the ends */
  VB_EXPONENTIAL, /* density ~ exp(-lambda x), x from 0 at min */
  VB_SEQUENTIAL,  /* min + n modulo the range, in steps of 1 */
  VB_CONSTANT,    /* min */
  VB_FROM_ID      /* uniform, as a function of (seed, id) */
};

typedef struct vb_choice {
  const char *text;
  size_t length;
  double weight; /* any positive number; of tags a percentage, 0 to 100 */
  uint64_t size; /* VB_PART_BYTES: the size that has this weight */
} vb_choice;

typedef struct vb_part {
  int kind; /* enum vb_part_kind */
  /* Which hole it is: a hash of the command's name, the part's canonical text and how many equal
   * ones stand before it, so that adding a part does not shift the draws of the others. */
  uint64_t hole;
  const char *text; /* literal; separator of tags */
  size_t length;
  const vb_cursor *cursor;
  const vb_keyspace *keyspace;
  int sub;                       /* VB_PART_CURRENT: the sub-id in decimal, which is no key */
  uint32_t times_min, times_max; /* 0 is 1 */
  int same_slot; /* times: ids whose keys share the first one's slot: the first such id from the one
                    drawn on, of up to 65536 that are tried; the first id again when none is */
  double min, max;  /* numbers, sizes, words; inclusive */
  int distribution; /* enum vb_number_distribution */
  double skew, mean, deviation, lambda;
  int decimals;        /* 0 to 17; below 0: the shortest text that reads back the same */
  int format;          /* timestamp */
  double compressible; /* 0..1: the share of a value's bytes that repeats */
  int from_id;         /* content is a function of (seed, id) alone, for vb.verify */
  const vb_choice *choices;
  uint32_t choice_count;
  uint32_t dimensions;
  int dtype; /* enum vb_dtype */
  /* Inside a JSON document: vectors are arrays, keys are escaped. Texts (literals, choices, tags,
   * separators) come escaped already; functions are told to escape theirs. */
  int json;
  uint32_t function;
  const vb_dataset *dataset; /* outlives the command */
  uint32_t field;
  int raw, named, order;
  int wrap; /* ids past the records begin again at the first; else they are an error */
} vb_part;

#endif
