#include "dataset/synth.h"

#include "base/random.h"
#include "dataset/vocabulary.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MADE_UP_WORDS = 5000, TRIES = 64 };

/* Where the draws of a field come from, so that none depends on another. */
enum stream { OF_RECORDS = 1, OF_QUERIES, OF_CENTRES, OF_COUNTS, OF_KEYS };

typedef struct source {
  vb_synth_field from; /* its pointers are NULL: */
  vb_vocabulary vocabulary;
  double *centres; /* clusters x dimensions */
  uint64_t stream;
} source;

struct vb_synth {
  vb_schema *schema;
  vb_layout layout;
  source *fields;
  uint64_t seed, least, most; /* members */
};

static vb_rng rng_of(const source *from, enum stream which, uint64_t n, uint64_t member) {
  return (vb_rng){vb_draw(from->stream ^ vb_mix(member), n, which)};
}

/* Close to normal, of mean 0 and deviation 1: the sum of eight numbers of 16 bits. Nothing in it is
 * rounded in a way that differs between machines, as logarithms and sines may be. */
static double normal(vb_rng *rng) {
  uint64_t sum = 0;
  for (int i = 0; i < 2; i++) {
    uint64_t four = vb_rng_next(rng);
    sum += (four & 0xffff) + (four >> 16 & 0xffff) + (four >> 32 & 0xffff) + (four >> 48);
  }
  return ((double)sum - 8 * 32767.5) * (1 / 53509.9); /* 65536 * sqrt(8 / 12) */
}

/* --- vectors ---------------------------------------------------------------------------------- */

static double step_of(int dtype, double value) {
  bool is_unsigned =
      dtype == VB_DTYPE_UINT8 || dtype == VB_DTYPE_UINT32 || dtype == VB_DTYPE_UINT64;
  if (dtype == VB_DTYPE_FLOAT32 || dtype == VB_DTYPE_FLOAT16 || dtype == VB_DTYPE_FLOAT64)
    return value;
  return nearbyint(value * 32 + (is_unsigned ? 128 : 0));
}

static void store_bits(char *to, const double *values, uint64_t count) {
  for (uint64_t i = 0; i < count; i++)
    if (values[i] > 0) to[i / 8] = (char)(to[i / 8] | 128 >> i % 8);
}

static void store_numbers(char *to, int dtype, const double *values, uint64_t count) {
  vb_conversion how = {.from = VB_DTYPE_FLOAT64, .to = dtype, .unfit = VB_UNFIT_CLAMP};
  (void)vb_dtype_convert(&how, to, values, count);
}

/* In pieces, so that a vector of any length takes no memory. */
static void draw_vector(const source *from, const vb_field *field, vb_rng rng, char *to) {
  enum { PIECE = 512 };
  double values[PIECE], scale = 1;
  uint64_t cluster = vb_below(vb_rng_next(&rng), from->from.clusters);
  const double *centre = from->centres + cluster * field->dimensions;
  for (int pass = field->distance == VB_DISTANCE_COSINE ? 0 : 1; pass < 2; pass++) {
    vb_rng again = rng;
    double square = 0;
    for (uint64_t first = 0; first < field->dimensions; first += PIECE) {
      uint64_t count = field->dimensions - first < PIECE ? field->dimensions - first : PIECE;
      for (uint64_t i = 0; i < count; i++) {
        double value = centre[first + i] + from->from.noise * normal(&again);
        square += value * value;
        values[i] = step_of(field->dtype, value * scale);
      }
      if (pass == 0) continue;
      if (field->dtype == VB_DTYPE_BINARY) {
        store_bits(to + first / 8, values, count);
      } else {
        store_numbers(to + vb_dtype_bytes(field->dtype, first), field->dtype, values, count);
      }
    }
    if (step_of(field->dtype, 0.25) == 0.25 && square > 0) scale = 1 / sqrt(square);
  }
}

static bool make_centres(source *of, const vb_field *field) {
  uint64_t count;
  if (__builtin_mul_overflow(of->from.clusters, field->dimensions, &count)) return false;
  double *centres = calloc(count, sizeof *centres);
  if (!centres) return false;
  vb_rng rng = rng_of(of, OF_CENTRES, 0, 0);
  for (uint64_t i = 0; i < count; i++) centres[i] = normal(&rng);
  free(of->centres);
  of->centres = centres;
  return true;
}

/* --- numbers, words, bytes -------------------------------------------------------------------- */

static void draw_number(const source *from, const vb_field *field, vb_rng rng, char *to) {
  const vb_synth_field *of = &from->from;
  double value = of->a;
  if (of->spread == VB_SPREAD_UNIFORM) value += vb_unit(vb_rng_next(&rng)) * (of->b - of->a);
  if (of->spread == VB_SPREAD_NORMAL) value += of->b * normal(&rng);
  if (of->spread == VB_SPREAD_EXPONENTIAL) value *= -log(1 - vb_unit(vb_rng_next(&rng)));
  if (of->decimals >= 0) {
    double power = 1;
    for (int i = 0; i < of->decimals; i++) power *= 10;
    value = nearbyint(value * power) / power;
  }
  store_numbers(to, field->dtype, &value, 1);
}

/* Where the bytes of a text go: behind its length where it has one. */
static char *open_bytes(const vb_field *field, char *to) {
  return field->variable ? to + sizeof(uint32_t) : to;
}

static void close_bytes(const vb_field *field, char *to, uint64_t length) {
  uint32_t stored = (uint32_t)length;
  if (field->variable) memcpy(to, &stored, sizeof stored);
}

static uint64_t count_between(vb_rng *rng, uint64_t least, uint64_t most) {
  return least + vb_below(vb_rng_next(rng), most - least + 1);
}

static void draw_words(const source *from, const vb_field *field, vb_rng rng, char *to) {
  uint64_t count =
      field->type == VB_FIELD_TAG ? 1 : count_between(&rng, from->from.least, from->from.most);
  char *at = open_bytes(field, to), room[VB_WORD];
  uint64_t length = 0;
  for (uint64_t i = 0; i < count; i++) {
    const char *word = vb_vocabulary_draw(&from->vocabulary, vb_rng_next(&rng), room);
    uint64_t size = strlen(word), blank = length > 0;
    if (length + blank + size > field->max_bytes) break;
    if (blank) at[length++] = ' ';
    memcpy(at + length, word, size);
    length += size;
  }
  close_bytes(field, to, length);
}

static void draw_bytes(const source *from, const vb_field *field, vb_rng rng, char *to) {
  uint64_t count = count_between(&rng, from->from.least, from->from.most);
  char *at = open_bytes(field, to);
  for (uint64_t i = 0; i < count; i += sizeof(uint64_t)) {
    uint64_t eight = vb_rng_next(&rng);
    memcpy(at + i, &eight, count - i < sizeof eight ? count - i : sizeof eight);
  }
  close_bytes(field, to, count);
}

static void draw(const source *from, const vb_field *field, vb_rng rng, char *to) {
  switch ((enum vb_field_type)field->type) {
  case VB_FIELD_VECTOR: draw_vector(from, field, rng, to); break;
  case VB_FIELD_NUMERIC: draw_number(from, field, rng, to); break;
  case VB_FIELD_TEXT:
  case VB_FIELD_TAG: draw_words(from, field, rng, to); break;
  case VB_FIELD_BLOB: draw_bytes(from, field, rng, to); break;
  }
}

/* --- records ---------------------------------------------------------------------------------- */

/* Draws field number `field` of a member until it differs from those before. */
static void draw_member(const vb_synth *synth, uint32_t field, uint64_t n, uint64_t member,
                        char *first) {
  const source *from = &synth->fields[field];
  const vb_place *place = &synth->layout.fields[field];
  bool distinct = synth->schema->collection != VB_COLLECTION_LIST &&
                  synth->schema->fields[field].type != VB_FIELD_NUMERIC;
  char *to = first + member * synth->layout.member_size + place->offset;
  for (uint64_t attempt = 0; attempt < TRIES; attempt++) {
    memset(to, 0, place->size);
    draw(from, &synth->schema->fields[field],
         rng_of(from, OF_RECORDS, n, 1 + member * TRIES + attempt), to);
    uint64_t same = 0;
    for (uint64_t i = 0; distinct && i < member; i++)
      same += !memcmp(first + i * synth->layout.member_size + place->offset, to, place->size);
    if (!same) return;
  }
}

static void draw_collection(const vb_synth *synth, uint64_t n, char *to) {
  vb_rng rng = {vb_draw(synth->seed, n, OF_COUNTS)};
  uint32_t members = (uint32_t)count_between(&rng, synth->least, synth->most);
  memcpy(to, &members, sizeof members);
  for (uint64_t member = 0; member < members; member++)
    for (uint32_t i = 0; i < synth->schema->field_count; i++)
      draw_member(synth, i, n, member, to + sizeof members);
}

void vb_synth_record(const vb_synth *synth, uint64_t n, char *to) {
  if (synth->schema->collection) {
    draw_collection(synth, n, to);
    return;
  }
  for (uint32_t i = 0; i < synth->schema->field_count; i++)
    draw(&synth->fields[i], &synth->schema->fields[i], rng_of(&synth->fields[i], OF_RECORDS, n, 0),
         to + synth->layout.fields[i].offset);
}

void vb_synth_query(const vb_synth *synth, uint64_t n, char *to) {
  for (uint32_t i = 0; i < synth->schema->field_count; i++)
    if (synth->layout.query_fields[i].size)
      draw(&synth->fields[i], &synth->schema->fields[i],
           rng_of(&synth->fields[i], OF_QUERIES, n, 0), to + synth->layout.query_fields[i].offset);
}

void vb_synth_key(const vb_synth *synth, uint64_t n, char to[VB_SYNTH_KEY + 1]) {
  static const char digits[] = "0123456789abcdefghijklmnopqrstuvwxyz";
  const uint64_t keys = 2821109907456; /* 36^8, with which the step has no factor in common */
  uint64_t shift = vb_draw(synth->seed, 0, OF_KEYS) % keys;
  uint64_t number = (uint64_t)(((unsigned __int128)n * 1743529438849 + shift) % keys);
  for (int i = VB_SYNTH_KEY - 1; i >= 0; i--, number /= 36) to[i] = digits[number % 36];
  to[VB_SYNTH_KEY] = 0;
}

/* --- making ----------------------------------------------------------------------------------- */

static int bad(const vb_field *field, vb_error *err, const char *what) {
  return vb_fail(err, VB_EINVAL, "field %s: %s", field->name[0] ? field->name : "of members", what);
}

static int check_vector(const vb_field *field, const vb_synth_field *from, vb_error *err) {
  if (from->clusters < 1 || from->clusters > 1 << 20)
    return bad(field, err, "clusters must be 1 to 1048576");
  if (!(from->noise >= 0 && from->noise <= 1e6)) return bad(field, err, "noise must be 0 or more");
  return VB_OK;
}

/* Whether a number, rounded where the type takes integers, is one of it. */
static bool holds(int dtype, double value) {
  char to[sizeof(double)];
  double whole = round(value);
  vb_conversion how = {.from = VB_DTYPE_FLOAT64, .to = dtype};
  return vb_dtype_convert(&how, to, &value, 1) || vb_dtype_convert(&how, to, &whole, 1);
}

static int check_number(const vb_field *field, const vb_synth_field *from, vb_error *err) {
  if (from->spread < VB_SPREAD_UNIFORM || from->spread > VB_SPREAD_EXPONENTIAL)
    return bad(field, err, "no distribution of this number");
  if (!isfinite(from->a) || !isfinite(from->b))
    return bad(field, err, "a distribution of finite numbers only");
  if (from->spread == VB_SPREAD_UNIFORM && from->a > from->b)
    return bad(field, err, "the least is over the greatest");
  if (from->spread == VB_SPREAD_UNIFORM &&
      !(holds(field->dtype, from->a) && holds(field->dtype, from->b)))
    return vb_fail(err, VB_EINVAL, "field %s: %.17g to %.17g does not fit %s", field->name, from->a,
                   from->b, vb_dtype_name(field->dtype));
  if (from->spread == VB_SPREAD_EXPONENTIAL && from->a <= 0)
    return bad(field, err, "the mean of an exponential distribution is over 0");
  if (from->spread == VB_SPREAD_NORMAL && from->b < 0)
    return bad(field, err, "a deviation below 0");
  return from->decimals <= 15 ? VB_OK : bad(field, err, "decimals must be 15 or less");
}

static int check_words(const vb_field *field, const vb_synth_field *from, vb_error *err) {
  double sum = 0;
  if (field->type == VB_FIELD_TAG && from->word_count == 0) return bad(field, err, "no words");
  if (from->least > from->most) return bad(field, err, "the least count is over the greatest");
  for (uint32_t i = 0; i < from->word_count; i++) {
    double weight = from->weights ? from->weights[i] : 1;
    if (strlen(from->words[i]) > field->max_bytes)
      return vb_fail(err, VB_EINVAL, "field %s: the word '%s' is longer than %llu bytes",
                     field->name, from->words[i], (unsigned long long)field->max_bytes);
    if (!(weight >= 0 && weight < 1e300))
      return vb_fail(err, VB_EINVAL, "field %s: the weight of '%s' must be 0 or more", field->name,
                     from->words[i]);
    sum += weight;
  }
  return from->word_count == 0 || sum > 0 ? VB_OK : bad(field, err, "all weights are 0");
}

static int check(const vb_field *field, const vb_synth_field *from, vb_error *err) {
  switch ((enum vb_field_type)field->type) {
  case VB_FIELD_VECTOR: return check_vector(field, from, err);
  case VB_FIELD_NUMERIC: return check_number(field, from, err);
  case VB_FIELD_TEXT:
  case VB_FIELD_TAG: return check_words(field, from, err);
  case VB_FIELD_BLOB: break;
  }
  if (from->least > from->most || from->most > field->max_bytes)
    return bad(field, err, "more bytes than it has, or the least count over the greatest");
  if (!field->variable && from->least != from->most)
    return bad(field, err, "bytes of several lengths, where its length is fixed");
  return VB_OK;
}

int vb_synth_set(vb_synth *synth, uint32_t index, const vb_synth_field *from, vb_error *err) {
  const vb_field *field = &synth->schema->fields[index];
  source *to = &synth->fields[index];
  int status = check(field, from, err);
  if (status < 0) return status;
  bool made = true;
  to->from = *from;
  if (field->type == VB_FIELD_VECTOR) made = make_centres(to, field);
  if (field->type == VB_FIELD_TEXT || field->type == VB_FIELD_TAG)
    made = vb_vocabulary_init(&to->vocabulary, from->word_count ? from->words : NULL, from->weights,
                              from->word_count ? from->word_count : MADE_UP_WORDS);
  to->from.words = NULL;
  to->from.weights = NULL;
  return made ? VB_OK : vb_fail(err, VB_ENOMEM, "field %s: out of memory", field->name);
}

static uint32_t at_most(uint64_t value, uint32_t most) {
  return value < most ? (uint32_t)value : most;
}

static int set_default(vb_synth *synth, uint32_t index, vb_error *err) {
  static const char *const tags[] = {"a", "b", "c", "d", "e", "f", "g", "h"};
  static const double weights[] = {1, 1, 1, 1, 1, 1, 1, 1};
  const vb_field *field = &synth->schema->fields[index];
  vb_synth_field from = {.clusters = 16, .noise = 0.35, .b = 100, .decimals = -1};
  if (field->type == VB_FIELD_TAG) {
    from.words = tags;
    from.weights = weights;
    from.word_count = VB_ARRAY_LENGTH(tags);
  }
  if (field->type == VB_FIELD_TEXT) {
    from.least = 1;
    from.most = at_most((field->max_bytes + 1) / 7, 12);
    if (from.most == 0) from.most = 1;
  }
  if (field->type == VB_FIELD_BLOB) from.least = from.most = at_most(field->max_bytes, UINT32_MAX);
  return vb_synth_set(synth, index, &from, err);
}

static int prepare(vb_synth *synth, vb_error *err) {
  synth->fields = calloc(synth->schema->field_count, sizeof *synth->fields);
  if (!synth->fields) return vb_fail(err, VB_ENOMEM, "synthetic records: out of memory");
  for (uint32_t i = 0; i < synth->schema->field_count; i++) {
    const char *name = synth->schema->fields[i].name;
    synth->fields[i].stream = vb_hash(synth->seed, name, strlen(name));
    int status = set_default(synth, i, err);
    if (status < 0) return status;
  }
  synth->most = synth->schema->max_members;
  synth->least = synth->most > 0;
  return VB_OK;
}

int vb_synth_new(vb_synth **out, const vb_schema *schema, uint64_t seed, vb_error *err) {
  vb_layout layout;
  int status = vb_layout_init(&layout, schema, err);
  if (status < 0) return status;
  vb_synth *synth = calloc(1, sizeof *synth);
  if (!synth) {
    vb_layout_fini(&layout);
    return vb_fail(err, VB_ENOMEM, "synthetic records: out of memory");
  }
  synth->layout = layout;
  synth->seed = seed;
  synth->schema = vb_schema_copy(schema);
  status = synth->schema ? prepare(synth, err)
                         : vb_fail(err, VB_ENOMEM, "synthetic records: out of memory");
  if (status < 0) {
    vb_synth_free(synth);
    return status;
  }
  *out = synth;
  return VB_OK;
}

int vb_synth_members(vb_synth *synth, uint64_t least, uint64_t most, vb_error *err) {
  if (least > most || most > synth->schema->max_members)
    return vb_fail(err, VB_EINVAL, "members: %llu to %llu, where there is room for 0 to %llu",
                   (unsigned long long)least, (unsigned long long)most,
                   (unsigned long long)synth->schema->max_members);
  synth->least = least;
  synth->most = most;
  return VB_OK;
}

void vb_synth_free(vb_synth *synth) {
  if (!synth) return;
  for (uint32_t i = 0; synth->fields && i < synth->schema->field_count; i++) {
    vb_vocabulary_fini(&synth->fields[i].vocabulary);
    free(synth->fields[i].centres);
  }
  free(synth->fields);
  vb_layout_fini(&synth->layout);
  vb_schema_free(synth->schema);
  free(synth);
}
