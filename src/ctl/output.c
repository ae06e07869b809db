/* SPDX-License-Identifier: ISC */
#include "ctl/output.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ctl/text.h"

bool
output_is_terminal(void)
{
	return isatty(STDOUT_FILENO) == 1;
}

/* https://no-color.org: set and not empty. */
bool
output_has_colour(void)
{
	const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");

	if (no_color != NULL && no_color[0] != '\0')
		return false;
	return output_is_terminal() && term != NULL &&
	    strcmp(term, "dumb") != 0;
}

enum wire_code
output_write(const struct buf *out)
{
	if (out->failed) {
		complain("out of memory");
		return WIRE_NO;
	}
	if (out->len > 0)
		(void)fwrite(out->data, 1, out->len, stdout);
	if (fflush(stdout) == 0 && !ferror(stdout))
		return WIRE_OK;
	complain("cannot write to standard output");
	return WIRE_NO;
}

void
complain_line(const char *line)
{
	struct buf text;

	buf_init(&text, 0);
	text_clean(&text, line, strlen(line));
	fprintf(stderr, "%s\n", text.len > 0 ? text.data : "");
	buf_free(&text);
}

void
complain(const char *sentence)
{
	fputs("socketserverctl: ", stderr);
	complain_line(sentence);
}
