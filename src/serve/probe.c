/* SPDX-License-Identifier: ISC */
/*
 * The probes. The parent opens and checks files; only its children load them.
 */
#include "serve/probe.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/sig.h"
#include "conf/flat.h"
#include "handler/host.h"
#include "handler/module.h"
#include "model/model.h"
#include "serve/jail.h"

#define LOAD_SECONDS 10
/* The exit statuses of a child that came to its end. Not 0: a constructor may
 * call exit(0). */
#define STATUS_SOUND 197
#define STATUS_FAULTY 198
#define CONFIG_MAX_BYTES (16 << 20)

typedef int probe_fn(void *arg, int file);      /* runs in the child */

static void
unblock_alarm(void)
{
	sigset_t set;

	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGALRM);
	(void)sigprocmask(SIG_UNBLOCK, &set, NULL);
}

/* Run fn in a child with `out` as its standard output. Its wait status. */
static int
run_in_child(probe_fn *fn, void *arg, int file, int out)
{
	int status = 0;

	(void)fflush(NULL);
	pid_t pid = fork();
	if (pid == 0) {
		if (out != STDOUT_FILENO)
			(void)dup2(out, STDOUT_FILENO);
		(void)alarm(LOAD_SECONDS);      /* its default action ends us */
		unblock_alarm();
		status = fn(arg, file);
		(void)fflush(stdout);
		_exit(status);
	}
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return pid < 0 ? 1 << 8 : status;
}

static const char *
death_of(int status, char *text, size_t size)
{
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM)
		(void)snprintf(text, size, "did not finish loading within %d "
		    "seconds", LOAD_SECONDS);
	else if (WIFSIGNALED(status))
		(void)snprintf(text, size, "was killed by %s while it was "
		    "being loaded", sig_name(WTERMSIG(status)));
	else
		(void)snprintf(text, size, "ended its process (status %d) "
		    "while it was being loaded", WEXITSTATUS(status));
	return text;
}

/* -- check -------------------------------------------------------------- */

/* In the child: load, compare, check the options, report. */
static int
check_listener(void *arg, int file)
{
	const struct listener_conf *conf = arg;
	struct module module;
	struct host host;
	struct faults faults;
	struct err err;
	const char *key = "handler";

	faults_init(&faults);
	if (jail_probe(&err) < 0 ||
	    module_load(&module, file, conf->handler_file, &err) < 0 ||
	    module_fits(&module, conf, model_of(conf)->demands, &key, &err) < 0)
		fault_add(&faults, conf->file, conf->line, conf->name, key,
		    "%s", err.text);
	else if (host_init(&host, conf, &module, &faults) < 0 &&
	    faults.count == 0)
		fault_add(&faults, conf->file, conf->line, conf->name, key,
		    "out of memory");
	if (faults.text.len > 0)
		(void)fd_write_all(STDOUT_FILENO, faults.text.data,
		    faults.text.len);
	return faults.count > 0 ? STATUS_FAULTY : STATUS_SOUND;
}

static bool
is_clean_end(int status)
{
	return WIFEXITED(status) && (WEXITSTATUS(status) == STATUS_SOUND ||
	    WEXITSTATUS(status) == STATUS_FAULTY);
}

/* True when there is nothing wrong with it. */
static bool
probe_listener(struct listener_conf *conf, int report)
{
	struct faults faults;
	struct err err;
	char death[96];
	int status = 0, file = module_open(conf->handler_file, &err);

	faults_init(&faults);
	if (file < 0) {
		fault_add(&faults, conf->file, conf->line, conf->name,
		    "handler", "%s", err.text);
	} else {
		status = run_in_child(check_listener, conf, file, report);
		if (!is_clean_end(status))
			fault_add(&faults, conf->file, conf->line, conf->name,
			    "handler", "handler %s %s", conf->handler_file,
			    death_of(status, death, sizeof(death)));
	}
	if (faults.text.len > 0)
		(void)fd_write_all(report, faults.text.data, faults.text.len);
	bool is_sound = faults.count == 0 && WIFEXITED(status) &&
	    WEXITSTATUS(status) == STATUS_SOUND;
	faults_free(&faults);
	fd_close(&file);
	return is_sound;
}

enum exit_code
probe_check(struct inherit *inherit)
{
	struct buf text;
	struct err err = { .text = "no configuration was handed over" };
	enum exit_code code = EXIT_OK;
	int fd = inherit_find(inherit, "config");
	int report = inherit_find(inherit, "report");

	buf_init(&text, CONFIG_MAX_BYTES);
	struct config *config = NULL;
	if (fd >= 0 && fd_read_all(fd, &text, 0) == 0)
		config = flat_decode(text.data, text.len, &err);
	if (config == NULL) {
		(void)dprintf(report, "%s\n", err.text);
		code = EXIT_SYSTEM;
	}
	for (size_t i = 0; config != NULL && i < config->listener_count; i++)
		if (config->listeners[i].is_enabled &&
		    !probe_listener(&config->listeners[i], report))
			code = EXIT_CONFIG;
	config_free(&config);
	buf_free(&text);
	fd_close(&fd);
	fd_close(&report);
	return code;
}

/* -- describe ----------------------------------------------------------- */

static const struct kind_name {
	unsigned kind;
	const char *name;
} kind_names[] = {
	{ SS_STREAM, "stream" },
	{ SS_DATAGRAM, "datagram" },
	{ SS_THREADS, "threads" },
	{ SS_FIBERS, "fibers" },
	{ SS_NEEDS_FD, "needs-fd" },
	{ SS_READS_FIRST, "reads-first" },
};

static void
print_kinds(unsigned kinds)
{
	const char *comma = "";

	for (size_t i = 0; i < sizeof(kind_names) / sizeof(kind_names[0]); i++)
		if (kinds & kind_names[i].kind) {
			(void)printf("%s%s", comma, kind_names[i].name);
			comma = ",";
		}
}

static int
describe_file(void *arg, int file)
{
	const char *path = arg;
	struct module module;
	struct err err;

	if (jail_probe(&err) < 0 || module_load(&module, file, path, &err) < 0) {
		(void)fprintf(stderr, "%s\n", err.text);
		return STATUS_FAULTY;
	}
	const struct ss_handler *h = &module.handler;
	(void)printf("%s\t%s\t", h->name, h->version ? h->version : "-");
	print_kinds(h->kinds);
	(void)printf("\t%s\t%s\n", h->summary ? h->summary : "-", path);
	return STATUS_SOUND;
}

enum exit_code
probe_describe(char **files)
{
	enum exit_code code = EXIT_OK;
	struct err err;
	char death[96];

	for (; *files != NULL; files++) {
		int file = module_open(*files, &err);
		if (file < 0) {
			(void)fprintf(stderr, "%s\n", err.text);
			code = EXIT_CONFIG;
			continue;
		}
		int status = run_in_child(describe_file, *files, file,
		    STDOUT_FILENO);
		if (!is_clean_end(status))
			(void)fprintf(stderr, "handler %s %s\n", *files,
			    death_of(status, death, sizeof(death)));
		if (WEXITSTATUS(status) != STATUS_SOUND)
			code = EXIT_CONFIG;
		fd_close(&file);
	}
	return code;
}
