/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _STEVE_VERSION_H
#define _STEVE_VERSION_H

#define STEVE_VERSION "0.1.0"

#endif /* _STEVE_VERSION_H */
