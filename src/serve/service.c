/* SPDX-License-Identifier: ISC */
/*
 * From birth to the last message. Everything that a service has is made in
 * service_start(), in the order of its lines; nothing of a handler runs before
 * jail_enter().
 */
#include "serve/service.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/channel.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/sig.h"
#include "conf/flat.h"
#include "handler/options.h"
#include "serve/accept.h"
#include "serve/jail.h"
#include "serve/linger.h"

#define NUDGE_MS 50
#define BUSY_MS 100
#define SPENT_LINGER_MS 100
#define KILL_PATIENCE_MS 10000  /* for a killed request to end */
#define FORCE_MS 1000           /* from the deadline to the end by force */
#define CONFIG_MAX_BYTES (4 << 20)

struct service {
	struct loop *loop;              /* owned */
	struct config *config;          /* owned */
	const struct listener_conf *conf;
	struct module module;
	struct host host;
	struct model_env env;
	const struct model *model;
	struct endpoint *endpoints;     /* owned until the acceptor has them */
	size_t endpoint_count;
	struct acceptor *acceptor;      /* owned */
	struct linger_list *linger;     /* owned */
	int channel;                    /* owned */
	int signals;                    /* owned */
	int relay[2];                   /* owned until the acceptor has them */
	int gather;                     /* readable: log_gather_due(); -1 = none */
	struct watch channel_watch, signal_watch, gather_watch;
	struct timer deadline, nudge, kill;
	int64_t kill_until;
	int64_t force_at;
	int64_t cut;                    /* requests ended by the deadline */
	_Atomic int64_t busy_at;        /* of the last MESSAGE_BUSY */
	bool is_released;               /* MESSAGE_RELEASED was sent */
	bool is_drained;                /* nothing runs any more */
	bool is_done;
};

/* -- the end ------------------------------------------------------------ */

/* The supervisor is gone: nobody would ever end us. The process group is ours
 * alone, so this ends our children too. */
static void
die_as_orphan(void)
{
	(void)kill(0, SIGKILL);
	_exit(EXIT_ORPHAN);
}

/* Nothing is taken from the sockets any more. */
static void
say_released(void *arg)
{
	struct service *s = arg;

	if (!s->is_released)
		(void)channel_send(s->channel, MESSAGE_RELEASED, 0, NULL, -1);
	s->is_released = true;
}

static void
say_done(struct service *s)
{
	struct pollfd pfd = { .fd = s->channel, .events = POLLOUT };

	log_flush();
	/* Without it the end looks like a crash: worth a wait. */
	if (channel_send(s->channel, MESSAGE_DONE, s->cut, NULL, -1) ==
	    -EAGAIN && poll(&pfd, 1, FORCE_MS) == 1)
		(void)channel_send(s->channel, MESSAGE_DONE, s->cut, NULL, -1);
	s->is_done = true;
}

static void
lingering_is_over(void *arg)
{
	say_done(arg);
}

static void
spent_is_over(struct timer *timer)
{
	if (!((struct service *)timer->arg)->is_done)
		say_done(timer->arg);
}

static void
service_drained(struct model_env *env)
{
	struct service *s = env->owner;

	timer_stop(s->loop, &s->nudge);
	timer_stop(s->loop, &s->kill);
	stats_add(s->host.stats, COUNTER_SERVING, -1);
	s->is_drained = true;
	acceptor_hand_on(s->acceptor);
	log_flush();            /* the handler may take its time */
	host_close(&s->host);
	linger_when_idle(s->linger, lingering_is_over, s);
	/* A spent worker's place is needed: its successor waits for its end. */
	if (!s->is_done && !host_is_draining(&s->host))
		(void)timer_start(s->loop, &s->deadline,
		    clock_after_ms(SPENT_LINGER_MS), spent_is_over, s);
}

/* Requests that do not end although their waits were ended. The supervisor
 * counts and logs them, by their seats. */
static void
end_by_force(struct service *s)
{
	acceptor_refuse_queued(s->acceptor);
	say_done(s);
	(void)kill(0, SIGKILL);
}

static void
nudge_all(struct timer *timer)
{
	struct service *s = timer->arg;

	if (clock_now() >= s->force_at) {
		end_by_force(s);
		return;
	}
	s->model->nudge(&s->env);
	(void)timer_start(s->loop, &s->nudge, clock_after_ms(NUDGE_MS),
	    nudge_all, s);
}

static void
deadline_is_over(struct timer *timer)
{
	struct service *s = timer->arg;

	if (host_is_cancelled(&s->host))
		return;
	acceptor_refuse_silent(s->acceptor);
	s->cut = host_active(&s->host);
	atomic_store(&s->host.stats->is_cancelled, true);
	s->force_at = clock_after_ms(FORCE_MS);
	nudge_all(&s->nudge);
}

/* Spent: its lanes have ended, or are about to. What it was asked to collect it
 * leaves to a process that the supervisor starts for that. */
static void
drain_spent(struct service *s, const char *collect)
{
	if (strchr(collect, DRAIN_COLLECT) == NULL)
		say_released(s);
}

static void
service_drain(struct service *s, int64_t ms, const char *collect)
{
	if (s->is_drained) {
		drain_spent(s, collect);
		return;
	}
	if (!host_is_draining(&s->host)) {
		atomic_store(&s->host.stats->is_draining, true);
		if (!acceptor_drain(s->acceptor, collect, say_released, s)) {
			atomic_store(&s->host.stats->is_draining, false);
			drain_spent(s, collect);
			return;
		}
	}
	if (s->is_drained)
		return;
	s->deadline.arg = s;
	s->nudge.arg = s;
	if (ms <= 0)
		deadline_is_over(&s->deadline);
	else
		(void)timer_start(s->loop, &s->deadline, clock_after_ms(ms),
		    deadline_is_over, s);
}

/* -- one request's end -------------------------------------------------- */

/* Wake the requests that are to end until they have: one that does not wait
 * just now sees it at its next wait. */
static void
wake_killed(struct timer *timer)
{
	struct service *s = timer->arg;
	unsigned used = stats_seats_used(s->host.slab, s->host.size,
	    s->host.slot);
	unsigned left = 0;

	for (unsigned i = 0; i < used && !s->is_drained; i++)
		if (seat_holds_killed(host_seat(&s->host, i))) {
			s->model->wake(&s->env, i);
			left++;
		}
	if (left > 0 && clock_now() < s->kill_until)
		(void)timer_start(s->loop, &s->kill, clock_after_ms(NUDGE_MS),
		    wake_killed, s);
	else if (left > 0)
		log_warning("listener \"%s\": %u killed request%s not ended: "
		    "the handler waits outside of its ss_ calls",
		    s->conf->name, left, left == 1 ? " has" : "s have");
}

static void
service_kill(struct service *s, uint64_t id)
{
	unsigned used = stats_seats_used(s->host.slab, s->host.size,
	    s->host.slot);
	unsigned i = 0;

	if (acceptor_kill(s->acceptor, id))
		return;
	while (i < used && !seat_kill(host_seat(&s->host, i), id))
		i++;
	if (i == used)
		return;         /* it has ended already */
	s->kill.arg = s;
	s->kill_until = clock_after_ms(KILL_PATIENCE_MS);
	wake_killed(&s->kill);
}

/* -- what the main thread hears ----------------------------------------- */

static void
service_take(struct service *s, bool is_sharing)
{
	struct err err;

	if (s->is_drained ||
	    acceptor_start(s->acceptor, is_sharing, &err) == 0)
		return;
	(void)channel_send(s->channel, MESSAGE_FAILED, 0, err.text, -1);
	log_flush();
	_exit(EXIT_SYSTEM);
}

static void
handle_message(struct service *s, const struct message *message, int fd)
{
	switch ((enum message_type)message->type) {
	case MESSAGE_TAKE:
		service_take(s, message->value != 0);
		break;
	case MESSAGE_DRAIN:
		service_drain(s, message->value, message->text);
		break;
	case MESSAGE_KILL:
		service_kill(s, (uint64_t)message->value);
		break;
	case MESSAGE_SHED:
		acceptor_wake_shed(s->acceptor);
		break;
	case MESSAGE_PING:
		(void)channel_send(s->channel, MESSAGE_PONG, message->value,
		    NULL, -1);
		break;
	case MESSAGE_LOG_FD:
		log_replace_fd(fd, (enum log_kind)message->value);
		return;
	case MESSAGE_LOG_LEVEL:
		log_set_level((enum log_level)message->value);
		break;
	case MESSAGE_LOG:
		log_set_format(message->value & LOG_IS_JSON ? LOG_FORMAT_JSON :
		    LOG_FORMAT_TEXT);
		log_set_access(message->value & LOG_HAS_ACCESS);
		break;
	default:
		break;
	}
	fd_close(&fd);
}

static void
channel_ready(struct watch *watch, uint32_t events)
{
	struct service *s = watch->arg;
	struct message message;
	int r, fd;

	(void)events;
	while ((r = channel_receive(s->channel, CHANNEL_SERVICE, &message,
	    &fd)) == 0)
		handle_message(s, &message, fd);
	if (r != -EAGAIN)
		die_as_orphan();
}

static void
signal_ready(struct watch *watch, uint32_t events)
{
	struct service *s = watch->arg;
	struct signalfd_siginfo info;

	(void)events;
	/* Not asked by the supervisor, who starts another in our place: that
	 * one, or the others of a pool, go on with the sockets. */
	while (sig_next(s->signals, &info) == 0)
		service_drain(s, host_is_draining(&s->host) ? 0 :
		    s->conf->drain_timeout_ms, "");
}

static void
gather_ready(struct watch *watch, uint32_t events)
{
	(void)watch;
	(void)events;
	log_gather_due();
}

/* -- the calls of struct model_env -------------------------------------- */

static int
env_take(struct model_env *env, struct arrival *arrival, int64_t until)
{
	struct service *s = env->owner;

	return acceptor_take(s->acceptor, arrival, until);
}

static void
env_busy(struct model_env *env)
{
	struct service *s = env->owner;
	int64_t now = clock_coarse();

	/* The supervisor asks by itself from time to time: a word now and then
	 * is enough, and does not fill the channel. */
	if (now - atomic_load(&s->busy_at) < BUSY_MS * CLOCK_MS)
		return;
	atomic_store(&s->busy_at, now);
	(void)channel_send(s->channel, MESSAGE_BUSY, 0, NULL, -1);
}

static void
env_full(struct model_env *env, int64_t ended)
{
	struct service *s = env->owner;

	(void)channel_send(s->channel, MESSAGE_FULL, ended, NULL, -1);
}

static void
env_resume(struct model_env *env)
{
	struct service *s = env->owner;

	acceptor_resume(s->acceptor);
}

static void
env_accepted(struct model_env *env, unsigned i, int fd)
{
	struct service *s = env->owner;

	acceptor_accepted(s->acceptor, i, fd);
}

static void
env_unlistened(struct model_env *env)
{
	struct service *s = env->owner;

	acceptor_unlistened(s->acceptor);
}

static void
env_forget(struct model_env *env, int keep)
{
	struct service *s = env->owner;

	acceptor_forget(s->acceptor, keep);
	linger_forget(s->linger);
	loop_forget(s->loop);
	(void)close(s->channel);
	(void)close(s->signals);
}

static void
host_linger(struct host *host, int fd)
{
	struct service *s = host->linger_owner;

	linger_add(s->linger, fd);
}

/* -- the start ---------------------------------------------------------- */

/* Mapped, not read: it does not matter who else holds the file. */
static struct config *
map_config(int fd, struct err *err)
{
	struct config *config = NULL;
	struct stat st;
	void *text;

	if (fstat(fd, &st) < 0 || st.st_size == 0 ||
	    st.st_size > CONFIG_MAX_BYTES ||
	    (text = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd,
	    0)) == MAP_FAILED) {
		err_set(err, "no configuration was handed over");
		return NULL;
	}
	config = flat_decode(text, (size_t)st.st_size, err);
	(void)munmap(text, (size_t)st.st_size);
	return config;
}

static int
read_config(struct service *s, struct inherit *inherit, struct err *err)
{
	int fd = inherit_find(inherit, "config");

	s->config = map_config(fd, err);
	fd_close(&fd);
	if (s->config == NULL || s->config->listener_count != 1)
		return -EINVAL;
	s->conf = &s->config->listeners[0];
	return 0;
}

static int
log_kind_parse(const char *word)
{
	static const char *const words[] = { "stream", "syslog", "journal" };

	for (int i = 0; i < 3; i++)
		if (strcmp(word, words[i]) == 0)
			return i;
	return LOG_KIND_STREAM;
}

static void
start_log(struct service *s, const struct service_args *args,
    struct inherit *inherit)
{
	log_use(inherit_find(inherit, "log"),
	    (enum log_kind)log_kind_parse(args->log_kind),
	    (enum log_format)s->config->log.format,
	    (enum log_level)s->config->log.level, s->config->log.is_access_on);
	/* A forked child would have to fault that memory in, and to share a
	 * lock with others that may die: it has little to gain over a write. */
	int places = inherit_find(inherit, "access");
	if (places >= 0 && !model_of(s->conf)->forks)
		s->gather = log_gather(places, args->slot);
	fd_close(&places);
}

static int
adopt_sockets(struct service *s, struct inherit *inherit, struct err *err)
{
	size_t max = s->conf->addresses.count;
	int fd;

	s->endpoints = calloc(max + 1, sizeof(*s->endpoints));
	if (s->endpoints == NULL)
		return -ENOMEM;
	while (s->endpoint_count < max &&
	    (fd = inherit_find(inherit, "socket")) >= 0) {
		int r = endpoint_receive(&s->endpoints[s->endpoint_count], fd,
		    err);
		if (r < 0)
			return r;
		s->endpoint_count++;
	}
	if (s->endpoint_count > 0)
		return 0;
	err_set(err, "no socket was handed over");
	return -EINVAL;
}

static int
load_handler(struct service *s, int file, struct err *err)
{
	struct faults faults;
	const char *key;

	int r = module_load(&s->module, file, s->conf->handler_file, err);
	if (r == 0)
		r = module_fits(&s->module, s->conf,
		    model_of(s->conf)->demands, &key, err);
	if (r < 0)
		return r;
	faults_init(&faults);
	r = host_init(&s->host, s->conf, &s->module, &faults);
	if (r < 0)
		err_set(err, "%s", faults.count > 0 ? faults.text.data :
		    "out of memory");
	faults_free(&faults);
	return r;
}

static int
map_stats(struct service *s, const struct service_args *args,
    struct inherit *inherit, struct err *err)
{
	int fd = inherit_find(inherit, "stats");

	s->host.slab = stats_map(fd, &s->host.size);
	fd_close(&fd);
	if (s->host.slab == NULL || args->slot >= s->host.size.slots) {
		err_set(err, "no counters were handed over");
		return -EINVAL;
	}
	s->host.slot = args->slot;
	s->host.stats = &s->host.slab->slots[args->slot];
	atomic_store(&s->host.stats->is_draining, false);
	atomic_store(&s->host.stats->is_cancelled, false);
	s->host.generation = args->generation;
	log_share_drops(&s->host.stats->drops);
	return 0;
}

static int
start_loop(struct service *s, struct err *err)
{
	static const int signals[] = { SIGTERM, 0 };

	s->loop = loop_new();
	s->signals = sig_open(signals);
	if (s->loop == NULL || s->signals < 0)
		return err_errno(err, errno, "the loop");
	s->linger = linger_new(s->loop);
	int r = watch_start(s->loop, &s->channel_watch, s->channel, EPOLLIN,
	    channel_ready, s);
	if (r == 0)
		r = watch_start(s->loop, &s->signal_watch, s->signals, EPOLLIN,
		    signal_ready, s);
	if (r == 0 && s->gather >= 0)
		r = watch_start(s->loop, &s->gather_watch, s->gather, EPOLLIN,
		    gather_ready, s);
	if (s->linger == NULL)
		r = -ENOMEM;
	return r < 0 ? err_errno(err, -r, "the loop") : 0;
}

static bool
has_streams(const struct service *s)
{
	size_t i = 0;

	while (i < s->endpoint_count && !s->endpoints[i].transport->is_stream)
		i++;
	return i < s->endpoint_count;
}

static int
start_model(struct service *s, struct err *err)
{
	struct endpoint *endpoints = s->endpoints;

	s->host.linger = host_linger;
	s->host.linger_owner = s;
	s->model = model_of(s->conf);
	s->env = (struct model_env){
		.loop = s->loop,
		.host = &s->host,
		.conf = s->conf,
		.has_streams = has_streams(s),
		.owner = s,
		.take = env_take,
		.busy = env_busy,
		.full = env_full,
		.resume = env_resume,
		.accepted = env_accepted,
		.unlistened = env_unlistened,
		.forget = env_forget,
		.drained = service_drained,
	};
	s->endpoints = NULL;
	s->acceptor = acceptor_new(&s->env, s->model, endpoints,
	    s->endpoint_count, err);
	if (s->acceptor == NULL)
		return -ENOMEM;
	acceptor_relay(s->acceptor, s->relay[0], s->relay[1]);
	s->relay[0] = s->relay[1] = -1;
	return acceptor_open(s->acceptor, err);
}

static enum exit_code
service_start(struct service *s, const struct service_args *args,
    struct inherit *inherit, struct err *err)
{
	pid_t parent = getppid();
	int file;

	if (read_config(s, inherit, err) < 0)
		return EXIT_SYSTEM;
	start_log(s, args, inherit);
	if (adopt_sockets(s, inherit, err) < 0)
		return EXIT_SYSTEM;
	if ((file = module_open(s->conf->handler_file, err)) < 0)
		return EXIT_CONFIG;
	if (jail_enter(s->conf, parent, err) < 0)
		return EXIT_SYSTEM;
	if (load_handler(s, file, err) < 0)
		return EXIT_CONFIG;
	fd_close(&file);
	if (jail_chroot(s->conf, err) < 0 ||
	    map_stats(s, args, inherit, err) < 0)
		return EXIT_SYSTEM;
	s->relay[0] = inherit_find(inherit, "relay");
	s->relay[1] = inherit_find(inherit, "relay");
	inherit_free(inherit);
	if (host_open(&s->host, err) < 0)
		return EXIT_OPEN;
	if (start_loop(s, err) < 0 || start_model(s, err) < 0)
		return EXIT_SYSTEM;
	return EXIT_OK;
}

static void
service_free(struct service *s)
{
	if (s->model != NULL)
		s->model->close(&s->env);
	acceptor_free(&s->acceptor);
	free(s->endpoints);
	linger_free(&s->linger);
	watch_stop(s->loop, &s->gather_watch);
	log_gather_end();
	log_share_drops(NULL);
	stats_free(&s->host.slab, s->host.size);
	host_free(&s->host);
	loop_free(&s->loop);
	fd_close(&s->signals);
	fd_close(&s->channel);
	fd_close(&s->relay[0]);
	fd_close(&s->relay[1]);
	config_free(&s->config);
	free(s);
}

/* A loop that cannot wait any more has lost its descriptor to a handler. */
static void
service_turn(struct service *s)
{
	int r = s->model->turn != NULL ? s->model->turn(&s->env) :
	    loop_turn(s->loop, -1);

	if (r < 0)
		_exit(EXIT_SYSTEM);
}

enum exit_code
service_run(const struct service_args *args, struct inherit *inherit)
{
	struct service *s = calloc(1, sizeof(*s));
	struct err err = { .text = "out of memory" };

	if (s == NULL)
		return EXIT_SYSTEM;
	s->signals = s->gather = s->relay[0] = s->relay[1] = -1;
	s->channel = inherit_find(inherit, "channel");
	enum exit_code code = service_start(s, args, inherit, &err);
	if (code != EXIT_OK) {
		(void)channel_send(s->channel, MESSAGE_FAILED, 0, err.text, -1);
		service_free(s);
		return code;
	}
	stats_add(s->host.stats, COUNTER_SERVING, 1);
	(void)channel_send(s->channel, MESSAGE_READY,
	    s->model->io != NULL ? s->model->io(&s->env) : IO_AUTO, NULL, -1);
	while (!s->is_done)
		service_turn(s);
	service_free(s);
	return EXIT_OK;
}
