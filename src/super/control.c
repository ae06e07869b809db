/* SPDX-License-Identifier: ISC */
/* The control socket and its clients. */
#include "super/control.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "super/answer.h"
#include "super/words.h"

#define IDLE_MS 60000
#define PAUSE_MS 1000
#define BACKLOG 128
#define ACCEPTS_A_TURN 16
#define RESERVED 8              /* clients, for who may change things */

/* A client's life */

static void
client_close(struct control_client *client)
{
	struct loop *loop = client->control->loop;

	watch_stop(loop, &client->watch);
	timer_stop(loop, &client->timer);
	fd_close(&client->fd);
	buf_free(&client->answer);
	client->state = CONTROL_FREE;
	client->ticket = 0;
}

static void
client_late(struct timer *timer)
{
	client_close(timer->arg);
}

static void
client_event(struct watch *watch, uint32_t events);

/* The state, how long it may last (0 = for ever) and what is waited for. */
static void
client_enter(struct control_client *client, enum control_state state,
    int64_t ms, uint32_t events)
{
	struct loop *loop = client->control->loop;
	int r = 0;

	client->state = state;
	timer_stop(loop, &client->timer);
	if (ms > 0)
		r = timer_start(loop, &client->timer,
		    loop_now(loop) + ms * CLOCK_MS, client_late, client);
	if (r == 0 && client->watch.fd < 0)
		r = watch_start(loop, &client->watch, client->fd, events,
		    client_event, client);
	else if (r == 0)
		r = watch_change(loop, &client->watch, events);
	if (r < 0)
		client_close(client);
}

static void
client_listen(struct control_client *client)
{
	client->line_len = 0;
	client->ticket = 0;
	client_enter(client, CONTROL_READING, client->control->idle_ms,
	    EPOLLIN);
}

/* One send a turn: what the socket has room for. */
static void
client_send(struct control_client *client)
{
	ssize_t n = send(client->fd, client->answer.data + client->sent,
	    client->answer.len - client->sent, MSG_NOSIGNAL | MSG_DONTWAIT);

	if (n < 0 && errno != EAGAIN && errno != EINTR) {
		client_close(client);
		return;
	}
	client->sent += n > 0 ? (size_t)n : 0;
	if (client->sent < client->answer.len)
		return;
	buf_free(&client->answer);
	if (client->is_last)
		client_close(client);
	else
		client_listen(client);
}

void
control_answer(struct control *control, uint64_t ticket, struct buf *answer)
{
	struct control_client *client = NULL;
	size_t i;

	for (i = 0; i < WIRE_CLIENTS_MAX && client == NULL; i++)
		if (control->clients[i].state == CONTROL_RUNNING &&
		    control->clients[i].ticket == ticket)
			client = &control->clients[i];
	if (client == NULL || answer->data == NULL) {
		buf_free(answer);
		if (client != NULL)
			client_close(client);
		return;
	}
	client->answer = *answer;
	client->sent = 0;
	buf_init(answer, 0);
	client_enter(client, CONTROL_ANSWERING, control->deadline_ms,
	    EPOLLOUT);
	if (client->state == CONTROL_ANSWERING)
		client_send(client);
}

static void
client_refuse(struct control_client *client, const char *text)
{
	struct buf answer;

	answer_refuse(&answer, WIRE_USAGE, "%s", text);
	control_answer(client->control, client->ticket, &answer);
}

/* Its line is whole, or longer than any. Nothing may follow a call of this: the
 * answer may be the client's end. */
static void
client_run(struct control_client *client)
{
	struct control *control = client->control;
	struct control_request request = {
		.ticket = ++control->last_ticket, .uid = client->uid,
		.pid = client->pid, .may_change = client->may_change,
	};
	const char *fault = "the line is too long";
	int count = -EINVAL;

	client->ticket = request.ticket;
	client_enter(client, CONTROL_RUNNING, 0, 0);
	if (client->state != CONTROL_RUNNING)
		return;
	if (client->line[client->line_len - 1] == '\n')
		count = words_split(client->line, client->line_len - 1,
		    request.words, &fault);
	else
		client->is_last = true;
	if (count < 0) {
		client_refuse(client, fault);
		return;
	}
	request.count = (unsigned)count;
	control->run(control->arg, &request);
}

/* What has come, but nothing behind a newline: the next command stays in the
 * kernel until this one is answered. 0: nothing; -1: the end. */
static ssize_t
client_take(struct control_client *client)
{
	char *at = client->line + client->line_len;
	ssize_t n = recv(client->fd, at,
	    sizeof(client->line) - client->line_len, MSG_PEEK | MSG_DONTWAIT);
	const char *end = n > 0 ? memchr(at, '\n', (size_t)n) : NULL;

	if (end != NULL)
		n = end + 1 - at;
	if (n > 0)
		n = recv(client->fd, at, (size_t)n, MSG_DONTWAIT);
	if (n > 0)
		return n;
	return n < 0 && (errno == EAGAIN || errno == EINTR) ? 0 : -1;
}

static void
client_read(struct control_client *client)
{
	bool begins = client->line_len == 0;
	ssize_t n = client_take(client);

	if (n < 0) {
		client_close(client);
		return;
	}
	client->line_len += (size_t)n;
	if (n > 0 && (client->line[client->line_len - 1] == '\n' ||
	    client->line_len == sizeof(client->line)))
		client_run(client);
	else if (n > 0 && begins)
		client_enter(client, CONTROL_READING,
		    client->control->deadline_ms, EPOLLIN);
}

static void
client_event(struct watch *watch, uint32_t events)
{
	struct control_client *client = watch->arg;

	if (client->state == CONTROL_READING)
		client_read(client);
	else if ((events & (EPOLLHUP | EPOLLERR)) != 0)
		client_close(client);
	else if (client->state == CONTROL_ANSWERING)
		client_send(client);
}

/* Who connects */

static struct control_client *
find_free(struct control *control, bool may_change)
{
	size_t i, count = WIRE_CLIENTS_MAX - (may_change ? 0 : RESERVED);

	for (i = 0; i < count; i++)
		if (control->clients[i].state == CONTROL_FREE)
			return &control->clients[i];
	return NULL;
}

/* The answer fits the empty buffer of a new socket. */
static void
turn_away(int fd, enum wire_code code, const char *text)
{
	struct buf answer;

	answer_refuse(&answer, code, "%s", text);
	if (answer.data != NULL)
		(void)send(fd, answer.data, answer.len,
		    MSG_NOSIGNAL | MSG_DONTWAIT);
	buf_free(&answer);
	fd_close(&fd);
}

/* Takes fd. The kernel says who connected, as of that moment: unix(7). */
static void
client_open(struct control *control, int fd)
{
	struct control_client *client;
	struct ucred peer = { .uid = (uid_t)-1 };
	socklen_t len = sizeof(peer);
	bool may_change;

	(void)getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len);
	may_change = peer.uid == 0 || peer.uid == geteuid();
	if (!may_change && !control->is_shared) {
		turn_away(fd, WIRE_DENIED, "only root and the daemon's own "
		    "user may use the control socket; control.group lets "
		    "others ask");
		return;
	}
	client = find_free(control, may_change);
	if (client == NULL) {
		turn_away(fd, WIRE_NO, "too many clients are connected to the "
		    "control socket; try again");
		return;
	}
	client->fd = fd;
	client->uid = peer.uid;
	client->pid = peer.pid;
	client->may_change = may_change;
	client->is_last = false;
	client_listen(client);
}

static void
control_event(struct watch *watch, uint32_t events);

static void
control_wake(struct timer *timer)
{
	struct control *control = timer->arg;

	(void)watch_start(control->loop, &control->watch, control->endpoint.fd,
	    EPOLLIN, control_event, control);
}

/* Out of descriptors: the queue stays readable, so it is not looked at. */
static void
control_rest(struct control *control)
{
	if (timer_start(control->loop, &control->pause,
	    loop_now(control->loop) + PAUSE_MS * CLOCK_MS, control_wake,
	    control) == 0)
		watch_stop(control->loop, &control->watch);
}

static void
control_event(struct watch *watch, uint32_t events)
{
	struct control *control = watch->arg;
	int fd, n;

	(void)events;
	for (n = 0; n < ACCEPTS_A_TURN; n++) {
		fd = accept4(control->endpoint.fd, NULL, NULL,
		    SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd >= 0)
			client_open(control, fd);
		else if (errno != ECONNABORTED && errno != EINTR)
			break;
	}
	if (n < ACCEPTS_A_TURN && errno != EAGAIN)
		control_rest(control);
}

/* How it is made */

/* systemd.exec(5), RuntimeDirectory=: where a unit of its own keeps the default
 * socket. The first of several directories. */
static bool
unit_path(char *path, size_t size)
{
	const char *directory = getenv("RUNTIME_DIRECTORY");
	int len;

	if (directory == NULL || directory[0] != '/')
		return false;
	len = snprintf(path, size, "%.*s/control.sock",
	    (int)strcspn(directory, ":"), directory);
	return len < (int)size;
}

/* One level, so that /run needs no preparation. That it cannot be made is told
 * by who binds. */
static void
make_directory(const char *path)
{
	char directory[ADDR_TEXT_SIZE];
	char *slash;

	(void)snprintf(directory, sizeof(directory), "%s", path);
	slash = strrchr(directory, '/');
	if (slash == NULL || slash == directory)
		return;
	*slash = '\0';
	if (mkdir(directory, 0755) == 0)
		(void)chmod(directory, 0755);   /* whatever the umask */
}

static int
control_bind(struct control *control, const struct config *config,
    struct err *err)
{
	const struct listener_conf conf = {
		.mode = config->control.mode, .owner = "",
		.group_owner = config->control.group, .backlog = BACKLOG,
	};
	char address[ADDR_TEXT_SIZE], path_of_unit[ADDR_TEXT_SIZE];
	const char *path = config->control.socket;
	int r, len;

	if (strcmp(path, CONTROL_SOCKET) == 0 &&
	    unit_path(path_of_unit, sizeof(path_of_unit)))
		path = path_of_unit;
	len = snprintf(address, sizeof(address), "unix:%s", path);
	if (len >= (int)sizeof(address)) {
		err_set(err, "%s is too long for a socket's path", path);
		return -ENAMETOOLONG;
	}
	make_directory(path);
	r = endpoint_open(&control->endpoint, address, &conf, err);
	if (r < 0)
		return r;
	r = endpoint_set_nonblock(&control->endpoint, true);
	if (r == 0)
		r = watch_start(control->loop, &control->watch,
		    control->endpoint.fd, EPOLLIN, control_event, control);
	return r < 0 ? err_errno(err, -r, "cannot watch %s", address) : 0;
}

static void
control_init(struct control *control)
{
	size_t i;

	control->endpoint.fd = control->endpoint.lock_fd = -1;
	control->watch.fd = -1;
	control->idle_ms = IDLE_MS;
	control->deadline_ms = WIRE_DEADLINE_MS;
	for (i = 0; i < WIRE_CLIENTS_MAX; i++) {
		struct control_client *client = &control->clients[i];

		client->control = control;
		client->fd = client->watch.fd = -1;
		buf_init(&client->answer, 0);
	}
}

int
control_open(struct control **control, struct loop *loop,
    const struct config *config, control_run_fn *run, void *arg,
    struct err *err)
{
	struct control *new = calloc(1, sizeof(*new));
	int r;

	*control = new;
	if (new == NULL)
		return err_errno(err, ENOMEM, "control.socket");
	control_init(new);
	new->loop = loop;
	new->run = run;
	new->arg = arg;
	new->is_shared = config->control.group[0] != '\0';
	r = control_bind(new, config, err);
	if (r == 0)
		return 0;
	control_close(control);
	err_set(err, "control.socket: %s; or name another path, or \"\" for "
	    "no control socket", err->text);
	return r;
}

struct control *
control_revive(struct loop *loop, control_run_fn *run, void *arg)
{
	struct control *control = calloc(1, sizeof(*control));

	if (control == NULL)
		return NULL;
	control_init(control);
	control->loop = loop;
	control->run = run;
	control->arg = arg;
	return control;
}

static int
client_resume(struct control_client *client)
{
	static const uint32_t events[] = {
		[CONTROL_READING] = EPOLLIN, [CONTROL_RUNNING] = 0,
		[CONTROL_ANSWERING] = EPOLLOUT,
	};
	struct loop *loop = client->control->loop;
	int r = 0;

	if (client->state == CONTROL_FREE)
		return 0;
	if (client->timer.at != 0)
		r = timer_start(loop, &client->timer, client->timer.at,
		    client_late, client);
	return r < 0 ? r : watch_start(loop, &client->watch, client->fd,
	    events[client->state], client_event, client);
}

int
control_resume(struct control *control)
{
	int r = watch_start(control->loop, &control->watch,
	    control->endpoint.fd, EPOLLIN, control_event, control);
	size_t i;

	for (i = 0; i < WIRE_CLIENTS_MAX && r == 0; i++)
		r = client_resume(&control->clients[i]);
	return r;
}

void
control_close(struct control **control)
{
	struct control *old = *control;
	size_t i;

	if (old == NULL)
		return;
	for (i = 0; i < WIRE_CLIENTS_MAX; i++)
		if (old->clients[i].state != CONTROL_FREE)
			client_close(&old->clients[i]);
	watch_stop(old->loop, &old->watch);
	timer_stop(old->loop, &old->pause);
	if (old->endpoint.fd >= 0)
		endpoint_close(&old->endpoint);
	free(old);
	*control = NULL;
}
