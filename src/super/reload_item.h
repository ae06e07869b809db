/* SPDX-License-Identifier: ISC */
#ifndef SUPER_RELOAD_ITEM_H
#define SUPER_RELOAD_ITEM_H

#include "super/held.h"
#include "super/plan.h"

struct super;

/*
 * One listener's part in a reload, for reload.c alone. The result stands in the
 * item: PLAN_PENDING while a generation is starting.
 */
/* held: the new configuration. */
void reload_item_do(struct plan_item *item, struct super *super,
    struct held *held);
/* Has the generation that was begun come to something? */
void reload_item_judge(struct plan_item *item);

#endif
