/* SPDX-License-Identifier: ISC */
/* The commands of the control socket: who may, and functions[]. */
#include <config.h>

#include "super/command.h"

#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "control/command.h"
#include "super/answer.h"
#include "super/change.h"
#include "super/logging.h"
#include "super/requests.h"
#include "super/status.h"
#include "super/super.h"

typedef void command_fn(struct super *super,
    const struct control_request *request);

void
command_answer(struct super *super, uint64_t ticket, json_t *result)
{
	struct buf line;

	answer_result(&line, result);
	control_answer(super->control, ticket, &line);
}

void
command_answer_cut(struct super *super, uint64_t ticket, json_t *result,
    json_int_t left_out)
{
	struct buf line;

	answer_cut(&line, result, left_out);
	control_answer(super->control, ticket, &line);
}

void
command_refuse(struct super *super, uint64_t ticket, enum wire_code code,
    const char *format, ...)
{
	struct buf line;
	struct err err;
	va_list ap;

	va_start(ap, format);
	(void)vsnprintf(err.text, sizeof(err.text), format, ap);
	va_end(ap);
	answer_refuse(&line, code, "%s", err.text);
	control_answer(super->control, ticket, &line);
}

void
command_refuse_with(struct super *super, uint64_t ticket, const char *why,
    const char *faults, json_t *result)
{
	struct buf line;

	answer_refuse_with(&line, why, faults, result);
	control_answer(super->control, ticket, &line);
}

struct listener *
command_listener(struct super *super, const struct control_request *request)
{
	struct listener *listener = super_listener(super, request->words[1]);

	if (listener == NULL)
		command_refuse(super, request->ticket, WIRE_NO, "there is no "
		    "listener \"%s\"; the command list names them",
		    request->words[1]);
	return listener;
}

void
command_answer_version(struct super *super, uint64_t ticket)
{
	command_answer(super, ticket, json_pack("{s:s, s:I}", "version",
	    PACKAGE_VERSION, "pid", (json_int_t)getpid()));
}

static void
run_ping(struct super *super, const struct control_request *request)
{
	command_answer_version(super, request->ticket);
}

static void
run_status(struct super *super, const struct control_request *request)
{
	command_answer(super, request->ticket, status_daemon(super));
}

static void
run_list(struct super *super, const struct control_request *request)
{
	command_answer(super, request->ticket, status_list(super));
}

static void
run_show(struct super *super, const struct control_request *request)
{
	struct listener *listener = command_listener(super, request);

	if (listener != NULL)
		command_answer(super, request->ticket,
		    status_show(super, listener));
}

static void
run_health(struct super *super, const struct control_request *request)
{
	const struct listener *listener = NULL;

	if (request->count > 1) {
		listener = command_listener(super, request);
		if (listener == NULL)
			return;
	}
	command_answer(super, request->ticket, json_pack("{s:s}", "health",
	    status_health(super, listener)));
}

static void
run_log_level(struct super *super, const struct control_request *request)
{
	int level = log_level_parse(request->words[1]);

	if (level < 0) {
		command_refuse(super, request->ticket, WIRE_USAGE, "there is "
		    "no level \"%s\"; debug, info, notice, warning or error "
		    "is allowed", request->words[1]);
		return;
	}
	logging_set_level(super, (enum log_level)level);
	command_answer(super, request->ticket, json_pack("{s:s}", "level",
	    log_level_word((enum log_level)level)));
}

static void
run_upgrade(struct super *super, const struct control_request *request)
{
	upgrade_ask(super, request->ticket);
}

static command_fn *const functions[COMMANDS] = {
	[COMMAND_STATUS] = run_status,
	[COMMAND_SHOW] = run_show,
	[COMMAND_LIST] = run_list,
	[COMMAND_CONNECTIONS] = requests_list,
	[COMMAND_HEALTH] = run_health,
	[COMMAND_PLAN] = change_plan,
	[COMMAND_RELOAD] = change_reload,
	[COMMAND_CONFIRM] = change_confirm,
	[COMMAND_ROLLBACK] = change_rollback,
	[COMMAND_START] = change_start,
	[COMMAND_STOP] = change_stop,
	[COMMAND_RESTART] = change_restart,
	[COMMAND_DRAIN] = change_drain,
	[COMMAND_KILL] = requests_kill,
	[COMMAND_LOG_LEVEL] = run_log_level,
	[COMMAND_UPGRADE] = run_upgrade,
	[COMMAND_PING] = run_ping,
};

static void
log_change(const struct control_request *request)
{
	log_notice("command %s%s%s from process %ld of user %ld",
	    request->words[0], request->count > 1 ? " " : "",
	    request->count > 1 ? request->words[1] : "", (long)request->pid,
	    (long)request->uid);
}

/* Is it a command, written as it should be, of somebody who may? Whose is not
 * has been told. */
static bool
may_run(struct super *super, const struct control_request *request,
    enum command command)
{
	const struct command_row *row = &commands[command];
	const char *word = request->words[0];
	uint64_t ticket = request->ticket;

	if (command == COMMANDS)
		command_refuse(super, ticket, WIRE_USAGE,
		    "there is no command \"%s\"", word);
	else if (row->place == COMMAND_LOCAL)
		command_refuse(super, ticket, WIRE_USAGE, "%s is for "
		    "socketserverctl to do, not for the daemon", word);
	else if (request->count - 1 < row->least ||
	    request->count - 1 > row->most)
		command_refuse(super, ticket, WIRE_USAGE, "usage: %s%s%s", word,
		    row->arguments[0] != '\0' ? " " : "", row->arguments);
	else if (row->place == COMMAND_CHANGES && !request->may_change)
		command_refuse(super, ticket, WIRE_DENIED, "only root and the "
		    "daemon's own user may use the command %s", word);
	else if (functions[command] == NULL)
		command_refuse(super, ticket, WIRE_NO, "%s is not available "
		    "in this version", word);
	else
		return true;
	return false;
}

void
command_run(void *arg, const struct control_request *request)
{
	enum command command = command_find(request->words[0]);

	if (!may_run(arg, request, command))
		return;
	if (commands[command].place == COMMAND_CHANGES)
		log_change(request);
	functions[command](arg, request);
}
