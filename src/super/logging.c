/* SPDX-License-Identifier: ISC */
#include "super/logging.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "super/super.h"

#define LOG_FILE "file:"

static const char *const kind_words[] = {
	[LOG_KIND_STREAM] = "stream",
	[LOG_KIND_SYSLOG] = "syslog",
	[LOG_KIND_JOURNAL] = "journal",
};

static bool
is_file(const char *target)
{
	return strncmp(target, LOG_FILE, strlen(LOG_FILE)) == 0;
}

/* A file by its absolute name: the supervisor's directory is "/". */
static char *
target_of(const struct super *super)
{
	const char *target = super->held->config->log.target;

	if (!is_file(target))
		return strdup(target);
	return super_absolute(super, LOG_FILE, target + strlen(LOG_FILE));
}

/* Is this descriptor the same file as standard error? */
static bool
is_stderr(int fd)
{
	struct stat log, standard;

	return fstat(fd, &log) == 0 && fstat(2, &standard) == 0 &&
	    log.st_dev == standard.st_dev && log.st_ino == standard.st_ino;
}

/* "auto" under -d is syslog: nobody reads a detached daemon's standard error.
 * Where there is no syslog it is better than nothing. */
static int
sink_open(const struct super *super, const char *target, enum log_kind *kind,
    struct err *err)
{
	int fd = -1;

	if (super->options->is_daemon && strcmp(target, "auto") == 0)
		fd = log_sink_open("syslog", kind, NULL);
	return fd >= 0 ? fd : log_sink_open(target, kind, err);
}

/* Where the services write to. */
static void
note_sink(struct super *super)
{
	super->log_is_stderr = log_kind() == LOG_KIND_STREAM &&
	    is_stderr(log_fd());
	super->env.log_kind = kind_words[log_kind()];
	super->env.log_fd = log_fd();
}

int
logging_open(struct super *super, struct err *err)
{
	const struct config *config = super->held->config;
	char *target = target_of(super);
	enum log_kind kind;
	int fd;

	if (target == NULL)
		return err_errno(err, ENOMEM, "the log");
	fd = sink_open(super, target, &kind, err);
	if (fd < 0) {
		free(target);
		return fd;
	}
	log_use(fd, kind, (enum log_format)config->log.format,
	    (enum log_level)config->log.level, config->log.is_access_on);
	super->log_target = target;
	note_sink(super);
	return 0;
}

void
logging_resume(struct super *super)
{
	const struct upgrade_log *log = &super->upgrade.log;

	log_use(log->fd > 2 ? log->fd : -1, log->kind, log->format, log->level,
	    log->is_access_on);
	note_sink(super);
}

static void
send_log(struct generation *gen, void *arg)
{
	(void)arg;
	generation_send_log(gen);
}

/* Services follow as soon as they come to it; those that are started later are
 * told by what the supervisor does itself. */
static void
tell_services(struct super *super)
{
	size_t i;

	note_sink(super);
	for (i = 0; i < super->listener_count; i++)
		listener_each(super->listeners[i], send_log, NULL);
}

/* Another target; on failure the old one stays. Takes target. true: it is
 * another one now. */
static bool
change_target(struct super *super, char *target)
{
	enum log_kind kind;
	struct err err;
	int fd = sink_open(super, target, &kind, &err);

	if (fd < 0) {
		log_error("%s; the log stays where it was", err.text);
		free(target);
		return false;
	}
	log_replace_fd(fd, kind);
	free(super->log_target);
	super->log_target = target;
	return true;
}

static bool
apply_target(struct super *super)
{
	char *target = target_of(super);

	if (target == NULL) {
		log_error("out of memory; the log stays where it was");
		return false;
	}
	if (strcmp(target, super->log_target) != 0)
		return change_target(super, target);
	free(target);
	return false;
}

static bool
has_form(const struct config *config)
{
	return (int64_t)log_level() == config->log.level &&
	    (int64_t)log_format() == config->log.format &&
	    log_is_access_on() == config->log.is_access_on;
}

/* A reload that changes nothing here wakes no service. */
void
logging_apply(struct super *super)
{
	const struct config *config = super->held->config;
	bool is_new = apply_target(super);

	if (!is_new && has_form(config))
		return;
	log_set_level((enum log_level)config->log.level);
	log_set_format((enum log_format)config->log.format);
	log_set_access(config->log.is_access_on);
	tell_services(super);
}

static void
ask_follows(struct generation *gen, void *all)
{
	*(bool *)all = *(bool *)all && generation_follows(gen);
}

bool
logging_is_followed(const struct super *super)
{
	bool all = true;
	size_t i;

	for (i = 0; i < super->listener_count; i++)
		listener_each(super->listeners[i], ask_follows, &all);
	return all;
}

void
logging_set_level(struct super *super, enum log_level level)
{
	log_set_level(level);
	tell_services(super);
}

void
logging_reopen(struct super *super)
{
	enum log_kind kind;
	struct err err;
	int fd;

	if (!is_file(super->log_target))
		return;
	fd = log_sink_open(super->log_target, &kind, &err);
	if (fd < 0) {
		log_error("%s; the old file is still written", err.text);
		return;
	}
	log_replace_fd(fd, kind);
	tell_services(super);
	log_info("log file reopened");
}
