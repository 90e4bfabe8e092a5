/* SPDX-License-Identifier: GPL-2.0 */
/* Tracepoints are declared in one go, see <linux/tracepoint.h>. */
