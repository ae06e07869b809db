/* SPDX-License-Identifier: ISC */
#include "ctl/client.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

#include "base/clock.h"
#include "base/fd.h"

#define READ_SIZE 65536

#define IS_IT_RUNNING "is the daemon running? (systemctl status " \
	"socketserverd); -s SOCKET names another socket"

static const struct connect_fault {
	int code;
	enum wire_code wire_code;
	const char *text;
} connect_faults[] = {
	{ ENOENT, WIRE_SILENT, "there is no such socket; " IS_IT_RUNNING },
	{ ENOTDIR, WIRE_SILENT, "there is no such socket; " IS_IT_RUNNING },
	{ ECONNREFUSED, WIRE_SILENT, "nobody listens there; " IS_IT_RUNNING },
	{ EACCES, WIRE_DENIED, "permission denied; run this as root, or be in "
	    "the group of the control socket (control.group)" },
	{ EPERM, WIRE_DENIED, "permission denied; run this as root, or be in "
	    "the group of the control socket (control.group)" },
	{ EAGAIN, WIRE_SILENT, "the daemon takes no connection; it is too busy "
	    "or hangs (systemctl status socketserverd)" },
};

static enum wire_code
connect_failed(const char *socket, int code, struct err *err)
{
	size_t i;

	for (i = 0; i < sizeof(connect_faults) / sizeof(connect_faults[0]); i++)
		if (connect_faults[i].code == code) {
			err_set(err, "%s: %s", socket, connect_faults[i].text);
			return connect_faults[i].wire_code;
		}
	(void)err_errno(err, code, "%s", socket);
	return WIRE_SILENT;
}

/* unix(7): SO_SNDTIMEO bounds the wait for a place in the listener's queue. */
static int
client_connect(int fd, const struct sockaddr_un *name)
{
	const struct timeval timeout = { .tv_sec = CLIENT_CONNECT_MS / 1000 };
	int r;

	if (setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout,
	    sizeof(timeout)) < 0)
		return errno;
	do
		r = connect(fd, (const struct sockaddr *)name, sizeof(*name));
	while (r < 0 && errno == EINTR);
	return r < 0 ? errno : 0;
}

enum wire_code
client_open(struct client *client, const char *socket_path, struct err *err)
{
	struct sockaddr_un name = { .sun_family = AF_UNIX };
	int code;

	*client = (struct client){ .fd = -1, .socket = socket_path };
	buf_init(&client->in, WIRE_ANSWER_MAX + READ_SIZE);
	if (socket_path[0] == '\0' ||
	    strlen(socket_path) >= sizeof(name.sun_path)) {
		err_set(err, "-s \"%s\": a socket's path has 1 to %zu bytes",
		    socket_path, sizeof(name.sun_path) - 1);
		return WIRE_USAGE;
	}
	memcpy(name.sun_path, socket_path, strlen(socket_path));
	client->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	code = client->fd < 0 ? errno : client_connect(client->fd, &name);
	return code == 0 ? WIRE_OK : connect_failed(socket_path, code, err);
}

void
client_close(struct client *client)
{
	fd_close(&client->fd);
	buf_free(&client->in);
}

/* A daemon that hangs up may have said why before: what cannot be sent is no
 * fault yet. */
static void
client_send(struct client *client, const struct buf *line)
{
	size_t sent = 0;
	ssize_t n;

	while (sent < line->len) {
		n = send(client->fd, line->data + sent, line->len - sent,
		    MSG_NOSIGNAL);
		if (n < 0 && errno != EINTR)
			return;
		sent += n > 0 ? (size_t)n : 0;
	}
}

static enum wire_code
silent(const struct client *client, struct err *err, const char *what)
{
	err_set(err, "%s: %s", client->socket, what);
	return WIRE_SILENT;
}

static enum wire_code
client_wait(struct client *client, int64_t deadline_at, struct err *err)
{
	struct pollfd one = { .fd = client->fd, .events = POLLIN };
	int r;

	do
		r = poll(&one, 1, clock_left_ms(deadline_at));
	while (r < 0 && errno == EINTR);
	if (r == 0)
		return silent(client, err, "the daemon does not answer in "
		    "time; it may hang (systemctl status socketserverd)");
	return WIRE_OK;
}

/* More of the answer. */
static enum wire_code
client_receive(struct client *client, int64_t deadline_at, struct err *err)
{
	enum wire_code code = client_wait(client, deadline_at, err);
	ssize_t n;

	if (code != WIRE_OK)
		return code;
	if (client->in.len > WIRE_ANSWER_MAX)
		return silent(client, err, "the answer is too long; this is "
		    "not socketserverd");
	if (buf_reserve(&client->in, READ_SIZE) < 0)
		return silent(client, err, "out of memory");
	n = recv(client->fd, client->in.data + client->in.len, READ_SIZE, 0);
	if (n < 0 && errno == EINTR)
		return WIRE_OK;
	if (n <= 0)
		return silent(client, err, "the connection ended without an "
		    "answer; see the daemon's log");
	client->in.len += (size_t)n;
	client->in.data[client->in.len] = '\0';
	return WIRE_OK;
}

static enum wire_code
answer_parse(const struct client *client, size_t len, json_t **answer,
    struct err *err)
{
	*answer = json_loadb(client->in.data, len, 0, NULL);
	if (json_is_object(*answer) &&
	    json_is_boolean(json_object_get(*answer, "ok")))
		return WIRE_OK;
	json_decref(*answer);
	*answer = NULL;
	return silent(client, err, "the answer cannot be understood; this is "
	    "not socketserverd, or one of another version");
}

enum wire_code
client_ask(struct client *client, const struct buf *line, int timeout_ms,
    json_t **answer, struct err *err)
{
	int64_t deadline_at = clock_after_ms(timeout_ms);
	enum wire_code code = WIRE_OK;
	size_t seen = 0;
	char *end = NULL;

	client_send(client, line);
	while (code == WIRE_OK && end == NULL) {
		code = client_receive(client, deadline_at, err);
		if (code == WIRE_OK && client->in.len > seen)
			end = memchr(client->in.data + seen, '\n',
			    client->in.len - seen);
		seen = client->in.len;
	}
	return code != WIRE_OK ? code : answer_parse(client,
	    (size_t)(end - client->in.data), answer, err);
}

void
client_wait_end(struct client *client)
{
	struct err ignored;

	do
		buf_clear(&client->in);
	while (client_receive(client, 0, &ignored) == WIRE_OK);
}

static bool
is_word(const char *word)
{
	const char *at;

	for (at = word; *at > ' ' || *at < 0; at++)
		if (*at == 0x7f)
			return false;
	return *at == '\0' && at > word;
}

enum wire_code
client_line(struct buf *line, const char *command, const char *const *words,
    size_t count, struct err *err)
{
	size_t i;

	(void)buf_puts(line, command);
	for (i = 0; i < count; i++) {
		if (!is_word(words[i])) {
			err_set(err, "\"%s\" is no word: empty, or with a space "
			    "or control byte in it", words[i]);
			return WIRE_USAGE;
		}
		(void)buf_printf(line, " %s", words[i]);
	}
	(void)buf_puts(line, "\n");
	if (line->failed || line->len > WIRE_REQUEST_MAX ||
	    count >= WIRE_WORDS_MAX) {
		err_set(err, "these words are too many or too long");
		return WIRE_USAGE;
	}
	return WIRE_OK;
}
