/* SPDX-License-Identifier: ISC */
#include "super/answer.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/utf8.h"

static void
replace(struct buf *out, const char *line)
{
	buf_free(out);
	buf_init(out, 0);
	(void)buf_puts(out, line);
}

static int
append(const char *data, size_t len, void *out)
{
	return buf_append(out, data, len) < 0 ? -1 : 0;
}

/* Takes the answer. JSON has no newline in it but where one is put. */
static void
write_line(struct buf *out, json_t *answer)
{
	buf_init(out, WIRE_ANSWER_MAX);
	if (answer == NULL)
		out->failed = true;
	else if (json_dump_callback(answer, append, out, JSON_COMPACT) < 0)
		out->failed = true;
	json_decref(answer);
	if (buf_puts(out, "\n") < 0)
		replace(out, "{\"ok\":false,\"code\":1,\"error\":\"the answer "
		    "is too long, or there is no memory for it\"}\n");
}

void
answer_result(struct buf *out, json_t *result)
{
	write_line(out, json_pack("{s:b, s:o}", "ok", 1, "result", result));
}

void
answer_cut(struct buf *out, json_t *result, json_int_t left_out)
{
	if (left_out == 0)
		answer_result(out, result);
	else
		write_line(out, json_pack("{s:b, s:o, s:I}", "ok", 1,
		    "result", result, "left_out", left_out));
}

void
answer_refuse(struct buf *out, enum wire_code code, const char *format, ...)
{
	char text[ERR_TEXT_SIZE + 64];
	va_list ap;

	va_start(ap, format);
	(void)vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	write_line(out, json_pack("{s:b, s:i, s:o}", "ok", 0, "code", (int)code,
	    "error", answer_text(text)));
}

/* A string for each line. */
static json_t *
make_lines(const char *text)
{
	json_t *list = json_array();
	char line[ERR_TEXT_SIZE * 2];
	size_t len;

	for (; *text != '\0'; text += len + (text[len] == '\n')) {
		len = strcspn(text, "\n");
		(void)snprintf(line, sizeof(line), "%.*s", (int)len, text);
		(void)json_array_append_new(list, answer_text(line));
	}
	return list;
}

void
answer_refuse_with(struct buf *out, const char *why, const char *faults,
    json_t *result)
{
	json_t *answer = json_pack("{s:b, s:i, s:o}", "ok", 0, "code",
	    (int)WIRE_NO, "error", answer_text(why));

	if (faults != NULL && faults[0] != '\0')
		(void)json_object_set_new(answer, "faults",
		    make_lines(faults));
	if (result != NULL)
		(void)json_object_set_new(answer, "result", result);
	write_line(out, answer);
}

json_t *
answer_text(const char *text)
{
	size_t left = strlen(text), n;
	json_t *string = NULL;
	struct buf clean;

	buf_init(&clean, 0);
	(void)buf_puts(&clean, "");
	for (; left > 0; left -= n, text += n) {
		n = utf8_printable(text, left);
		if (n > 0) {
			(void)buf_append(&clean, text, n);
			continue;
		}
		n = 1;
		(void)buf_printf(&clean, "\\x%02x", (unsigned char)*text);
	}
	if (!clean.failed)
		string = json_stringn(clean.data, clean.len);
	buf_free(&clean);
	return string;
}
