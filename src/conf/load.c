/* SPDX-License-Identifier: ISC */
/*
 * The supervisor's side of reading: everything that can go wrong with a text is
 * done in a child, whose answer is
 *
 *     answer RESULT FAULTS BYTES\n        FAULTS counted, BYTES of fault lines
 *     the fault lines
 *     the flat text                       when RESULT is CONFIG_OK
 */
#include "conf/read.h"

#include <config.h>
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "conf/child.h"
#include "conf/draft.h"
#include "conf/flat.h"

#define ANSWER_MAX (64UL * 1024 * 1024)
#define RUN_FILE "command line"

static const struct child_limits read_limits = {
	.cpu_s = 5,
	.memory_bytes = PARSE_MEMORY_BYTES,
	.wall_ms = 10000,
};

/* What the child is asked to read. */
struct question {
	const char *file;               /* NULL: text, of the command line */
	const char *text;
};

/* --- in the child --- */

static bool
is_missing(int code)
{
	return code == -ENOENT || code == -ENOTDIR || code == -EACCES ||
	    code == -ELOOP || code == -ENAMETOOLONG;
}

static enum config_result
read_draft(struct draft *draft, const struct question *question)
{
	int r = question->file ? draft_read_files(draft, question->file) :
	    draft_read_text(draft, RUN_FILE, question->text);

	if (is_missing(r))
		return CONFIG_NO_FILE;
	if (!r && !draft->failed)
		draft_check(draft);
	if (draft->failed) {
		fault_add(draft->faults,
		    question->file ? question->file : RUN_FILE,
		    0, NULL, NULL, "out of memory");
		return CONFIG_SYSTEM;
	}
	return draft->faults->count ? CONFIG_FAULTS : CONFIG_OK;
}

/* The absolute directory that the file's name stands in: a link counts by where
 * it is, as for the conf.d beside it. The command line has the working one. */
static const char *
directory_of(struct draft *draft, const char *file)
{
	const char *slash = file ? strrchr(file, '/') : NULL;
	char *name = slash ? strndup(file, (size_t)(slash - file) + 1) :
	    strdup(".");
	char *real = name ? realpath(name, NULL) : NULL;
	const char *directory = draft_printf(draft, "%s", real ? real : "/");

	free(name);
	free(real);
	return directory;
}

static void
tell_rest(struct faults *faults, const char *file)
{
	unsigned rest = faults->count;

	if (rest <= FAULTS_MAX)
		return;
	(void)buf_printf(&faults->text, "%s: %u more faults\n", file,
	    rest - FAULTS_MAX);
}

/* Beside faults, only the listeners go back whose handlers can be looked at all
 * the same, so that the faults in their options are told in the same run. */
static void
keep_probeable(struct draft *draft)
{
	struct config *config = draft->config;
	size_t kept = 0;

	for (size_t i = 0; i < config->listener_count; i++) {
		const struct draft_listener *listener = &draft->listeners[i];
		struct listener_conf *conf = &config->listeners[i];

		if (!*conf->handler_file || draft_is_bad(listener, "name") ||
		    draft_is_bad(listener, "handler"))
			continue;
		/* What has its fault already is not told again. */
		if (draft_is_bad(listener, "concurrency"))
			conf->concurrency = CONCURRENCY_SYNC;
		if (draft_is_bad(listener, "allow"))
			conf->allow.count = 0;
		if (draft_is_bad(listener, "deny"))
			conf->deny.count = 0;
		config->listeners[kept++] = *conf;
	}
	config->listener_count = kept;
}

static void
answer_question(void *arg, struct buf *answer)
{
	const struct question *question = arg;
	struct faults faults;
	struct draft draft = { .config = config_new(), .faults = &faults };
	enum config_result result;

	if (!draft.config) {
		answer->failed = true;
		return;
	}
	faults_init(&faults);
	draft.directory = directory_of(&draft, question->file);
	result = read_draft(&draft, question);
	tell_rest(&faults, question->file ? question->file : RUN_FILE);
	(void)buf_printf(answer, "answer %d %u "
	    "%zu\n", (int)result, faults.count,
	    faults.text.len);
	(void)buf_append(answer, faults.text.data ? faults.text.data : "",
	    faults.text.len);
	if (result == CONFIG_FAULTS)
		keep_probeable(&draft);
	if (result == CONFIG_OK || draft.config->listener_count > 0)
		(void)flat_encode(answer, draft.config);
	faults_free(&faults);
	config_free(&draft.config);
}

/* --- in the caller --- */

/* Lines for a terminal: whatever became of the child, no control bytes. */
static void
keep_faults(struct faults *faults, const char *text, size_t len, unsigned count)
{
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];

		(void)buf_append(&faults->text, (c < 0x20 && c != '\n') ||
		    c == 0x7f ? "?" : &text[i], 1);
	}
	faults->count += count;
}

/* False: not an answer. */
static bool
take_answer(const struct buf *answer, enum config_result *result,
    struct config **config, struct faults *faults)
{
	unsigned code, count;
	size_t len, rest;
	int head = 0;
	struct err err;

	if (!answer->data || sscanf(answer->data, "answer %u %u %zu%n", &code,
	    &count, &len, &head) != 3 || answer->data[head] != '\n' ||
	    code > CONFIG_SYSTEM)
		return false;
	rest = answer->len - (size_t)head - 1;
	if (len > rest)
		return false;
	keep_faults(faults, answer->data + head + 1, len, count);
	*result = (enum config_result)code;
	if (rest > len)
		*config = flat_decode(answer->data + head + 1 + len,
		    rest - len, &err);
	return *result == CONFIG_OK ? *config != NULL : count > 0;
}

static enum config_result
ask(struct question *question, struct config **config, struct faults *faults)
{
	const char *file = question->file ? question->file : RUN_FILE;
	enum config_result result = CONFIG_SYSTEM;
	struct buf answer;
	struct err err;
	int r;

	*config = NULL;
	buf_init(&answer, ANSWER_MAX);
	r = child_run(answer_question, question, &read_limits, &answer, &err);
	if (r == -ECHILD) {
		fault_add(faults, file, 0, NULL, NULL, "the process that reads "
		    "the configuration %s; a smaller file, and host names that "
		    "a server answers for, are read within %u s of processor "
		    "time and %ld s in all", err.text, read_limits.cpu_s,
		    read_limits.wall_ms / 1000);
		result = CONFIG_FAULTS;
	} else if (r) {
		fault_add(faults, file, 0, NULL, NULL, "cannot be read: %s",
		    err.text);
	} else if (!take_answer(&answer, &result, config, faults)) {
		fault_add(faults, file, 0, NULL, NULL, "the process that reads "
		    "the configuration gave a wrong answer; read it again");
		result = CONFIG_SYSTEM;
	}
	buf_free(&answer);
	return result;
}

enum config_result
config_load(const char *path, struct config **config, struct faults *faults)
{
	struct question question = { .file = path };

	return ask(&question, config, faults);
}

/* --- -r --- */

/* A listener's name from its handler's: "echo" of "./lib/echo.so". */
static void
put_run_name(struct buf *out, const char *handler)
{
	const char *slash = strrchr(handler, '/');
	const char *base = slash ? slash + 1 : handler;
	size_t len = strlen(base);

	if (len > 3 && strcmp(base + len - 3, ".so") == 0)
		len -= 3;
	if (!len || len > 63 || !isalnum((unsigned char)*base)) {
		(void)buf_puts(out, "run");
		return;
	}
	for (size_t i = 0; i < len; i++)
		(void)buf_append(out,
		    isalnum((unsigned char)base[i]) ? base + i : "_", 1);
}

/* A number, true or false, something in quotes or brackets: as it is. The rest
 * is a string. */
static bool
is_literal(const char *text)
{
	const char *digits = text + (*text == '-' || *text == '+');

	if (strcmp(text, "true") == 0 || strcmp(text, "false") == 0)
		return true;
	if (strchr("\"([{", *text) && *text)
		return true;
	return *digits && strspn(digits, "0123456789.") == strlen(digits) &&
	    isdigit((unsigned char)*digits) && !(*digits == '0' &&
	    isdigit((unsigned char)digits[1])) &&
	    strchr(digits, '.') == strrchr(digits, '.') && strlen(digits) < 18;
}

static void
put_run_option(struct buf *out, const char *option)
{
	const char *equals = strchr(option, '=');
	const char *value = equals + 1;

	(void)buf_printf(out, " %.*s = ", (int)(equals - option), option);
	if (!is_literal(value))
		quote(out, value);
	else if (isdigit((unsigned char)value[strlen(value) - 1]) &&
	    !strchr(value, '.'))
		(void)buf_printf(out, "%sL", value);
	else
		(void)buf_puts(out, value);
	(void)buf_puts(out, ";");
}

static bool
is_option(const char *option)
{
	size_t len = strspn(option, "abcdefghijklmnopqrstuvwxyz"
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-");

	return len && option[len] == '=';
}

/* All on one line: there is only the one command line. */
static void
put_run(struct buf *out, const char *address, const char *handler,
    const char *model, char **options, size_t option_count)
{
	(void)buf_puts(out, "listeners = ( { name = \"");
	put_run_name(out, handler);
	(void)buf_puts(out, "\"; listen = ");
	quote(out, address);
	(void)buf_puts(out, "; handler = ");
	quote(out, handler);
	if (model) {
		(void)buf_puts(out, "; concurrency = ");
		quote(out, model);
	}
	(void)buf_puts(out, "; options = {");
	for (size_t i = 0; i < option_count; i++)
		put_run_option(out, options[i]);
	(void)buf_puts(out, " }; } );\n");
}

enum config_result
config_run(const char *address, const char *handler, const char *model,
    char **options, size_t option_count, struct config **config,
    struct faults *faults)
{
	struct question question = { NULL, NULL };
	enum config_result result = CONFIG_SYSTEM;
	struct buf text;

	*config = NULL;
	for (size_t i = 0; i < option_count; i++)
		if (!is_option(options[i])) {
			fault_add(faults, RUN_FILE, 0, NULL, options[i],
			    "is no option; NAME=VALUE is allowed");
			return CONFIG_FAULTS;
		}
	buf_init(&text, 0);
	put_run(&text, address, handler, model, options, option_count);
	question.text = text.data;
	if (text.failed)
		fault_add(faults, RUN_FILE, 0, NULL, NULL, "out of memory");
	else
		result = ask(&question, config, faults);
	buf_free(&text);
	return result;
}
