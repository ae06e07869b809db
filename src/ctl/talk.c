/* SPDX-License-Identifier: ISC */
#include "ctl/talk.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/suggest.h"
#include "ctl/commands.h"
#include "ctl/dial.h"
#include "ctl/output.h"
#include "ctl/text.h"
#include "ctl/view.h"

#define INPUT_SIZE 65536
#define DATAGRAM_SIZE 65536
#define PROMPT "> "
#define PROMPT_ERASE "\r\033[K"

struct talk {
	int fd;                         /* owned, connected */
	bool is_stream;
	struct buf input;               /* owned: read, and sent up to sent */
	size_t sent;
	bool is_input_open;
	bool is_shut;                   /* our side is ended */
	int64_t quiet_at;               /* datagrams: then it is over; 0 = not
					 * yet */
	bool is_typed, is_terminal;     /* standard input, output */
	bool has_prompt;                /* it stands on the screen */
	bool is_mid_line;               /* the output's last line goes on */
	struct text_stream shown;
	bool is_over;
	enum wire_code code;
};

static void
talk_fail(struct talk *talk, const char *sentence)
{
	complain(sentence);
	talk->code = WIRE_NO;
	talk->is_over = true;
}

static void
talk_fail_errno(struct talk *talk, int code, const char *what)
{
	struct err err;

	(void)err_errno(&err, code, "%s", what);
	talk_fail(talk, err.text);
}

/* Output */

/* On the screen where the typing is seen: not into a file. */
static void
prompt_show(struct talk *talk)
{
	FILE *screen = talk->is_terminal ? stdout : stderr;

	if (!talk->is_typed || !talk->is_input_open || talk->is_over)
		return;
	if (talk->is_terminal && talk->is_mid_line)
		fputs("\n", screen);
	talk->is_mid_line = false;
	fputs(PROMPT, screen);
	(void)fflush(screen);
	talk->has_prompt = true;
}

static void
talk_write(struct talk *talk, struct buf *out)
{
	if (out->len > 0 && talk->has_prompt && talk->is_terminal)
		fputs(PROMPT_ERASE, stdout);
	if (out->len > 0)
		talk->is_mid_line = out->data[out->len - 1] != '\n';
	if (output_write(out) != WIRE_OK) {
		talk->code = WIRE_NO;
		talk->is_over = true;
	}
	if (out->len > 0)
		prompt_show(talk);
}

/* A datagram is shown as a line, as a line is sent as a datagram. */
static void
talk_show(struct talk *talk, const char *data, size_t len)
{
	struct buf out;

	buf_init(&out, 0);
	if (talk->is_terminal)
		text_stream_feed(&talk->shown, &out, data, len);
	else
		(void)buf_append(&out, data, len);
	if (!talk->is_stream && talk->is_terminal)
		text_stream_end(&talk->shown, &out);
	if (!talk->is_stream && (len == 0 || data[len - 1] != '\n'))
		(void)buf_puts(&out, "\n");
	talk_write(talk, &out);
	buf_free(&out);
}

static void
talk_end(struct talk *talk)
{
	struct buf out;

	talk->is_over = true;
	buf_init(&out, 0);
	text_stream_end(&talk->shown, &out);
	if (talk->is_terminal && (talk->is_mid_line || talk->has_prompt))
		(void)buf_puts(&out, "\n");
	talk->has_prompt = false;
	talk_write(talk, &out);
	buf_free(&out);
	if (talk->is_typed && talk->is_input_open)
		complain("the listener has ended the connection");
}

/* From the listener */

static void
talk_receive(struct talk *talk)
{
	char data[DATAGRAM_SIZE];
	ssize_t n = recv(talk->fd, data, sizeof(data), MSG_DONTWAIT);

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (n < 0) {
		talk_fail_errno(talk, errno, "from the listener");
	} else if (n == 0 && talk->is_stream) {
		talk_end(talk);
	} else {
		if (talk->quiet_at != 0)
			talk->quiet_at = clock_after_ms(TALK_QUIET_MS);
		talk_show(talk, data, (size_t)n);
	}
}

/* To the listener */

/* The next line with its newline, or what must go without one; 0 = none. */
static size_t
talk_next(const struct talk *talk)
{
	size_t left = talk->input.len - talk->sent;
	const char *at = talk->input.data + talk->sent, *newline;

	if (left == 0)
		return 0;
	newline = memchr(at, '\n', left);
	if (newline != NULL)
		return (size_t)(newline - at) + 1;
	return !talk->is_input_open || left >= INPUT_SIZE ? left : 0;
}

static void
send_failed(struct talk *talk, int code)
{
	if (code == EINTR || code == EAGAIN)
		return;
	/* it has ended its side: what it said before is still to be read */
	if (talk->is_stream && (code == EPIPE || code == ECONNRESET)) {
		talk->sent = talk->input.len;
		talk->is_input_open = false;
		talk->is_shut = true;
	} else if (code == EMSGSIZE) {
		talk_fail(talk, "this line is too long for a datagram");
	} else {
		talk_fail_errno(talk, code, "to the listener");
	}
}

static void
talk_send(struct talk *talk)
{
	size_t len = talk_next(talk), text = len;
	const char *at = talk->input.data + talk->sent;
	ssize_t n;

	if (len == 0)
		return;
	if (!talk->is_stream && at[len - 1] == '\n')
		text--;
	n = send(talk->fd, at, text, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (n < 0)
		send_failed(talk, errno);
	else
		talk->sent += talk->is_stream ? (size_t)n : len;
}

static void
talk_read(struct talk *talk)
{
	ssize_t n;

	buf_consume(&talk->input, talk->sent);
	talk->sent = 0;
	if (buf_reserve(&talk->input, INPUT_SIZE) < 0) {
		talk_fail(talk, "out of memory");
		return;
	}
	n = read(STDIN_FILENO, talk->input.data + talk->input.len, INPUT_SIZE);
	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (n < 0)
		talk_fail_errno(talk, errno, "standard input");
	else if (n == 0)
		talk->is_input_open = false;
	else
		talk->input.len += (size_t)n;
	talk->has_prompt = false;
	talk->is_mid_line = false;      /* the terminal has echoed a newline */
	if (n > 0)
		prompt_show(talk);
}

/* All is sent and no more will come. */
static void
talk_shut(struct talk *talk)
{
	if (talk->is_input_open || talk->is_shut || talk_next(talk) > 0)
		return;
	talk->is_shut = true;
	if (talk->is_stream)
		(void)shutdown(talk->fd, SHUT_WR);
	else
		talk->quiet_at = clock_after_ms(TALK_QUIET_MS);
}

static void
talk_turn(struct talk *talk)
{
	bool has_line = talk_next(talk) > 0;
	struct pollfd fds[] = {
		{ .fd = talk->is_input_open && !has_line ? STDIN_FILENO : -1,
		    .events = POLLIN },
		{ .fd = talk->fd, .events = (short)(POLLIN |
		    (has_line ? POLLOUT : 0)) },
	};
	int r = poll(fds, 2, clock_left_ms(talk->quiet_at));

	if (r == 0)
		talk_end(talk);
	if (r <= 0)
		return;
	if (fds[1].revents & ~POLLOUT)
		talk_receive(talk);
	if (fds[1].revents & POLLOUT && !talk->is_over)
		talk_send(talk);
	if (fds[0].revents != 0 && !talk->is_over)
		talk_read(talk);
}

static enum wire_code
talk_with(const char *address)
{
	struct talk talk = { .is_input_open = true };
	struct err err;

	talk.fd = dial(address, &talk.is_stream, &err);
	if (talk.fd < 0) {
		complain(err.text);
		return WIRE_NO;
	}
	buf_init(&talk.input, 0);
	talk.is_typed = isatty(STDIN_FILENO) == 1;
	talk.is_terminal = output_is_terminal();
	prompt_show(&talk);
	while (!talk.is_over) {
		talk_turn(&talk);
		talk_shut(&talk);
	}
	fd_close(&talk.fd);
	buf_free(&talk.input);
	return talk.code;
}

/* Which address */

static const json_t *
listener_find(const json_t *list, const char *name, struct err *err)
{
	struct suggest suggest;
	size_t i;

	suggest_init(&suggest, name);
	for (i = 0; i < json_array_size(list); i++) {
		const json_t *one = json_array_get(list, i);

		if (strcmp(field_text(one, "name"), name) == 0)
			return one;
		suggest_offer(&suggest, field_text(one, "name"));
	}
	if (suggest.best != NULL)
		err_set(err, "there is no listener \"%s\"; did you mean "
		    "\"%s\"?", name, suggest.best);
	else
		err_set(err, "there is no listener \"%s\"; socketserverctl "
		    "list names them", name);
	return NULL;
}

static const char *
address_find(const json_t *listener, const char *wanted, struct err *err)
{
	const json_t *addresses = field_array(listener, "addresses");
	size_t i, count = json_array_size(addresses);

	if (count == 0) {
		err_set(err, "listener \"%s\" has no address now",
		    field_text(listener, "name"));
		return NULL;
	}
	if (wanted == NULL)
		return item_text(addresses, 0);
	for (i = 0; i < count; i++)
		if (strcmp(item_text(addresses, i), wanted) == 0)
			return item_text(addresses, i);
	err_set(err, "listener \"%s\" has no address %s; %s is one",
	    field_text(listener, "name"), wanted, item_text(addresses, 0));
	return NULL;
}

enum wire_code
talk_run(const struct options *options)
{
	const json_t *listener;
	const char *address = NULL;
	struct err err;
	json_t *list;
	enum wire_code code = command_result(options, COMMAND_LIST, &list,
	    &err);

	if (code == WIRE_OK) {
		listener = listener_find(list, options->words[0], &err);
		if (listener != NULL)
			address = address_find(listener,
			    options->word_count > 1 ? options->words[1] : NULL,
			    &err);
		code = address == NULL ? WIRE_NO : WIRE_OK;
	}
	if (code == WIRE_OK)
		code = talk_with(address);
	else
		complain(err.text);
	json_decref(list);
	return code;
}
