#include "script/flow_given.h"

#include <lauxlib.h>
#include <stdlib.h>

/* The number of the vb.arg whose name is on top of the stack. */
static uint32_t number_of(const vb_flow_table *table, lua_State *lua) {
  uint32_t number = 0;
  for (; number < table->argument_count; number++) {
    lua_rawgeti(lua, LUA_REGISTRYINDEX, table->arguments[number]);
    bool same = lua_rawequal(lua, -1, -2);
    lua_pop(lua, 1);
    if (same) break;
  }
  return number;
}

/* The names of the list on top of the stack, which is what command `index` accepts. */
static void note_names(vb_flow_table *table, lua_State *lua, vb_flow_accepted *accepted) {
  uint32_t count = (uint32_t)lua_objlen(lua, -1);
  *accepted = (vb_flow_accepted){.first = table->name_count, .count = count};
  for (uint32_t i = 0; i < count; i++) {
    lua_rawgeti(lua, -1, (int)i + 1);
    table->names[table->name_count++] =
        (vb_flow_name){.text = lua_tostring(lua, -1), .number = number_of(table, lua)};
    lua_pop(lua, 1);
  }
}

int vb_flow_given_open(vb_flow_table *table, lua_State *lua) {
  uint32_t most = table->command_count * table->argument_count;
  table->takes = calloc(table->command_count + 1, sizeof *table->takes);
  table->names = calloc(most + 1, sizeof *table->names);
  if (!table->takes || !table->names) return VB_ENOMEM;
  for (uint32_t i = 0; i < table->command_count; i++) {
    if (table->accepted[i] == LUA_NOREF) continue;
    lua_rawgeti(lua, LUA_REGISTRYINDEX, table->accepted[i]);
    note_names(table, lua, &table->takes[i]);
    lua_pop(lua, 1);
  }
  return VB_OK;
}

void vb_flow_given_close(vb_flow_table *table) {
  free(table->takes);
  free(table->names);
}

static const vb_flow_name *find_name(const vb_flow_client *client, vb_flow_accepted takes,
                                     const char *text) {
  const vb_flow_name *name = client->table->names + takes.first;
  for (const vb_flow_name *end = name + takes.count; name < end; name++)
    if (name->text == text) return name;
  return NULL;
}

/* Takes the value on top, whose name is below it; leaves the name on top. */
static bool take_value(lua_State *lua, vb_flow_client *client, vb_flow_accepted takes) {
  if (lua_type(lua, -2) != LUA_TSTRING) return false;
  const vb_flow_name *name = find_name(client, takes, lua_tostring(lua, -2));
  if (!name) return false;
  vb_flow_value *value = &client->given[name->number];
  value->type = lua_type(lua, -1);
  switch (value->type) {
  case LUA_TNUMBER: value->number = lua_tonumber(lua, -1); break;
  case LUA_TSTRING:
    value->text = lua_tolstring(lua, -1, &value->length);
    lua_insert(lua, -2); /* whatever becomes of the table, it stays */
    return true;
  case LUA_TTABLE: break;
  default: return false;
  }
  lua_pop(lua, 1);
  return true;
}

bool vb_flow_given_take(lua_State *lua, vb_flow_client *client, uint32_t command) {
  enum { STACK_SURE = 8 };
  vb_flow_accepted takes = client->table->takes[command];
  uint32_t count = 0;
  if (lua_type(lua, 3) != LUA_TTABLE) return false;
  if (VB_UNLIKELY(takes.count > STACK_SURE) && !lua_checkstack(lua, (int)takes.count + STACK_SURE))
    return false;
  for (lua_pushnil(lua); lua_next(lua, 3); count++) {
    if (VB_LIKELY(take_value(lua, client, takes))) continue;
    lua_settop(lua, 3);
    return false;
  }
  client->taken = count == takes.count;
  return client->taken;
}

/* NULL when it is to be looked for in the script's table. */
static const vb_flow_value *value_of(const vb_flow_client *client, uint32_t number) {
  const vb_flow_value *value = &client->given[number];
  return VB_LIKELY(client->taken && value->type != LUA_TTABLE) ? value : NULL;
}

bool vb_flow_given_append_part(const vb_flow_client *client, uint32_t number, bool escape_json,
                               vb_bytes *out) {
  const vb_flow_value *value = value_of(client, number);
  if (!value) return false;
  if (value->type == LUA_TNUMBER)
    vb_state_append_number_part(value->number, out);
  else
    vb_state_append_text_part(value->text, value->length, escape_json, out);
  return true;
}

bool vb_flow_given_append(const vb_flow_client *client, uint32_t number, vb_bytes *out) {
  const vb_flow_value *value = value_of(client, number);
  if (!value) return false;
  if (value->type == LUA_TNUMBER)
    vb_state_append_number(value->number, out);
  else
    vb_state_append_text(value->text, value->length, out);
  return true;
}
