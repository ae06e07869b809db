/* SPDX-License-Identifier: ISC */
#include <socketserver.h>
#include <stdlib.h>
#include <string.h>

/*
 * uppercase: the example of Python's socketserver. Receives once, strips white
 * space at both ends, sends it back upper-cased and closes; or does the same
 * for each line and stays. A message is at most 1024 bytes: what is longer is
 * cut (message) or taken as several (line); but a datagram is a message whole.
 * Letters are ASCII's, as in Python's bytes.upper(), so that UTF-8 passes
 * unharmed.
 */
enum {
	MESSAGE_MAX = 1024,
	DATAGRAM_MAX = 65536,
};

static bool
is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static char *
strip(char *text, size_t *len)
{
	while (*len > 0 && is_space(text[*len - 1]))
		(*len)--;
	while (*len > 0 && is_space(*text)) {
		text++;
		(*len)--;
	}
	return text;
}

static void
upper(char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (text[i] >= 'a' && text[i] <= 'z')
			text[i] = (char)(text[i] - 'a' + 'A');
}

static int
answer(ss_request *rq, char *text, size_t len, bool is_line)
{
	bool has_newline = is_line && len > 0 && text[len - 1] == '\n';

	if (has_newline)
		len--;
	if (ss_option_bool(ss_service_of(rq), "strip"))
		text = strip(text, &len);
	upper(text, len);
	if (has_newline)
		text[len++] = '\n';
	return ss_write(rq, text, len);
}

static int
uppercase_messages(ss_request *rq, char *buf, size_t size)
{
	const char *mode = ss_option_string(ss_service_of(rq), "mode");
	bool is_line = strcmp(mode, "line") == 0;
	ssize_t len;

	do {
		len = is_line ? ss_read_line(rq, buf, size) :
		    ss_read(rq, buf, size);
		if (len < 0 || answer(rq, buf, (size_t)len, is_line) != 0)
			return -1;
	} while (is_line && len > 0);
	return 0;
}

static int
uppercase_handle(ss_request *rq)
{
	char message[MESSAGE_MAX];

	if (!ss_is_datagram(rq))
		return uppercase_messages(rq, message, sizeof(message));
	char *datagram = malloc(DATAGRAM_MAX);
	if (datagram == NULL)
		return -1;
	int status = uppercase_messages(rq, datagram, DATAGRAM_MAX);
	free(datagram);
	return status;
}

static const struct ss_option uppercase_options[] = {
	SS_OPTION_CHOICE("mode", "message", "message|line",
	    "message: answer once and close; line: answer each line"),
	SS_OPTION_BOOL("strip", true,
	    "take white space off both ends of a message"),
	SS_OPTION_END
};

SS_HANDLER(
	.name = "uppercase",
	.version = "1.0",
	.summary = "sends back what it receives in upper case",
	.kinds = SS_STREAM | SS_DATAGRAM | SS_THREADS | SS_FIBERS |
	    SS_READS_FIRST,
	.options = uppercase_options,
	.handle = uppercase_handle,
);
