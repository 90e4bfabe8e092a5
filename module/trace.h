/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Tracepoints: each step in the life of a token. All are emitted under the
 * pool's lock, so that their order is the order in which things happened.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM steve

#if !defined(_STEVE_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define _STEVE_TRACE_H

#include <linux/tracepoint.h>

#include "pool.h"

/* pid: in the initial namespace; held, available: after the event. */
DECLARE_EVENT_CLASS(steve_client,
	TP_PROTO(const struct steve_pool *pool,
		 const struct steve_pool_client *client),
	TP_ARGS(pool, client),
	TP_STRUCT__entry(
		__field(pid_t, pid)
		__field(u32, held)
		__field(int, available)
	),
	TP_fast_assign(
		__entry->pid = client->pid;
		__entry->held = client->held;
		__entry->available = steve_pool_available(pool);
	),
	TP_printk("pid=%d held=%u available=%d",
		  __entry->pid, __entry->held, __entry->available)
);

/* The client got a place in the queue. */
DEFINE_EVENT(steve_client, steve_enqueue,
	TP_PROTO(const struct steve_pool *pool,
		 const struct steve_pool_client *client),
	TP_ARGS(pool, client)
);

/* The client took a token, or its implicit slot back. */
DEFINE_EVENT(steve_client, steve_grant,
	TP_PROTO(const struct steve_pool *pool,
		 const struct steve_pool_client *client),
	TP_ARGS(pool, client)
);

/* A token is reserved for the client, which polls. */
DEFINE_EVENT(steve_client, steve_reserve,
	TP_PROTO(const struct steve_pool *pool,
		 const struct steve_pool_client *client),
	TP_ARGS(pool, client)
);

/* A token is kept for the client, which is cold. */
DEFINE_EVENT(steve_client, steve_keep,
	TP_PROTO(const struct steve_pool *pool,
		 const struct steve_pool_client *client),
	TP_ARGS(pool, client)
);

/* The client did not take the token put aside for it. */
DEFINE_EVENT(steve_client, steve_lapse,
	TP_PROTO(const struct steve_pool *pool,
		 const struct steve_pool_client *client),
	TP_ARGS(pool, client)
);

/* The client returned one token or more. */
DEFINE_EVENT(steve_client, steve_return,
	TP_PROTO(const struct steve_pool *pool,
		 const struct steve_pool_client *client),
	TP_ARGS(pool, client)
);

/* The client lent its implicit slot. */
DEFINE_EVENT(steve_client, steve_lend,
	TP_PROTO(const struct steve_pool *pool,
		 const struct steve_pool_client *client),
	TP_ARGS(pool, client)
);

/* The client died with its implicit slot lent. */
DEFINE_EVENT(steve_client, steve_abandon,
	TP_PROTO(const struct steve_pool *pool,
		 const struct steve_pool_client *client),
	TP_ARGS(pool, client)
);

/* The client wrote what it had to return of tokens that were taken from it. */
DEFINE_EVENT(steve_client, steve_pay,
	TP_PROTO(const struct steve_pool *pool,
		 const struct steve_pool_client *client),
	TP_ARGS(pool, client)
);

/* The client wrote more than it had to return. */
DEFINE_EVENT(steve_client, steve_stray,
	TP_PROTO(const struct steve_pool *pool,
		 const struct steve_pool_client *client),
	TP_ARGS(pool, client)
);

/* The client held this many tokens, and died or had them taken from it. */
TRACE_EVENT(steve_reclaim,
	TP_PROTO(const struct steve_pool *pool,
		 const struct steve_pool_client *client, u32 tokens),
	TP_ARGS(pool, client, tokens),
	TP_STRUCT__entry(
		__field(pid_t, pid)
		__field(u32, tokens)
		__field(int, available)
	),
	TP_fast_assign(
		__entry->pid = client->pid;
		__entry->tokens = tokens;
		__entry->available = steve_pool_available(pool);
	),
	TP_printk("pid=%d tokens=%u available=%d",
		  __entry->pid, __entry->tokens, __entry->available)
);

/* The number of tokens changed. */
TRACE_EVENT(steve_resize,
	TP_PROTO(const struct steve_pool *pool),
	TP_ARGS(pool),
	TP_STRUCT__entry(
		__field(u32, jobs)
		__field(u32, size)
		__field(int, available)
	),
	TP_fast_assign(
		__entry->jobs = pool->set.jobs;
		__entry->size = pool->size;
		__entry->available = steve_pool_available(pool);
	),
	TP_printk("jobs=%u size=%u available=%d",
		  __entry->jobs, __entry->size, __entry->available)
);

#endif /* _STEVE_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
