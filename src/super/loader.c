/* SPDX-License-Identifier: ISC */
/*
 * The answer of the child:
 *
 *     loaded CODE FAULTS CONFIG\n      the lengths of what follows, in bytes
 *     the fault lines
 *     the flat text                    when CODE is EXIT_OK
 *
 * A load is over when the child has ended, and not when it has answered: then
 * it is known how it ended, and nothing of it is left.
 */
#include "super/loader.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/sig.h"
#include "conf/flat.h"
#include "super/load.h"

#define ANSWER_MAX (66UL * 1024 * 1024) /* of a reader, and faults */
#define READ_BYTES 65536
#define READS_A_TURN 16
#define CHILD_FAILED 2                  /* exit status: it could not answer */

/* --- in the child --- */

static void
put_answer(struct buf *answer, enum exit_code code, const struct buf *faults,
    const struct buf *flat)
{
	(void)buf_printf(answer, "loaded %d %zu %zu\n", (int)code, faults->len,
	    flat->len);
	(void)buf_append(answer, faults->data != NULL ? faults->data : "",
	    faults->len);
	(void)buf_append(answer, flat->data != NULL ? flat->data : "",
	    flat->len);
}

static void
load_and_answer(const struct options *options, const struct program *program,
    int fd)
{
	struct config *config;
	struct buf answer, faults, flat;
	enum exit_code code;
	int r;

	buf_init(&answer, ANSWER_MAX);
	buf_init(&faults, LOAD_FAULTS_MAX);
	buf_init(&flat, 0);
	code = load_checked(options, program, &config, &faults);
	r = config != NULL ? flat_encode(&flat, config) : 0;
	put_answer(&answer, code, &faults, &flat);
	if (r < 0 || answer.failed ||
	    fd_write_all(fd, answer.data, answer.len) < 0)
		_exit(CHILD_FAILED);
}

/* All from first to last, as far as the kernel can (Linux 5.9): what stays
 * open is closed by the next exec, or with this process. */
static void
close_between(int first, int last)
{
	if (first <= last)
		(void)close_range((unsigned)first, (unsigned)last, 0);
}

/* Everything of the supervisor's but the standard ones and these two. */
static void
close_others(int a, int b)
{
	int low = a < b ? a : b, high = a < b ? b : a;

	close_between(3, low - 1);
	close_between(low + 1, high - 1);
	close_between(high + 1, INT32_MAX);
}

static _Noreturn void
child_main(const struct loader *loader, const struct options *options,
    const struct program *program, int fd, pid_t parent)
{
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(CHILD_FAILED);
	(void)setpgid(0, 0);
	close_others(fd, program->fd);
	if (loader->directory != NULL)  /* absolute names do without */
		(void)!chdir(loader->directory);
	loader->work(options, program, fd);
	/* not exit(): the supervisor's buffers are not ours to write */
	_exit(0);
}

/* --- the end of a load --- */

static void
loader_forget(struct loader *loader)
{
	watch_stop(loader->loop, &loader->pipe_watch);
	watch_stop(loader->loop, &loader->pidfd_watch);
	timer_stop(loader->loop, &loader->deadline);
	fd_close(&loader->pipe);
	fd_close(&loader->pidfd);
	loader->pid = 0;
}

/* A fault's line of its own, and the code for it. */
static enum exit_code
fail(struct buf *faults, const char *how)
{
	buf_clear(faults);
	(void)buf_printf(faults, "socketserverd: the process that reads the "
	    "configuration %s; nothing was changed\n", how);
	return EXIT_SYSTEM;
}

/* Lines for a terminal and a log: no control bytes. */
static void
keep_faults(struct buf *faults, const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];

		(void)buf_append(faults, (c < ' ' && c != '\n' && c != '\t') ||
		    c == 0x7f ? "?" : &text[i], 1);
	}
}

static bool
is_code(unsigned code)
{
	return code == EXIT_OK || code == EXIT_NO_FILE ||
	    code == EXIT_SYSTEM || code == EXIT_CONFIG;
}

/* False: it is no answer. */
static bool
take_answer(const struct buf *answer, enum exit_code *code,
    struct config **config, struct buf *faults)
{
	size_t fault_len, flat_len, rest;
	unsigned number;
	int head = 0;

	if (answer->data == NULL || sscanf(answer->data,
	    "loaded %u %zu %zu%n", &number, &fault_len, &flat_len,
	    &head) != 3 || answer->data[head] != '\n' || !is_code(number))
		return false;
	rest = answer->len - (size_t)head - 1;
	if (fault_len > rest || flat_len != rest - fault_len)
		return false;
	*code = (enum exit_code)number;
	if ((*code == EXIT_OK) != (flat_len > 0) ||
	    (*code != EXIT_OK && fault_len == 0))
		return false;
	keep_faults(faults, answer->data + head + 1, fault_len);
	if (flat_len > 0)
		*config = flat_decode(answer->data + answer->len - flat_len,
		    flat_len, NULL);
	return *code != EXIT_OK || *config != NULL;
}

static enum exit_code
judge(struct loader *loader, struct config **config, struct buf *faults)
{
	enum exit_code code = EXIT_SYSTEM;
	int status = loader->status;
	char how[64] = "gave a wrong answer";

	if (loader->answer.failed)
		(void)snprintf(how, sizeof(how), "gave an answer that is too "
		    "long");
	else if (status != -1 && WIFSIGNALED(status))
		(void)snprintf(how, sizeof(how), "was killed by %s",
		    sig_name(WTERMSIG(status)));
	else if (status > 0)
		(void)snprintf(how, sizeof(how), "ended with status %d",
		    WEXITSTATUS(status));
	else if (take_answer(&loader->answer, &code, config, faults))
		return code;
	config_free(config);
	return fail(faults, how);
}

/* The loader is free for the next load before anybody hears of this one. */
static void
loader_tell(struct loader *loader, enum exit_code code, struct config *config,
    struct buf *faults)
{
	loader_forget(loader);
	buf_free(&loader->answer);
	loader->done(loader->arg, code, config,
	    faults->data != NULL ? faults->data : "");
	buf_free(faults);
}

static void
loader_finish(struct loader *loader)
{
	struct config *config = NULL;
	struct buf faults;
	enum exit_code code;

	buf_init(&faults, LOAD_FAULTS_MAX);
	code = judge(loader, &config, &faults);
	loader_tell(loader, code, config, &faults);
}

/* --- while it runs --- */

/* 0: more may come now; -EAGAIN: later; 1: that was all. */
static int
read_some(struct loader *loader)
{
	struct buf *answer = &loader->answer;
	ssize_t n;

	if (buf_reserve(answer, READ_BYTES) < 0)
		return 1;
	n = read(loader->pipe, answer->data + answer->len, READ_BYTES);
	if (n < 0)
		return errno == EINTR ? 0 : errno == EAGAIN ? -EAGAIN : 1;
	answer->len += (size_t)n;
	answer->data[answer->len] = '\0';
	return n == 0;
}

/* It is at its end, or says too much: then it has said its last word. */
static void
loader_close_pipe(struct loader *loader)
{
	watch_stop(loader->loop, &loader->pipe_watch);
	fd_close(&loader->pipe);
	loader->has_read_all = true;
	if (loader->answer.failed)
		(void)kill(-loader->pid, SIGKILL);
}

static void
loader_read(struct loader *loader, int max)
{
	int r = 0;

	while (max-- > 0 && r == 0 && !loader->has_read_all)
		r = read_some(loader);
	if (r == 1)
		loader_close_pipe(loader);
}

/* The child is a zombie: end what it left in its group, take its status. In
 * this order: until it is reaped, its number is nobody else's. */
static void
loader_end(struct loader *loader)
{
	(void)kill(-loader->pid, SIGKILL);
	loader_read(loader, INT32_MAX); /* nobody writes: at most a pipe full */
	if (waitpid(loader->pid, &loader->status, WNOHANG) != loader->pid)
		loader->status = -1;
	loader_finish(loader);
}

static void
pipe_readable(struct watch *watch, uint32_t events)
{
	struct loader *loader = watch->arg;

	(void)events;
	loader_read(loader, READS_A_TURN);
	/* Without a pidfd (Linux < 5.3) this is the end that is noticed. */
	if (loader->has_read_all && loader->pidfd < 0)
		loader_finish(loader);
}

static void
pidfd_readable(struct watch *watch, uint32_t events)
{
	(void)events;
	loader_end(watch->arg);
}

/* Not waited for: one that hangs in the kernel does not die of it. */
static void
deadline_passed(struct timer *timer)
{
	struct loader *loader = timer->arg;
	struct buf faults;
	char how[64];

	(void)kill(-loader->pid, SIGKILL);
	buf_init(&faults, LOAD_FAULTS_MAX);
	(void)snprintf(how, sizeof(how), "took longer than %g s",
	    (double)loader->deadline_ms / 1000);
	loader_tell(loader, fail(&faults, how), NULL, &faults);
}

static int
loader_watch(struct loader *loader)
{
	int r = watch_start(loader->loop, &loader->pipe_watch, loader->pipe,
	    EPOLLIN, pipe_readable, loader);

	if (r == 0 && loader->pidfd >= 0)
		r = watch_start(loader->loop, &loader->pidfd_watch,
		    loader->pidfd, EPOLLIN, pidfd_readable, loader);
	if (r == 0)
		r = timer_start(loader->loop, &loader->deadline,
		    clock_after_ms(loader->deadline_ms), deadline_passed,
		    loader);
	return r;
}

static int
loader_fork(struct loader *loader, const struct options *options,
    const struct program *program, struct err *err)
{
	pid_t parent = getpid();
	int fds[2], code;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return err_errno(err, errno, "cannot make a pipe");
	loader->pid = fork();
	if (loader->pid == 0)
		child_main(loader, options, program, fds[1], parent);
	code = errno;
	fd_close(&fds[1]);
	if (loader->pid < 0) {
		loader->pid = 0;
		fd_close(&fds[0]);
		return err_errno(err, code, "cannot start a process");
	}
	(void)setpgid(loader->pid, loader->pid);        /* whoever is first */
	(void)fd_set_nonblock(fds[0], true);
	loader->pipe = fds[0];
	loader->pidfd = (int)syscall(SYS_pidfd_open, loader->pid, 0);
	return 0;
}

/* --- for the supervisor --- */

void
loader_init(struct loader *loader)
{
	*loader = (struct loader){
		.directory = getcwd(NULL, 0),
		.deadline_ms = LOADER_DEADLINE_MS, .work = load_and_answer,
		.pidfd = -1, .pipe = -1,
		.pipe_watch.fd = -1, .pidfd_watch.fd = -1,
	};
}

int
loader_start(struct loader *loader, struct loop *loop,
    const struct options *options, const struct program *program,
    loader_done_fn *done, void *arg, struct err *err)
{
	int r;

	if (loader_is_running(loader)) {
		err_set(err, "the configuration is being read already");
		return -EBUSY;
	}
	loader->loop = loop;
	loader->done = done;
	loader->arg = arg;
	loader->status = -1;
	loader->has_read_all = false;
	loader->deadline.arg = loader;
	buf_init(&loader->answer, ANSWER_MAX);
	r = loader_fork(loader, options, program, err);
	if (r < 0)
		return r;
	r = loader_watch(loader);
	if (r < 0) {
		loader_cancel(loader);
		return err_errno(err, -r, "cannot wait for a process");
	}
	return 0;
}

bool
loader_is_running(const struct loader *loader)
{
	return loader->pid > 0;
}

bool
loader_reap(struct loader *loader, pid_t pid)
{
	if (loader->pid == 0 || loader->pid != pid)
		return false;
	loader_end(loader);
	return true;
}

/* The zombie is the reaper's. */
void
loader_cancel(struct loader *loader)
{
	if (!loader_is_running(loader))
		return;
	(void)kill(-loader->pid, SIGKILL);
	loader_forget(loader);
	buf_free(&loader->answer);
}

void
loader_free(struct loader *loader)
{
	loader_cancel(loader);
	free(loader->directory);
	loader->directory = NULL;
}
