/* SPDX-License-Identifier: ISC */
#include "super/words.h"

#include <errno.h>
#include <stdbool.h>

static bool
is_printable(const char *line, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		if (line[i] < ' ' || line[i] > '~')
			return false;
	return true;
}

/* A word begins here, where a space or the end may not be. */
static char *
word_end(char *word)
{
	char *end = word;

	while (*end != ' ' && *end != '\0')
		end++;
	return end;
}

int
words_split(char *line, size_t len, const char *words[WIRE_WORDS_MAX],
    const char **fault)
{
	char *end;
	int count = 0;

	*fault = "a command is printable ASCII characters";
	if (!is_printable(line, len))
		return -EINVAL;
	line[len] = '\0';
	for (;; line = end + 1) {
		end = word_end(line);
		*fault = "a command is words with one space between them";
		if (end == line)
			return -EINVAL;
		*fault = "a command has at most 8 words";
		if (count == WIRE_WORDS_MAX)
			return -EINVAL;
		words[count++] = line;
		if (*end == '\0')
			break;
		*end = '\0';
	}
	*fault = NULL;
	return count;
}
