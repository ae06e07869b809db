/* SPDX-License-Identifier: ISC */
#include "ctl/commands.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "ctl/client.h"
#include "ctl/output.h"
#include "ctl/talk.h"
#include "ctl/text.h"
#include "ctl/top.h"
#include "ctl/view.h"

/* What a command does with the answer; or run, which does all of it. */
struct behaviour {
	view_fn *view;
	enum wire_code (*code)(const json_t *result);   /* NULL: WIRE_OK */
	enum wire_code (*run)(const struct options *options);
};

static const struct behaviour behaviours[COMMANDS];

/* The words of a command, as they go over the wire. */
struct question {
	const char *words[WIRE_WORDS_MAX];
	size_t count;
	char milliseconds[32];
};

static enum wire_code
question_confirm(struct question *question, const char *text, struct err *err)
{
	int64_t ms;

	if (text_duration(text, &ms) < 0) {
		err_set(err, "--confirm-within %s: write a time such as 60s, "
		    "5m or 1h", text);
		return WIRE_USAGE;
	}
	(void)snprintf(question->milliseconds, sizeof(question->milliseconds),
	    "%" PRId64, ms);
	question->words[question->count++] = "confirm-within";
	question->words[question->count++] = question->milliseconds;
	return WIRE_OK;
}

static enum wire_code
question_make(struct buf *line, const struct options *options, struct err *err)
{
	struct question question = { .count = 0 };
	enum wire_code code = WIRE_OK;
	size_t i;

	/* commands[].most holds them below WIRE_WORDS_MAX */
	for (i = 0; i < options->word_count; i++)
		question.words[question.count++] = options->words[i];
	if (options->confirm_within != NULL)
		code = question_confirm(&question, options->confirm_within,
		    err);
	if (code == WIRE_OK)
		code = client_line(line, commands[options->command].name,
		    question.words, question.count, err);
	return code;
}

/* The daemon's own code where it has one that it may give. */
static enum wire_code
answer_code(const json_t *answer)
{
	int64_t code = field_number(answer, "code");

	if (json_is_true(json_object_get(answer, "ok")))
		return WIRE_OK;
	return code == WIRE_USAGE || code == WIRE_DENIED ?
	    (enum wire_code)code : WIRE_NO;
}

static int
timeout_of(const struct options *options)
{
	return commands[options->command].place == COMMAND_READS ?
	    CLIENT_READ_MS : 0;
}

enum wire_code
command_result(const struct options *options, enum command command,
    json_t **result, struct err *err)
{
	struct client client;
	struct buf line;
	json_t *answer = NULL;
	enum wire_code code = client_open(&client, options->socket, err);

	*result = NULL;
	buf_init(&line, 0);
	if (code == WIRE_OK)
		code = client_line(&line, commands[command].name, NULL, 0, err);
	if (code == WIRE_OK)
		code = client_ask(&client, &line, CLIENT_READ_MS, &answer, err);
	if (answer != NULL && answer_code(answer) != WIRE_OK) {
		code = answer_code(answer);
		err_set(err, "%s", field_text(answer, "error"));
	}
	if (code == WIRE_OK)
		*result = json_incref(json_object_get(answer, "result"));
	json_decref(answer);
	buf_free(&line);
	client_close(&client);
	return code;
}

static void
print_refusal(const json_t *answer, enum wire_code code)
{
	const json_t *faults = field_array(answer, "faults");
	size_t i;

	complain(field_text(answer, "error"));
	for (i = 0; i < json_array_size(faults); i++)
		complain_line(item_text(faults, i));
	if (code == WIRE_DENIED)
		complain("run this as root; reading is allowed to the group of "
		    "the control socket (control.group) too");
}

/* A list that is not whole says so. */
static void
print_left_out(const json_t *answer)
{
	int64_t count = field_number(answer, "left_out");
	struct err err;

	if (count <= 0)
		return;
	err_set(&err, "%" PRId64 " more are left out; name a listener", count);
	complain(err.text);
}

static enum wire_code
print_answer(const struct options *options, const json_t *answer)
{
	const json_t *result = json_object_get(answer, "result");
	enum wire_code code = answer_code(answer), written;
	struct view view;

	view_init(&view, output_has_colour());
	if (options->is_json)
		view_json(&view, code == WIRE_OK ? result : answer,
		    output_is_terminal());
	else if (code == WIRE_OK || json_is_object(result))
		behaviours[options->command].view(&view, result);
	if (!options->is_json && code != WIRE_OK)
		print_refusal(answer, code);
	written = output_write(&view.out);
	print_left_out(answer);
	view_free(&view);
	return written != WIRE_OK ? written : code;
}

/* After its answer the daemon drains; its end is the end of the connection. */
static enum wire_code
wait_for_stop(const struct options *options, struct client *client)
{
	enum wire_code code;
	struct buf out;

	client_wait_end(client);
	if (options->is_json)
		return WIRE_OK;
	buf_init(&out, 0);
	(void)buf_puts(&out, "socketserverd: stopped\n");
	code = output_write(&out);
	buf_free(&out);
	return code;
}

static enum wire_code
command_converse(const struct options *options, struct client *client,
    const struct buf *line, struct err *err)
{
	const struct behaviour *behaviour = &behaviours[options->command];
	json_t *answer = NULL;
	enum wire_code code = client_ask(client, line, timeout_of(options),
	    &answer, err);

	if (code != WIRE_OK) {
		complain(err->text);
		return code;
	}
	code = print_answer(options, answer);
	if (code == WIRE_OK && behaviour->code != NULL)
		code = behaviour->code(json_object_get(answer, "result"));
	json_decref(answer);
	if (code == WIRE_OK && options->command == COMMAND_STOP &&
	    options->word_count == 0)
		code = wait_for_stop(options, client);
	return code;
}

static enum wire_code
command_ask(const struct options *options)
{
	struct client client = { .fd = -1 };
	struct buf line;
	struct err err;
	enum wire_code code;

	buf_init(&line, 0);
	buf_init(&client.in, 0);
	code = question_make(&line, options, &err);
	if (code == WIRE_OK)
		code = client_open(&client, options->socket, &err);
	if (code == WIRE_OK)
		code = command_converse(options, &client, &line, &err);
	else
		complain(err.text);
	client_close(&client);
	buf_free(&line);
	return code;
}

enum wire_code
command_run(const struct options *options)
{
	const struct behaviour *behaviour = &behaviours[options->command];

	return behaviour->run != NULL ? behaviour->run(options) :
	    command_ask(options);
}

static enum wire_code
health_code(const json_t *result)
{
	return strcmp(field_text(result, "health"), "ready") == 0 ? WIRE_OK :
	    WIRE_NO;
}

/* As diff(1) and other planners have it: 2 is "there is something". */
static enum wire_code
plan_code(const json_t *result)
{
	return plan_has_changes(result) ? (enum wire_code)2 : WIRE_OK;
}

static const struct behaviour behaviours[COMMANDS] = {
	[COMMAND_STATUS] = { view_status, NULL, NULL },
	[COMMAND_SHOW] = { view_show, NULL, NULL },
	[COMMAND_LIST] = { view_list, NULL, NULL },
	[COMMAND_CONNECTIONS] = { view_connections, NULL, NULL },
	[COMMAND_HEALTH] = { view_health, health_code, NULL },
	[COMMAND_TOP] = { view_status, NULL, top_run },
	[COMMAND_PLAN] = { view_plan, plan_code, NULL },
	[COMMAND_RELOAD] = { view_plan, NULL, NULL },
	[COMMAND_CONFIRM] = { view_nothing, NULL, NULL },
	[COMMAND_ROLLBACK] = { view_plan, NULL, NULL },
	[COMMAND_START] = { view_state, NULL, NULL },
	[COMMAND_STOP] = { view_state, NULL, NULL },
	[COMMAND_RESTART] = { view_state, NULL, NULL },
	[COMMAND_DRAIN] = { view_state, NULL, NULL },
	[COMMAND_KILL] = { view_kill, NULL, NULL },
	[COMMAND_LOG_LEVEL] = { view_level, NULL, NULL },
	[COMMAND_UPGRADE] = { view_version, NULL, NULL },
	[COMMAND_TALK] = { NULL, NULL, talk_run },
	[COMMAND_PING] = { view_version, NULL, NULL },
};
