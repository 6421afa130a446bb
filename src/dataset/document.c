#include "dataset/document.h"

#include "base/nearest.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <yaml.h>

struct vb_document {
  char *name;
  yaml_document_t yaml;
  bool loaded;
};

static yaml_node_t *node_of(const vb_document *document, vb_node node) {
  /* libyaml's reading functions take a document that is not const. */
  return yaml_document_get_node((yaml_document_t *)(uintptr_t)&document->yaml, node);
}

static int fail_at(const vb_document *document, const yaml_mark_t *mark, vb_error *err,
                   const char *text) {
  return vb_fail(err, VB_EINVAL, "%s:%zu:%zu: %s", document->name, mark->line + 1, mark->column + 1,
                 text);
}

int vb_document_fail(const vb_document *document, vb_node node, vb_error *err, const char *format,
                     ...) {
  char text[900];
  va_list args;
  va_start(args, format);
  (void)vsnprintf(text, sizeof text, format, args);
  va_end(args);
  const yaml_node_t *at = node_of(document, node);
  yaml_mark_t top = {0};
  return fail_at(document, at ? &at->start_mark : &top, err, text);
}

static int fail_parse(const vb_document *document, const yaml_parser_t *parser, vb_error *err) {
  char text[300];
  const char *problem = parser->problem ? parser->problem : "out of memory";
  const char *context = parser->context ? parser->context : "";
  (void)snprintf(text, sizeof text, "not YAML: %s%s%s", problem, *context ? " " : "", context);
  return fail_at(document, &parser->problem_mark, err, text);
}

/* Whether what comes behind the document is nothing. */
static int check_single(const vb_document *document, yaml_parser_t *parser, vb_error *err) {
  yaml_document_t next;
  if (!yaml_parser_load(parser, &next)) return fail_parse(document, parser, err);
  const yaml_node_t *root = yaml_document_get_root_node(&next);
  int status = VB_OK;
  if (root) status = fail_at(document, &root->start_mark, err, "a second document; it takes one");
  yaml_document_delete(&next);
  return status;
}

static int load(vb_document *document, const char *text, size_t length, vb_error *err) {
  yaml_parser_t parser;
  if (!yaml_parser_initialize(&parser))
    return vb_fail(err, VB_ENOMEM, "%s: out of memory", document->name);
  yaml_parser_set_input_string(&parser, (const unsigned char *)text, length);
  int status = VB_OK;
  document->loaded = yaml_parser_load(&parser, &document->yaml);
  if (!document->loaded)
    status = fail_parse(document, &parser, err);
  else if (!vb_document_root(document))
    status =
        vb_fail(err, VB_EINVAL, "%s: empty; a schema begins with 'version: 1'", document->name);
  else
    status = check_single(document, &parser, err);
  yaml_parser_delete(&parser);
  return status;
}

typedef struct extent {
  const vb_document *document;
  size_t nodes;
  vb_error *err;
} extent;

/* Follows every alias: a document that holds itself is as deep as one likes, and a few lines can
 * hold billions of nodes. */
static int measure(extent *e, vb_node node, int depth) {
  const yaml_node_t *at = node_of(e->document, node);
  if (++e->nodes > VB_DOCUMENT_NODES_MAX)
    return vb_document_fail(e->document, node, e->err,
                            "more than %d nodes when aliases are followed", VB_DOCUMENT_NODES_MAX);
  if (at->type == YAML_SCALAR_NODE) return VB_OK;
  if (depth >= VB_DOCUMENT_DEPTH_MAX)
    return vb_document_fail(e->document, node, e->err,
                            "nested more than %d deep (an alias of itself?)",
                            VB_DOCUMENT_DEPTH_MAX);
  int status = VB_OK;
  if (at->type == YAML_SEQUENCE_NODE) {
    for (const yaml_node_item_t *i = at->data.sequence.items.start;
         !status && i < at->data.sequence.items.top; i++)
      status = measure(e, *i, depth + 1);
    return status;
  }
  for (const yaml_node_pair_t *p = at->data.mapping.pairs.start;
       !status && p < at->data.mapping.pairs.top; p++) {
    status = measure(e, p->key, depth + 1);
    if (!status) status = measure(e, p->value, depth + 1);
  }
  return status;
}

int vb_document_parse(vb_document **out, const char *text, size_t length, const char *name,
                      vb_error *err) {
  if (length > VB_DOCUMENT_SIZE_MAX)
    return vb_fail(err, VB_EINVAL, "%s: %zu bytes; a schema may have %d", name, length,
                   VB_DOCUMENT_SIZE_MAX);
  vb_document *document = calloc(1, sizeof *document);
  if (document) document->name = strdup(name);
  if (!document || !document->name) {
    vb_document_free(document);
    return vb_fail(err, VB_ENOMEM, "%s: out of memory", name);
  }
  int status = load(document, text, length, err);
  extent e = {.document = document, .err = err};
  if (!status) status = measure(&e, vb_document_root(document), 0);
  if (status) {
    vb_document_free(document);
    return status;
  }
  *out = document;
  return VB_OK;
}

void vb_document_free(vb_document *document) {
  if (!document) return;
  if (document->loaded) yaml_document_delete(&document->yaml);
  free(document->name);
  free(document);
}

vb_node vb_document_root(const vb_document *document) {
  return node_of(document, 1) ? 1 : 0;
}

enum vb_node_kind vb_document_kind(const vb_document *document, vb_node node) {
  const yaml_node_t *at = node_of(document, node);
  if (at->type == YAML_SEQUENCE_NODE) return VB_NODE_LIST;
  if (at->type == YAML_MAPPING_NODE) return VB_NODE_MAPPING;
  return at->data.scalar.style == YAML_PLAIN_SCALAR_STYLE ? VB_NODE_PLAIN : VB_NODE_QUOTED;
}

/* "a mapping", or the beginning of a scalar, for messages. */
static const char *describe(const yaml_node_t *node, char text[64]) {
  if (node->type == YAML_SEQUENCE_NODE) return "a list";
  if (node->type == YAML_MAPPING_NODE) return "a mapping";
  if (!node->data.scalar.length) return "nothing";
  (void)snprintf(text, 64, "'%.40s'", (const char *)node->data.scalar.value);
  return text;
}

static int expect(const vb_document *document, vb_node node, yaml_node_type_t type,
                  const char *what, vb_error *err) {
  static const char *const names[] = {"", "a value", "a list", "a mapping"};
  char text[64];
  const yaml_node_t *at = node_of(document, node);
  if (at->type == type) return VB_OK;
  return vb_document_fail(document, node, err, "%s is %s; it is %s", what, describe(at, text),
                          names[type]);
}

static int take_key(const vb_document *document, const yaml_node_pair_t *pair, const char *what,
                    const char *const *names, vb_node *nodes, vb_error *err) {
  char hint[VB_HINT_MAX];
  const char *key = "";
  size_t i = 0;
  int status = vb_document_text(document, pair->key, "a key", &key, err);
  if (status) return status;
  while (names[i] && strcmp(names[i], key) != 0) i++;
  if (!names[i])
    return vb_document_fail(document, pair->key, err, "unknown key '%.60s' in %s%s", key, what,
                            vb_nearest_hint(key, names, hint));
  if (nodes[i]) return vb_document_fail(document, pair->key, err, "'%s' twice in %s", key, what);
  nodes[i] = pair->value;
  return VB_OK;
}

int vb_document_mapping(const vb_document *document, vb_node node, const char *what,
                        const char *const *names, vb_node *nodes, vb_error *err) {
  for (size_t i = 0; names[i]; i++) nodes[i] = 0;
  int status = expect(document, node, YAML_MAPPING_NODE, what, err);
  if (status) return status;
  const yaml_node_t *at = node_of(document, node);
  for (const yaml_node_pair_t *p = at->data.mapping.pairs.start;
       !status && p < at->data.mapping.pairs.top; p++)
    status = take_key(document, p, what, names, nodes, err);
  return status;
}

int vb_document_items(const vb_document *document, vb_node node, const char *what, size_t *count,
                      vb_error *err) {
  int status = expect(document, node, YAML_SEQUENCE_NODE, what, err);
  if (status) return status;
  const yaml_node_t *at = node_of(document, node);
  *count = (size_t)(at->data.sequence.items.top - at->data.sequence.items.start);
  return VB_OK;
}

vb_node vb_document_item(const vb_document *document, vb_node node, size_t index) {
  return node_of(document, node)->data.sequence.items.start[index];
}

int vb_document_pairs(const vb_document *document, vb_node node, const char *what, size_t *count,
                      vb_error *err) {
  int status = expect(document, node, YAML_MAPPING_NODE, what, err);
  if (status) return status;
  const yaml_node_t *at = node_of(document, node);
  *count = (size_t)(at->data.mapping.pairs.top - at->data.mapping.pairs.start);
  return VB_OK;
}

int vb_document_pair(const vb_document *document, vb_node node, size_t index, vb_pair *out,
                     vb_error *err) {
  const yaml_node_pair_t *pair = node_of(document, node)->data.mapping.pairs.start + index;
  out->key = pair->key;
  out->value = pair->value;
  return vb_document_text(document, pair->key, "a key", &out->text, err);
}

int vb_document_text(const vb_document *document, vb_node node, const char *what, const char **out,
                     vb_error *err) {
  int status = expect(document, node, YAML_SCALAR_NODE, what, err);
  if (status) return status;
  const yaml_node_t *at = node_of(document, node);
  const char *text = (const char *)at->data.scalar.value;
  if (strlen(text) != at->data.scalar.length)
    return vb_document_fail(document, node, err, "%s holds a NUL", what);
  *out = text;
  return VB_OK;
}

/* A plain scalar, not a quoted one: "5" is a text. */
static int plain(const vb_document *document, vb_node node, const char *what, const char **out,
                 vb_error *err) {
  int status = vb_document_text(document, node, what, out, err);
  if (!status && vb_document_kind(document, node) != VB_NODE_PLAIN)
    status = vb_document_fail(document, node, err,
                              "%s is the text \"%.40s\"; write it without quotes", what, *out);
  return status;
}

int vb_document_number(const vb_document *document, vb_node node, const char *what, uint64_t *out,
                       vb_error *err) {
  const char *text = "";
  int status = plain(document, node, what, &text, err);
  if (status) return status;
  uint64_t value = 0;
  for (const char *at = text; *at || at == text; at++) {
    if (*at < '0' || *at > '9')
      return vb_document_fail(document, node, err, "%s is '%.40s'; it is a whole number", what,
                              text);
    if (__builtin_mul_overflow(value, 10, &value) ||
        __builtin_add_overflow(value, (uint64_t)(*at - '0'), &value))
      return vb_document_fail(document, node, err, "%s is %.40s; that is over 64 bits", what, text);
  }
  *out = value;
  return VB_OK;
}

int vb_document_boolean(const vb_document *document, vb_node node, const char *what, int *out,
                        vb_error *err) {
  const char *text = "";
  int status = plain(document, node, what, &text, err);
  if (status) return status;
  if (strcasecmp(text, "true") != 0 && strcasecmp(text, "false") != 0)
    return vb_document_fail(document, node, err, "%s is '%.40s'; it is true or false", what, text);
  *out = strcasecmp(text, "true") == 0;
  return VB_OK;
}

static void list(const char *const *names, char *to, size_t room) {
  size_t used = 0;
  for (; *names && used < room; names++)
    used += (size_t)snprintf(to + used, room - used, "%s%s", used ? ", " : "", *names);
}

int vb_document_choice(const vb_document *document, vb_node node, const char *what,
                       const char *const *names, int *out, vb_error *err) {
  char all[200], hint[VB_HINT_MAX];
  const char *text = "";
  int status = vb_document_text(document, node, what, &text, err);
  if (status) return status;
  for (int i = 0; names[i]; i++) {
    if (strcasecmp(names[i], text) != 0) continue;
    *out = i;
    return VB_OK;
  }
  list(names, all, sizeof all);
  return vb_document_fail(document, node, err, "%s is '%.40s'; it is one of %s%s", what, text, all,
                          vb_nearest_hint(text, names, hint));
}
