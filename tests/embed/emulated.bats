# The kernels of AVX-512, VNNI and AMX, in C (tests/emulated): the unit tests of kernels, where
# they would leave out those that this CPU lacks.
load ../helper

setup() {
	grep -qw avx2 /proc/cpuinfo || skip "this CPU has no AVX2"
}

# passes NAME LINE... - the emulated unit test passes, and has printed those lines.
passes() {
	run -0 "$(dirname "$AID")/emulated_$1"
	shift
	for line; do
		grep -qxF "$line" <<<"$output" || { echo "$line"; return 1; }
	done
}

@test "products and functions of the encoder are right by AVX-512, VNNI and AMX" {
	passes test_kernels "# amx: avx512, amx, fast amx-q8, fine amx-q8" \
		"# vnni: avx512, avx512, fast vnni, fine vnni-fine" \
		"# avx512: avx512, avx512, fast avx512, fine avx512"
}

@test "distances are right by AVX-512" {
	passes test_distance "# avx512: avx512"
}

# bats test_tags=full
@test "distances of quantized vectors are right by AVX-512 with VNNI" {
	passes test_quantize
}

# bats test_tags=full
@test "codes of layout qg are right by AVX-512, and their bytes those of every kernel" {
	passes test_qg_code
}
