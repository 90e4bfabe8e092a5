# SPDX-License-Identifier: GPL-2.0

EAPI=8

MODULES_OPTIONAL_IUSE=+modules
inherit linux-mod-r1 systemd toolchain-funcs udev

DESCRIPTION="A jobserver for the whole machine, as a kernel module"
# Made by "make dist".
SRC_URI="${P}.tar.gz"

LICENSE="GPL-2"
SLOT="0"
KEYWORDS="~amd64"
# Its tests start virtual machines.
RESTRICT="fetch test"

RDEPEND="
	acct-group/jobserver
	sys-apps/util-linux
	!dev-build/steve
"
DEPEND="sys-apps/util-linux"
BDEPEND="virtual/pkgconfig"

CONFIG_CHECK="~PSI"
ERROR_PSI="CONFIG_PSI: without it 'stevectl govern' has no pressure to go by."
MODULES_KERNEL_MIN=6.1

DOCS=( CHANGELOG.md README.md Documentation )

pkg_nofetch() {
	einfo "Run 'make dist' in a checkout of steve, and put ${A}"
	einfo "into your DISTDIR."
}

src_compile() {
	local modlist=( steve=updates )
	local modargs=( KDIR="${KV_OUT_DIR}" )

	linux-mod-r1_src_compile
	emake -C tools/stevectl CC="$(tc-getCC)" \
		PKG_CONFIG="$(tc-getPKG_CONFIG)" PREFIX="${EPREFIX}/usr" V=1
}

src_install() {
	# With the module the eclass does so.
	use modules || einstalldocs
	linux-mod-r1_src_install
	emake -C tools/stevectl DESTDIR="${D}" PREFIX="${EPREFIX}/usr" install

	insinto /etc/sandbox.d
	doins "${FILESDIR}"/90steve
	insinto /usr/include/linux
	doins uapi/linux/steve.h

	# All else is for the machine that has the module.
	use modules || return 0

	local init
	for init in systemd openrc; do
		emake -C packaging DESTDIR="${D}" PREFIX="${EPREFIX}/usr" \
			sysconfdir="${EPREFIX}/etc" \
			udevrulesdir="$(get_udevdir)/rules.d" \
			systemdunitdir="$(systemd_get_systemunitdir)" \
			INIT=${init} install
	done
	# The group is an account of Portage's.
	rm -r "${ED}/usr/lib/sysusers.d" || die
}

pkg_postinst() {
	linux-mod-r1_pkg_postinst
	use modules || return 0
	udev_reload

	elog "The number of jobs is set in /etc/modprobe.d/steve.conf. For OpenRC:"
	elog "  rc-update add steve default"
	elog "With systemd the jobserver is there after the next boot, or after"
	elog "'modprobe steve'. Then put into make.conf:"
	elog "  MAKEFLAGS=\"--jobserver-auth=fifo:/run/steve/fifo\""
	elog "  FEATURES=\"\${FEATURES} jobserver-token\""
	elog "and no -j into NINJAOPTS, if you set it: it would turn the jobserver off. Packages"
	elog "are built by the user portage:"
	elog "  usermod -aG jobserver portage"
}

pkg_postrm() {
	! use modules || udev_reload
}
