/* SPDX-License-Identifier: ISC */
#include "conf/draft.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define DRAFT_SENTENCE 1024

void *
draft_alloc(struct draft *draft, size_t size)
{
	void *memory = arena_alloc(&draft->config->arena, size);

	if (!memory)
		draft->failed = true;
	return memory;
}

const char *
draft_printf(struct draft *draft, const char *format, ...)
{
	struct buf buf;
	const char *text = NULL;
	va_list ap;

	buf_init(&buf, 0);
	va_start(ap, format);
	if (!buf_vprintf(&buf, format, ap))
		text = arena_strndup(&draft->config->arena, buf.data, buf.len);
	va_end(ap);
	buf_free(&buf);
	if (text)
		return text;
	draft->failed = true;
	return "";
}

const char *
draft_path(struct draft *draft, const char *path)
{
	if (*path == '/')
		return path;
	while (strncmp(path, "./", 2) == 0)
		path += 2;
	return draft_printf(draft, "%s/%s", strcmp(draft->directory, "/") == 0 ?
	    "" : draft->directory, path);
}

static size_t
index_of(const struct row_table *table, const char *path)
{
	const struct conf_row *row = row_find(table, path);

	return row ? (size_t)(row - table->rows) : table->count;
}

const struct value *
draft_given(const struct draft_listener *listener, const char *path)
{
	size_t i = index_of(&listener_table, path);

	return i < listener_table.count ? listener->given[i] : NULL;
}

bool
draft_is_own(const struct draft_listener *listener, const char *path)
{
	size_t i = index_of(&listener_table, path);

	return i < listener_table.count && listener->is_own[i];
}

bool
draft_is_bad(const struct draft_listener *listener, const char *path)
{
	size_t i = index_of(&listener_table, path);

	return i < listener_table.count && listener->is_bad[i];
}

void
draft_fault(struct draft *draft, const struct draft_listener *listener,
    const char *path, const struct value *value, const char *format, ...)
{
	const struct listener_conf *conf = listener->conf;
	size_t row = index_of(&listener_table, path);
	char text[DRAFT_SENTENCE];
	va_list ap;

	if (row < listener_table.count)
		listener->is_bad[row] = true;

	va_start(ap, format);
	(void)vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	if (!value)
		value = draft_given(listener, path);
	fault_add(draft->faults, value ? value->file : conf->file,
	    value ? value->line : conf->line, *conf->name ? conf->name : NULL,
	    path, "%s", text);
}

void
draft_top_fault(struct draft *draft, const char *path, const char *format, ...)
{
	size_t i = index_of(&top_table, path);
	const struct value *value = i < top_table.count ?
	    draft->given[i] : NULL;
	char text[DRAFT_SENTENCE];
	va_list ap;

	va_start(ap, format);
	(void)vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	fault_add(draft->faults, value ? value->file : draft->config->file,
	    value ? value->line : 0, NULL, path, "%s", text);
}
