/* SPDX-License-Identifier: ISC */
#ifndef CTL_TOP_H
#define CTL_TOP_H

#include "control/wire.h"
#include "ctl/options.h"

/*
 * `top`: the status every two seconds. On a terminal it takes the
 * screen and gives it back at q, the end of input or a signal; else it prints
 * one status after the other until it is killed or nobody reads any more.
 */
#define TOP_INTERVAL_MS 2000

enum wire_code top_run(const struct options *options);

#endif
