# What the tests of the encoder of GGUF models share.

UNIT=$(dirname "$AID")
# Its kernels, by name.  Those whose instructions this CPU lacks are emulated, by AVX2.
KERNELS=portable
! grep -qw avx2 /proc/cpuinfo || KERNELS="portable avx2 avx512 amx"

# encoder OPTION... - aid_encoder, with the kernel LH_KERNEL.
encoder() {
	local flag= program=aid_encoder
	case $LH_KERNEL in
	avx512) flag=avx512f ;;
	vnni) flag=avx512_vnni ;;
	amx) flag=amx_bf16 ;;
	esac
	if [[ $flag && $KERNELS == *amx* ]] && ! grep -qw $flag /proc/cpuinfo; then
		program=emulated_aid_encoder
	fi
	"$UNIT/$program" "$@"
}
