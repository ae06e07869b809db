/* SPDX-License-Identifier: ISC */

#include "conf/parse.h"

#include <libconfig.h>
#include <string.h>

#include "conf/lex.h"

struct parse {
	struct arena *arena;
	const struct source *source;
	bool failed;            /* out of memory */
};

static bool fill_value(struct parse *parse, struct value *value,
    const config_setting_t *setting);

static bool
fill_members(struct parse *parse, struct value *value,
    const config_setting_t *setting)
{
	struct value **link = &value->members;
	int count = config_setting_length(setting);

	for (int i = 0; i < count; i++) {
		const config_setting_t *member =
		    config_setting_get_elem(setting, (unsigned)i);

		*link = arena_alloc(parse->arena, sizeof(**link));
		if (!*link || !fill_value(parse, *link, member))
			return false;
		link = &(*link)->next;
	}
	return true;
}

static bool
fill_value(struct parse *parse, struct value *value,
    const config_setting_t *setting)
{
	const char *name = config_setting_name(setting);
	struct source_line place = source_place(parse->source,
	    config_setting_source_line(setting));

	value->name = name ? arena_strdup(parse->arena, name) : NULL;
	value->file = place.file;
	value->line = place.line;
	if (name && !value->name)
		return false;
	switch (config_setting_type(setting)) {
	case CONFIG_TYPE_BOOL:
		value->type = VALUE_BOOL;
		value->integer = config_setting_get_bool(setting) != 0;
		return true;
	case CONFIG_TYPE_INT:
		value->type = VALUE_INT;
		value->integer = config_setting_get_int(setting);
		return true;
	case CONFIG_TYPE_INT64:
		value->type = VALUE_INT;
		value->integer = config_setting_get_int64(setting);
		return true;
	case CONFIG_TYPE_FLOAT:
		value->type = VALUE_FLOAT;
		value->real = config_setting_get_float(setting);
		return true;
	case CONFIG_TYPE_STRING:
		value->type = VALUE_STRING;
		value->string = arena_strdup(parse->arena,
		    config_setting_get_string(setting));
		return value->string != NULL;
	case CONFIG_TYPE_GROUP:
		value->type = VALUE_GROUP;
		return fill_members(parse, value, setting);
	default:
		value->type = VALUE_LIST;
		return fill_members(parse, value, setting);
	}
}

/* The pass before has named what it knows; the rest is libconfig's word. */
static void
report(const struct source *source, const config_t *config,
    struct faults *faults)
{
	int line = config_error_line(config);
	struct source_line place = source_place(source,
	    line > 0 ? (unsigned)line : 1);
	const char *text = config_error_text(config);

	if (text && strstr(text, "mismatched element"))
		fault_add(faults, place.file, place.line, NULL, NULL,
		    "the members "
		    "of an array [ ] differ in type; write a list ( )");
	else
		fault_add(faults, place.file, place.line, NULL, NULL,
		    "%s; write " "NAME = VALUE;", text ? text : "syntax error");
}

static struct value *
parse_source(struct arena *arena, const struct source *source, bool is_patched,
    struct faults *faults, bool *is_short_of_memory)
{
	struct parse parse = { .arena = arena, .source = source };
	struct value *root = NULL;
	config_t config;

	config_init(&config);
	if (config_read_string(&config, source->text.data)) {
		root = arena_alloc(arena, sizeof(*root));
		if (!root || !fill_value(&parse, root,
		    config_root_setting(&config))) {
			*is_short_of_memory = true;
			root = NULL;
		}
	} else if (!is_patched) {
		report(source, &config, faults);
	}
	config_destroy(&config);
	return root;
}

struct value *
parse_document(struct arena *arena, const char *file, const char *text,
    size_t len, const struct stat *st, const char *directory,
    struct faults *faults, bool *is_short_of_memory)
{
	struct source source;
	enum lex_result result;
	struct value *root = NULL;

	source_init(&source, arena, directory);
	result = source_lex(&source, file, text, len, st, faults);
	if (source.text.failed)
		*is_short_of_memory = true;
	else if (result != LEX_BROKEN)
		root = parse_source(arena, &source, result == LEX_PATCHED,
		    faults, is_short_of_memory);
	if (!root)
		source_tell(&source, faults);
	source_free(&source);
	return root;
}

const char *
value_fault(const struct value *value)
{
	size_t len = strlen(LEX_BAD_VALUE);

	if (value->type != VALUE_STRING ||
	    strncmp(value->string, LEX_BAD_VALUE, len) != 0)
		return NULL;
	return value->string + len;
}

const char *
value_duplicate_of(const struct value *value)
{
	static const char stars[] = { LEX_BAD_NAME, '\0' };

	if (!value->name || *value->name != LEX_BAD_NAME)
		return NULL;
	return value->name + strspn(value->name, stars);
}
