/* SPDX-License-Identifier: ISC */
#include "bench/document.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

#include "bench/options.h"
#include "bench/workload.h"

/* mdoc(7): "-" in what is typed is no hyphen. */
static void
mdoc_text(FILE *out, const char *text)
{
	fputc(toupper((unsigned char)*text++), out);
	for (; *text != '\0'; text++) {
		if (text[0] == '-' && text[1] == '-') {
			fputs("\\-\\-", out);
			text++;
		} else {
			fputc(*text, out);
		}
	}
	fputs(".\n", out);
}

static void
print_workloads_mdoc(FILE *out)
{
	for (const struct workload *row = workloads; row->name != NULL; row++) {
		fprintf(out, ".It Cm %s\n", row->name);
		mdoc_text(out, row->help);
		fprintf(out, "By default %" PRId64 " connections",
		    row->connections);
		if (row->depth > 1)
			fprintf(out, ", %" PRId64 " requests at once on each",
			    row->depth);
		fprintf(out, ", %" PRId64 " bytes.\n", row->size_bytes);
	}
}

static void
print_faults_mdoc(FILE *out)
{
	for (int i = 0; i < FAULTS; i++)
		fprintf(out, ".Li %s\n(%s)%s\n", faults[i].name,
		    faults[i].text, i + 1 < FAULTS ? "," : ".");
}

static void
print_options_mdoc(FILE *out)
{
	option_print_mdoc(out, options_table);
}

static void
put_workloads(FILE *out)
{
	for (const struct workload *row = workloads; row->name != NULL; row++)
		fprintf(out, "%s%s", row == workloads ? "" : " ", row->name);
}

/* Those whose arguments are completed by bash_head. */
static bool
has_words(const struct option_row *row)
{
	return strcmp(row->name, "expect") == 0 ||
	    strcmp(row->name, "cgroup") == 0;
}

/* The other options whose argument is the next word. */
static void
put_with_argument(FILE *out)
{
	const char *before = "";

	for (const struct option_row *row = options_table; row->name != NULL;
	    row++) {
		if (row->is_hidden || row->argument == NULL || has_words(row))
			continue;
		fputs(before, out);
		if (row->letter != 0)
			fprintf(out, "-%c|", row->letter);
		fprintf(out, "--%s", row->name);
		before = "|";
	}
}

static const char bash_head[] =
	    "# SPDX-License-Identifier: ISC\n"
	    "# bash completion for socketserver-bench; printed from its\n"
	    "# tables (make update-docs).\n\n"
	    "_socketserver_bench()\n{\n"
	    "\tlocal cur=${COMP_WORDS[COMP_CWORD]} "
	    "last=${COMP_WORDS[COMP_CWORD-1]}\n"
	    "\tlocal words=''\n\n"
	    "\tCOMPREPLY=()\n"
	    "\tcase $last in\n"
	    "\t-e|--expect)\n"
	    "\t\twords='echo upper' ;;\n"
	    "\t--cgroup)\n"
	    "\t\tmapfile -t COMPREPLY < <(compgen -d -- \"$cur\")\n"
	    "\t\treturn ;;\n\t";

static const char bash_tail[] =
	    "\" ;;\n\t\tesac ;;\n\tesac\n"
	    "\tmapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$cur\")\n"
	    "}\n\n"
	    "complete -F _socketserver_bench socketserver-bench\n";

static void
print_bash(FILE *out)
{
	fputs(bash_head, out);
	put_with_argument(out);
	fputs(")\n\t\treturn ;;\n\t*)\n\t\tcase $cur in\n\t\t-*)\n"
	    "\t\t\twords=\"", out);
	option_print_bash(out, options_table);
	fputs("\" ;;\n\t\t*)\n\t\t\twords=\"", out);
	put_workloads(out);
	fputs(bash_tail, out);
}

static void
print_zsh(FILE *out)
{
	fputs("#compdef socketserver-bench\n"
	    "# SPDX-License-Identifier: ISC\n"
	    "# zsh completion for socketserver-bench; printed from its\n"
	    "# tables (make update-docs).\n\n"
	    "_socketserver_bench()\n{\n"
	    "\tlocal -a names\n\n\tnames=(\n", out);
	for (const struct workload *row = workloads; row->name != NULL; row++) {
		fprintf(out, "\t\t'%s:", row->name);
		option_print_zsh_text(out, row->help);
		fputs("'\n", out);
	}
	fputs("\t)\n\t_arguments \\\n", out);
	option_print_zsh(out, options_table);
	fputs("\t\t'1:workload:{_describe workload names}' \\\n"
	    "\t\t'2:address:'\n}\n\n_socketserver_bench \"$@\"\n", out);
}

static const struct document {
	const char *name;
	void (*print)(FILE *out);
} documents[] = {
	{ "workloads-mdoc", print_workloads_mdoc },
	{ "options-mdoc", print_options_mdoc },
	{ "faults-mdoc", print_faults_mdoc },
	{ "bash", print_bash },
	{ "zsh", print_zsh },
};

int
document_print(FILE *out, const char *name)
{
	for (size_t i = 0; i < sizeof(documents) / sizeof(documents[0]); i++)
		if (strcmp(documents[i].name, name) == 0) {
			documents[i].print(out);
			return 0;
		}
	return -ENOENT;
}
