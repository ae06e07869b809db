/* SPDX-License-Identifier: ISC */
#include "ctl/document.h"

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "base/log.h"
#include "ctl/options.h"

/* The manual page */

/* mdoc(7): a sentence begins a line, and "-" in what is typed is no hyphen. */
static void
mdoc_text(FILE *out, const char *text)
{
	for (; *text != '\0'; text++) {
		if (text[0] == '-' && text[1] == '-') {
			fputs("\\-\\-", out);
			text++;
		} else if (text[0] == ' ' && text[-1] == '.') {
			fputc('\n', out);
		} else {
			fputc(*text, out);
		}
	}
	fputc('\n', out);
}

/* "[--confirm-within TIME]" is Op Fl -confirm-within Ar TIME, "NAME" Ar NAME */
static void
mdoc_arguments(FILE *out, const char *arguments)
{
	bool is_text = false;

	for (; *arguments != '\0'; arguments++) {
		if (*arguments == '[') {
			fputs(" Op", out);
		} else if (strncmp(arguments, "--", 2) == 0) {
			fputs(" Fl -", out);
			arguments++;
			is_text = true;
		} else if (*arguments == ' ' || *arguments == ']') {
			is_text = false;
		} else {
			fputs(is_text ? "" : " Ar ", out);
			fputc(*arguments, out);
			is_text = true;
		}
	}
}

static void
print_commands_mdoc(FILE *out)
{
	for (int i = 0; i < COMMANDS; i++) {
		fprintf(out, ".It Cm %s", commands[i].name);
		mdoc_arguments(out, commands[i].arguments);
		fputc('\n', out);
		mdoc_text(out, commands[i].text);
	}
}

static void
print_options_mdoc(FILE *out)
{
	option_print_mdoc(out, options_table);
}

/* Completion */

enum words { WORDS_NONE, WORDS_LISTENERS, WORDS_LEVELS };

/* What the first word after a command may be. */
static enum words
command_words(const struct command_row *row)
{
	if (strstr(row->arguments, "NAME") != NULL ||
	    strstr(row->arguments, "LISTENER") != NULL)
		return WORDS_LISTENERS;
	return strstr(row->arguments, "LEVEL") != NULL ? WORDS_LEVELS :
	    WORDS_NONE;
}

/* The names of all commands of a kind, or of all (kind -1). */
static void
put_commands(FILE *out, int kind, const char *between)
{
	const char *before = "";

	for (int i = 0; i < COMMANDS; i++)
		if (kind < 0 || (int)command_words(&commands[i]) == kind) {
			fprintf(out, "%s%s", before, commands[i].name);
			before = between;
		}
}

static void
put_levels(FILE *out)
{
	for (int level = LOG_LEVEL_DEBUG; level <= LOG_LEVEL_ERROR; level++)
		fprintf(out, "%s%s", level > LOG_LEVEL_DEBUG ? " " : "",
		    log_level_word((enum log_level)level));
}

static const char bash_head[] =
	    "# SPDX-License-Identifier: ISC\n"
	    "# bash completion for socketserverctl; printed from its tables\n"
	    "# (make update-docs).\n\n"
	    "_socketserverctl()\n{\n"
	    "\tlocal cur=${COMP_WORDS[COMP_CWORD]} "
	    "last=${COMP_WORDS[COMP_CWORD-1]}\n"
	    "\tlocal i word words='' command='' count=0 socket=()\n\n"
	    "\tCOMPREPLY=()\n"
	    "\tcase $last in\n"
	    "\t-s|--socket)\n"
	    "\t\tmapfile -t COMPREPLY < <(compgen -f -- \"$cur\")\n"
	    "\t\treturn ;;\n"
	    "\t--confirm-within)\n"
	    "\t\treturn ;;\n"
	    "\tesac\n"
	    "\tfor ((i = 1; i < COMP_CWORD; i++)); do\n"
	    "\t\tword=${COMP_WORDS[i]}\n"
	    "\t\tcase $word in\n"
	    "\t\t-s|--socket|--confirm-within)\n"
	    "\t\t\t[[ ${COMP_WORDS[i+1]} == = ]] && ((++i))\n"
	    "\t\t\t((++i))\n"
	    "\t\t\t[[ $word == --confirm-within ]] ||\n"
	    "\t\t\t\tsocket=(-s \"${COMP_WORDS[i]}\") ;;\n"
	    "\t\t-*) ;;\n"
	    "\t\t*)\n"
	    "\t\t\tif [[ -z $command ]]; then\n"
	    "\t\t\t\tcommand=$word\n"
	    "\t\t\telse\n"
	    "\t\t\t\tcount=$((count + 1))\n"
	    "\t\t\tfi ;;\n"
	    "\t\tesac\n"
	    "\tdone\n"
	    "\tcase $count/$cur/$command in\n"
	    "\t*/-*/*)\n"
	    "\t\twords=\"";

static const char bash_tail[] =
	    "\" ;;\n\tesac\n"
	    "\tmapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$cur\")\n"
	    "}\n\n"
	    "complete -F _socketserverctl socketserverctl\n";

static void
print_bash(FILE *out)
{
	fputs(bash_head, out);
	option_print_bash(out, options_table);
	fputs("\" ;;\n\t0/*/)\n\t\twords=\"", out);
	put_commands(out, -1, " ");
	fputs("\" ;;\n\t0/*/", out);
	put_commands(out, WORDS_LISTENERS, "|0/*/");
	fputs(")\n\t\twords=$(\"$1\" \"${socket[@]}\" list 2>/dev/null |\n"
	    "\t\t\tsed -n '1d; s/^\\([^ ]\\{1,\\}\\).*/\\1/p') ;;\n\t0/*/",
	    out);
	put_commands(out, WORDS_LEVELS, "|0/*/");
	fputs(")\n\t\twords=\"", out);
	put_levels(out);
	fputs(bash_tail, out);
}

static const char zsh_head[] =
	    "#compdef socketserverctl\n"
	    "# SPDX-License-Identifier: ISC\n"
	    "# zsh completion for socketserverctl; printed from its tables\n"
	    "# (make update-docs).\n\n"
	    "_socketserverctl_listeners()\n{\n"
	    "\tlocal -a names socket\n"
	    "\tlocal file=${opt_args[-s]:-${opt_args[--socket]}}\n\n"
	    "\t[[ -n $file ]] && socket=(-s $file)\n"
	    "\tnames=(${(f)\"$($words[1] $socket list 2>/dev/null |\n"
	    "\t\tsed -n '1d; s/^\\([^ ]\\{1,\\}\\).*/\\1/p')\"})\n"
	    "\tcompadd -a names\n"
	    "}\n\n"
	    "_socketserverctl()\n{\n"
	    "\tlocal context state line\n"
	    "\tlocal -A opt_args\n"
	    "\tlocal -a names\n\n"
	    "\tnames=(\n";

static void
put_zsh_commands(FILE *out)
{
	for (int i = 0; i < COMMANDS; i++) {
		fprintf(out, "\t\t'%s:", commands[i].name);
		option_print_zsh_text(out, commands[i].help);
		fputs("'\n", out);
	}
}

static void
print_zsh(FILE *out)
{
	fputs(zsh_head, out);
	put_zsh_commands(out);
	fputs("\t)\n\t_arguments -C \\\n", out);
	option_print_zsh(out, options_table);
	fputs("\t\t'1:command:->command' \\\n"
	    "\t\t'2:word:->word' && return\n"
	    "\tcase $state in\n"
	    "\tcommand)\n\t\t_describe command names ;;\n"
	    "\tword)\n\t\tcase $line[1] in\n\t\t", out);
	put_commands(out, WORDS_LISTENERS, "|");
	fputs(")\n\t\t\t_socketserverctl_listeners ;;\n\t\t", out);
	put_commands(out, WORDS_LEVELS, "|");
	fputs(")\n\t\t\tcompadd ", out);
	put_levels(out);
	fputs(" ;;\n\t\tesac ;;\n\tesac\n}\n\n_socketserverctl \"$@\"\n", out);
}

static const struct document {
	const char *name;
	void (*print)(FILE *out);
} documents[] = {
	{ "commands-mdoc", print_commands_mdoc },
	{ "options-mdoc", print_options_mdoc },
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
