#include "dataset/truth_dataset.h"

enum { DEFAULT_NEIGHBORS = 100 };

static bool is_sought(const vb_schema *schema, uint32_t field) {
  return schema->fields[field].type == VB_FIELD_VECTOR && vb_schema_queried(schema, field);
}

static int find_named(const vb_schema *schema, const char *name, uint32_t *out, vb_error *err) {
  char hint[128];
  int field = vb_schema_find(schema, name);
  if (field < 0)
    return vb_fail(err, VB_EINVAL, "ground truth: no field '%s'%s", name,
                   vb_schema_hint(schema, name, hint));
  *out = (uint32_t)field;
  if (is_sought(schema, *out)) return VB_OK;
  if (schema->fields[field].type == VB_FIELD_VECTOR)
    return vb_fail(err, VB_EINVAL, "ground truth: the queries do not hold the field '%s'", name);
  return vb_fail(err, VB_EINVAL, "ground truth: '%s' is a %s, not a vector", name,
                 vb_field_type_name(schema->fields[field].type));
}

static int find_field(const vb_schema *schema, const char *name, uint32_t *out, vb_error *err) {
  if (!schema->queries) return vb_fail(err, VB_EINVAL, "ground truth: the dataset has no queries");
  if (name) return find_named(schema, name, out, err);
  for (*out = 0; *out < schema->field_count; ++*out)
    if (is_sought(schema, *out)) return VB_OK;
  return vb_fail(err, VB_EINVAL, "ground truth: the queries hold no vector");
}

static vb_vectors vectors_of(const vb_dataset *dataset, int section, const vb_place *field,
                             uint64_t stride) {
  vb_view all;
  vb_dataset_section(dataset, section, &all);
  return (vb_vectors){all.data + field->offset, all.length / stride, stride};
}

static int select_queries(vb_truth_job *job, const vb_truth_choice *choice, vb_error *err) {
  uint64_t all = job->queries.count, first = choice->first_query;
  uint64_t count = choice->queries || first > all ? choice->queries : all - first;
  if (first > all || count > all - first)
    return vb_fail(err, VB_EINVAL, "ground truth: queries %llu to %llu of %llu",
                   (unsigned long long)first, (unsigned long long)(first + count),
                   (unsigned long long)all);
  job->queries.bytes += first * job->queries.stride;
  job->queries.count = count;
  return VB_OK;
}

int vb_truth_start_dataset(vb_truth **out, const vb_dataset *dataset, const vb_truth_choice *choice,
                           uint64_t *neighbors, vb_error *err) {
  const vb_schema *schema = vb_dataset_schema(dataset);
  const vb_layout *layout = vb_dataset_layout(dataset);
  uint32_t index = 0;
  int status = find_field(schema, choice->field, &index, err);
  if (status) return status;
  const vb_field *field = &schema->fields[index];
  uint64_t said = schema->neighbors ? schema->neighbors : DEFAULT_NEIGHBORS;
  vb_truth_job job = {
      .records =
          vectors_of(dataset, VB_SECTION_RECORDS, &layout->fields[index], layout->record_size),
      .queries =
          vectors_of(dataset, VB_SECTION_QUERIES, &layout->query_fields[index], layout->query_size),
      .dtype = field->dtype,
      .distance = choice->distance ? choice->distance : field->distance,
      .dimensions = field->dimensions,
      .neighbors = choice->neighbors ? choice->neighbors : said,
      .threads = choice->threads,
      .filter = choice->filter ? vb_filter_allows : NULL,
      .context = choice->filter,
  };
  status = select_queries(&job, choice, err);
  if (status) return status;
  if (choice->filter) vb_filter_attach(choice->filter, dataset, choice->first_query);
  status = vb_truth_start(out, &job, err);
  if (!status && neighbors) *neighbors = job.neighbors;
  return status;
}
