# SPDX-License-Identifier: GPL-2.0
#
# usage: gnuplot -e "dir='DIR'" govern.gp
#
# Draws DIR/govern.svg from what govern.py has left there.

set terminal svg size 960,640 background "white" font "sans-serif,13"
set output dir."/govern.svg"
data = dir."/govern.dat"
hog_from = real(system("cut -d ' ' -f 1 '".dir."/govern.times'"))
hog_until = real(system("cut -d ' ' -f 2 '".dir."/govern.times'"))
stats data using 1 nooutput
last = STATS_max

set multiplot layout 2,1 title "stevectl govern beside a program that takes the memory" \
	margins 0.10,0.89,0.11,0.88 spacing 0.13
set xrange [0:last]
set grid ytics lc rgb "#e0e0e0"
set border 3
set tics nomirror out
set key at graph 1, graph 1.14 right top horizontal maxrows 1 width -4
set object 1 rectangle from hog_from, graph 0 to hog_until, graph 1 \
	fc rgb "#fbe9e7" fs solid noborder behind
set label 1 "memory hog" at (hog_from + hog_until) / 2, graph 0.96 center \
	tc rgb "#b71c1c"

set ylabel "tokens"
set yrange [0:9]
plot data every 2 using 1:2 with fillsteps fs solid 0.5 lc rgb "#4c9be8" title "tokens held", \
	data every 2 using 1:3 with steps lw 2 lc rgb "#c0392b" title "cap"

unset label 1
set xlabel "seconds"
set ylabel "memory pressure, % of 0.5 s"
set yrange [0:105]
set y2label "available, MB"
set y2tics
set y2range [0:*]
plot data every 2 using 1:5 with lines lw 1.5 lc rgb "#8e44ad" title "pressure", \
	10 with lines dt 2 lc rgb "#8e44ad" title "threshold of govern", \
	data every 4 using 1:6 axes x1y2 with lines lc rgb "#7f8c8d" title "available"
unset multiplot
