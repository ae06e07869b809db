/* SPDX-License-Identifier: ISC */
#ifndef BASE_SUGGEST_H
#define BASE_SUGGEST_H

#include <stddef.h>

/*
 * "Did you mean": the nearest of some words, where one is near. Any process;
 * owns nothing.
 */
struct suggest {
	const char *word;               /* what was written; borrowed */
	const char *best;               /* the nearest so far, or NULL */
	unsigned distance;
};

void suggest_init(struct suggest *suggest, const char *word);
void suggest_offer(struct suggest *suggest, const char *candidate);
/* Edits from a to b (insert, drop, replace, swap neighbours). */
unsigned suggest_distance(const char *a, const char *b);

#endif
