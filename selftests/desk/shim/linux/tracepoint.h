/* SPDX-License-Identifier: GPL-2.0 */
/* A tracepoint is a function, and judge.c defines it. */
#ifndef _DESK_LINUX_TRACEPOINT_H
#define _DESK_LINUX_TRACEPOINT_H

#define TP_PROTO(...)	__VA_ARGS__

#define DECLARE_EVENT_CLASS(name, proto, ...)
#define DEFINE_EVENT(class, name, proto, ...)	void trace_##name(proto)
#define TRACE_EVENT(name, proto, ...)		void trace_##name(proto)

#endif /* _DESK_LINUX_TRACEPOINT_H */
