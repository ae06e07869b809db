/* SPDX-License-Identifier: ISC */
#ifndef CONF_LITERAL_H
#define CONF_LITERAL_H

/*
 * A value without quotes, as libconfig 1.5 reads it: a boolean, an integer, a
 * number with a fraction. A pure function of its text.
 */
/* A sentence about what libconfig would refuse, or misread in silence; NULL
 * when it reads what is meant. */
const char *literal_judge(const char *text);

#endif
