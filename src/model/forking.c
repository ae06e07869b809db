/* SPDX-License-Identifier: ISC */
/*
 * A process per request, as Python's ForkingMixIn. The parent is
 * single-threaded and small, since a child's life is page faults; it keeps one
 * record a child, to free its place and to tell of a crash.
 */
#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/sig.h"
#include "handler/request.h"
#include "model/model.h"

struct child {
	pid_t pid;                      /* 0 = free */
	uint64_t id;                    /* of the request */
	int64_t started_at;
	struct sockaddr_storage peer;
	socklen_t peer_len;
};

/* The exit status of a child that came to its end. Not 0: a handler that calls
 * exit(0) has not served its request. */
#define STATUS_DONE 197

enum { PARENT, CHILD };

struct forking {
	size_t count;                   /* places that were ever used */
	size_t active;
	bool is_draining;
	int signals;                    /* signalfd: SIGCHLD */
	int linger[2];                  /* owned; Unix sockets: children hand over what
					 * is to be closed slowly */
	struct watch linger_watch;
	struct watch watch;
	struct timer tick;
	/* places(). Here, since the parent writes both for each request: right
	 * after a fork each page that it writes is copied. */
	struct child children[];
};

/* A child that has served frees its place under max_connections before it is
 * reaped: so there are more places than may be served at once. */
static size_t
places(const struct model_env *env)
{
	return 2 * (size_t)env->conf->max_connections;
}

static size_t
place_find(const struct forking *f, pid_t pid)
{
	size_t i = 0;

	while (i < f->count && f->children[i].pid != pid)
		i++;
	return i;
}

static struct seat *
place_seat(const struct model_env *env, size_t place)
{
	return host_seat(env->host, (unsigned)place);
}

/* -- in the child ------------------------------------------------------- */

/* Signals still blocked, every descriptor still open, nothing of the parent's
 * loop may be touched but closed. */
static void
child_main(struct model_env *env, const struct arrival *arrival, size_t place,
    pid_t parent) __attribute__((noreturn));

static void
child_main(struct model_env *env, const struct arrival *arrival, size_t place,
    pid_t parent)
{
	const struct forking *f = env->state;
	struct request rq;
	char name[WORKER_NAME_SIZE];

	/* The parent-death signal is cleared by fork(2); the parent may be
	 * gone before it is armed again. */
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(1);
	env->forget(env, arrival->fd);
	(void)close(f->signals);
	(void)close(f->linger[PARENT]);
	worker_name(name, "Process", (unsigned)getpid());
	request_init(&rq, env->host, &io_block, name);
	rq.linger_socket = f->linger[CHILD];
	request_begin(&rq, arrival, f->children[place].id);
	rq.seat = place_seat(env, place);
	rq.is_seat_lent = true;
	request_serve(&rq);
	request_end(&rq);
	log_flush();
	_exit(STATUS_DONE);
}

/* -- in the parent ------------------------------------------------------ */

static int
forking_dispatch(struct model_env *env, struct arrival *arrival)
{
	struct forking *f = env->state;
	size_t place = place_find(f, 0);
	struct child *child = &f->children[place];
	struct seat *seat = place_seat(env, place);
	pid_t parent = getpid();

	child->id = request_new_id(env->host);
	child->started_at = clock_now();
	if (seat != NULL)       /* here: the child would fault its page in */
		request_sit_down(seat, arrival, child->id, "",
		    child->started_at);
	pid_t pid = fork();
	if (pid == 0)
		child_main(env, arrival, place, parent);
	if (seat != NULL && pid > 0)
		seat_set_pid(seat, (uint32_t)pid);
	else if (seat != NULL)
		seat_end(seat);
	if (pid < 0)
		return -errno;
	if (place == f->count)
		f->count++;
	child->pid = pid;
	child->peer = arrival->peer;
	child->peer_len = arrival->peer_len;
	f->active++;
	if (arrival->endpoint->transport->is_stream)
		(void)close(arrival->fd);
	arrival->fd = -1;
	return 0;
}

static void
tell_crash(struct model_env *env, const struct child *child, int status)
{
	char worker[WORKER_NAME_SIZE];
	struct log_fields fields = {
		.listener = env->conf->name,
		.generation = env->host->generation,
		.worker = worker,
	};

	worker_name(worker, "Process", (unsigned)child->pid);
	if (WIFSIGNALED(status))
		log_write(LOG_LEVEL_WARNING, &fields, "the request's process "
		    "was killed by %s", sig_name(WTERMSIG(status)));
	else
		log_write(LOG_LEVEL_WARNING, &fields, "the handler ended the "
		    "request's process with exit status %d",
		    WEXITSTATUS(status));
	/* It was not there to count its own end. */
	stats_add(env->host->stats, COUNTER_ACTIVE, -1);
	request_crashed(env->host, child->id, worker,
	    (const struct sockaddr *)&child->peer, child->peer_len,
	    child->started_at);
}

static void
child_ended(struct model_env *env, size_t place, int status)
{
	struct forking *f = env->state;
	struct child *child = &f->children[place];
	struct seat *seat = place_seat(env, place);

	if (seat != NULL)
		seat_end(seat);
	if (!WIFEXITED(status) || WEXITSTATUS(status) != STATUS_DONE)
		tell_crash(env, child, status);
	child->pid = 0;
	while (f->count > 0 && f->children[f->count - 1].pid == 0)
		f->count--;
	f->active--;
}

static void
take_lingering(struct model_env *env)
{
	const struct forking *f = env->state;
	int fd;

	while ((fd = fd_catch(f->linger[PARENT])) >= 0)
		env->host->linger(env->host, fd);
}

static void
linger_ready(struct watch *watch, uint32_t events)
{
	(void)events;
	take_lingering(watch->arg);
}

static void
forking_check(struct model_env *env)
{
	struct forking *f = env->state;

	if (!f->is_draining) {
		env->resume(env);
	} else if (f->active == 0) {
		watch_stop(env->loop, &f->watch);
		watch_stop(env->loop, &f->linger_watch);
		timer_stop(env->loop, &f->tick);
		take_lingering(env);
		env->drained(env);
	}
}

static void
reap(struct watch *watch, uint32_t events)
{
	struct model_env *env = watch->arg;
	struct forking *f = env->state;
	struct signalfd_siginfo info;
	int status;
	pid_t pid;

	(void)events;
	while (sig_next(f->signals, &info) == 0)
		;
	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		size_t place = place_find(f, pid);
		if (place < f->count)   /* else one that open() made */
			child_ended(env, place, status);
	}
	forking_check(env);
}

static void
forking_tick(struct timer *timer)
{
	struct model_env *env = timer->arg;

	host_tick(env->host);
	(void)timer_start(env->loop, timer,
	    clock_after_ms(env->conf->tick_ms), forking_tick, env);
}

static int
forking_open(struct model_env *env, struct err *err)
{
	static const int signals[] = { SIGCHLD, 0 };
	size_t room = places(env);
	struct forking *f = calloc(1, sizeof(*f) +
	    room * sizeof(f->children[0]));

	if (f == NULL)
		return err_errno(err, errno, "room for %zu processes", room);
	env->state = f;
	sig_nudge_accept();     /* inherited by the children */
	f->linger[PARENT] = f->linger[CHILD] = -1;
	f->signals = sig_open(signals);
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0,
	    f->linger) < 0)
		return err_errno(err, errno, "a pair of sockets");
	if (f->signals < 0)
		return err_errno(err, -f->signals, "a descriptor for signals");
	int r = watch_start(env->loop, &f->watch, f->signals, EPOLLIN, reap,
	    env);
	if (r == 0)
		r = watch_start(env->loop, &f->linger_watch, f->linger[PARENT],
		    EPOLLIN, linger_ready, env);
	if (r == 0 && host_has_tick(env->host))
		r = timer_start(env->loop, &f->tick,
		    clock_after_ms(env->conf->tick_ms), forking_tick, env);
	return r < 0 ? err_errno(err, -r, "room for %zu processes", room) : 0;
}

static bool
forking_has_room(struct model_env *env)
{
	const struct forking *f = env->state;

	return f->active < places(env) && host_has_room(env->host);
}

static void
forking_drain(struct model_env *env)
{
	struct forking *f = env->state;

	f->is_draining = true;
	forking_check(env);
}

static void
forking_nudge(struct model_env *env)
{
	struct forking *f = env->state;

	for (size_t i = 0; i < f->count; i++)
		if (f->children[i].pid > 0)
			(void)kill(f->children[i].pid, SIG_NUDGE);
}

static void
forking_wake(struct model_env *env, unsigned seat)
{
	const struct forking *f = env->state;

	if (seat < f->count && f->children[seat].pid > 0)
		(void)kill(f->children[seat].pid, SIG_NUDGE);
}

static void
forking_close(struct model_env *env)
{
	struct forking *f = env->state;

	if (f == NULL)
		return;
	fd_close(&f->signals);
	fd_close(&f->linger[PARENT]);
	fd_close(&f->linger[CHILD]);
	free(f);
	env->state = NULL;
}

const struct model forking_model = {
	.name = "forking",
	.forks = true,
	.open = forking_open,
	.dispatch = forking_dispatch,
	.has_room = forking_has_room,
	.drain = forking_drain,
	.nudge = forking_nudge,
	.wake = forking_wake,
	.close = forking_close,
};
