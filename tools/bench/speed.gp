# SPDX-License-Identifier: GPL-2.0
#
# usage: gnuplot -e "dir='DIR'" speed.gp
#
# Draws DIR/speed.svg from the medians that speed.py has left there.

set terminal svg size 960,720 background "white" font "sans-serif,13"
set output dir."/speed.svg"
data = dir."/speed.dat"

set border 3
set grid ytics lc rgb "#e0e0e0"
set tics nomirror
set style fill solid 0.9 noborder
set boxwidth 0.6
set style line 1 lc rgb "#1f77b4" lw 2 pt 7 ps 0.8
set style line 2 lc rgb "#e08020" lw 2 pt 5 ps 0.8
set style line 3 lc rgb "#909090" lw 2 pt 9 ps 0.8
microseconds(x) = x / 1000.0
set ylabel "µs"
set multiplot layout 2,2 title "What a token costs, in an emulated machine" \
	margins 0.10,0.98,0.09,0.90 spacing 0.12,0.16

set title "take and return, nobody waits"
set logscale y
set yrange [1:*]
set xrange [-0.6:4.6]
plot for [i=0:4] data index "cycle" every ::i+1::i+1 \
	using (i):(microseconds($3)):xtic(1) with boxes \
	lc rgb (i == 0 ? "#1f77b4" : i == 1 ? "#e08020" : "#b0b0b0") notitle

set title "hand-off to one who waits"
unset logscale y
set yrange [0:*]
set xrange [-0.6:3.6]
set offsets 0, 0, graph 0.3, 0
set key top left reverse Left
set xtics ("reader,\none CPU" 0, "reader,\nany CPU" 1, "poller,\none CPU" 2, "poller,\nany CPU" 3)
names = "handoff-read-together handoff-read-free handoff-poll-together handoff-poll-free"
set boxwidth 0.35
plot for [i=1:4] data index word(names, i) every ::1::1 \
	using (i - 1.2):(microseconds($3)) with boxes ls 1 title (i == 1 ? "steve" : ""), \
	for [i=1:4] data index word(names, i) every ::2::2 \
	using (i - 0.8):(microseconds($3)) with boxes ls 2 title (i == 1 ? "FIFO" : "")

unset offsets
set title "a token, with more and more who poll"
set logscale xy
set yrange [10:*]
set xrange [0.8:1500]
set xlabel "pollers"
set xtics (1, 64, 1024)
plot data index "pollers-FIFO" every ::1 using 2:(microseconds($3)) with linespoints ls 2 title "FIFO", \
	data index "pollers-steve" every ::1 using 2:(microseconds($3)) with linespoints ls 1 title "steve", \
	data index "pollers-apart" every ::1 using 2:(microseconds($3)) with linespoints ls 3 title "a pipe for each"

set title "a token, with more and more who wait"
unset logscale y
set yrange [0:*]
set xrange [0.8:15000]
set xlabel "clients"
set xtics (1, 100, 10000)
set key bottom left
plot data index "grants-read" every ::1 using 2:(microseconds($3)) with linespoints ls 1 title "blocked in read", \
	data index "grants-cold" every ::1 using 2:(microseconds($3)) with linespoints ls 2 title "cold, but for one"
unset multiplot
