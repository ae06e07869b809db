/* SPDX-License-Identifier: ISC */
/* What a supervisor leaves to the program after it: whole, or refused. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/channel.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/sig.h"
#include "super/carry.h"
#include "super/super.h"
#include "super_suites.h"

#define UNDERSTOOD 0
#define REFUSED 1

static struct options options;
static struct super super;
static struct held *before;     /* another configuration */
static int64_t number;          /* no two are the same */

static int64_t
next(void)
{
	return ++number;
}

/* The values themselves */

START_TEST(values_come_back)
{
	char small[8] = "1234567", *text = NULL, *none = NULL, *bytes = NULL;
	int64_t values[] = { 0, 1, -1, INT64_MIN, INT64_MAX };
	struct state out, in;
	struct err err;
	size_t i, len = 5;
	bool flag = true;
	int fd = 2;

	text = strdup("two\nlines and a \\ 7 -\n");
	bytes = malloc(len);
	memcpy(bytes, "a\0b\nc", len);
	state_write(&out);
	for (i = 0; i < 5; i++)
		STATE_NUMBER(&out, "n", values[i]);
	STATE_NUMBER(&out, "flag", flag);
	state_text(&out, "text", &text);
	state_text(&out, "none", &none);
	state_bytes(&out, "bytes", &bytes, &len);
	state_chars(&out, "chars", small, sizeof(small));
	state_fd(&out, "fd", &fd);
	ck_assert_int_eq(state_end(&out, &err), 0);
	ck_assert_uint_eq(out.fd_count, 1);
	free(text);
	free(bytes);
	state_read(&in, out.text.data, out.text.len);
	for (i = 0; i < 5; i++)
		ck_assert_int_eq(state_number(&in, "n", 7), values[i]);
	flag = false;
	STATE_NUMBER(&in, "flag", flag);
	ck_assert(flag);
	state_text(&in, "text", &text);
	ck_assert_str_eq(text, "two\nlines and a \\ 7 -\n");
	state_text(&in, "none", &none);
	ck_assert_ptr_null(none);
	state_bytes(&in, "bytes", &bytes, &len);
	ck_assert_mem_eq(bytes, "a\0b\nc", 5);
	memset(small, 'x', sizeof(small));
	state_chars(&in, "chars", small, sizeof(small));
	ck_assert_str_eq(small, "1234567");
	fd = 9;
	state_fd(&in, "fd", &fd);
	ck_assert_int_eq(fd, 2);
	ck_assert_msg(state_end(&in, &err) == 0, "%s", err.text);
	free(text);
	free(bytes);
	state_free(&in);
	state_free(&out);
}
END_TEST

static const struct {
	const char *text;
	const char *why;
} bad[] = {
	{ "", "there is no n where" },
	{ "n", "there is no n where" },
	{ "m 1\n", "there is no n where" },
	{ "nn 1\n", "there is no n where" },
	{ "n 1", "n is no number" },
	{ "n \n", "n is no number" },
	{ "n x\n", "n is no number" },
	{ "n 1x\n", "n is no number" },
	{ "n 9223372036854775808\n", "n is no number" },
	{ "n 00000000000000000000000000001\n", "n is no number" },
	{ "n 4\n", "n is out of range" },
	{ "n -1\n", "n is out of range" },
	{ "n 3\n", "there is no text where" },
	{ "n 3\ntext 3\n", "text is no number" },
	{ "n 3\ntext -1 x\n", "text is cut" },
	{ "n 3\ntext 3 ab\n", "text is cut" },
	{ "n 3\ntext 1 ab\n", "text is cut" },
	{ "n 3\ntext 9999999999 ab\n", "text is cut" },
	{ "n 3\ntext 2 ab", "text is cut" },
	{ "n 3\ntext 4 abcd\n", "text is too long" },
	{ "n 3\ntext 2 ab\nfd 12345\n", "fd: descriptor 12345 is not open" },
	{ "n 3\ntext 2 ab\nfd -1\nmore 1\n", "there is more" },
	{ "n 3\ntext 2 ab\nfd -1\n", NULL },
};

START_TEST(a_bad_value_is_refused)
{
	struct state state;
	struct err err = { "" };
	char text[4];
	unsigned n = 0;
	int fd = 0, r;

	state_read(&state, bad[_i].text, strlen(bad[_i].text));
	STATE_BELOW(&state, "n", n, 3);
	state_chars(&state, "text", text, sizeof(text));
	state_fd(&state, "fd", &fd);
	ck_assert_int_eq(fd, -1);
	ck_assert_uint_le(n, 3);
	r = state_end(&state, &err);
	ck_assert_int_eq(r == 0, bad[_i].why == NULL);
	if (r < 0)
		ck_assert_msg(strstr(err.text, bad[_i].why) != NULL, "%s",
		    err.text);
	state_free(&state);
}
END_TEST

/* A supervisor with something of everything */

static void
fill_conf(struct listener_conf *conf, const char *name)
{
	*conf = (struct listener_conf){
		.name = name, .handler = "echo", .handler_file = "/echo.so",
		.handler_digest = "d", .handler_build_id = "b", .file = "f",
		.refuse_text = "", .bind_device = "", .owner = "",
		.group_owner = "", .user = "", .group = "", .chroot = "",
		.is_enabled = true, .concurrency = CONCURRENCY_PREFORK,
		.workers = 2, .max_connections = 100, .restart = { 10, 1000 },
		.drain_timeout_ms = 1000, .mode = 0600, .backlog = 7,
		.read_buffer_bytes = 1, .max_datagram_bytes = 1,
		.limits = { 100, -1, -1, -1, -1 },
	};
}

static struct held *
make_held(const char *names[], size_t count)
{
	struct config *config = config_new();

	ck_assert_ptr_nonnull(config);
	config->file = config->user = config->group = "";
	config->address_file = "";
	config->control.socket = config->control.group = "";
	config->log.target = "stderr";
	config->listeners = arena_alloc(&config->arena,
	    count * sizeof(*config->listeners));
	config->listener_count = count;
	for (size_t i = 0; i < count; i++)
		fill_conf(&config->listeners[i], names[i]);
	return held_new(&config);
}

static struct bound *
make_bound(struct bound_list *list)
{
	struct bound *bound = calloc(1, sizeof(*bound));
	const struct listener_conf conf = { .backlog = 7 };
	struct err err;

	ck_assert_msg(endpoint_open(&bound->endpoint, "tcp://127.0.0.1:0",
	    &conf, &err) == 0, "%s", err.text);
	bound->address = strdup("tcp://127.0.0.1:0");
	bound->endpoint.path_dev = (dev_t)next();
	bound->endpoint.path_ino = (ino_t)next();
	bound->dropped = (uint32_t)next();
	ck_assert_int_eq(bound_list_add(list, bound), 0);
	return bound;
}

static void
never(struct timer *timer)
{
	(void)timer;
}

static void
set_timer(struct timer *timer)
{
	ck_assert_int_eq(timer_start(super.loop, timer,
	    clock_after_ms(1000000) + next(), never, NULL), 0);
}

static void
fill_totals(struct totals *totals)
{
	for (size_t i = 0; i < COUNTERS; i++)
		totals->counters[i] = next();
	for (size_t i = 0; i < REASONS; i++)
		totals->refused[i] = next();
}

static void
fill_crash(struct crash *crash)
{
	*crash = (struct crash){
		.time_ns = next(), .at = next(), .how = "was\nkilled",
		.signal = 11, .status = 3, .was_ours = true,
		.was_ready = true, .handler = "echo", .build_id = "abcdef",
		.pid = 4711, .slot = (unsigned)next(),
		.generation = (unsigned)next(), .active = next(),
	};
	crash_add_peer(crash, "127.0.0.1:1");
	crash_add_peer(crash, "[::1]:2");
}

static void
fill_worker(struct worker *worker, enum worker_state state)
{
	int ends[2];

	ck_assert_int_eq(channel_pair(ends), 0);
	worker->state = state;
	worker->channel = ends[0];
	worker->pidfd = ends[1];
	worker->pid = (pid_t)next();
	worker->has_reported = worker->was_ready = true;
	worker->is_leaving = worker->has_released = state > WORKER_SERVING;
	worker->is_done = worker->has_failed = state == WORKER_ENDING;
	worker->heartbeat.is_asked = state == WORKER_SERVING;
	worker->heartbeat.was_full = worker->heartbeat.was_spared = true;
	worker->why = state == WORKER_KILLED ? "did not answer" : NULL;
	worker->started_at = next();
	worker->backoff = (struct backoff){ next(), next(), next(), next(),
	    (uint32_t)next() };
	worker->score = (struct worker_score){ next(), next(), next() };
	set_timer(&worker->timer);
}

static struct generation *
make_generation(struct listener *listener, struct held *held,
    enum gen_state state)
{
	struct generation *gen;
	struct err err;

	gen = generation_new(&super.env, held, config_find(held->config,
	    listener->name), ++listener->last_number, &listener->sockets,
	    &err);
	ck_assert_msg(gen != NULL, "%s", err.text);
	gen->listener = listener;
	gen->state = state;
	gen->has_settled = gen->is_taking = gen->is_sharing = true;
	gen->is_hurried = state == GEN_DRAINING;
	gen->cut_short = next();
	gen->restarts = next();
	gen->serving_at = next();
	gen->slab->slots[1].counters[COUNTER_REQUESTS] = next();
	for (unsigned i = 0; i < gen->slots; i++)
		fill_worker(&gen->workers[i],
		    (enum worker_state)((next() % (WORKER_STATES - 2)) + 2));
	if (state == GEN_DRAINING)
		bound_list_clear(&gen->sockets);
	return gen;
}

static struct listener *
make_listener(const char *name, enum listener_mode mode)
{
	struct bound_list sockets = { 0 };
	struct listener *listener;

	make_bound(&sockets)->store = &super.store;
	make_bound(&sockets)->is_shared = true;
	listener = listener_new(&super.env, super.held,
	    held_listener(super.held, name), &sockets);
	ck_assert_ptr_nonnull(listener);
	ck_assert_int_eq(super_add_listener(&super, listener), 0);
	listener->mode = mode;
	listener->last_number = (unsigned)next();
	fill_totals(&listener->totals);
	fill_totals(&listener->shown);
	fill_crash(&listener->crash);
	listener->cut_short = next();
	listener->restarts = next();
	listener->drops.total = next();
	listener->drops.told = next();
	listener->drops.told_at = next();
	listener->serving_since = next();
	err_set(&listener->complaint, "complaint %d", (int)next());
	return listener;
}

static void
fill_control(void)
{
	struct config config = { 0 };
	char path[] = "/tmp/unit-state-XXXXXX";
	struct control_client *client;
	struct err err;
	int ends[2];

	ck_assert_ptr_nonnull(mkdtemp(path));
	ck_assert_int_eq(rmdir(path), 0);
	config.control.socket = path;
	config.control.group = "";
	config.control.mode = 0600;
	ck_assert_msg(control_open(&super.control, super.loop, &config, NULL,
	    NULL, &err) == 0, "%s", err.text);
	super.control->last_ticket = (uint64_t)next();
	super.control->is_shared = true;
	for (unsigned state = CONTROL_READING; state <= CONTROL_ANSWERING;
	    state++) {
		client = &super.control->clients[7 * state];
		client->state = (enum control_state)state;
		ck_assert_int_eq(channel_pair(ends), 0);
		client->fd = ends[0];
		client->uid = (uid_t)next();
		client->pid = (pid_t)next();
		client->may_change = client->is_last = true;
		client->ticket = (uint64_t)next();
		set_timer(&client->timer);
	}
	(void)buf_puts(&client->answer, "an answer\n");
	client->sent = 3;
	client = &super.control->clients[7 * CONTROL_READING];
	memcpy(client->line, "half a li", 9);
	client->line_len = 9;
}

static void
fill_reload(void)
{
	struct reload *reload = &super.reload;

	loader_init(&reload->loader);
	reload->previous = held_get(before);
	reload->applied = (unsigned)next();
	reload->last.at = next();
	err_set(&reload->last.why, "why not");
	set_timer(&reload->confirm);
	reload->queued = 2;
	reload->queue[0] = (struct reload_request){ RELOAD_PLAN,
	    (uint64_t)next(), next() };
	reload->queue[1] = (struct reload_request){ RELOAD_BACK,
	    (uint64_t)next(), next() };
}

static void
fill_rest(void)
{
	super.phase = SUPER_SERVING;
	super.started_at = next();
	super.id_blocks = UINT64_MAX - 1;
	super.store = (struct store){ .max = 7, .held = 5, .has_told = true };
	super.earlier = (struct earlier){ { 1, 2, 3 }, 3, true };
	super.log_target = strdup("file:/tmp/x");
	super.upgrade.log = (struct upgrade_log){ 2, LOG_KIND_SYSLOG,
	    LOG_FORMAT_JSON, LOG_LEVEL_WARNING, true };
	super.upgrade.path = strdup("/usr/sbin/socketserverd");
	super.upgrade.ticket = (uint64_t)next();
	super.pidfile_path = strdup("/run/x.pid");
	super.pidfile.fd = dup(2);
	super.address_file = strdup("/tmp/addresses");
	super.inherit.count = 2;
	super.inherit.fds = calloc(2, sizeof(*super.inherit.fds));
	super.inherit.fds[0].fd = dup(2);
	super.inherit.fds[1].fd = -1;
	strcpy(super.inherit.fds[0].name, "web");
	strcpy(super.inherit.fds[1].name, "taken");
	super.waits[3] = (struct wait){ (uint64_t)next(), "all", 9 };
}

static void
init(struct super *it)
{
	struct err err;

	*it = (struct super){
		.options = &options, .program.fd = -1, .pidfile.fd = -1,
		.signal_fd = -1, .upgrade = UPGRADE_NONE,
	};
	reload_init(&it->reload, it);
	it->loop = loop_new();
	it->env = (struct generation_env){
		.loop = it->loop, .program = &it->program, .log_fd = -1,
		.log_kind = "stream", .id_blocks = &it->id_blocks,
	};
	ck_assert_msg(program_open(&it->program, fake_service_path(), &err)
	    == 0, "%s", err.text);
}

static void
setup(void)
{
	const char *names[] = { "all", "held", "off", "leaving" };
	struct listener *all, *leaving;

	sig_reset();
	log_set_level(LOG_LEVEL_ERROR);
	number = 0;
	init(&super);
	super.held = make_held(names, 4);
	before = make_held(names, 1);
	all = make_listener("all", LISTENER_WANTED);
	set_timer(&all->handover);
	all->current = make_generation(all, super.held, GEN_SERVING);
	all->next = make_generation(all, super.held, GEN_STARTING);
	all->draining = make_generation(all, before, GEN_DRAINING);
	all->draining->older = make_generation(all, before, GEN_GONE);
	make_listener("held", LISTENER_HELD);
	bound_list_clear(&make_listener("off", LISTENER_STOPPED)->sockets);
	leaving = make_listener("leaving", LISTENER_LEAVING);
	leaving->current = make_generation(leaving, super.held, GEN_FAILED);
	fill_control();
	fill_reload();
	fill_rest();
}

static void
teardown(void)
{
	timer_stop(super.loop, &super.reload.confirm);
	for (size_t i = 0; i < super.listener_count; i++) {
		struct listener *one = super.listeners[i];
		struct generation *gens[] = { one->current, one->next,
		    one->draining, one->draining ? one->draining->older : NULL };

		for (size_t j = 0; j < 4; j++)
			for (unsigned k = 0; gens[j] && k < gens[j]->slots;
			    k++) {
				struct worker *worker = &gens[j]->workers[k];

				timer_stop(super.loop, &worker->timer);
				fd_close(&worker->channel);
				fd_close(&worker->pidfd);
			}
		listener_free(&super.listeners[i]);
	}
	free(super.listeners);
	control_close(&super.control);
	reload_free(&super.reload);
	upgrade_free(&super.upgrade);
	inherit_free(&super.inherit);
	fd_close(&super.pidfile.fd);
	free(super.pidfile_path);
	free(super.address_file);
	free(super.log_target);
	held_put(&super.held);
	held_put(&before);
	program_close(&super.program);
	loop_free(&super.loop);
}

/* Understood by a process of its own? What it makes is not freed. again: what
 * the reader would write, is it the same? */
static int
read_apart(const char *text, size_t len, bool again)
{
	struct super other;
	struct state in, out;
	struct err err = { "" };
	int status;
	pid_t pid;

	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		init(&other);
		state_read(&in, text, len);
		carry_super(&in, &other);
		if (state_end(&in, &err) < 0) {
			if (again)
				fprintf(stderr, "%s\n", err.text);
			_exit(err.text[0] != '\0' ? REFUSED : 9);
		}
		state_write(&out);
		carry_super(&out, &other);
		if (again && (out.text.len != len ||
		    memcmp(out.text.data, text, len) != 0)) {
			fprintf(stderr, "--- was\n%.*s--- is\n%s", (int)len,
			    text, out.text.data);
			_exit(8);
		}
		_exit(UNDERSTOOD);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_msg(WIFEXITED(status), "ended by signal %d for:\n%.*s",
	    WTERMSIG(status), (int)len, text);
	return WEXITSTATUS(status);
}

static void
write_all(struct state *out)
{
	struct err err;

	state_write(out);
	carry_super(out, &super);
	ck_assert_msg(state_end(out, &err) == 0, "%s", err.text);
}

START_TEST(everything_comes_back)
{
	struct state out;

	write_all(&out);
	ck_assert_int_eq(read_apart(out.text.data, out.text.len, true),
	    UNDERSTOOD);
	state_free(&out);
}
END_TEST

/* Writing is not taking away: this program may have to go on. */
START_TEST(writing_changes_nothing)
{
	struct state first, second;

	write_all(&first);
	write_all(&second);
	ck_assert_str_eq(first.text.data, second.text.data);
	state_free(&first);
	state_free(&second);
}
END_TEST

/* A line's end within a configuration is one too. */
START_TEST(a_cut_one_is_refused)
{
	struct state out;
	size_t i;

	write_all(&out);
	for (i = 0; i < out.text.len - 1; i++)
		if (i == 0 || out.text.data[i - 1] == '\n')
			ck_assert_int_eq(read_apart(out.text.data, i, false),
			    REFUSED);
	state_free(&out);
}
END_TEST

/* The value of one line after the other becomes this. */
static const char *const values[] = { "9223372036854775807", "-2", "3 abc" };

START_TEST(a_wild_value_does_no_harm)
{
	struct state out;
	const char *at, *end, *space;
	struct buf text;

	write_all(&out);
	buf_init(&text, 0);
	for (at = out.text.data; *at != '\0'; at = end + 1) {
		end = strchr(at, '\n');
		space = memchr(at, ' ', (size_t)(end - at));
		if (space == NULL)
			continue;
		buf_clear(&text);
		(void)buf_append(&text, out.text.data,
		    (size_t)(space + 1 - out.text.data));
		(void)buf_puts(&text, values[_i]);
		(void)buf_puts(&text, end);
		ck_assert_int_le(read_apart(text.data, text.len, false),
		    REFUSED);
	}
	buf_free(&text);
	state_free(&out);
}
END_TEST

START_TEST(one_of_another_version_is_refused)
{
	struct state out;

	write_all(&out);
	ck_assert(strncmp(out.text.data, "format ", 7) == 0);
	out.text.data[7]++;
	ck_assert_int_eq(read_apart(out.text.data, out.text.len, false),
	    REFUSED);
	out.text.data[7]--;
	(void)buf_puts(&out.text, "news 1\n");
	ck_assert_int_eq(read_apart(out.text.data, out.text.len, false),
	    REFUSED);
	state_free(&out);
}
END_TEST

Suite *
state_suite(void)
{
	Suite *suite = suite_create("state");
	TCase *alone = tcase_create("values");
	TCase *whole = tcase_create("whole");

	tcase_add_test(alone, values_come_back);
	tcase_add_loop_test(alone, a_bad_value_is_refused, 0,
	    sizeof(bad) / sizeof(bad[0]));
	suite_add_tcase(suite, alone);
	tcase_set_timeout(whole, 60);
	tcase_add_checked_fixture(whole, setup, teardown);
	tcase_add_test(whole, everything_comes_back);
	tcase_add_test(whole, writing_changes_nothing);
	tcase_add_test(whole, a_cut_one_is_refused);
	tcase_add_loop_test(whole, a_wild_value_does_no_harm, 0,
	    sizeof(values) / sizeof(values[0]));
	tcase_add_test(whole, one_of_another_version_is_refused);
	suite_add_tcase(suite, whole);
	return suite;
}
