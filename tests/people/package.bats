# The tarball and the Debian packages: what is in them, and their life in a bare Debian.
# They are built once from the last commit, by "make deb" below build/deb: in make soak as
# they are given away, else without optimization, in a third of the time.
# bats file_tags=plain-only,full,long
load ../helper

setup_file() {
	[ -z "${LH_ASAN:-}" ] || return 0
	command -v dh >/dev/null || return 0
	export DEBS=$ROOT/build/deb
	local quick="$(scale noopt '')"
	[ -z "$quick" ] || export DEB_CFLAGS_STRIP=-g DPKG_DEB_COMPRESSOR_LEVEL=1
	DEB_BUILD_OPTIONS="nocheck noautodbgsym $quick" make -s -C "$ROOT" deb DEB_FLAGS='-F -Pnocheck' >"$BATS_FILE_TMPDIR/log" 2>&1 || {
		cat "$BATS_FILE_TMPDIR/log"
		return 1
	}
	export VERSION=$(dpkg-parsechangelog -l "$ROOT/debian/changelog" -S Version)
}

setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
	[ -n "${DEBS:-}" ] || skip "debhelper is not installed"
}

teardown() {
	[ -z "${R:-}" ] || rm -rf --one-file-system "$R"
	faults_happened
}

# listing PACKAGE - mode, owner and path of each file, without folders; "-> target" of links.
listing() {
	dpkg-deb -c "$DEBS/$1_${VERSION}_amd64.deb" | awk '$1 !~ /^d/ { print $1, $2, substr($6, 2) ($7 == "->" ? " -> " $8 : "") }'
}

# paths PACKAGE - the paths alone.
paths() {
	listing "$1" | awk '{ print $3 }'
}

@test "the package has the version of the tools, and is the only one" {
	[ "$VERSION" = "$(lh --version | sed 's/^lh //')" ]
	[ "$(dpkg-deb -f "$DEBS/lakehouse-tools_${VERSION}_amd64.deb" Version)" = "$VERSION" ]
	[ "$(ls "$DEBS"/*.deb | wc -l)" = 1 ]
}

@test "lintian finds no error and no warning, in the sources and in the packages" {
	command -v lintian >/dev/null || skip "lintian is not installed"
	lintian -EI --pedantic "$DEBS/lakehouse-tools_${VERSION}_amd64.changes" >found 2>&1 || { cat found; return 1; }
	# it has looked, into both
	grep -q '^I: lakehouse-tools: ' found
	grep -q '^I: lakehouse-tools source: ' found
	run grep '^[EWO]:' found
	[ "$status" = 1 ] || { echo "$output"; return 1; }
}

@test "lakehouse-tools has every tool, page, completion, unit and example, and nothing else" {
	{
		for tool in "$ROOT"/tools/*/; do echo "-rwxr-xr-x /usr/bin/$(basename "$tool")"; done
		for page in "$ROOT"/man/*.[157]; do echo "-rw-r--r-- /usr/share/man/man${page##*.}/$(basename "$page").gz"; done
		for page in "$ROOT"/man/*.[157]; do echo "-rw-r--r-- /usr/share/lakehouse-tools/pages/$(basename "${page%.*}").txt"; done
		for unit in "$ROOT"/share/systemd/*.{service,socket,timer}; do echo "-rw-r--r-- /lib/systemd/system/$(basename "$unit")"; done
		for file in "$ROOT"/share/etc/*; do echo "-rw-r--r-- /etc/lakehouse-tools/$(basename "$file")"; done
		find "$ROOT"/share/{examples,load} -type f -executable -printf "-rwxr-xr-x /usr/share/lakehouse-tools/%H/%P\n" -o \
			-type f -printf "-rw-r--r-- /usr/share/lakehouse-tools/%H/%P\n" | sed "s,$ROOT/share/,,"
		printf -- '-rw-r--r-- /usr/lib/%s.d/lakehouse-tools.conf\n' sysusers tmpfiles
	} | sort >want
	[ "$(grep -c /usr/bin/ want)" -gt 30 ]
	listing lakehouse-tools | awk '$2 != "root/root" { exit 1 } { print $1, $3 }' | sort >all
	comm -23 want all >missing
	[ ! -s missing ] || { echo missing; cat missing; return 1; }
	# the rest: documents, probes of lh-parity, completions
	comm -13 want all >other
	for path in doc/lakehouse-tools/README.md.gz doc/lakehouse-tools/copyright lakehouse-tools/parity/ lakehouse-tools/oracle/; do
		grep -q "^-rw-r--r-- /usr/share/$path" other
	done
	grep -qx -- '-rwxr-xr-x /usr/share/lakehouse-tools/parity/http' other
	sed -i '\,^-rwxr-xr-x /usr/share/lakehouse-tools/parity/http$,d' other
	run grep -vE '^(-rw-r--r--|lrwxrwxrwx) /usr/share/((doc/lakehouse-tools|lakehouse-tools/parity|lakehouse-tools/oracle|bash-completion/completions|fish/vendor_completions.d|zsh/vendor-completions)/[^/]*)$' other
	[ "$status" = 1 ] || { echo "$output"; return 1; }
}

@test "the units of the package are valid, and name programs and files of the package" {
	dpkg-deb -x "$DEBS/lakehouse-tools_${VERSION}_amd64.deb" root
	mkdir units
	cp root/lib/systemd/system/* units
	grep -ho '/\(usr\|etc/lakehouse-tools\)/[^ ]*' units/* | grep -vE ':|/(langfuse|serve\.env)$' | sort -u >named
	[ "$(wc -l <named)" -gt 5 ]
	run -1 grep local named
	while read -r path; do [ -e "root$path" ] || { echo "$path"; return 1; }; done <named
	command -v systemd-analyze || skip "no systemd-analyze"
	sed -i "s,/usr/bin/lh,$PWD/root&,; s,^ExecStart=/usr/share,ExecStart=$PWD/root/usr/share," units/*.service
	run systemd-analyze verify --man=no units/*
	[ "$status" = 0 ] && [ -z "$output" ] || { echo "$output"; return 1; }
}

@test "the tarball of a tarball is the same bytes, and so is its checksum" {
	tar -xf "$ROOT/build/lakehouse-tools-$VERSION.tar.gz"
	(umask 077; LC_ALL=C.UTF-8 TZ=Asia/Tokyo make -s -C "lakehouse-tools-$VERSION" dist)
	alike "$ROOT/build/SHA256SUMS" "lakehouse-tools-$VERSION/build/SHA256SUMS"
	(cd "lakehouse-tools-$VERSION/build" && sha256sum -c --status SHA256SUMS)
	# files of root, no time but the newest's
	tar -tvf "$ROOT/build/lakehouse-tools-$VERSION.tar.gz" | awk '{ print $2, $4, $5 }' | sort -u >owners
	[ "$(wc -l <owners)" = 1 ]
	grep -q '^0/0 ' owners
}

# ---- life in a bare Debian ----

# inside COMMAND... - in the bare Debian, without the network and with a /proc of its own.
inside() {
	unshare --mount --net sh -c 'mount -t proc proc "$0/proc" && exec chroot "$0" env -i PATH=/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive "$@"' "$R" "$@" </dev/null 3>&-
}

# names - the packages of a list of dependencies, separated by commas.
names() {
	tr , '\n' | sed 's/^ *//; s/[ |(].*//; /^$/d' | sort -u | paste -sd,
}

# debian VARIANT PACKAGES - a new Debian of the release that runs, as folder $R, on the
# disk, since a folder in memory may not be allowed to have devices.
debian() {
	[ "$(id -u)" = 0 ] || skip "not root"
	command -v mmdebstrap >/dev/null || skip "mmdebstrap is not installed"
	unshare --mount --net true 2>/dev/null || skip "no mounts here"
	R=$(mktemp -d "$ROOT/build/$1.XXXXXX")
	chmod 755 "$R"
	mmdebstrap --quiet --variant="$1" --include="$2" "$(. /etc/os-release && echo "$VERSION_CODENAME")" "$R" \
		http://deb.debian.org/debian 2>err || {
		if grep -qE 'Could not (resolve|connect)|Temporary failure|Failed to fetch|mknod|Operation not permitted' err; then
			skip "no mirror, or no root folder: $(tail -n 1 err)"
		fi
		cat err
		return 1
	}
}

# bare - the least Debian that is one, with what the package depends on, and jq.
bare() {
	debian minbase "$(dpkg-deb -f "$DEBS/lakehouse-tools_${VERSION}_amd64.deb" Depends | names),jq"
	mkdir -p "$R/packages" "$R/run/systemd/system"
	cp "$DEBS"/*.deb "$R/packages"
	# a systemd that is up, and what it is asked to do
	printf '#!/bin/sh\necho "$*" >>/packages/asked\n' >"$R/usr/bin/deb-systemd-invoke"
}

# lies - every path, but those of dpkg itself and the caches and logs of the system.
lies() {
	(cd "$R" && find . \( -path ./proc -o -path ./sys -o -path ./dev -o -path ./packages -o -path ./tmp -o -path ./var/cache \
		-o -path ./var/log -o -path './var/lib/dpkg' -o -path ./var/lib/apt \) -prune -o -print | sort)
}

# older - lakehouse-tools of a lower version, with another serve.json.
older() {
	dpkg-deb -R "$DEBS/lakehouse-tools_${VERSION}_amd64.deb" old
	sed -i 's/^Version: .*/Version: 0.0.9/' old/DEBIAN/control
	echo '{"state": "/var/lib/lakehouse", "connections": 9}' >old/etc/lakehouse-tools/serve.json
	dpkg-deb --root-owner-group -Znone -b old "$R/packages/old-lakehouse-tools.deb" >/dev/null
	rm -r old
}

enabled() {
	(cd "$R/etc/systemd/system" && find . -name 'lh-*' -o -name 'lakehouse-*' | sort)
}

@test "in a bare Debian the package installs, runs, upgrades, and is removed without a trace" {
	bare
	older
	lies >before
	inside sh -c 'apt-get -qq -y install --no-install-recommends /packages/old-*.deb' >log 2>&1 || { cat log; return 1; }
	# nothing is enabled, nothing was started
	[ -z "$(enabled)" ]
	[ ! -e "$R/packages/asked" ]
	[ "$(inside stat -c '%U:%G %a' /var/lib/lakehouse)" = 'lakehouse:lakehouse 750' ]

	# it runs
	cp -r "$ROOT/debian/tests" "$ROOT/README.md" "$R/packages"
	inside sh -c 'cd /packages && tests/tools' >log 2>&1 || { cat log; return 1; }
	[ "$(grep -c '^lh[a-z-]* [0-9.]*$' log)" = "$(find "$ROOT/tools" -mindepth 1 -maxdepth 1 | wc -l)" ]

	# the upgrade: an edited file stays, one that was not edited is replaced; the socket stays enabled
	echo '# mine' >>"$R/etc/lakehouse-tools/nightly.conf"
	inside /bin/systemctl --quiet --root=/ enable lh-serve.socket
	[ "$(enabled)" = ./sockets.target.wants/lh-serve.socket ]
	inside sh -c 'apt-get -qq -y install --no-install-recommends /packages/l*_*.deb' >log 2>&1 || { cat log; return 1; }
	[ "$(inside dpkg-query -W -f '${Version}' lakehouse-tools)" = "$VERSION" ]
	[ "$(tail -n 1 "$R/etc/lakehouse-tools/nightly.conf")" = '# mine' ]
	cmp "$R/etc/lakehouse-tools/serve.json" "$ROOT/share/etc/serve.json"
	[ "$(enabled)" = ./sockets.target.wants/lh-serve.socket ]
	# a server that is up is restarted; nothing else is touched
	[ "$(cat "$R/packages/asked")" = 'try-restart lh-serve.service' ]
	inside sh -c 'cd /packages && tests/tools' >log 2>&1 || { cat log; return 1; }

	# removed: the configuration stays; purged: nothing stays but the user, as is the custom
	rm "$R/packages/asked"
	inside dpkg --remove lakehouse-tools >log 2>&1 || { cat log; return 1; }
	[[ $(cat "$R/packages/asked") == 'stop lh-serve.socket lh-serve.service lh-audit-full.timer '* ]]
	[ -e "$R/etc/lakehouse-tools/nightly.conf" ] && [ ! -e "$R/usr/bin/lh" ]
	touch "$R/var/lib/lakehouse/data"
	inside dpkg --purge lakehouse-tools >log 2>&1 || { cat log; return 1; }
	[ -e "$R/var/lib/lakehouse/data" ]
	rm -r "$R/var/lib/lakehouse"
	lies >after
	diff before after
	grep -q '^lakehouse:' "$R/etc/passwd"
}

@test "a package that is purged removes its state folder if it is empty" {
	dpkg-deb -e "$DEBS/lakehouse-tools_${VERSION}_amd64.deb" control
	sed -i "s,/var/lib/lakehouse,$PWD/state," control/postrm
	mkdir -p state/data
	sed -n '1,/^# Automatically/p' control/postrm >postrm
	sh postrm purge
	[ -e state/data ]
	rmdir state/data
	sh postrm remove
	[ -e state ]
	sh postrm purge
	[ ! -e state ]
}

# build FOLDER UMASK VARIABLE... - the packages, in a folder of the clean Debian.
build() {
	mkdir -p "$R$1"
	cp "$ROOT/build/lakehouse-tools-$VERSION.tar.gz" "$R$1"
	inside env "${@:3}" sh -c "umask $2; cd $1; tar --no-same-permissions -xf *.tar.gz; cd lakehouse-tools-$VERSION
		\$FAKE dpkg-buildpackage -us -uc -b" >"log$2" 2>&1 || { tail -n 40 "log$2"; return 1; }
}

@test "two builds in a clean Debian give the same bytes, whatever folder, time, umask, locale and number of jobs" {
	[ "$LH_SCALE" = soak ] || skip "two builds: in make soak"
	debian buildd "debhelper,faketime,$(sed -n '/^Build-Depends:/,/^[^ ]/ { s/^Build-Depends://; /^[A-Z]/d; p }' "$ROOT/debian/control" |
		tr -d '\n' | names | sed 's/debhelper-compat,//')"
	build /a 022 LC_ALL=C TZ=UTC 'DEB_BUILD_OPTIONS=nocheck parallel=1'
	build /b/some/where 077 LC_ALL=C.UTF-8 LANG=de_DE.UTF-8 TZ=Asia/Tokyo FAKE='faketime -f +400d' 'DEB_BUILD_OPTIONS=nocheck parallel=3'
	for deb in "$R"/a/*.deb; do
		cmp "$deb" "$R/b/some/where/$(basename "$deb")"
	done
	[ "$(ls "$R"/a/*.deb | wc -l)" = 2 ]
}
