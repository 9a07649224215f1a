# shapes.awk - lines "table shape column number", any number of each, as the tables of shapes.sh: the
# median of the numbers, and their range.

{
	if (!(($2) in seen) && $2 != "all") {
		seen[$2] = 1
		shape[++shapes] = $2
	}
	key = $1 SUBSEP $2 SUBSEP $3
	value[key, ++count[key]] = $4 + 0
}

# Sorts the numbers of a cell.
function sorted(key,    i, j, swap) {
	for (i = 2; i <= count[key]; i++)
		for (j = i; j > 1 && value[key, j - 1] > value[key, j]; j--) {
			swap = value[key, j]
			value[key, j] = value[key, j - 1]
			value[key, j - 1] = swap
		}
}

# 0 if there are none.
function median(table, row, column,    key, n) {
	key = table SUBSEP row SUBSEP column
	n = count[key]
	sorted(key)
	return n ? (value[key, int((n + 1) / 2)] + value[key, int(n / 2) + 1]) / 2 : 0
}

function number(x) {
	return sprintf(x < 1000 ? "%.4g" : "%.0f", x)
}

function cell(table, row, column,    key, middle) {
	key = table SUBSEP row SUBSEP column
	middle = median(table, row, column)
	if (!count[key])
		return "-"
	if (count[key] == 1)
		return number(middle)
	return number(middle) " (" number(value[key, 1]) " - " number(value[key, count[key]]) ")"
}

function ratio(a, b) {
	return a > 0 && b > 0 ? sprintf("%.2f", a / b) : "-"
}

function most(table, row, columns,    name, n, i, best) {
	n = split(columns, name, " ")
	for (i = 1; i <= n; i++)
		if (median(table, row, name[i]) > best)
			best = median(table, row, name[i])
	return best
}

function heading(text,    cells) {
	cells = gsub(/\|/, "|", text) - 1
	print text
	text = "|"
	while (cells-- > 0)
		text = text "---|"
	print text
}

function rates(table,    i, row, line) {
	print "\n" toupper(substr(table, 1, 1)) substr(table, 2) ", images/s:\n"
	heading("| model | pxr f32 | pxr bf16 |" \
		(torch ? " PyTorch f32 | compiled | PyTorch bf16 | compiled | best pxr / best PyTorch |" : "") \
		(old ? " old pxr | best pxr / old |" : ""))
	for (i = 1; i <= shapes; i++) {
		row = shape[i]
		line = "| " row " | " cell(table, row, "pxr_f32") " | " cell(table, row, "pxr_bf16") " |"
		if (torch)
			line = line " " cell(table, row, "torch_f32") " | " cell(table, row, "torch_f32_compiled") \
				" | " cell(table, row, "torch_bf16") " | " cell(table, row, "torch_bf16_compiled") \
				" | " ratio(most(table, row, "pxr_f32 pxr_bf16"), \
				most(table, row, "torch_f32 torch_f32_compiled torch_bf16 torch_bf16_compiled")) " |"
		if (old)
			line = line " " cell(table, row, "old") " | " \
				ratio(most(table, row, "pxr_f32 pxr_bf16"), median(table, row, "old")) " |"
		print line
	}
}

END {
	print "\npeak on square matrices, GFLOP/s: float32 " cell("peak", "all", "float32") ", bfloat16 " \
		cell("peak", "all", "bfloat16") ", SGEMM of the BLAS " cell("peak", "all", "SGEMM")
	rates("training")
	rates("evaluation")
	print "\nGeneration, images/s, in f32; and the share of the peak that training has in each precision:\n"
	heading("| model | generation | drawing / evaluating | whole passes / drawing | of peak f32 | of peak bf16 |")
	for (i = 1; i <= shapes; i++) {
		row = shape[i]
		drawing = median("drawing", row, "ratio")
		print "| " row " | " cell("generation", row, "pxr_f32") " | " cell("drawing", row, "ratio") " | " \
			(drawing ? int(median("values", row, "all") / drawing + 0.5) : "-") " | " \
			number(median("share", row, "pxr_f32")) " % | " \
			number(median("share", row, "pxr_bf16")) " % |"
	}
}
