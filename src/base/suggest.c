/* SPDX-License-Identifier: ISC */
#include "base/suggest.h"

#include <ctype.h>
#include <limits.h>
#include <string.h>

#define WORD_MAX 48     /* longer words are not compared */

static unsigned
min3(unsigned a, unsigned b, unsigned c)
{
	unsigned least = a < b ? a : b;

	return least < c ? least : c;
}

static int
fold(char c)
{
	return c == '-' ? '_' : tolower((unsigned char)c);
}

/* Damerau and Levenshtein's distance in its restricted form: three rows of the
 * table are enough, the one before last for two swapped letters. */
unsigned
suggest_distance(const char *a, const char *b)
{
	unsigned rows[3][WORD_MAX + 1] = { { 0 } };
	unsigned *before = rows[0], *last = rows[1], *now = rows[2];
	size_t na = strlen(a), nb = strlen(b);

	if (na > WORD_MAX || nb > WORD_MAX)
		return UINT_MAX;
	for (unsigned j = 0; j <= nb; j++)
		now[j] = j;
	for (size_t i = 1; i <= na; i++) {
		unsigned *spare = before;

		before = last;
		last = now;
		now = spare;
		now[0] = (unsigned)i;
		for (size_t j = 1; j <= nb; j++) {
			unsigned cost = fold(a[i - 1]) != fold(b[j - 1]);

			now[j] = min3(last[j] + 1, now[j - 1] + 1,
			    last[j - 1] + cost);
			if (i > 1 && j > 1 &&
			    fold(a[i - 1]) == fold(b[j - 2]) &&
			    fold(a[i - 2]) == fold(b[j - 1]) &&
			    before[j - 2] + 1 < now[j])
				now[j] = before[j - 2] + 1;
		}
	}
	return now[nb];
}

void
suggest_init(struct suggest *suggest, const char *word)
{
	size_t len = strlen(word);

	suggest->word = word;
	suggest->best = NULL;
	/* one edit in a short word, more in a long one: beyond, a guess is
	 * noise */
	suggest->distance = len < 4 ? 2 : len < 8 ? 3 : 4;
}

void
suggest_offer(struct suggest *suggest, const char *candidate)
{
	unsigned distance = suggest_distance(suggest->word, candidate);

	if (distance >= suggest->distance || distance >= strlen(candidate))
		return;
	suggest->distance = distance;
	suggest->best = candidate;
}
