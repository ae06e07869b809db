/* SPDX-License-Identifier: ISC */
#ifndef BENCH_TALK_H
#define BENCH_TALK_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

/*
 * What is said to the server and what must come back, as two endless streams:
 * byte n of either stands at n % its total. Messages that follow each other
 * differ, and each ends as a line does, because some servers answer lines only.
 * Made once, read only from then on.
 */
enum talk_expect { TALK_ECHO, TALK_UPPER };

struct talk {
	char *say, *want;               /* owned; equal for an echo */
	size_t say_len, want_len;       /* bytes of one message, one answer */
	size_t say_total, want_total;
	char *greeting;                 /* owned; NULL = none is waited for */
	size_t greeting_len;            /* 0 = whatever comes first */
	bool is_greeting_only;          /* the greeting is all of the answer */
};

struct talk_wish {                      /* texts are borrowed, or NULL */
	size_t size;                    /* of messages that are made up */
	enum talk_expect expect;
	const char *line, *reply;       /* what is said instead, its answer */
	const char *greeting;
	bool has_greeting;
	bool is_greeting_only;
};

/* 0, or -errno with a sentence. */
int talk_make(struct talk *talk, const struct talk_wish *wish, struct err *err);
void talk_free(struct talk *talk);
/* A text of the command line: \n \r \t \0 \\ and \xNN are bytes. The caller
 * frees it; NULL with a sentence. */
char *talk_unescape(const char *text, size_t *len, struct err *err);

#endif
