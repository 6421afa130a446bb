"""Reads BASE by docs/dataset-format.md alone: a JSON line a record, then a query; bytes in hex."""
import json, struct, sys, yaml
CODES = dict(float32="f", float16="e", float64="d", int8="b", uint8="B", int32="i", int64="q",
             uint32="I", uint64="Q", u32="I", u64="Q")
schema, data = yaml.safe_load(open(sys.argv[1] + ".yaml")), open(sys.argv[1] + ".bin", "rb")
record, sections = schema["record"], schema["sections"]
def numbers(code, count=1):
    return struct.unpack("<%d%s" % (count, code), data.read(count * struct.calcsize(code)))
def value(field):
    code = CODES.get(field.get("dtype", "float32" if field["type"] == "vector" else "float64"))
    if field["type"] == "numeric": return numbers(code)[0]
    if field["type"] == "vector":  # without a code: bits
        return data.read(field["dimensions"] * struct.calcsize(code) if code
                    else -(-field["dimensions"] // 8)).hex()
    length = numbers("I")[0] if field.get("length") == "variable" else None
    whole = data.read(field.get("max_bytes", 64))
    if field["type"] == "key" and length is None: return whole.split(b"\0")[0].hex()
    if field["type"] == "blob" or length is not None: return whole[:length].hex()
    return whole.rstrip(b"\0").hex()
def values(fields): return {f.get("name", ""): value(f) for f in fields}
def members(of):
    count, fields = numbers("I")[0], of["member"].get("fields", [of["member"]])
    fields = sorted(fields, key=lambda f: f.get("name", ""))  # score, then value
    return {"members": [values(fields) for _ in range(of["max_members"])][:count]}
def present(name, default): return name in sections and sections[name].get("present", default)
rows, asked, begin = [], [], data.seek(sections["records"].get("offset", 0))
for i in range(sections["records"]["count"]):
    rows.append(values(record["fields"]) if "fields" in record else members(record["collection"]))
    data.seek(begin + (i + 1) * record.get("size", (data.tell() - begin) // (i + 1)))
if present("keys", "pattern" not in sections.get("keys", {})):
    for row in rows: row["key"] = value(dict(sections["keys"], type="key"))
if present("queries", True):
    names = sections["queries"].get("query_fields", [f["name"] for f in record["fields"]])
    asked = [values(f for f in record["fields"] if f["name"] in names)
             for _ in range(sections["queries"].get("count", 0))]
if present("ground_truth", True):
    truth = sections["ground_truth"]
    code, k = CODES[truth.get("id_type", "u64")], truth.get("neighbors_per_query", 100)
    none = 2 ** (8 * struct.calcsize(code)) - 1
    for row in asked: row["neighbors"] = [i for i in numbers(code, k) if i != none]
    for row in asked if truth.get("distances") else []: row["distances"] = numbers("f", k)
for row in rows + asked: print(json.dumps(row))
