# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh

# screen LINESxCOLUMNS ACTION...: the last screen that top draws.
screen()
{
	# Standard output is the screen, where nobody looks for why a test failed.
	python3 ./terminal.py --screen "$@" -- \
		"$STEVECTL" top --interval 0.1 2>"$WORK/err" ||
		fail "top in a terminal: status $?: $(cat "$WORK/err")" >&2
}

# start_crowd NUMBER: starts clients that wait: $crowd and its children.
start_crowd()
{
	${CC:-cc} -o "$WORK/crowd" crowd.c || skip 'no compiler'
	start "$WORK/crowd" "$1"
	crowd=$!
	wait_for waiting "$1"
}

test_top_shows_the_pool_and_its_clients()
{
	"$STEVECTL" set-jobs 1
	start_holder
	holder=$!
	start "$STEVECTL" run sleep 1001
	wait_for waiting 1
	screen 24x120 key:q >"$WORK/screen"
	equal 'the first line' '1 of 1 tokens held, 1 waiting' \
		"$(head -n 1 "$WORK/screen")"
	equal 'the bar' "[$(printf '%118s' '' | tr ' ' '#')]" \
		"$(sed -n 2p "$WORK/screen")"
	equal 'the limit' 'No token is free: all are in use.' \
		"$(sed -n 3p "$WORK/screen")"
	equal 'headings' 'PID USER HELD WAIT TURN SINCE # HELD + RESERVED - WAIT COMMAND' \
		"$(sed -n '5{s/  */ /g;s/^ //;p}' "$WORK/screen")"
	equal 'the holder' "$holder root 1 # sleep 1000" \
		"$(sed -n '6{s/  */ /g;s/^ //;p}' "$WORK/screen")"
	sed -n 7p "$WORK/screen" | grep -q \
		"^ *$! root  *0 read  *1  *[0-9.]*s -* .*stevectl run sleep" ||
		fail "the waiter is '$(sed -n 7p "$WORK/screen")'"
	equal 'lines' 7 "$(wc -l <"$WORK/screen")"
}

test_top_is_live()
{
	start sh -c "until [ -e '$WORK/go' ]; do sleep 0.1; done
		exec '$STEVECTL' run --always sleep 1000"
	equal 'the first line' "1 of $JOBS tokens held, 0 waiting" "$(
		screen 24x80 'picture:^0 of' "create:$WORK/go" \
			'picture:^1 of' key:q | head -n 1)"
}

test_top_of_an_idle_pool()
{
	screen 24x80 key:q >"$WORK/screen"
	equal 'lines' 3 "$(wc -l <"$WORK/screen")"
	equal 'the bar' "[$(printf '%78s' '' | tr ' ' '.')]" \
		"$(sed -n 2p "$WORK/screen")"
	"$STEVECTL" set-jobs 0
	equal 'the screen' '0 of 0 tokens held, 0 waiting

The pool is paused: jobs is 0.' "$(screen 24x80 key:q)"
}

test_top_of_a_crowd()
{
	"$STEVECTL" set-jobs 3
	start_holder
	start_holder
	start_holder
	start_crowd 500
	"$STEVECTL" set-jobs 2
	for size in 24x80 50x200 14x60; do
		screen $size key:q >"$WORK/screen"
		lines=${size%x*}
		equal "lines of $size" "$lines" "$(wc -l <"$WORK/screen")"
		equal "holders at $size" 3 "$(grep -c 'sleep 1000$' "$WORK/screen")"
		# The first in the queue, and how many more there are.
		grep -q ' read  *1  ' "$WORK/screen" || fail "$(cat "$WORK/screen")"
		equal "the last line of $size" \
			"$((500 - lines + 9)) more that wait" \
			"$(sed -n '$s/^ *//p' "$WORK/screen")"
		# The bar: two tokens, and one that the pool has no more.
		sed -n 2p "$WORK/screen" | grep -q '^\[##*!!*\]$' ||
			fail "the bar is '$(sed -n 2p "$WORK/screen")'"
	done
	end "$crowd"
}

test_top_fits_every_terminal()
{
	start_holder
	start_crowd_of_all_kinds
	for size in 1x1 1x80 2x2 3x7 4x20 5x30 6x40 7x52 8x64 24x10 100x500 999x999; do
		screen $size key:q >"$WORK/screen"
	done
	# A terminal that does not know its size.
	python3 ./terminal.py 0x0 picture:held key:q -- "$STEVECTL" top \
		>/dev/null || fail 'a terminal of size 0'
}

# Clients that lend, that hold nothing, and whose command is no plain text.
start_crowd_of_all_kinds()
{
	start python3 -c '
import os, signal
os.write(os.open("/dev/steve", os.O_RDWR), b"+")
signal.pause()' "$(printf 'esc \033[31m tab \t wide \344\270\255\346\226\207 broken \377')"
	wait_for lent 1
	start python3 -c '
import os, signal
fd = os.open("/dev/steve", os.O_RDWR)
os.write(fd, os.read(fd, 1))
signal.pause()'
	wait_for clients 3
}

test_top_shows_no_control_characters()
{
	# What a client calls itself must not reach the terminal.
	"$STEVECTL" set-jobs 0
	start_odd_waiter
	LC_ALL=C.UTF-8 screen 24x200 key:q >"$WORK/screen"
	grep -q 'esc ?\[31m tab ? wide 中文 broken ?' "$WORK/screen" ||
		fail "$(cat "$WORK/screen")"
}

start_odd_waiter()
{
	start python3 -c '
import os
os.read(os.open("/dev/steve", os.O_RDONLY), 1)' \
		"$(printf 'esc \033[31m tab \t wide \344\270\255\346\226\207 broken \377')"
	wait_for waiting 1
}

test_top_follows_the_size()
{
	start_holder
	screen 24x80 picture:COMMAND size:3x20 'picture:^\[.{18}\]$' key:q \
		>"$WORK/screen"
	equal 'lines' 3 "$(wc -l <"$WORK/screen")"
	equal 'the bar' '[####..............]' "$(sed -n 2p "$WORK/screen")"
	screen 3x20 picture:held size:24x80 picture:COMMAND key:q \
		>"$WORK/screen"
	equal 'lines' 6 "$(wc -l <"$WORK/screen")"
}

test_top_quits_cleanly()
{
	for action in key:q key:Q key:'\x03' key:'\x1c' signal:TERM signal:INT \
		signal:HUP; do
		screen 24x80 picture:held "$action" >"$WORK/screen"
		[ -s "$WORK/screen" ] || fail "no screen before $action"
	done
	# It has no terminal to leave then.
	python3 ./terminal.py 24x80 picture:held hangup -- "$STEVECTL" top \
		>/dev/null || [ $? -eq 1 ] || fail 'it does not end with the terminal'
}

test_top_ends_after_some_pictures()
{
	equal 'pictures' 3 "$(python3 ./terminal.py 24x80 -- \
		"$STEVECTL" top --interval 0.1 --count 3 |
		grep -a -o 'tokens held' | wc -l)"
}

test_top_without_a_terminal()
{
	start_holder
	"$STEVECTL" top >"$WORK/out" </dev/null 2>&1 || fail 'top failed'
	equal 'the first line' "1 of $JOBS tokens held, 0 waiting" \
		"$(head -n 1 "$WORK/out")"
	equal 'escape codes' '' "$(tr -cd '\033\r' <"$WORK/out")"
	equal 'the holder' 1 "$(grep -c 'sleep 1000$' "$WORK/out")"
	equal 'pictures' 2 "$("$STEVECTL" top --interval 0.1 --count 2 |
		grep -c 'tokens held')"
	# It shows everybody, and does not mind that nobody reads on.
	"$STEVECTL" set-jobs 1
	start_crowd 300
	equal 'rows' 300 "$("$STEVECTL" top | grep -c ' read ')"
	equal 'the first line' "1 of 1 tokens held, 300 waiting" \
		"$("$STEVECTL" top --count 9 | head -n 1)"
	end "$crowd"
}

test_top_refuses_arguments()
{
	before=$(account)
	complains 2 "*'x' is one argument too many; see stevectl top --help" \
		"$STEVECTL" top x
	for time in 0 0.09 3600.01 x '' -1; do
		complains 1 "*--interval cannot be '$time'; give seconds from 0.1 to 3600" \
			"$STEVECTL" top "--interval=$time"
	done
	for count in 0 x '' -1 4294967296; do
		complains 1 "*--count cannot be '$count'; give a number from 1 on" \
			"$STEVECTL" top "--count=$count"
	done
	complains 2 '*--count needs an argument; *' "$STEVECTL" top --count
	equal 'account' "$before" "$(account)"
}
