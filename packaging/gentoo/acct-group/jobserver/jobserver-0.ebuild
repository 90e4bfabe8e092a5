# SPDX-License-Identifier: GPL-2.0

EAPI=8

inherit acct-group

DESCRIPTION="Those who may use the jobserver of the machine"
# The number that it has in Gentoo's own repository.
ACCT_GROUP_ID=556
