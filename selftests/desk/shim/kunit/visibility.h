/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _DESK_KUNIT_VISIBILITY_H
#define _DESK_KUNIT_VISIBILITY_H

#define EXPORT_SYMBOL_IF_KUNIT(symbol)

#endif /* _DESK_KUNIT_VISIBILITY_H */
