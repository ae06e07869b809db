/* SPDX-License-Identifier: ISC */
/*
 * Which model serves a listener. "prefork" is not one: it is sync in several processes,
 * kept by the supervisor. "threaded" with workers is the pool.
 */
#include "model/model.h"

const struct model *
model_of(const struct listener_conf *conf)
{
	switch ((enum concurrency)conf->concurrency) {
	case CONCURRENCY_THREADED:
		return conf->workers > 0 ? &pool_model : &threaded_model;
	case CONCURRENCY_FORKING:
		return &forking_model;
	case CONCURRENCY_EVENT:
		return &event_model;
	case CONCURRENCY_SYNC:
	case CONCURRENCY_PREFORK:
		break;
	}
	return &sync_model;
}
