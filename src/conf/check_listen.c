/* SPDX-License-Identifier: ISC */
/*
 * What `listen` means: each text resolved into numeric addresses, and no two
 * listeners on one address. An IPv6 socket is always IPv6-only, so [::] and
 * 0.0.0.0 do not meet.
 */
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#include "base/addr.h"
#include "conf/draft.h"

#define ADDRESSES_MAX 64        /* of one listener */
#define RESOLVED_MAX 16         /* of one text */

/* One address that will be bound, and who asked for it. */
struct claim {
	struct addr addr;
	const char *text;
	const struct draft_listener *listener;
	const struct value *value;
};

static const struct value *
member_at(const struct value *given, size_t i)
{
	const struct value *member = given ? given->members : NULL;

	while (member && i--)
		member = member->next;
	return member ? member : given;
}

/* A relative path of a Unix socket begins where the main file is. */
static const char *
absolute_listen(struct draft *draft, const char *text)
{
	static const char *const schemes[] = { "unix:", "unixgram:" };

	for (size_t i = 0; i < sizeof(schemes) / sizeof(*schemes); i++) {
		size_t len = strlen(schemes[i]);

		if (strncmp(text, schemes[i], len) == 0 && text[len] &&
		    text[len] != '/' && text[len] != '@')
			return draft_printf(draft, "%s%s", schemes[i],
			    draft_path(draft, text + len));
	}
	return text;
}

static bool
list_has(const struct string_list *list, const char *text)
{
	for (size_t i = 0; i < list->count; i++)
		if (strcmp(list->items[i], text) == 0)
			return true;
	return false;
}

/* A resolver may answer the same address twice. False: there are too many. */
static bool
add_addresses(struct draft *draft, struct draft_listener *listener,
    const struct addr *addrs, size_t count, const struct value *value)
{
	struct string_list *list = &listener->conf->addresses;
	size_t first = list->count;

	for (size_t i = 0; i < count; i++) {
		const struct string_list own = { list->items + first,
			list->count - first };
		char text[ADDR_TEXT_SIZE];

		(void)addr_format(&addrs[i], text);
		if (list_has(&own, text))
			continue;
		if (list->count == ADDRESSES_MAX) {
			draft_fault(draft, listener, "listen", value, "means "
			    "too many addresses; at most %d are allowed",
			    ADDRESSES_MAX);
			return false;
		}
		list->items[list->count++] = draft_printf(draft, "%s", text);
	}
	return true;
}

void
draft_check_listen(struct draft *draft, struct draft_listener *listener)
{
	struct listener_conf *conf = listener->conf;
	const struct value *given = draft_given(listener, "listen");

	conf->addresses.count = 0;
	conf->addresses.items = draft_alloc(draft,
	    ADDRESSES_MAX * sizeof(*conf->addresses.items));
	if (draft->failed || !given || draft_is_bad(listener, "listen"))
		return;
	if (!conf->listen.count)
		draft_fault(draft, listener, "listen", NULL, "is empty; at "
		    "least one address such as \"tcp://127.0.0.1:7007\" is "
		    "needed");
	for (size_t i = 0; i < conf->listen.count; i++) {
		const struct value *value = member_at(given, i);
		struct addr addrs[RESOLVED_MAX];
		struct err err;
		int n;

		conf->listen.items[i] = absolute_listen(draft,
		    conf->listen.items[i]);
		n = addr_resolve(addrs, RESOLVED_MAX, conf->listen.items[i],
		    &err);
		if (n < 0)
			draft_fault(draft, listener, "listen", value, "%s",
			    err.text);
		else if (!add_addresses(draft, listener, addrs, (size_t)n,
		    value))
			return;
	}
}

/* --- two claims to one address --- */

static bool
inet_overlaps(const struct sockaddr_storage *a,
    const struct sockaddr_storage *b)
{
	struct in6_addr six_a, six_b;
	struct in_addr four_a, four_b;

	if (a->ss_family != b->ss_family)
		return false;
	if (a->ss_family == AF_INET) {
		const struct sockaddr_in *in_a = (const void *)a;
		const struct sockaddr_in *in_b = (const void *)b;

		four_a = in_a->sin_addr;
		four_b = in_b->sin_addr;
		return in_a->sin_port && in_a->sin_port == in_b->sin_port &&
		    (four_a.s_addr == INADDR_ANY ||
		    four_b.s_addr == INADDR_ANY ||
		    four_a.s_addr == four_b.s_addr);
	}
	const struct sockaddr_in6 *in_a = (const void *)a;
	const struct sockaddr_in6 *in_b = (const void *)b;

	six_a = in_a->sin6_addr;
	six_b = in_b->sin6_addr;
	if (!in_a->sin6_port || in_a->sin6_port != in_b->sin6_port)
		return false;
	if (IN6_IS_ADDR_UNSPECIFIED(&six_a) || IN6_IS_ADDR_UNSPECIFIED(&six_b))
		return true;
	return IN6_ARE_ADDR_EQUAL(&six_a, &six_b) &&
	    in_a->sin6_scope_id == in_b->sin6_scope_id;
}

/* A path is one file whatever the type of its socket; an abstract name is one
 * for each type (unix(7)). */
static bool
unix_overlaps(const struct addr *a, const struct addr *b)
{
	const struct sockaddr_un *un_a = (const void *)&a->sa;

	if (un_a->sun_path[0] == '\0' && a->kind != b->kind)
		return false;
	return a->len == b->len && memcmp(&a->sa, &b->sa, a->len) == 0;
}

static bool
addr_overlaps(const struct addr *a, const struct addr *b)
{
	if (a->kind == ADDR_FD || b->kind == ADDR_FD)
		return a->kind == b->kind &&
		    strcmp(a->fd_name, b->fd_name) == 0;
	if (a->sa.ss_family == AF_UNIX && b->sa.ss_family == AF_UNIX)
		return unix_overlaps(a, b);
	return a->kind == b->kind && inet_overlaps(&a->sa, &b->sa);
}

/* Two interfaces can share an address. */
static bool
devices_differ(const struct claim *a, const struct claim *b)
{
	const char *device_a = a->listener->conf->bind_device;
	const char *device_b = b->listener->conf->bind_device;

	return *device_a && *device_b && strcmp(device_a, device_b) != 0;
}

static void
compare_claims(struct draft *draft, const struct claim *claims, size_t i)
{
	const struct claim *claim = &claims[i];

	for (size_t j = 0; j < i; j++) {
		const struct claim *first = &claims[j];

		if (!addr_overlaps(&claim->addr, &first->addr) ||
		    devices_differ(claim, first))
			continue;
		draft_fault(draft, claim->listener, "listen", claim->value,
		    "%s overlaps %s of listener \"%s\" at %s:%u; give each its "
		    "own address or port", claim->text, first->text,
		    first->listener->conf->name, first->value->file,
		    first->value->line);
		return;
	}
}

/* The file's text for an address that came from it: addresses of one text stand
 * in a row, but only the first place is known for sure. */
static const struct value *
place_of(const struct draft_listener *listener, const char *address)
{
	const struct value *given = draft_given(listener, "listen");
	const struct string_list *listen = &listener->conf->listen;

	for (size_t i = 0; i < listen->count; i++)
		if (strcmp(listen->items[i], address) == 0)
			return member_at(given, i);
	return given;
}

static size_t
make_claims(const struct draft *draft, struct claim *claims)
{
	size_t n = 0;

	for (size_t i = 0; i < draft->config->listener_count; i++) {
		const struct draft_listener *listener = &draft->listeners[i];
		const struct string_list *list = &listener->conf->addresses;

		for (size_t k = 0; k < list->count; k++) {
			struct claim *claim = &claims[n];

			if (addr_parse(&claim->addr, list->items[k], NULL))
				continue;
			claim->text = list->items[k];
			claim->listener = listener;
			claim->value = place_of(listener, list->items[k]);
			n++;
		}
	}
	return n;
}

void
draft_check_overlaps(struct draft *draft)
{
	struct claim *claims;
	size_t n = 0;

	for (size_t i = 0; i < draft->config->listener_count; i++)
		n += draft->listeners[i].conf->addresses.count;
	claims = calloc(n + 1, sizeof(*claims));
	if (!claims) {
		draft->failed = true;
		return;
	}
	n = make_claims(draft, claims);
	for (size_t i = 0; i < n; i++)
		compare_claims(draft, claims, i);
	free(claims);
}
