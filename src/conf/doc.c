/* SPDX-License-Identifier: ISC */
/*
 * What is printed from the rows for people: -H, the reference part of
 * socketserverd.conf(5), and the example file.
 */
#include "conf/doc.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/suggest.h"
#include "conf/row.h"

#define DOC_WIDTH 78

static const struct {
	const char *word, *short_help, *help;
} reloads[] = {
	[RELOAD_LIVE] = { "live", "applied at once",
	    "The daemon applies it at once; no process is replaced." },
	[RELOAD_GENERATION] = { "generation",
	    "new processes on the same sockets",
	    "New service processes take over the sockets of the listener when "
	    "they are ready; the old ones finish their requests." },
	[RELOAD_SOCKET] = { "socket",
	    "applied to the open socket, or the socket is opened",
	    "A socket that is open stays open and is changed. A new address is "
	    "opened, one that is gone is closed after its queue was served; "
	    "for either, new service processes take over too." },
	[RELOAD_START] = { "start", "at the next start of the daemon",
	    "It takes effect when the daemon is started the next time." },
};

/* Every default, as data that row_format() can print. */
struct defaults {
	struct config *config;
	struct listener_conf listener;
};

static int
defaults_new(struct defaults *defaults)
{
	struct config *config = config_new();
	int r = -ENOMEM;

	defaults->config = config;
	memset(&defaults->listener, 0, sizeof(defaults->listener));
	if (config)
		r = rows_set_defaults(&top_table, config, &config->arena);
	if (config && !r)
		r = rows_set_defaults(&listener_table, &defaults->listener,
		    &config->arena);
	if (r)
		config_free(&defaults->config);
	return r;
}

static const void *
base_of(const struct defaults *defaults, const struct row_table *table)
{
	return table == &top_table ? (const void *)defaults->config :
	    &defaults->listener;
}

/* --- the parts of an entry --- */

static void
put_default(struct buf *out, const struct conf_row *row, const void *base)
{
	if (row->is_required)
		(void)buf_puts(out, "none, it is required");
	else if (row->unset)
		(void)buf_printf(out, "not set (%s)", row->unset);
	else
		row_format(row, base, 0, out);
}

static void
put_models(struct buf *out, const struct conf_row *row)
{
	const struct conf_row *choice = row_find(&listener_table,
	    "concurrency");
	const char *before = "";

	for (unsigned i = 0; choice->choices[i]; i++) {
		if (!row_applies(row, i))
			continue;
		(void)buf_printf(out, "%s%s", before, choice->choices[i]);
		before = ", ";
	}
}

/* text in lines of at most DOC_WIDTH, each behind prefix. */
static void
put_wrapped(struct buf *out, const char *prefix, const char *text)
{
	size_t column = 0;

	while (*text) {
		size_t word = strcspn(text, " ");

		if (column && column + 1 + word > DOC_WIDTH) {
			(void)buf_puts(out, "\n");
			column = 0;
		}
		if (!column) {
			(void)buf_puts(out, prefix);
			column = strlen(prefix) + (*prefix == '\t' ? 7 : 0);
		} else {
			(void)buf_puts(out, " ");
			column++;
		}
		(void)buf_append(out, text, word);
		column += word;
		text += word + (text[word] == ' ');
	}
	(void)buf_puts(out, "\n");
}

/* --- -H --- */

static void
help_facts(struct buf *out, const struct conf_row *row, const void *base)
{
	(void)buf_puts(out, "    type     ");
	row_allowed(row, out);
	(void)buf_puts(out, "\n    default  ");
	put_default(out, row, base);
	(void)buf_printf(out, "\n    reload   %s: "
	    "%s\n", reloads[row->reload].word,
	    reloads[row->reload].short_help);
	if (row->models) {
		(void)buf_puts(out, "    only     ");
		put_models(out, row);
		(void)buf_puts(out, "\n");
	}
	if (row->sockets) {
		(void)buf_puts(out, "    only     addresses of ");
		row_list_sockets(row, ", ", out);
		(void)buf_puts(out, "\n");
	}
	if (row->unit_key)
		(void)buf_printf(out, "    fd:      %s= in the socket unit\n",
		    row->unit_key);
	if (row->python)
		(void)buf_printf(out, "    Python   %s\n", row->python);
}

static void
help_row(struct buf *out, const struct row_table *table,
    const struct conf_row *row, const void *base)
{
	(void)buf_printf(out, "%s  (%s%s)\n", row->path, table->title,
	    row->type == ROW_GROUP ? ", a group" : "");
	if (row_has_value(row))
		help_facts(out, row, base);
	put_wrapped(out, "    ", row->help);
}

/* Every row, one row, or a group with its members; the number printed. */
static unsigned
help_table(struct buf *out, const struct row_table *table, const char *key,
    const struct defaults *defaults)
{
	const struct conf_row *wanted = key ? row_find(table, key) : NULL;
	unsigned n = 0;

	for (size_t i = 0; i < table->count; i++) {
		const struct conf_row *row = &table->rows[i];

		if (key && row != wanted && !(wanted && row_is_in(row, wanted)))
			continue;
		if (out->len)
			(void)buf_puts(out, "\n");
		help_row(out, table, row, base_of(defaults, table));
		n++;
	}
	return n;
}

static void
offer_rows(struct suggest *near, const struct row_table *table, bool by_key)
{
	for (size_t i = 0; i < table->count; i++)
		suggest_offer(near, by_key ? row_key(&table->rows[i]) :
		    table->rows[i].path);
}

/* "nofil" is near to the last part of "limits.nofile", the key's name. */
static const char *
path_of_key(const char *key)
{
	const struct row_table *const tables[] = { &top_table,
	    &listener_table };

	for (size_t t = 0; key && t < 2; t++)
		for (size_t i = 0; i < tables[t]->count; i++)
			if (strcmp(row_key(&tables[t]->rows[i]), key) == 0)
				return tables[t]->rows[i].path;
	return NULL;
}

/* The nearest of all, however far: -H NOSUCH always names one. */
static const char *
farthest_guess(const char *key)
{
	const struct row_table *const tables[] = { &top_table,
	    &listener_table };
	const char *best = NULL;
	unsigned least = 0;

	for (size_t t = 0; t < 2; t++)
		for (size_t i = 0; i < tables[t]->count; i++) {
			const char *path = tables[t]->rows[i].path;
			unsigned distance = suggest_distance(key, path);

			if (best && distance >= least)
				continue;
			best = path;
			least = distance;
		}
	return best;
}

static const char *
nearest_key(const char *key)
{
	struct suggest near;

	if (path_of_key(key))
		return path_of_key(key);
	suggest_init(&near, key);
	offer_rows(&near, &top_table, false);
	offer_rows(&near, &listener_table, false);
	if (near.best)
		return near.best;
	offer_rows(&near, &top_table, true);
	offer_rows(&near, &listener_table, true);
	return near.best ? path_of_key(near.best) : farthest_guess(key);
}

static int
write_out(FILE *out, struct buf *text)
{
	int r = 0;

	if (text->failed)
		r = -ENOMEM;
	else if (text->len &&
	    fwrite(text->data, 1, text->len, out) != text->len)
		r = -EIO;
	buf_free(text);
	return r;
}

int
config_help(FILE *out, const char *key, const char **near)
{
	struct defaults defaults;
	struct buf text;
	unsigned n;
	int r = defaults_new(&defaults);

	if (r)
		return r;
	if (key && strncmp(key, "defaults.", 9) == 0)
		key += 9;
	buf_init(&text, 0);
	n = help_table(&text, &top_table, key, &defaults);
	n += help_table(&text, &listener_table, key, &defaults);
	config_free(&defaults.config);
	if (!n && near)
		*near = nearest_key(key);
	r = write_out(out, &text);
	return n ? r : -ENOENT;
}

/* --- the manual page --- */

/* Text for mdoc: a sentence a line, nothing that roff takes for its own. */
static void
put_roff(struct buf *out, const char *text)
{
	bool begins = true;

	for (; *text; text++) {
		if (begins && (*text == '.' || *text == '\''))
			(void)buf_puts(out, "\\&");
		begins = false;
		if (*text == '\\')
			(void)buf_puts(out, "\\e");
		else if (*text == '-')
			(void)buf_puts(out, "\\-");
		else
			(void)buf_append(out, text, 1);
		if (*text == '.' && text[1] == ' ' && !islower(
		    (unsigned char)text[2])) {
			(void)buf_puts(out, "\n");
			text++;
			begins = true;
		}
	}
	(void)buf_puts(out, "\n");
}

static void
put_capital(struct buf *out, const char *text)
{
	char first = (char)toupper((unsigned char)*text);

	(void)buf_append(out, &first, 1);
	(void)buf_puts(out, text + 1);
}

/* "Type: ... Default: ... On reload: ..." */
static void
mdoc_facts(struct buf *out, const struct conf_row *row, const void *base)
{
	struct buf fact;

	buf_init(&fact, 0);
	row_allowed(row, &fact);
	if (fact.len && fact.data[fact.len - 1] == ',')
		fact.data[--fact.len] = '\0';
	(void)buf_puts(&fact, ".\n");
	if (fact.data && !fact.failed)
		put_capital(out, fact.data);
	buf_clear(&fact);
	(void)buf_puts(&fact, "Default: ");
	put_default(&fact, row, base);
	(void)buf_printf(&fact, ". On reload: %s.",
	    reloads[row->reload].short_help);
	if (row->models) {
		(void)buf_puts(&fact, " Only for: ");
		put_models(&fact, row);
		(void)buf_puts(&fact, ".");
	}
	if (row->sockets) {
		(void)buf_puts(&fact, " Only for addresses of: ");
		row_list_sockets(row, ", ", &fact);
		(void)buf_puts(&fact, ".");
	}
	if (row->unit_key)
		(void)buf_printf(&fact, " For fd: it is %s= in the socket "
		    "unit.", row->unit_key);
	if (row->python)
		(void)buf_printf(&fact, " In Python: %s.", row->python);
	if (fact.data && !fact.failed)
		put_roff(out, fact.data);
	buf_free(&fact);
}

static void
mdoc_table(struct buf *out, const struct row_table *table, const void *base)
{
	(void)buf_puts(out, ".Bl -tag -width Ds\n");
	for (size_t i = 0; i < table->count; i++) {
		const struct conf_row *row = &table->rows[i];

		(void)buf_printf(out, ".It Ic %s\n", row->path);
		if (row_has_value(row)) {
			mdoc_facts(out, row, base);
			(void)buf_puts(out, ".Pp\n");
		}
		put_roff(out, row->help);
	}
	(void)buf_puts(out, ".El\n");
}

static void
mdoc_reloads(struct buf *out)
{
	(void)buf_puts(out, ".Ss What a reload does with a changed key\n"
	    ".Bl -tag -width generation\n");
	for (size_t i = 0; i < sizeof(reloads) / sizeof(*reloads); i++) {
		(void)buf_printf(out, ".It %s: %s\n", reloads[i].word,
		    reloads[i].short_help);
		put_roff(out, reloads[i].help);
	}
	(void)buf_puts(out, ".El\n");
}

int
config_print_mdoc(FILE *out)
{
	struct defaults defaults;
	struct buf text;
	int r = defaults_new(&defaults);

	if (r)
		return r;
	buf_init(&text, 0);
	(void)buf_puts(&text, ".Ss Top level\n");
	mdoc_table(&text, &top_table, base_of(&defaults, &top_table));
	(void)buf_puts(&text, ".Ss Listener\n"
	    "A dot in a name stands for a group:\n"
	    ".Ic limits.nofile\nis\n.Ic nofile\nin the group\n.Ic limits .\n");
	mdoc_table(&text, &listener_table, base_of(&defaults, &listener_table));
	mdoc_reloads(&text);
	config_free(&defaults.config);
	return write_out(out, &text);
}

/* --- the example file --- */

static const char example_head[] =
    "# socketserverd.conf: what socketserverd serves. See "
    "socketserverd.conf(5).\n#\n"
    "# The listeners at the top are active. Every key there is follows, in a\n"
    "# comment, with its default. Check a change before it counts:\n"
    "#\n"
    "#     socketserverd -t -c FILE\n"
    "#\n"
    "# Files conf.d/*.conf beside this one are read too, each with a list of\n"
    "# listeners of its own.\n"
    "\n"
    "listeners = (\n"
    "\t{\n"
    "\t\t# The 10086 hotline: nc 127.0.0.1 10086\n"
    "\t\tname = \"hotline\";\n"
    "\t\tlisten = \"tcp://127.0.0.1:10086\";\n"
    "\t\thandler = \"bot10086\";\n"
    "\t},\n"
    "\t{\n"
    "\t\t# Every byte back: nc 127.0.0.1 7007, or nc -u 127.0.0.1 7007\n"
    "\t\tname = \"echo\";\n"
    "\t\tlisten = [ \"tcp://127.0.0.1:7007\", \"udp://127.0.0.1:7007\" ];\n"
    "\t\thandler = \"echo\";\n"
    "\t},\n"
    "\t{\n"
    "\t\t# One message, in capitals: echo hello | nc 127.0.0.1 8008\n"
    "\t\tname = \"uppercase\";\n"
    "\t\tlisten = \"tcp://127.0.0.1:8008\";\n"
    "\t\thandler = \"uppercase\";\n"
    "\t\tconcurrency = \"prefork\";\n"
    "\t\tworkers = 2;\n"
    "\t}\n"
    ");\n";

static void
example_key(struct buf *out, const struct conf_row *row, const void *base,
    const char *indent)
{
	struct buf help;

	buf_init(&help, 0);
	(void)buf_printf(&help, "%s", row->help);
	if (row->models) {
		(void)buf_puts(&help, " (Only for ");
		put_models(&help, row);
		(void)buf_puts(&help, ".)");
	}
	put_wrapped(out, *indent ? "#\t# " : "# ", help.data ? help.data : "");
	buf_free(&help);
	(void)buf_printf(out, "#%s%s = ", indent, row_key(row));
	if (row->example)
		(void)buf_puts(out, row->example);
	else
		put_default(out, row, base);
	if (row->unset)
		(void)buf_printf(out, ";  # not set: %s\n", row->unset);
	else
		(void)buf_puts(out, row->is_required ? ";  # "
		    "required\n" : ";\n");
}

/* The group that the row at i is; the index of its last member. */
static size_t
example_group(struct buf *out, const struct row_table *table, size_t i,
    const void *base)
{
	const struct conf_row *group = &table->rows[i];

	put_wrapped(out, "# ", group->help);
	(void)buf_printf(out, "#%s = {\n", group->path);
	for (; i + 1 < table->count &&
	    row_is_in(&table->rows[i + 1], group); i++)
		example_key(out, &table->rows[i + 1], base, "\t");
	(void)buf_puts(out, "#};\n");
	return i;
}

static void
example_table(struct buf *out, const struct row_table *table, const void *base)
{
	for (size_t i = 0; i < table->count; i++) {
		const struct conf_row *row = &table->rows[i];

		if (row->type == ROW_SECTION)
			continue;
		(void)buf_puts(out, "\n");
		if (row->type == ROW_GROUP)
			i = example_group(out, table, i, base);
		else
			example_key(out, row, base, "");
	}
}

int
config_print_example(FILE *out)
{
	struct defaults defaults;
	struct buf text;
	int r = defaults_new(&defaults);

	if (r)
		return r;
	buf_init(&text, 0);
	(void)buf_puts(&text, example_head);
	(void)buf_puts(&text, "\n# ---- the top level ----\n");
	example_table(&text, &top_table, base_of(&defaults, &top_table));
	(void)buf_puts(&text, "\n# Keys of a listener that all of them have "
	    "unless they say otherwise.\n#defaults = {\n#\ttimeout = "
	    "60;\n#};\n\n# ---- a listener's keys, inside its { } or in "
	    "defaults ----\n");
	example_table(&text, &listener_table,
	    base_of(&defaults, &listener_table));
	config_free(&defaults.config);
	return write_out(out, &text);
}
