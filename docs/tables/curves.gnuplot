# curves.gnuplot - learning curves of runs, from `pxr-report metrics --format csv`:
#
#     pxr-report metrics --db paper.db --where "data_set = 'binarized_mnist'" --format csv >metrics.csv
#     gnuplot -e "out = 'curves.svg'" docs/tables/curves.gnuplot
#
# Training NLLs are of each epoch as it was trained, validation NLLs of the averaged parameters.
set datafile separator ','
set terminal svg noenhanced size 760,420 font 'sans,13' background rgb 'white'
set output out
set xlabel 'epoch'
set ylabel 'nats per image'
set yrange [77.5:90]
set grid
runs = system("awk -F, 'NR > 1 { print $2 }' metrics.csv | sort -u")
selected(run, split) = sprintf("< awk -F, '$2 == \"%s\" && $5 == \"%s\" && $6 == \"nll\"' metrics.csv | sort -t, -k4,4g", run, split)
plot for [i = 1:words(runs)] selected(word(runs, i), 'train') using 4:7 with lines lt i dt 3 notitle, \
	for [i = 1:words(runs)] selected(word(runs, i), 'valid') using 4:7 with linespoints lt i pt 7 ps 0.5 title word(runs, i)
