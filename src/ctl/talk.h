/* SPDX-License-Identifier: ISC */
#ifndef CTL_TALK_H
#define CTL_TALK_H

#include "control/wire.h"
#include "ctl/options.h"

/*
 * `talk LISTENER [ADDRESS]`: a line-by-line client to one of the daemon's own
 * listeners. The daemon is asked for the addresses only.
 */
#define TALK_QUIET_MS 1000      /* datagrams: silence after the end of input */

enum wire_code talk_run(const struct options *options);

#endif
