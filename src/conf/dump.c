/* SPDX-License-Identifier: ISC */
/*
 * -T: the configuration in force as a file that loads again as it is. Defaults
 * are filled in and marked; a key that has no value, and one that does not
 * apply to its listener, is left out or stands in a comment.
 */
#include <errno.h>
#include <string.h>

#include "conf/doc.h"
#include "conf/row.h"

static void
put_indent(struct buf *out, unsigned indent)
{
	while (indent--)
		(void)buf_puts(out, "\t");
}

/* What is printed, and the listener at hand (NULL: the top level). */
struct dump {
	struct buf *out;
	const struct config *config;
	const struct listener_conf *listener;
	unsigned sockets;               /* the listener's, ROW_ON_ bits */
};

static const void *
base_of(const struct dump *dump)
{
	return dump->listener ? (const void *)dump->listener : dump->config;
}

/* Does the listener have what the top level says by the same key? */
static bool
is_inherited(const struct dump *dump, const struct conf_row *row)
{
	const struct conf_row *top = row_find(&top_table, row->path);
	struct buf ours, theirs;
	bool is_same;

	if (!dump->listener || !top)
		return false;
	buf_init(&ours, 0);
	buf_init(&theirs, 0);
	row_format(row, dump->listener, 0, &ours);
	row_format(top, dump->config, 0, &theirs);
	is_same = ours.data && theirs.data && strcmp(ours.data,
	    theirs.data) == 0;
	buf_free(&ours);
	buf_free(&theirs);
	return is_same;
}

static void
put_row(const struct dump *dump, const struct conf_row *row, unsigned indent)
{
	const void *base = base_of(dump);
	bool is_default = row_is_default(row, base);

	put_indent(dump->out, indent);
	if (is_default && row->unset) {
		(void)buf_printf(dump->out, "# %s is not set (%s)\n",
		    row_key(row), row->unset);
		return;
	}
	(void)buf_printf(dump->out, "%s = ", row_key(row));
	row_format(row, base, indent, dump->out);
	(void)buf_puts(dump->out, is_default || is_inherited(dump, row) ?
	    ";  # default\n" : ";\n");
}

/* Can it stand in the listener without being a fault? */
static bool
is_useful(const struct dump *dump, const struct conf_row *row)
{
	return !dump->listener || (row_applies(row,
	    dump->listener->concurrency) && row_serves(row, dump->sockets));
}

/* A group that holds comments only is still a group: { }. */
static size_t
put_group(const struct dump *dump, const struct row_table *table, size_t i,
    unsigned indent)
{
	const struct conf_row *group = &table->rows[i];

	put_indent(dump->out, indent);
	(void)buf_printf(dump->out, "%s = {\n", group->path);
	for (i++; i < table->count && row_is_in(&table->rows[i], group); i++)
		put_row(dump, &table->rows[i], indent + 1);
	put_indent(dump->out, indent);
	(void)buf_puts(dump->out, "};\n");
	return i;
}

static void
put_rows(const struct dump *dump, const struct row_table *table,
    unsigned indent)
{
	for (size_t i = 0; i < table->count; ) {
		const struct conf_row *row = &table->rows[i];

		if (row->type == ROW_GROUP) {
			i = put_group(dump, table, i, indent);
			continue;
		}
		if (row->type != ROW_SECTION && is_useful(dump, row))
			put_row(dump, row, indent);
		i++;
	}
}

static void
put_listener(const struct dump *dump, bool is_last)
{
	(void)buf_puts(dump->out, "\t{\n\t\t# from ");
	quote(dump->out, dump->listener->file);
	(void)buf_printf(dump->out, ", line %u\n", dump->listener->line);
	put_rows(dump, &listener_table, 2);
	(void)buf_puts(dump->out, is_last ? "\t}\n" : "\t},\n");
}

int
config_dump(FILE *out, const struct config *config)
{
	struct buf text;
	struct dump dump = { .out = &text, .config = config };
	int r = 0;

	buf_init(&text, 0);
	(void)buf_puts(&text, "# The configuration in force, as socketserverd "
	    "-T prints it.\n");
	put_rows(&dump, &top_table, 0);
	(void)buf_puts(&text, "listeners = (\n");
	for (size_t i = 0; i < config->listener_count; i++) {
		dump.listener = &config->listeners[i];
		dump.sockets = row_sockets(dump.listener);
		put_listener(&dump, i + 1 == config->listener_count);
	}
	(void)buf_puts(&text, ");\n");
	if (text.failed)
		r = -ENOMEM;
	else if (fwrite(text.data, 1, text.len, out) != text.len)
		r = -EIO;
	buf_free(&text);
	return r;
}
