/* SPDX-License-Identifier: ISC */
#include <socketserver.h>
#include <string.h>

/*
 * bot10086: the 10086 hotline. Greets, then answers each message from a menu
 * until the caller says "exit" or hangs up. What one receive brings is a
 * message; if it holds newlines, each line is one. A datagram is answered with
 * one datagram, without a greeting.
 */
enum verdict {
	GO_ON,
	HANG_UP,
	FAILED,
};

static bool
is_same(const char *word, const char *message, size_t len)
{
	return strlen(word) == len && memcmp(word, message, len) == 0;
}

/* What the menu says to this message; NULL when it says nothing. */
static const char *
menu_find(ss_service *service, const char *message, size_t len)
{
	size_t groups = ss_option_groups(service, "menu");

	if (groups == 0 && is_same("0", message, len))
		return "通过可能会被录音.balabala一大推";
	for (size_t i = 0; i < groups; i++) {
		const ss_group *group = ss_option_group(service, "menu", i);

		if (is_same(ss_group_string(group, "input"), message, len))
			return ss_group_string(group, "reply");
	}
	return NULL;
}

static enum verdict
answer(ss_request *rq, const char *message, size_t len)
{
	ss_service *service = ss_service_of(rq);
	const char *reply;

	while (len > 0 && message[len - 1] == '\r')
		len--;
	if (is_same(ss_option_string(service, "exit"), message, len))
		return HANG_UP;
	reply = menu_find(service, message, len);
	if (reply == NULL)
		reply = ss_option_string(service, "fallback");
	return ss_write(rq, reply, strlen(reply)) == 0 ? GO_ON : FAILED;
}

/* Every line of what one receive brought. No bytes are one empty message. */
static enum verdict
answer_lines(ss_request *rq, const char *text, size_t len)
{
	const char *end = text + len;
	enum verdict verdict;

	do {
		const char *newline = memchr(text, '\n', (size_t)(end - text));
		const char *stop = newline != NULL ? newline : end;

		verdict = answer(rq, text, (size_t)(stop - text));
		text = newline != NULL ? newline + 1 : end;
	} while (verdict == GO_ON && text < end);
	return verdict;
}

static int
talk(ss_request *rq)
{
	char buf[1024];
	enum verdict verdict = GO_ON;
	const char *greeting = ss_option_string(ss_service_of(rq), "greeting");

	if (ss_write(rq, greeting, strlen(greeting)) != 0)
		return -1;
	while (verdict == GO_ON) {
		ssize_t len = ss_read(rq, buf, sizeof(buf));

		if (len <= 0)
			return (int)len;
		verdict = answer_lines(rq, buf, (size_t)len);
	}
	return verdict == FAILED ? -1 : 0;
}

static int
answer_datagram(ss_request *rq)
{
	char buf[1024];
	ssize_t len = ss_read(rq, buf, sizeof(buf));

	if (len < 0 || answer_lines(rq, buf, (size_t)len) == FAILED)
		return -1;
	return 0;
}

static int
bot10086_handle(ss_request *rq)
{
	return ss_is_datagram(rq) ? answer_datagram(rq) : talk(rq);
}

static const struct ss_option menu_rows[] = {
	SS_OPTION_STRING("input", NULL, "what the caller says"),
	SS_OPTION_STRING("reply", NULL, "what the hotline answers"),
	SS_OPTION_END
};

static const struct ss_option bot10086_options[] = {
	SS_OPTION_STRING("greeting", "欢迎致电 10086,请输入1xxx,0转人工服务.",
	    "sent when a caller connects"),
	SS_OPTION_GROUPS("menu", menu_rows,
	    "answers; an own menu replaces the one with \"0\""),
	SS_OPTION_STRING("fallback", "请重新输入.",
	    "the answer to everything that is not in the menu"),
	SS_OPTION_STRING("exit", "exit", "what ends the call"),
	SS_OPTION_END
};

SS_HANDLER(
	.name = "bot10086",
	.version = "1.0",
	.summary = "the 10086 hotline: greets and answers from a menu",
	.kinds = SS_STREAM | SS_DATAGRAM | SS_THREADS | SS_FIBERS,
	.options = bot10086_options,
	.handle = bot10086_handle,
);
