#include "dataset/metadata.h"

#include <stdio.h>
#include <string.h>

static void append(vb_bytes *out, const char *text) {
  vb_bytes_append(out, text, strlen(text));
}

/* Characters that stand for themselves wherever they are in a plain scalar. */
static bool is_plain(const char *text) {
  static const char others[] = "_./+-";
  if (!*text) return false;
  for (const char *at = text; *at; at++) {
    bool letter = (*at >= 'a' && *at <= 'z') || (*at >= 'A' && *at <= 'Z');
    if (!letter && !(*at >= '0' && *at <= '9') && !strchr(others, *at)) return false;
  }
  return true;
}

/* A text that plain scalars of other types do not look like: begins with a letter, is no word of
 * YAML's. */
static bool reads_as_text(const char *text) {
  static const char *const words[] = {"true", "false", "null", "yes", "no", "on", "off", "y", "n"};
  bool letter = (*text >= 'a' && *text <= 'z') || (*text >= 'A' && *text <= 'Z');
  for (size_t i = 0; i < VB_ARRAY_LENGTH(words); i++)
    if (!strcasecmp(text, words[i])) return false;
  return letter && is_plain(text);
}

static void append_quoted(vb_bytes *out, const char *text) {
  append(out, "\"");
  for (const unsigned char *at = (const unsigned char *)text; *at; at++) {
    char escape[8];
    if (*at == '"' || *at == '\\')
      (void)snprintf(escape, sizeof escape, "\\%c", *at);
    else if (*at < ' ' || *at == 0x7f)
      (void)snprintf(escape, sizeof escape, "\\x%02x", *at);
    else if (*at == 0xc2 && at[1] >= 0x80 && at[1] < 0xa0) /* U+0080 to U+009F */
      (void)snprintf(escape, sizeof escape, "\\x%02x", *++at);
    else
      (void)snprintf(escape, sizeof escape, "%c", *at);
    append(out, escape);
  }
  append(out, "\"");
}

void vb_yaml_text(vb_bytes *out, const char *text) {
  if (reads_as_text(text))
    append(out, text);
  else
    append_quoted(out, text);
}

static int render(const vb_document *document, vb_node node, vb_bytes *out, vb_error *err);

static int render_list(const vb_document *document, vb_node node, vb_bytes *out, vb_error *err) {
  size_t count = 0;
  int status = vb_document_items(document, node, "a list", &count, err);
  append(out, "[");
  for (size_t i = 0; !status && i < count; i++) {
    if (i) append(out, ", ");
    status = render(document, vb_document_item(document, node, i), out, err);
  }
  append(out, "]");
  return status;
}

static int render_pair(const vb_document *document, const vb_pair *pair, vb_bytes *out,
                       vb_error *err) {
  if (out->length && !strchr("{[", out->data[out->length - 1])) append(out, ", ");
  vb_yaml_text(out, pair->text);
  append(out, ": ");
  return render(document, pair->value, out, err);
}

static int render_mapping(const vb_document *document, vb_node node, vb_bytes *out, vb_error *err) {
  size_t count = 0;
  int status = vb_document_pairs(document, node, "a mapping", &count, err);
  append(out, "{");
  for (size_t i = 0; !status && i < count; i++) {
    vb_pair pair;
    status = vb_document_pair(document, node, i, &pair, err);
    if (!status) status = render_pair(document, &pair, out, err);
  }
  append(out, "}");
  return status;
}

static int render(const vb_document *document, vb_node node, vb_bytes *out, vb_error *err) {
  const char *text = "";
  enum vb_node_kind kind = vb_document_kind(document, node);
  if (kind == VB_NODE_LIST) return render_list(document, node, out, err);
  if (kind == VB_NODE_MAPPING) return render_mapping(document, node, out, err);
  int status = vb_document_text(document, node, "a value of metadata", &text, err);
  if (kind == VB_NODE_PLAIN && (!*text || is_plain(text)))
    append(out, *text ? text : "null"); /* a number stays one */
  else
    append_quoted(out, text);
  return status;
}

static int read_pair(const vb_document *document, const vb_pair *pair, vb_schema *schema,
                     vb_bytes *rest, vb_error *err) {
  const char *text = NULL;
  int which = VB_SCHEMA_NAME;
  if (!strcmp(pair->text, "description"))
    which = VB_SCHEMA_DESCRIPTION;
  else if (strcmp(pair->text, "name") != 0)
    return render_pair(document, pair, rest, err);
  int status = vb_document_text(document, pair->value, pair->text, &text, err);
  return status ? status : vb_schema_set(schema, which, text, err);
}

int vb_metadata_read(const vb_document *document, vb_node node, vb_schema *schema, vb_error *err) {
  size_t count = 0;
  vb_bytes rest = {0};
  int status = vb_document_pairs(document, node, "metadata", &count, err);
  for (size_t i = 0; !status && i < count; i++) {
    vb_pair pair;
    status = vb_document_pair(document, node, i, &pair, err);
    if (!status) status = read_pair(document, &pair, schema, &rest, err);
  }
  if (!status && rest.length) {
    vb_bytes_append(&rest, "", 1);
    status = vb_schema_set(schema, VB_SCHEMA_METADATA, rest.data, err);
  }
  vb_bytes_fini(&rest);
  return status;
}
