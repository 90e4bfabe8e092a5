/* SPDX-License-Identifier: GPL-2.0 */
#ifndef STEVECTL_NOTIFY_H
#define STEVECTL_NOTIFY_H

/**
 * notify_ready() - tell the service manager, if there is one, that all is set up
 *
 * It is the one that $NOTIFY_SOCKET names, as systemd does for Type=notify.
 */
void notify_ready(void);

#endif /* STEVECTL_NOTIFY_H */
