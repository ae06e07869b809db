/* SPDX-License-Identifier: ISC */
#include "ctl/top.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/sig.h"
#include "ctl/commands.h"
#include "ctl/output.h"
#include "ctl/rates.h"
#include "ctl/view.h"

/* xterm's alternate screen, no cursor, no wrapping of long lines; and back. */
#define SCREEN_TAKE "\033[?1049h\033[?25l\033[?7l"
#define SCREEN_GIVE "\033[?7h\033[?25h\033[?1049l"
#define SCREEN_HOME "\033[H"
#define LINE_END "\033[K\n"
#define SCREEN_END "\033[J"
#define ROWS_DEFAULT 24

struct top {
	const struct options *options;
	struct rates rates;             /* owned */
	bool is_interactive;
	bool has_terminal;              /* its settings are ours */
	struct termios before;          /* while has_terminal */
	int signals;                    /* owned signalfd, or -1 */
	int64_t next_at;                /* clock_now() nanoseconds */
};

enum top_event { TOP_REFRESH, TOP_QUIT, TOP_UNREAD };

static const int top_signals[] = {
	SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGWINCH, 0
};

/* Signals come through a descriptor, so that each ends in top_close(); Ctrl-Z
 * would leave the terminal as it is. */
static int
top_take_terminal(struct top *top, struct err *err)
{
	struct termios raw;
	sigset_t set;

	(void)sigemptyset(&set);
	for (const int *s = top_signals; *s != 0; s++)
		(void)sigaddset(&set, *s);
	(void)pthread_sigmask(SIG_BLOCK, &set, NULL);
	top->signals = sig_open(top_signals);
	if (top->signals < 0)
		return err_errno(err, -top->signals, "signalfd");
	if (tcgetattr(STDIN_FILENO, &top->before) < 0)
		return err_errno(err, errno, "terminal");
	raw = top->before;
	raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
	raw.c_cc[VMIN] = 1;
	raw.c_cc[VTIME] = 0;
	raw.c_cc[VSUSP] = _POSIX_VDISABLE;
	if (tcsetattr(STDIN_FILENO, TCSANOW, &raw) < 0)
		return err_errno(err, errno, "terminal");
	top->has_terminal = true;
	return 0;
}

static enum wire_code
write_text(const char *text)
{
	struct buf out;
	enum wire_code code;

	buf_init(&out, 0);
	(void)buf_puts(&out, text);
	code = output_write(&out);
	buf_free(&out);
	return code;
}

static void
top_give_terminal(struct top *top)
{
	if (!top->has_terminal)
		return;
	(void)write_text(SCREEN_GIVE);
	(void)tcsetattr(STDIN_FILENO, TCSANOW, &top->before);
	top->has_terminal = false;
}

static int
screen_rows(void)
{
	struct winsize size;

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0 || size.ws_row < 2)
		return ROWS_DEFAULT;
	return size.ws_row;
}

/* As many lines as the screen has, over what is there. */
static void
screen_fill(struct buf *out, const struct buf *text)
{
	const char *at = text->data != NULL ? text->data : "";
	int rows = screen_rows();

	(void)buf_puts(out, SCREEN_HOME);
	while (*at != '\0' && --rows > 0) {
		size_t len = strcspn(at, "\n");

		(void)buf_append(out, at, len);
		(void)buf_puts(out, LINE_END);
		at += len + (at[len] == '\n');
	}
	(void)buf_puts(out, SCREEN_END);
	out->failed |= text->failed;
}

static enum wire_code
top_print(struct top *top, const json_t *result)
{
	struct buf screen;
	struct view view;
	enum wire_code code;

	view_init(&view, output_has_colour());
	buf_init(&screen, 0);
	view.rates = &top->rates;
	if (top->options->is_json)
		view_json(&view, result, false);
	else
		view_status(&view, result);
	if (top->is_interactive)
		screen_fill(&screen, &view.out);
	code = output_write(top->is_interactive ? &screen : &view.out);
	buf_free(&screen);
	view_free(&view);
	return code;
}

static enum wire_code
top_refresh(struct top *top, struct err *err)
{
	json_t *result;
	enum wire_code code = command_result(top->options, COMMAND_STATUS,
	    &result, err);

	if (code != WIRE_OK)
		return code;
	if (rates_update(&top->rates, result, clock_now()) < 0) {
		err_set(err, "out of memory");
		code = WIRE_NO;
	} else {
		code = top_print(top, result);
	}
	json_decref(result);
	return code;
}

/* A window of another size is drawn anew. */
static enum top_event
signal_event(const struct top *top)
{
	struct signalfd_siginfo info;
	enum top_event event = TOP_REFRESH;

	while (sig_next(top->signals, &info) == 0)
		if (info.ssi_signo != SIGWINCH)
			event = TOP_QUIT;
	return event;
}

static bool
key_quits(void)
{
	char key;
	ssize_t n = read(STDIN_FILENO, &key, 1);

	if (n < 0)
		return errno != EINTR && errno != EAGAIN;
	return n == 0 || key == 'q' || key == 'Q' || key == '\004';
}

/* Until it is time, or something has happened. */
static enum top_event
top_wait(struct top *top)
{
	struct pollfd fds[] = {
		{ .fd = top->is_interactive ? STDIN_FILENO : -1,
		    .events = POLLIN },
		{ .fd = top->signals, .events = POLLIN },
		{ .fd = STDOUT_FILENO, .events = 0 },
	};
	int r;

	for (;;) {
		r = poll(fds, 3, clock_left_ms(top->next_at));
		if (r == 0)
			return TOP_REFRESH;
		if (r > 0 && fds[1].revents != 0)
			return signal_event(top);
		if (r > 0 && fds[0].revents != 0 && key_quits())
			return TOP_QUIT;
		if (r > 0 && fds[2].revents != 0)
			return TOP_UNREAD;
	}
}

static enum wire_code
top_watch(struct top *top, struct err *err)
{
	enum top_event event = TOP_REFRESH;
	enum wire_code code = WIRE_OK;

	while (code == WIRE_OK && event == TOP_REFRESH) {
		top->next_at = clock_after_ms(TOP_INTERVAL_MS);
		code = top_refresh(top, err);
		if (code == WIRE_OK)
			event = top_wait(top);
	}
	if (event == TOP_UNREAD) {
		err_set(err, "nobody reads standard output any more");
		code = WIRE_NO;
	}
	return code;
}

enum wire_code
top_run(const struct options *options)
{
	struct top top = { .options = options, .signals = -1 };
	struct err err = { .text = "" };
	enum wire_code code = WIRE_OK;

	top.is_interactive = isatty(STDIN_FILENO) == 1 &&
	    output_is_terminal() && !options->is_json;
	if (top.is_interactive && top_take_terminal(&top, &err) < 0)
		code = WIRE_NO;
	if (top.has_terminal)
		code = write_text(SCREEN_TAKE);
	if (code == WIRE_OK)
		code = top_watch(&top, &err);
	top_give_terminal(&top);
	if (err.text[0] != '\0')
		complain(err.text);
	rates_free(&top.rates);
	fd_close(&top.signals);
	return code;
}
