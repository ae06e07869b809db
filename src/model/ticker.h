/* SPDX-License-Identifier: ISC */
#ifndef MODEL_TICKER_H
#define MODEL_TICKER_H

#include "handler/host.h"

/*
 * A thread that calls the handler's tick() every `tick`, beside the threads
 * that serve. For models that demand SS_THREADS.
 */
struct ticker;

struct ticker *ticker_new(struct host *host);   /* NULL: no thread, no memory */
void ticker_free(struct ticker **ticker);       /* waits for a tick that runs */

#endif
